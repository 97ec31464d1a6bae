"""What the subject middleware has put on a request, with its types."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast
from uuid import UUID

from django.http import HttpRequest

from lianfang.accounts.models import Affiliation, Person
from lianfang.policy.facts import Pair, Subject


class Asked(Protocol):
    """A request of somebody who acts for an organisation."""

    subject: Subject
    at: datetime
    person: Person
    affiliation: Affiliation


def asked(request: HttpRequest) -> Asked:
    """Return the request as the middleware left it."""
    return cast(Asked, request)


def pair(request: HttpRequest) -> Pair:
    """Return the pair that is acted for; behind a member's or staff door there always is one."""
    found = asked(request).subject.pair
    if found is None:
        raise LookupError("no pair on this request")
    return found


def group(request: HttpRequest) -> UUID:
    """Return the group of that pair."""
    return pair(request).group
