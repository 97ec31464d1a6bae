"""The demonstration is made by the real actions and tells its story to each of its people."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lianfang.demo import cast
from lianfang.demo.load import PASSWORD, Stage, load, write_accounts
from lianfang.intel import queries
from lianfang.members.models import Application, Membership
from lianfang.policy.facts import Channel, Request

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.fixture
def stage(db: None) -> Stage:
    return load(at=NOW)


def _names(stage: Stage, email: str) -> set[str]:
    subject = stage.actors[email].subject(NOW)
    page = queries.page(subject=subject, at=NOW, request=Request(channel=Channel.LIST), limit=1000)
    return {json.loads(item.body).get("name", "") for item in page.items}


def test_everybody_sees_what_the_label_says(stage: Stage) -> None:
    quadrant, observatory = _names(stage, "contact@quadrant.example"), _names(stage, "admin@observatory.example")
    banker, mirror = _names(stage, cast.BANKER.email), _names(stage, "admin@mirror.example")
    assert "VPN閘道器漏洞遭利用" in quadrant
    assert "偽冒報稅軟體" in banker, "AMBER reaches constituents by the association's relay"
    assert "VPN閘道器漏洞遭利用" not in banker, "AMBER+STRICT never does"
    assert "尚待確認的回連位址" not in quadrant | observatory, "the coordinator alone"
    assert "韌體更新伺服器的憑證檢查缺失" in quadrant, "its own embargoed item"
    assert "韌體更新伺服器的憑證檢查缺失" not in observatory
    assert not mirror, "a revoked member reads nothing"


def test_cases_stand_at_every_stage(stage: Stage) -> None:
    assert Membership.objects.filter(state="active").count() == 4
    assert Membership.objects.filter(state="revoked").count() == 1
    assert sorted(Application.objects.exclude(state="approved").values_list("state", flat=True)) == [
        "submitted",
        "under_review",
    ]


def test_the_file_of_accounts_is_private_and_complete(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_accounts(stage, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text(encoding="utf-8"))
    assert {account["password"] for account in told["accounts"]} == {PASSWORD}
    assert told["machines"][0]["scopes"] == ["read", "write", "recall"]
    assert {"role", "organisation", "email", "password", "totp_secret"} == set(told["accounts"][0])
