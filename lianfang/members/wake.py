"""Waking the worker for a comparison with official lists. The sweep finds what is due."""

from __future__ import annotations

from django.db import transaction

from lianfang.outbox.wake import hint


def screen() -> None:
    """Ask the worker, once this is committed, to compare every roster that is due."""
    transaction.on_commit(lambda: hint("members.screen", timestamp=0))
