"""Taking a mail in, once, and what the staff does with it. A mail decides nothing: people do, on pages of the case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from lianfang.accounts import registry
from lianfang.accounts.doors import require
from lianfang.accounts.queries import person_by_email
from lianfang.audit.actions import action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.mailroom import parse, routes
from lianfang.mailroom.lifecycle import MAIL
from lianfang.mailroom.models import Mail, MailFile, Placement
from lianfang.outbox.actions import bounce
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Right, Subject
from lianfang.vault.actions import shred
from lianfang.vault.files import store
from lianfang.vault.models import StoredFile, SubjectKey

BY = Subject.system("mailroom")
_LONGEST = 4000
_NO_CASE = Bilingual(zh="找不到這個案件。", en="There is no such case.")


def take(*, raw: bytes, at: datetime, envelope_to: Sequence[str] = ()) -> Mail:
    """Take a mail in, whatever it holds; the same one again returns the first, with any further case it is for.

    Two copies that come at the same instant are one too: the second waits for the first and finds it.
    """
    parsed = parse.parse(raw, envelope_to=tuple(envelope_to))
    try:
        return _take(parsed=parsed, raw=raw, size=len(raw), at=at)
    except IntegrityError:
        return _take(parsed=parsed, raw=raw, size=len(raw), at=at)


def take_unread(*, raw: bytes, at: datetime) -> Mail:
    """Take in the bytes alone, for a mail that could not be taken in otherwise."""
    parsed = parse.Parsed("raw", digest(b"raw\x00" + raw), faults=("unreadable",))
    return _take(parsed=parsed, raw=raw, size=len(raw), at=at)


def take_head(*, head: bytes, size: int, at: datetime) -> Mail:
    """Take in the head of a mail that is too large to be fetched; the whole stays on the mail server."""
    return _take(parsed=parse.head_only(head), raw=None, size=size, at=at)


@action(Tag.MAILROOM_MAIL_TAKE)
def _take(*, parsed: parse.Parsed, raw: bytes | None, size: int, at: datetime) -> Mail:
    leads = [found for one in parsed.to if (found := routes.destination(one)) is not None]
    numbers = list(dict.fromkeys(one.case for one in leads if one.case))
    known = Mail.objects.select_for_update(of=("self",)).filter(fingerprint=parsed.fingerprint).first()
    if known is not None:
        further = _place(known, [number for number in numbers if known.kind != "raw"], parsed.kind, at)
        record(by=BY, at=at, about=known, detail={"again": True, "cases": further})
        return known
    mail = _keep(parsed, raw, size, next((one.route for one in leads), ""), at)
    report = _report(parsed, mail, at)
    cases = _place(mail, numbers, mail.kind, at)
    if mail.kind in ("auto", "loop") or report == "delayed":
        MAIL.move(mail, "note")
    elif cases and mail.kind == "mail":
        MAIL.move(mail, "place")
    if numbers and not cases:
        mail.faults = [*mail.faults, "case_full"]
    mail.save(update_fields=["state", "faults", "bounced", "bounced_person"])
    record(
        by=BY, at=at, about=mail,
        detail={
            "kind": mail.kind, "state": mail.state, "route": mail.route, "cases": cases, "bytes": size,
            "files": len(parsed.files), "sha256": bytes(mail.sha256).hex(),
        },
    )  # fmt: skip
    failpoint("mailroom.take.before-commit")
    return mail


def _keep(parsed: parse.Parsed, raw: bytes | None, size: int, route: str, at: datetime) -> Mail:
    key = SubjectKey.make()
    kind = "loop" if _is_own(parsed) else parsed.kind
    mail = Mail.objects.create(
        vault_key=key,
        kind=kind,
        route=route,
        fingerprint=parsed.fingerprint,
        received_at=at,
        sent_at=parsed.sent_at,
        sender=parsed.sender,
        sender_name=parsed.sender_name,
        subject=parsed.subject,
        message_id=parsed.message_id,
        to=list(parsed.to),
        text=parsed.text,
        faults=list(parsed.faults),
        known_person=person_by_email(parsed.sender) if "@" in parsed.sender else None,
        raw=_stored(key, raw, "mail.eml", "message/rfc822", at) if raw is not None else None,
        size=size,
        sha256=digest(raw) if raw is not None else parsed.fingerprint,
    )
    for place, file in enumerate(parsed.files):
        MailFile.objects.create(
            vault_key=key,
            mail=mail,
            place=place,
            filename=file.name,
            media_type=file.media_type,
            size=len(file.content),
            sha256=digest(file.content),
            file=_stored(key, file.content, file.name, file.media_type, at),
        )
    return mail


def _stored(key: SubjectKey, content: bytes, name: str, media_type: str, at: datetime) -> StoredFile:
    return store(key=key, content=content, at=at, name=name, media_type=media_type)


def _is_own(parsed: parse.Parsed) -> bool:
    """Whether one of our own mails came round to us: from our address, or under the id of a mail of ours."""
    if parsed.kind == "bounce":
        return False
    ours = {settings.MAIL_FROM.lower(), settings.INBOUND_ADDRESS.lower()} - {""}
    return parsed.sender in ours or _delivery(parsed.message_id) is not None


def _delivery(message_id: str) -> Delivery | None:
    """Return our mail of this Message-ID. Ids are random: only who had the mail, or carried it, can name one."""
    local, _, domain = message_id.partition("@")
    if domain.lower() != settings.MAIL_FROM.rpartition("@")[2].lower():
        return None
    try:
        return Delivery.objects.select_related("vault_key").filter(pk=UUID(local)).first()
    except ValueError:
        return None


def _report(parsed: parse.Parsed, mail: Mail, at: datetime) -> str:
    """Take a report of non-delivery at its word about a mail of ours: the address is marked, the staff has a task."""
    if parsed.kind != "bounce":
        return ""
    for one in parsed.bounces:
        delivery = _delivery(one.message_id)
        if delivery is None or delivery.to.lower() != one.recipient:
            continue
        mail.bounced, mail.bounced_person_id = delivery, delivery.person_id
        if one.final:
            bounce(delivery.pk, said=f"{one.status} (report)", at=at)
            return "failed"
    return "delayed" if parsed.bounces and not any(one.final for one in parsed.bounces) else ""


def _place(mail: Mail, numbers: Sequence[str], kind: str, at: datetime) -> list[str]:
    """Lay a mail to the cases whose key its addresses hold, as long as a case gets no flood; return where it went."""
    most = int(registry.value("inbound_case_day", at))
    placed = []
    for number in numbers:
        lately = Placement.objects.filter(case=number, by__isnull=True, at__gt=at - timedelta(days=1))
        if Placement.objects.filter(mail=mail, case=number).exists() or lately.count() >= most:
            continue
        # An automatic answer is nothing that somebody must read.
        read = at if kind in ("auto", "bounce", "loop") else None
        Placement.objects.create(mail=mail, case=number, at=at, read_at=read)
        placed.append(number)
    return placed


# What the staff does


@action(Tag.MAILROOM_MAIL_PLACE)
def place(*, mail: Mail, case: str, by: Subject, at: datetime) -> Placement:
    """Lay a mail to a case by one's own judgement. Raises Refusal for a number that no case has."""
    require(subject=by, right=Right.REVIEW, at=at)
    locked = _locked(mail)
    number = case.strip().upper()
    if not routes.case_exists(number):
        raise Refusal(_NO_CASE, rule="mail-case", field="case")
    MAIL.move(locked, "place")
    placement, _ = Placement.objects.get_or_create(
        mail=locked, case=number, defaults={"by_id": by.person, "at": at, "read_by_id": by.person, "read_at": at}
    )
    _handled(locked, "", by, at)
    record(by=by, at=at, about=locked, detail={"case": number})
    return placement


@action(Tag.MAILROOM_MAIL_REJECT)
def reject(*, mail: Mail, why: str, by: Subject, at: datetime) -> None:
    """Reject a mail, as spam or for another reason; nobody is told, and it can be sorted again."""
    _end(mail, "reject", why, by, at)


@action(Tag.MAILROOM_MAIL_SETTLE)
def settle(*, mail: Mail, why: str, by: Subject, at: datetime) -> None:
    """Close a mail that needed something done: a bounced address, a question answered by telephone."""
    _end(mail, "settle", why, by, at)


def _end(mail: Mail, move: str, why: str, by: Subject, at: datetime) -> None:
    require(subject=by, right=Right.REVIEW, at=at)
    locked = _locked(mail)
    MAIL.move(locked, move, why=why)
    _handled(locked, why, by, at)
    record(by=by, at=at, about=locked, text=why)


@action(Tag.MAILROOM_MAIL_REOPEN)
def reopen(*, mail: Mail, by: Subject, at: datetime) -> None:
    """Put a mail back to those that wait to be sorted."""
    require(subject=by, right=Right.REVIEW, at=at)
    locked = _locked(mail)
    MAIL.move(locked, "reopen")
    _handled(locked, "", by, at)
    record(by=by, at=at, about=locked)


@action(Tag.MAILROOM_PLACEMENT_READ)
def mark_read(*, case: str, by: Subject, at: datetime) -> int:
    """Say that the mails of a case were read; they leave the inbox of the staff. Return how many."""
    require(subject=by, right=Right.REVIEW, at=at)
    rows = Placement.objects.filter(case=case, read_at__isnull=True)
    ids = [str(one) for one in rows.select_for_update().values_list("pk", flat=True)]
    rows.update(read_by_id=by.person, read_at=at)
    record(by=by, at=at, about=("members.case", case), detail={"placements": ids})
    return len(ids)


@action(Tag.MAILROOM_MAIL_READ)
def read_file(*, mail: Mail, file_id: UUID | None, by: Subject, at: datetime) -> StoredFile | None:
    """Return an attachment, or without an id the mail as it came, and keep that it was opened.

    Of a mail that lies with a case, for everybody of the staff; of one still to be sorted, for who sorts.
    """
    laid = Placement.objects.filter(mail=mail).exists()
    require(subject=by, right=Right.ENTER_STAFF_PLANE if laid else Right.REVIEW, at=at)
    found: StoredFile | None
    if file_id is None:
        found = mail.raw
    else:
        row = mail.files.select_related("file__vault_key").filter(pk=file_id).first()
        found = row.file if row else None
    record(by=by, at=at, about=mail, detail={"file": str(file_id or "raw"), "found": found is not None})
    return found


def forget_rejected(*, by: Subject, at: datetime) -> int:
    """Destroy the content of rejected mails whose time is over; that they came stays on record. Return how many."""
    before = at - timedelta(days=int(registry.value("inbound_rejected_days", at)))
    rows = Mail.objects.filter(state="rejected", handled_at__lt=before, vault_key__wrapped__isnull=False)
    found = list(rows.select_related("vault_key").order_by("pk")[:500])
    for one in found:
        shred(one.vault_key, by=by, at=at)
    return len(found)


def _handled(mail: Mail, why: str, by: Subject, at: datetime) -> None:
    mail.handled_by_id, mail.handled_at, mail.why = by.person, at, why.strip()[:_LONGEST]
    mail.save(update_fields=["state", "handled_by", "handled_at", "why"])


def _locked(mail: Mail) -> Mail:
    return Mail.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=mail.pk)
