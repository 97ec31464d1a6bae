"""Waking the worker for a comparison with official lists. A job is only a hint: the sweep finds what is due."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

_log = logging.getLogger(__name__)


def screen() -> None:
    """Ask the worker, once this is committed, to compare every roster that is due. Never raises: the sweep comes."""
    transaction.on_commit(_defer)


def _defer() -> None:
    try:
        # A clash on the queueing lock aborts the transaction it happens in, so it gets one of its own.
        with transaction.atomic():
            app.configure_task("members.screen", queueing_lock="members.screen").defer(timestamp=0)
    except AlreadyEnqueued:
        pass
    except (ConnectorException, DatabaseError):
        _log.warning("members: the worker could not be woken; the sweep will", exc_info=True)
