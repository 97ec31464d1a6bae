"""The ledgers of security are whole and true: nothing is left unclassified, and what they name exists."""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASVS = ROOT / "docs" / "security" / "asvs.csv"
CLASSES = ROOT / "docs" / "security" / "cve-classes.md"
COLUMNS = ["id", "level", "requirement", "status", "evidence", "note"]
STATUSES = {"met", "document", "not applicable", "open"}
# OWASP ASVS 5.0.0: the numbers of level 1 and level 2 in each section; what is left out is level 3.
LEVELS: dict[str, tuple[str, str]] = {
    "1.1": ("", "1-2"), "1.2": ("1-5", "6-9"), "1.3": ("1-2", "3-11"), "1.4": ("", "1-3"), "1.5": ("1", "2"),
    "2.1": ("1", "2-3"), "2.2": ("1-2", "3"), "2.3": ("1", "2-4"), "2.4": ("", "1"),
    "3.2": ("1-2", ""), "3.3": ("1", "2-4"), "3.4": ("1-2", "3-6"), "3.5": ("1-3", "4-5"), "3.7": ("", "1-2"),
    "4.1": ("1", "2-3"), "4.2": ("", "1"), "4.3": ("", "1-2"), "4.4": ("1", "2-4"),
    "5.1": ("", "1"), "5.2": ("1-2", "3"), "5.3": ("1-2", ""), "5.4": ("", "1-3"),
    "6.1": ("1", "2-3"), "6.2": ("1-8", "9-12"), "6.3": ("1-2", "3-4"), "6.4": ("1-2", "3-4"), "6.5": ("", "1-5"),
    "6.6": ("", "1-3"), "6.8": ("", "1-4"),
    "7.1": ("", "1-3"), "7.2": ("1-4", ""), "7.3": ("", "1-2"), "7.4": ("1-2", "3-5"), "7.5": ("", "1-2"),
    "7.6": ("", "1-2"),
    "8.1": ("1", "2"), "8.2": ("1-2", "3"), "8.3": ("1", ""), "8.4": ("", "1"),
    "9.1": ("1-3", ""), "9.2": ("1", "2-4"),
    "10.1": ("", "1-2"), "10.2": ("", "1-2"), "10.3": ("", "1-4"), "10.4": ("1-5", "6-11"), "10.5": ("", "1-5"),
    "10.6": ("", "1-2"), "10.7": ("", "1-3"),
    "11.1": ("", "1-2"), "11.2": ("", "1-3"), "11.3": ("1-2", "3"), "11.4": ("1", "2-4"), "11.5": ("", "1"),
    "11.6": ("", "1"),
    "12.1": ("1", "2-3"), "12.2": ("1-2", ""), "12.3": ("", "1-4"),
    "13.1": ("", "1"), "13.2": ("", "1-5"), "13.3": ("", "1-2"), "13.4": ("1", "2-5"),
    "14.1": ("", "1-2"), "14.2": ("1", "2-4"), "14.3": ("1", "2-3"),
    "15.1": ("1", "2-3"), "15.2": ("1", "2-3"), "15.3": ("1", "2-7"),
    "16.1": ("", "1"), "16.2": ("", "1-5"), "16.3": ("", "1-4"), "16.4": ("", "1-3"), "16.5": ("", "1-3"),
    "17.1": ("", "1"), "17.2": ("", "1-4"), "17.3": ("", "1-2"),
}  # fmt: skip


def wanted() -> dict[str, int]:
    """Id -> level of every requirement of levels 1 and 2."""
    found = {}
    for section, both in LEVELS.items():
        for level, numbers in enumerate(both, 1):
            first, _, last = numbers.partition("-")
            for number in range(int(first), int(last or first) + 1) if numbers else ():
                found[f"V{section}.{number}"] = level
    return found


def rows() -> list[dict[str, str]]:
    with ASVS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def collected_from(path: str) -> frozenset[str]:
    """The tests that pytest would collect from a file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_"))


@cache
def anchors_of(path: str) -> frozenset[str]:
    """The anchors that a Markdown page gives to its headings."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings)


def exists(evidence: str) -> bool:
    """Whether `path::test` is a test, `path::*` a file with tests, `path#anchor` or `path` a document."""
    if "::" in evidence:
        path, name = evidence.split("::")
        return bool(collected_from(path)) if name == "*" else name in collected_from(path)
    path, _, anchor = evidence.partition("#")
    return anchor in anchors_of(path) if anchor else (ROOT / path).is_file()


def moved(evidence: str) -> str:
    """Where a test of that name lies now, for whoever moved it."""
    name = evidence.partition("::")[2]
    found = [path for path in (ROOT / "tests").rglob("test_*.py") if name and f"def {name}(" in path.read_text()]
    return f"(now in {found[0].relative_to(ROOT)})" if found else ""


def test_every_requirement_of_levels_1_and_2_stands_in_the_ledger_once() -> None:
    assert list(rows()[0]) == COLUMNS
    assert [list(wanted().values()).count(level) for level in (1, 2)] == [70, 183]
    assert [(row["id"], int(row["level"])) for row in rows()] == list(wanted().items())


def test_every_row_is_classified_and_says_why() -> None:
    wrong = []
    for row in rows():
        status, evidence = row["status"], row["evidence"].split()
        proved = status != "met" or (evidence and all("::" in one for one in evidence))
        written = status != "document" or (evidence and all("::" not in one for one in evidence))
        reasoned = status in ("met", "document") or len(row["note"]) >= 8
        if not (row["requirement"] and status in STATUSES and proved and written and reasoned):
            wrong.append(f"{row['id']}: {status!r} {evidence} {row['note']!r}")
    assert not wrong, "\n".join(wrong)


def test_every_test_and_document_that_the_ledger_names_exists() -> None:
    missing = [
        f"{row['id']}: {one} {moved(one)}" for row in rows() for one in row["evidence"].split() if not exists(one)
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("number", range(1, 15))
def test_every_class_of_vulnerability_has_its_rule_and_its_tests(number: int) -> None:
    sections = re.split(r"^## (V\d+)\b", CLASSES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = dict(zip(sections[1::2], sections[2::2], strict=True))[f"V{number}"]
    named = re.findall(r"`(tests/[\w/]+\.py::[\w*]+)`", text)
    assert named, "no test"
    assert not [f"{one} {moved(one)}" for one in named if not exists(one)]
    assert re.search(r"^\*\*Rule\.\*\* .{40,}", text, re.MULTILINE), "no rule"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_for_reporters_says_where_to_write_and_what_to_expect(language: str) -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    chinese, english = text.split("## English")
    part, words = {
        "en": (english, ("/.well-known/security.txt", "2 working days", "good faith", "Supported versions", "90 days")),
        "zh": (chinese, ("/.well-known/security.txt", "2個工作天", "善意", "支援的版本", "90天")),
    }[language]
    assert not [word for word in words if word not in part]
    assert "@" not in text, "an address that this project does not own helps nobody"


def test_the_checks_of_these_ledgers_find_what_is_not_there() -> None:
    assert exists("tests/docs/test_security.py::test_every_row_is_classified_and_says_why")
    assert exists("tests/docs/test_security.py::*")
    assert exists("docs/policy.md")
    for nothing in ("tests/docs/test_security.py::test_none", "tests/none.py::*", "docs/none.md", "SECURITY.md#none"):
        assert not exists(nothing)
