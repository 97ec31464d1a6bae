"""How everything is written: inside an action, with an entry in the same transaction. And the ledger's own deeds."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from django.db import models, transaction

from lianfang.audit.models import Entry, Verification
from lianfang.audit.tags import Tag
from lianfang.audit.verify import Head, verify
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import require_aware
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Subject

P = ParamSpec("P")
R = TypeVar("R")
JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"

_LARGEST_DETAIL = 64 * 1024
_SALT_BYTES = 16


class Unaudited(Exception):
    """An action ended without recording what it did; its transaction is rolled back."""


@dataclass(slots=True)
class _Frame:
    tag: Tag
    entries: int = 0


_frames: ContextVar[tuple[_Frame, ...]] = ContextVar("lianfang_actions", default=())


def action(tag: Tag) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function an action: one transaction, and an entry of its own before it ends.

    A nested action joins the transaction of the outer one and answers for its own entry. Raises Unaudited, and writes
    nothing, when the body ends without `record`.
    """

    def decorate(body: Callable[P, R]) -> Callable[P, R]:
        @wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            frame = _Frame(tag)
            token = _frames.set((*_frames.get(), frame))
            try:
                with transaction.atomic():
                    result = body(*args, **kwargs)
                    if not frame.entries:
                        raise Unaudited(f"{body.__module__}.{body.__qualname__} ended without record() for {tag}")
                    return result
            finally:
                _frames.reset(token)

        run.lianfang_tag = tag  # type: ignore[attr-defined]  # read by the test that lists all actions
        return run

    return decorate


def record(
    *,
    by: Subject,
    at: datetime,
    about: models.Model | tuple[str, str],
    detail: Mapping[str, JSON] | None = None,
    text: str | None = None,
    tag: Tag | None = None,
) -> Entry:
    """Add one entry to the ledger, in the transaction that is open.

    `about` is the row concerned, or (type, id) where no row of ours is. `detail` takes ids, field names, numbers and
    digests; never personal values or content. `text` is only kept as a salted digest. `tag` defaults to the tag of
    the action that runs. Raises ValueError for a detail that canonical JSON cannot hold, for fractions, for NUL in
    text, and past 64 KiB; Unaudited outside an action without a tag.
    """
    frames = _frames.get()
    if tag is None:
        if not frames:
            raise Unaudited("record() outside an action needs a tag")
        tag = frames[-1].tag
    about_type, about_id = _named(about)
    salt = secrets.token_bytes(_SALT_BYTES) if text is not None else None
    entry = Entry.objects.create(
        # The database overwrites tx and at; a value must stand here because the column takes no null.
        at=at,
        happened_at=require_aware(at),
        tag=tag.value,
        actor=by.actor_id,
        acting_for=f"{by.pair.organization}/{by.pair.group}" if by.pair else "",
        about_type=about_type,
        about_id=about_id,
        detail=_checked(detail or {}),
        text_salt=salt,
        text_digest=None if text is None or salt is None else text_digest(salt=salt, text=text),
    )
    if frames:
        frames[-1].entries += 1
    return entry


def text_digest(*, salt: bytes, text: str) -> bytes:
    """Return the 32 bytes by which an entry holds a text: SHA-256 over salt and UTF-8."""
    return hashlib.sha256(salt + text.encode()).digest()


def text_matches(entry: Entry, text: str) -> bool:
    """Return whether `text` is the one that was recorded with the entry."""
    if entry.text_salt is None or entry.text_digest is None:
        return False
    found = text_digest(salt=bytes(entry.text_salt), text=text)
    return hmac.compare_digest(found, bytes(entry.text_digest))


@action(Tag.AUDIT_LEDGER_VERIFY)
def run_verification(*, by: Subject, at: datetime, kept: Head | None = None) -> Verification:
    """Verify the whole ledger and keep the result; a fault stays on show until somebody acknowledges it.

    Raises BadCheckpoint for a kept checkpoint of another key, SigningKeyUnusable without the key.
    """
    report = verify(kept=kept)
    found = Verification.objects.create(
        at=at,
        by=by.actor_id,
        size=report.size,
        root=report.root,
        seconds=report.seconds,
        ok=report.ok,
        problems=[
            {"kind": problem.kind, "seq": problem.seq, "until": problem.until, "entry": problem.entry}
            | {"zh": problem.words.zh, "en": problem.words.en}
            for problem in report.problems
        ],
    )
    first = report.first_bad
    record(
        by=by,
        at=at,
        about=found,
        detail={
            "size": report.size,
            "root": report.root.hex(),
            "kept": kept.size if kept else None,
            "problems": len(report.problems),
            "first": [first.kind, first.seq, first.until] if first else None,
        },
    )
    return found


@action(Tag.AUDIT_LEDGER_ACKNOWLEDGE)
def acknowledge_fault(verification_id: int, *, by: Subject, at: datetime) -> Verification:
    """Take note of a fault, so that it leaves the pages of staff; the finding itself stays.

    Raises Refusal when there is none to be acknowledged.
    """
    found = Verification.objects.select_for_update().filter(pk=verification_id, ok=False).first()
    if found is None or found.acknowledged_at is not None:
        raise Refusal(_NOTHING, rule="audit-acknowledge")
    found.acknowledged_at, found.acknowledged_by = at, by.actor_id
    found.save(update_fields=["acknowledged_at", "acknowledged_by"])
    record(by=by, at=at, about=found)
    return found


def _named(about: models.Model | tuple[str, str]) -> tuple[str, str]:
    if isinstance(about, models.Model):
        return about._meta.label_lower, str(about.pk)
    return about[0], str(about[1])


def _checked(detail: Mapping[str, JSON]) -> dict[str, JSON]:
    if len(canonical(detail)) > _LARGEST_DETAIL:
        raise ValueError(f"detail: more than {_LARGEST_DETAIL} bytes; record a digest instead")
    _refuse_lossy(detail, "detail")
    return dict(detail)


def _refuse_lossy(value: object, path: str) -> None:
    """Refuse what jsonb would give back otherwise than it took it, since the leaf's hash is made from what it gives."""
    if isinstance(value, float):
        raise ValueError(f"{path}: a fraction does not survive storage unchanged; record it as text")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError(f"{path}: text holds NUL")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_lossy(key, path)
            _refuse_lossy(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            _refuse_lossy(inner, f"{path}[{place}]")


_NOTHING = Bilingual(zh="沒有待確認的紀錄異常。", en="No fault of the ledger waits to be acknowledged.")
