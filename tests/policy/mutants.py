"""Mutants of the policy: small wrong versions of its code, each of which the generated cases must catch.

    python -m tests.policy.mutants [--only TEXT] [--list] [--at-once N]

A mutant changes one thing: a rule dropped, a comparison moved by one, a conjunct dropped, the organisation taken for
the group, the instant a microsecond stale, a fact or a right ignored. It is killed by the first case on which it
answers otherwise than the second evaluation, or crashes. Exit code 1 if one survives that `equivalent.md` does not
list with its proof, or if that file lists one that is killed or gone.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import os
import re
import signal
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import lianfang.policy
from tests.policy.generate import Question, cases
from tests.policy.oracle import Verdict, evaluate

FOLDER = Path(lianfang.policy.__file__).parent
MODULES = ("registry", "compare", "predicates", "rules", "rules_without_reading", "decide")
"""In the order of their imports; every one is loaded anew for each mutant."""
MUTATED = ("registry", "compare", "predicates", "rules", "rules_without_reading")
NOT_DECIDING = {"_register"}
"""What runs while the rules are read in, before any decision; `test_rules` holds it."""
EQUIVALENT = Path(__file__).with_name("equivalent.md")
COUNT = 120_000
SEED = 20261123
SLOW = 120
"""Seconds after which a mutant counts as killed: it does not end."""

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
WRONG_ATTRIBUTE = {
    "group": "organization",
    "organization": "group",
    "groups": "sharing_groups",
    "reviewed_by": "decided_by",
    "decided_by": "reviewed_by",
    "authored_by": "reviewed_by",
    "conflicted": "assigned",
    "requires": "parents",
    "parents": "requires",
    "submitted_by": "owner",
    "relayed_by": "named_analysts",
    "relays": "sharing_groups",
    "not_before": "shared_at",
    "shared_at": "not_before",
    "start": "end",
}
IGNORED = frozenset(
    {
        "is_constituent", "constituent_ok", "is_coordinator", "acknowledged", "mfa", "stop", "received", "by_source",
        "encrypted", "once_above_amber", "staff_tokens", "encrypted_mail", "former_may_recall", "purpose",
    }
)  # fmt: skip
"""Facts that a mutant takes for true, or for false, whatever they are."""
NEXT_TLP = {"CLEAR": "GREEN", "GREEN": "AMBER", "AMBER": "AMBER_STRICT", "AMBER_STRICT": "RED", "RED": "AMBER_STRICT"}


@dataclass(frozen=True)
class Mutant:
    """One wrong version: its name (module, function, what was changed) and its source."""

    name: str
    module: str
    tree: ast.Module


def mutants() -> Iterator[Mutant]:
    """Every mutant, in the order of the code."""
    for module in MUTATED:
        tree = ast.parse((FOLDER / f"{module}.py").read_text())
        seen: dict[str, int] = {}
        for path, change in _changes(tree):
            if _names_in(tree, path) & NOT_DECIDING:
                continue
            mutated = copy.deepcopy(tree)
            where, what = change(mutated, path)
            name = f"{module}.{where}: {what}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name = f"{name} ({seen[name]})"
            yield Mutant(name, module, ast.fix_missing_locations(mutated))


Path_ = tuple[tuple[str, int | None], ...]


def _changes(tree: ast.Module) -> Iterator[tuple[Path_, object]]:
    for path, node in _walk(tree, ()):
        for change in _of_node(node):
            yield path, change


def _names_in(tree: ast.Module, path: Path_) -> set[str]:
    node: ast.AST = tree
    names = set()
    for name, index in path:
        value = getattr(node, name)
        node = value if index is None else value[index]
        names.add(getattr(node, "name", ""))
    return names


def _walk(node: ast.AST, path: Path_) -> Iterator[tuple[Path_, ast.AST]]:
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or (isinstance(node, ast.ClassDef) and name == "decorator_list"):
            continue
        if isinstance(value, ast.AST):
            yield from _walk(value, (*path, (name, None)))
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _walk(child, (*path, (name, index)))


def _of_node(node: ast.AST) -> Iterator[object]:
    if isinstance(node, ast.FunctionDef):
        for index, decorator in enumerate(node.decorator_list):
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in ("permit", "forbid"):
                yield _replacing(lambda found, i=index: _without_decorator(found, i), f"drop {_rule_id(decorator)}")
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARISONS.get(type(node.ops[0]), ()):
            yield _replacing(lambda found, o=other: _with_operator(found, o), f"`{_text(node)}` by {other.__name__}")
    elif isinstance(node, ast.BoolOp):
        for index in range(len(node.values)):
            yield _replacing(lambda found, i=index: _without_operand(found, i), f"drop `{_text(node.values[index])}`")
        yield _replacing(_swapped, f"swap and/or in `{_text(node)}`")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _replacing(lambda found: found.operand, f"drop not of `{_text(node)}`")
    elif isinstance(node, ast.Attribute):
        yield from _of_attribute(node)
    elif isinstance(node, ast.Set) and len(node.elts) > 1:
        for index in range(len(node.elts)):
            yield _replacing(lambda found, i=index: _shorter(found, i), f"forget `{_text(node.elts[index])}`")
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool):
        yield _replacing(lambda found: ast.Return(ast.Constant(not found.value.value)), f"not `{_text(node)}`")
    elif isinstance(node, ast.If):
        yield _replacing(
            lambda found: ast.If(ast.Constant(False), found.body, found.orelse), f"never if `{_text(node.test)}`"
        )
        yield _replacing(
            lambda found: ast.If(ast.Constant(True), found.body, found.orelse), f"always if `{_text(node.test)}`"
        )
    elif isinstance(node, ast.Name) and node.id == "at" and isinstance(node.ctx, ast.Load):
        yield _replacing(_stale, "stale at")
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("on_duty",) and len(node.args) > 2:
        for index in range(1, len(node.args)):
            yield _replacing(lambda found, i=index: _less_duty(found, i), f"forget `{_text(node.args[index])}`")
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("any", "all"):
        yield _replacing(_any_for_all, f"any/all in `{_text(node)}`")


def _of_attribute(node: ast.Attribute) -> Iterator[object]:
    if isinstance(node.value, ast.Name) and node.value.id == "Tlp" and node.attr in NEXT_TLP:
        yield _replacing(
            lambda found: ast.Attribute(found.value, NEXT_TLP[found.attr], found.ctx), f"next of {node.attr}"
        )
    elif node.attr == "at":
        yield _replacing(_stale, f"stale `{_text(node)}`")
    elif node.attr in IGNORED:
        yield _replacing(lambda found: ast.Constant(True), f"`{_text(node)}` is true")
        yield _replacing(lambda found: ast.Constant(False), f"`{_text(node)}` is false")
    elif node.attr in WRONG_ATTRIBUTE and not _is_enum(node):
        wrong = WRONG_ATTRIBUTE[node.attr]
        yield _replacing(lambda found: ast.Attribute(found.value, wrong, found.ctx), f"`{_text(node)}` by {wrong}")


def _is_enum(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id[:1].isupper()


def _replacing(make: object, what: str) -> object:
    """A change that puts `make(node)` in the place of the node at a path."""

    def change(tree: ast.Module, path: Path_) -> tuple[str, str]:
        parent: ast.AST = tree
        where = ""
        for name, index in path[:-1]:
            value = getattr(parent, name)
            parent = value if index is None else value[index]
            if isinstance(parent, ast.FunctionDef | ast.ClassDef):
                where = parent.name
        name, index = path[-1]
        value = getattr(parent, name)
        node = value if index is None else value[index]
        if isinstance(node, ast.FunctionDef):
            where = node.name
        elif not where and isinstance(parent, ast.AST):
            where = _assigned(tree, path)
        made = make(node)  # type: ignore[operator]
        if index is None:
            setattr(parent, name, made)
        else:
            value[index] = made
        return where, what

    return change


def _assigned(tree: ast.Module, path: Path_) -> str:
    _, index = path[0]
    statement = tree.body[index or 0]
    return _text(statement.targets[0]) if isinstance(statement, ast.Assign) else "module"


def _without_decorator(node: ast.FunctionDef, index: int) -> ast.FunctionDef:
    del node.decorator_list[index]
    return node


def _with_operator(node: ast.Compare, operator: type[ast.cmpop]) -> ast.Compare:
    node.ops = [operator()]
    return node


def _without_operand(node: ast.BoolOp, index: int) -> ast.expr:
    rest = [value for place, value in enumerate(node.values) if place != index]
    return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _swapped(node: ast.BoolOp) -> ast.BoolOp:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _shorter(node: ast.Set, index: int) -> ast.Set:
    del node.elts[index]
    return node


def _less_duty(node: ast.Call, index: int) -> ast.Call:
    del node.args[index]
    return node


def _any_for_all(node: ast.Call) -> ast.Call:
    assert isinstance(node.func, ast.Name)
    node.func.id = "all" if node.func.id == "any" else "any"
    return node


def _stale(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Sub(), ast.Name("_TICK", ast.Load()))


def _rule_id(decorator: ast.Call) -> str:
    first = decorator.args[0]
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _text(node: ast.AST) -> str:
    text = re.sub(r"\s+", " ", ast.unparse(node))
    return text if len(text) <= 70 else text[:67] + "..."


# --- running --------------------------------------------------------------------------------------------------------


Code = dict[str, types.CodeType]


def compiled(name: str, tree: ast.Module) -> types.CodeType:
    """The code of one module of the policy."""
    return compile(tree, str(FOLDER / f"{name}.py"), "exec")


def load(code: Code) -> types.ModuleType:
    """Load the policy's modules anew; returns the module that decides."""
    for name in MODULES:
        full = f"lianfang.policy.{name}"
        module = types.ModuleType(full)
        module.__dict__["_TICK"] = timedelta(microseconds=1)
        sys.modules[full] = module
        setattr(lianfang.policy, name, module)
        exec(code[name], module.__dict__)
    return sys.modules["lianfang.policy.decide"]


def first_difference(decide: types.ModuleType, asked: list[tuple[Question, Verdict]]) -> int | None:
    """How many cases it took to see a difference; None if there is none."""
    for number, (question, expected) in enumerate(asked, 1):
        try:
            decision = decide.decide(
                subject=question.subject,
                right=question.right,
                target=question.target,
                at=question.at,
                request=question.request,
            )
        except Exception:
            return number
        if (
            decision.allowed != expected.allowed
            or frozenset(decision.permits) != expected.permits
            or frozenset(decision.forbids) != expected.forbids
        ):
            return number
    return None


def begin(mutant: Mutant, code: Code, asked: list[tuple[Question, Verdict]]) -> int:
    """Run one mutant in a process of its own, which ends with 0 where nothing told it from the policy; its number."""
    child = os.fork()
    if child == 0:
        gc.disable()
        signal.alarm(SLOW)
        try:
            decide = load(code | {mutant.module: compiled(mutant.module, mutant.tree)})
            status = 0 if first_difference(decide, asked) is None else 1
        except BaseException:
            status = 1
        os._exit(status)
    return child


def survivors(chosen: list[Mutant], code: Code, asked: list[tuple[Question, Verdict]], *, at_once: int) -> set[str]:
    """Run every mutant, so many at once; return the names of those that nothing killed."""
    alive: set[str] = set()
    running: dict[int, Mutant] = {}
    for mutant in [*chosen, *[None] * at_once]:
        if len(running) == at_once or (mutant is None and running):
            child, status = os.wait()
            ended = running.pop(child)
            if status == 0:
                alive.add(ended.name)
                print(f"not killed: {ended.name}", flush=True)
        if mutant is not None:
            running[begin(mutant, code, asked)] = mutant
    return alive


def listed_equivalent() -> set[str]:
    """Names of the mutants that `equivalent.md` proves to be no mutants."""
    return set(re.findall(r"^### (.+)$", EQUIVALENT.read_text(), re.MULTILINE)) if EQUIVALENT.exists() else set()


def main() -> int:
    """Run all mutants and say which survive."""
    parser = argparse.ArgumentParser(description="Mutants of the policy")
    parser.add_argument("--only", default="", help="only mutants whose name holds this text")
    parser.add_argument("--list", action="store_true", help="print their names and stop")
    parser.add_argument("--count", type=int, default=COUNT, help="generated cases")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="mutants that run beside each other")
    options = parser.parse_args()
    chosen = [mutant for mutant in mutants() if options.only in mutant.name]
    if options.list:
        print(*(mutant.name for mutant in chosen), sep="\n")
        return 0
    began = time.monotonic()
    asked = [
        (q, evaluate(q.subject, q.right, q.target, q.at, q.request)) for q in cases(seed=SEED, count=options.count)
    ]
    code = {name: compiled(name, ast.parse((FOLDER / f"{name}.py").read_text())) for name in MODULES}
    if first_difference(load(code), asked) is not None:
        print("the policy itself disagrees with the second evaluation: run python -m tests.policy.agreement")
        return 1
    gc.freeze()
    alive = survivors(chosen, code, asked, at_once=options.at_once)
    equivalent = listed_equivalent()
    print(f"{len(chosen)} mutants, {len(chosen) - len(alive)} killed, {len(alive & equivalent)} equivalent")
    print(f"{len(asked):,} cases, seed {SEED}, {time.monotonic() - began:.0f} s")
    wrong = [f"SURVIVES {name}" for name in sorted(alive - equivalent)]
    if not options.only:
        wrong += [f"LISTED as equivalent, but killed or gone: {name}" for name in sorted(equivalent - alive)]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
