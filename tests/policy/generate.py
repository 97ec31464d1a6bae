"""Worlds to decide in: seeded, small, and leaning towards the edges of every rule.

A case starts from a situation in which some permit holds, then meets none, one or several *troubles*: changes of one
fact each, taken from the rules' own subject matter and set on, just before or just after their instants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

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
    NameSource,
    NarrowedKind,
    NarrowedTo,
    Pair,
    Publication,
    Request,
    Right,
    Role,
    Source,
    Standing,
    State,
    Subject,
    Target,
    Terms,
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
DUTY_OF = {
    Right.TAKE_UP: Duty.REVIEWER,
    Right.REVIEW: Duty.REVIEWER,
    Right.IMPORT_LIST: Duty.REVIEWER,
    Right.APPROVE: Duty.APPROVER,
    Right.REVOKE: Duty.APPROVER,
    Right.DECIDE_APPEAL: Duty.APPROVER,
    Right.CHANGE_SETTING: Duty.APPROVER,
    Right.GRANT_DUTY: Duty.DUTY_GRANTER,
    Right.EDIT_CHARTER: Duty.PUBLISHER,
    Right.PUBLISH: Duty.PUBLISHER,
    Right.VIEW_AUDIT: Duty.AUDITOR,
    Right.HANDLE_PRIVACY_CASE: Duty.PRIVACY_OFFICER,
}
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


@dataclass(frozen=True)
class Question:
    """One generated case, frozen, with the instants that were set."""

    subject: Subject
    right: Right
    target: Target
    request: Request
    instants: tuple[str, ...]
    at: datetime = AT


def cases(*, seed: int, count: int) -> Iterator[Question]:
    """`count` cases, the same for the same seed."""
    rng = Random(seed)
    rights = list(Right)
    weights = [18 if right is Right.READ else WEIGHTS.get(right, 2) for right in rights]
    for _ in range(count):
        yield one(rng, rng.choices(rights, weights)[0])


WEIGHTS = {
    Right.READ_SOURCE: 4,
    Right.EXPORT: 8,
    Right.DECIDE_CONSENT: 4,
    Right.MAIL_BODY: 5,
    Right.RELAY_TO_CONSTITUENTS: 4,
    Right.USE_COMMERCIALLY: 3,
    Right.RELABEL: 7,
    Right.SEE_NOTICE: 3,
    Right.FILE_APPEAL: 3,
    Right.GRANT_DUTY: 4,
    Right.DECIDE_APPEAL: 6,
    Right.APPROVE: 8,
    Right.REVOKE: 3,
}


def one(rng: Random, right: Right) -> Question:
    """One case about this right."""
    draft = Draft(rng, right)
    _situation(draft)
    if rng.random() < 0.22 and draft.subject["kind"] is Kind.PERSON:
        _as_token(draft)
    troubles = rng.choices((0, 1, 2, 3, 5), (30, 40, 17, 9, 4))[0]
    for _ in range(troubles):
        _pick_trouble(draft)(draft)
    if rng.random() < 0.02:
        _another_target(draft)
    return freeze(draft)


def freeze(draft: Draft) -> Question:
    """Make the frozen facts of a draft."""
    target: Target = None
    if draft.label is not None:
        target = make_label(draft.label)
    elif draft.case is not None:
        target = Case(**draft.case)
    return Question(_subject(draft), draft.right, target, Request(**draft.request), tuple(draft.instants))


def make_label(facts: Facts) -> Label:
    """A label from facts by name."""
    return Label(**facts)


def _subject(draft: Draft) -> Subject:
    facts = dict(draft.subject)
    if draft.token is None or facts["kind"] is not Kind.PERSON:
        return Subject(**facts)
    owner = Subject(**(facts | draft.owner))
    return Subject(**(facts | {"kind": Kind.TOKEN, "token": TOKEN, "owner": owner, "caveats": Caveats(**draft.token)}))


# --- situations in which something holds ----------------------------------------------------------------------------


def _situation(draft: Draft) -> None:
    right, rng = draft.right, draft.rng
    if right in READING:
        _reading(draft)
        return
    if right in DUTY_OF or right in (Right.START_STOP, Right.END_STOP, Right.ENTER_STAFF_PLANE):
        duties = _duties(right)
        draft.subject = staff(rng, rng.choice(duties) if rng.random() < 0.9 else rng.choice(list(Duty)))
        if rng.random() < 0.75:
            draft.case = a_case(rng)
        elif right is Right.PUBLISH:
            _foreign_label(draft)
        return
    METADATA.get(right, _plane)(draft)


def _duties(right: Right) -> list[Duty]:
    if right is Right.END_STOP:
        return [Duty.ANALYST, Duty.APPROVER]
    return [DUTY_OF[right]] if right in DUTY_OF else list(Duty)


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


def _reading(draft: Draft) -> None:
    rng = draft.rng
    bases: list[Callable[[Draft], None]] = list(READS)
    weights = list(READS.values())
    if draft.right is Right.RELAY_TO_CONSTITUENTS:
        bases, weights = [_r_alliance, _r_own, _r_own_admin], [8, 2, 2]
    rng.choices(bases, weights)[0](draft)
    label = draft.label
    assert label is not None
    draft.request["channel"] = _channel(draft, label["tlp"])
    if draft.right is Right.RELAY_TO_CONSTITUENTS:
        draft.subject["role"] = Role.MEMBER_ADMIN if rng.random() < 0.9 else Role.MEMBER
        label["tlp"] = rng.choice((Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT))
    if draft.right is Right.MAIL_BODY and rng.random() < 0.6:
        label["tlp"] = rng.choice((Tlp.CLEAR, Tlp.GREEN))
    if draft.right is Right.EXPORT and draft.request["channel"] is Channel.FILE and rng.random() < 0.55:
        draft.request["purpose"] = "research"
    if draft.right is Right.READ_SOURCE:
        label["name_source"] = rng.choice(list(NameSource))
        draft.request["source"] = rng.choice((None, *sorted(label["sources"], key=repr), Source(rng.choice(PAIRS))))


def _channel(draft: Draft, tlp: Tlp) -> Channel:
    rng = draft.rng
    if draft.right is Right.EXPORT:
        return rng.choice((Channel.FILE, Channel.FILE, Channel.TAXII, Channel.FEED, Channel.API))
    if draft.right is Right.MAIL_BODY:
        return Channel.MAIL
    if tlp is Tlp.RED and rng.random() < 0.8:
        return Channel.PAGE
    return rng.choice((Channel.PAGE, Channel.PAGE, Channel.PAGE, *Channel))


def _r_own(draft: Draft) -> None:
    rng = draft.rng
    pair = rng.choice(PAIRS)
    draft.subject = anybody_of(rng, pair)
    draft.label = a_label(rng, pair)
    if rng.random() < 0.25:
        draft.label["sources"] = frozenset({rng.choice(EXTERNALS)})
    if rng.random() < 0.25:
        draft.label |= {"tlp": Tlp.RED, "audience": Audience.persons(), "submitted_by": draft.subject["person"]}
    if rng.random() < 0.15:
        draft.label["state"] = State.QUARANTINED
    if rng.random() < 0.15:
        draft.label["not_before"] = draft.near("not_before")


def _r_own_admin(draft: Draft) -> None:
    rng = draft.rng
    pair = rng.choice(CONSTITUENT_PAIRS)
    draft.subject = member(rng, Pair(pair.group, pair.group)) | {"role": Role.MEMBER_ADMIN}
    draft.label = a_label(rng, pair)
    if rng.random() < 0.2:
        draft.label["sources"] = frozenset({rng.choice(EXTERNALS)})


def _r_own_staff(draft: Draft) -> None:
    rng = draft.rng
    draft.subject = staff(rng, Duty.ANALYST)
    person = draft.subject["person"] if rng.random() < 0.8 else rng.choice(PERSONS)
    draft.label = a_label(rng, COORDINATOR_PAIR, submitted_by=person)
    if rng.random() < 0.6:
        draft.label |= {"tlp": Tlp.RED, "audience": Audience.persons()}


def _r_several(draft: Draft) -> None:
    rng = draft.rng
    first, second = rng.sample(PAIRS, 2)
    draft.subject = anybody_of(rng, first)
    facts = a_label(rng, second)
    sources = {Source(first), Source(second)} if rng.random() < 0.8 else {EXTERNALS[0], Source(second)}
    if EXTERNALS[0] in sources:
        facts["owner"] = first
    parents = [_parent_for(draft, first) for _ in range(rng.choice((1, 1, 2)))]
    draft.label = facts | {"sources": frozenset(sources), "parents": frozenset(parents)}
    if rng.random() < 0.08:
        draft.label["parents"] = frozenset()
    if rng.random() < 0.15:
        draft.label |= {"tlp": Tlp.RED, "audience": Audience.persons(), "submitted_by": draft.subject["person"]}


def _parent_for(draft: Draft, pair: Pair) -> Label:
    rng = draft.rng
    kind = rng.random()
    if kind < 0.45:
        return make_label(a_label(rng, pair))
    if kind < 0.85:
        return make_label(a_label(rng, tlp=Tlp.GREEN, audience=Audience.alliance()))
    if kind < 0.93:
        return make_label(
            a_label(rng, tlp=Tlp.GREEN, audience=Audience.alliance(), not_before=draft.near("not_before"))
        )
    return make_label(a_label(rng))


def _r_alliance(draft: Draft) -> None:
    rng = draft.rng
    draft.subject = member(rng)
    pair = draft.subject["pair"]
    audience, sharing = audience_with(rng, pair.group)
    draft.subject["sharing_groups"] = sharing
    others = [other for other in PAIRS if other.group != pair.group]
    draft.label = a_label(rng, rng.choice(others), audience=audience)
    if rng.random() < 0.15:
        draft.label["sources"] |= {Source(rng.choice(others))}


def _r_constituent(draft: Draft) -> None:
    rng = draft.rng
    draft.subject = constituent(rng)
    pair = draft.subject["pair"]
    audience, sharing = audience_with(rng, pair.group)
    draft.subject["sharing_groups"] = sharing
    others = [other for other in PAIRS if other != pair]
    draft.label = a_label(rng, rng.choice(others), audience=audience, tlp=rng.choice((Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER)))
    if draft.label["tlp"] is Tlp.AMBER or rng.random() < 0.2:
        if rng.random() < 0.5:
            draft.subject["relays"] = frozenset({Tlp.AMBER})
        else:
            draft.label["relayed_by"] = frozenset({pair.group})


def _r_named(draft: Draft) -> None:
    rng = draft.rng
    draft.subject = rng.choice((member(rng), constituent(rng), staff(rng, rng.choice(list(Duty)))))
    me = Named(draft.subject["person"], draft.subject["pair"].organization)
    draft.label = a_label(rng, rng.choice(MEMBER_PAIRS), tlp=Tlp.RED, audience=Audience.persons(me))


def _r_analyst(draft: Draft) -> None:
    rng = draft.rng
    draft.subject = staff(rng, Duty.ANALYST, *rng.sample(list(Duty), rng.randrange(2)))
    draft.label = a_label(rng, audience=rng.choice((Audience.coordinator_only(), Audience.alliance())))


def _r_case(draft: Draft) -> None:
    rng = draft.rng
    case = rng.choice(CASES)
    draft.subject = staff(rng, rng.choice((Duty.PUBLISHER, Duty.LEGAL, Duty.APPROVER))) | {"cases": frozenset({case})}
    draft.label = a_label(rng, cases=frozenset({case}))


def _r_public(draft: Draft) -> None:
    rng = draft.rng
    strangers = ({"kind": Kind.PUBLIC}, {"kind": Kind.SYSTEM, "name": "sweep"}, link(draft))
    pool = (member(rng), constituent(rng), staff(rng, Duty.OPERATOR), strangers[0], strangers[0], rng.choice(strangers))
    draft.subject = dict(rng.choice(pool))
    start = draft.near("publication") if rng.random() < 0.3 else AT - timedelta(days=2)
    until = draft.some("publication until", future=True) if rng.random() < 0.3 else None
    draft.label = a_label(rng, tlp=Tlp.CLEAR, publication=Publication(start, until))


READS: dict[Callable[[Draft], None], int] = {
    _r_own: 5,
    _r_own_admin: 2,
    _r_own_staff: 2,
    _r_several: 4,
    _r_alliance: 6,
    _r_constituent: 4,
    _r_named: 4,
    _r_analyst: 3,
    _r_case: 3,
    _r_public: 4,
}


def link(draft: Draft) -> Facts:
    """The holder of a signed link."""
    rng = draft.rng
    rights = frozenset(rng.sample((Right.ANSWER_CORRECTION, Right.FILE_APPEAL, Right.APPROVE), 2)) | {draft.right}
    expires = draft.some("link expiry", future=True) if rng.random() < 0.7 else None
    return {"kind": Kind.LINK, "case": rng.choice(CASES), "caveats": Caveats(rights=rights, expires_at=expires)}


# --- situations of other rights -------------------------------------------------------------------------------------


def _own_or_foreign(draft: Draft) -> None:
    """The source's people, or staff, before an item."""
    rng = draft.rng
    pair = rng.choice(PAIRS)
    draft.label = a_label(rng, pair)
    draft.subject = anybody_of(rng, pair) if rng.random() < 0.55 else staff(rng, _metadata_duty(draft))
    if rng.random() < 0.2:
        draft.label["sources"] |= {rng.choice((Source(rng.choice(PAIRS)), rng.choice(EXTERNALS)))}
    if rng.random() < 0.1:
        draft.label["sources"] = frozenset({rng.choice(EXTERNALS)})
    if rng.random() < 0.1:
        draft.label |= {"sources": frozenset({Source(COORDINATOR_PAIR)}), "owner": COORDINATOR_PAIR}
    if draft.right in (Right.RECALL, Right.DECIDE_CONSENT) and rng.random() < 0.4:
        _make_former(draft)


def _metadata_duty(draft: Draft) -> Duty:
    favoured = {
        Right.SEE_RECEIPTS: Duty.AUDITOR,
        Right.SEE_LEDGER: Duty.AUDITOR,
        Right.RELEASE_TO_LAW_ENFORCEMENT: Duty.LEGAL,
    }.get(draft.right, Duty.ANALYST)
    return draft.rng.choice((favoured, favoured, Duty.ANALYST, draft.rng.choice(list(Duty))))


def _staff_before_item(draft: Draft) -> None:
    _own_or_foreign(draft)
    if draft.rng.random() < 0.85:
        draft.subject = staff(draft.rng, _metadata_duty(draft))


def _foreign_label(draft: Draft) -> None:
    draft.label = a_label(draft.rng)


def _make_former(draft: Draft) -> None:
    draft.subject |= {"standing": draft.rng.choice((Standing.REVOKED, Standing.TERMINATED)), "role": Role.MEMBER_ADMIN}


def _notice(draft: Draft) -> None:
    rng = draft.rng
    _own_or_foreign(draft)
    assert draft.label is not None
    draft.label["state"] = State.RECALLED if rng.random() < 0.9 else State.PUBLISHED
    if rng.random() < 0.4:
        draft.subject = rng.choice(
            (member(rng), {"kind": Kind.PUBLIC}, {"kind": Kind.SYSTEM, "name": "x"}, link(draft))
        )
        draft.request["received"] = rng.random() < 0.6
    if rng.random() < 0.3:
        draft.label["publication"] = Publication(AT - timedelta(days=1))


def _relabel(draft: Draft) -> None:
    _own_or_foreign(draft)
    rng, label = draft.rng, draft.label
    assert label is not None
    label["audience"] = _any_audience(rng)
    if rng.random() < 0.12:
        label["submitted_by"] = draft.subject["person"]
        label["state"] = State.QUARANTINED
    for _ in range(rng.choice((0, 1, 1, 2))):
        label |= _label_change(draft)
    becomes = dict(label)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        becomes |= _label_change(draft, label)
    draft.request["becomes"] = make_label(becomes) if rng.random() < 0.97 else None
    owners = sorted(make_label(label).owners, key=repr)
    draft.request["agreed_by"] = frozenset(rng.sample(owners, rng.randint(0, len(owners))))


def _label_change(draft: Draft, before: Facts | None = None) -> Facts:
    """A changed part, near what it was."""
    rng = draft.rng
    before = before or {}
    was = before.get("tlp", Tlp.AMBER)
    instant = AT + rng.choice((-1, 0, 1)) * TICK
    part = rng.randrange(19)
    match part:
        case 0 | 1:
            return {"tlp": Tlp(max(0, min(4, was + rng.choice((-1, 1, 1)))))}
        case 2 | 3:
            return {"audience": _any_audience(rng)}
        case 4:
            return {"tlp": Tlp.RED, "audience": _any_audience(rng, persons=True)}
        case 5:
            return {"narrowed_to": _any_narrowing(rng)}
        case 6:
            return {"upstream": _any_upstream(rng, instant)}
        case 7:
            return {"not_before": rng.choice((None, instant))}
        case 8:
            return {"state": rng.choice(list(State))}
        case 9:
            return {"publication": rng.choice((None, Publication(instant), Publication(AT, instant + 2 * TICK)))}
        case 10:
            return {"name_source": rng.choice(list(NameSource))}
        case 11:
            return {"named_analysts": frozenset(rng.sample(PERSONS, rng.randrange(3)))}
        case 12:
            return {"relayed_by": frozenset(rng.sample(GROUPS, rng.randrange(3)))}
        case 13:
            return {"once_above_amber": rng.random() < 0.5}
        case 14:
            return {"cases": frozenset(rng.sample(CASES, rng.randrange(3)))}
        case 15:
            return {"requires": frozenset(rng.sample(_POOL, rng.randrange(3)))}
        case 16:
            return {"parents": frozenset(rng.sample(_POOL, rng.randrange(3)))}
        case 17:
            return {"shared_at": SHARED + rng.randrange(2) * TICK}
        case _:
            return rng.choice(
                ({"submitted_by": rng.choice(PERSONS)}, {"owner": rng.choice(PAIRS)}, {"sources": frozenset(EXTERNALS)})
            )


def _any_audience(rng: Random, *, persons: bool = False) -> Audience:
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


def _any_narrowing(rng: Random) -> NarrowedTo:
    return rng.choice(
        (
            NarrowedTo(),
            NarrowedTo(NarrowedKind.GROUP, rng.choice(GROUPS)),
            NarrowedTo(NarrowedKind.CONSTITUENTS_OF, rng.choice(GROUPS)),
            NarrowedTo(NarrowedKind.PERSON, rng.choice(PERSONS), rng.choice((*GROUPS, *CONSTITUENTS, COORDINATOR))),
            NarrowedTo(NarrowedKind.SOURCE),
        )
    )


def _any_upstream(rng: Random, until: datetime | None) -> Upstream:
    kind = rng.choice(list(UpstreamKind))
    if kind is UpstreamKind.NONE:
        return Upstream()
    groups = frozenset(rng.sample(GROUPS, rng.randrange(3)))
    sharing = frozenset(rng.sample(SHARING, rng.randrange(2)))
    return Upstream(kind, groups, sharing, rng.choice((None, until)))


_POOL = tuple(make_label(a_label(Random(n))) for n in range(4))


def _exit(draft: Draft) -> None:
    rng = draft.rng
    if draft.right is Right.VIEW_EXIT:
        _own_or_foreign(draft)
        draft.subject = draft.subject if rng.random() < 0.3 else anybody_of(rng, rng.choice(PAIRS))
        if rng.random() < 0.5:
            draft.label = a_label(rng, draft.subject["pair"] if rng.random() < 0.8 else None)
        else:
            draft.label, draft.case = None, rng.choice((None, a_case(rng)))
        if rng.random() < 0.85:
            _make_former(draft)
        return
    if rng.random() < 0.5:
        draft.subject = link(draft)
        draft.case = a_case(rng) | ({"id": draft.subject["case"]} if rng.random() < 0.8 else {})
        return
    draft.subject = rng.choice((member(rng), member(rng), constituent(rng)))
    if rng.random() < 0.9:
        _make_former(draft)
    draft.case = rng.choice((None, a_case(rng), a_case(rng) | {"organization": draft.subject["pair"].organization}))


def _correction(draft: Draft) -> None:
    draft.subject = link(draft) if draft.rng.random() < 0.9 else member(draft.rng)
    same = {"id": draft.subject.get("case", CASES[0])} if draft.rng.random() < 0.85 else {}
    draft.case = a_case(draft.rng) | same


def _plane(draft: Draft) -> None:
    """Rights of any member, of a member_admin, and to apply."""
    rng = draft.rng
    draft.subject = rng.choice((member(rng), member(rng), constituent(rng), staff(rng, rng.choice(list(Duty)))))
    if draft.right is Right.APPLY:
        draft.subject = rng.choice(
            (draft.subject, {"kind": Kind.PUBLIC}, {"kind": Kind.SYSTEM, "name": "x"}, link(draft))
        )
    if draft.right in (Right.MANAGE_PEOPLE, Right.MAKE_TOKEN) and rng.random() < 0.9:
        draft.subject["role"] = Role.MEMBER_ADMIN
    if rng.random() < 0.5:
        pair = draft.subject.get("pair") or MEMBER_PAIRS[0]
        draft.case = a_case(rng) | ({"organization": pair.organization} if rng.random() < 0.7 else {})


def _submit(draft: Draft) -> None:
    rng = draft.rng
    draft.subject = rng.choice((member(rng), constituent(rng), staff(rng, Duty.ANALYST), staff(rng, Duty.PUBLISHER)))
    if rng.random() < 0.6:
        draft.label = a_label(rng, draft.subject["pair"], tlp=rng.choice(list(Tlp)))


METADATA: dict[Right, Callable[[Draft], None]] = {
    Right.SUBMIT: _submit,
    Right.VALIDATE: _staff_before_item,
    Right.RELABEL: _relabel,
    Right.RECALL: _own_or_foreign,
    Right.SEE_NOTICE: _notice,
    Right.SEE_RECEIPTS: _own_or_foreign,
    Right.SEE_LEDGER: _own_or_foreign,
    Right.REDACT: _own_or_foreign,
    Right.DECIDE_CONSENT: _own_or_foreign,
    Right.RELEASE_TO_AUTHORITY: _staff_before_item,
    Right.RELEASE_TO_LAW_ENFORCEMENT: _staff_before_item,
    Right.VIEW_EXIT: _exit,
    Right.FILE_APPEAL: _exit,
    Right.ANSWER_CORRECTION: _correction,
}


# --- troubles -------------------------------------------------------------------------------------------------------


def _pick_trouble(draft: Draft) -> Callable[[Draft], None]:
    pool = list(OF_SUBJECT)
    if draft.case is not None:
        pool += list(OF_CASE) * 8
    if draft.label is not None and draft.right in READING:
        pool += list(OF_LABEL) + list(OF_REQUEST)
    elif draft.label is not None:
        pool += list(OF_LABEL)[:6]
    if draft.token is not None:
        pool += list(OF_TOKEN) * 3
    return draft.rng.choice(pool)


def _as_token(draft: Draft) -> None:
    rights = frozenset({Right.READ, draft.right})
    draft.token = {"rights": rights, "max_tlp": draft.rng.choice((Tlp.RED, Tlp.AMBER_STRICT))}
    if draft.rng.random() < 0.5:
        draft.subject["terms"] = Terms(staff_tokens=True)


def _t_standing(draft: Draft) -> None:
    if "standing" in draft.subject:
        draft.subject["standing"] = draft.rng.choice(OUT)


def _t_constituent(draft: Draft) -> None:
    if draft.subject.get("is_constituent"):
        draft.subject["constituent_ok"] = False
    elif draft.rng.random() < 0.2 and draft.subject.get("pair"):
        draft.subject |= {"is_constituent": True, "constituent_ok": draft.rng.random() < 0.5}


def _t_duty(draft: Draft) -> None:
    draft.subject["acknowledged"] = False


def _t_left(draft: Draft) -> None:
    draft.subject["left_at"] = draft.some("left_at", future=False)


def _t_mfa(draft: Draft) -> None:
    draft.subject["mfa"] = False


def _t_gap(draft: Draft) -> None:
    if draft.subject.get("pair") is None:
        return
    rng = draft.rng
    around = (-1, 0, 1)
    start, end = SHARED - timedelta(days=1), SHARED + timedelta(days=1)
    edge = rng.randrange(4)
    if edge == 0:
        offset = rng.choice(around)
        start = SHARED + offset * TICK
        draft.instants.append(f"gap start {offset:+d}us" if offset else "gap start 0")
    elif edge == 1:
        offset = rng.choice(around)
        end = SHARED + offset * TICK
        draft.instants.append(f"gap end {offset:+d}us" if offset else "gap end 0")
    draft.subject["gaps"] = frozenset({Gap(start, None if edge == 2 else end)})
    if draft.label is not None and rng.random() < 0.3:
        draft.label["narrowed_to"] = NarrowedTo(
            rng.choice((NarrowedKind.GROUP, NarrowedKind.GROUP, NarrowedKind.CONSTITUENTS_OF)),
            draft.subject["pair"].group,
        )


def _t_pair(draft: Draft) -> None:
    if draft.subject.get("pair") is None:
        return
    pair = draft.subject["pair"]
    same = [other for other in PAIRS if other.organization == pair.organization or other.group == pair.group]
    draft.subject["pair"] = draft.rng.choice((None, draft.rng.choice(PAIRS), *same))


def _t_identity(draft: Draft) -> None:
    rng = draft.rng
    if "person" not in draft.subject:
        return
    draft.subject |= rng.choice(
        (
            {"person": rng.choice((None, *PERSONS))},
            {"role": rng.choice(list(Role))},
            {"duties": frozenset(rng.sample(list(Duty), rng.randrange(3)))},
            {"is_coordinator": rng.random() < 0.5},
            {"cases": frozenset(rng.sample(CASES, 1))},
            {"sharing_groups": frozenset(rng.sample(SHARING, rng.randrange(3)))},
            {"relays": frozenset(rng.sample(list(Tlp), rng.randrange(3)))},
            {"is_constituent": rng.random() < 0.5, "constituent_ok": True},
        )
    )


def _t_terms(draft: Draft) -> None:
    rng = draft.rng
    draft.subject["terms"] = Terms(
        automatic_relay=frozenset(rng.sample(list(Tlp), rng.randrange(3))),
        staff_tokens=rng.random() < 0.5,
        encrypted_mail=rng.random() < 0.6,
        former_may_recall=rng.random() < 0.5,
    )
    draft.request["encrypted"] = rng.random() < 0.6


OF_SUBJECT = (
    _t_standing,
    _t_standing,
    _t_constituent,
    _t_duty,
    _t_left,
    _t_left,
    _t_mfa,
    _t_pair,
    _t_identity,
    _t_identity,
    _t_terms,
)


def _t_tlp(draft: Draft) -> None:
    assert draft.label is not None
    draft.label["tlp"] = draft.rng.choice(list(Tlp))


def _t_audience(draft: Draft) -> None:
    assert draft.label is not None
    draft.label["audience"] = _any_audience(draft.rng)


def _t_sources(draft: Draft) -> None:
    rng, label = draft.rng, draft.label
    assert label is not None
    label |= rng.choice(
        (
            {"sources": frozenset({rng.choice(EXTERNALS)})},
            {"sources": label["sources"] | {rng.choice(EXTERNALS)}},
            {"sources": label["sources"] | {Source(rng.choice(PAIRS))}},
            {"sources": frozenset({Source(rng.choice((*PAIRS, COORDINATOR_PAIR)))})},
            {"owner": rng.choice((None, *PAIRS))},
            {"submitted_by": rng.choice((None, *PERSONS))},
        )
    )


def _t_state(draft: Draft) -> None:
    assert draft.label is not None
    draft.label["state"] = draft.rng.choice((State.QUARANTINED, State.RECALLED))


def _t_publication(draft: Draft) -> None:
    assert draft.label is not None
    until = draft.near("publication until") if draft.rng.random() < 0.4 else None
    draft.label["publication"] = draft.rng.choice((None, Publication(draft.some("publication", future=False), until)))


def _t_relay(draft: Draft) -> None:
    assert draft.label is not None
    rng = draft.rng
    draft.label |= rng.choice(
        (
            {"once_above_amber": True},
            {"relayed_by": frozenset(rng.sample(GROUPS, rng.randrange(3)))},
            {"once_above_amber": True, "relayed_by": frozenset(rng.sample(GROUPS, 2))},
            {"name_source": rng.choice(list(NameSource))},
            {"cases": frozenset(rng.sample(CASES, rng.randrange(3)))},
        )
    )


def _t_upstream(draft: Draft) -> None:
    assert draft.label is not None
    rng = draft.rng
    group = getattr(draft.subject.get("pair"), "group", GROUPS[0])
    groups = frozenset(rng.sample(GROUPS, rng.randrange(2))) | ({group} if rng.random() < 0.5 else frozenset())
    sharing = frozenset(rng.sample(SHARING, rng.randrange(3)))
    until = draft.near("upstream until") if rng.random() < 0.5 else None
    kind = rng.choice((UpstreamKind.HOLD, UpstreamKind.PERMITTED, UpstreamKind.PERMITTED))
    draft.label["upstream"] = Upstream(kind, groups, sharing, until)
    _t_named(draft)


def _t_embargo(draft: Draft) -> None:
    assert draft.label is not None
    draft.label["not_before"] = draft.some("not_before", future=True)
    _t_named(draft)


def _t_narrowed(draft: Draft) -> None:
    assert draft.label is not None
    rng, narrowed = draft.rng, _any_narrowing(draft.rng)
    pair = draft.subject.get("pair")
    if pair is not None and rng.random() < 0.5:
        group = NarrowedTo(rng.choice((NarrowedKind.GROUP, NarrowedKind.CONSTITUENTS_OF)), pair.group)
        person = NarrowedTo(NarrowedKind.PERSON, draft.subject["person"], pair.organization)
        narrowed = rng.choice((group, person))
    draft.label["narrowed_to"] = narrowed
    _t_named(draft)


def _t_named(draft: Draft) -> None:
    assert draft.label is not None
    me = draft.subject.get("person")
    if draft.rng.random() < 0.5:
        draft.label["named_analysts"] = frozenset({me} if me and draft.rng.random() < 0.7 else {PERSONS[0]})


def _t_container(draft: Draft) -> None:
    assert draft.label is not None
    rng = draft.rng
    required = [_required(draft) for _ in range(rng.choice((1, 1, 2)))]
    draft.label["requires"] = frozenset(required)


def _required(draft: Draft) -> Label:
    """An item that a container binds: of the same source, addressed alike or not."""
    rng, label = draft.rng, draft.label
    assert label is not None
    facts = {name: value for name, value in label.items() if name not in ("requires", "parents")}
    way = rng.randrange(5)
    if way == 0:
        return make_label(facts)
    if way == 1:
        return make_label(facts | {"not_before": draft.near("not_before")})
    if way == 2:
        return make_label(facts | {"tlp": Tlp.RED, "audience": Audience.persons()})
    if way == 3:
        return make_label(facts | {"audience": _any_audience(rng), "tlp": Tlp.AMBER})
    return make_label(a_label(rng, audience=_any_audience(rng)))


OF_LABEL = (
    _t_tlp,
    _t_audience,
    _t_sources,
    _t_sources,
    _t_state,
    _t_publication,
    _t_state,
    _t_relay,
    _t_state,
    _t_state,
    _t_embargo,
    _t_narrowed,
    _t_narrowed,
    _t_gap,
    _t_gap,
    _t_upstream,
    _t_upstream,
    _t_embargo,
    _t_embargo,
    _t_narrowed,
    _t_container,
    _t_container,
)


def _t_channel(draft: Draft) -> None:
    draft.request["channel"] = draft.rng.choice(list(Channel))


def _t_stop(draft: Draft) -> None:
    draft.request["stop"] = True


def _t_by_source(draft: Draft) -> None:
    draft.request["by_source"] = True


def _t_purpose(draft: Draft) -> None:
    draft.request["purpose"] = draft.rng.choice(("", "research"))


def _t_request(draft: Draft) -> None:
    draft.request |= draft.rng.choice(
        ({"received": True}, {"view": "c1"}, {"network": "192.0.2.7"}, {"encrypted": True})
    )


OF_REQUEST = (_t_channel, _t_channel, _t_stop, _t_stop, _t_by_source, _t_by_source, _t_purpose, _t_request)


def _t_hands(draft: Draft) -> None:
    """Somebody had a hand in the case; often the one who asks."""
    assert draft.case is not None
    rng = draft.rng
    me = draft.subject.get("person") or PERSONS[0]
    who = me if rng.random() < 0.75 else rng.choice(PERSONS)
    part = rng.choice(HANDS.get(draft.right, ("conflicted", "assigned")))
    draft.case[part] = frozenset({who})


def _t_about_me(draft: Draft) -> None:
    assert draft.case is not None
    draft.case["concerns"] = draft.rng.choice((None, draft.subject.get("person")))


HANDS = {
    Right.APPROVE: ("reviewed_by", "decided_by", "authored_by", "authored_by", "conflicted"),
    Right.REVOKE: ("reviewed_by", "reviewed_by", "decided_by", "conflicted"),
    Right.DECIDE_APPEAL: ("reviewed_by", "decided_by", "decided_by", "authored_by"),
    Right.PUBLISH: ("authored_by", "reviewed_by", "conflicted"),
    Right.GRANT_DUTY: ("decided_by", "reviewed_by", "conflicted"),
    Right.CHANGE_SETTING: ("decided_by", "authored_by"),
    Right.START_STOP: ("decided_by", "reviewed_by"),
    Right.END_STOP: ("decided_by", "conflicted"),
    Right.REVIEW: ("reviewed_by", "authored_by", "decided_by", "conflicted"),
}
"""What hands in a case matter for a right, with some that must not."""

OF_CASE = (_t_hands, _t_hands, _t_about_me)


def _k_expiry(draft: Draft) -> None:
    assert draft.token is not None
    draft.token["expires_at"] = draft.some("token expiry", future=True)


def _k_rights(draft: Draft) -> None:
    assert draft.token is not None
    draft.token["rights"] = draft.rng.choice(
        (frozenset({draft.right}), frozenset({Right.READ}), frozenset(), frozenset({Right.EXPORT}))
    )


def _k_networks(draft: Draft) -> None:
    assert draft.token is not None
    draft.token["networks"] = draft.rng.choice((("192.0.2.0/24",), ("198.51.100.0/24", "2001:db8::/32")))
    draft.request["network"] = draft.rng.choice((None, "192.0.2.255", "192.0.3.0", "2001:db8::1"))


def _k_views(draft: Draft) -> None:
    assert draft.token is not None
    draft.token["views"] = draft.rng.choice((frozenset({"c1"}), frozenset(), frozenset({"c1", "c2"})))
    draft.request["view"] = draft.rng.choice((None, "c1", "c2"))


def _k_tlp(draft: Draft) -> None:
    assert draft.token is not None
    draft.token["max_tlp"] = draft.rng.choice(list(Tlp))


def _k_owner(draft: Draft) -> None:
    draft.owner = draft.rng.choice(
        (
            {"mfa": False},
            {"acknowledged": False},
            {"left_at": draft.near("owner left_at")},
            {"standing": draft.rng.choice(OUT)},
            {"role": Role.MEMBER},
            {"duties": frozenset()},
            {"sharing_groups": frozenset()},
        )
    )


def _k_purpose(draft: Draft) -> None:
    assert draft.token is not None
    draft.token["purpose"] = draft.rng.choice(("", "detection"))


OF_TOKEN = (_k_expiry, _k_rights, _k_networks, _k_views, _k_tlp, _k_owner, _k_purpose)


def _another_target(draft: Draft) -> None:
    """Something that the right is not about."""
    rng = draft.rng
    draft.label, draft.case = rng.choice(((None, None), (None, a_case(rng)), (a_label(rng), None)))


# --- counting -------------------------------------------------------------------------------------------------------


def instants_of(questions: list[Question]) -> Counter[str]:
    """How often each instant was set before, at and after the instant of the question."""
    return Counter(instant for question in questions for instant in question.instants)
