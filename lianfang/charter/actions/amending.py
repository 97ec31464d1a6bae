"""The next version of a document: begun and written by publishers, approved by two others (charter 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.charter import queries, text
from lianfang.charter.actions.documents import text_digest
from lianfang.charter.lifecycle import AMENDMENT, OPEN_AMENDMENT
from lianfang.charter.models import Amendment, Document
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right, Subject

AMENDED = ("charter", "privacy")
"""The documents that are amended word by word; annex 1 has its own editor (lianfang.members)."""

_OPEN = Bilingual(zh="已有一份草稿，請在那一份上修改。", en="There is a draft already; go on with that one.")
_NOTHING = Bilingual(zh="還沒有可以修訂的版本。", en="There is no version to amend yet.")
_STALE = Bilingual(
    zh="另一位同事剛改過這份草稿。您寫的內容保留在下方，請看過再存。",
    en="A colleague has just changed this draft. What you wrote is kept below; look, then save again.",
)
_FROZEN = Bilingual(
    zh="草稿已送交核准，要先退回才能修改。",
    en="The draft was sent for approval; it must come back before it is changed.",
)
_SUMMARY = Bilingual(
    zh="請寫下改了什麼、為什麼；會員在信裡讀到的就是這段。",
    en="Say what changes, and why: members read it in the mail.",
)
_WHEN = Bilingual(zh="請填施行時間。", en="Give the instant from which it is in force.")
_PAST = Bilingual(zh="施行時間不能早於現在。", en="It cannot take effect before now.")
_ORDER = Bilingual(zh="施行時間要晚於現有各版。", en="It takes effect later than every version that there is.")
_URL = Bilingual(
    zh="請填官網公告的網址，以https://開頭。", en="Give the address on the website, beginning with https://."
)
_LATER = Bilingual(
    zh="公告時間不能晚於現在，也不能早於核准。", en="It was published by now, and not before its approval."
)
_APPROVED_FIRST = Bilingual(zh="核准之後才登錄官網公告。", en="The publication is recorded once it is approved.")


@action(Tag.CHARTER_AMENDMENT_BEGIN)
def begin_amendment(*, kind: str, by: Subject, at: datetime) -> Amendment:
    """Begin the next version of a document as a copy of the latest. Raises Refusal while one is open."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    document = Document.objects.select_for_update().filter(pk=kind).first() if kind in AMENDED else None
    latest = queries.latest(kind=kind)
    if document is None or latest is None:
        raise Refusal(_NOTHING, rule="amendment-nothing", clause="4.1")
    if document.amendments.filter(state__in=OPEN_AMENDMENT).exists():
        raise Refusal(_OPEN, rule="amendment-open", clause="4.1")
    amendment = Amendment.objects.create(
        document=document, base=latest, title_zh=latest.title_zh, title_en=latest.title_en, clauses=latest.clauses,
        authors=[str(by.person)], began_at=at, saved_at=at,
    )  # fmt: skip
    record(by=by, at=at, about=amendment, detail={"document": kind, "base": latest.number})
    return amendment


@action(Tag.CHARTER_AMENDMENT_SAVE)
def save_amendment(
    *,
    amendment: Amendment,
    titles: Bilingual,
    clauses: Sequence[Mapping[str, str]],
    revision: int,
    what: str,
    by: Subject,
    at: datetime,
) -> Amendment:
    """Keep a changed text, sound or not yet. `revision` is the one that was changed: an older one is refused.

    `what` names the place for the ledger: the number of a clause, or `import`. Raises Refusal; nothing is lost.
    """
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(amendment)
    if locked.state != "draft":
        raise Refusal(_FROZEN, rule="amendment-frozen", clause="4.1")
    if locked.revision != revision:
        raise Refusal(_STALE, rule="amendment-stale")
    locked.title_zh, locked.title_en = titles.zh.strip(), titles.en.strip()
    locked.clauses = [{name: one[name] for name in ("id", "zh", "en")} for one in clauses]
    locked.revision, locked.saved_at = locked.revision + 1, at
    locked.authors = sorted({*locked.authors, str(by.person)})
    locked.save()
    record(by=by, at=at, about=locked, detail={"place": what[:40], "revision": locked.revision, **_digest(locked)})
    return locked


@action(Tag.CHARTER_AMENDMENT_PROPOSE)
def propose_amendment(
    *, amendment: Amendment, summary: Bilingual | None, effective_at: datetime | None, by: Subject, at: datetime
) -> None:
    """Send the draft for approval, with what changes and why, and from when on. Raises Refusal while it has a fault."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(amendment)
    if summary is None or not summary.en.strip():
        raise Refusal(_SUMMARY, rule="amendment-summary", field="summary_zh" if summary is None else "summary_en")
    if effective_at is None:
        raise Refusal(_WHEN, rule="amendment-when", clause="4.1", field="effective_at")
    if effective_at < at:
        raise Refusal(_PAST, rule="amendment-past", clause="4.1", field="effective_at")
    latest = queries.latest(kind=locked.document_id)
    if latest is not None and effective_at <= latest.effective_at:
        raise Refusal(_ORDER, rule="amendment-order", clause="4.1", field="effective_at")
    AMENDMENT.move(locked, "propose", faults=len(faults_of(locked)), changed=_differs(locked))
    locked.summary_zh, locked.summary_en = summary.zh.strip()[:2000], summary.en.strip()[:2000]
    locked.effective_at, locked.proposed_by_id, locked.proposed_at = effective_at, by.person, at
    locked.authors = sorted({*locked.authors, str(by.person)})
    locked.save()
    detail = {"effective": effective_at.isoformat(), **_digest(locked)}
    record(by=by, at=at, about=locked, detail=detail, text=locked.summary_zh)


@action(Tag.CHARTER_AMENDMENT_RETURN)
def return_amendment(*, amendment: Amendment, by: Subject, at: datetime) -> None:
    """Send a draft back to its authors; what was approved or recorded of it is void. Raises Refusal."""
    locked = _locked(amendment)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked, fresh=True), at=at)
    AMENDMENT.move(locked, "return")
    locked.first_approver = locked.second_approver = locked.first_approved_at = locked.approved_at = None
    locked.site_url, locked.site_at, locked.proposed_at = "", None, None
    locked.save()
    record(by=by, at=at, about=locked, detail=_digest(locked))


@action(Tag.CHARTER_AMENDMENT_DISCARD)
def discard_amendment(*, amendment: Amendment, by: Subject, at: datetime) -> None:
    """Give a draft up; it stays on record. Raises Refusal."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(amendment)
    AMENDMENT.move(locked, "discard")
    locked.closed_at = at
    locked.save(update_fields=["state", "closed_at"])
    record(by=by, at=at, about=locked, detail=_digest(locked))


@action(Tag.CHARTER_AMENDMENT_APPROVE)
def approve_amendment(*, amendment: Amendment, by: Subject, at: datetime) -> Amendment:
    """Approve a proposed version: the first approval is kept, the second approves it (policy G-edit_charter).

    Neither approver wrote a word of it, and they are two. The caller has had the decision signed. Raises Refusal.
    """
    locked = _locked(amendment)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    facts = {"faults": len(faults_of(locked)), "effective_at": locked.effective_at, "at": at, "approvals": 2}
    if locked.first_approver_id is None:
        # Whatever stands against the second approval stands against the first, too.
        reason = AMENDMENT.why_not(locked, "approve", **facts)
        if reason is not None:
            raise Refusal(reason, rule="amendment:approve", clause="4.1")
        locked.first_approver_id, locked.first_approved_at = by.person, at
    else:
        AMENDMENT.move(locked, "approve", **facts)
        locked.second_approver_id, locked.approved_at = by.person, at
    locked.save()
    detail = {"approved": locked.state == "approved", "authors": list(locked.authors), **_digest(locked)}
    record(by=by, at=at, about=locked, detail=detail)
    return locked


@action(Tag.CHARTER_AMENDMENT_WEBSITE)
def record_website(*, amendment: Amendment, url: str, published_at: datetime, by: Subject, at: datetime) -> None:
    """Keep where and when the coordinator's own website published the approved text (charter 4.1). Raises Refusal."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = _locked(amendment)
    if locked.state != "approved" or locked.approved_at is None:
        raise Refusal(_APPROVED_FIRST, rule="amendment-website", clause="4.1")
    if not _is_address(url):
        raise Refusal(_URL, rule="amendment-website", clause="4.1", field="url")
    if not locked.approved_at <= published_at <= at:
        raise Refusal(_LATER, rule="amendment-website", clause="4.1", field="published_at")
    locked.site_url, locked.site_at = url, published_at
    locked.save(update_fields=["site_url", "site_at"])
    record(by=by, at=at, about=locked, detail={"url": url, "at": published_at.isoformat(), **_digest(locked)})


def faults_of(amendment: Amendment) -> list[text.Fault]:
    """Return what stands against the text as it is now."""
    zh = amendment.title_zh if amendment.title_zh.strip() else "\x00"
    return text.faults(Bilingual(zh=zh, en=amendment.title_en or "\x00"), amendment.clauses)


def digest_of(amendment: Amendment) -> bytes:
    """Return the digest by which the version will be known."""
    return text_digest(
        {
            "kind": amendment.document_id,
            "title_zh": amendment.title_zh,
            "title_en": amendment.title_en,
            "clauses": amendment.clauses,
        }
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return len(url) <= 500 and url.isascii() and parts.scheme in ("http", "https") and bool(parts.hostname)


def _differs(amendment: Amendment) -> bool:
    return digest_of(amendment) != bytes(amendment.base.sha256)


def _locked(amendment: Amendment) -> Amendment:
    return Amendment.objects.select_for_update(of=("self",)).select_related("base").get(pk=amendment.pk)


def _digest(amendment: Amendment) -> dict[str, Any]:
    return {"sha256": digest_of(amendment).hex()}
