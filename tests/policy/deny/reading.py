from lianfang.policy.facts import (
    Audience,
    Channel,
    Duty,
    NarrowedKind,
    NarrowedTo,
    Publication,
    Request,
    Right,
    Source,
    Standing,
    State,
    Tlp,
    Upstream,
)
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

READ = Right.READ
READING = {
    # Permits: the nearest case in which each does not hold, and nothing else does.
    "P-own": Asked(person(), READ, own(tlp=Tlp.RED)),
    "P-alliance": Asked(person(), READ, item(audience=Audience.groups(BETA.group))),
    "P-constituent": Asked(person(BRANCH), READ, item()),
    "P-named": Asked(token(person()), READ, red(ALPHA)),
    "P-analyst": Asked(staff(Duty.ANALYST), READ, red()),
    "P-case": Asked(staff(Duty.LEGAL, cases=frozenset({"A-2026-0002"})), READ, own(cases=frozenset({CASE}))),
    "P-public": Asked(PUBLIC, READ, public(publication=Publication(SOON))),
    "F-standing": Asked(person(standing=Standing.REVOKED), READ, item()),
    "F-constituent": Asked(person(BRANCH, constituent_ok=False), READ, own(BRANCH)),
    "F-duty": Asked(person(acknowledged=False), READ, item(tlp=Tlp.GREEN)),
    "F-left": Asked(person(left_at=NOW), READ, item()),
    "F-mfa": Asked(person(mfa=False), READ, item()),
    "F-token": Asked(token(person(), expires_at=NOW), READ, item(), TAXII),
    "F-gap": Asked(person(gaps=OUTAGE), READ, item()),
    "F-upstream": Asked(
        person(), READ, item(upstream=Upstream(Up.PERMITTED, groups=frozenset({ALPHA.group}), until=NOW))
    ),
    "F-embargo": Asked(person(), READ, item(not_before=SOON)),
    "F-quarantine": Asked(person(), READ, item(state=State.QUARANTINED)),
    "F-recalled": Asked(person(), READ, item(state=State.RECALLED)),
    "F-narrowed": Asked(person(), READ, item(narrowed_to=NarrowedTo(NarrowedKind.CONSTITUENTS_OF, ALPHA.group))),
    "F-container": Asked(person(), READ, item(requires=frozenset({red()}))),
    "F-red-channel": Asked(person(), READ, red(ALPHA), Request(channel=Channel.LIST)),
    "F-stop": Asked(person(), READ, item(), Request(channel=Channel.PAGE, stop=True)),
}
MORE_READING = {
    "a colleague of who submitted a RED item": Asked(person(), READ, own(tlp=Tlp.RED)),
    "another constituent of the same group": Asked(person(BRANCH), READ, own(ALPHA)),
    "a plain member of the group on its constituent's item": Asked(person(), READ, own(BRANCH)),
    "an admin on another group's constituent's item": Asked(admin(BETA), READ, own(BRANCH)),
    "of several sources, who may not read a parent": Asked(
        person(), READ, own(sources=frozenset({Source(ALPHA), Source(BETA)}), parents=frozenset({own(BETA)}))
    ),
    "of several sources without known parents": Asked(
        person(), READ, own(sources=frozenset({Source(ALPHA), Source(BETA)}))
    ),
    "a constituent on AMBER+STRICT": Asked(
        person(BRANCH, relays=frozenset({Tlp.RED})),
        READ,
        item(tlp=Tlp.AMBER_STRICT, relayed_by=frozenset({ALPHA.group})),
    ),
    "a rule does not relay what was once above AMBER": Asked(
        person(BRANCH, relays=frozenset({Tlp.AMBER})), READ, item(once_above_amber=True)
    ),
    "the same person for another organisation": Asked(person(BETA), READ, red(ALPHA)),
    "an analyst who is not named under hold": Asked(staff(Duty.ANALYST), READ, item(upstream=Upstream(Up.HOLD))),
    "a job reads nothing": Asked(PUBLIC.system("sweep"), READ, public()),
    "CLEAR without a publication is not public": Asked(PUBLIC, READ, public(publication=None)),
    "a token from elsewhere": Asked(
        token(person(), networks=("192.0.2.0/24",)), READ, item(), Request(channel=Channel.TAXII, network="192.0.3.0")
    ),
    "a token past its highest TLP": Asked(token(person(), max_tlp=Tlp.GREEN), READ, item(), TAXII),
    "a token of staff": Asked(token(staff(Duty.ANALYST)), READ, own(), TAXII),
    "staff while disclosure is stopped": Asked(
        staff(Duty.ANALYST), READ, own(), Request(channel=Channel.PAGE, stop=True)
    ),
    "own items in a list while disclosure is stopped": Asked(
        person(), READ, own(), Request(channel=Channel.LIST, stop=True)
    ),
    "a recalled item by machine, its own source too": Asked(person(), READ, own(state=State.RECALLED), TAXII),
    "a filter by a hidden source": Asked(person(), READ, item(), Request(channel=Channel.LIST, by_source=True)),
}
