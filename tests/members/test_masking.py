"""Identity numbers on pictures: what is covered is gone from the file, and hostile pictures do no harm."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, PngImagePlugin

from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, identity, pictures
from lianfang.members.models import Attachment
from lianfang.members.pictures import Box
from lianfang.vault.models import StoredFile
from tests import world

WHITE = (255, 255, 255)
MIDDLE = Box(25, 25, 50, 50)


def picture(kind: str = "PNG", *, mode: str = "RGB", size: tuple[int, int] = (200, 100), **kwargs: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "white" if mode in ("RGB", "L") else None).save(out, kind, **kwargs)
    return out.getvalue()


def reopened(content: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(content))
    found.load()
    return found


def media(kind: str) -> str:
    return f"image/{kind.lower()}"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_what_is_covered_is_black_and_the_rest_is_as_it_was(kind: str) -> None:
    masked = pictures.mask(content=picture(kind), media_type=media(kind), name="證.x", boxes=(MIDDLE,))
    found = reopened(masked.content).convert("RGB")
    assert (found.size, masked.media_type, masked.name) == ((200, 100), media(kind), "證.x")
    for place in ((50, 25), (100, 50), (150, 75)):
        assert max(found.getpixel(place)) < 30, place  # type: ignore[type-var]
    for place in ((10, 10), (190, 90), (100, 5)):
        assert min(found.getpixel(place)) > 225, place  # type: ignore[type-var]


def test_nothing_but_pixels_goes_along() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "A123456789", zip=True)
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "A123456789", 6
    tagged = [picture("PNG", pnginfo=notes), picture("JPEG", exif=exif, comment=b"A123456789")]
    for kind, content in zip(("PNG", "JPEG"), tagged, strict=True):
        assert b"A123456789" in content or kind == "PNG"
        masked = pictures.mask(content=content, media_type=media(kind), name="x", boxes=(Box(0, 0, 1, 1),))
        found = reopened(masked.content)
        assert b"A123456789" not in masked.content
        assert not found.getexif()
        assert not {"Comment", "comment", "exif", "icc_profile"} & set(found.info)
    # Shown upright and stored upright: a rectangle covers what was seen under it.
    assert found.size == (100, 200)


def test_what_lies_under_transparent_pixels_does_not_come_to_light() -> None:
    clear = Image.new("RGBA", (40, 40), (1, 2, 3, 0))
    out = io.BytesIO()
    clear.save(out, "PNG")
    masked = pictures.mask(content=out.getvalue(), media_type="image/png", name="x", boxes=(Box(90, 90, 10, 10),))
    found = reopened(masked.content)
    assert (found.mode, found.getpixel((5, 5)), found.getpixel((39, 39))) == ("RGB", WHITE, (0, 0, 0))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16"])
def test_every_common_kind_of_pixel_is_masked(mode: str) -> None:
    masked = pictures.mask(content=picture(mode=mode), media_type="image/png", name="x", boxes=(Box(0, 0, 100, 100),))
    assert set(reopened(masked.content).convert("L").get_flattened_data()) == {0}


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims to be huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packed = zlib.compress(b"\x00" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "kind", "rule"),
    [
        (_bomb(60_000, 60_000), "image/png", "mask-pixels"),
        (_bomb(7000, 7000), "image/png", "mask-pixels"),
        (_bomb(2, 20_000), "image/png", "mask-pixels"),
        (_bomb(3000, 3000), "image/png", "mask-unreadable"),
        (picture("PNG")[:60], "image/png", "mask-unreadable"),
        (picture("JPEG")[:-200], "image/jpeg", "mask-unreadable"),
        (picture("GIF"), "image/png", "mask-unreadable"),
        (picture("PNG"), "image/jpeg", "mask-unreadable"),
        (b"", "image/png", "mask-unreadable"),
    ],
    ids=range(9),
)
def test_hostile_pictures_are_refused_in_words(content: bytes, kind: str, rule: str) -> None:
    for call in (
        lambda: pictures.mask(content=content, media_type=kind, name="x", boxes=(MIDDLE,)),
        lambda: pictures.preview(content=content, media_type=kind),
    ):
        with pytest.raises(Refusal) as caught:
            call()
        assert caught.value.rule == rule


def test_the_pages_of_a_pdf_are_told() -> None:
    def pdf(*pages: bytes, packed: bool) -> bytes:
        kids = b" ".join(b"%d 0 R" % (10 + 2 * index) for index in range(len(pages)))
        tree = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[" + kids + b"]>>"}
        tree |= {10 + 2 * index: b"<</Type/Page/Contents %d 0 R>>" % (11 + 2 * index) for index in range(len(pages))}
        body = b"".join(
            b"%d 0 obj<<>>stream\n%s\nendstream endobj\n" % (11 + 2 * index, zlib.compress(text))
            for index, text in enumerate(pages)
        )
        if not packed:
            body += b"".join(b"%d 0 obj%s endobj\n" % one for one in tree.items())
        else:
            heads, objects = b"", b""
            for number, text in tree.items():
                heads, objects = heads + b"%d %d " % (number, len(objects)), objects + text + b" "
            stream = zlib.compress(heads + objects)
            body += b"90 0 obj<</Type/ObjStm/N 9/First %d>>stream\n%s\nendstream endobj\n" % (len(heads), stream)
        return b"%PDF-1.5\n" + body + b"%%EOF"

    pages = (b"(nothing) Tj", b"[(A12)(3456789)] TJ", b"", b"(A800000014) Tj")
    for packed in (False, True):
        assert identity.pages_of(pdf(*pages, packed=packed)) == [2, 4], packed
    circle = (
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Kids[2 0 R 3 0 R]>>endobj 3 0 obj<</Kids[2 0 R]>>endobj"
    )
    for broken in (b"", circle, b"1 0 obj<</Type/Catalog/Pages 9 0 R>>endobj"):
        assert identity.pages_of(broken) == []


@pytest.mark.django_db(transaction=True)
def test_an_applicant_masks_a_picture_and_the_original_is_gone() -> None:
    made = world.build()
    pages = world.answers(name="癸示範股份有限公司", place=21, people="a21.example")
    application = world.draft(made.clock, pages)
    browser, stranger = Client(), Client()
    session = browser.session
    session["application"] = str(application.pk)
    session.save()
    files = [SimpleUploadedFile("身分證.png", picture()), SimpleUploadedFile("x.pdf", world.PDF)]
    browser.post("/apply/step/attachments", {"registration": files, "upload": "1"})
    before = Attachment.objects.get(media_type="image/png", application=application)
    paper = Attachment.objects.filter(application=application, media_type="application/pdf").last()
    assert paper is not None
    sealed = Path(before.file.path)
    assert sealed.exists()
    address = f"/apply/files/{before.pk}/mask"
    assert address in browser.get("/apply/step/attachments").text

    page = browser.get(address)
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    shown = reopened(browser.get(f"/apply/files/{before.pk}/picture?box=25,25,50,50&box=x&box=1,2,3").content)
    assert shown.convert("RGB").getpixel((105, 55)) == (0, 0, 0)
    for path in (address, f"/apply/files/{before.pk}/picture"):
        assert stranger.get(path).status_code == 404
    for path in (f"/apply/files/{paper.pk}/mask", f"/apply/files/{paper.pk}/picture"):
        assert browser.get(path).status_code == 404, "a PDF is no picture"

    half = {"left1": "25", "top1": "25", "width1": "50", "burn": "1"}
    assert browser.post(address, half).status_code == 422
    assert browser.post(address, {"burn": "1"}).status_code == 422
    whole = {**half, "height1": "50"}
    looked = browser.post(address, {name: value for name, value in whole.items() if name != "burn"} | {"show": "1"})
    assert "picture?box=25.0%2C25.0%2C50.0%2C50.0" in looked.text
    assert sealed.exists(), "a look changes nothing"
    assert browser.post(address, whole).status_code == 302

    after = Attachment.objects.get(pk=before.pk)
    content = after.file.open().read()
    assert reopened(content).convert("RGB").getpixel((100, 50)) == (0, 0, 0)
    assert (after.size, bytes(after.sha256)) != (before.size, bytes(before.sha256))
    assert not StoredFile.objects.filter(pk=before.file_id).exists()
    assert not sealed.exists()
    assert Entry.objects.get(tag="members:attachment:mask").detail["rectangles"] == 1
    with pytest.raises(Refusal):
        actions.mask_attachment(
            application=application, attachment_id=paper.pk, boxes=(MIDDLE,), by=made.reviewer.subject(),
            at=made.clock.tick(),
        )  # fmt: skip
