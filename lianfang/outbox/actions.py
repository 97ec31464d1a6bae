"""Putting a mail into the outbox, and what becomes of it."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.module_loading import import_string

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.outbox import wake
from lianfang.outbox.lifecycle import DELIVERY, QUEUED, SENT, UNKNOWN
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from lianfang.vault.models import SubjectKey

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""Longer than one mail can take: the mail server answers each of four steps within a minute, or is given up."""
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480, 720, 1440))
"""Waiting times after each temporary refusal, two days in all; then the mail has failed (RFC 5321 §4.5.4.1)."""
_BY = Subject.system("outbox")

# What SMTP can carry to anybody without extensions: one mailbox, no display name, no control character.
_ADDRESS = re.compile(r"[!-9;-?A-Z^-~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")
_LONGEST_ADDRESS = 254
_LINE_BREAK = re.compile(r"[\r\n\x00]")


def enqueue(
    *,
    to: str,
    subject: str,
    body_text: str,
    body_html: str = "",
    kind: str,
    person_id: UUID | None,
    dedupe: str = "",
    not_before: datetime | None = None,
    decide_at_sending: str = "",
    reply_to: str = "",
    key: SubjectKey | None = None,
    at: datetime,
) -> Delivery:
    """Add a mail to the outbox inside the caller's transaction; it leaves after commit, or never if that fails.

    The subject must carry no content: it is shown on lock screens and in logs of mail servers. `dedupe`: a second
    mail with the same text there returns the first delivery. `decide_at_sending`: dotted name of a function
    `(delivery, at) -> bool` asked at the moment of sending; False withholds the mail. `key`: the recipient's, so that
    an erasure takes the mail along. `reply_to`: the address of a case. Raises Refusal (field `to` or `subject`) for
    what no mail header can carry.
    """
    if not deliverable(to):
        raise Refusal(_NO_ADDRESS, rule="mail-address", field="to")
    if _LINE_BREAK.search(subject) or not subject.strip():
        raise Refusal(_NO_SUBJECT, rule="mail-subject", field="subject")
    if dedupe and (known := Delivery.objects.filter(dedupe=dedupe).first()):
        return known
    delivery = Delivery(
        to=to,
        subject=subject,
        body_text=body_text,
        body_html=body_html,
        kind=kind,
        person_id=person_id,
        dedupe=dedupe or None,
        decide_at_sending=decide_at_sending,
        reply_to=reply_to,
        created_at=at,
        not_before=not_before or at,
    )
    if key is not None:
        delivery.vault_key = key
    delivery.save(force_insert=True)
    transaction.on_commit(wake.drain)
    return delivery


def deliverable(address: str) -> bool:
    """Return whether this is one address, in ASCII and no longer than SMTP takes, to which a mail can be sent."""
    return len(address) <= _LONGEST_ADDRESS and _ADDRESS.match(address) is not None


@action(Tag.OUTBOX_DELIVERY_RESEND)
def resend(delivery_id: UUID, *, by: Subject, at: datetime) -> Delivery:
    """Queue a mail again whose fate is unknown or that failed; a person answers for a possible second copy.

    Raises Refusal in any other state.
    """
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    DELIVERY.move(delivery, "resend")
    delivery.attempts, delivery.not_before, delivery.lease_until = 0, at, None
    delivery.save(update_fields=["state", "attempts", "not_before", "lease_until"])
    record(by=by, at=at, about=delivery, detail={"kind": delivery.kind})
    transaction.on_commit(wake.drain)
    return delivery


@action(Tag.OUTBOX_DELIVERY_BOUNCE)
def bounce(delivery_id: UUID, *, said: str, at: datetime) -> Delivery:
    """Mark a mail that a report says could not be delivered as failed; what failed already stays so."""
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=delivery_id)
    new = delivery.state in (SENT, UNKNOWN)
    if new:
        DELIVERY.move(delivery, "bounce")
        changed = ["state"]
        if delivery.vault_key.wrapped is not None:
            delivery.last_answer = said[:300]
            changed.append("last_answer")
        delivery.save(update_fields=changed)
    record(by=_BY, at=at, about=delivery, detail={"kind": delivery.kind, "new": new})
    return delivery


@action(Tag.OUTBOX_DELIVERY_CLAIM)
def claim(*, at: datetime) -> Delivery:
    """Take the mail that is due first and not held by another worker, and decide about it at this moment.

    Returned `sending` it is the caller's for the length of the lease; `withheld`, or `queued` for later when the
    decision itself failed, it is nobody's. Raises Delivery.DoesNotExist when nothing is to be had.
    """
    rows = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("vault_key")
    delivery = rows.filter(state=QUEUED, not_before__lte=at).order_by("not_before", "created_at", "pk").first()
    if delivery is None:
        raise Delivery.DoesNotExist
    tag = _decide(delivery, at)
    delivery.save(update_fields=["state", "lease_until", "not_before"])
    record(by=_BY, at=at, about=delivery, detail={"kind": delivery.kind}, tag=tag)
    return delivery


def _decide(delivery: Delivery, at: datetime) -> Tag:
    try:
        leaves = _may_still_leave(delivery, at)
    except Exception:
        # One mail that cannot be decided about must not stand in the way of all others.
        log.exception("outbox: %s failed for delivery %s", delivery.decide_at_sending, delivery.pk)
        delivery.not_before = at + BACK_OFF[2]
        return Tag.OUTBOX_DELIVERY_RETRY
    if not leaves:
        DELIVERY.move(delivery, "withhold")
        return Tag.OUTBOX_DELIVERY_WITHHOLD
    DELIVERY.move(delivery, "claim")
    delivery.lease_until = at + LEASE
    return Tag.OUTBOX_DELIVERY_CLAIM


def _may_still_leave(delivery: Delivery, at: datetime) -> bool:
    if delivery.vault_key.wrapped is None:
        return False  # the recipient's data were erased meanwhile
    return not delivery.decide_at_sending or bool(import_string(delivery.decide_at_sending)(delivery, at))


def settle(delivery_id: UUID, *, move: str, said: str, at: datetime) -> None:
    """Write down what became of a claimed mail: `send`, `retry`, `fail` or `lose`, with the mail server's words.

    A retry past the last waiting time is a failure. Raises Refusal when the mail is not being sent any more.
    """
    tried = Delivery.objects.values_list("attempts", flat=True).get(pk=delivery_id)
    if move == "retry" and tried >= len(BACK_OFF):
        move = "fail"
    action(_SETTLED[move])(_settle)(delivery_id, move=move, said=said, at=at)


_SETTLED = {
    "send": Tag.OUTBOX_DELIVERY_SEND,
    "retry": Tag.OUTBOX_DELIVERY_RETRY,
    "fail": Tag.OUTBOX_DELIVERY_FAIL,
    "lose": Tag.OUTBOX_DELIVERY_LOSE,
}


def _settle(delivery_id: UUID, *, move: str, said: str, at: datetime) -> None:
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=delivery_id)
    DELIVERY.move(delivery, move)
    delivery.lease_until, changed = None, ["state", "lease_until", "sent_at", "attempts", "not_before"]
    if delivery.vault_key.wrapped is not None:
        delivery.last_answer = said
        changed.append("last_answer")
    if move == "send":
        delivery.sent_at = at
    if move == "retry":
        delivery.not_before = at + BACK_OFF[delivery.attempts]
    if move in ("retry", "fail"):
        delivery.attempts += 1
    delivery.save(update_fields=changed)
    record(by=_BY, at=at, about=delivery, detail={"kind": delivery.kind, "attempts": delivery.attempts})


@action(Tag.OUTBOX_DELIVERY_LOSE)
def lose(delivery_id: UUID, *, at: datetime) -> bool:
    """Mark a mail as `unknown` whose lease ran out; return False when it was settled meanwhile."""
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery_id)
    late = delivery.lease_until is not None and delivery.lease_until < at
    if late:
        DELIVERY.move(delivery, "lose")
        delivery.lease_until = None
        delivery.save(update_fields=["state", "lease_until"])
    record(by=_BY, at=at, about=delivery, detail={"kind": delivery.kind, "lost": late})
    return late


_NO_ADDRESS = Bilingual(
    zh="電子郵件地址的格式不正確。請只填一個地址，例如name@example.org。",
    en="This is not an e-mail address. Give exactly one, such as name@example.org.",
)
_NO_SUBJECT = Bilingual(zh="主旨不可空白，也不可換行。", en="The subject must be one line and not empty.")
