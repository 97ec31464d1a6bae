"""Files are known by their content; identity numbers in texts and PDFs are found."""

from __future__ import annotations

import zlib

import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.members import identity, uploads
from tests.world import PDF

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40 + b"\xff\xd9"


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_the_content_decides_not_the_name(content: bytes, kind: str) -> None:
    upload = uploads.read(name="virus.exe", content=content, field="registration")
    assert upload.media_type == kind
    assert (upload.identity_numbers is None) == (kind != "application/pdf")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00",
        b"%PDF-1.4 without an end",
        b"<html>%PDF",
        b"\x89PNG\r\n",
        b"\xff\xd8\xff no end",
        b"GIF89a",
        PDF + b"x" * uploads.MOST_BYTES,
        b"%PDF-1.4\ntrailer<</Encrypt 5 0 R>>\n%%EOF",
    ],
    ids=range(9),
)
def test_everything_else_is_refused_with_the_field(content: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        uploads.read(name="x.pdf", content=content, field="registration")
    assert caught.value.field == "registration"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\證明.pdf", "證明.pdf"),
        ("a\u202egpj.exe", "agpj.exe.pdf"),
        ("..", "file.pdf"),
    ],
)
def test_names_mislead_nobody(given: str, kept: str) -> None:
    assert uploads.read(name=given, content=PDF, field="f").name == kept


@pytest.mark.parametrize(
    ("content", "given", "kept"),
    [
        (PDF, "virus.exe", "virus.exe.pdf"), (PDF, "印鑑.PDF", "印鑑.PDF"), (PDF, "a.pdf.html", "a.pdf.html.pdf"),
        (PNG, "photo.jpg", "photo.jpg.png"), (JPEG, "photo.JPEG", "photo.JPEG"), (JPEG, "photo", "photo.jpg"),
        (PDF, "x" * 300, "x" * 115 + ".pdf"),
    ],
)  # fmt: skip
def test_a_file_is_named_as_what_it_is(content: bytes, given: str, kept: str) -> None:
    assert uploads.read(name=given, content=content, field="f").name == kept


@pytest.mark.parametrize("text", ["A123456789", "身分證A123456789。", "a123456789", "A800000014", "AC01234567"])
def test_numbers_with_a_right_check_digit_are_found(text: str) -> None:
    assert identity.holds_identity_number(text)


@pytest.mark.parametrize("text", ["A123456788", "A1234567890", "XA123456789", "12345678", "", "A323456789"])
def test_what_is_none_is_not_found(text: str) -> None:
    assert not identity.holds_identity_number(text)


def test_a_pdf_is_read_plain_packed_letter_by_letter_and_in_hex() -> None:
    def pdf(stream: bytes) -> bytes:
        return b"%PDF-1.4\n1 0 obj<<>>stream\n" + stream + b"\nendstream endobj\n%%EOF"

    shown = [b"BT (A123456789) Tj ET", b"[(A12)-3(3456)(789)] TJ", b"<" + b"A123456789".hex().encode() + b"> Tj"]
    for stream in shown:
        assert identity.in_pdf(pdf(stream)) >= 1
        assert identity.in_pdf(pdf(zlib.compress(stream))) >= 1
    assert identity.in_pdf(pdf(zlib.compress(b"(nothing here) Tj"))) == 0
    assert identity.in_pdf(pdf(zlib.compress(b"\x00" * (64 << 20)))) == 0
