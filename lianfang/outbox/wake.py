"""Waking the worker. A job is only a hint: the sweep finds whatever a lost hint left behind."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

log = logging.getLogger(__name__)


def hint(task: str, *, lock: str = "", **arguments: str | int) -> None:
    """Ask the worker for a task, unless it was asked already; `lock` tells two askings apart, else the task alone does.

    Never raises: every such task has a sweep that comes by itself.
    """
    try:
        # A clash on the queueing lock aborts the transaction it happens in, so it gets one of its own.
        with transaction.atomic():
            app.configure_task(task, queueing_lock=lock or task).defer(**arguments)
    except AlreadyEnqueued:
        pass
    except (ConnectorException, DatabaseError):
        log.warning("%s: the worker could not be woken; the sweep will", task, exc_info=True)


def drain() -> None:
    """Ask the worker to send what is queued; the sweep comes each minute."""
    hint("outbox.drain")
