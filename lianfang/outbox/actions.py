"""Putting a mail into the outbox, and what becomes of it."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.outbox import wake
from lianfang.outbox.lifecycle import DELIVERY
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from lianfang.vault.models import SubjectKey

# What SMTP can carry to anybody without extensions: one mailbox, no display name, no control character.
_ADDRESS = re.compile(r"[!-9;-?A-Z^-~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")
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
    key: SubjectKey | None = None,
    at: datetime,
) -> Delivery:
    """Add a mail to the outbox inside the caller's transaction; it leaves after commit, or never if that fails.

    The subject must carry no content: it is shown on lock screens and in logs of mail servers. `dedupe`: a second
    mail with the same text there returns the first delivery. `decide_at_sending`: dotted name of a function
    `(delivery, at) -> bool` asked at the moment of sending; False withholds the mail. `key`: the recipient's, so that
    an erasure takes the mail along. Raises Refusal (field `to` or `subject`) for what no mail header can carry.
    """
    if not _ADDRESS.match(to):
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
        created_at=at,
        not_before=not_before or at,
    )
    if key is not None:
        delivery.vault_key = key
    delivery.save(force_insert=True)
    transaction.on_commit(wake.drain)
    return delivery


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


_NO_ADDRESS = Bilingual(
    zh="電子郵件地址的格式不正確。請只填一個地址，例如name@example.org。",
    en="This is not an e-mail address. Give exactly one, such as name@example.org.",
)
_NO_SUBJECT = Bilingual(zh="主旨不可空白，也不可換行。", en="The subject must be one line and not empty.")
