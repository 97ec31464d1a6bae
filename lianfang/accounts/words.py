"""Names for people of what the code calls by ids."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lianfang.policy.facts import Duty, Right, Role

ROLES = {
    Role.MEMBER_ADMIN: _("Administrator: people, tokens, relay, consent"),
    Role.SECURITY_CONTACT: _("Security contact: recalls and tightens labels"),
    Role.MEMBER: _("Ordinary member: reads and submits"),
}
ROLE_NAMES = {
    Role.MEMBER_ADMIN: _("Administrator"),
    Role.SECURITY_CONTACT: _("Security contact"),
    Role.MEMBER: _("Ordinary member"),
}
DUTIES = {
    Duty.REVIEWER: _("Reviewer"),
    Duty.APPROVER: _("Approver"),
    Duty.ANALYST: _("Analyst"),
    Duty.PUBLISHER: _("Publisher"),
    Duty.PRIVACY_OFFICER: _("Privacy officer"),
    Duty.LEGAL: _("Legal"),
    Duty.AUDITOR: _("Auditor"),
    Duty.OPERATOR: _("Operator"),
    Duty.DUTY_GRANTER: _("Duty granter"),
}
DUTY_MEANINGS = {
    Duty.REVIEWER: _("Takes up and reviews cases, imports lists"),
    Duty.APPROVER: _("Decides: admission, revocation, appeal, settings"),
    Duty.ANALYST: _("Reads intelligence, validates quarantine"),
    Duty.PUBLISHER: _("Publishes what sources agreed to, edits the charter"),
    Duty.PRIVACY_OFFICER: _("Handles requests of data subjects"),
    Duty.LEGAL: _("Releases to law enforcement, with an approver"),
    Duty.AUDITOR: _("Reads the ledger and metadata, no content"),
    Duty.OPERATOR: _("Runs the system, reads no content"),
    Duty.DUTY_GRANTER: _("Proposes and grants duties, two at a time"),
}
TOKEN_RIGHTS = {
    Right.READ: _("Fetch intelligence"),
    Right.READ_SOURCE: _("Learn the source where I may"),
    Right.EXPORT: _("Export in bulk (TAXII, feeds)"),
    Right.SUBMIT: _("Submit intelligence"),
    Right.RECALL: _("Recall what we shared"),
}
HOW = [
    ("in_person", _("Met in person, known to me")),
    ("video", _("Video call, known to me")),
    ("callback", _("Called back on a number from the register")),
]
