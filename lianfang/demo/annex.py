"""The next edition of the procedure in the demonstration: written by the publisher, approved by one of two so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lianfang.demo import cast
from lianfang.members import actions, procedure_edits
from lianfang.members.procedure_edits import Question

if TYPE_CHECKING:
    from lianfang.demo.load import Stage

_DRILL = Question(
    label={"zh": "最近一次資安演練的日期", "en": "Date of the last security exercise"},
    hint={"zh": "沒有辦過就留白。", "en": "Leave empty if there was none."},
    kind="date",
)
_WHY = "附件1研商會議決議：申請時請組織說明最近一次演練，核准改為兩位核准人。"


def propose(stage: Stage) -> None:
    """Two approvers of an application, and one question more: waits for the second approval."""
    author, first = stage.of(cast.STAFF[4][1]), stage.of(cast.STAFF[1][1])
    draft = actions.begin_procedure(by=author.subject(stage.at), at=stage.tick())
    spec, name = procedure_edits.add_field(draft.spec, "organization", _DRILL)
    spec = procedure_edits.general(
        spec, title=spec["title"], note=spec["note"], review_days=30, correction_days=14, approvers=2
    )
    draft = actions.save_procedure(
        draft=draft,
        spec=spec,
        revision=draft.revision,
        what=f"organization.{name}",
        by=author.subject(stage.at),
        at=stage.tick(),
    )
    at = stage.tick(hours=1)
    actions.propose_procedure(draft=draft, reason=_WHY, effective_at=at, by=author.subject(at), at=at)
    actions.approve_procedure(draft=draft, by=first.subject(stage.at), at=stage.tick(hours=1))
