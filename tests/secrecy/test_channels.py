"""Every door is watched on every channel that it has; a door that nobody thought of fails here."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.secrecy.channels import CHANNELS, DOORS, EVERYWHERE, KINDS, UNWATCHED
from tests.secrecy.doors import patterns
from tests.secrecy.leaks import LEAKS

TESTS = Path(__file__).parent.parent


def test_every_route_says_what_could_leak_through_it() -> None:
    routes = {pattern.name for pattern in patterns()}
    missing = routes - DOORS.keys() - UNWATCHED.keys()
    assert not missing, f"say in tests/secrecy/channels.py of which kind these doors are: {sorted(missing)}"
    gone = (DOORS.keys() | UNWATCHED.keys()) - routes
    assert not gone, f"these doors are no more: {sorted(gone)}"


def test_every_parameter_has_values_by_which_the_harness_asks() -> None:
    """A parameter that the harness does not know would be asked for nothing but an absent value of the wrong form."""
    known = {
        "stix_id", "object_id", "collection", "article", "step", "what", "name", "mail_id", "verification", "pk", "key",
        "submission", "draft", "token_id", "affiliation_id", "invitation_id", "membership_id", "grant_id", "version",
        "proposal_id", "file_id", "status_id", "reset_id", "number", "secret", "proof", "alias",
        "confirmation_id", "edition_id", "row_key", "check_id", "hold_id", "address", "link_id", "letter_id",
        "fact_id", "import_id", "objection_id", "kind", "organization_id", "told_id",
    }  # fmt: skip
    unknown = {parameter for pattern in patterns() for parameter in pattern.parameters} - known
    assert not unknown, f"give values for {sorted(unknown)} in tests/secrecy/doors.py"


def test_every_channel_is_watched_or_says_why_not() -> None:
    assert sorted(CHANNELS) == list(range(1, 37))
    for number, channel in CHANNELS.items():
        assert bool(channel.tests) != bool(channel.none), number
        assert all(_exists(name) for name in channel.tests), [name for name in channel.tests if not _exists(name)]


def test_every_channel_that_is_watched_has_a_door() -> None:
    used = {number for kind in DOORS.values() for number in (*KINDS[kind], *EVERYWHERE)}
    assert set(DOORS.values()) == KINDS.keys()
    assert used == {number for number, channel in CHANNELS.items() if channel.tests}


def test_the_planted_leaks_are_of_many_channels() -> None:
    planted = {number for leak in LEAKS for number in leak.channels}
    assert len(planted) >= 20, sorted(planted)


def _exists(name: str) -> bool:
    path, _, test = name.partition("::")
    return (TESTS / path).is_file() and (not test or test in _tests_of(TESTS / path))


@cache
def _tests_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
