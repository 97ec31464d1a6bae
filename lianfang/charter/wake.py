"""Waking the worker to publish. A job is only a hint: the sweep of every minute finds what waits."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

_log = logging.getLogger(__name__)


def publish() -> None:
    """Ask the worker, once this is committed, to publish what was ordered. Never raises: the sweep comes."""
    transaction.on_commit(_defer)


def _defer() -> None:
    try:
        # A clash on the queueing lock aborts the transaction it happens in, so it gets one of its own.
        with transaction.atomic():
            app.configure_task("charter.publish", queueing_lock="charter.publish").defer(timestamp=0)
    except AlreadyEnqueued:
        pass
    except (ConnectorException, DatabaseError):
        _log.warning("charter: the worker could not be woken; the sweep will", exc_info=True)
