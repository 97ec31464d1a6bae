"""The small world that cases are made in: its instants, its people, and the plain facts about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from lianfang.policy.facts import (
    Audience,
    Caveats,
    Channel,
    Duty,
    Kind,
    Label,
    Named,
    NarrowedKind,
    NarrowedTo,
    Pair,
    Right,
    Role,
    Source,
    Standing,
    Tlp,
    Upstream,
    UpstreamKind,
)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SHARED = AT - timedelta(days=10)
TICK = timedelta(microseconds=1)


def _id(number: int) -> UUID:
    return UUID(int=number)


GROUPS = tuple(_id(0x100 + n) for n in range(3))
CONSTITUENTS = tuple(_id(0x200 + n) for n in range(3))
COORDINATOR = _id(0x900)
SHARING = tuple(_id(0x300 + n) for n in range(2))
PERSONS = tuple(_id(0x400 + n) for n in range(5))
TOKEN = _id(0x500)

MEMBER_PAIRS = tuple(Pair(group, group) for group in GROUPS)
CONSTITUENT_PAIRS = (
    Pair(CONSTITUENTS[0], GROUPS[0]),
    Pair(CONSTITUENTS[1], GROUPS[0]),
    Pair(CONSTITUENTS[1], GROUPS[1]),
    Pair(CONSTITUENTS[2], GROUPS[2]),
)
COORDINATOR_PAIR = Pair(COORDINATOR, COORDINATOR)
PAIRS = MEMBER_PAIRS + CONSTITUENT_PAIRS
EXTERNALS = (Source(external="cert-a"), Source(external="cert-b"))
CASES = ("A-2026-0001", "A-2026-0002")

IN_FORCE = (Standing.ACTIVE, Standing.UNDER_REVIEW, Standing.TERMINATING)
OUT = (Standing.NONE, Standing.APPLICANT, Standing.REVOKED, Standing.TERMINATED)
READING = (
    Right.READ,
    Right.READ_SOURCE,
    Right.EXPORT,
    Right.MAIL_BODY,
    Right.RELAY_TO_CONSTITUENTS,
    Right.ANNOTATE,
    Right.REQUEST_DISCLOSURE,
    Right.DISCLOSE,
    Right.USE_COMMERCIALLY,
)
Facts = dict[str, Any]


@dataclass
class Draft:
    """A case in the making: facts by name, until they are frozen."""

    rng: Random
    right: Right
    subject: Facts = field(default_factory=dict)
    label: Facts | None = None
    case: Facts | None = None
    request: Facts = field(default_factory=lambda: {"channel": Channel.PAGE})
    token: Facts | None = None
    owner: Facts = field(default_factory=dict)
    """What of the owner differs from its token."""
    instants: list[str] = field(default_factory=list)

    def near(self, kind: str) -> datetime:
        """An instant at, just before or just after the instant of the question; noted by kind."""
        offset = self.rng.choice((-1, 0, 1))
        self.instants.append(f"{kind} {offset:+d}us" if offset else f"{kind} 0")
        return AT + offset * TICK

    def some(self, kind: str, *, future: bool) -> datetime:
        """Mostly near; else a day away on one side."""
        return self.near(kind) if self.rng.random() < 0.75 else AT + timedelta(days=1 if future else -1)


def make_label(facts: Facts) -> Label:
    """A label from facts by name."""
    return Label(**facts)


def member(rng: Random, pair: Pair | None = None) -> Facts:
    """A person of a group member, with everything in order."""
    return _person(rng, pair or rng.choice(MEMBER_PAIRS))


def constituent(rng: Random, pair: Pair | None = None) -> Facts:
    """A person of a constituent, with everything in order."""
    pair = pair or rng.choice(CONSTITUENT_PAIRS)
    return _person(rng, pair) | {"is_constituent": True, "constituent_ok": True}


def _person(rng: Random, pair: Pair) -> Facts:
    return {
        "kind": Kind.PERSON,
        "person": rng.choice(PERSONS),
        "pair": pair,
        "standing": rng.choice(IN_FORCE),
        "acknowledged": True,
        "mfa": True,
        "role": rng.choice(list(Role)),
    }


def staff(rng: Random, *duties: Duty) -> Facts:
    """A person of the coordinator with these duties."""
    return _person(rng, COORDINATOR_PAIR) | {"is_coordinator": True, "duties": frozenset(duties)}


def anybody_of(rng: Random, pair: Pair) -> Facts:
    """A person of this pair, in order."""
    return member(rng, pair) if pair.organization == pair.group else constituent(rng, pair)


def a_label(rng: Random, pair: Pair | None = None, **facts: Any) -> Facts:
    """A published label of one member's item."""
    owner = pair or rng.choice(PAIRS)
    return {
        "sources": frozenset({Source(owner)}),
        "owner": owner,
        "submitted_by": rng.choice(PERSONS),
        "tlp": rng.choice((Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT)),
        "audience": Audience.coordinator_only(),
        "shared_at": SHARED,
        **facts,
    }


def a_case(rng: Random) -> Facts:
    """A case in which nobody has done anything yet."""
    return {
        "id": rng.choice(CASES),
        "organization": rng.choice((*GROUPS, *CONSTITUENTS)),
        "concerns": rng.choice(PERSONS),
    }


def audience_with(rng: Random, group: UUID) -> tuple[Audience, frozenset[UUID]]:
    """An audience that contains the group, and the sharing groups that it takes for that."""
    way = rng.randrange(3)
    if way == 0:
        return Audience.alliance(), frozenset()
    if way == 1:
        return Audience.groups(group, *rng.sample(GROUPS, rng.randrange(2))), frozenset()
    shared = rng.choice(SHARING)
    return Audience.sharing_groups(shared), frozenset({shared})


def any_audience(rng: Random, *, persons: bool = False) -> Audience:
    named = [Named(person, group) for person in PERSONS[:2] for group in GROUPS[:2]]
    if persons:
        return Audience.persons(*rng.sample(named, rng.randrange(3)))
    return rng.choice(
        (
            Audience.alliance(),
            Audience.groups(*rng.sample(GROUPS, rng.randrange(4))),
            Audience.sharing_groups(*rng.sample(SHARING, rng.randrange(3))),
            Audience.coordinator_only(),
            Audience.persons(*rng.sample(named, rng.randrange(3))),
        )
    )


def any_narrowing(rng: Random) -> NarrowedTo:
    return rng.choice(
        (
            NarrowedTo(),
            NarrowedTo(NarrowedKind.GROUP, rng.choice(GROUPS)),
            NarrowedTo(NarrowedKind.CONSTITUENTS_OF, rng.choice(GROUPS)),
            NarrowedTo(NarrowedKind.PERSON, rng.choice(PERSONS), rng.choice((*GROUPS, *CONSTITUENTS, COORDINATOR))),
            NarrowedTo(NarrowedKind.SOURCE),
        )
    )


def any_upstream(rng: Random, until: datetime | None) -> Upstream:
    kind = rng.choice(list(UpstreamKind))
    if kind is UpstreamKind.NONE:
        return Upstream()
    groups = frozenset(rng.sample(GROUPS, rng.randrange(3)))
    sharing = frozenset(rng.sample(SHARING, rng.randrange(2)))
    return Upstream(kind, groups, sharing, rng.choice((None, until)))


def link(draft: Draft) -> Facts:
    """The holder of a signed link."""
    rng = draft.rng
    named = frozenset({draft.right}) if rng.random() < 0.8 else frozenset()
    rights = named | frozenset(rng.sample((Right.ANSWER_CORRECTION, Right.FILE_APPEAL, Right.APPROVE), 1))
    expires = draft.some("link expiry", future=True) if rng.random() < 0.7 else None
    return {"kind": Kind.LINK, "case": rng.choice(CASES), "caveats": Caveats(rights=rights, expires_at=expires)}
