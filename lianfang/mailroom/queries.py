"""What is read about mails that came in."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from lianfang.mailroom.lifecycle import TRIAGE
from lianfang.mailroom.models import Mail, MailboxState, MailFile, Placement

NEWEST = ("-received_at", "id")


def _rows() -> QuerySet[Mail]:
    return Mail.objects.select_related(
        "vault_key", "raw__vault_key", "known_person__vault_key", "bounced__vault_key", "bounced_person__vault_key",
        "handled_by__vault_key",
    )  # fmt: skip


VIEWS: dict[str, Q] = {
    TRIAGE: Q(state=TRIAGE),
    "placed": Q(state="placed"),
    "noted": Q(state="noted"),
    "done": Q(state__in=["rejected", "settled"]),
}


def listing(*, view: str) -> QuerySet[Mail]:
    """Return the mails of one view, newest first."""
    return _rows().filter(VIEWS[view]).prefetch_related("placements").order_by(*NEWEST)


def waiting_count() -> int:
    """Return how many mails wait to be sorted."""
    return Mail.objects.filter(state=TRIAGE).count()


def mail(mail_id: UUID) -> Mail | None:
    """Return one mail with its files and cases."""
    return _rows().prefetch_related("placements", "files__vault_key").filter(pk=mail_id).first()


def file_of(mail: Mail, file_id: UUID) -> MailFile | None:
    """Return an attachment of that mail."""
    return mail.files.select_related("file__vault_key", "vault_key").filter(pk=file_id).first()


def of_case(number: str) -> list[Placement]:
    """Return what was laid to a case, newest first, each with its mail and files."""
    rows = Placement.objects.filter(case=number).select_related(
        "mail__vault_key", "mail__raw__vault_key", "by__vault_key", "read_by__vault_key"
    )
    return list(rows.prefetch_related("mail__files__vault_key").order_by("-at", "pk"))


def unread() -> list[Placement]:
    """Return what was laid to cases and read by nobody, oldest first: it stands in the inbox of the staff."""
    rows = Placement.objects.filter(read_at__isnull=True).select_related("mail__vault_key")
    return list(rows.order_by("at", "pk")[:100])


def bounced() -> list[Mail]:
    """Return the reports about addresses to which a mail came back, as long as nobody has dealt with them."""
    rows = _rows().filter(state=TRIAGE, kind="bounce", bounced__isnull=False)
    return list(rows.order_by("-received_at", "pk")[:100])


def mailbox() -> MailboxState:
    """Return how fetching goes; of a mailbox that was never asked, an empty row that stands nowhere."""
    return MailboxState.objects.filter(pk=1).first() or MailboxState()
