"""Participation in the demonstration: a member with a full year, one to be looked at that objects, most without."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lianfang.demo import cast
from lianfang.demo.cast import Company
from lianfang.kernel.clock import taipei
from lianfang.members import actions
from lianfang.members.models import Membership, ParticipationFact

if TYPE_CHECKING:
    from lianfang.demo.load import Stage

_ACTIVE = (
    ("training", 9, "資安情資平台使用說明會", "簽到表第2頁"),
    ("drill", 40, "社交工程演練，回報3件可疑郵件", "演練報告附表1"),
    ("alert", 48, "VPN設備弱點警訊，2日內回覆盤點結果", "電子郵件存檔1151012-3"),
    ("meeting", 61, "第三季聯盟會議", "會議紀錄1151001"),
)
_ABSENT = (
    ("drill", 40, "社交工程演練，未回覆參演通知", "演練報告附表1"),
    ("alert", 48, "VPN設備弱點警訊，期限內未回覆", "警訊回覆統計表"),
    ("meeting", 61, "第三季聯盟會議，未出席", "會議簽到表"),
)


def recorded(stage: Stage, active: Company, quiet: Company) -> None:
    """The staff enters a quarter of two members; the quiet one objects to the last entry, and waits for the answer."""
    _enter(stage, active, _ACTIVE, "took_part")
    last = _enter(stage, quiet, _ABSENT, "absent")
    if last is not None:
        text = "當天由副管理員以視訊參加，簽到表沒有列視訊名單。"
        by = stage.of(quiet.team.admin)
        actions.object_to_fact(fact=last, text=text, by=by.subject(stage.at), at=stage.tick(hours=3))


def _enter(
    stage: Stage, company: Company, facts: tuple[tuple[str, int, str, str], ...], outcome: str
) -> ParticipationFact | None:
    held = Membership.objects.get(organization__ubn=company.ubn)
    by, made = stage.of(cast.STAFF[0][1]), None
    for kind, days, text, evidence in facts:
        day = taipei(held.began_at).date() + timedelta(days=days)
        if day > taipei(stage.at).date():
            continue
        made = actions.enter_fact(
            membership=held, kind=kind, outcome=outcome, occurred_on=day, text=text, evidence=evidence,
            by=by.subject(stage.at), at=stage.tick(),
        )  # fmt: skip
    return made
