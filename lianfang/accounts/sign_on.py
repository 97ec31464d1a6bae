"""How a session was opened, here or by an organisation's provider, and for which organisations it may act.

A provider speaks for its own organisation alone. Whoever came by it acts for that organisation and for no other one
he belongs to, until he has also signed in here. An organisation may ask the same the other way round: that its people
come by its provider, save the administrators named for emergencies.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from lianfang.accounts import queries
from lianfang.accounts.models import Affiliation
from lianfang.vault.keys import keyring

CLAIM = "sign_on_claim"
"""Where a session keeps what a provider said, until its owner has confirmed it."""
METHOD = "provider"
"""The name under which such a sign-in stands among the session's records."""


def provider_of_session(request: HttpRequest, user: AbstractBaseUser | AnonymousUser | None = None) -> UUID | None:
    """Return the provider by which this session was opened, None for one that was opened here alone."""
    found = [one for one in _records(request, user) if one.get("method") == METHOD]
    return UUID(found[-1]["provider"]) if found else None


def opened_here(request: HttpRequest, user: AbstractBaseUser | AnonymousUser | None = None) -> bool:
    """Return whether a password, or a passkey in its place, was given in this session."""
    records = _records(request, user)
    return any(one.get("method") == "password" or one.get("passwordless") for one in records)


def provider_asked_twice(request: HttpRequest, *, organization: UUID) -> bool:
    """Return whether the word of this organisation's provider for a second factor was taken in this session."""
    return any(
        one.get("method") == METHOD and one.get("factor") == str(organization) for one in _records(request, None)
    )


def _records(request: HttpRequest, user: AbstractBaseUser | AnonymousUser | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_authentication_records(request, user or request.user)
    return found


def acting_for(
    request: HttpRequest,
    affiliations: Sequence[Affiliation],
    *,
    asking: Sequence[Affiliation],
    at: datetime,
    user: AbstractBaseUser | AnonymousUser | None = None,
) -> list[Affiliation]:
    """Return those of a person's affiliations for which the session may act.

    `asking` are those whose organisation asks its people to come by its provider. Of a session that was opened here,
    and of an organisation that asks nothing, no question is put to the database.
    """
    came_by = provider_of_session(request, user)
    here = came_by is None or opened_here(request, user)
    provider = queries.provider(came_by) if came_by is not None else None
    theirs = provider.organization_id if provider is not None and provider.works else None
    closed = queries.closed_to_local(asking, at=at) if here and asking else set()
    return [one for one in affiliations if one.organization_id == theirs or (here and one.pk not in closed)]


def subject_digest(*, issuer: str, subject: str) -> bytes:
    """Return the 32 bytes by which a provider's subject is kept: letter by letter, as two may differ in case alone."""
    return hmac.digest(keyring().blind, b"provider subject\x00" + f"{issuer}\x00{subject}".encode(), "sha256")


def names_of(values: Iterable[str]) -> list[str]:
    """Return what was typed between commas or on lines, once each."""
    return list(dict.fromkeys(one.strip() for one in values if one.strip()))


def once_key(assertion: str) -> str:
    """Return the name in the cache under which it is noted that an answer was used."""
    return f"lianfang.provider.used:{hashlib.sha256(assertion.encode(errors='replace')).hexdigest()}"
