"""Drafts that nobody sent in time: expired and erased (charter 1.3, retention of the privacy notice)."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from uuid import UUID

from lianfang.audit.actions import action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.lifecycle import APPLICATION
from lianfang.members.models import Application, LegalHold
from lianfang.policy.facts import Subject
from lianfang.vault.actions import shred
from lianfang.vault.models import StoredFile

log = logging.getLogger(__name__)
_BATCH = 500
_LONGEST_ID = 36
_HELD = Bilingual(zh="這個案件在保全中，不能刪除。", en="The case is under legal hold; nothing of it is erased.")


def erase_expired_drafts(*, by: Subject, at: datetime) -> int:
    """Erase every draft whose time is over at that instant; return how many that were. May be repeated at any time."""
    held = LegalHold.objects.filter(lifted_at__isnull=True).values_list("case", flat=True)
    due = Application.objects.filter(state="draft", expires_at__lte=at).order_by("expires_at")
    # Left out here as well, so that many held drafts do not fill a batch.
    due = due.exclude(pk__in=[case for case in held if len(case) == _LONGEST_ID])
    return sum(_erased(pk, by=by, at=at) for pk in list(due.values_list("pk", flat=True)[:_BATCH]))


def _erased(application_id: UUID, *, by: Subject, at: datetime) -> bool:
    try:
        erase_draft(application_id=application_id, by=by, at=at)
    except Refusal:
        return False  # saved again, or sent, since it was found
    except Exception:
        # One draft that cannot be erased must not keep all others from it.
        log.exception("members: draft %s could not be erased; the next run tries again", application_id)
        return False
    return True


@action(Tag.MEMBERS_APPLICATION_ERASE)
def erase_draft(*, application_id: UUID, by: Subject, at: datetime) -> None:
    """Erase what an expired draft holds: everything typed, its files, its mails, and the key that sealed them.

    What stays are dates, which pages were complete and how many files there were, so that the mailed link can say it.
    Raises Refusal before the draft's time is over, and for what is no draft.
    """
    rows = Application.objects.select_for_update(of=("self",)).select_related("vault_key")
    draft = rows.get(pk=application_id)
    if queries.held(str(application_id)) or queries.held(draft.number or ""):
        raise Refusal(_HELD, rule="hold", clause="4.3")
    APPLICATION.move(draft, "expire", at=at, kept_until=draft.expires_at)
    draft.erased_at, draft.erased_files = at, draft.attachments.filter(removed_at__isnull=True).count()
    draft.email = draft.secret = ""
    draft.answers = {}
    draft.kind = draft.name_zh = draft.name_en = draft.roster_hash = ""
    draft.ubn = draft.roster_changed_at = None
    draft.save()
    files = [attachment.file for attachment in draft.attachments.select_related("file")]
    draft.attachments.all().delete()
    StoredFile.objects.filter(pk__in=[file.pk for file in files]).delete()
    # Before the commit: a crash in between leaves rows whose files are gone, which the next run removes, and never
    # files that no row names. Nobody can open a draft's file any more, since its time is over.
    for file in files:
        Path(file.path).unlink(missing_ok=True)
    shred(draft.vault_key, by=by, at=at)
    record(by=by, at=at, about=draft, detail={"files": draft.erased_files, "pages": len(draft.steps_done)})
    failpoint("members.erase.before-commit")
