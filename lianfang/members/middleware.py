"""Who asks, for whom, and when: set once a request, from one statement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.contrib.auth import logout
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from lianfang.accounts import sign_on
from lianfang.accounts.models import Affiliation
from lianfang.kernel.clock import utcnow
from lianfang.members.models import Membership
from lianfang.members.subjects import facts_of_person, subject_of
from lianfang.policy.facts import Kind, Subject

SESSION_AFFILIATION = "affiliation"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SubjectMiddleware:
    """Set `request.subject`, `at`, `person`, `affiliation` and `membership` after authentication.

    Nobody signed in: `Subject.public()`, no person, and no query; what an applicant sends is still stamped by the
    database clock. Somebody signed in costs one statement. A person with several pairs acts for the one chosen on
    /member/switch; until then for the oldest.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            _signed_in(request)
        else:
            _set(request, Subject.public(), utcnow() if request.method in _SAFE else database_clock())
        return self.get_response(request)


def database_clock() -> datetime:
    """Return this instant by PostgreSQL's wall clock, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now if isinstance(now, datetime) else utcnow()


def _signed_in(request: HttpRequest) -> None:
    account: Any = request.user
    found = facts_of_person(account.person_id)
    if not found:
        _set(request, Subject(kind=Kind.PERSON, person=account.person_id), database_clock(), person=account.person)
        return
    at: datetime = getattr(found[0], "now")  # noqa: B009 - an annotation of `facts_of`
    asking = [one for one in found if getattr(one, "f_asks", False)]
    found = sign_on.acting_for(request, found, asking=asking, at=at)
    if not found:
        # Its provider was switched off or held, or the organisation asks to come by its provider from now on.
        logout(request)
        _set(request, Subject.public(), at)
        return
    chosen = _chosen(found, request.session.get(SESSION_AFFILIATION), at)
    # As `accounts.queries.session_has_second_factor`, whose look at the factors came with the same statement.
    confirmed = any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))
    factor = (confirmed and bool(getattr(chosen, "f_factor", False))) or sign_on.provider_asked_twice(
        request, organization=chosen.organization_id
    )
    subject = subject_of(chosen, at=at, mfa=factor)
    _set(request, subject, at, person=chosen.person, affiliation=chosen)
    held = getattr(chosen, "f_membership", None)
    request.membership = SimpleLazyObject(lambda: Membership.objects.get(pk=held)) if held else None  # type: ignore[attr-defined]
    request.affiliations = [one for one in found if _live(one, at)]  # type: ignore[attr-defined]


def _chosen(found: list[Affiliation], wanted: str | None, at: datetime) -> Affiliation:
    live = [one for one in found if _live(one, at)]
    for one in live:
        if wanted is not None and one.pk == _uuid(wanted):
            return one
    return (live or found)[0]


def _live(affiliation: Affiliation, at: datetime) -> bool:
    # An invitation that is not accepted yet has not begun.
    if affiliation.started_at is None or affiliation.started_at > at:
        return False
    return affiliation.left_at is None or at < affiliation.left_at


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _set(
    request: HttpRequest, subject: Subject, at: datetime, *, person: Any = None, affiliation: Affiliation | None = None
) -> None:
    facts: Any = request
    facts.subject = subject
    facts.at = at
    facts.person = person
    facts.affiliation = affiliation
    facts.membership = None
    facts.affiliations = []
