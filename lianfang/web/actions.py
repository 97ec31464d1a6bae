"""The one thing that this app writes: how a reader likes pages to look."""

from __future__ import annotations

from datetime import datetime

from lianfang.accounts.models import Account
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.policy.facts import Subject


@action(Tag.WEB_PREFERENCES_KEEP)
def keep_preferences(*, account: Account, theme: str, language: str, by: Subject, at: datetime) -> Account:
    """Keep theme and language with the account, so that they are met again on another device.

    The caller's form has checked that both are known.
    """
    locked = Account.objects.select_for_update().get(pk=account.pk)
    locked.theme, locked.language = theme, language
    locked.save(update_fields=["theme", "language"])
    record(by=by, at=at, about=locked, detail={"theme": theme, "language": language})
    return locked
