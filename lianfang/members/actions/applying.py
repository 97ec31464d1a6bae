"""What an applicant does: begin, save each page, prove the address, send, answer corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from lianfang.accounts import registry
from lianfang.accounts.queries import keyed_digest
from lianfang.audit.actions import JSON, action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.tags import Tag
from lianfang.charter.models import DocumentVersion
from lianfang.charter.queries import in_force
from lianfang.kernel.canonical import canonical
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import digest, new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import pictures, queries, wake
from lianfang.members.calendars import calendar_at
from lianfang.members.checking import check, roster_hash
from lianfang.members.lifecycle import APPLICATION
from lianfang.members.models import Application, Attachment, Attestation, CaseEvent, CaseNote, CorrectionItem
from lianfang.members.numbers import next_number
from lianfang.members.procedure import Spec, Step
from lianfang.members.uploads import Upload
from lianfang.notices.actions import send
from lianfang.policy.facts import Subject
from lianfang.vault.files import erase, store

_CLOSED = Bilingual(zh="這份申請已經送出，不能再改。", en="This application was sent; it cannot be changed any more.")
_EXPIRED = Bilingual(zh="這份草稿已過保存期限。", en="This draft is past the time for which it was kept.")
_CHANGED = Bilingual(
    zh="規章或個人資料告知事項在您閱讀之後有新版。請閱讀新版再同意。",
    en="The charter or the privacy notice changed while you read. Read the new version, then accept.",
)
_NO_CHARTER = Bilingual(
    zh="目前沒有施行中的規章，不能送出申請。", en="No charter is in force, so no application can be sent."
)
_NOT_ASKED = Bilingual(zh="這個欄位沒有被要求補正。", en="No correction was asked for this field.")
_NO_PICTURE = Bilingual(zh="找不到這張圖片。", en="There is no such picture.")
_TOO_MANY = Bilingual(zh="這一項最多{n}個檔案。", en="At most {n} files here.")
_WRITE = Bilingual(zh="請寫下內容。", en="Write something.")
LAST_SECOND = timedelta(seconds=1)


@action(Tag.MEMBERS_APPLICATION_START)
def start(*, values: Mapping[str, Any], language: str, by: Subject, at: datetime) -> Application:
    """Begin a draft from the first page, under the procedure in force, and mail the link to go on with it."""
    procedure = queries.procedure_in_force(at)
    first = Spec(procedure.spec).steps[0]
    faults = check(first, {}, values, {})
    if faults:
        name, reason = next(iter(faults.items()))
        raise Refusal(reason, rule="application-field", field=name)
    secret = new_secret()
    application = Application(
        procedure=procedure,
        language=language,
        email=str(values["email"]).strip().lower(),
        secret=secret,
        secret_digest=keyed_digest(secret),
        answers={first.id: dict(values)},
        steps_done=[first.id],
        kind=str(values.get("kind", "")),
        started_at=at,
        saved_at=at,
        expires_at=_kept_until(at),
    )
    application.save(force_insert=True)
    record(by=by, at=at, about=application, detail={"procedure": procedure.version})
    _mail_link(application, by, at)
    return application


@action(Tag.MEMBERS_APPLICATION_LINK)
def send_link(*, application: Application, by: Subject, at: datetime) -> None:
    """Mail the link again. The address is the draft's own: nobody else can ask it to be sent elsewhere."""
    locked = _locked(application)
    _require_open(locked, at)
    record(by=by, at=at, about=locked)
    _mail_link(locked, by, at)


def _mail_link(application: Application, by: Subject, at: datetime) -> None:
    send(
        notice="email_proof",
        to_address=application.email,
        context={
            "link": settings.BASE_URL + reverse("apply_resume", args=[application.secret]),
            "expires_at": application.expires_at,
        },
        by=by,
        at=at,
        key=application.vault_key,
    )


@action(Tag.MEMBERS_APPLICATION_PROVE)
def prove_email(*, application: Application, by: Subject, at: datetime) -> None:
    """Keep that somebody who reads the applicant's mailbox opened the mailed link. Raises Refusal as `save_step`."""
    locked = _locked(application)
    _require_open(locked, at)
    locked.email_proved_at = locked.email_proved_at or at
    locked.save(update_fields=["email_proved_at"])
    record(by=by, at=at, about=locked)


@action(Tag.MEMBERS_APPLICATION_SAVE)
def save_step(*, application: Application, step: str, values: Mapping[str, Any], by: Subject, at: datetime) -> bool:
    """Keep one page as it was typed, right or wrong; return whether it is complete and right.

    Another address on the first page becomes the draft's own: it has to be proved anew, and the link that was mailed to
    the former one opens nothing any more. Raises Refusal for a draft that was sent or has expired.
    """
    locked = _locked(application)
    _require_open(locked, at)
    spec = queries.spec_of(locked)
    moved = _other_address(locked, spec.step(step), values)
    answers = {**locked.answers, step: _attested(step, dict(values), locked.answers)}
    files = queries.file_counts(locked)
    locked.answers = answers
    # A later page can undo an earlier one: a changed roster voids the attestation.
    seen = {*locked.steps_done, step}
    locked.steps_done = [
        page.id for page in spec.steps if page.id in seen and not check(page, answers, answers.get(page.id, {}), files)
    ]
    complete = step in locked.steps_done
    locked.saved_at, locked.expires_at = at, _kept_until(at)
    _take_over(locked, at)
    if moved:
        locked.email, locked.email_proved_at, locked.secret = moved, None, new_secret()
        locked.secret_digest = keyed_digest(locked.secret)
    locked.save()
    record(by=by, at=at, about=locked, detail={"step": step, "complete": complete, "address": bool(moved)})
    if moved:
        _mail_link(locked, by, at)
    return complete


def _other_address(application: Application, step: Step, values: Mapping[str, Any]) -> str:
    """Return the address that this page gives the draft, or nothing if it is the same, none, or wrong."""
    if not any(field.name == "email" for field in step.fields):
        return ""
    given = str(values.get("email", "")).strip().lower()
    wrong = "email" in check(step, application.answers, values, {})
    return "" if wrong or given == application.email else given


def _attested(step: str, values: dict[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """An attestation covers the roster as it stands at that moment; its fingerprint is kept beside the tick."""
    if step == "attestation":
        values["roster_hash"] = roster_hash(answers) if values.get("confirmed") is True else ""
    return values


def _take_over(application: Application, at: datetime) -> None:
    """Copy what lists and checks need from the sealed answers to columns of their own."""
    organization = application.answers.get("organization", {})
    application.kind = str(application.answers.get("eligibility", {}).get("kind", ""))[:16]
    application.name_zh = str(organization.get("name_zh", "")).strip()[:200]
    application.name_en = str(organization.get("name_en", "")).strip()[:200]
    application.ubn = str(organization.get("ubn", "")).strip()[:8] or None
    fingerprint = roster_hash(application.answers)
    if fingerprint != application.roster_hash:
        application.roster_hash, application.roster_changed_at = fingerprint, at


@action(Tag.MEMBERS_ATTACHMENT_ADD)
def add_attachment(*, application: Application, proof: str, upload: Upload, by: Subject, at: datetime) -> Attachment:
    """Take in a file, sealed under the applicant's key; the same content twice is one attachment."""
    locked = _locked(application)
    _require_editable(locked, "attachments", proof, at)
    present = locked.attachments.filter(proof=proof, removed_at__isnull=True)
    known = present.filter(sha256=upload.sha256).first()
    most = int(queries.spec_of(locked).field("attachments", proof).raw.get("max_files", 5))
    if known is None and present.count() >= most:
        raise Refusal(_TOO_MANY.format(n=most), rule="attachment-count", field=proof)
    attachment = known or _attach(locked, proof, upload, at)
    detail: dict[str, JSON] = {
        "attachment": str(attachment.pk),
        "proof": proof,
        "sha256": upload.sha256.hex(),
        "known": known is not None,
    }
    record(by=by, at=at, about=locked, detail=detail)
    return attachment


def _attach(application: Application, proof: str, upload: Upload, at: datetime) -> Attachment:
    key = application.vault_key
    file = store(key=key, content=upload.content, at=at, name=upload.name, media_type=upload.media_type)
    return Attachment.objects.create(
        vault_key=key,
        application=application,
        proof=proof,
        filename=upload.name,
        media_type=upload.media_type,
        size=len(upload.content),
        sha256=upload.sha256,
        file=file,
        identity_numbers=upload.identity_numbers,
        identity_pages=list(upload.identity_pages),
        uploaded_at=at,
    )


@action(Tag.MEMBERS_ATTACHMENT_REMOVE)
def remove_attachment(*, application: Application, attachment_id: UUID, by: Subject, at: datetime) -> None:
    """Take a file away before it is sent; removing it twice is no error."""
    locked = _locked(application)
    attachment = locked.attachments.select_for_update().filter(pk=attachment_id).first()
    if attachment is not None and attachment.removed_at is None:
        _require_editable(locked, "attachments", attachment.proof, at)
        attachment.removed_at = at
        attachment.save(update_fields=["removed_at"])
    record(by=by, at=at, about=locked, detail={"attachment": str(attachment_id)})


@action(Tag.MEMBERS_ATTACHMENT_MASK)
def mask_attachment(
    *, application: Application, attachment_id: UUID, boxes: tuple[pictures.Box, ...], by: Subject, at: datetime
) -> Attachment:
    """Burn black rectangles into a picture; it takes the place of the original, which is erased.

    Raises Refusal for what is no picture of this application, cannot be opened, or may not change now.
    """
    locked = _locked(application)
    found = locked.attachments.select_for_update(of=("self",)).select_related("file__vault_key", "vault_key")
    attachment = found.filter(pk=attachment_id, removed_at__isnull=True, media_type__in=pictures.KINDS).first()
    if attachment is None:
        raise Refusal(_NO_PICTURE, rule="mask-none")
    _require_editable(locked, "attachments", attachment.proof, at)
    old = attachment.file
    masked = pictures.mask(
        content=old.open().read(), media_type=attachment.media_type, name=attachment.filename, boxes=boxes
    )
    attachment.file = store(
        key=attachment.vault_key, content=masked.content, at=at, name=masked.name, media_type=masked.media_type
    )
    attachment.filename, attachment.media_type = masked.name, masked.media_type
    attachment.size, attachment.sha256 = len(masked.content), masked.sha256
    attachment.save(update_fields=["file", "filename", "media_type", "size", "sha256"])
    erase(old)
    record(
        by=by,
        at=at,
        about=locked,
        detail={"attachment": str(attachment.pk), "rectangles": len(boxes), "sha256": masked.sha256.hex()},
    )
    return attachment


@action(Tag.MEMBERS_APPLICATION_SUBMIT)
def submit(
    *,
    application: Application,
    key: str,
    values: Mapping[str, Any],
    charter_id: UUID,
    privacy_id: UUID,
    by: Subject,
    at: datetime,
) -> Application:
    """Send the application: number, snapshot, attestation, receipt (charter 1.3, 5.2).

    `key` is the form's one-use key: the same POST again returns the application as it was sent. Exactly the charter and
    privacy notice that were shown must be in force. Raises Refusal with what stands against it.
    """
    locked = _locked(application)
    if locked.state != "draft" and locked.submission_key == key:
        record(by=by, at=at, about=locked, detail={"again": True})
        return locked
    _require_open(locked, at)
    charter, privacy = accepted(charter_id, privacy_id, at)
    locked.answers = {**locked.answers, "review": dict(values)}
    _take_over(locked, at)
    APPLICATION.move(
        locked,
        "submit",
        proved=locked.email_proved_at is not None,
        missing=len(queries.missing_of(locked)),
        attested=str(locked.answers.get("attestation", {}).get("roster_hash", "")),
        roster=locked.roster_hash,
    )
    _stamp(locked, key, charter, privacy, at)
    locked.save()
    _attest(locked, charter, at)
    record(by=by, at=at, about=locked, detail=_sent(locked), text=canonical(locked.submitted_form).decode())
    _event(locked, "submitted", at, {"charter": charter.number, "privacy": privacy.number})
    _mail_receipt(locked, by, at)
    wake.screen()
    failpoint("members.submit.before-commit")
    transaction.on_commit(lambda: failpoint("members.submit.after-commit"))
    return locked


def accepted(charter_id: UUID, privacy_id: UUID, at: datetime) -> tuple[DocumentVersion, DocumentVersion]:
    """Return charter and privacy notice in force if they are the ones that were read. Else raises Refusal (5.2)."""
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    if charter is None or privacy is None:
        raise Refusal(_NO_CHARTER, rule="charter-in-force", clause="4.1")
    if (charter.pk, privacy.pk) != (charter_id, privacy_id):
        raise Refusal(_CHANGED, rule="charter-version", clause="5.2", field="accept_charter")
    return charter, privacy


def _stamp(
    application: Application, key: str, charter: DocumentVersion, privacy: DocumentVersion, at: datetime
) -> None:
    limit = Deadline.count(event=at, rule="D8", days=queries.spec_of(application).review_days, calendar=calendar_at(at))
    form = {"answers": application.answers, "files": _listed(application), "procedure": application.procedure.version}
    application.number = next_number("A", at)
    application.submission_key = key
    application.submitted_at = at
    application.submitted_form = form
    application.submitted_sha256 = digest(canonical(form))
    application.charter, application.privacy_notice = charter, privacy
    application.objects_to_electronic_form = application.answers["review"].get("electronic") == "object"
    application.due_at = limit.ends_at - LAST_SECOND


def _listed(application: Application) -> list[dict[str, str]]:
    return [
        {"proof": file.proof, "name": file.filename, "sha256": bytes(file.sha256).hex()}
        for file in queries.files(application)
    ]


def _attest(application: Application, charter: DocumentVersion, at: datetime) -> None:
    """Keep the attestation as a row of its own: who, on what ground, which words, which roster, which charter."""
    given = application.answers["attestation"]
    field = queries.spec_of(application).field("attestation", "confirmed")
    Attestation.objects.create(
        vault_key=application.vault_key,
        application=application,
        name=str(given["attester_name"]).strip(),
        title=str(given["attester_title"]).strip(),
        ground=str(given["attester_ground"]),
        charter=charter,
        roster_hash=application.roster_hash,
        text=field.label.in_language(application.language),
        at=at,
    )


def _sent(application: Application) -> dict[str, Any]:
    return {
        "number": application.number,
        "form": bytes(application.submitted_sha256 or b"").hex(),
        "roster": application.roster_hash,
        "charter": str(application.charter_id),
        "privacy": str(application.privacy_notice_id),
        "objects_to_electronic_form": application.objects_to_electronic_form,
    }


def _mail_receipt(application: Application, by: Subject, at: datetime) -> None:
    send(
        notice="N1",
        to_address=application.email,
        context={
            "number": application.number,
            **organization_words(application),
            "link": case_link(application),
        },
        by=by,
        at=at,
        dedupe=f"N1 {application.number}",
    )


@action(Tag.MEMBERS_APPLICATION_ANSWER)
def answer_corrections(
    *, application: Application, answers: Mapping[UUID, str], changes: Mapping[str, Mapping[str, Any]],
    by: Subject, at: datetime,
) -> None:  # fmt: skip
    """Answer everything that was asked for, on the same fields; `answers` by item, `changes` by step and field.

    Only fields that were asked for change (and the attestation, which a changed roster voids). Raises Refusal.
    """
    locked = _locked(application)
    items = {item.pk: item for item in queries.open_corrections(locked)}
    asked = {(item.step, item.field) for item in items.values()}
    merged = {step: dict(values) for step, values in locked.answers.items()}
    for step, values in changes.items():
        for name, value in values.items():
            # A roster is kept as rows and as typed; an attestation is given again whenever it has to be.
            if (step, "rows" if step == "roster" else name) not in asked and step != "attestation":
                raise Refusal(_NOT_ASKED, rule="correction-field", field=name)
            merged.setdefault(step, {})[name] = value
    before = locked.answers.get("attestation", {})
    if "attestation" in changes:
        merged["attestation"] = _attested("attestation", merged["attestation"], merged)
    locked.answers = merged
    _take_over(locked, at)
    APPLICATION.move(
        locked,
        "answer_correction",
        unanswered=sum(not _is_answered(item, answers, locked, changes) for item in items.values()),
        missing=len(queries.missing_of(locked)),
        attested=str(merged["attestation"].get("roster_hash", "")),
        roster=locked.roster_hash,
    )
    for item in items.values():
        item.answer, item.answered_at = answers.get(item.pk, "").strip(), at
        item.save(update_fields=["answer", "answered_at"])
    _resume(locked, before, at)
    record(by=by, at=at, about=locked, detail={"items": [str(pk) for pk in items], "roster": locked.roster_hash})
    _event(locked, "correction_answered", at, {"items": len(items)})
    wake.screen()


def _is_answered(
    item: CorrectionItem, answers: Mapping[UUID, str], application: Application, changes: Mapping[str, Any]
) -> bool:
    """An item is answered by a word, by another value of its field, or by a file that came since it was asked for."""
    if answers.get(item.pk, "").strip():
        return True
    if item.step == "attachments":
        came = application.attachments.filter(proof=item.field, uploaded_at__gte=item.requested_at)
        return came.filter(removed_at__isnull=True).exists()
    return item.field in changes.get(item.step, {}) and changes[item.step][item.field] != item.old_value


def _resume(application: Application, attested_before: Mapping[str, Any], at: datetime) -> None:
    if application.answers["attestation"] != attested_before:
        charter = in_force(kind="charter", at=at)
        if charter is None:
            raise Refusal(_NO_CHARTER, rule="charter-in-force", clause="4.1")
        _attest(application, charter, at)
    days = queries.spec_of(application).review_days
    limit = Deadline.count(event=at, rule="D8", days=days, calendar=calendar_at(at))
    application.resumed_at, application.due_at = at, limit.ends_at - LAST_SECOND
    application.save()


@action(Tag.MEMBERS_APPLICATION_WITHDRAW)
def withdraw(*, application: Application, by: Subject, at: datetime) -> None:
    """Withdraw a sent application; what was sent stays on record until its retention ends."""
    locked = _locked(application)
    APPLICATION.move(locked, "withdraw")
    locked.decided_at = at
    locked.save(update_fields=["state", "decided_at"])
    record(by=by, at=at, about=locked)
    _event(locked, "withdrawn", at, {})


@action(Tag.MEMBERS_CASE_NOTE)
def write_to_staff(*, application: Application, text: str, by: Subject, at: datetime) -> None:
    """Add a message of the applicant to the case."""
    if not text.strip():
        raise Refusal(_WRITE, rule="note-text", field="text")
    locked = _locked(application)
    CaseNote.objects.create(
        vault_key=locked.vault_key,
        case=locked.number or "",
        to_applicant=True,
        text=text.strip()[:4000],
        by=None,
        at=at,
    )
    record(by=by, at=at, about=locked, text=text)


# Shared with the staff's side


def organization_words(application: Application) -> dict[str, str]:
    """Return the applicant's name for a notice in two languages."""
    return {
        "organization_zh": application.name_zh,
        "organization_en": application.name_en or application.name_zh,
    }


def case_link(application: Application) -> str:
    """Return the absolute address of the applicant's page of its case."""
    return settings.BASE_URL + reverse("apply_case", args=[application.secret])


def log_event(*, case: str, event: str, by: UUID | None, at: datetime, detail: Mapping[str, Any]) -> None:
    """Add a step to a case's timeline; `detail` holds numbers and codes, never what people typed."""
    CaseEvent.objects.create(case=case, event=event, by_id=by, at=at, detail=dict(detail))


def _event(application: Application, event: str, at: datetime, detail: Mapping[str, Any]) -> None:
    log_event(case=application.number or "", event=event, by=None, at=at, detail=detail)


def _locked(application: Application) -> Application:
    rows = Application.objects.select_for_update(of=("self",)).select_related("procedure", "vault_key")
    return rows.get(pk=application.pk)


def _require_open(application: Application, at: datetime) -> None:
    if application.state != "draft":
        raise Refusal(_CLOSED, rule="application-closed")
    if at >= application.expires_at:
        raise Refusal(_EXPIRED, rule="application-expired")


def _require_editable(application: Application, step: str, field: str, at: datetime) -> None:
    """A draft is open; of a case only what was asked for may change."""
    if application.state != "correction_requested":
        _require_open(application, at)
        return
    wanted: Sequence[CorrectionItem] = queries.open_corrections(application)
    if not any(item.step == step and item.field == field for item in wanted):
        raise Refusal(_NOT_ASKED, rule="correction-field", field=field)


def _kept_until(at: datetime) -> datetime:
    return at + timedelta(days=int(registry.value("draft_days", at)))
