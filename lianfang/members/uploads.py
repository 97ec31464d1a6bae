"""What may be uploaded: PDF, PNG and JPEG by what they are inside, never by their name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import identity

MOST_BYTES = 10 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff/\\]")

_ENDINGS = {"application/pdf": (".pdf",), "image/png": (".png",), "image/jpeg": (".jpg", ".jpeg", ".jpe")}

_NOT_OURS = Bilingual(
    zh="這個檔案的內容不是PDF、PNG或JPEG。請換一個檔案，10MB以內。",
    en="This file is not a PDF, PNG or JPEG inside. Choose another one, up to 10 MB.",
)
_LARGE = Bilingual(zh="檔案超過10MB，請縮小後再上傳。", en="The file is larger than 10 MB. Make it smaller.")
_EMPTY = Bilingual(zh="這是空的檔案。", en="This file is empty.")
_ENCRYPTED = Bilingual(
    zh="這個PDF有密碼保護，審查人打不開。請另存為沒有密碼的檔案。",
    en="This PDF is locked by a password. Save it without one.",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken in. `identity_numbers` is None where the text cannot be read (images)."""

    name: str
    content: bytes
    media_type: str
    identity_numbers: int | None
    identity_pages: tuple[int, ...] = ()

    @property
    def sha256(self) -> bytes:
        """The digest of the content."""
        return digest(self.content)


def read(*, name: str, content: bytes, field: str) -> Upload:
    """Look into a file. Raises Refusal, naming `field`, for what is empty, too large, or none of the three kinds."""
    if not content:
        raise Refusal(_EMPTY, rule="upload-empty", field=field)
    if len(content) > MOST_BYTES:
        raise Refusal(_LARGE, rule="upload-size", field=field)
    media_type = _kind(content)
    if media_type is None:
        raise Refusal(_NOT_OURS, rule="upload-kind", field=field)
    if media_type == "application/pdf" and b"/Encrypt" in content[-4096:]:
        raise Refusal(_ENCRYPTED, rule="upload-encrypted", field=field)
    found = identity.in_pdf(content) if media_type == "application/pdf" else None
    pages = tuple(identity.pages_of(content)) if found else ()
    return Upload(_name(name, media_type), content, media_type, found, pages)


def _kind(content: bytes) -> str | None:
    # The header of a PDF may stand within the first 1024 bytes (ISO 32000-1 annex H).
    if b"%PDF-" in content[:1024] and b"%%EOF" in content[-2048:]:
        return "application/pdf"
    if content.startswith(_PNG) and b"IHDR" in content[:32] and b"IEND" in content[-64:]:
        return "image/png"
    return "image/jpeg" if content.startswith(_JPEG) and content.rstrip(b"\x00").endswith(b"\xff\xd9") else None


def _name(name: str, media_type: str) -> str:
    """Return the last part of the name, without what could mislead the eye or a path, ending as what the file is."""
    clean = _CONTROL.sub("", PurePath(name.replace("\\", "/")).name).strip(". ")
    kept = clean[-115:] or "file"
    endings = _ENDINGS[media_type]
    return kept if kept.lower().endswith(endings) else kept + endings[0]
