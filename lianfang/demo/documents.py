"""Documents in the demonstration: a privacy notice that was amended, a charter that waits for its second approval."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lianfang.charter import actions
from lianfang.charter.models import Amendment
from lianfang.demo import cast
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Subject

if TYPE_CHECKING:
    from lianfang.demo.load import Stage

_ROSTER = Bilingual(zh="名冊全年至少核對一次。", en="The roster is checked against the facts at least once a year.")
_WHY = Bilingual(
    zh="2.4增訂每年核對名冊一次。去年有三成的異動在事實發生半年後才提出。",
    en="Clause 2.4 asks for a check of the roster once a year. Last year three in ten changes came half a year late.",
)
_NIGHT = Bilingual(
    zh="夜間與假日的值班紀錄也在此列。", en="Records of the duty at night and on holidays are among them."
)
_NIGHT_WHY = Bilingual(
    zh="類別一項寫明值班紀錄，作法不變。", en="The categories now name the records of the duty; nothing else changes."
)


def amend(stage: Stage) -> None:
    """The charter's next version: written by the publisher, approved by one of two so far."""
    draft = _proposed(stage, "charter", "2.4", _ROSTER, _WHY, days=60)
    first = stage.of(cast.STAFF[1][1])
    actions.approve_amendment(amendment=draft, by=first.subject(stage.at), at=stage.tick(hours=1))


def amended(stage: Stage) -> None:
    """The privacy notice's second version: approved, published in both places, and mailed to every member."""
    draft = _proposed(stage, "privacy", "3", _NIGHT, _NIGHT_WHY, days=7)
    for place in (1, 2):
        approver = stage.of(cast.STAFF[place][1])
        actions.approve_amendment(amendment=draft, by=approver.subject(stage.at), at=stage.tick(hours=1))
    by, at = stage.of(cast.STAFF[4][1]), stage.tick(hours=2)
    url = "https://www.centre.example/privacy-2"
    actions.record_website(amendment=draft, url=url, published_at=at, by=by.subject(at), at=at)
    actions.order_issue(amendment=draft, by=by.subject(stage.at), at=stage.tick())
    actions.finish_issue(amendment=draft, by=Subject.system("charter.publish"), at=stage.tick())


def _proposed(stage: Stage, kind: str, number: str, more: Bilingual, why: Bilingual, *, days: int) -> Amendment:
    author = stage.of(cast.STAFF[4][1])
    draft = actions.begin_amendment(kind=kind, by=author.subject(stage.at), at=stage.tick())
    clauses = [
        {**one, "zh": one["zh"] + more.zh, "en": f"{one['en']} {more.en}"} if one["id"] == number else one
        for one in draft.clauses
    ]
    draft = actions.save_amendment(
        amendment=draft,
        titles=Bilingual(zh=draft.title_zh, en=draft.title_en),
        clauses=clauses,
        revision=draft.revision,
        what=number,
        by=author.subject(stage.at),
        at=stage.tick(),
    )
    at = stage.tick(hours=1)
    actions.propose_amendment(
        amendment=draft, summary=why, effective_at=at + timedelta(days=days), by=author.subject(at), at=at
    )
    return draft
