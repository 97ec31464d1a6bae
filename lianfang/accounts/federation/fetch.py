"""The one way in which this server asks another one, whose address a member typed.

Only https, only addresses of the public network, no redirect followed, a few seconds and a few kilobytes. The address
is looked up once and that very one is connected to, so that a name cannot point elsewhere between look-up and use.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

from django.conf import settings

from lianfang.accounts.federation.answers import Rejected

SECONDS: Final = 5.0
LARGEST: Final = 256 * 1024
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# Ways to write an IPv4 address as one of IPv6: what lies behind is not looked at, they are not needed.
_WRAPPED: Final = [ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")]


def usable(url: str) -> SplitResult:
    """Return an address in its parts. Raises Rejected unless it is one that this server may ask."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Rejected("address") from None
    host = parts.hostname or ""
    plain = parts.scheme == "http" and settings.LOOPBACK_PROVIDERS and host in _LOOPBACK
    strange = any(ord(sign) <= 32 or ord(sign) >= 127 for sign in url)
    if not host or strange or parts.username is not None or parts.fragment or port == 0 or len(url) > 2000:
        raise Rejected("address")
    if parts.scheme != "https" and not plain:
        raise Rejected("address")
    return parts


def is_public(address: str) -> bool:
    """Return whether an address belongs to the public network."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, IPv6Address) and any(found in one for one in _WRAPPED):
        return False
    return found.is_global and not found.is_multicast


def fetch(url: str, *, form: dict[str, str] | None = None, authorization: str = "") -> bytes:
    """Return what lies at an address, or what it answers to a form. Raises Rejected: address, or unreachable."""
    parts = usable(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    headers = {"Accept": "application/json", "User-Agent": "Lianfang", "Connection": "close"}
    body = None
    if form is not None:
        body = urlencode(form)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if authorization:
        headers["Authorization"] = authorization
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    connection.sock = _connected(host, port, secure=secure)
    # Each read has a limit of its own; who sends a byte now and then is cut off as well.
    late = threading.Event()
    watch = threading.Timer(SECONDS, _cut, args=[connection.sock, late])
    watch.daemon = True
    watch.start()
    try:
        with closing(connection):
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException, ValueError):
        raise Rejected("unreachable") from None
    finally:
        watch.cancel()
    if late.is_set() or answer.status != 200 or len(content) > LARGEST:
        raise Rejected("unreachable")
    return content


def _connected(host: str, port: int, *, secure: bool) -> socket.socket:
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Rejected("unreachable") from None
    exempt = settings.LOOPBACK_PROVIDERS and host in _LOOPBACK
    # One private address among them is enough to ask none.
    if not exempt and not all(is_public(one) for one in found):
        raise Rejected("address")
    for address in found[:3]:
        try:
            plain = socket.create_connection((address, port), timeout=SECONDS)
        except OSError:
            continue
        if not secure:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
    raise Rejected("unreachable")


def _cut(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
