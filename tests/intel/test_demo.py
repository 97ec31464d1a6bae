"""The demonstration's bundles."""

from __future__ import annotations

import ipaddress
import re

import pytest

from lianfang.intel import demo, intake
from lianfang.policy.facts import Channel
from tests.intel.cast import AT, EVERYONE, member, taxii

DOCUMENTATION = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


@pytest.mark.parametrize("name", demo.BUNDLES)
def test_every_object_is_valid_invented_and_the_same_each_time(name: str) -> None:
    body = demo.BUNDLES[name]()
    candidates, refused = intake.examine(body)
    assert candidates
    assert not refused
    assert demo.BUNDLES[name]() == body
    text = body.decode()
    for address in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text):
        assert any(ipaddress.ip_address(address) in net for net in DOCUMENTATION), address
    for domain in re.findall(r"[a-z0-9-]+\.(?:com|net|org|tw|example)\b", text):
        assert domain.endswith(".example")


@pytest.mark.django_db
def test_they_come_in() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    for make in demo.BUNDLES.values():
        made = intake.submit(by=by, at=AT, body=make(), form=EVERYONE, channel=Channel.PAGE)
        assert {result["outcome"] for result in made.results} == {"accepted"}
    assert len(taxii(reader, limit=1000).items) > 60
