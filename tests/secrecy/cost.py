"""What an answer costs: its statements, and pairs of a hidden and an absent id for every address that holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

import psycopg

from tests.exchange.stage import forget
from tests.secrecy import doors
from tests.secrecy.play import Answer, Ask, Stagehand

_SAVEPOINT = re.compile(r'"s\d+_x\d+"')
_CURSOR = re.compile(r"_django_curs_\w+")


@contextmanager
def statements(*, rows: bool = False) -> Iterator[list[str]]:
    """Gather the text of every statement of this process, whichever way it is sent; values stand beside it.

    With `rows` each has before it how many rows it gave: what is loaded to be thrown away takes time, too.
    """
    found: list[str] = []

    def listening(name: str, method: Any) -> Any:
        def call(self: Any, query: Any, *more: Any, **named: Any) -> Any:
            text = query.as_string(self) if hasattr(query, "as_string") else query
            plain = text.decode() if isinstance(text, bytes) else str(text)
            place = len(found)
            found.append(_CURSOR.sub("CURSOR", _SAVEPOINT.sub("SAVEPOINT", " ".join(plain.split()))))
            result = method(self, query, *more, **named)
            if rows:
                found[place] = f"{self.rowcount} rows: {found[place]}"
            return result

        return call

    with (
        mock.patch.object(psycopg.Cursor, "execute", listening("execute", psycopg.Cursor.execute)),
        mock.patch.object(psycopg.Cursor, "executemany", listening("executemany", psycopg.Cursor.executemany)),
        mock.patch.object(psycopg.Cursor, "copy", listening("copy", psycopg.Cursor.copy)),
        mock.patch.object(psycopg.ServerCursor, "execute", listening("execute", psycopg.ServerCursor.execute)),
    ):
        yield found


@dataclass(frozen=True)
class Pair:
    """The same question about something hidden and about something that does not exist."""

    name: str
    hidden: Ask
    absent: Ask
    value: str
    instead: str

    @property
    def own_plane(self) -> bool:
        """Whether it lies where a member, or its machine, works."""
        return self.hidden.path.startswith(("/member", "/case-files", "/taxii2"))


FORMS: dict[str, tuple[tuple[str, Any], ...]] = {
    "intel_download": (("purpose", "research"),),
    "intel_recall": (("reason", "誤報"),),
    "intel_label": (("tlp", "RED"), ("audience", "keep"), ("confirm", "1")),
    "intel_release": (("tlp", "AMBER"), ("audience", "coordinator_only")),
    "staff_intel_recall": (("reason", "誤報"),),
}
"""What is typed into the form behind an address, where an empty one would be refused before anything is looked up."""


def pairs(hand: Stagehand) -> list[Pair]:
    """Every address with a parameter: all that is hidden from the observer, each beside the absent."""
    known, found = hand.back.known, []
    for pattern in doors.patterns():
        machine = pattern.door == "machine"
        if pattern.name.startswith("demo_") or doors.is_plain(pattern) or (machine and hand.token is None):
            continue
        who = "machine" if machine else "browser"
        for parameter in pattern.parameters:
            absent = doors.absent(parameter)
            others = {name: doors.first(name, known) for name in pattern.parameters if name != parameter}
            for value in hidden(hand, parameter, all_of_them=pattern.name in ("intel_item", "taxii_object")):
                # An id that says what it is looks like the other one: its beginning is the asker's own choice.
                instead = f"{value.rpartition('--')[0]}--{doors.ABSENT}" if "--" in value else absent
                for method in (("GET", "DELETE") if machine else ("GET", "POST"))[
                    : 1 if pattern.path.startswith("/staff") else 2
                ]:
                    form = FORMS.get(pattern.name, ()) if method == "POST" else None
                    asks = [
                        Ask(who, method, pattern.path.format(**others, **{parameter: one}), form)
                        for one in (value, instead)
                    ]
                    found.append(Pair(f"{pattern.name} {method} {parameter}", *asks, value, instead))
    return found


def hidden(hand: Stagehand, parameter: str, *, all_of_them: bool) -> list[str]:
    """What is put in for a parameter: of intelligence one of each state, or two of them; else what others have."""
    known = hand.back.known
    if parameter not in ("stix_id", "object_id"):
        return known.secret.get(parameter, [])[-1:]
    by_state = {one.state: one.stix_id for one in hand.back.hidden if one.state != "copy"}
    return [*by_state.values(), *known.hidden[:2]] if all_of_them else [by_state["published"], by_state["recalled"]]


def weighed(
    hand: Stagehand, at: datetime, ask: Ask, *, cold: bool = False, rows: bool = False
) -> tuple[Answer, list[str]]:
    """Ask once and return the answer with its statements; `cold`: as a process that remembers nothing."""
    if cold:
        forget()
    hand.twins.given.step(at=at, who=ask.who)
    with statements(rows=rows) as found:
        answer = hand.answered(ask)
    return answer.plain, list(found)


def without(answer: Answer, value: str) -> Answer:
    """The answer without the id that was asked for, which a redirect or a form may repeat."""
    headers = tuple((name, held.replace(value, "ID")) for name, held in answer.headers if name != "Content-Length")
    return Answer(answer.status, headers, answer.body.replace(value.encode(), b"ID"))
