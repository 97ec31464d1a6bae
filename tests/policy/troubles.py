"""Troubles: changes of one fact each, taken from what the rules speak of, on the edges of their instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from lianfang.policy.facts import (
    Audience,
    Caveats,
    Channel,
    Duty,
    Gap,
    Kind,
    Label,
    NameSource,
    NarrowedKind,
    NarrowedTo,
    Publication,
    Right,
    Role,
    Source,
    State,
    Terms,
    Tlp,
    Upstream,
    UpstreamKind,
)
from tests.policy.ground import (
    AT,
    CASES,
    COORDINATOR_PAIR,
    EXTERNALS,
    GROUPS,
    OUT,
    PAIRS,
    PERSONS,
    READING,
    SHARED,
    SHARING,
    TICK,
    Draft,
    a_case,
    a_label,
    any_audience,
    any_narrowing,
    make_label,
)

# --- troubles -------------------------------------------------------------------------------------------------------


def pick_trouble(draft: Draft) -> Callable[[Draft], None]:
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


def as_token(draft: Draft) -> None:
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


def t_gap(draft: Draft) -> None:
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


def _t_kind(draft: Draft) -> None:
    """Facts of a person on something that is none."""
    kind = draft.rng.choice((Kind.PUBLIC, Kind.SYSTEM, Kind.LINK))
    draft.subject["kind"] = kind
    if draft.label is not None and draft.rng.random() < 0.5:
        draft.label |= {"tlp": Tlp.CLEAR, "publication": Publication(AT)}
        pair = draft.subject.get("pair")
        if draft.right is Right.READ_SOURCE and pair is not None:
            draft.label["sources"] |= {Source(pair)}
            draft.request["source"] = Source(pair)
    if kind is Kind.LINK:
        draft.subject |= {"case": CASES[0], "caveats": Caveats(rights=frozenset({draft.right, Right.READ}))}


def _t_nobody(draft: Draft) -> None:
    """Nobody known on both sides is still not the same person, nor the same organisation."""
    draft.subject["person"] = None
    if draft.case is not None:
        draft.case["concerns"] = None
    if draft.label is not None:
        draft.label["submitted_by"] = None
        if draft.rng.random() < 0.4:
            external = draft.rng.choice(EXTERNALS)
            draft.label |= {"sources": frozenset({external}), "owner": None}
            draft.subject["pair"] = None
            draft.request["source"] = external


OF_SUBJECT = (
    _t_kind,
    _t_nobody,
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
    draft.label["audience"] = any_audience(draft.rng)


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
            {"sources": frozenset({rng.choice(EXTERNALS)}), "owner": None},
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
    rng, narrowed = draft.rng, any_narrowing(draft.rng)
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
        return make_label(facts | {"audience": any_audience(rng), "tlp": Tlp.AMBER})
    return make_label(a_label(rng, audience=any_audience(rng)))


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
    t_gap,
    t_gap,
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
    Right.LIFT_HOLD: ("decided_by", "reviewed_by"),
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


def another_target(draft: Draft) -> None:
    """Something that the right is not about."""
    rng = draft.rng
    draft.label, draft.case = rng.choice(((None, None), (None, a_case(rng)), (a_label(rng), None)))
