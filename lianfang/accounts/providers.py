"""What this app needs from apps above it, handed down at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lianfang.accounts.models import Affiliation, Organization
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Subject

Constituents = Callable[[UUID, datetime], list[Organization]]
Acknowledged = Callable[[list[Affiliation]], set[UUID]]


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of the machine doors: the name by which a key is limited to it, id, title, purpose."""

    name: str
    id: str
    title: Bilingual
    description: Bilingual


Collections = Callable[[], list[Collection]]


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whom an organisation names for purposes, with or without an account, as it wrote about him."""

    person: UUID
    name: str
    title: str
    email: str
    phone: str
    purposes: tuple[Bilingual, ...]


NamedBy = Callable[[UUID, datetime], list[Named]]
Departed = Callable[[Affiliation, Subject, datetime], None]

_constituents: list[Constituents] = []
_acknowledged: list[Acknowledged] = []
_collections: list[Collections] = []
_departed: list[Departed] = []
_named: list[NamedBy] = []


def use_constituents(provider: Constituents) -> None:
    """Make `provider(group, at)` the source of a group's constituents whose people may have access."""
    _constituents[:] = [provider]


def constituents(group: UUID, at: datetime) -> list[Organization]:
    """Return the constituents of a group for which its administrators may invite people; none until told."""
    return _constituents[0](group, at) if _constituents else []


def use_acknowledged(provider: Acknowledged) -> None:
    """Make `provider(affiliations)` say for which of them the duty of confidentiality was acknowledged."""
    _acknowledged[:] = [provider]


def acknowledged(affiliations: Iterable[Affiliation]) -> set[UUID]:
    """Return the ids of the affiliations whose duty of confidentiality was acknowledged; none until told."""
    return _acknowledged[0](list(affiliations)) if _acknowledged else set()


def use_collections(provider: Collections) -> None:
    """Make `provider()` say which collections there are that a key can be limited to."""
    _collections[:] = [provider]


def collections() -> list[Collection]:
    """Return the collections that a key can be limited to; none until told."""
    return _collections[0]() if _collections else []


def use_departed(provider: Departed) -> None:
    """Make `provider(affiliation, by, at)` end what else hangs on somebody who leaves, in the same transaction."""
    _departed[:] = [provider]


def departed(affiliation: Affiliation, by: Subject, at: datetime) -> None:
    """Tell the apps above that somebody left; nothing until told."""
    for one in _departed:
        one(affiliation, by, at)


def use_named(provider: NamedBy) -> None:
    """Make `provider(organization, at)` say whom an organisation names for a purpose."""
    _named[:] = [provider]


def named(organization: UUID, at: datetime) -> list[Named]:
    """Return whom an organisation names for a purpose at an instant; nobody until told."""
    return _named[0](organization, at) if _named else []
