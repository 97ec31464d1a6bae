"""The next edition of the procedure: begun and written by publishers, approved by two others, then in force (4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import procedure, procedure_rules, queries
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import PROCEDURE
from lianfang.members.models import Procedure, ProcedureDraft
from lianfang.policy.facts import Right, Subject

_OPEN = Bilingual(zh="已有一份草稿，請在那一份上修改。", en="There is a draft already; go on with that one.")
_GONE = Bilingual(zh="目前沒有草稿。", en="There is no draft now.")
_STALE = Bilingual(
    zh="另一位同事剛改過這份草稿。您寫的內容保留在下方，請看過再存。",
    en="A colleague has just changed this draft. What you wrote is kept below; look, then save again.",
)
_FROZEN = Bilingual(
    zh="草稿已送交核准，要先退回才能修改。",
    en="The draft was sent for approval; it must come back before it is changed.",
)
_REASON = Bilingual(zh="請寫下改了什麼、為什麼。", en="Say what changes, and why.")
_PAST = Bilingual(zh="生效時間不能早於現在。", en="It cannot take effect before now.")
_ORDER = Bilingual(zh="生效時間要晚於現有各版。", en="It takes effect later than every edition that there is.")


@action(Tag.MEMBERS_PROCEDURE_BEGIN)
def begin_procedure(*, by: Subject, at: datetime) -> ProcedureDraft:
    """Begin the next edition as a copy of the latest one. Raises Refusal while a draft is open."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    _one_at_a_time()
    latest = _latest()
    if queries.open_procedure_draft() is not None:
        raise Refusal(_OPEN, rule="procedure-open", clause="4.1")
    draft = ProcedureDraft.objects.create(
        base=latest, spec=latest.spec, authors=[str(person_of(by))], began_at=at, saved_at=at
    )
    record(by=by, at=at, about=draft, detail={"base": latest.version})
    return draft


@action(Tag.MEMBERS_PROCEDURE_SAVE)
def save_procedure(
    *, draft: ProcedureDraft, spec: Mapping[str, Any], revision: int, what: str, by: Subject, at: datetime
) -> ProcedureDraft:
    """Keep a changed specification. `revision` is the one that was changed: an older one is refused, nothing is lost.

    `what` names the place, for the ledger: `organization.x1`. Raises Refusal.
    """
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(draft)
    if locked.state != "draft":
        raise Refusal(_FROZEN if locked.state == "proposed" else _GONE, rule="procedure-frozen", clause="4.1")
    if locked.revision != revision:
        raise Refusal(_STALE, rule="procedure-stale")
    locked.spec, locked.revision, locked.saved_at = dict(spec), locked.revision + 1, at
    locked.authors = sorted({*locked.authors, str(person_of(by))})
    locked.save(update_fields=["spec", "revision", "saved_at", "authors"])
    record(by=by, at=at, about=locked, detail={"place": what, "revision": locked.revision, **_digest(locked)})
    return locked


@action(Tag.MEMBERS_PROCEDURE_PROPOSE)
def propose_procedure(*, draft: ProcedureDraft, reason: str, effective_at: datetime, by: Subject, at: datetime) -> None:
    """Send the draft for approval, with what changes and why, and from when on. Raises Refusal while it has a fault."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(draft)
    if not reason.strip():
        raise Refusal(_REASON, rule="procedure-reason", field="reason")
    if effective_at < at:
        raise Refusal(_PAST, rule="procedure-past", clause="4.1", field="effective_at")
    if effective_at <= _latest().effective_at:
        raise Refusal(_ORDER, rule="procedure-order", clause="4.1", field="effective_at")
    PROCEDURE.move(
        locked, "propose", faults=len(procedure_rules.faults(locked.spec)), changed=locked.spec != locked.base.spec
    )
    locked.reason, locked.effective_at = reason.strip()[:1000], effective_at
    locked.proposed_by_id, locked.proposed_at = person_of(by), at
    locked.authors = sorted({*locked.authors, str(person_of(by))})
    locked.save()
    record(
        by=by,
        at=at,
        about=locked,
        detail={"effective": effective_at.isoformat(), **_digest(locked)},
        text=locked.reason,
    )


@action(Tag.MEMBERS_PROCEDURE_RETURN)
def return_procedure(*, draft: ProcedureDraft, by: Subject, at: datetime) -> None:
    """Send a draft back to its authors; what was approved of it is void. Raises Refusal."""
    locked = _locked(draft)
    require(subject=by, right=Right.APPROVE, target=queries.case_of_procedure(locked, fresh=True), at=at)
    PROCEDURE.move(locked, "return")
    locked.first_approver, locked.first_approved_at, locked.proposed_at = None, None, None
    locked.save()
    record(by=by, at=at, about=locked, detail=_digest(locked))


@action(Tag.MEMBERS_PROCEDURE_DISCARD)
def discard_procedure(*, draft: ProcedureDraft, by: Subject, at: datetime) -> None:
    """Give a draft up; it stays on record. Raises Refusal."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(draft)
    PROCEDURE.move(locked, "discard")
    locked.closed_at = at
    locked.save(update_fields=["state", "closed_at"])
    record(by=by, at=at, about=locked, detail=_digest(locked))


@action(Tag.MEMBERS_PROCEDURE_APPROVE)
def approve_procedure(*, draft: ProcedureDraft, by: Subject, at: datetime) -> Procedure | None:
    """Approve a proposed edition: the first approval is kept, the second publishes (policy G-edit_charter).

    Neither approver wrote a word of it, and they are two. It takes effect at the proposed instant, or now if that has
    passed. The caller has had the decision signed. Raises Refusal.
    """
    locked = _locked(draft)
    require(subject=by, right=Right.APPROVE, target=queries.case_of_procedure(locked), at=at)
    faults = len(procedure_rules.faults(locked.spec))
    if locked.first_approver_id is None:
        # Whatever stands against publishing stands against the first approval, too.
        reason = PROCEDURE.why_not(locked, "publish", approvals=2, faults=faults)
        if reason is not None:
            raise Refusal(reason, rule="procedure:publish", clause="4.1")
        locked.first_approver_id, locked.first_approved_at = person_of(by), at
        locked.save(update_fields=["first_approver", "first_approved_at"])
        record(by=by, at=at, about=locked, detail=_digest(locked))
        return None
    PROCEDURE.move(locked, "publish", approvals=2, faults=faults)
    return _publish(locked, by, at)


def _publish(draft: ProcedureDraft, by: Subject, at: datetime) -> Procedure:
    _one_at_a_time()
    latest = _latest()
    effective_at = max(draft.effective_at or at, at)
    if effective_at <= latest.effective_at:
        raise Refusal(_ORDER, rule="procedure-order", clause="4.1")
    edition = Procedure.objects.create(
        version=latest.version + 1,
        spec=draft.spec,
        sha256=procedure.sha256(draft.spec),
        effective_at=effective_at,
        created_at=at,
    )
    draft.published, draft.effective_at = edition, effective_at
    draft.second_approver_id, draft.closed_at = person_of(by), at
    draft.save()
    detail = {
        "version": edition.version,
        "effective": effective_at.isoformat(),
        "authors": list(draft.authors),
        "first": str(draft.first_approver_id),
        **_digest(draft),
    }
    record(by=by, at=at, about=edition, tag=Tag.MEMBERS_PROCEDURE_PUBLISH, detail=detail)
    record(by=by, at=at, about=draft, detail=_digest(draft))
    return edition


def _one_at_a_time() -> None:
    """Two who begin or publish at once take turns; an edition is append-only, so its row cannot be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('members.procedure', 0))")


def _locked(draft: ProcedureDraft) -> ProcedureDraft:
    return ProcedureDraft.objects.select_for_update(of=("self",)).select_related("base").get(pk=draft.pk)


def _latest() -> Procedure:
    return Procedure.objects.order_by("-version")[:1].get()


def _digest(draft: ProcedureDraft) -> dict[str, Any]:
    return {"sha256": procedure.sha256(draft.spec).hex()}
