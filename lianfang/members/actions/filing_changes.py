"""A member changes its data: file, confirm by mailbox, withdraw; the staff enters what came by letter (2.4, 5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from lianfang.accounts import registry
from lianfang.accounts.actions import person_enter
from lianfang.accounts.doors import require
from lianfang.accounts.models import Affiliation, Person
from lianfang.accounts.queries import keyed_digest
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.charter.models import Acceptance, DocumentVersion
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changes, changing, queries, roster, wake
from lianfang.members.actions.applying import LAST_SECOND, accepted, log_event
from lianfang.members.actions.naming_contacts import Naming, contact_values
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.checking import check
from lianfang.members.lifecycle import CHANGE, IN_FORCE
from lianfang.members.models import Attestation, CaseNote, ChangeConfirmation, ChangeFile, ChangeRequest, Membership
from lianfang.members.numbers import next_number
from lianfang.members.procedure import Spec, Step
from lianfang.members.uploads import Upload
from lianfang.notices.actions import send
from lianfang.policy.facts import Case, Right, Role, Subject
from lianfang.vault.files import store

MOST_FILES = 10
_LONGEST = 4000
ATTESTED = ("attester_name", "attester_title", "attester_ground", "confirmed")

_OPEN = Bilingual(
    zh="貴組織還有一件異動在處理中，一次只能有一件。請等它結案，或先撤回。",
    en="A change of your organisation is still open, and there is one at a time. Wait for its end, or withdraw it.",
)
_ENDED = Bilingual(zh="會籍不在有效狀態，不能提出異動。", en="The membership is not in force; no change can be filed.")
_KEY = Bilingual(zh="這份表單已經用過。請重新開啟異動頁面。", en="This form was used already. Open the page anew.")
_FILES = Bilingual(zh="最多{n}個檔案。", en="At most {n} files.")
_RECEIVED = Bilingual(zh="請寫收到的日期，不能晚於今天。", en="Give the day of receipt, not later than today.")
_STRANGER = Bilingual(zh="這位人員不是貴組織的管理員或資安聯絡窗口。", en="This person is none of yours to replace.")
_SAME = Bilingual(zh="新的人員和原來的是同一個信箱。", en="The new person has the same address as the former one.")
_LINK = Bilingual(zh="這個連結已經用過或過期。", en="This link was used, or its time is over.")
_WRITE = Bilingual(zh="請寫下內容。", en="Write something.")
_ALL_GO = Bilingual(
    zh="至少要有一位在任的管理員留到新管理員接受邀請為止；請先更換一位。",
    en="One administrator in office stays until a new one has accepted the invitation; replace the others after that.",
)
_REPLACED_TWICE = Bilingual(zh="同一個人不能更換兩次。", en="Nobody is replaced twice.")
_ALREADY_NAMED = Bilingual(
    zh="這個信箱已出現在同一件異動的另一位。", en="This address stands for somebody else in the same request."
)
_ROW = Bilingual(zh="這一列的名稱或統一編號讀不出來。", en="The name or number of this row cannot be read.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Somebody takes the place of an administrator or security contact; `stays` keeps the former one as a member."""

    affiliation: UUID
    new: Mapping[str, str]
    stays: bool = False
    form: str = ""
    """The prefix of the form by which it came, so that a refusal leads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What is asked for. `organization` are the facts as they shall be; what is as before is left out."""

    organization: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[Replacement] = ()
    contacts: Naming = field(default_factory=Naming)
    roster: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    attestation: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    own_reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """How a change came that the staff enters: by mail, on paper, or as the stamped form; with its scan."""

    origin: str
    received_on: date
    scan: Upload


def values_of(*, membership: Membership, filing: Filing, at: datetime) -> dict[str, Any]:
    """Return what a filing changes, old and new, after every check that needs no attestation.

    Raises Refusal naming the field for what is wrong, and for a filing that changes nothing.
    """
    spec = changes.spec_in_force(at)
    before = changes.facts_at(membership, at)
    differing = changing.changed(before, filing.organization)
    for name, reason in changing.faults(spec, before, differing).items() if differing else ():
        raise Refusal(reason, rule="change-field", field=name)
    values: dict[str, Any] = {}
    if differing:
        values["organization"] = differing
    if filing.people:
        values["people"] = _replacements(membership, spec, filing.people, at)
    named = contact_values(membership=membership, naming=filing.contacts, spec=spec, at=at)
    if named:
        values["contacts"] = named
    ops = {name: [dict(one) for one in rows] for name, rows in filing.roster.items() if rows}
    if ops:
        values["roster"] = ops
    changing.require_something(values)
    if ops:
        _check_rows(changes.after(membership, values, at), ops)
    return values


def _check_rows(after: changes.After, ops: Mapping[str, Any]) -> None:
    """Raise Refusal for a new row that cannot be read, and for a roster that would name an organisation twice."""
    for one in changing.new_rows(ops):
        if roster.row_of([one.name, one.ubn]) != one:
            raise Refusal(_ROW, rule="roster-row")
    seen: dict[roster.Row | str, int] = {}
    for place, row in enumerate(after.rows, start=1):
        roster.once(row, place, seen, after.applicant)


def _replacements(
    membership: Membership, spec: Spec, people: Sequence[Replacement], at: datetime
) -> list[dict[str, Any]]:
    """Return who takes whose place: nobody twice, and nobody who is replaced in the same request."""
    found: list[dict[str, Any]] = []
    for one in people:
        try:
            made = _replacement(membership, spec, one, at)
            if any(made["affiliation"] == each["affiliation"] for each in found):
                raise Refusal(_REPLACED_TWICE, rule="change-person", field="replace")
            taken = {each[part]["email"].lower() for each in found for part in ("old", "new")}
            former = {each["new"]["email"] for each in found}
            if made["new"]["email"] in taken or made["old"]["email"].lower() in former:
                raise Refusal(_ALREADY_NAMED, rule="change-person", field="new_email")
        except Refusal as refusal:
            if not one.form:
                raise
            field_ = f"{one.form}-{refusal.field}" if refusal.field else ""
            raise Refusal(refusal.reason, rule=refusal.rule, clause=refusal.clause, field=field_) from None
        found.append(made)
    if len(found) > 1:
        _one_remains(membership, found, at)
    return found


def _one_remains(membership: Membership, people: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Raise Refusal where several go at once and no administrator in office would be left to look after the member.

    The new ones are invited only when the change is applied, and act once they have accepted.
    """
    leaving = {one["affiliation"] for one in people}
    held = changes.people_at(membership.organization_id, at)
    if not any(row.role == Role.MEMBER_ADMIN and str(row.pk) not in leaving for row in held):
        raise Refusal(_ALL_GO, rule="last-administrator", clause="2.4", field="replace")


def _replacement(membership: Membership, spec: Spec, one: Replacement, at: datetime) -> dict[str, Any]:
    held = {row.pk: row for row in changes.people_at(membership.organization_id, at)}
    row = held.get(one.affiliation)
    if row is None:
        raise Refusal(_STRANGER, rule="change-person", field="replace")
    new = {name: str(one.new.get(name, "")).strip() for name in ("name", "title", "email", "phone")}
    new["email"] = new["email"].lower()
    for name, reason in changing.person_faults(spec, new).items():
        raise Refusal(reason, rule="change-person", field=f"new_{name}")
    if new["email"] == row.person.email.lower():
        raise Refusal(_SAME, rule="change-person", field="new_email")
    old = {"name": row.person.name, "email": row.person.email}
    return {"affiliation": str(row.pk), "role": row.role, "stays": one.stays, "old": old, "new": new}


@action(Tag.MEMBERS_CHANGE_FILE)
def file_change(
    *,
    membership: Membership,
    filing: Filing,
    charter_id: UUID,
    privacy_id: UUID,
    key: str,
    files: Sequence[Upload] = (),
    letter: Letter | None = None,
    by: Subject,
    at: datetime,
) -> ChangeRequest:
    """File a change; it accepts the charter and privacy notice in force again (5.2). With `letter` the staff enters it.

    `key` is the form's one-use key: the same POST again returns the same request. Raises Refusal while another request
    of the member is open, for what is wrong with the filing, and without the attestation that its class asks for.
    """
    held = _membership(membership)
    known = ChangeRequest.objects.filter(key=key).first()
    if known is not None:
        if known.membership_id != held.pk:
            raise Refusal(_KEY, rule="change-key")
        record(by=by, at=at, about=known, detail={"again": True})
        return known
    case = Case(kind="change", organization=held.organization_id, state=held.state)
    require(subject=by, right=Right.FILE_CHANGE if letter is None else Right.REVIEW, target=case, at=at)
    if held.state not in IN_FORCE:
        raise Refusal(_ENDED, rule="change-standing", clause="2.4")
    if changes.open_change(held.pk) is not None:
        raise Refusal(_OPEN, rule="change-one-open", clause="2.4")
    charter, privacy = accepted(charter_id, privacy_id, at)
    values = values_of(membership=held, filing=filing, at=at)
    request = _request(held, filing, values, charter, privacy, key, letter, by, at)
    if changing.checks_again(request.risks):
        _attest(request, filing.attestation, charter, at)
    for upload in files[: MOST_FILES + 1]:
        _attach(request, upload, "proof", at)
    if len(files) > MOST_FILES:
        raise Refusal(_FILES.format(n=MOST_FILES), rule="change-files", field="files")
    if letter is not None:
        _attach(request, letter.scan, "scan", at)
    record(by=by, at=at, about=request, detail=_detail(request), text=canonical(request.values).decode())
    _event(request, "change_filed" if letter is None else "change_entered", by, at)
    _accept(request, at)
    _ask(request, by, at)
    _tell(request, by, at)
    wake.screen()
    return request


def _request(
    held: Membership, filing: Filing, values: Mapping[str, Any], charter: DocumentVersion, privacy: DocumentVersion,
    key: str, letter: Letter | None, by: Subject, at: datetime,
) -> ChangeRequest:  # fmt: skip
    if letter is not None and letter.received_on > taipei(at).date():
        raise Refusal(_RECEIVED, rule="change-received", field="received_on")
    risks = changing.risks_of(values)
    limit = Deadline.count(event=at, rule="D8", days=changes.spec_in_force(at).review_days, calendar=calendar_at(at))
    after = changes.after(held, values, at)
    try:
        with transaction.atomic():
            return ChangeRequest.objects.create(
                number=next_number("C", at),
                membership=held,
                origin=letter.origin if letter else ChangeRequest.Origin.PAGE,
                received_on=letter.received_on if letter else None,
                own_reference=filing.own_reference.strip()[:40],
                risks=risks,
                values=values,
                reason=filing.reason.strip()[:_LONGEST],
                roster_hash=after.fingerprint if changing.checks_again(risks) else "",
                key=key,
                charter=charter,
                privacy_notice=privacy,
                filed_by_id=person_of(by),
                submitted_at=at,
                due_at=limit.ends_at - LAST_SECOND,
            )
    except IntegrityError:
        raise Refusal(_OPEN, rule="change-one-open", clause="2.4") from None


def _attest(request: ChangeRequest, given: Mapping[str, Any], charter: DocumentVersion, at: datetime) -> None:
    """Keep the new attestation, over the roster as the change will leave it (charter 1.3)."""
    spec = changes.spec_in_force(at)
    wanted = spec.step("attestation")
    step = Step({**wanted.raw, "fields": [one for one in wanted.raw["fields"] if one["name"] in ATTESTED]})
    # The tick covers the roster of this very request, so its own comparison of fingerprints has nothing to compare.
    for name, reason in check(Step({**step.raw, "id": "attested"}), {}, given, {}).items():
        raise Refusal(reason, rule="change-attestation", clause="1.3", field=name)
    Attestation.objects.create(
        vault_key=request.vault_key,
        application=request.membership.application,
        change=request,
        name=str(given["attester_name"]).strip(),
        title=str(given["attester_title"]).strip(),
        ground=str(given["attester_ground"]),
        charter=charter,
        roster_hash=request.roster_hash,
        text=spec.field("attestation", "confirmed").label.in_language("zh-hant"),
        at=at,
    )


def _attach(request: ChangeRequest, upload: Upload, kind: str, at: datetime) -> None:
    key = request.vault_key
    file = store(key=key, content=upload.content, at=at, name=upload.name, media_type=upload.media_type)
    ChangeFile.objects.create(
        vault_key=key,
        change=request,
        kind=kind,
        filename=upload.name,
        media_type=upload.media_type,
        size=len(upload.content),
        sha256=upload.sha256,
        identity_numbers=upload.identity_numbers,
        file=file,
    )


def _detail(request: ChangeRequest) -> dict[str, Any]:
    values = request.values
    ops = values.get("roster", {})
    return {
        "number": request.number,
        "origin": request.origin,
        "risks": list(request.risks),
        "fields": sorted(values.get("organization", {})),
        "people": len(values.get("people", ())),
        "contacts": {name: sorted(one["purpose"] for one in rows) for name, rows in _named(values)},
        "rows": {name: len(rows) for name, rows in sorted(ops.items())},
        "roster": request.roster_hash,
        "charter": str(request.charter_id),
        "privacy": str(request.privacy_notice_id),
        "files": [bytes(one.sha256).hex() for one in request.files.order_by("id")],
    }


def _named(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(values.get("contacts", {}).items())


def _accept(request: ChangeRequest, at: datetime) -> None:
    for version in (request.charter, request.privacy_notice):
        Acceptance.objects.create(
            document_version=version,
            organization=request.membership.organization,
            at=at,
            context=f"change {request.number}",
        )


# Mailboxes that confirm


def _ask(request: ChangeRequest, by: Subject, at: datetime) -> None:
    """Ask the mailboxes that have to say yes: of a replaced administrator old and new, of a transfer the receiver's."""
    for one in request.values.get("people", ()):
        if one["role"] != Role.MEMBER_ADMIN:
            continue
        former = Affiliation.objects.select_related("person__vault_key").get(pk=one["affiliation"]).person
        new = person_enter(
            name=one["new"]["name"], title=one["new"]["title"], email=one["new"]["email"],
            phone=one["new"]["phone"], by=by, at=at,
        )  # fmt: skip
        _confirmation(request, ChangeConfirmation.Of.OLD, former, by, at)
        _confirmation(request, ChangeConfirmation.Of.NEW, new, by, at)
    receivers = {one["to_ubn"] for one in request.values.get("roster", {}).get("transfer", ())}
    for number in sorted(receivers):
        receiver = Membership.objects.filter(ubn=number, state__in=IN_FORCE).exclude(pk=request.membership_id).first()
        # Who is a member is not told to whoever asks: a number of nobody is taken in like any other.
        if receiver is not None:
            for person in queries.administrators(organization_id=receiver.organization_id, at=at):
                _confirmation(request, ChangeConfirmation.Of.RECEIVER, person, by, at)


def _confirmation(request: ChangeRequest, of: str, person: Person, by: Subject, at: datetime) -> None:
    secret = new_secret()
    made = ChangeConfirmation.objects.create(
        vault_key=person.vault_key,
        change=request,
        of=of,
        email=person.email,
        secret_digest=keyed_digest(secret),
        sent_at=at,
        expires_at=_until(at),
    )
    _mail_link(made, secret, person, by, at)


def _until(at: datetime) -> datetime:
    return at + timedelta(days=int(registry.value("change_confirm_days", at)))


def _mail_link(made: ChangeConfirmation, secret: str, person: Person | None, by: Subject, at: datetime) -> None:
    to: dict[str, Any] = {"to_person": person} if person else {"to_address": made.email}
    send(
        notice="change_confirm",
        context={
            "number": made.change.number,
            **organization_words(made.change),
            "link": settings.BASE_URL + reverse("change_confirm", args=[secret]),
            "expires_at": made.expires_at,
        },
        by=by,
        at=at,
        **to,
    )


@action(Tag.MEMBERS_CHANGE_ASK)
def ask_again(*, confirmation: ChangeConfirmation, by: Subject, at: datetime) -> None:
    """Mail a confirmation again under a new link; the earlier one opens nothing. Raises Refusal once answered."""
    locked = _confirmation_locked(confirmation)
    target = queries.case_of(locked.change)
    staff = by.is_coordinator
    require(subject=by, right=Right.REVIEW if staff else Right.FILE_CHANGE, target=target, at=at)
    if locked.answered_at is not None or locked.change.state in CHANGE.final:
        raise Refusal(_LINK, rule="change-link")
    secret = new_secret()
    locked.secret_digest, locked.sent_at, locked.expires_at = keyed_digest(secret), at, _until(at)
    locked.save(update_fields=["secret_digest", "sent_at", "expires_at"])
    record(by=by, at=at, about=locked.change, detail={"of": locked.of})
    _mail_link(locked, secret, None, by, at)


@action(Tag.MEMBERS_CHANGE_CONFIRM)
def answer_confirmation(*, confirmation: ChangeConfirmation, yes: bool, by: Subject, at: datetime) -> None:
    """Take the answer of whoever reads the mailbox, once. Raises Refusal for a link that was used or is over.

    The caller came by the mailed link, which is all the right it takes; opening it changed nothing.
    """
    locked = _confirmation_locked(confirmation)
    if locked.answered_at is not None or at >= locked.expires_at or locked.change.state in CHANGE.final:
        raise Refusal(_LINK, rule="change-link")
    locked.answered_at, locked.confirmed = at, yes
    locked.save(update_fields=["answered_at", "confirmed"])
    record(by=by, at=at, about=locked.change, detail={"of": locked.of, "yes": yes})
    event = "change_confirmed" if yes else "change_disowned"
    log_event(case=locked.change.number, event=event, by=None, at=at, detail={"of": locked.of})


def _confirmation_locked(confirmation: ChangeConfirmation) -> ChangeConfirmation:
    rows = ChangeConfirmation.objects.select_for_update(of=("self",))
    return rows.select_related("change__membership__organization", "vault_key").get(pk=confirmation.pk)


# Withdraw, write


@action(Tag.MEMBERS_CHANGE_WITHDRAW)
def withdraw_change(*, case: ChangeRequest, by: Subject, at: datetime) -> None:
    """Withdraw a request; what was filed stays on record, and another can be filed."""
    locked = locked_change(case)
    require(subject=by, right=Right.FILE_CHANGE, target=queries.case_of(locked), at=at)
    CHANGE.move(locked, "withdraw")
    locked.decided_at = at
    locked.save(update_fields=["state", "decided_at"])
    record(by=by, at=at, about=locked)
    _event(locked, "change_withdrawn", by, at)


@action(Tag.MEMBERS_CASE_NOTE)
def write_about_change(*, case: ChangeRequest, text: str, by: Subject, at: datetime) -> None:
    """Add a message of the member to its request."""
    require(subject=by, right=Right.FILE_CHANGE, target=queries.case_of(case), at=at)
    if not text.strip():
        raise Refusal(_WRITE, rule="note-text", field="text")
    CaseNote.objects.create(
        vault_key=case.vault_key, case=case.number, to_applicant=True, text=text.strip()[:_LONGEST], by=None, at=at
    )
    record(by=by, at=at, about=case, text=text)


# Shared


def organization_words(case: ChangeRequest) -> dict[str, str]:
    """Return the member's name for a notice in two languages."""
    organization = case.membership.organization
    return {
        "organization_zh": organization.name_zh,
        "organization_en": organization.name_en or organization.name_zh,
    }


def locked_change(case: ChangeRequest) -> ChangeRequest:
    """Lock a request and return it as it is now."""
    rows = ChangeRequest.objects.select_for_update(of=("self",)).select_related(
        "membership__organization", "membership__application__vault_key", "vault_key", "charter"
    )
    return rows.get(pk=case.pk)


def _membership(membership: Membership) -> Membership:
    """Lock a membership: of two filings at once the second sees the first."""
    rows = Membership.objects.select_for_update(of=("self",)).select_related(
        "organization", "application__vault_key", "application__procedure"
    )
    return rows.get(pk=membership.pk)


def _tell(request: ChangeRequest, by: Subject, at: datetime) -> None:
    """Tell whoever gets notices that a change was filed: one of them would notice a stolen account."""
    organization = request.membership.organization_id
    for person in queries.notified(organization_id=organization, at=at):
        send(
            notice="change_filed",
            to_person=person,
            context={
                "number": request.number,
                **organization_words(request),
                "what": [changing.RISKS[risk] for risk in request.risks],
                "link": settings.BASE_URL + reverse("change", args=[request.number]),
            },
            by=by,
            at=at,
        )


def _event(case: ChangeRequest, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})
