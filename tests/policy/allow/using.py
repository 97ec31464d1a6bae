from dataclasses import replace

from lianfang.policy.facts import (
    Audience,
    Channel,
    Duty,
    NameSource,
    Publication,
    Request,
    Right,
    Role,
    Source,
    Standing,
    State,
    Terms,
    Tlp,
)
from tests.policy.cast import (
    ALPHA,
    BETA,
    FILE,
    MAIL,
    PAGE,
    PAST,
    PUBLIC,
    TAXII,
    Asked,
    admin,
    item,
    own,
    person,
    public,
    staff,
)

NAMED = item(name_source=NameSource.EVERYONE)
CONTACT = person(role=Role.SECURITY_CONTACT)
USING = {
    "G-read_source": Asked(person(), Right.READ_SOURCE, NAMED),
    "G-export": Asked(person(), Right.EXPORT, item(), TAXII),
    "G-mail_body": Asked(person(), Right.MAIL_BODY, item(tlp=Tlp.GREEN), MAIL),
    "G-annotate": Asked(person(), Right.ANNOTATE, item()),
    "G-relay_to_constituents": Asked(admin(), Right.RELAY_TO_CONSTITUENTS, item()),
    "U-export": Asked(PUBLIC, Right.EXPORT, public(), replace(FILE, purpose="")),
    "U-view": Asked(person(), Right.READ, NAMED, Request(channel=Channel.LIST, by_source=True)),
    "U-mail": Asked(person(terms=Terms(encrypted_mail=True)), Right.MAIL_BODY, item(), replace(MAIL, encrypted=True)),
    "U-relay": Asked(admin(), Right.RELAY_TO_CONSTITUENTS, item(tlp=Tlp.AMBER)),
    "G-submit": Asked(person(mfa=False), Right.SUBMIT),
    "G-validate": Asked(staff(Duty.ANALYST), Right.VALIDATE, own(state=State.QUARANTINED)),
    "G-relabel": Asked(
        CONTACT, Right.RELABEL, own(), replace(PAGE, becomes=own(tlp=Tlp.AMBER_STRICT, once_above_amber=True))
    ),
    "G-recall": Asked(CONTACT, Right.RECALL, own()),
    "G-see_notice": Asked(person(), Right.SEE_NOTICE, item(state=State.RECALLED), replace(PAGE, received=True)),
    "G-see_receipts": Asked(person(), Right.SEE_RECEIPTS, own()),
    "D-former": Asked(admin(standing=Standing.REVOKED), Right.VIEW_EXIT, own()),
}
MORE_USING = {
    "each of several sources sees its own name": Asked(
        person(),
        Right.READ_SOURCE,
        item(sources=frozenset({Source(ALPHA), Source(BETA)})),
        replace(PAGE, source=Source(ALPHA)),
    ),
    "every source agrees to a wider label": Asked(
        CONTACT,
        Right.RELABEL,
        own(sources=frozenset({Source(ALPHA), Source(BETA)})),
        replace(PAGE, becomes=item(), agreed_by=frozenset({BETA})),
    ),
    "an analyst tightens": Asked(
        staff(Duty.ANALYST), Right.RELABEL, item(), replace(PAGE, becomes=item(audience=Audience.coordinator_only()))
    ),
    "who submitted it sets the first label": Asked(
        person(),
        Right.RELABEL,
        own(state=State.QUARANTINED, submitted_by=person().person, tlp=Tlp.RED),
        replace(PAGE, becomes=item(ALPHA, tlp=Tlp.GREEN)),
    ),
    "a source's contact recalls what is RED": Asked(CONTACT, Right.RECALL, own(tlp=Tlp.RED)),
    "a former source recalls its own items": Asked(admin(standing=Standing.TERMINATED), Right.RECALL, own()),
    "anybody sees that a public version was withdrawn": Asked(
        PUBLIC, Right.SEE_NOTICE, own(state=State.RECALLED, publication=Publication(PAST))
    ),
}
