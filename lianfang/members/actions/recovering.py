"""New administrators for a member whose own are gone (charter 2.4, docs/adr/0025).

A remaining contact asks by page, or the staff enters a letter with its scan. One reviews the evidence, another decides;
every former contact is told and may object; after the waiting time the new administrators are invited, and those whom
the decision names lose access.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from lianfang.accounts import registry
from lianfang.accounts.actions import depart, invite, person_enter
from lianfang.accounts.doors import require
from lianfang.accounts.models import Affiliation, Person
from lianfang.accounts.queries import canonical_address, keyed_digest
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changes, changing, queries, recovery_queries
from lianfang.members.actions.applying import LAST_SECOND, log_event
from lianfang.members.actions.ending import at_end
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import IN_FORCE, OPEN_RECOVERY, RECOVERY
from lianfang.members.models import Membership, Recovery, RecoveryFile, RecoveryNotice
from lianfang.members.numbers import next_number
from lianfang.members.uploads import Upload
from lianfang.notices.actions import send
from lianfang.policy.facts import Right, Role, Subject
from lianfang.policy.store import bump_policy
from lianfang.vault.files import store

_LONGEST = 20_000
FEWEST = 2
_WHY = Bilingual(zh="請寫下為什麼需要新的管理員。", en="Say why new administrators are needed.")
_TWO = Bilingual(zh="請寫兩位新的管理員，信箱不能相同。", en="Name two new administrators with different addresses.")
_ONE = Bilingual(zh="已有一件管理員更換尚未結案。", en="A case about new administrators is open already.")
_ENDED = Bilingual(zh="會籍不在有效狀態。", en="The membership is not in force.")
_OWN = Bilingual(zh="只有組織自己的聯絡人可以提出。", en="Only a contact of the organisation itself can ask.")
_ADMIN = Bilingual(
    zh="您是管理員，請直接邀請新的管理員。", en="You are an administrator: invite the new ones yourself."
)
_SCAN = Bilingual(zh="請附上證明文件或來信的掃描檔。", en="Attach the proof, or the scan of the letter.")
_RECEIVED = Bilingual(zh="請寫收到的日期，不能晚於今天。", en="Give the day of receipt, not later than today.")
_WHAT = Bilingual(zh="請選建議同意或不同意。", en="Recommend to approve or to refuse.")
_REASON = Bilingual(zh="不同意時，請寫下理由。", en="Give the reasons of a refusal.")
_OBJECT = Bilingual(zh="請寫下為什麼不對。", en="Say what is wrong.")
_STRANGER = Bilingual(zh="這個人不是這個會員的管理員。", en="This person is no administrator of this member.")


@action(Tag.MEMBERS_RECOVERY_FILE)
def ask_recovery(
    *,
    membership: Membership,
    reason: str,
    people: Sequence[Mapping[str, str]],
    files: Sequence[Upload],
    origin: str = "page",
    received_on: date | None = None,
    by: Subject,
    at: datetime,
) -> Recovery:
    """Ask for new administrators, with proof of authority: by a remaining contact, or by the staff from a letter.

    Nobody gets access by it. Raises Refusal naming the field, and while another such case is open.
    """
    held = Membership.objects.select_for_update(of=("self",)).select_related("organization").get(pk=membership.pk)
    if origin == "page":
        _require_contact(held, by, at)
    else:
        require(subject=by, right=Right.REVIEW, at=at)
        if received_on is None or received_on > taipei(at).date():
            raise Refusal(_RECEIVED, rule="recovery-received", field="received_on")
    if held.state not in IN_FORCE:
        raise Refusal(_ENDED, rule="recovery-standing", clause="2.4")
    if not reason.strip():
        raise Refusal(_WHY, rule="recovery-reason", field="reason")
    if not files:
        raise Refusal(_SCAN, rule="recovery-scan", field="scan")
    named = _people(people, at)
    limit = Deadline.count(event=at, rule="D8", days=changes.spec_in_force(at).review_days, calendar=calendar_at(at))
    try:
        with transaction.atomic():
            case = Recovery.objects.create(
                number=next_number("K", at),
                membership=held,
                origin=origin,
                received_on=received_on if origin != "page" else None,
                reason=reason.strip()[:_LONGEST],
                people=named,
                filed_by_id=person_of(by),
                filed_at=at,
                due_at=limit.ends_at - LAST_SECOND,
            )
    except IntegrityError:
        raise Refusal(_ONE, rule="recovery-one-open", clause="2.4") from None
    for upload in files:
        _attach(case, upload, at)
    detail: dict[str, Any] = {"number": case.number, "origin": origin, "people": len(named), "files": _hashes(case)}
    record(by=by, at=at, about=case, detail=detail, text=canonical([case.reason, named]).decode())
    _event(case, "recovery_requested", by, at)
    return case


def _require_contact(held: Membership, by: Subject, at: datetime) -> None:
    require(subject=by, right=Right.ENTER_MEMBERS_PLANE, at=at)
    own = by.pair is not None and by.pair.organization == by.pair.group == held.organization_id
    if not own:
        raise Refusal(_OWN, rule="recovery-own", clause="2.4")
    if by.role is Role.MEMBER_ADMIN:
        raise Refusal(_ADMIN, rule="recovery-administrator", clause="2.4")


def _people(people: Sequence[Mapping[str, str]], at: datetime) -> list[dict[str, str]]:
    spec, named = changes.spec_in_force(at), []
    for place, one in enumerate(people, start=1):
        new = {name: str(one.get(name, "")).strip() for name in ("name", "title", "email", "phone")}
        for name, reason in changing.person_faults(spec, new).items():
            raise Refusal(reason, rule="recovery-person", field=f"admin{place}_{name}")
        named.append({**new, "email": canonical_address(new["email"])})
    if len({one["email"] for one in named}) < FEWEST:
        raise Refusal(_TWO, rule="recovery-two", clause="2.4", field="admin2_email")
    return named


def _attach(case: Recovery, upload: Upload, at: datetime) -> None:
    key = case.vault_key
    file = store(key=key, content=upload.content, at=at, name=upload.name, media_type=upload.media_type)
    RecoveryFile.objects.create(
        vault_key=key,
        recovery=case,
        filename=upload.name,
        media_type=upload.media_type,
        size=len(upload.content),
        sha256=upload.sha256,
        identity_numbers=upload.identity_numbers,
        file=file,
    )


def _hashes(case: Recovery) -> list[str]:
    return [bytes(one.sha256).hex() for one in case.files.order_by("id")]


@action(Tag.MEMBERS_RECOVERY_RECOMMEND)
def recommend_recovery(*, case: Recovery, what: str, findings: str, by: Subject, at: datetime) -> None:
    """Recommend to `grant` or to `refuse`, with how the authority was verified; who does cannot decide."""
    locked = _locked(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    if what not in ("grant", "refuse"):
        raise Refusal(_WHAT, rule="recovery-recommendation", field="what")
    conflict = queries.conflict_of(locked.number, by.person)
    evidence = locked.files.count()
    RECOVERY.move(locked, "recommend", conflict=conflict, findings=findings, evidence=evidence)
    locked.reviewer_id, locked.recommendation, locked.recommended_at = person_of(by), what, at
    locked.findings, locked.decided_by, locked.decided_at = findings.strip()[:_LONGEST], None, None
    locked.save()
    record(by=by, at=at, about=locked, detail={"recommendation": what}, text=findings)
    _event(locked, "recovery_recommended", by, at)


@action(Tag.MEMBERS_RECOVERY_RETURN)
def return_recovery(*, case: Recovery, by: Subject, at: datetime) -> None:
    """Send a case back to its reviewer."""
    locked = _locked(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    RECOVERY.move(locked, "send_back", **_context(locked, by))
    locked.save(update_fields=["state"])
    record(by=by, at=at, about=locked)
    _event(locked, "returned", by, at)


@action(Tag.MEMBERS_RECOVERY_APPROVE)
def approve_recovery(*, case: Recovery, ends: Sequence[UUID], text: str = "", by: Subject, at: datetime) -> datetime:
    """Approve: the waiting time begins, and every contact is told how to object. Return when it is over.

    `ends` are the former administrators who will lose access. The caller has had it signed. Raises Refusal.
    """
    locked = _locked(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    RECOVERY.move(
        locked, "approve", **_context(locked, by), recommendation=locked.recommendation,
        in_force=locked.membership.state in IN_FORCE,
    )  # fmt: skip
    held = {row.pk for row in recovery_queries.administrators(locked, at)}
    if any(one not in held for one in ends):
        raise Refusal(_STRANGER, rule="recovery-ends", field="ends")
    locked.ends = [str(one) for one in ends]
    locked.waits_until = at + timedelta(days=int(registry.value("recovery_wait_days", at)))
    _decided(locked, text, by, at)
    for person in recovery_queries.told(locked, at):
        _notify(locked, person, by, at)
    detail = {
        "ends": locked.ends,
        "waits_until": locked.waits_until.isoformat(),
        "reviewed_by": str(locked.reviewer_id),
    }
    record(by=by, at=at, about=locked, detail=detail, text=text)
    _event(locked, "recovery_approved", by, at)
    return locked.waits_until


@action(Tag.MEMBERS_RECOVERY_REFUSE)
def refuse_recovery(*, case: Recovery, text: str, by: Subject, at: datetime) -> None:
    """Refuse with reasons; everything stays as it is. The caller has had it signed. Raises Refusal."""
    locked = _locked(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    RECOVERY.move(locked, "refuse", **_context(locked, by))
    locked.closed_at = at
    _decided(locked, text, by, at)
    for person in recovery_queries.told(locked, at):
        _tell(locked, person, RECOVERY.states["refused"], by, at)
    record(by=by, at=at, about=locked, detail={"reviewed_by": str(locked.reviewer_id)}, text=text)
    _event(locked, "recovery_refused", by, at)


def _decided(case: Recovery, text: str, by: Subject, at: datetime) -> None:
    case.decided_by_id, case.decided_at, case.decision_text = person_of(by), at, text.strip()[:_LONGEST]
    case.objection = ""
    case.save()


def _notify(case: Recovery, person: Person, by: Subject, at: datetime) -> None:
    secret = new_secret()
    delivery = send(
        notice="recovery",
        to_person=person,
        context={
            "number": case.number,
            **_organization(case),
            "until": case.waits_until,
            "link": settings.BASE_URL + reverse("recovery_object", args=[secret]),
        },
        by=by,
        at=at,
    )
    RecoveryNotice.objects.create(
        vault_key=person.vault_key,
        recovery=case,
        person=person,
        email=person.email,
        secret_digest=keyed_digest(secret),
        sent_at=at,
        delivery=delivery,
    )


@action(Tag.MEMBERS_RECOVERY_OBJECT)
def object_recovery(*, notice: RecoveryNotice, text: str, by: Subject, at: datetime) -> None:
    """Take an objection by the mailed link: nothing is replaced, and the case goes back to review. Raises Refusal."""
    locked = _locked(notice.recovery)
    if not text.strip():
        raise Refusal(_OBJECT, rule="recovery-objection", field="text")
    if notice.sent_at != locked.decided_at:
        # Of an earlier approval: what it was about has been weighed anew since.
        raise Refusal(_OBJECT, rule="recovery-old-link")
    RECOVERY.move(locked, "object", at=at, waits_until=locked.waits_until)
    locked.objection, locked.waits_until = text.strip()[:_LONGEST], None
    locked.save()
    notice.objected_at = at
    notice.save(update_fields=["objected_at"])
    record(by=by, at=at, about=locked, detail={"person": str(notice.person_id)}, text=text)
    log_event(case=locked.number, event="recovery_objected", by=notice.person_id, at=at, detail={})


def finish_recoveries(*, by: Subject, at: datetime) -> int:
    """Finish every case whose waiting time is over; return how many."""
    over = recovery_queries.over(at=at)
    for case in over:
        finish_recovery(case=case, by=by, at=at)
    return len(over)


@action(Tag.MEMBERS_RECOVERY_FINISH)
def finish_recovery(*, case: Recovery, by: Subject, at: datetime) -> None:
    """Invite the new administrators and end the former ones whom the decision names: sessions, keys, invitations.

    Of a membership that ended meanwhile nothing is done. Raises Refusal before the time is over, or once objected.
    """
    locked = _locked(case)
    in_force = locked.membership.state in IN_FORCE
    if not in_force:
        RECOVERY.move(locked, "lapse")
        locked.closed_at = at
        locked.save()
        record(by=by, at=at, about=locked, detail={"lapsed": True})
        return
    RECOVERY.move(locked, "finish", at=at, waits_until=locked.waits_until, in_force=in_force)
    told = recovery_queries.told(locked, at)
    for one in locked.people:
        _new_administrator(locked, one, by, at)
    ended = _end_former(locked, by, at)
    locked.closed_at = at
    locked.save()
    record(by=by, at=at, about=locked, detail={"ended": ended, "invited": len(locked.people)})
    _event(locked, "recovery_done", by, at)
    for person in told:
        _tell(locked, person, RECOVERY.states["done"], by, at)
    bump_policy()


@at_end
def lapse_recoveries(membership: Membership, by: Subject, at: datetime) -> None:
    """Of a membership that ended nobody becomes an administrator."""
    for case in Recovery.objects.filter(membership=membership, state__in=OPEN_RECOVERY).select_related("vault_key"):
        RECOVERY.move(case, "lapse")
        case.closed_at = at
        case.save(update_fields=["state", "closed_at"])
        record(by=by, at=at, about=case, tag=Tag.MEMBERS_RECOVERY_FINISH, detail={"lapsed": True})
        log_event(case=case.number, event="recovery_lapsed", by=None, at=at, detail={})


def _new_administrator(case: Recovery, one: Mapping[str, str], by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    person = person_enter(
        name=one["name"], title=one["title"], email=one["email"], phone=one["phone"], by=by, at=at
    )  # fmt: skip
    there = Affiliation.objects.select_for_update().filter(
        person=person, organization=organization, group=organization, left_at__isnull=True
    )
    known = there.first()
    if known is None:
        invite(person=person, organization=organization, group=organization, role=Role.MEMBER_ADMIN, by=by, at=at)
    elif known.role != Role.MEMBER_ADMIN:
        before, known.role = known.role, Role.MEMBER_ADMIN.value
        known.save(update_fields=["role"])
        detail = {"from": before, "to": known.role}
        record(by=by, at=at, about=known, tag=Tag.ACCOUNTS_AFFILIATION_CHANGE_ROLE, detail=detail)


def _end_former(case: Recovery, by: Subject, at: datetime) -> list[str]:
    """Whoever left or became one of the new administrators meanwhile stays as he is."""
    new = {one["email"] for one in case.people}
    ended = []
    for row in recovery_queries.administrators(case, at):
        if str(row.pk) not in case.ends or canonical_address(row.person.email) in new:
            continue
        tokens = depart(affiliation=row, by=by, at=at, last=True)
        record(by=by, at=at, about=row, tag=Tag.ACCOUNTS_AFFILIATION_LEAVE, detail={"tokens_ended": tokens})
        ended.append(str(row.pk))
    return ended


def _tell(case: Recovery, person: Person, result: Bilingual, by: Subject, at: datetime) -> None:
    context: dict[str, Any] = {"number": case.number, **_organization(case), "what": result}
    send(notice="recovery_result", to_person=person, context=context, by=by, at=at)


def _organization(case: Recovery) -> dict[str, str]:
    organization = case.membership.organization
    return {
        "organization_zh": organization.name_zh,
        "organization_en": organization.name_en or organization.name_zh,
    }


@action(Tag.MEMBERS_ATTACHMENT_READ)
def read_recovery_file(*, case: Recovery, file_id: UUID, by: Subject, at: datetime) -> RecoveryFile | None:
    """Return a file of a case for somebody of the staff, and keep that it was opened."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(case), at=at)
    file = case.files.select_related("file__vault_key", "vault_key").filter(pk=file_id).first()
    record(by=by, at=at, about=case, detail={"file": str(file_id), "found": file is not None})
    return file


def _context(case: Recovery, by: Subject) -> dict[str, Any]:
    return {
        "reviewer": queries.reviewer_beside(case, by.person),
        "decider": by.person,
        "conflict": queries.conflict_of(case.number, by.person),
    }


def _locked(case: Recovery) -> Recovery:
    rows = Recovery.objects.select_for_update(of=("self",)).select_related("vault_key", "membership__organization")
    return rows.get(pk=case.pk)


def _event(case: Recovery, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})
