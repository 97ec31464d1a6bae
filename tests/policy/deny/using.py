from dataclasses import replace

from lianfang.policy.facts import Channel, Duty, Request, Right, Role, Source, Standing, State, Tlp
from tests.policy.cast import (
    ALPHA,
    BETA,
    BRANCH,
    FILE,
    MAIL,
    PAGE,
    PUBLIC,
    TAXII,
    Asked,
    admin,
    item,
    own,
    person,
    public,
    staff,
    token,
)

CONTACT = person(role=Role.SECURITY_CONTACT)
ANALYST = staff(Duty.ANALYST)
USING = {
    "G-read_source": Asked(person(), Right.READ_SOURCE, item()),
    "G-export": Asked(person(BRANCH), Right.EXPORT, item(), TAXII),
    "G-mail_body": Asked(PUBLIC, Right.MAIL_BODY, item(tlp=Tlp.GREEN), MAIL),
    "G-annotate": Asked(PUBLIC, Right.ANNOTATE, public()),
    "G-relay_to_constituents": Asked(person(), Right.RELAY_TO_CONSTITUENTS, item()),
    "G-request_disclosure": Asked(person(), Right.REQUEST_DISCLOSURE, item()),
    "G-disclose": Asked(person(), Right.DISCLOSE, item()),
    "U-purpose": Asked(person(), Right.USE_COMMERCIALLY, item()),
    "U-export": Asked(person(), Right.EXPORT, item(), replace(FILE, purpose="")),
    "U-view": Asked(person(), Right.READ, item(), Request(channel=Channel.LIST, by_source=True)),
    "U-mail": Asked(person(), Right.MAIL_BODY, item(), MAIL),
    "U-relay": Asked(admin(), Right.RELAY_TO_CONSTITUENTS, item(tlp=Tlp.AMBER_STRICT)),
    "G-submit": Asked(staff(Duty.PUBLISHER), Right.SUBMIT),
    "G-validate": Asked(CONTACT, Right.VALIDATE, own(state=State.QUARANTINED)),
    "G-relabel": Asked(CONTACT, Right.RELABEL, own(tlp=Tlp.AMBER), replace(PAGE, becomes=None)),
    "G-recall": Asked(person(), Right.RECALL, own()),
    "G-redact": Asked(person(), Right.REDACT, own()),
    "G-decide_consent": Asked(CONTACT, Right.DECIDE_CONSENT, item()),
    "G-see_notice": Asked(person(), Right.SEE_NOTICE, item(state=State.RECALLED)),
    "G-see_receipts": Asked(person(), Right.SEE_RECEIPTS, item()),
    "G-see_ledger": Asked(person(), Right.SEE_LEDGER, item()),
    "D-former": Asked(admin(standing=Standing.REVOKED, mfa=False), Right.VIEW_EXIT, own(tlp=Tlp.CLEAR)),
    "G-publish": Asked(ANALYST, Right.PUBLISH, own()),
    "G-release_to_authority": Asked(CONTACT, Right.RELEASE_TO_AUTHORITY, own()),
    "G-release_to_law_enforcement": Asked(ANALYST, Right.RELEASE_TO_LAW_ENFORCEMENT, own()),
    "D-consent": Asked(CONTACT, Right.DECIDE_CONSENT, own()),
    "D-publish": Asked(staff(Duty.PUBLISHER), Right.PUBLISH, own()),
    "D-authority": Asked(ANALYST, Right.RELEASE_TO_AUTHORITY, own()),
    "D-enforcement": Asked(staff(Duty.LEGAL), Right.RELEASE_TO_LAW_ENFORCEMENT, own()),
    "D-derived": Asked(CONTACT, Right.REDACT, own()),
    "D-ledger": Asked(staff(Duty.AUDITOR), Right.SEE_LEDGER, own()),
}
MORE_USING = {
    "one of two sources alone does not widen": Asked(
        CONTACT,
        Right.RELABEL,
        own(sources=frozenset({Source(ALPHA), Source(BETA)})),
        replace(PAGE, becomes=item()),
    ),
    "an analyst does not widen": Asked(ANALYST, Right.RELABEL, own(), replace(PAGE, becomes=item(ALPHA))),
    "a former source does not relabel": Asked(
        admin(standing=Standing.REVOKED), Right.RELABEL, own(), replace(PAGE, becomes=own())
    ),
    "a former source's reading has ended": Asked(admin(standing=Standing.REVOKED), Right.READ, own()),
    "a token does not relay": Asked(
        token(admin(), Right.RELAY_TO_CONSTITUENTS), Right.RELAY_TO_CONSTITUENTS, item(), TAXII
    ),
    "a revoked member does not annotate what is public": Asked(
        person(standing=Standing.REVOKED), Right.ANNOTATE, replace(public(), audience=item().audience)
    ),
    "a token of staff decides nothing": Asked(
        token(ANALYST, Right.VALIDATE), Right.VALIDATE, own(state=State.QUARANTINED), PAGE
    ),
}
