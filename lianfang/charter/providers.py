"""What this app needs from apps above it, handed down at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lianfang.accounts.models import Person
from lianfang.kernel.text import Bilingual


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member that is told of a version: its organisation, and whom its notices reach; perhaps nobody."""

    organization: UUID
    name: Bilingual
    people: tuple[Person, ...]


Members = Callable[[datetime], list[Recipient]]

_members: list[Members] = []


def use_members(provider: Members) -> None:
    """Make `provider` the source of every member in force, under review or terminating, with its notice addresses."""
    _members[:] = [provider]


def members(at: datetime) -> list[Recipient]:
    """Return every member that is told of a new version. Raises LookupError when nobody provides them."""
    if not _members:
        raise LookupError("no members are registered with lianfang.charter.providers")
    return _members[0](at)
