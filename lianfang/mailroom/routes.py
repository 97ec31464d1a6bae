"""Where a mail goes by its address: a registry that apps above fill, each with what it takes.

A route answers for sub-addresses: the route of cases for `<number>.<key>`, every other one for a word of its own, such
as `changes`. It returns the number of a case, or None: the mail is then sorted by people, under the route's name.
`tests/mailroom/test_routes.py` sends a mail along each one that is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lianfang.kernel.text import Bilingual
from lianfang.outbox import reply


@dataclass(frozen=True, slots=True)
class Route:
    """One way for a mail. `word` is its sub-address; `exists` says of a number whether the route has such a case."""

    name: str
    words: Bilingual
    word: str = ""
    exists: Callable[[str], bool] | None = None
    url: Callable[[str], str] | None = None
    """The page of a case on the staff's plane."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one address leads: a route by its name, and the case if the address holds its key."""

    route: str
    case: str | None = None


ROUTES: dict[str, Route] = {}


def register(route: Route) -> None:
    """Add a route; once, when the apps are ready. Raises ValueError for a name or word that another one has."""
    for known in ROUTES.values():
        if known.name == route.name or (route.word and known.word == route.word):
            raise ValueError(f"the route {route.name} clashes with {known.name}")
    ROUTES[route.name] = route


def destination(address: str) -> Destination | None:
    """Return where a mail to this address goes; None for an address that is not ours."""
    detail = reply.detail_of(address)
    if detail is None:
        return None
    number = reply.case_of(detail) if "." in detail else None
    if number is not None:
        for route in ROUTES.values():
            if route.exists is not None and route.exists(number):
                return Destination(route.name, number)
    for route in ROUTES.values():
        if detail and route.word == detail:
            return Destination(route.name)
    # The centre's own address, a word that nobody answers for, a wrong key: people look at it.
    return Destination("")


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that can be made of a mail, offered beside it: words and an address on the staff's plane."""

    words: Bilingual
    url: str


Hints = Callable[[UUID, UUID | None, datetime], Sequence[Hint]]
_HINTS: list[Hints] = []


def offer(hints: Hints) -> None:
    """Add what an app above can make of a mail: asked with the mail, whose address it names, and the instant."""
    _HINTS.append(hints)


def hints(mail_id: UUID, person_id: UUID | None, at: datetime) -> list[Hint]:
    """Return what can be made of a mail."""
    return [one for ask in _HINTS for one in ask(mail_id, person_id, at)]


def case_url(number: str) -> str:
    """Return the page of a case; empty for a number that no route has."""
    for route in ROUTES.values():
        if route.exists is not None and route.url is not None and route.exists(number):
            return route.url(number)
    return ""


def case_exists(number: str) -> bool:
    """Return whether some route has a case of this number."""
    return any(route.exists is not None and route.exists(number) for route in ROUTES.values())
