"""An appeal against a revocation: taken in at once, reviewed again by others, decided (charter 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from lianfang.accounts import registry
from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import TAIPEI, taipei, utc
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, wake, words
from lianfang.members.actions.applying import LAST_SECOND, log_event
from lianfang.members.actions.ending import decision_detail, locked_membership, signed_text
from lianfang.members.actions.revoking import decision_of, locked_revocation
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import APPEAL, MEMBERSHIP
from lianfang.members.models import (
    Appeal,
    AppealFile,
    Arrival,
    Constituent,
    Decision,
    MembershipInterval,
    Revocation,
    deadline_fields,
)
from lianfang.members.numbers import next_number
from lianfang.members.uploads import Upload
from lianfang.notices.actions import send
from lianfang.policy.facts import Case, Right, Subject
from lianfang.policy.store import bump_policy
from lianfang.vault.files import store

_LONGEST = 20_000
_MOST_FILES = 10

_TEXT = Bilingual(zh="請寫下申訴的理由。", en="Write the reasons of the appeal.")
_LONG = Bilingual(zh="請縮短到20,000字以內，其餘放在附件。", en="Shorten it to 20,000 characters; attach the rest.")
_FILES = Bilingual(zh="最多{n}個檔案。", en="At most {n} files.")
_KEY = Bilingual(
    zh="這份表單已經用過。請重新開啟申訴頁面。", en="This form was used already. Open the page of the appeal anew."
)
_NO_APPEAL = Bilingual(
    zh="依現行設定，這個依據的取消不能申訴。", en="As settings stand, no appeal lies against this ground."
)
_ENDED = Bilingual(
    zh="會籍目前不是因取消而結束，沒有可以申訴的決定。",
    en="The membership is not ended by a revocation, so there is nothing to appeal.",
)
_REASON = Bilingual(zh="請寫下決定的理由。", en="Give the reasons of the decision.")
_BECAUSE = Bilingual(
    zh="請選恢復的原因：特殊情況或合理解釋（規章1.4）。",
    en="Choose why: special circumstances or a reasonable explanation (Charter 1.4).",
)
_WHAT = Bilingual(zh="請選建議成立或不成立。", en="Recommend to grant or to deny.")
_NOT_REVOKED = Bilingual(zh="這份會籍沒有被取消。", en="This membership was not revoked.")
_DAY = Bilingual(
    zh="請寫送達的日期，不早於取消生效日，不晚於今天。",
    en="Give the day of arrival: not before the revocation took effect, not after today.",
)
_POST = Bilingual(zh="請寫掛號號碼，40字以內。", en="Give the number of the registered post, 40 characters at most.")
_TAKEN = Bilingual(
    zh="這個組織已有另一份有效會籍，不能恢復。", en="The organisation has another membership in force; not restored."
)


@action(Tag.MEMBERS_APPEAL_FILE)
def file_appeal(*, case: Revocation, text: str, files: Sequence[Upload], key: str, by: Subject, at: datetime) -> Appeal:
    """Take in an appeal at once and stamp it; a late one is marked, never refused here.

    `key` is the form's one-use key: the same POST again returns the same appeal. Raises Refusal for an empty text.
    """
    locked = locked_revocation(case)
    known = Appeal.objects.filter(key=key).first()
    if known is not None:
        if known.revocation_id != locked.pk:
            raise Refusal(_KEY, rule="appeal-key")
        record(by=by, at=at, about=known, detail={"again": True})
        return known
    target = Case(id=locked.number, kind="appeal", organization=locked.membership.organization_id, state=locked.state)
    require(subject=by, right=Right.FILE_APPEAL, target=target, at=at)
    _check_appeal(locked, text, files, at)
    appeal = Appeal.objects.create(
        number=next_number("P", at),
        revocation=locked,
        key=key,
        text=text.strip(),
        text_sha256=digest(text.strip()),
        filed_by_id=person_of(by),
        filed_at=at,
        late=locked.is_late(at),
        due_at=_due(at),
    )
    for upload in files:
        _attach(appeal, upload, at)
    digests = [upload.sha256.hex() for upload in files]
    record(by=by, at=at, about=appeal, detail={"case": locked.number, "late": appeal.late, "files": digests}, text=text)
    event = "appealed_late" if appeal.late else "appealed"
    _event(locked, event, by, at)
    log_event(case=appeal.number, event=event, by=by.person, at=at, detail={})
    _mail_appeal(appeal, locked, by, at)
    return appeal


def _check_appeal(case: Revocation, text: str, files: Sequence[Upload], at: datetime) -> None:
    if case.membership.state != "revoked":
        raise Refusal(_ENDED, rule="appeal-ended", clause="1.4")
    if not text.strip():
        raise Refusal(_TEXT, rule="appeal-text", field="text")
    if len(text) > _LONGEST:
        raise Refusal(_LONG, rule="appeal-text", field="text")
    if len(files) > _MOST_FILES:
        raise Refusal(_FILES.format(n=_MOST_FILES), rule="appeal-files", field="files")
    everything = bool(registry.value("appeal_for_all_grounds", at))
    if case.deadline is None or not (everything or case.ground.startswith("1.4")):
        raise Refusal(_NO_APPEAL, rule="appeal-ground", clause="1.4")


def _attach(appeal: Appeal, upload: Upload, at: datetime) -> None:
    key = appeal.vault_key
    file = store(key=key, content=upload.content, at=at, name=upload.name, media_type=upload.media_type)
    AppealFile.objects.create(
        vault_key=key,
        appeal=appeal,
        filename=upload.name,
        media_type=upload.media_type,
        size=len(upload.content),
        sha256=upload.sha256,
        file=file,
    )


def _mail_appeal(appeal: Appeal, case: Revocation, by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    send(
        notice="N10",
        to_person=appeal.filed_by,
        context={
            "number": appeal.number,
            "organization_zh": organization.name_zh,
            "organization_en": organization.name_en or organization.name_zh,
            "received_at": appeal.filed_at,
            "late": appeal.late,
        },
        by=by,
        at=at,
        dedupe=f"N10 {appeal.number}",
    )


@action(Tag.MEMBERS_ATTACHMENT_READ)
def read_appeal_file(*, appeal: Appeal, file_id: UUID, by: Subject, at: datetime) -> AppealFile | None:
    """Return a file of an appeal for somebody of the staff, and keep that it was opened."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(appeal), at=at)
    file = appeal.files.select_related("file__vault_key", "vault_key").filter(pk=file_id).first()
    record(by=by, at=at, about=appeal, detail={"file": str(file_id), "found": file is not None})
    return file


@action(Tag.MEMBERS_APPEAL_GRANT)
def _grant(*, appeal: Appeal, text: str, because: str, basis: str, by: Subject, at: datetime) -> Decision:
    held = locked_membership(appeal.revocation.membership)
    MEMBERSHIP.move(held, "restore", appeal_state=appeal.state)
    held.ended_at = None
    try:
        with transaction.atomic():
            held.save(update_fields=["state", "ended_at"])
    except IntegrityError:
        raise Refusal(_TAKEN, rule="membership-once", clause="1.3") from None
    MembershipInterval.objects.create(membership=held, began_at=at)
    again = _screen_again(appeal.revocation)
    wake.screen()
    decision = _appeal_decision(appeal, text, because, basis, by, at)
    detail = {**decision_detail(decision), "because": because, "screened_again": again}
    record(by=by, at=at, about=appeal, detail=detail, text=signed_text(decision))
    bump_policy()
    return decision


@action(Tag.MEMBERS_APPEAL_DENY)
def _deny(*, appeal: Appeal, text: str, because: str, basis: str, by: Subject, at: datetime) -> Decision:
    decision = _appeal_decision(appeal, text, because, basis, by, at)
    record(by=by, at=at, about=appeal, detail=decision_detail(decision), text=signed_text(decision))
    return decision


@transaction.atomic
def decide_appeal(
    *,
    appeal: Appeal,
    grant: bool,
    because: str = "",
    text: str,
    basis: str = "",
    by: Subject,
    at: datetime,
) -> Decision:
    """Grant (the same membership is restored, the gap stays on record) or deny an appeal, with reasons.

    A restoration names in `because` what the charter allows it for: `special` circumstances or a reasonable
    `explanation` (1.4). Keys stay dead, and constituents come back once they are screened anew. Raises Refusal for
    whoever reviewed or decided the revocation, or reviewed it again. Missed intelligence is not released by this.
    """
    case = locked_revocation(appeal.revocation)
    locked = Appeal.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=appeal.pk)
    locked.revocation = case
    target = queries.case_of(locked)
    require(subject=by, right=Right.DECIDE_APPEAL, target=target, at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    if grant and because not in words.BECAUSE:
        raise Refusal(_BECAUSE, rule="appeal-because", clause="1.4", field="because")
    conflict = queries.conflict_of(locked.number, by.person)
    took_part = target.decided_by | target.reviewed_by
    reviewer = by.person if by.person in took_part else locked.reviewer_id or case.reviewer_id
    APPEAL.move(locked, "grant" if grant else "deny", reviewer=reviewer, decider=by.person, conflict=conflict)
    locked.decided_at = at
    decision = (_grant if grant else _deny)(
        appeal=locked, text=text, because=because if grant else "", basis=basis, by=by, at=at
    )
    locked.save(update_fields=["state", "decided_at"])
    log_event(case=locked.number, event="appeal_granted" if grant else "appeal_denied", by=by.person, at=at, detail={})
    _event(case, "appeal_granted" if grant else "appeal_denied", by, at)
    _mail_appeal_decision(locked, decision, by, at)
    return decision


def _mail_appeal_decision(appeal: Appeal, decision: Decision, by: Subject, at: datetime) -> None:
    organization = appeal.revocation.membership.organization
    for person in queries.notified(organization_id=organization.pk, at=at):
        send(
            notice="N11",
            to_person=person,
            context={
                "number": appeal.number,
                "organization_zh": organization.name_zh,
                "organization_en": organization.name_en or organization.name_zh,
                "letter": Bilingual(zh=decision.letter_zh, en=decision.letter_en),
                "link": settings.BASE_URL + "/home",
            },
            by=by,
            at=at,
        )


def _appeal_decision(appeal: Appeal, text: str, because: str, basis: str, by: Subject, at: datetime) -> Decision:
    number = next_number("D", at)
    organization = appeal.revocation.membership.organization
    letter = words.appeal_letter(
        words.Letter(
            number=number,
            organization=Bilingual(zh=organization.name_zh, en=organization.name_en),
            clause="1.4",
            reasons=[words.BECAUSE[because]] if because else [],
            text=text,
            decided_at=at,
            basis=basis,
        ),
        granted=appeal.state == "granted",
    )
    return decision_of(
        appeal.revocation,
        appeal.state,
        letter,
        text,
        by,
        at,
        number=number,
        appeal=appeal,
        clause="1.4",
        reasons=[because] if because else [],
        reviewed_by_id=appeal.reviewer_id,
        basis=basis.strip(),
    )


@action(Tag.MEMBERS_APPEAL_RECOMMEND)
def recommend_appeal(*, appeal: Appeal, what: str, findings: str, by: Subject, at: datetime) -> None:
    """Send an appeal for decision after a re-review: `grant` or `deny`, with what it found.

    Raises Refusal for whoever reviewed or decided the revocation; who recommends does not decide.
    """
    case = locked_revocation(appeal.revocation)
    locked = Appeal.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=appeal.pk)
    locked.revocation = case
    target = queries.case_of(locked)
    require(subject=by, right=Right.REVIEW, target=target, at=at)
    if what not in ("grant", "deny"):
        raise Refusal(_WHAT, rule="appeal-recommendation", field="what")
    if len(findings) > _LONGEST:
        raise Refusal(_LONG, rule="appeal-findings", field="findings")
    APPEAL.move(
        locked,
        "recommend",
        conflict=queries.conflict_of(locked.number, by.person),
        took_part=by.person in target.decided_by | target.reviewed_by,
        facts=findings,
    )
    locked.reviewer_id, locked.recommendation = person_of(by), what
    locked.findings, locked.recommended_at = findings.strip(), at
    locked.save()
    record(by=by, at=at, about=locked, detail={"recommendation": what}, text=findings)
    log_event(case=locked.number, event="appeal_recommended", by=by.person, at=at, detail={})


# Arrival of the letter: from then the time for an appeal runs (Q6)


@action(Tag.MEMBERS_ARRIVAL_OPEN)
def open_letter(*, case: Revocation, by: Subject, at: datetime) -> bool:
    """Keep that an administrator opened the letter on the exit page, once; return whether that was new."""
    locked = locked_revocation(case)
    require(subject=by, right=Right.VIEW_EXIT, at=at)
    if locked.state != "revoked" or locked.arrivals.filter(how="opened").exists():
        record(by=by, at=at, about=locked, detail={"again": True})
        return False
    _arrived(locked, "opened", at, "", by, at)
    return True


@action(Tag.MEMBERS_ARRIVAL_POST)
def record_post(*, case: Revocation, day: date, reference: str, by: Subject, at: datetime) -> None:
    """Enter the day on which the letter arrived by registered post."""
    locked = locked_revocation(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    if locked.state != "revoked" or locked.decided_at is None:
        raise Refusal(_NOT_REVOKED, rule="arrival-state", clause="1.4")
    if not taipei(locked.decided_at).date() <= day <= taipei(at).date():
        raise Refusal(_DAY, rule="arrival-day", field="day")
    if not reference.strip() or len(reference.strip()) > 40:
        raise Refusal(_POST, rule="arrival-post", field="reference")
    _arrived(locked, "post", utc(datetime.combine(day, time.min, tzinfo=TAIPEI)), reference.strip(), by, at)


def _arrived(case: Revocation, how: str, arrived: datetime, reference: str, by: Subject, at: datetime) -> None:
    """The first proof sets the time running, from the later of effect and arrival; no limit becomes shorter by it."""
    Arrival.objects.create(
        revocation=case, how=how, arrived_at=arrived, reference=reference, by_id=person_of(by), at=at
    )
    before = case.deadline
    if case.awaits_arrival and before is not None and case.decided_at is not None:
        event = max(case.decided_at, arrived)
        counted = Deadline.count(event=event, rule="D1", days=before.days, calendar=calendar_at(at))
        case.appeal_arrived_at = arrived
        if counted.last_day >= before.last_day:
            for name, value in deadline_fields(counted).items():
                setattr(case, name, value)
        case.save()
    last = case.appeal_last_day
    record(by=by, at=at, about=case, detail={"how": how, "last_day": last.isoformat() if last else None})
    log_event(case=case.number, event=f"arrived_{how}", by=by.person, at=at, detail={})


def _due(at: datetime) -> datetime:
    days = int(registry.value("rereview_days", at))
    return Deadline.count(event=at, rule="D8", days=days, calendar=calendar_at(at)).ends_at - LAST_SECOND


def _screen_again(case: Revocation) -> int:
    """Constituents screened before the revocation have no access until they are screened anew; return how many."""
    rows = Constituent.objects.filter(group=case.membership.organization_id, removed_at__isnull=True)
    old = rows.filter(screened_at__lt=case.decided_at).exclude(screening="pending")
    return old.update(screening="pending")


def _event(case: Revocation, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})
