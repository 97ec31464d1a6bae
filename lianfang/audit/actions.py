"""How everything is written: inside an action, with an entry in the same transaction. And the ledger's own deeds."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

from django.db import models, transaction

from lianfang.audit.checkpoints import Head
from lianfang.audit.models import Entry, Verification
from lianfang.audit.signing import SigningKeyUnusable
from lianfang.audit.tags import Tag
from lianfang.audit.verify import Problem, Report, verify
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import require_aware
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Subject

P = ParamSpec("P")
R = TypeVar("R")
JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"

log = logging.getLogger("lianfang.audit")
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

    What an acknowledged fault already told stays acknowledged when a later run meets it again; anything new does not.
    Raises BadCheckpoint for a kept checkpoint of another key.
    """
    report = _report(kept)
    problems = [
        {"kind": problem.kind, "seq": problem.seq, "until": problem.until, "entry": problem.entry}
        | {"zh": problem.words.zh, "en": problem.words.en}
        for problem in report.problems
    ]
    known = _acknowledged(problems)
    found = Verification.objects.create(
        at=at,
        by=by.actor_id,
        size=report.size,
        root=report.root,
        seconds=report.seconds,
        ok=report.ok,
        problems=problems,
        acknowledged_at=known.acknowledged_at if known else None,
        acknowledged_by=known.acknowledged_by if known else "",
        acknowledged_reason=known.acknowledged_reason if known else "",
    )
    first = report.first_bad
    if first is not None:
        # Whoever can change the ledger can change what is kept beside it; the log of the machine lies elsewhere.
        log.error("the ledger is not in order: %s", first.words.en)
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
            "known": known.pk if known else None,
        },
    )
    return found


@action(Tag.AUDIT_LEDGER_ACKNOWLEDGE)
def acknowledge_fault(verification_id: int, *, reason: str, by: Subject, at: datetime) -> Verification:
    """Take note of a fault with a reason, so that it leaves the pages of staff; the finding itself stays.

    Other runs that told nothing else are acknowledged with it. The reason stands beside the finding and its digest in
    a new entry, behind whatever is broken. Raises Refusal when there is none to be acknowledged, or no reason.
    """
    waiting = list(
        Verification.objects.select_for_update().filter(ok=False, acknowledged_at__isnull=True).order_by("pk")
    )
    found = next((run for run in waiting if run.pk == verification_id), None)
    if found is None:
        raise Refusal(_NOTHING, rule="audit-acknowledge")
    if not reason.strip():
        raise Refusal(_NO_REASON, rule="audit-acknowledge-reason", field="reason")
    alike = [run for run in waiting if _told(found.problems, run.problems)]
    for run in alike:
        run.acknowledged_at, run.acknowledged_by, run.acknowledged_reason = at, by.actor_id, reason.strip()
        run.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_reason"])
    record(by=by, at=at, about=found, detail={"runs": [run.pk for run in alike]}, text=reason.strip())
    return found


def _report(kept: Head | None) -> Report:
    """Verify; a ledger whose signatures nobody can check is not in order either."""
    try:
        return verify(kept=kept)
    except SigningKeyUnusable as unusable:
        log.error("the ledger cannot be verified: %s", unusable)
        return Report(problems=[Problem("key", 0, 0, None, _NO_KEY)])


def _acknowledged(problems: list[dict[str, Any]]) -> Verification | None:
    """Return the newest acknowledged run that told all of these problems, None when one of them is new."""
    if not problems:
        return None
    last = Verification.objects.filter(ok=False, acknowledged_at__isnull=False).order_by("-pk").first()
    return last if last is not None and _told(last.problems, problems) else None


def _told(before: list[dict[str, Any]], problems: list[dict[str, Any]]) -> bool:
    """Whether `before` holds all of these problems.

    Roots and nodes that no longer fit follow from the first bad entry and grow with each checkpoint; they count only
    where they are the first themselves.
    """
    known = {_place(problem) for problem in before}
    return all(
        _place(problem) in known
        for number, problem in enumerate(problems)
        if not number or problem["kind"] not in ("node", "rewritten")
    )


def _place(problem: dict[str, Any]) -> tuple[object, ...]:
    return problem["kind"], problem["seq"], problem["until"], problem["entry"]


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
_NO_REASON = Bilingual(zh="請寫下原因與已採取的措施。", en="Write the reason and what was done.")
_NO_KEY = Bilingual(
    zh="簽章金鑰無法使用，檢查點無從驗證。", en="The signing key cannot be used, so no checkpoint can be verified."
)
