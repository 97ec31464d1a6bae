"""From where a request comes: as far as the operator's own proxies say it, and not a word further."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.web.proxies import TrustedProxies, client

OURS = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("seen", "said", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", " 198.51.100.1 ,203.0.113.7 ", "203.0.113.7"),
        ("2001:db8::1", "2001:db9::7", "2001:db9::7"),
        ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.7, _hidden", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.7,", "127.0.0.1"),
        ("", "203.0.113.7", ""),
    ],
)
def test_the_address_is_the_last_that_a_trusted_proxy_wrote(seen: str, said: str, address: str) -> None:
    assert client(seen, said, OURS) == address


@given(forged=st.text(alphabet="0123456789abcdef.:, /", max_size=80))
def test_a_client_cannot_write_its_own_address(forged: str) -> None:
    """Whatever it sends, the proxy appends where it saw it; and without a proxy, nothing is believed."""
    assert client("127.0.0.1", f"{forged}, 203.0.113.7", OURS) == "203.0.113.7"
    assert client("203.0.113.7", forged, OURS) == "203.0.113.7"
    assert client("127.0.0.1", forged, []) == "127.0.0.1"


@pytest.mark.parametrize(("networks", "address"), [(OURS, "203.0.113.7"), ([], "127.0.0.1")])
def test_what_stands_behind_it_sees_the_clients_address(networks: list[Any], address: str) -> None:
    seen = []

    def application(environ: dict[str, Any], _: object) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7", "HTTP_X_REAL_IP": "192.0.2.1"}
    TrustedProxies(application, networks=networks)(environ, lambda *_: None)
    assert seen == [address]
