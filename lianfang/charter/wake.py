"""Waking the worker to publish. The sweep of every minute finds what waits."""

from __future__ import annotations

from django.db import transaction

from lianfang.outbox.wake import hint


def publish() -> None:
    """Ask the worker, once this is committed, to publish what was ordered."""
    transaction.on_commit(lambda: hint("charter.publish", timestamp=0))
