"""What lies behind the addresses: for each route with a parameter, a thing of 乙 that is really there.

Where the id is nobody's in particular, the beginning of the route's name stands in `_BY_NAME`: things of the centre,
which are everybody's who holds the right of the door; what is published (the demonstration's mail, too); links, which
are for whoever holds them; and pages of the reader's own work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Invitation
from lianfang.charter.queries import in_force
from lianfang.intel import drafts, intake
from lianfang.intel.labelling import LabelForm
from lianfang.kernel.clock import taipei, utcnow
from lianfang.members.actions import Filing, enter_fact, file_appeal, file_change, keep_roster
from lianfang.members.models import Attachment, ChangeRequest
from lianfang.policy.facts import Audience, Channel, NameSource, Role, Tlp
from tests.intel.cast import bundle, indicator
from tests.world import World, answers, draft

_BY_NAME = {
    "staff": (
        "audit_", "case", "change_case", "change_ask_again", "change_authority", "change_conflict",
        "change_decide", "change_entry",
        "change_holdings", "change_file", "change_note", "change_recommend", "change_return",
        "change_screening", "change_take_up", "colleague_leaves", "invite_colleague_again", "letter", "membership",
        "security_hold_lift", "contact_settle", "mail", "participation_", "recovery",
        "list_", "revocation", "appeal", "termination", "statement_file", "hold_lift", "decide_",
        "leave_duty", "procedure", "setting", "staff_intel_", "amendment", "version_",
    ),
    "public": ("charter_", "privacy_version", "privacy_compare", "demo_"),
    "link": (
        "accounts_invitation", "deadline_feed", "accounts_lost_factor_proof", "account_reset_password_from_key",
        "apply_resume",
        "apply_case", "recovery_object", "change_confirm", "apply_correct", "contact_check", "sign_in_",
    ),
    "own": ("apply_step", "write_profile", "taxii_collection", "taxii_manifest", "taxii_objects", "taxii_elsewhere"),
}  # fmt: skip


def shared(name: str) -> bool:
    """Whether the id in this route is nobody's in particular."""
    return any(name.startswith(begin) for begins in _BY_NAME.values() for begin in begins)


@dataclass
class Things:
    """What belongs to 乙 alone, by (route, parameter)."""

    of: dict[tuple[str, str], Any]


def make(world: World) -> Things:
    """Make a thing of every kind for 乙."""
    yi, at = world.yi, utcnow()
    item = indicator(name="only for its submitter")
    form = LabelForm(tlp=Tlp.RED, audience=Audience.persons(), name_source=NameSource.COORDINATOR)
    by = yi.admin.subject(at)
    submission = intake.submit(by=by, at=at, body=bundle(item), form=form, channel=Channel.PAGE)
    kept = drafts.keep(by=by, at=at, name="x.json", body=bundle(indicator()))
    newcomer = accounts.person_enter(name="新進員", email="newcomer@m2.example", by=by, at=at)
    invitation: Invitation = accounts.invite(
        person=newcomer, organization=yi.organization, group=yi.organization, role=Role.MEMBER, by=by, at=at
    )[0]
    reset = accounts.ask_factor_reset(account=yi.member.account, at=at)
    application = draft(world.clock, answers(name="癸示範股份有限公司", place=61, people="m61.example"))
    file = Attachment.objects.get(application=application)
    appeal = file_appeal(
        case=world.revocation,
        text="我們不同意。",
        files=[],
        key="k" * 43,
        by=world.former.admin.subject(),
        at=world.clock.tick(),
    )
    change = _change(world)
    rows = keep_roster(membership=yi.membership, name="x.csv", content=b"a,b", by=by, at=at)
    fact = enter_fact(
        membership=yi.membership, kind="drill", outcome="absent", occurred_on=taipei(at).date(), text="演練",
        evidence="簽到表", by=world.reviewer.subject(at), at=at,
    )  # fmt: skip
    token = world.tokens["yi"][0].pk
    connection = accounts.Connection(
        protocol="oidc", issuer="https://login.m2.example", client_id="c", client_secret="s"
    )
    provider = accounts.set_up_provider(given=connection, by=by, at=at)
    link = accounts.link_account(provider=provider, account=yi.member.account, digest=b"d" * 32, at=at)
    # Not a passkey, but an authenticator of somebody else: a real one is made by a browser.
    passkey = Authenticator.objects.get(user=yi.admin.account, type=Authenticator.Type.TOTP).pk
    of: dict[tuple[str, str], Any] = {
        ("invite_again", "invitation_id"): invitation.pk,
        ("change_role", "affiliation_id"): yi.member.affiliation.pk,
        ("person_leaves", "affiliation_id"): yi.member.affiliation.pk,
        ("sign_out_person", "affiliation_id"): yi.member.affiliation.pk,
        **{(name, "token_id"): token for name in ("connection", "rotate_connection", "revoke_connection")},
        **{
            (f"intel_{name}", "stix_id"): item["id"]
            for name in ("item", "why", "download", "recall", "release", "label", "relay")
        },
        ("sign_on_unlink", "link_id"): link.pk,
        ("submit_who", "draft"): kept.pk,
        ("roster_import_one", "draft"): rows.pk,
        **{
            (name, "number"): change.number
            for name in ("change", "change_message", "change_withdraw", "own_case_read_out")
        },
        ("submission", "submission"): submission.pk,
        ("own_participation_object", "fact_id"): fact.pk,
        ("apply_mask", "file_id"): file.pk,
        ("apply_picture", "file_id"): file.pk,
        ("apply_receipt", "number"): world.applicant.number,
        ("exit_appeal_receipt", "number"): appeal.number,
        ("accounts_help_one", "reset_id"): reset.pk,
        ("mfa_remove_webauthn", "pk"): passkey,
        ("mfa_edit_webauthn", "pk"): passkey,
        ("taxii_status", "status_id"): submission.pk,
        ("taxii_object", "object_id"): item["id"],
        ("taxii_versions", "object_id"): item["id"],
    }
    return Things(of)


def _change(world: World) -> ChangeRequest:
    """A change of 乙's data that waits."""
    at = world.clock.tick()
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    assert charter is not None
    assert privacy is not None
    return file_change(
        membership=world.yi.membership,
        filing=Filing(organization={"address": "示範市新址路9號"}),
        charter_id=charter.pk,
        privacy_id=privacy.pk,
        key="c" * 43,
        by=world.yi.admin.subject(at),
        at=at,
    )


def nothing_like(value: Any) -> Any:
    """An id of the same form that names nothing."""
    text = str(value)
    if "--" in text:
        return f"{text.partition('--')[0]}--{uuid4()}"
    if text.isdigit():
        return 987654321
    return f"{text[:-4]}9876" if text[-4:].isdigit() and len(text) < 20 else uuid4()
