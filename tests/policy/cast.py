"""The cast of the written cases: who they are, and one item each, with everything in order unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lianfang.policy.facts import (
    Audience,
    Case,
    Caveats,
    Channel,
    Duty,
    Gap,
    Kind,
    Label,
    Named,
    Pair,
    Publication,
    Request,
    Right,
    Role,
    Source,
    Standing,
    Subject,
    Target,
    Tlp,
)
from tests.policy.ground import AT, CONSTITUENTS, COORDINATOR_PAIR, GROUPS, PERSONS, SHARED, TICK, TOKEN

ALPHA, BETA, GAMMA = (Pair(group, group) for group in GROUPS)
"""Three group members."""
BRANCH = Pair(CONSTITUENTS[0], ALPHA.group)
"""A constituent of Alpha."""
DAY = timedelta(days=1)
CASE = "A-2026-0001"
PAGE = Request(channel=Channel.PAGE)
TAXII = Request(channel=Channel.TAXII)
MAIL = Request(channel=Channel.MAIL)
FILE = Request(channel=Channel.FILE, purpose="research")
PUBLIC = Subject.public()
PAST, NOW, SOON = AT - DAY, AT, AT + TICK
OUTAGE = frozenset({Gap(SHARED, SHARED + DAY)})


@dataclass(frozen=True)
class Asked:
    """A written case."""

    subject: Subject
    right: Right
    target: Target = None
    request: Request = PAGE


def person(pair: Pair = ALPHA, **facts: Any) -> Subject:
    """Somebody of a group member or constituent."""
    inside = pair.organization != pair.group
    base = {
        "kind": Kind.PERSON, "person": PERSONS[0], "pair": pair, "is_constituent": inside, "constituent_ok": inside,
        "standing": Standing.ACTIVE, "acknowledged": True, "mfa": True,
    }  # fmt: skip
    return Subject(**(base | facts))  # type: ignore[arg-type]


def admin(pair: Pair = ALPHA, **facts: Any) -> Subject:
    """A member_admin."""
    return person(pair, role=Role.MEMBER_ADMIN, **facts)


def staff(*duties: Duty, **facts: Any) -> Subject:
    """Somebody of the coordinator."""
    return person(COORDINATOR_PAIR, is_coordinator=True, duties=frozenset(duties), **facts)


def token(owner: Subject, *rights: Right, **caveats: Any) -> Subject:
    """A token of somebody, for reading and these rights."""
    return Subject.of_token(
        token=TOKEN, owner=owner, caveats=Caveats(rights=frozenset({Right.READ, *rights}), **caveats)
    )


def link(right: Right, *, expires: Any = SOON, case: str = CASE) -> Subject:
    """The holder of a signed link."""
    return Subject.link(case=case, rights=frozenset({right}), expires_at=expires)


def item(pair: Pair = BETA, **facts: Any) -> Label:
    """An AMBER item of Beta for the whole alliance."""
    base = {
        "sources": frozenset({Source(pair)}), "owner": pair, "submitted_by": PERSONS[1], "tlp": Tlp.AMBER,
        "audience": Audience.alliance(), "shared_at": SHARED,
    }  # fmt: skip
    return Label(**(base | facts))  # type: ignore[arg-type]


def own(pair: Pair = ALPHA, **facts: Any) -> Label:
    """An item that nobody but its own people, and analysts, may read."""
    return item(pair, **({"audience": Audience.coordinator_only()} | facts))


def red(*named: Pair, **facts: Any) -> Label:
    """A RED item of Beta for the first person of these pairs."""
    audience = Audience.persons(*(Named(PERSONS[0], pair.organization) for pair in named))
    return item(**({"tlp": Tlp.RED, "audience": audience} | facts))


def public(**facts: Any) -> Label:
    """A published item."""
    return own(**({"tlp": Tlp.CLEAR, "publication": Publication(PAST)} | facts))


def case(**facts: Any) -> Case:
    """A case of Alpha's."""
    return Case(**({"id": CASE, "organization": ALPHA.organization} | facts))


ME = frozenset({PERSONS[0]})
