"""Who asks: the token of a machine, by Basic or Bearer, as the subject that the policy decides for."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import dataclass

from django.http import HttpRequest

from lianfang.exchange import keys
from lianfang.exchange.moment import Moment
from lianfang.exchange.taxii.errors import TaxiiError
from lianfang.policy.facts import Subject


@dataclass(frozen=True, slots=True)
class Visitor:
    """A machine at the door: what it says of itself, and from where."""

    user: str
    secret: str
    network: str | None

    def subject(self, moment: Moment) -> Subject | None:
        """Return who it is at that moment; None for a key that does not work then."""
        return keys.subject_of(
            user=self.user, secret=self.secret, at=moment.at, network=self.network, policy=moment.epoch.policy
        )


def visitor(request: HttpRequest) -> Visitor:
    """Return who knocks. Raises TaxiiError(401) for somebody without a key."""
    user, secret = _credentials(request.headers.get("Authorization", ""))
    if not secret:
        raise unauthorized()
    return Visitor(user, secret, client_address(request))


def unauthorized() -> TaxiiError:
    """Every key that does not work is told the same."""
    return TaxiiError(401, "Unauthorized", "A key of this alliance is needed: Basic (key id and secret) or Bearer.")


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
