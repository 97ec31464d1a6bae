"""Revocation of a membership by two of the staff, and the appeal against it (charter 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from lianfang.accounts import registry
from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.deadlines import TAIWAN_OFFICE, Deadline
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, words
from lianfang.members.actions.applying import LAST_SECOND, log_event
from lianfang.members.actions.ending import decision_detail, end_membership, locked_membership, signed_text
from lianfang.members.actions.terminating import resume_after_review
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import APPEAL, MEMBERSHIP, REVOCATION
from lianfang.members.models import (
    Appeal,
    AppealFile,
    Decision,
    Membership,
    MembershipInterval,
    Revocation,
    deadline_fields,
)
from lianfang.members.numbers import next_number
from lianfang.members.procedure import Spec
from lianfang.members.uploads import Upload
from lianfang.notices.actions import send
from lianfang.policy.facts import Case, Right, Subject
from lianfang.policy.store import bump_policy
from lianfang.vault.files import store

_LONGEST = 20_000
_MOST_FILES = 10

_GROUND = Bilingual(zh="請選取消的依據。", en="Choose the ground.")
_FACTS = Bilingual(zh="請寫下事實。", en="State the facts.")
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
_TAKEN = Bilingual(
    zh="這個組織已有另一份有效會籍，不能恢復。", en="The organisation has another membership in force; not restored."
)


@action(Tag.MEMBERS_REVOCATION_OPEN)
def open_revocation(*, membership: Membership, ground: str, facts: str, by: Subject, at: datetime) -> Revocation:
    """Open a review whether a membership is revoked. Access goes on unchanged until a decision."""
    held = locked_membership(membership)
    require(subject=by, right=Right.REVIEW, target=Case(kind="membership", organization=held.organization_id), at=at)
    _check(ground, facts)
    MEMBERSHIP.move(held, "open_review")
    held.save(update_fields=["state"])
    days = Spec(queries.procedure_in_force(at).spec).review_days
    limit = Deadline.count(event=at, rule="D8", days=days, calendar=TAIWAN_OFFICE)
    case = Revocation.objects.create(
        number=next_number("R", at),
        membership=held,
        ground=ground,
        facts=facts.strip(),
        opened_at=at,
        reviewer_id=person_of(by),
        due_at=limit.ends_at - LAST_SECOND,
    )
    record(by=by, at=at, about=case, detail={"membership": str(held.pk), "ground": ground}, text=facts)
    _event(case, "opened", by, at)
    bump_policy()
    return case


@action(Tag.MEMBERS_REVOCATION_PROPOSE)
def propose(*, case: Revocation, ground: str, facts: str, by: Subject, at: datetime) -> None:
    """Send a case for decision with its ground and facts; who sends it is its reviewer and cannot decide it."""
    locked = _locked(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    _check(ground, facts)
    locked.ground, locked.facts = ground, facts.strip()
    REVOCATION.move(locked, "propose", conflict=_conflict(locked.number, by), facts=locked.facts)
    locked.reviewer_id, locked.proposed_at = person_of(by), at
    locked.save()
    record(by=by, at=at, about=locked, detail={"ground": ground}, text=facts)
    _event(locked, "proposed", by, at)


@action(Tag.MEMBERS_REVOCATION_RETURN)
def send_back(*, case: Revocation, by: Subject, at: datetime) -> None:
    """Send a case back to its reviewer."""
    locked = _locked(case)
    require(subject=by, right=Right.REVOKE, target=queries.case_of(locked), at=at)
    REVOCATION.move(locked, "send_back", **_context(locked, by))
    locked.save(update_fields=["state"])
    record(by=by, at=at, about=locked)
    _event(locked, "returned", by, at)


@action(Tag.MEMBERS_REVOCATION_CLOSE)
def close_case(*, case: Revocation, text: str, by: Subject, at: datetime) -> Decision:
    """Decide that the membership stays."""
    locked = _locked(case)
    require(subject=by, right=Right.REVOKE, target=queries.case_of(locked), at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    REVOCATION.move(locked, "close", **_context(locked, by))
    held = locked_membership(locked.membership)
    MEMBERSHIP.move(held, "close_review")
    resume_after_review(membership=held)
    held.save(update_fields=["state"])
    locked.decided_at = at
    locked.save(update_fields=["state", "decided_at"])
    letter = Bilingual(zh=text.strip(), en=text.strip())
    decision = _decision(locked, "keep", letter, text, by, at)
    record(by=by, at=at, about=locked, detail=decision_detail(decision), text=text)
    _event(locked, "closed", by, at)
    bump_policy()
    return decision


@action(Tag.MEMBERS_REVOCATION_DECIDE)
def revoke(*, case: Revocation, text: str = "", by: Subject, at: datetime) -> Decision:
    """Revoke the membership, effective at this very instant (charter 1.4, 2.3, 5.3).

    Sessions and tokens of the organisation and its constituents end; its administrators are told ground, effect and
    the last day of appeal (N9). The caller has had the decision signed. Raises Refusal for whoever reviewed the case.
    """
    locked = _locked(case)
    require(subject=by, right=Right.REVOKE, target=queries.case_of(locked), at=at)
    REVOCATION.move(locked, "revoke", **_context(locked, by))
    held = locked_membership(locked.membership)
    MEMBERSHIP.move(held, "revoke")
    deadline = _appeal_limit(at)
    locked.decided_at = at
    for name, value in deadline_fields(deadline).items():
        setattr(locked, name, value)
    locked.save()
    letter = revocation_letter(locked, number := next_number("D", at), text, deadline, at)
    decision = _decision(locked, "revoke", letter, text, by, at, number=number)
    record(by=by, at=at, about=locked, detail=decision_detail(decision), text=signed_text(decision))
    _event(locked, "revoked", by, at)
    end_membership(membership=held, by=by, at=at)
    _mail_revocation(locked, decision, deadline, by, at)
    bump_policy()
    return decision


def preview_revocation(*, case: Revocation, text: str, at: datetime) -> Bilingual:
    """Return the letter as it would be sent; the number is given when it is signed."""
    deadline = _appeal_limit(at)
    return revocation_letter(case, "（簽署時編號）", text, deadline, at)


def _appeal_limit(at: datetime) -> Deadline:
    days = int(registry.value("appeal_days", at))
    return Deadline.count(event=at, rule="D1", days=days, calendar=TAIWAN_OFFICE)


def revocation_letter(case: Revocation, number: str, text: str, deadline: Deadline, at: datetime) -> Bilingual:
    """Return the letter of a revocation as it is, or would be, sent."""
    organization = case.membership.organization
    return words.revocation_letter(
        words.Letter(
            number=number,
            organization=Bilingual(zh=organization.name_zh, en=organization.name_en),
            clause=case.ground.rstrip("ab"),
            reasons=[words.GROUNDS[case.ground]],
            text="\n".join(part for part in (case.facts, text.strip()) if part),
            decided_at=at,
            appeal_last_day=deadline.last_day,
        )
    )


def _mail_revocation(case: Revocation, decision: Decision, deadline: Deadline, by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    for person in queries.administrators(organization_id=organization.pk, at=at):
        send(
            notice="N9",
            to_person=person,
            context={
                "number": case.number,
                "organization_zh": organization.name_zh,
                "organization_en": organization.name_en or organization.name_zh,
                "effective_at": decision.effective_at,
                "letter": Bilingual(zh=decision.letter_zh, en=decision.letter_en),
                "appeal_last_day": deadline.last_day.isoformat(),
                "link": settings.BASE_URL + "/exit",
            },
            by=by,
            at=at,
        )


# Appeals


@action(Tag.MEMBERS_APPEAL_FILE)
def file_appeal(*, case: Revocation, text: str, files: Sequence[Upload], key: str, by: Subject, at: datetime) -> Appeal:
    """Take in an appeal at once and stamp it; a late one is marked, never refused here.

    `key` is the form's one-use key: the same POST again returns the same appeal. Raises Refusal for an empty text.
    """
    locked = _locked(case)
    known = Appeal.objects.filter(key=key).first()
    if known is not None:
        if known.revocation_id != locked.pk:
            raise Refusal(_KEY, rule="appeal-key")
        record(by=by, at=at, about=known, detail={"again": True})
        return known
    target = Case(id=locked.number, kind="appeal", organization=locked.membership.organization_id, state=locked.state)
    require(subject=by, right=Right.FILE_APPEAL, target=target, at=at)
    deadline = _check_appeal(locked, text, files, at)
    appeal = Appeal.objects.create(
        number=next_number("P", at),
        revocation=locked,
        key=key,
        text=text.strip(),
        text_sha256=digest(text.strip()),
        filed_by_id=person_of(by),
        filed_at=at,
        late=deadline.is_late(at),
    )
    for upload in files:
        _attach(appeal, upload, at)
    digests = [upload.sha256.hex() for upload in files]
    record(by=by, at=at, about=appeal, detail={"case": locked.number, "late": appeal.late, "files": digests}, text=text)
    _event(locked, "appealed_late" if appeal.late else "appealed", by, at)
    _mail_appeal(appeal, locked, by, at)
    return appeal


def _check_appeal(case: Revocation, text: str, files: Sequence[Upload], at: datetime) -> Deadline:
    if case.membership.state != "revoked":
        raise Refusal(_ENDED, rule="appeal-ended", clause="1.4")
    if not text.strip():
        raise Refusal(_TEXT, rule="appeal-text", field="text")
    if len(text) > _LONGEST:
        raise Refusal(_LONG, rule="appeal-text", field="text")
    if len(files) > _MOST_FILES:
        raise Refusal(_FILES.format(n=_MOST_FILES), rule="appeal-files", field="files")
    deadline = case.deadline
    everything = bool(registry.value("appeal_for_all_grounds", at))
    if deadline is None or not (everything or case.ground.startswith("1.4")):
        raise Refusal(_NO_APPEAL, rule="appeal-ground", clause="1.4")
    return deadline


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
def _grant(*, appeal: Appeal, text: str, by: Subject, at: datetime) -> Decision:
    held = locked_membership(appeal.revocation.membership)
    MEMBERSHIP.move(held, "restore", appeal_state=appeal.state)
    held.ended_at = None
    try:
        with transaction.atomic():
            held.save(update_fields=["state", "ended_at"])
    except IntegrityError:
        raise Refusal(_TAKEN, rule="membership-once", clause="1.3") from None
    MembershipInterval.objects.create(membership=held, began_at=at)
    decision = _appeal_decision(appeal, text, by, at)
    record(by=by, at=at, about=appeal, detail=decision_detail(decision), text=signed_text(decision))
    bump_policy()
    return decision


@action(Tag.MEMBERS_APPEAL_DENY)
def _deny(*, appeal: Appeal, text: str, by: Subject, at: datetime) -> Decision:
    decision = _appeal_decision(appeal, text, by, at)
    record(by=by, at=at, about=appeal, detail=decision_detail(decision), text=signed_text(decision))
    return decision


@transaction.atomic
def decide_appeal(*, appeal: Appeal, grant: bool, text: str, by: Subject, at: datetime) -> Decision:
    """Grant (the same membership is restored, the gap stays on record) or deny an appeal, with reasons.

    Raises Refusal for whoever reviewed or decided the revocation. Missed intelligence is not released by this.
    """
    case = _locked(appeal.revocation)
    locked = Appeal.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=appeal.pk)
    locked.revocation = case
    target = queries.case_of(locked)
    require(subject=by, right=Right.DECIDE_APPEAL, target=target, at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    conflict = _conflict(locked.number, by)
    took_part = target.decided_by | target.reviewed_by
    reviewer = by.person if by.person in took_part else case.reviewer_id
    APPEAL.move(locked, "grant" if grant else "deny", reviewer=reviewer, decider=by.person, conflict=conflict)
    locked.decided_at = at
    decision = (_grant if grant else _deny)(appeal=locked, text=text, by=by, at=at)
    locked.save(update_fields=["state", "decided_at"])
    _event(case, "appeal_granted" if grant else "appeal_denied", by, at)
    _mail_appeal_decision(locked, decision, by, at)
    return decision


def _mail_appeal_decision(appeal: Appeal, decision: Decision, by: Subject, at: datetime) -> None:
    organization = appeal.revocation.membership.organization
    for person in queries.administrators(organization_id=organization.pk, at=at):
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


def _appeal_decision(appeal: Appeal, text: str, by: Subject, at: datetime) -> Decision:
    number = next_number("D", at)
    organization = appeal.revocation.membership.organization
    letter = words.appeal_letter(
        words.Letter(
            number=number,
            organization=Bilingual(zh=organization.name_zh, en=organization.name_en),
            clause="1.4",
            reasons=[],
            text=text,
            decided_at=at,
        ),
        granted=appeal.state == "granted",
    )
    return _decision(appeal.revocation, appeal.state, letter, text, by, at, number=number, appeal=appeal, clause="1.4")


# Shared


def _decision(
    case: Revocation, kind: str, letter: Bilingual, text: str, by: Subject, at: datetime, **fields: Any
) -> Decision:
    return Decision.objects.create(
        vault_key=case.vault_key,
        number=fields.pop("number", None) or next_number("D", at),
        kind=kind,
        revocation=case,
        membership=case.membership,
        clause=fields.pop("clause", case.ground),
        reasons=[case.ground],
        reason_text=text.strip(),
        reviewed_by_id=case.reviewer_id,
        decided_by_id=person_of(by),
        decided_at=at,
        effective_at=at,
        letter_zh=letter.zh,
        letter_en=letter.en,
        text_sha256=digest(f"{letter.zh}\n{letter.en}"),
        **fields,
    )


def _check(ground: str, facts: str) -> None:
    if ground not in words.GROUNDS:
        raise Refusal(_GROUND, rule="revocation-ground", field="ground")
    if not facts.strip():
        raise Refusal(_FACTS, rule="revocation-facts", field="facts")


def _context(case: Revocation, by: Subject) -> dict[str, Any]:
    reviewer = queries.reviewer_beside(case, by.person)
    return {"reviewer": reviewer, "decider": by.person, "conflict": _conflict(case.number, by)}


def _conflict(number: str, by: Subject) -> bool | None:
    return queries.conflict_of(number, by.person)


def _event(case: Revocation, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})


def _locked(case: Revocation) -> Revocation:
    rows = Revocation.objects.select_for_update(of=("self",)).select_related("membership__organization", "vault_key")
    return rows.get(pk=case.pk)
