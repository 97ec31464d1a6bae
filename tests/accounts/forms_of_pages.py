"""Every page of the app that takes a form: who fills it in, and with what it is accepted."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.test import Client
from django.urls import reverse

from lianfang.accounts import actions
from lianfang.accounts.models import DutyGrant
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Duty, Role
from tests.accounts.cast import Few
from tests.accounts.test_governance import propose
from tests.accounts.test_governance import setting as proposed_setting
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, SYSTEM, token

__all__ = ["Filled", "filled"]

NEW = "quite another long one"


@dataclass
class Filled:
    """One form filled in rightly: posting it is answered with `status`."""

    name: str
    client: Client
    path: str
    typed: dict[str, str | list[str]]
    status: int = 302
    shown_on: str = ""
    """A page that shows afterwards what was typed."""
    fixed: frozenset[str] = field(default=frozenset())
    """Fields whose value is chosen from a list: anything else is refused."""

    def post(self, changed: dict[str, str | list[str]] | None = None) -> object:
        """Send it, with some fields changed."""
        return self.client.post(self.path, {**self.typed, **(changed or {})})


def filled(cast: Few) -> list[Filled]:
    """All of them; they stand side by side on one state of the world, in which each is accepted."""
    at = utcnow()
    staff = cast.staff
    waiting, grants = propose(cast, Duty.LEGAL), DutyGrant.objects.filter(state="granted")
    proposal = proposed_setting(cast, 10)
    made, _ = token(cast.clock, cast.admin)
    newcomer = actions.person_enter(name="吳新人", email="new@m1.example", by=SYSTEM, at=at)
    invitation, path = actions.invite(
        person=newcomer, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM, at=at
    )
    reset = actions.ask_factor_reset(account=cast.member.account, at=cast.clock.tick())
    admin, granter1, granter2 = browser(cast.admin), browser(staff["granter1"]), browser(staff["granter2"])
    approver, approver2 = browser(staff["approver"]), browser(staff["approver2"])
    organization = str(cast.organization.pk)
    person = {"name": "鄭新人", "title": "工程師", "email": "zheng@m1.example"}

    def code(actor: str) -> dict[str, str | list[str]]:
        return {"second_factor_code": staff[actor].code()}

    return [
        Filled("invite", admin, reverse("invite"),
               {**person, "phone": "02-0000-0000", "organization": organization, "role": "member"},
               shown_on=reverse("people"), fixed=frozenset({"organization", "role"})),
        Filled("change a role", admin, reverse("change_role", args=[cast.member.affiliation.pk]),
               {"role": "security_contact"}, fixed=frozenset({"role"})),
        Filled("let go", admin, reverse("person_leaves", args=[cast.member.affiliation.pk]),
               {"second_factor_code": cast.admin.code()}, fixed=frozenset({"second_factor_code"})),
        Filled("invite again", admin, reverse("invite_again", args=[invitation.pk]), {}),
        Filled("make a key", admin, reverse("new_connection"),
               {"name": "SIEM", "purpose": "偵測", "rights": ["read"], "max_tlp": "AMBER", "days": "30",
                "networks": "203.0.113.0/24", "views": ["all"]},
               status=200, shown_on=reverse("connections"),
               fixed=frozenset({"rights", "max_tlp", "days", "networks", "views"})),
        Filled("replace a key", admin, reverse("rotate_connection", args=[made.pk]), {}, status=200),
        Filled("end a key", admin, reverse("revoke_connection", args=[made.pk]), {}),
        Filled("propose a duty", granter1, reverse("duties"),
               {"person": str(staff["auditor"].person.pk), "duty": "legal", "reason": "代理"},
               shown_on=reverse("duties"), fixed=frozenset({"person", "duty"})),
        Filled("grant a duty", granter2, reverse("decide_duty", args=[waiting.pk]),
               {"act": "grant", **code("granter2")}, fixed=frozenset({"second_factor_code"})),
        Filled("end a duty", granter1, reverse("leave_duty", args=[grants.get(duty="analyst").pk]), code("granter1"),
               fixed=frozenset({"second_factor_code"})),
        Filled("invite a colleague", granter1, reverse("add_colleague"), {**person, "email": "zheng@centre.example"},
               shown_on=reverse("duties")),
        Filled("propose a setting", approver, reverse("setting", args=["draft_days"]),
               {"value": "60", "effective_at": "", "reason": "檢討"}, shown_on=reverse("setting", args=["draft_days"]),
               fixed=frozenset({"value", "effective_at"})),
        Filled("propose a text", approver, reverse("setting", args=["collecting_entity"]),
               {"value": "示範基金會\nExample Foundation", "effective_at": "", "reason": "設立"},
               shown_on=reverse("setting", args=["collecting_entity"]), fixed=frozenset({"effective_at"})),
        Filled("approve a setting", approver2, reverse("decide_setting", args=[proposal.pk]),
               {"act": "approve", **code("approver2")}, fixed=frozenset({"second_factor_code"})),
        Filled("join", browser(None), path, {"password": PASSWORD}),
        Filled("acknowledge", admin, reverse("confidentiality"), {"agree": "on", "next": "/member"}),
        Filled("preferences", admin, "/me", {"theme": "dark", "language": "zh-hant"},
               fixed=frozenset({"theme", "language"})),
        Filled("switch", admin, "/member/switch", {"affiliation": str(cast.admin.affiliation.pk)}),
        Filled("change the password", admin, reverse("account_change_password"),
               {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
               fixed=frozenset({"oldpassword"})),
        Filled("lost factor", browser(None), reverse("accounts_lost_factor"), {"email": "member@m1.example"},
               status=200),
        Filled("reset the password", browser(None), reverse("account_reset_password"), {"email": "member@m1.example"}),
        Filled("vouch", browser(cast.deputy), reverse("accounts_help_one", args=[reset.pk]),
               {"act": "go", "how": "video", "second_factor_code": cast.deputy.code()},
               fixed=frozenset({"how", "second_factor_code"})),
    ]  # fmt: skip
