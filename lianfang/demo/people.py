"""People in the demonstration: members that let each other be seen, and one whose administrators are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.demo.cast import Company
from lianfang.members import actions
from lianfang.members.models import Membership
from lianfang.members.uploads import read as read_upload

if TYPE_CHECKING:
    from lianfang.demo.load import Stage

_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def see_each_other(stage: Stage, *companies: Company) -> None:
    """Members stand in the directory, with sector and security contact."""
    for company in companies:
        at = stage.tick(minutes=7)
        by = stage.of(company.team.admin).subject(at)
        actions.choose_directory(
            membership=_membership(company), listed=True, sector=True, security=True, by=by, at=at
        )  # fmt: skip


def administrators_gone(stage: Stage, company: Company) -> None:
    """The security contact asks for new administrators; the case waits for its reviewer."""
    at = stage.tick(minutes=9)
    people = [
        {"name": "溫如題", "title": "資訊長", "email": f"cio@{company.domain}", "phone": "02-5550-0661"},
        {"name": "葉若干", "title": "資安經理", "email": f"security@{company.domain}", "phone": "02-5550-0662"},
    ]
    actions.ask_recovery(
        membership=_membership(company),
        reason="兩位管理員已於上月離職，沒有人能邀請新的管理員。",
        people=people,
        files=[read_upload(name="人事派令.pdf", content=_PDF, field="scan")],
        by=stage.of(company.team.contact).subject(at),
        at=at,
    )


def _membership(company: Company) -> Membership:
    return Membership.objects.select_related("organization").get(organization__ubn=company.ubn)
