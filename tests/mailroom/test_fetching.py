"""The mailbox is asked over real IMAP; what was taken is moved away, what could not be taken stays, nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from config.env import BadEnvironment, Imap, imap, mailbox
from lianfang import health
from lianfang.kernel.clock import utcnow
from lianfang.mailroom import actions, fetch, parse, queries, tasks
from lianfang.mailroom.models import Mail, MailboxState
from tests.mailroom import mails
from tests.mailroom.conftest import Box

pytestmark = pytest.mark.django_db


def _same(at: datetime) -> datetime:
    return at


def run() -> fetch.Round:
    done = tasks.run(clock=utcnow)
    assert done is not None
    return done


def test_mails_are_taken_and_moved_and_a_second_copy_makes_no_second_mail(box: Box) -> None:
    one, two = mails.mail(), mails.mail(message_id="<2@x.example>", files=(("a.pdf", mails.PDF),))
    box.put(one, two)
    assert run() == fetch.Round(taken=2, stuck=0)
    assert (box.holds(), sorted(box.holds("Lianfang-taken"))) == ([], sorted([one, two]))
    assert Mail.objects.count() == 2
    box.put(mails.copied(one))
    assert run().taken == 1
    assert (Mail.objects.count(), box.holds()) == (2, [])
    assert run() == fetch.Round(taken=0, stuck=0)
    state = queries.mailbox()
    assert (state.failures, state.stuck, state.said) == (0, 0, "")
    assert state.succeeded_at is not None


def test_a_person_who_read_the_mailbox_hides_nothing(box: Box) -> None:
    server = box.connected()
    server.append("INBOX", r"(\Seen \Flagged)", None, mails.mail())
    server.logout()
    assert run().taken == 1


def test_hostile_mails_stop_nothing_and_none_is_lost(box: Box) -> None:
    hostile = [
        b"\x00\xff" * 2000, mails.nested(300), b"Subject: =?utf-8?B?////?=\r\n\r\n", b"\r\n\r\n",
        "Subject: 變更\r\nFrom: 甲<a@b.example>\r\n\r\n內容".encode("big5"),
        mails.mail(files=(("winmail.dat", b"\x78\x9f\x3e\x22rest"), ("a\u202efdp.exe", b"MZ"))),
        b"Content-Type: multipart/mixed; boundary=X\r\n\r\n" + b"--X\r\n\r\nx\r\n" * 3000,
    ]  # fmt: skip
    box.put(*hostile, mails.mail(message_id="<good@x.example>"))
    assert run() == fetch.Round(taken=8, stuck=0)
    assert box.holds() == []
    kept = {one.raw.open().read() for one in Mail.objects.select_related("raw__vault_key") if one.raw}
    assert set(box.holds("Lianfang-taken")) == kept
    assert len(kept) == 8


def test_a_mail_that_breaks_the_reader_is_kept_as_bytes_and_the_next_is_taken(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = parse.parse

    def broken(raw: bytes, **more: Any) -> parse.Parsed:
        if b"poison" in raw:
            raise KeyError("a fault of ours")
        return real(raw, **more)

    monkeypatch.setattr(parse, "parse", broken)
    box.put(mails.mail(subject="poison"), mails.mail(message_id="<2@x.example>"))
    assert run() == fetch.Round(taken=2, stuck=0)
    assert sorted(Mail.objects.values_list("kind", flat=True)) == ["mail", "raw"]


def test_one_that_cannot_be_kept_at_all_stays_in_the_mailbox_and_is_told(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = actions._take  # type: ignore[attr-defined]

    def broken(*, raw: bytes | None, **more: Any) -> Mail:
        if raw is not None and b"poison" in raw:
            raise KeyError("a fault of ours")
        return real(raw=raw, **more)

    monkeypatch.setattr(actions, "_take", broken)
    box.put(mails.mail(subject="poison"), mails.mail(message_id="<2@x.example>"))
    assert run() == fetch.Round(taken=1, stuck=1)
    assert len(box.holds()) == 1
    assert queries.mailbox().stuck == 1


def test_one_too_large_is_told_by_its_head_and_stays_whole_on_the_server(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "MOST_BYTES", 10_000)
    large = mails.mail(subject="很大的信", text="x" * 20_000)
    box.put(large)
    assert run().taken == 1
    (mail,) = Mail.objects.select_related("vault_key")
    assert (mail.kind, mail.subject, mail.raw_id) == ("raw", "很大的信", None)
    assert mail.size > 10_000
    assert (box.holds(), box.holds("Lianfang-too-large")) == ([], [large])


def test_a_server_without_move_gets_a_copy_before_the_delete(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_capabilities", lambda _: frozenset({"IMAP4REV1"}))
    box.put(mails.mail())
    assert run().taken == 1
    assert (box.holds(), box.holds("Lianfang-taken")) == ([], [mails.mail()])
    assert run().taken == 0


def test_a_mailbox_that_is_away_is_asked_again_later_and_later(settings: Any, imap_server: Imap) -> None:
    at = utcnow()
    settings.IMAP = Imap("127.0.0.1", 1, "centre", "x", "none", "INBOX")
    waits = []
    for _ in range(8):
        assert tasks.run(clock=partial(_same, at)) is None
        state = queries.mailbox()
        assert state.not_before is not None
        waits.append((state.not_before - at).total_seconds() / 60)
        assert tasks.run(clock=partial(_same, at + timedelta(seconds=30))) is None
        assert queries.mailbox().failures == len(waits), "not asked before its time"
        at = state.not_before
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    # A wrong password and a folder that is not there are faults of the mailbox, not of the loop.
    for wrong in (
        Imap("127.0.0.1", imap_server.port, "centre", "wrong", "none", "INBOX"),
        Imap("127.0.0.1", imap_server.port, "centre", "open sesame", "none", "Nowhere"),
    ):
        settings.IMAP = wrong
        at += timedelta(hours=1)
        assert tasks.run(clock=partial(_same, at)) is None
    assert "sesame" not in queries.mailbox().said
    settings.IMAP = imap_server
    at += timedelta(hours=1)
    assert tasks.run(clock=partial(_same, at)) == fetch.Round(0, 0)
    assert (queries.mailbox().failures, queries.mailbox().not_before) == (0, None)


def test_the_monitor_sees_a_mailbox_that_was_not_asked_for_long(box: Box, settings: Any) -> None:
    def said() -> health.Check:
        return next(one for one in health.checks() if one.name == "mailbox")

    assert said().ok
    run()
    assert said().ok
    MailboxState.objects.update(succeeded_at=utcnow() - timedelta(hours=2), failures=6)
    late = said()
    assert not late.ok
    assert "limit" in late.said
    settings.IMAP = None
    assert not [one for one in health.checks() if one.name == "mailbox"]


def test_without_a_mailbox_nothing_is_asked(settings: Any) -> None:
    settings.IMAP = None
    assert tasks.run(clock=utcnow) is None
    assert not MailboxState.objects.exists()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("imaps://a%40b:p%3Aw@mail.example.org/Post", ("mail.example.org", 993, "a@b", "p:w", "tls", "Post")),
        ("imap+starttls://u:p4ss@mail.example.org:1143", ("mail.example.org", 1143, "u", "p4ss", "starttls", "INBOX")),
        ("imap://u:p4ss@127.0.0.1:1143/", ("127.0.0.1", 1143, "u", "p4ss", "none", "INBOX")),
    ],
)
def test_the_address_of_the_mailbox_is_read(
    monkeypatch: pytest.MonkeyPatch, url: str, found: tuple[str, int, str, str, str, str]
) -> None:
    monkeypatch.setenv("IMAP_URL", url)
    account = imap("IMAP_URL")
    assert account == Imap(*found)
    assert found[3] not in repr(account)


def test_a_bad_address_of_the_mailbox_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("imap://u:p@mail.example.org", "pop3://u:p@h", "imaps://h", "imaps://u:p@h:port/", "x"):
        monkeypatch.setenv("IMAP_URL", url)
        with pytest.raises(BadEnvironment, match="IMAP_URL"):
            imap("IMAP_URL")
    for address in ("no", "a b@c.example", "a+b@c.example", "a@b@c", "x" * 25 + "@c.example", "中@c.example"):
        monkeypatch.setenv("LIANFANG_INBOUND_ADDRESS", address)
        with pytest.raises(BadEnvironment, match="LIANFANG_INBOUND_ADDRESS"):
            mailbox("LIANFANG_INBOUND_ADDRESS", "")
