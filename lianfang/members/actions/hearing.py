"""Notice of intent and hearing before a revocation; under 5.3 the chance to correct first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from lianfang.accounts import registry
from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, words
from lianfang.members.actions.applying import log_event
from lianfang.members.actions.revoking import locked_revocation
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import REVOCATION
from lianfang.members.models import Revocation, Statement, StatementFile, deadline_fields
from lianfang.members.uploads import Upload
from lianfang.notices.actions import send
from lianfang.policy.facts import Right, Subject
from lianfang.vault.files import store

_LONGEST = 20_000
_MOST_FILES = 10
_GROUND = Bilingual(zh="請選取消的依據。", en="Choose the ground.")
_WRITE = Bilingual(
    zh="請寫下事實，以及會員可以怎麼陳述或改正。", en="State the facts, and what the member may say or correct."
)
_SAY = Bilingual(zh="請寫下陳述。", en="Write your statement.")
_LONG = Bilingual(zh="請縮短到20,000字以內，其餘放在附件。", en="Shorten it to 20,000 characters; attach the rest.")
_FILES = Bilingual(zh="最多{n}個檔案。", en="At most {n} files.")
_KEY = Bilingual(zh="這份表單已經用過。請重新開啟頁面。", en="This form was used already. Open the page anew.")
_NO_NOTICE = Bilingual(zh="目前沒有需要陳述的通知。", en="No notice waits for a statement.")


@action(Tag.MEMBERS_REVOCATION_NOTIFY)
def give_notice(*, case: Revocation, ground: str, text: str, by: Subject, at: datetime) -> Deadline:
    """Tell the member of the intent to revoke, of the ground and the facts, and until when it may answer (N8).

    A second notice has its own limit, which is never shorter than the one before. Raises Refusal without a text.
    """
    locked = locked_revocation(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    if ground not in words.GROUNDS:
        raise Refusal(_GROUND, rule="revocation-ground", field="ground")
    if not text.strip():
        raise Refusal(_WRITE, rule="notice-text", field="text")
    if len(text) > _LONGEST:
        raise Refusal(_LONG, rule="notice-text", field="text")
    REVOCATION.move(locked, "notify", conflict=queries.conflict_of(locked.number, by.person))
    days = int(registry.value("hearing_days", at))
    limit = Deadline.count(event=at, rule="D8", days=days, calendar=calendar_at(at))
    before = locked.notice
    if before is not None and before.last_day > limit.last_day:
        limit = Deadline(
            event=limit.event, rule="D8", days=days, edition=before.edition, last_day=before.last_day,
            ends_at=before.ends_at,
        )  # fmt: skip
    for name, value in deadline_fields(limit, prefix="notice").items():
        setattr(locked, name, value)
    locked.notice_ground, locked.notice_text = ground, text.strip()
    locked.reviewer_id = person_of(by)
    locked.save()
    detail = {"ground": ground, "last_day": limit.last_day.isoformat(), "edition": limit.edition}
    record(by=by, at=at, about=locked, detail=detail, text=text)
    log_event(case=locked.number, event="notified", by=by.person, at=at, detail={})
    _mail(locked, limit, by, at)
    return limit


def _mail(case: Revocation, limit: Deadline, by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    for person in queries.notified(organization_id=organization.pk, at=at):
        send(
            notice="N8",
            to_person=person,
            context={
                "number": case.number,
                "organization_zh": organization.name_zh,
                "organization_en": organization.name_en or organization.name_zh,
                "ground": words.GROUNDS[case.notice_ground],
                "text": case.notice_text,
                "last_day": limit.last_day.isoformat(),
                "link": settings.BASE_URL + "/member/organisation/hearing",
            },
            by=by,
            at=at,
        )


@action(Tag.MEMBERS_STATEMENT_FILE)
def file_statement(
    *, case: Revocation, text: str, files: Sequence[Upload], key: str, by: Subject, at: datetime
) -> Statement:
    """Take in a member's statement at once and stamp it; a late one is kept and marked.

    `key` is the form's one-use key: the same POST again returns the same statement. Raises Refusal without a text,
    without a notice, and once the case was decided.
    """
    locked = locked_revocation(case)
    require(subject=by, right=Right.MANAGE_PEOPLE, target=queries.case_of(locked), at=at)
    known = Statement.objects.filter(key=key).first()
    if known is not None:
        if known.revocation_id != locked.pk:
            raise Refusal(_KEY, rule="statement-key")
        record(by=by, at=at, about=known, detail={"again": True})
        return known
    limit = locked.notice
    if limit is None or locked.state not in ("under_review", "proposed"):
        raise Refusal(_NO_NOTICE, rule="statement-notice", clause="1.4")
    if not text.strip():
        raise Refusal(_SAY, rule="statement-text", field="text")
    if len(text) > _LONGEST:
        raise Refusal(_LONG, rule="statement-text", field="text")
    if len(files) > _MOST_FILES:
        raise Refusal(_FILES.format(n=_MOST_FILES), rule="statement-files", field="files")
    statement = Statement.objects.create(
        revocation=locked, key=key, text=text.strip(), filed_by_id=person_of(by), filed_at=at, late=limit.is_late(at)
    )
    for upload in files:
        _attach(statement, upload, at)
    digests = [upload.sha256.hex() for upload in files]
    detail: dict[str, Any] = {"case": locked.number, "late": statement.late, "files": digests}
    record(by=by, at=at, about=statement, detail=detail, text=text)
    event = "stated_late" if statement.late else "stated"
    log_event(case=locked.number, event=event, by=by.person, at=at, detail={})
    return statement


def _attach(statement: Statement, upload: Upload, at: datetime) -> None:
    key = statement.vault_key
    file = store(key=key, content=upload.content, at=at, name=upload.name, media_type=upload.media_type)
    StatementFile.objects.create(
        vault_key=key,
        statement=statement,
        filename=upload.name,
        media_type=upload.media_type,
        size=len(upload.content),
        sha256=upload.sha256,
        file=file,
    )


@action(Tag.MEMBERS_ATTACHMENT_READ)
def read_statement_file(*, case: Revocation, file_id: UUID, by: Subject, at: datetime) -> StatementFile | None:
    """Return a file of a statement for somebody of the staff, and keep that it was opened."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(case), at=at)
    rows = StatementFile.objects.select_related("file__vault_key", "vault_key")
    file = rows.filter(statement__revocation=case, pk=file_id).first()
    record(by=by, at=at, about=case, detail={"file": str(file_id), "found": file is not None})
    return file
