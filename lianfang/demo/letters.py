"""Mails that came to the centre in the demonstration: on a case, to be entered as a change, of strangers, a program."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lianfang.demo.cast import Company
from lianfang.mailroom.actions import take
from lianfang.mailroom.views import composed
from lianfang.members.models import ChangeRequest, Membership
from lianfang.outbox.reply import case_address, service_address

if TYPE_CHECKING:
    from lianfang.demo.load import Stage

_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


def arrive(stage: Stage, *, roster: Company, changes: Company) -> None:
    """Mails of a morning: two lie on their cases, three wait to be sorted."""
    waits = ChangeRequest.objects.filter(membership__organization__ubn=roster.ubn).order_by("-submitted_at").first()
    if waits is not None:
        _mail(
            stage, sender=f"office@{roster.domain}", to=case_address(waits.number), subject="名冊更新補充說明",
            text="您好：\n\n新增的會員公司已於上週完成變更登記，附上證明。\n\n秘書處敬上", file=("證明文件.pdf", _PDF),
        )  # fmt: skip
        _mail(
            stage, sender=f"office@{roster.domain}", to=case_address(waits.number), subject="自動回覆：休假中",
            text="我正在休假，回來後會儘快回覆。", auto=True,
        )  # fmt: skip
    member = Membership.objects.filter(organization__ubn=changes.ubn).select_related("organization").first()
    name = member.organization.name_zh if member else ""
    _mail(
        stage, sender=f"admin@{changes.domain}", to=service_address("changes"), subject="變更總公司地址",
        text=f"您好：\n\n{name}的總公司將遷址，附上用印的變更登記表掃描檔，請協助辦理。", file=("變更登記表.pdf", _PDF),
    )  # fmt: skip
    _mail(
        stage, sender="lin@newcomer.example", to=service_address(""), subject="請問如何加入聯盟",
        text="我們是剛上櫃的公司，想請問入會需要準備什麼文件？",
    )  # fmt: skip
    _mail(
        stage, sender="sales@bulk.example", to=service_address(""), subject="限時優惠：名單行銷方案",
        text="回信即送試用。", file=("優惠.exe", b"MZ\x90\x00"),
    )  # fmt: skip


def _mail(
    stage: Stage, *, sender: str, to: str, subject: str, text: str, file: tuple[str, bytes] = ("", b""),
    auto: bool = False,
) -> None:  # fmt: skip
    at: datetime = stage.tick(minutes=7)
    raw = composed({"sender": sender, "to": to, "subject": subject, "text": text}, file[0], file[1], at)
    take(raw=(b"Auto-Submitted: auto-replied\r\n" if auto else b"") + raw, at=at)
