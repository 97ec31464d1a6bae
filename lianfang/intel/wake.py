"""Waking the worker for search rows and embargoes. The sweep comes each minute."""

from __future__ import annotations

from uuid import UUID

from lianfang.outbox.wake import hint


def index(submission: UUID) -> None:
    """Ask the worker to write the search rows of a submission."""
    hint("intel.index", lock=f"intel.index:{submission}", submission=str(submission))


def open_embargoes() -> None:
    """Ask the worker to open the embargoes that have ended."""
    hint("intel.open_embargoes")
