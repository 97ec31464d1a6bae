"""Waking the worker. A job is only a hint: the sweep finds whatever a lost hint left behind."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import DatabaseError, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

_log = logging.getLogger(__name__)


def index(submission: UUID) -> None:
    """Ask the worker to write the search rows of a submission. Never raises: the sweep comes each minute."""
    _defer("intel.index", submission=str(submission))


def open_embargoes() -> None:
    """Ask the worker to open the embargoes that have ended."""
    _defer("intel.open_embargoes")


def _defer(task: str, **arguments: str) -> None:
    try:
        # A clash on the queueing lock aborts the transaction it happens in, so it gets one of its own.
        with transaction.atomic():
            app.configure_task(task, queueing_lock=":".join((task, *arguments.values()))).defer(**arguments)
    except AlreadyEnqueued:
        pass
    except (ConnectorException, DatabaseError):
        _log.warning("intel: the worker could not be woken; the sweep will", exc_info=True)
