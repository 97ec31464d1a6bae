"""How this app's mails leave: through the notices, which lie above it and register themselves at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from lianfang.accounts.models import Person
from lianfang.policy.facts import Subject

Sender = Callable[..., Any]

_registered: list[Sender] = []


def use(sender: Sender) -> None:
    """Make `sender` the way out: called with all that `send` gets, inside the open transaction."""
    _registered[:] = [sender]


def send(
    *, notice: str, to_person: Person, context: Mapping[str, Any], by: Subject, at: datetime, dedupe: str = ""
) -> None:
    """Send a notice of the catalogue to a person, in the transaction that is open; `dedupe` is what it is found by.

    Raises LookupError when nothing is registered: a mail that silently goes nowhere would be worse.
    """
    if not _registered:
        raise LookupError("no notices are registered with lianfang.accounts.letters")
    _registered[0](notice=notice, to_person=to_person, context=dict(context), by=by, at=at, dedupe=dedupe)


def link(path: str) -> str:
    """Return the absolute address of a path of this installation, whatever host the request came by."""
    return settings.BASE_URL + path
