"""From where a request comes, behind the operator's own proxies and nobody else's.

Limits by address and the networks of keys go by the client's address. What a request says of it is believed only as
far as the proxies that `LIANFANG_PROXIES` names wrote it: from the right, the first address that is none of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["TrustedProxies", "client"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Application = Callable[..., Iterable[bytes]]


class TrustedProxies:
    """A WSGI application in front of the product: puts the client's address where the server saw the proxy's."""

    def __init__(self, application: Application, *, networks: Sequence[Network]) -> None:
        self.application = application
        self.networks = tuple(networks)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if self.networks:
            seen, said = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
            environ["REMOTE_ADDR"] = client(seen, said, self.networks)
        return self.application(environ, start_response)


def client(seen: str, said: str, networks: Sequence[Network]) -> str:
    """Return the client's address: `seen` by the server, unless proxies of these networks `said` another."""
    hops = [hop.strip() for hop in said.split(",")] if said else []
    address = seen
    while hops and (known := _parsed(address)) is not None and any(known in network for network in networks):
        hop = _parsed(hops.pop())
        if hop is None:
            break
        address = str(hop)
    return address


def _parsed(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
