from dataclasses import replace

from lianfang.policy.facts import Channel, Duty, NarrowedKind, NarrowedTo, Request, Right, Source, State, Tlp, Upstream
from lianfang.policy.facts import UpstreamKind as Up
from tests.policy.cast import (
    ALPHA,
    BETA,
    BRANCH,
    CASE,
    NOW,
    OUTAGE,
    PUBLIC,
    SOON,
    TAXII,
    Asked,
    admin,
    item,
    own,
    person,
    public,
    red,
    staff,
    token,
)
from tests.policy.ground import SHARED, TICK

READ = Right.READ
READING = {
    "P-own": Asked(person(), READ, own(state=State.QUARANTINED, not_before=SOON)),
    "P-alliance": Asked(person(), READ, item(tlp=Tlp.AMBER_STRICT)),
    "P-constituent": Asked(person(BRANCH, relays=frozenset({Tlp.AMBER})), READ, item()),
    "P-named": Asked(person(), READ, red(ALPHA)),
    "P-analyst": Asked(staff(Duty.ANALYST), READ, own(tlp=Tlp.AMBER_STRICT)),
    "P-case": Asked(staff(Duty.LEGAL, cases=frozenset({CASE})), READ, own(cases=frozenset({CASE}))),
    "P-public": Asked(PUBLIC, READ, public()),
    # Forbids: the nearest case in which each is silent.
    "F-standing": Asked(person(standing=person().standing.TERMINATING), READ, item()),
    "F-constituent": Asked(person(BRANCH, constituent_ok=True), READ, own(BRANCH)),
    "F-duty": Asked(person(acknowledged=False), READ, item(tlp=Tlp.CLEAR)),
    "F-left": Asked(person(left_at=SOON), READ, item()),
    "F-mfa": Asked(person(mfa=False), READ, item(tlp=Tlp.GREEN)),
    "F-token": Asked(
        token(person(), expires_at=SOON, max_tlp=Tlp.AMBER, networks=("192.0.2.0/24",), views=frozenset({"c1"})),
        READ,
        item(),
        Request(channel=Channel.TAXII, network="192.0.2.255", view="c1"),
    ),
    "F-gap": Asked(person(gaps=OUTAGE), READ, item(narrowed_to=NarrowedTo(NarrowedKind.GROUP, ALPHA.group))),
    "F-upstream": Asked(
        person(), READ, item(upstream=Upstream(Up.PERMITTED, groups=frozenset({ALPHA.group}), until=SOON))
    ),
    "F-embargo": Asked(person(), READ, item(not_before=NOW)),
    "F-quarantine": Asked(staff(Duty.ANALYST), READ, own(state=State.QUARANTINED)),
    "F-recalled": Asked(person(), READ, own(state=State.RECALLED)),
    "F-narrowed": Asked(
        person(BRANCH, relays=frozenset({Tlp.AMBER})),
        READ,
        item(narrowed_to=NarrowedTo(NarrowedKind.CONSTITUENTS_OF, ALPHA.group)),
    ),
    "F-container": Asked(person(), READ, own(requires=frozenset({own(tlp=Tlp.RED)}))),
    "F-red-channel": Asked(person(), READ, red(ALPHA)),
    "F-stop": Asked(person(), READ, own(), Request(channel=Channel.PAGE, stop=True)),
}
MORE_READING = {
    "of a group, its admin reads its constituents' items": Asked(admin(), READ, own(BRANCH)),
    "of an external source, the submitting organisation": Asked(
        person(), READ, own(sources=frozenset({Source(external="cert-a")}))
    ),
    "of several sources, who may read every parent": Asked(
        person(),
        READ,
        own(sources=frozenset({Source(ALPHA), Source(BETA)}), owner=BETA, parents=frozenset({own(), item()})),
    ),
    "a RED item by the person who submitted it": Asked(person(), READ, red(submitted_by=person().person, owner=ALPHA,
        sources=frozenset({Source(ALPHA)}))),
    "a revoked member reads what is public": Asked(person(standing=person().standing.REVOKED), READ, public()),
    "what is public is read by an expired token's owner too": Asked(
        token(person(), expires_at=NOW), READ, public(), TAXII
    ),
    "shared just before the gap": Asked(person(gaps=OUTAGE), READ, item(shared_at=SHARED - TICK)),
    "shared at the end of the gap": Asked(
        person(gaps=OUTAGE), READ, item(shared_at=max(gap.end for gap in OUTAGE if gap.end))
    ),
    "the source keeps access under permitted": Asked(person(), READ, own(upstream=Upstream(Up.PERMITTED))),
    "a named analyst under hold": Asked(
        staff(Duty.ANALYST), READ, own(upstream=Upstream(Up.HOLD), named_analysts=frozenset({person().person}))  # type: ignore[arg-type]
    ),
    "AMBER relayed item by item": Asked(
        person(BRANCH), READ, item(relayed_by=frozenset({ALPHA.group}), once_above_amber=True)
    ),
    "GREEN relayed automatically": Asked(person(BRANCH), READ, item(tlp=Tlp.GREEN)),
    "who relays AMBER relays GREEN": Asked(
        person(BRANCH, relays=frozenset({Tlp.AMBER}), terms=replace(person().terms, automatic_relay=frozenset())),
        READ,
        item(tlp=Tlp.GREEN),
    ),
    "an AMBER container may bind a GREEN item": Asked(
        person(), READ, item(requires=frozenset({item(tlp=Tlp.GREEN)}))
    ),
}  # fmt: skip
