"""Uploads by what they are inside, and identity numbers wherever they hide, in a bounded time."""

from __future__ import annotations

import time
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.refusal import Refusal
from lianfang.members import identity, uploads
from tests.world import PDF

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40 + b"\xff\xd9"
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1)
_PLACES = {letter: 10 + place for place, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO")}


def rule_of(content: bytes, name: str = "證明.pdf") -> str:
    with pytest.raises(Refusal) as caught:
        uploads.read(name=name, content=content, field="registration")
    assert caught.value.field == "registration"
    assert caught.value.reason.zh != caught.value.reason.en
    return str(caught.value.rule)


def pdf(*streams: bytes) -> bytes:
    body = b"".join(b"1 0 obj<<>>stream\n" + stream + b"\nendstream endobj\n" for stream in streams)
    return b"%PDF-1.4\n" + body + b"%%EOF"


def number(letter: str, digits: str) -> str:
    """An identity number with its right check digit, worked out as the Ministry of the Interior describes it."""
    value = _PLACES[letter]
    places = [value // 10, value % 10, *map(int, digits)]
    return f"{letter}{digits}{-sum(place * weight for place, weight in zip(places, _WEIGHTS, strict=True)) % 10}"


# Uploads


@pytest.mark.parametrize(
    "name", ["證明.pdf", "證明.pdf.exe", "證明", "證明.PNG", ".pdf", "a.b.c.jpeg", "證明.pdf\x00.exe"]
)
@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_no_name_changes_what_a_file_is(name: str, content: bytes, kind: str) -> None:
    upload = uploads.read(name=name, content=content, field="registration")
    assert (upload.media_type, upload.content) == (kind, content)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "upload-empty"),
        (b"\x00", "upload-kind"),
        (PDF[:-6], "upload-kind"),
        (PNG[:-8], "upload-kind"),
        (JPEG[:-2], "upload-kind"),
        (b" " * 1025 + PDF, "upload-kind"),
        (PDF + b" " * 2049, "upload-kind"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40 + b"IEND", "upload-kind"),
        (b"\xff\xd8" + b"\x00" * 20 + b"\xff\xd9", "upload-kind"),
        (b"PK\x03\x04" + b"\x00" * 200, "upload-kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "upload-kind"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "upload-kind"),
        (b"RIFF\x00\x00\x00\x00WEBP", "upload-kind"),
        (b"II*\x00" + b"\x00" * 64, "upload-kind"),
        (b"%!PS-Adobe-3.0\n%%EOF", "upload-kind"),
        (PDF.replace(b"trailer<<>>", b"trailer<</Encrypt 5 0 R>>"), "upload-encrypted"),
    ],
)
def test_what_is_none_of_the_three_or_cut_off_says_so(content: bytes, rule: str) -> None:
    assert rule_of(content) == rule


def test_ten_megabytes_are_taken_and_one_byte_more_is_not() -> None:
    filled = b"%PDF-1.4\n" + b" " * (uploads.MOST_BYTES - 14) + b"%%EOF"
    assert len(filled) == uploads.MOST_BYTES
    assert uploads.read(name="x.pdf", content=filled, field="f").media_type == "application/pdf"
    assert rule_of(b" " + filled) == "upload-size"


def test_a_header_within_the_first_kilobyte_and_padding_after_the_end_are_what_writers_do() -> None:
    assert uploads.read(name="x", content=b"\n" * 1000 + PDF + b"\n" * 1000, field="f").media_type == "application/pdf"
    assert uploads.read(name="x", content=JPEG + b"\x00" * 512, field="f").media_type == "image/jpeg"


def test_a_file_that_is_two_things_is_never_served_as_a_page() -> None:
    page = b"<html><script>alert(1)</script>%PDF-1.4\n</html>%%EOF"
    assert uploads.read(name="x.html", content=page, field="f").media_type == "application/pdf"
    both = PNG[:60] + b"%PDF-1.4" + PNG[60:] + b"%%EOF"
    upload = uploads.read(name="x.png", content=both, field="f")
    assert (upload.media_type, upload.identity_numbers) == ("application/pdf", 0), "what can be read as text is read"


def test_the_same_content_is_known_by_its_digest_whatever_its_name() -> None:
    one, two = (uploads.read(name=name, content=PDF, field="f") for name in ("a.pdf", "b.pdf"))
    assert one.sha256 == two.sha256
    assert len(one.sha256) == 32


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("證明 (1).pdf", "證明 (1).pdf"),
        ("/etc/passwd", "passwd.pdf"),
        ("..\\..\\證明.pdf", "證明.pdf"),
        ("證明.pdf/", "證明.pdf"),
        ("  證明.pdf  ", "證明.pdf"),
        ("\r\nSet-Cookie: x.pdf", "Set-Cookie: x.pdf"),
        ("a\u200fb\u061cc\u200bd.pdf", "abcd.pdf"),
        ("a\ud800b.pdf", "ab.pdf"),
        ("\x80a\u2028b.pdf", "ab.pdf"),
        ("", "file.pdf"),
        ("...", "file.pdf"),
        ("/", "file.pdf"),
        ("\u202e", "file.pdf"),
    ],
)
def test_the_name_that_is_kept_is_one_line_and_no_path(given_: str, kept: str) -> None:
    assert uploads.read(name=given_, content=PDF, field="f").name == kept


@settings(max_examples=60)
@given(name=st.text(max_size=400))
def test_any_name_can_be_kept_and_sent_in_a_header(name: str) -> None:
    kept = uploads.read(name=name, content=PDF, field="f").name
    assert 0 < len(kept) <= 120
    assert kept.encode("utf-8")
    assert not set(kept) & set("/\\\r\n\x00\u202e")


@settings(max_examples=100)
@given(content=st.binary(max_size=600))
def test_any_content_is_taken_or_refused_in_words(content: bytes) -> None:
    with suppress(Refusal):
        upload = uploads.read(name="x", content=content, field="f")
        assert upload.media_type in ("application/pdf", "image/png", "image/jpeg")
        assert upload.content == content


# Identity numbers


@settings(max_examples=60)
@given(
    letter=st.sampled_from(sorted(_PLACES)),
    sex=st.sampled_from("1289"),
    rest=st.text("0123456789", min_size=7, max_size=7),
)
def test_every_number_of_the_ministrys_rule_is_found_and_no_other_check_digit(letter: str, sex: str, rest: str) -> None:
    right = number(letter, sex + rest)
    assert identity.identity_numbers(f"身分證：{right}。") == [right]
    assert identity.identity_numbers(right.lower()) == [right.lower()]
    for digit in "0123456789":
        if digit != right[-1]:
            assert identity.identity_numbers(right[:-1] + digit) == []


@pytest.mark.parametrize("around", ["{}", "({})", "no:{},", "{}\n", "\t{}", "許擬名{}許", "＃{}＃"])
def test_numbers_are_found_whatever_stands_around_them(around: str) -> None:
    assert identity.holds_identity_number(around.format("A123456789"))
    wide = "".join(chr(ord(character) + 0xFEE0) for character in "A123456789")
    assert identity.holds_identity_number(around.format(wide)), "as an input method types it in full width"


@pytest.mark.parametrize(
    "text", ["SHA256 FA1234567890", "BA123456789", "A12345678", "A1234567890", "A023456789", "AE23456789"]
)
def test_parts_of_longer_words_are_no_numbers(text: str) -> None:
    assert identity.identity_numbers(text) == []


def test_several_are_all_found_and_the_same_one_in_a_pdf_counts_once() -> None:
    two = [number("A", "12345678"), number("F", "21234567")]
    assert identity.identity_numbers(" ".join(two * 2)) == two * 2
    text = " ".join(two * 2).encode()
    assert identity.in_pdf(pdf(b"(" + text + b") Tj", zlib.compress(b"(" + text + b") Tj"))) == 2


@pytest.mark.parametrize(
    "stream",
    [
        b"(A12345\\6789) Tj (A123456789) Tj",
        b"(no) Tj [(A) 20 (1) 20 (2) 20 (3456789)] TJ",
        b"<4131 3233 3435 3637 3839> Tj",
        b"<FEFF" + "A123456789".encode("utf-16-be").hex().encode() + b"> Tj",
        b"(A123456789",
    ],
    ids=["escaped", "letter by letter", "hex with spaces", "two bytes a letter", "never closed"],
)
def test_the_ways_in_which_a_pdf_shows_text(stream: bytes) -> None:
    assert identity.in_pdf(pdf(stream)) >= 1
    assert identity.in_pdf(pdf(zlib.compress(stream))) >= 1


def test_streams_that_are_broken_or_never_end_break_nothing() -> None:
    for content in (
        b"%PDF-1.4\nstream\n%%EOF",
        b"%PDF-1.4\nstream\nendstream stream\r\nendstreamstream\n",
        pdf(zlib.compress(b"(A123456789) Tj")[:-4]),
        pdf(b"\x78\x9c\x00\x00garbage"),
        pdf(b"<4> Tj", b"<> Tj", b"() Tj", b"\\"),
    ):
        assert identity.in_pdf(content) in (0, 1)


_MUCH = 2 * 1024 * 1024
# A stream of objects whose places go back and forth: each would be the whole of it again.
_HEADS = b" ".join(b"%d %d" % (one, 0 if one % 2 else 3_000_000) for one in range(10, 4000))
OVERLAPPING = pdf(b"").replace(
    b"1 0 obj<<>>stream\n",
    b"1 0 obj<</Type/ObjStm/First %d>>stream\n" % (len(_HEADS) + 1) + zlib.compress(_HEADS + b" " + b"x" * 3_100_000),
)


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.4\n" + b"stream\n" * (_MUCH // 7) + b"%%EOF",
        pdf(b"(" + b"\\(" * (_MUCH // 4)),
        pdf(b"(" * (_MUCH // 2)),
        pdf(b"<a" * (_MUCH // 4)),
        pdf(b"[" + b"(A)1" * (_MUCH // 8)),
        pdf(*[zlib.compress(b"\x00" * (16 << 20))] * 12),
        pdf(*[zlib.compress(b"(A12)" * (1 << 19))] * 12),
        b"%PDF-1.4\n" + b"A1" * (_MUCH // 2) + b"%%EOF",
        b"%PDF-1.4\n" + b"1 0 obj " * (_MUCH // 8) + b"%%EOF",
        OVERLAPPING,
    ],
    ids=["openings", "escapes", "parentheses", "hex", "letters", "zeros", "bombs", "plain", "objects", "overlapping"],
)
def test_a_file_made_to_keep_us_busy_is_read_in_seconds(content: bytes) -> None:
    began = time.process_time()
    identity.in_pdf(content)
    identity.pages_of(content)
    assert time.process_time() - began < 10
