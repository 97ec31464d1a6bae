"""Masking pictures: black rectangles burned into the pixels, and everything else about the file left behind.

What somebody uploads is hostile until proved otherwise: nothing is decoded before its kind, its size in pixels and its
mode are known from the head of the file, one picture at a time, and only by the decoder of the kind that it claims.
"""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image, ImageDraw, ImageOps

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.uploads import MOST_BYTES, Upload

MOST_PIXELS = 36_000_000
"""A sheet of A4 at 600 dots an inch; in memory about 110 MB."""
MOST_SIDE = 12_000
MOST_BOXES = 4
KINDS = {"image/png": "PNG", "image/jpeg": "JPEG"}
_PREVIEW = (1200, 1600)
_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16B", "I"})
_ONE_AT_A_TIME = threading.Lock()

_UNREADABLE = Bilingual(
    zh="這張圖片無法開啟，無法在這裡遮蔽。請在自己的電腦上遮蔽後重新上傳。",
    en="This picture cannot be opened, so it cannot be masked here. Mask it on your own computer and upload it again.",
)
_LARGE = Bilingual(
    zh="這張圖片超過3,600萬像素，無法在這裡遮蔽。請縮小後重新上傳。",
    en="This picture has more than 36 million pixels. Make it smaller and upload it again.",
)
_NO_BOX = Bilingual(zh="請至少填一個長方形。", en="Give at least one rectangle.")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in percent of the picture as it is shown, so that its size on the screen does not matter."""

    left: float
    top: float
    width: float
    height: float

    def on(self, picture: Image.Image) -> tuple[int, int, int, int]:
        """The pixels that it covers, both corners included; what it touches is covered whole."""
        across, down = picture.width / 100, picture.height / 100
        right, bottom = (self.left + self.width) * across, (self.top + self.height) * down
        corner = (int(self.left * across), int(self.top * down))
        return (*corner, min(int(right), picture.width - 1), min(int(bottom), picture.height - 1))


def preview(*, content: bytes, media_type: str, boxes: tuple[Box, ...] = ()) -> bytes:
    """Return the picture as a PNG that fits a screen, with lines each tenth and `boxes` in black.

    Raises Refusal for what cannot be opened.
    """
    with _ONE_AT_A_TIME:
        picture = _open(content, media_type)
        picture.thumbnail(_PREVIEW)
        picture = picture.convert("RGB")
        _black(picture, boxes)
        _ruler(picture)
        out = io.BytesIO()
        picture.save(out, "PNG")
    return out.getvalue()


def look(*, content: bytes, media_type: str) -> None:
    """Look at the head of the file alone. Raises Refusal for what could not be masked."""
    _head(content, media_type)


def mask(*, content: bytes, media_type: str, name: str, boxes: tuple[Box, ...]) -> Upload:
    """Return the picture anew: upright, without metadata, its transparent parts white, and `boxes` black.

    Raises Refusal without a rectangle, and for what cannot be opened.
    """
    if not boxes:
        raise Refusal(_NO_BOX, rule="mask-empty", field="left1")
    with _ONE_AT_A_TIME:
        picture = _open(content, media_type)
        _black(picture, boxes)
        out = io.BytesIO()
        if media_type == "image/png":
            picture.save(out, "PNG")
            if len(out.getvalue()) > MOST_BYTES:
                # A photograph in another mode may grow past what a file may weigh.
                name, media_type, out = str(PurePath(name).with_suffix(".jpg")), "image/jpeg", io.BytesIO()
        if media_type == "image/jpeg":
            picture.save(out, "JPEG", quality=90)
    return Upload(name, out.getvalue(), media_type, None)


def _head(content: bytes, media_type: str) -> Image.Image:
    """Read size and mode; no pixel is decoded yet."""
    try:
        with warnings.catch_warnings():
            # Our own limit below is lower than the one that it warns of.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            found = Image.open(io.BytesIO(content), formats=[KINDS[media_type]])
    except Image.DecompressionBombError:
        raise Refusal(_LARGE, rule="mask-pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, OverflowError):
        raise Refusal(_UNREADABLE, rule="mask-unreadable") from None
    if found.width * found.height > MOST_PIXELS or max(found.size) > MOST_SIDE:
        raise Refusal(_LARGE, rule="mask-pixels")
    if found.mode not in _MODES:
        raise Refusal(_UNREADABLE, rule="mask-unreadable")
    return found


def _open(content: bytes, media_type: str) -> Image.Image:
    found = _head(content, media_type)
    try:
        found.load()
        # A new image: what the file said beside its pixels (place, camera, colour profile) stays behind.
        return _plain(ImageOps.exif_transpose(found))
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, OverflowError):
        raise Refusal(_UNREADABLE, rule="mask-unreadable") from None


def _plain(picture: Image.Image) -> Image.Image:
    """The same pixels in RGB or grey."""
    if picture.mode.startswith("I"):
        wide = picture.convert("I").point(lambda value: value / 256)
        picture = wide.convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        white = Image.new("RGB", clear.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    fresh = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    kept = Image.new(fresh.mode, fresh.size)
    kept.paste(fresh)
    return kept


def _black(picture: Image.Image, boxes: tuple[Box, ...]) -> None:
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        draw.rectangle(box.on(picture), fill="black" if picture.mode == "RGB" else 0)


def _ruler(picture: Image.Image) -> None:
    """Lines at each tenth with their percent at the edge: whoever cannot drag reads off the numbers."""
    draw = ImageDraw.Draw(picture)
    for tenth in range(1, 10):
        across, down = picture.width * tenth // 10, picture.height * tenth // 10
        draw.line((across, 0, across, picture.height), fill="#0B6BCB")
        draw.line((0, down, picture.width, down), fill="#0B6BCB")
        for place in ((across + 2, 1), (2, down + 1)):
            draw.rectangle((*place, place[0] + 24, place[1] + 20), fill="white")
            draw.text(place, str(tenth * 10), fill="#0B6BCB", font_size=18)
