"""Who asks: the token of a machine, by Basic or Bearer, as the subject that the policy decides for."""

from __future__ import annotations

import base64
import binascii
import ipaddress

from django.http import HttpRequest

from lianfang.exchange import keys
from lianfang.exchange.moment import Moment, now
from lianfang.exchange.taxii.errors import TaxiiError
from lianfang.policy.facts import Subject

_UNAUTHORIZED = ("Unauthorized", "A key of this alliance is needed, as Basic (key id and secret) or as Bearer.")


def enter(request: HttpRequest) -> tuple[Subject, Moment, str | None]:
    """Return subject, moment and client address of a request. Raises TaxiiError(401) for anything but a live key."""
    user, secret = _credentials(request.headers.get("Authorization", ""))
    if not secret:
        raise TaxiiError(401, *_UNAUTHORIZED)
    moment, network = now(), client_address(request)
    subject = keys.subject_of(user=user, secret=secret, at=moment.at, network=network, policy=moment.epoch.policy)
    if subject is None:
        raise TaxiiError(401, *_UNAUTHORIZED)
    return subject, moment, network


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the client as the server saw it."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def _credentials(header: str) -> tuple[str, str]:
    """Read `Basic`, `Bearer` and `Token` as (user, secret); anything else is no credential."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    match scheme.lower():
        case "bearer" | "token":
            return "", rest
        case "basic":
            try:
                user, _, secret = base64.b64decode(rest, validate=True).decode("utf-8").partition(":")
            except (binascii.Error, ValueError):
                return "", ""
            return user, secret
    return "", ""
