"""What anybody may send is read as far as it can be, and nothing of it raises, hides, or misleads."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.mailroom import parse
from tests.mailroom import mails


def test_an_ordinary_mail_is_read_with_its_files() -> None:
    found = parse.parse(
        mails.mail(
            sender="林樣本 <lin@jia.example>", to="centre@lianfang.example, Other@Outside.example",
            files=(("變更登記表.pdf", mails.PDF),),
        )
    )  # fmt: skip
    assert (found.kind, found.sender, found.sender_name) == ("mail", "lin@jia.example", "林樣本")
    assert (found.subject, found.text) == ("請教一件事", "您好，請問如何辦理？")
    assert found.to == ("centre@lianfang.example", "other@outside.example")
    assert found.sent_at is not None
    assert found.sent_at.isoformat() == "2026-11-02T01:00:00+00:00"
    (file,) = found.files
    assert (file.name, file.media_type, file.content) == ("變更登記表.pdf", "application/pdf", mails.PDF)
    assert found.faults == ()


def test_big5_without_a_word_and_with_a_wrong_one_is_read() -> None:
    head = "From: 甲公司 <a@b.example>\r\nTo: centre@lianfang.example\r\nSubject: 變更聯絡窗口\r\n".encode("big5")
    bare = parse.parse(head + b"\r\n" + "請改聯絡人".encode("big5"))
    assert (bare.subject, bare.sender_name, bare.text) == ("變更聯絡窗口", "甲公司", "請改聯絡人")
    named = parse.parse(head + b"Content-Type: text/plain; charset=big5\r\n\r\n" + "碁".encode("cp950"))
    assert named.text == "碁"
    wrong = parse.parse(head + b"Content-Type: text/plain; charset=x-none\r\n\r\n" + "請改聯絡人".encode("big5"))
    assert (wrong.text, wrong.faults) == ("請改聯絡人", ("bad_charset",))
    word = parse.parse(b"From: a@b.example\r\nSubject: =?big5?B?xdyn86ZXujo=?= =?utf-9?Q?x?=\r\n\r\nx")
    assert word.subject


def test_a_head_cannot_bring_in_another_head_nor_turn_the_eye() -> None:
    found = parse.parse(
        "From: =?utf-8?Q?Boss=0D=0ABcc=3A_x=40y.example?= <a@b.example>\r\n"
        "Subject: =?utf-8?Q?a=0Ab=00c?= \u202egnp.exe\u200b\r\n\r\nx\x00y\u202e".encode()
    )
    assert "\n" not in found.subject + found.sender_name
    assert "\r" not in found.sender_name
    assert all(char not in found.subject + found.text for char in "\x00\u202e\u200b")


@pytest.mark.parametrize(
    ("given", "content", "name"),
    [
        ("a\u202egnp.exe", b"MZ\x90\x00", "agnp.exe.bin"),
        ("../../etc/passwd", b"root", "passwd.bin"),
        ("..\\..\\evil.html", b"<script>", "evil.html.bin"),
        ("scan.pdf", b"MZ\x90\x00", "scan.pdf.bin"),
        ("scan.exe", mails.PDF, "scan.exe.pdf"),
        ("winmail.dat", b"\x78\x9f\x3e\x22\x01", "winmail.dat"),
        ("清冊.xlsx", b"PK\x03\x04rest", "清冊.xlsx"),
        ("x\r\nBcc: y.png", b"\x89PNG\r\n\x1a\n", "xBcc y.png"),
        ("", b"data", "file.bin"),
        ("a" * 300 + ".pdf", mails.PDF, None),
    ],
)
def test_a_file_is_called_what_it_is_inside(given: str, content: bytes, name: str | None) -> None:
    media_type, ending = parse.kind_of(content)
    made = parse.file_name(given.replace("\r\n", ""), media_type, ending)
    assert len(made) <= 120
    if name is not None:
        assert made == name


def test_html_is_text_alone_and_what_it_points_at_is_not_there() -> None:
    raw = mails.mail().replace(b"text/plain", b"text/html")
    page = b"<title>t</title><style>p{}</style><p>A<br>B<script>steal()</script><img src='http://x.example/1.png'>"
    found = parse.parse(raw.split(b"\r\n\r\n")[0].replace(b"base64", b"8bit") + b"\r\n\r\n" + page)
    assert found.text == "A\nB"
    assert "html_only" in found.faults
    assert not found.files


def test_of_both_the_plain_text_speaks_and_the_page_is_no_file() -> None:
    raw = (
        b"From: a@b.example\r\nContent-Type: multipart/alternative; boundary=X\r\n\r\n--X\r\n"
        b"Content-Type: text/plain\r\n\r\nplain\r\n--X\r\nContent-Type: text/html\r\n\r\n<b>page</b>\r\n--X--\r\n"
    )
    found = parse.parse(raw)
    assert (found.text, found.files) == ("plain", ())


def test_a_mail_within_a_mail_is_a_file_and_not_opened() -> None:
    inner = mails.mail(subject="inner", files=(("a.pdf", mails.PDF),))
    raw = (
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n"
        b"--X\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--X--\r\n"
    )  # fmt: skip
    (file,) = parse.parse(raw).files
    assert file.declared == "message/rfc822"
    assert file.name == "message.eml.bin"
    assert b"inner" in file.content


def test_bombs_are_kept_and_not_opened() -> None:
    began = time.monotonic()
    deep = parse.parse(mails.nested(400))
    assert (deep.kind, deep.faults) == ("raw", ("too_deep",))
    some = parse.parse(mails.nested(40))
    assert "parts_left" in some.faults
    many = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n" + b"--X\r\n\r\nx\r\n" * 50_000
    assert "parts_left" in parse.parse(many + b"--X--").faults
    long = parse.parse(b"Subject: " + b"a" * 400_000 + b"\r\n\r\nx")
    assert (long.kind, long.faults) == ("raw", ("long_head",))
    heads = parse.parse(b"".join(b"X-%d: y\r\n" % number for number in range(5_000)) + b"\r\nx")
    assert heads.kind == "raw"
    addresses = parse.parse(b"To: " + b"<a@b.example>, " * 20_000 + b"\r\n\r\nx")
    assert len(addresses.to) <= 50
    comments = parse.parse(b"From: " + b"(" * 100_000 + b"\r\nSubject: s\r\n\r\nx")
    assert comments.kind in ("mail", "raw")
    huge = parse.parse(b"From: a@b.example\r\n\r\n" + b"x" * (50 * 1024 * 1024))
    assert (huge.kind, huge.faults) == ("raw", ("too_large",))
    assert time.monotonic() - began < 20


def test_files_past_the_limits_stay_in_the_original() -> None:
    found = parse.parse(mails.mail(files=tuple((f"{number}.pdf", mails.PDF) for number in range(25))))
    assert len(found.files) == parse.MOST_FILES
    assert "files_left" in found.faults


def test_a_copy_of_a_mail_is_the_same_and_another_mail_is_not() -> None:
    one = mails.mail()
    prints = {parse.parse(raw).fingerprint for raw in (one, mails.copied(one), one.replace(b"\r\n", b"\n"))}
    assert len(prints) == 1
    others = [mails.mail(text="別的"), mails.mail(subject="別的"), mails.mail(message_id="<m2@outside.example>")]
    assert len(prints | {parse.parse(raw).fingerprint for raw in others}) == 4


@pytest.mark.parametrize(
    "heads",
    [
        {"Auto_Submitted": "auto-replied (vacation)"}, {"Precedence": "auto_reply"}, {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "All"}, {"Precedence": "bulk"}, {"List_Id": "<a.b.example>"},
    ],
)  # fmt: skip
def test_what_a_program_answers_is_known(heads: dict[str, str]) -> None:
    assert parse.parse(mails.mail(**heads)).kind == "auto"


def test_what_a_person_sends_is_not_taken_for_a_program() -> None:
    assert parse.parse(mails.mail(Auto_Submitted="no", subject="Automatic reply: out of office")).kind == "mail"


def test_a_report_of_non_delivery_is_read() -> None:
    found = parse.parse(mails.bounce(message_id="abc@lianfang.example", recipient="Admin1@Jia.example"))
    (one,) = found.bounces
    assert (found.kind, one.message_id, one.recipient, one.final) == (
        "bounce", "abc@lianfang.example", "admin1@jia.example", True,
    )  # fmt: skip
    late = parse.parse(mails.bounce(message_id="a@b", recipient="c@d.example", status="4.4.1", action="delayed"))
    assert [one.final for one in late.bounces] == [False]


def test_the_head_of_a_mail_too_large_tells_who_and_what() -> None:
    found = parse.head_only(mails.mail().split(b"\r\n\r\n")[0] + b"\r\n\r\n")
    assert (found.kind, found.subject, found.sender) == ("raw", "請教一件事", "somebody@outside.example")
    assert "too_large" in found.faults


_PIECES = [
    b"From: ", b"To: centre@lianfang.example", b"Subject: ", b"\r\n", b"\n", b"\r\n\r\n", b"=?utf-8?B?", b"?=",
    b"=?big5?Q?", b"Content-Type: multipart/mixed; boundary=",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=X",
    b"Content-Type: message/delivery-status", b"Content-Type: message/rfc822",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: x-uuencode", b"begin 644 a\n",
    b"Content-Disposition: attachment; filename*0*=utf-9''%ff", b"Content-Type: text/plain; charset=", b"--X",
    b"--X--", b"<a@b>", b"(", b'"', b"\\", b"\x00", b"\xff\xfe", b"\xa4\xa4", "\u202e".encode(),
    b"Date: Mon, 99 Nov 99999 25:61:61 +9999", b"; name*=", b"AAAA", b"=FF",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=12), max_size=60))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_raises_and_what_is_said_is_one_clean_line(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    found = parse.parse(raw)
    assert len(found.fingerprint) == 32
    assert found.kind in ("mail", "auto", "bounce", "raw")
    for said in (found.subject, found.sender, found.sender_name, found.message_id, *(one.name for one in found.files)):
        assert not any(char in said for char in "\r\n\x00\u202e")
        said.encode()
    found.text.encode()
    assert "\x00" not in found.text
    assert parse.parse(raw).fingerprint == found.fingerprint
