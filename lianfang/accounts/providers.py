"""What this app needs from apps above it, handed down at start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from lianfang.accounts.models import Organization

Constituents = Callable[[UUID, datetime], list[Organization]]

_constituents: list[Constituents] = []


def use_constituents(provider: Constituents) -> None:
    """Make `provider(group, at)` the source of a group's constituents whose people may have access."""
    _constituents[:] = [provider]


def constituents(group: UUID, at: datetime) -> list[Organization]:
    """Return the constituents of a group for which its administrators may invite people; none until told."""
    return _constituents[0](group, at) if _constituents else []
