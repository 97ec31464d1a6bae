"""The demo's mailbox shows what the mail server kept, and exists in a demo only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from lianfang.outbox import sender
from tests.outbox.mails import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(settings: Any, tmp_path: Path) -> list[str]:
    """Two mails as the embedded mail server keeps them."""
    settings.DATA_DIR = tmp_path
    (tmp_path / "mailbox").mkdir()
    names = ["01795413600000000001", "01795413700000000002"]
    for number, name in enumerate(names):
        text = f"您好：\n\n請開啟\nhttp://localhost:8000/invite/s{number}\n"
        delivery = queue(number, body_text=text, body_html="<p>您好<script>x</script></p>")
        (tmp_path / "mailbox" / f"{name}.eml").write_bytes(b"X-MailFrom: x\r\n" + sender.message(delivery).as_bytes())
    (tmp_path / "mailbox" / ".01795413800000000003.eml").write_bytes(b"half")
    return names


def test_list_newest_first(kept: list[str]) -> None:
    page = Client().get("/demo/mailbox").text
    assert page.index("通知1") < page.index("通知0")
    assert f"/demo/mailbox/{kept[0]}" in page


def test_one_mail_with_its_link_and_inert_html(kept: list[str]) -> None:
    page = Client().get(f"/demo/mailbox/{kept[1]}").text
    assert 'href="http://localhost:8000/invite/s1"' in page
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_json_for_programs(kept: list[str]) -> None:
    mails = json.loads(Client().get("/demo/mailbox.json").content)
    assert [mail["id"] for mail in mails] == kept[::-1]
    assert mails[0]["to"] == "p1@member.example"
    assert mails[0]["subject"] == "【聯防】通知1"
    assert "/invite/s1" in mails[0]["text"]
    assert mails[0]["at"].startswith("2026-11-23T")


@pytest.mark.parametrize("mail_id", ["0", "x", "..%2Fx", "9" * 40, "01795413800000000003", "%00"])
def test_a_mail_that_is_not_there(kept: list[str], mail_id: str) -> None:
    assert Client().get(f"/demo/mailbox/{mail_id}").status_code == 404


def test_empty(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert "還沒有寄出任何信件。" in Client().get("/demo/mailbox").text
    assert Client().get("/demo/mailbox.json").json() == []


@pytest.mark.parametrize("path", ["/demo/mailbox", "/demo/mailbox.json", "/demo/mailbox/01795413600000000001"])
def test_outside_a_demo_nothing_is_there(settings: Any, kept: list[str], path: str) -> None:
    settings.DEMO = False
    assert Client().get(path).status_code == 404
