"""Every action of the product takes who and when, and records; and its tag is its own for ever."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lianfang
from lianfang.audit.queries import sentence
from lianfang.audit.tags import Tag
from lianfang.audit.words import KINDS

ROOT = Path(lianfang.__file__).parent
EVER = Path(__file__).with_name("tags.txt")


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages([str(ROOT)], "lianfang."):
        if ".migrations." not in found.name and "__main__" not in found.name:
            yield importlib.import_module(found.name)


def _actions() -> dict[str, Any]:
    """Every function that `@action` made, by its full name."""
    found: dict[str, Any] = {}
    for module in _modules():
        for value in vars(module).values():
            if inspect.isfunction(value) and hasattr(value, "lianfang_tag") and value.__module__ == module.__name__:
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


ACTIONS = _actions()
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))
         if "migrations" not in path.parts}  # fmt: skip


def test_there_are_many() -> None:
    assert len(ACTIONS) > 60
    assert "lianfang.intel.actions.recall" in ACTIONS
    assert "lianfang.members.actions.approve" in ACTIONS or any("approve" in name for name in ACTIONS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_takes_when_by_keyword_and_records(name: str) -> None:
    function = inspect.unwrap(ACTIONS[name])
    parameters = inspect.signature(function).parameters
    moments = [parameter for key, parameter in parameters.items() if key == "at"]
    assert moments, f"{name} takes no `at`"
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in moments), name
    if "by" in parameters:
        assert parameters["by"].kind is inspect.Parameter.KEYWORD_ONLY, name
        assert parameters["by"].default is inspect.Parameter.empty, f"{name}: who acts is never assumed"
    assert parameters["at"].default is inspect.Parameter.empty, f"{name}: when is never assumed"


def _calls(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            names.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    return names


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_records_itself_or_by_a_helper_of_its_module(name: str) -> None:
    """What the guard would only say at the commit of a write that some test happens to make."""
    function = inspect.unwrap(ACTIONS[name])
    module = ast.parse(Path(inspect.getsourcefile(function) or "").read_text(encoding="utf-8"))
    helpers = {node.name: _calls(node) for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    reached, pending = set(), [function.__name__]
    while pending:
        each = pending.pop()
        if each in reached:
            continue
        reached.add(each)
        pending.extend(helpers.get(each, set()) & helpers.keys())
        if "record" in helpers.get(each, set()) or any("record" in call for call in helpers.get(each, set())):
            return
    # Else a helper of a neighbouring module does; it must be one that records.
    imported = {alias.asname or alias.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom)
                for alias in node.names}  # fmt: skip
    called = set().union(*(helpers.get(each, set()) for each in reached)) & imported
    found = [node for tree in TREES.values() for node in ast.walk(tree)
             if isinstance(node, ast.FunctionDef) and node.name in called and "record" in _calls(node)]  # fmt: skip
    assert found, f"{name} never calls record()"


def test_every_tag_is_used_and_every_use_is_a_tag() -> None:
    """By an action, or by a migration that moved rows."""
    files = [path for path in ROOT.rglob("*.py") if path != ROOT / "audit" / "tags.py"]
    used = {
        node.attr
        for path in files
        for node in ast.walk(TREES.get(path) or ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Tag"
    }
    assert {tag.name for tag in Tag} == used


def test_one_action_one_tag() -> None:
    shared = {tag: sorted(name for name, action in ACTIONS.items() if action.lianfang_tag == tag) for tag in Tag}
    # Two ways to do one thing may share its name; two things may not. All in one app, at the least.
    for tag, names in shared.items():
        apps = {name.split(".")[1] for name in names}
        assert apps <= {tag.value.split(":")[0]}, (tag, names)


def test_no_tag_ever_written_is_gone_or_means_something_else() -> None:
    """`tags.txt` holds every tag there ever was with its first sentence: add new ones, never take one away.

    A ledger keeps its entries for ever, and they are read by these sentences.
    """
    ever = dict(line.split("\t", 1) for line in EVER.read_text(encoding="utf-8").splitlines())
    now = {tag.value: tag.words.en for tag in Tag}
    assert list(ever) == sorted(ever)
    assert ever.keys() - now.keys() == set(), "a tag that ledgers hold is gone"
    assert now.keys() - ever.keys() == set(), "add the new tag to tests/audit/tags.txt"
    # Words may be mended; whoever gives a tag another meaning has to change the file too.
    assert ever == now


def test_tags_are_lower_case_in_three_parts_of_their_app() -> None:
    for tag in Tag:
        app, subject, verb = tag.value.split(":")
        assert (ROOT / app).is_dir(), tag
        for part in (app, subject, verb):
            assert part.replace("_", "").isalpha(), tag
            assert part == part.lower(), tag
        assert 0 < len(tag.value) <= 80
        said = sentence(tag.value)
        assert said.en[0].islower(), said
        assert not said.en.endswith("."), said
    assert sentence("later:thing:done").zh == "later:thing:done"


def test_a_tag_says_nothing_of_anybody() -> None:
    """Its sentence stands beside the actor's name in a list: no placeholder, no address, no number."""
    for tag in Tag:
        for text in (tag.words.zh, tag.words.en):
            assert not set("{}%@<>") & set(text), tag
            assert not any(character.isdigit() for character in text), tag


def test_kinds_of_things_have_both_languages() -> None:
    for kind, words in KINDS.items():
        app, _, model = kind.partition(".")
        assert model, kind
        assert (ROOT / app).is_dir(), kind
        assert words.zh, kind
        assert words.en[0].isupper(), kind
