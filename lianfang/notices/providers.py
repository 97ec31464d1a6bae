"""What notices need from apps above them, handed down at start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lianfang.kernel.text import Bilingual

_privacy: list[Callable[[datetime], Bilingual]] = []


def use_privacy_notice(provider: Callable[[datetime], Bilingual]) -> None:
    """Make `provider` the source of the privacy notice in force; called once, by the app that keeps documents."""
    _privacy[:] = [provider]


def privacy_notice(at: datetime) -> Bilingual:
    """Return the whole privacy notice in force at that instant, as plain text.

    Raises LookupError when nobody provides one: a first contact without it must not leave.
    """
    if not _privacy:
        raise LookupError("no privacy notice is registered with lianfang.notices.providers")
    return _privacy[0](at)
