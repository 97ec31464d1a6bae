"""Waking the worker. A job is only a hint: the sweep finds whatever a lost hint left behind."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

log = logging.getLogger(__name__)


def drain() -> None:
    """Ask the worker to send what is queued, unless it was asked already. Never raises: the sweep comes each minute."""
    try:
        # A clash on the queueing lock aborts the transaction it happens in, so it gets one of its own.
        with transaction.atomic():
            app.configure_task("outbox.drain", queueing_lock="outbox.drain").defer()
    except AlreadyEnqueued:
        pass
    except (ConnectorException, DatabaseError):
        log.warning("outbox: the worker could not be woken; the sweep will", exc_info=True)
