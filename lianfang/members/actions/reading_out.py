"""Reading a whole case out into one signed file for a lawyer: by whom, when and why stands in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from lianfang.accounts.doors import may, require
from lianfang.audit import bundle, sequencer, signing
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries
from lianfang.members.case_kinds import Case
from lianfang.members.models import Appeal, ListCase, Revocation
from lianfang.policy.facts import Right, Subject

STAFF, MEMBER = "staff", "member"
_LONGEST = 1000
_WHY = Bilingual(zh="請寫下為什麼要讀出。", en="Say why it is read out.")
_KEY = Bilingual(zh="簽章金鑰無法使用，不能讀出案件。", en="The signing key cannot be used now: nothing is read out.")
_LARGE = Bilingual(zh="檔案超過2GB，請洽系統管理。", en="The files of this case exceed 2 GB: ask the operator.")
_OWN = Bilingual(zh="這不是貴組織的案件。", en="This is no case of your organisation.")
_ARRIVAL = Bilingual(zh="請先在離會專區開啟信函。", en="Open the letter on the exit page first.")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What goes into the file: the head of its manifest, and its parts in their order, read when their turn is."""

    about: Mapping[str, Any]
    parts: Iterable[tuple[str, bundle.Content]]


def read_out(
    *,
    case: Case,
    why: str,
    audience: str,
    gather: Callable[[], Gathered],
    target: IO[bytes],
    by: Subject,
    at: datetime,
) -> None:
    """Write the signed file of a case into `target`. The caller has had it signed by the second factor.

    The ledger's tree is brought up to date before `gather` is asked, so that what happened a moment ago has its proof.
    For a member only its own case, and what it may see of it. Raises Refusal without a reason.
    """
    if not why.strip():
        raise Refusal(_WHY, rule="read-out-why", field="why")
    try:
        sequencer.checkpoint(at=at)
        key = signing.signing_key(may_create=False)
    except signing.SigningKeyUnusable:
        raise Refusal(_KEY, rule="read-out-key") from None
    _read_out(
        case=case, why=why.strip()[:_LONGEST], audience=audience, gather=gather, target=target, key=key, by=by, at=at
    )


@action(Tag.MEMBERS_CASE_READ_OUT)
def _read_out(
    *,
    case: Case,
    why: str,
    audience: str,
    gather: Callable[[], Gathered],
    target: IO[bytes],
    key: signing.SigningKey,
    by: Subject,
    at: datetime,
) -> None:
    if audience == STAFF:
        require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(case), at=at)
    else:
        _require_own(case, by, at)
    whole = gather()
    try:
        digest = bundle.write(target, about=whole.about, files=whole.parts, key=key)
    except bundle.TooLarge:
        raise Refusal(_LARGE, rule="read-out-size") from None
    detail = {"case": case.number, "audience": audience, "manifest": digest.hex()}
    record(by=by, at=at, about=case, detail=detail, text=why)


def _require_own(case: Case, by: Subject, at: datetime) -> None:
    """A member reads out its own cases: its administrators, also those left to it on the exit page."""
    of = queries.case_of(case).organization
    # What a list gave is the staff's to look into: a member hears of it by a letter, if ever.
    if isinstance(case, ListCase) or by.pair is None or by.pair.organization != by.pair.group or by.pair.group != of:
        raise Refusal(_OWN, rule="read-out-own")
    if not may(subject=by, right=Right.MANAGE_PEOPLE, at=at):
        require(subject=by, right=Right.VIEW_EXIT, at=at)
    revoked = case.revocation if isinstance(case, Appeal) else case
    if isinstance(revoked, Revocation) and revoked.awaits_arrival:
        raise Refusal(_ARRIVAL, rule="read-out-arrival")
