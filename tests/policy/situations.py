"""Situations in which something holds: from them a case departs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from lianfang.policy.facts import (
    Audience,
    Channel,
    Duty,
    Kind,
    Label,
    Named,
    NameSource,
    Pair,
    Publication,
    Right,
    Role,
    Source,
    Standing,
    State,
    Terms,
    Tlp,
    Upstream,
    UpstreamKind,
)
from tests.policy.ground import (
    AT,
    CASES,
    CONSTITUENT_PAIRS,
    COORDINATOR_PAIR,
    EXTERNALS,
    GROUPS,
    MEMBER_PAIRS,
    PAIRS,
    PERSONS,
    READING,
    SHARED,
    SHARING,
    TICK,
    Draft,
    Facts,
    a_case,
    a_label,
    any_audience,
    any_narrowing,
    any_upstream,
    anybody_of,
    audience_with,
    constituent,
    link,
    make_label,
    member,
    staff,
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
    Right.LIFT_HOLD: Duty.APPROVER,
    Right.VIEW_AUDIT: Duty.AUDITOR,
    Right.HANDLE_PRIVACY_CASE: Duty.PRIVACY_OFFICER,
}


# --- situations in which something holds ----------------------------------------------------------------------------


def situation(draft: Draft) -> None:
    right, rng = draft.right, draft.rng
    if right in READING:
        _reading(draft)
        return
    if right in DUTY_OF or right in (Right.START_STOP, Right.END_STOP, Right.PLACE_HOLD, Right.ENTER_STAFF_PLANE):
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


def _reading(draft: Draft) -> None:
    rng = draft.rng
    bases: list[Callable[[Draft], None]] = list(READS)
    weights = list(READS.values())
    if draft.right is Right.RELAY_TO_CONSTITUENTS:
        bases, weights = [_r_alliance, _r_own, _r_own_admin, _r_analyst], [8, 2, 2, 1]
    rng.choices(bases, weights)[0](draft)
    label = draft.label
    assert label is not None
    draft.request["channel"] = _channel(draft, label["tlp"])
    if draft.right is Right.RELAY_TO_CONSTITUENTS:
        draft.subject["role"] = Role.MEMBER_ADMIN if rng.random() < 0.9 else Role.MEMBER
        label["tlp"] = rng.choice((Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT))
    if draft.right is Right.MAIL_BODY and rng.random() < 0.45:
        label["tlp"] = rng.choice((Tlp.CLEAR, Tlp.GREEN))
    if draft.right is Right.MAIL_BODY and rng.random() < 0.12:
        draft.subject["terms"] = Terms(encrypted_mail=True)
        draft.request["encrypted"] = True
        label["tlp"] = rng.choice((Tlp.AMBER, Tlp.RED))
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
    label["audience"] = any_audience(rng)
    if rng.random() < 0.12:
        label["submitted_by"] = draft.subject["person"]
        label["state"] = State.QUARANTINED
    part = rng.choice(CHANGES)
    if rng.random() < 0.75:
        label |= label_change(rng, label, part)
    becomes = dict(label)
    if rng.random() < 0.9:
        becomes |= label_change(rng, label, part)
    if rng.random() < 0.15:
        becomes |= label_change(rng, label, rng.choice(CHANGES))
    draft.request["becomes"] = make_label(becomes) if rng.random() < 0.97 else None
    owners = sorted(make_label(label).owners, key=repr)
    draft.request["agreed_by"] = frozenset(rng.sample(owners, rng.randint(0, len(owners))))


def _near_upstream(rng: Random, was: Upstream, instant: datetime) -> Upstream:
    """Another earlier agreement, or the same one with a group or an instant more or less."""
    if was.kind is UpstreamKind.NONE or rng.random() < 0.3:
        return any_upstream(rng, instant)
    if rng.random() < 0.3:
        return Upstream(was.kind, was.groups, was.sharing_groups, rng.choice((None, instant)))
    groups = was.groups ^ frozenset(rng.sample(GROUPS, rng.choice((0, 0, 1))))
    sharing = was.sharing_groups ^ frozenset(rng.sample(SHARING, rng.choice((0, 0, 1))))
    kind = rng.choice((was.kind, was.kind, UpstreamKind.HOLD, UpstreamKind.PERMITTED))
    return Upstream(kind, groups, sharing, rng.choice((was.until, was.until, None, instant)))


CHANGES = (
    "tlp", "tlp", "audience", "audience", "red", "narrowed_to", *["upstream"] * 6, *["not_before"] * 3,
    "state", "publication", "publication", "name_source", "named_analysts", "relayed_by", "once_above_amber", "cases",
    "requires", "parents", "parents", "shared_at", "identity",
)  # fmt: skip


def label_change(rng: Random, before: Facts, part: str) -> Facts:
    """One part of a label, changed to something near what it may have been."""
    instant = AT + rng.choice((-1, 0, 1)) * TICK
    match part:
        case "tlp":
            return {"tlp": Tlp(max(0, min(4, before["tlp"] + rng.choice((-1, 1, 1)))))}
        case "audience":
            return {"audience": any_audience(rng)}
        case "red":
            return {"tlp": Tlp.RED, "audience": any_audience(rng, persons=True)}
        case "narrowed_to":
            return {"narrowed_to": any_narrowing(rng)}
        case "upstream":
            return {"upstream": _near_upstream(rng, before.get("upstream", Upstream()), instant)}
        case "not_before":
            return {"not_before": rng.choice((None, instant, instant))}
        case "state":
            return {"state": rng.choice(list(State))}
        case "publication":
            until = rng.choice((None, instant + 2 * TICK))
            return {"publication": rng.choice((None, Publication(instant), Publication(AT, until)))}
        case "name_source":
            return {"name_source": rng.choice(list(NameSource))}
        case "named_analysts":
            return {"named_analysts": frozenset(rng.sample(PERSONS, rng.randrange(3)))}
        case "relayed_by":
            return {"relayed_by": frozenset(rng.sample(GROUPS, rng.randrange(3)))}
        case "once_above_amber":
            return {"once_above_amber": rng.random() < 0.5}
        case "cases":
            return {"cases": frozenset(rng.sample(CASES, rng.randrange(3)))}
        case "requires" | "parents":
            return {part: frozenset(rng.sample(POOL[:3], rng.randrange(4)))}
        case "shared_at":
            return {"shared_at": SHARED + rng.randrange(2) * TICK}
        case _:
            submitter, owner = {"submitted_by": rng.choice(PERSONS)}, {"owner": rng.choice(PAIRS)}
            return rng.choice((submitter, owner, {"sources": frozenset(EXTERNALS)}))


POOL = tuple(make_label(a_label(Random(n))) for n in range(4))


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
    if draft.case is not None and rng.random() < 0.3:
        draft.subject["case"] = draft.case["id"]  # of no meaning for anybody but a link


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
    if draft.right in (Right.MANAGE_PEOPLE, Right.FILE_CHANGE, Right.MAKE_TOKEN) and rng.random() < 0.9:
        draft.subject["role"] = Role.MEMBER_ADMIN
    if rng.random() < 0.5:
        pair = draft.subject.get("pair") or MEMBER_PAIRS[0]
        draft.case = a_case(rng) | ({"organization": pair.organization} if rng.random() < 0.7 else {})
        if draft.right is Right.READ_DIRECTORY:
            draft.case |= {"kind": rng.choice(("directory", "change")), "state": rng.choice(("both", "both", "one"))}


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
    Right.CONFIRM_CONTACT: _correction,
}
