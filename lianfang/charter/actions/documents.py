"""What is written about documents: versions loaded, accepted, and the duty of confidentiality acknowledged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any

from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.charter import queries
from lianfang.charter import text as texts
from lianfang.charter.models import Acceptance, ConfidentialityDuty, Document, DocumentVersion
from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Kind, Subject

MODEL_KINDS = ("charter", "privacy")

_NOT_YOURS = Bilingual(zh="只能為自己確認保密義務。", en="Everybody acknowledges the duty for himself.")
_NO_CHARTER = Bilingual(
    zh="目前沒有施行中的規章，請聯絡協調中心。", en="No charter is in force; contact the coordination centre."
)
_ORDER = Bilingual(
    zh="新版的施行時間必須晚於現有各版。", en="A new version takes effect later than every version there is."
)
_BY_TWO = Bilingual(
    zh="規章要由兩位核准人核准、公告並通知會員才能修訂。",
    en="A charter is amended by two approvers, publication and a mail to every member.",
)
_THERE = Bilingual(
    zh="已經有一版了。先前的文字要在第一次啟用（lianfang bootstrap）之前匯入。",
    en="There is a version already. A text of before is imported before the first start (lianfang bootstrap).",
)
_HISTORY = Bilingual(
    zh="核准在前，施行與官網公告在後，都不能晚於現在。",
    en="The approval comes first, then its effect and the publication on the website, all by now.",
)
_PAST = Bilingual(zh="新版不能溯及既往：施行時間不能早於現在。", en="A new version cannot take effect before now.")


def model_text(kind: str) -> dict[str, Any]:
    """Return the text that comes with the product: {kind, title_zh, title_en, clauses: [{id, zh, en}]}."""
    source = resources.files("lianfang.charter") / "model" / f"{kind}.json"
    text: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return text


def text_digest(text: dict[str, Any]) -> bytes:
    """Return the SHA-256 of a document's text in canonical JSON, by which a version is known."""
    return digest(canonical({key: text[key] for key in ("kind", "title_zh", "title_en", "clauses")}))


@action(Tag.CHARTER_DOCUMENT_LOAD)
def load_document(*, text: dict[str, Any], effective_at: datetime, by: Subject, at: datetime) -> DocumentVersion:
    """Bring a text that comes with the software into force; an unchanged text stays the version that it is.

    Only the system does: whatever people change takes two of them and is told to every member (`amending`).
    Raises Refusal.
    """
    if by.kind is not Kind.SYSTEM:
        raise Refusal(_BY_TWO, rule="charter-by-two", clause="4.1")
    document, _ = Document.objects.get_or_create(kind=text["kind"], defaults={"created_at": at})
    Document.objects.select_for_update().get(pk=document.pk)
    latest = DocumentVersion.objects.filter(document=document).order_by("-number").first()
    fresh = text_digest(text)
    version = latest
    if latest is None or bytes(latest.sha256) != fresh:
        if latest is not None and effective_at <= latest.effective_at:
            raise Refusal(_ORDER, rule="charter-order", clause="4.1", field="effective_at")
        if effective_at < at:
            raise Refusal(_PAST, rule="charter-past", clause="4.1", field="effective_at")
        version = DocumentVersion.objects.create(
            document=document,
            number=latest.number + 1 if latest else 1,
            title_zh=text["title_zh"],
            title_en=text["title_en"],
            clauses=text["clauses"],
            sha256=fresh,
            approved_by_id=by.person,
            approved_at=at,
            effective_at=effective_at,
            published_platform_at=at,
        )
    assert version is not None
    record(by=by, at=at, about=version, detail={"number": version.number, "sha256": bytes(version.sha256).hex()})
    return version


@action(Tag.CHARTER_DOCUMENT_IMPORT)
def import_document(
    *,
    kind: str,
    titles: Bilingual,
    clauses: Sequence[Mapping[str, str]],
    approved_at: datetime,
    effective_at: datetime,
    site_url: str = "",
    site_at: datetime | None = None,
    by: Subject,
    at: datetime,
) -> DocumentVersion:
    """Take over a text that was in force before this platform was, with the proofs of then, as the first version.

    Only before there is any version of it: nobody has accepted or acknowledged another. Raises Refusal; a faulty text
    is refused with its first fault.
    """
    if by.kind is not Kind.SYSTEM:
        raise Refusal(_BY_TWO, rule="charter-by-two", clause="4.1")
    document, _ = Document.objects.get_or_create(kind=kind, defaults={"created_at": at})
    Document.objects.select_for_update().get(pk=document.pk)
    if document.versions.exists():
        raise Refusal(_THERE, rule="charter-import", clause="4.1")
    if not approved_at <= effective_at <= at or (site_at is not None and not approved_at <= site_at <= at):
        raise Refusal(_HISTORY, rule="charter-import", clause="4.1", field="effective_at")
    found = texts.faults(titles, clauses)
    if found:
        raise Refusal(found[0].reason, rule="charter-text", clause="4.1", field="clauses")
    made = {
        "kind": kind,
        "title_zh": titles.zh,
        "title_en": titles.en,
        "clauses": [{name: one[name] for name in ("id", "zh", "en")} for one in clauses],
    }
    version = DocumentVersion.objects.create(
        document=document,
        number=1,
        title_zh=titles.zh,
        title_en=titles.en,
        clauses=made["clauses"],
        sha256=text_digest(made),
        approved_at=approved_at,
        effective_at=effective_at,
        published_platform_at=at,
        published_site_url=site_url,
        published_site_at=site_at,
        origin="imported",
    )
    detail: dict[str, Any] = {"number": 1, "sha256": bytes(version.sha256).hex(), "effective": effective_at.isoformat()}
    record(by=by, at=at, about=version, detail=detail)
    return version


def load_models(*, by: Subject, at: datetime) -> list[DocumentVersion]:
    """Bring the model charter and privacy notice into force at once, where no version exists yet."""
    return [
        load_document(text=model_text(kind), effective_at=at, by=by, at=at)
        for kind in MODEL_KINDS
        if not DocumentVersion.objects.filter(document_id=kind).exists()
    ]


@action(Tag.CHARTER_ACCEPTANCE_GIVE)
def accept(
    *,
    version: DocumentVersion,
    organization: Organization | None,
    person: Person | None,
    context: str,
    by: Subject,
    at: datetime,
) -> Acceptance:
    """Keep that exactly this version was accepted, for whom and in what course (charter 5.2)."""
    acceptance = Acceptance.objects.create(
        document_version=version, organization=organization, person=person, at=at, context=context
    )
    detail = {"version": str(version.pk), "sha256": bytes(version.sha256).hex(), "context": context}
    record(by=by, at=at, about=acceptance, detail=detail)
    return acceptance


@action(Tag.CHARTER_DUTY_ACKNOWLEDGE)
def acknowledge(*, affiliation: Affiliation, by: Subject, at: datetime) -> ConfidentialityDuty:
    """Acknowledge the duty of confidentiality for one pair under the charter in force (3.1, 3.3).

    The duty began when the person began to act for the pair, has no end, and is acknowledged once a version. Raises
    Refusal for somebody else's affiliation, and while no charter is in force.
    """
    if by.person != affiliation.person_id:
        raise Refusal(_NOT_YOURS, rule="F-duty", clause="3.1")
    locked = Affiliation.objects.select_for_update().get(pk=affiliation.pk)
    version = queries.in_force(kind="charter", at=at)
    if version is None:
        raise Refusal(_NO_CHARTER, rule="F-duty", clause="4.1")
    duty, fresh = ConfidentialityDuty.objects.get_or_create(
        person_id=locked.person_id,
        organization_id=locked.organization_id,
        group_id=locked.group_id,
        document_version=version,
        defaults={
            "affiliation": locked,
            "starts_at": min(locked.started_at or at, at),
            "acknowledged_at": at,
        },
    )
    record(by=by, at=at, about=duty, detail={"version": version.number, "first": fresh})
    return duty
