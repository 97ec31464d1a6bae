"""What was in force, and who has acknowledged it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation
from lianfang.charter.models import ConfidentialityDuty, DocumentVersion
from lianfang.kernel.clock import require_aware
from lianfang.kernel.text import Bilingual


def in_force(*, kind: str, at: datetime) -> DocumentVersion | None:
    """Return the version of a document (`charter`, `privacy`, …) in force at that instant, or None before the first."""
    return (
        DocumentVersion.objects.filter(document_id=kind, effective_at__lte=require_aware(at))
        .order_by("-effective_at")
        .first()
    )


def versions(*, kind: str, at: datetime) -> list[DocumentVersion]:
    """Return every version that has been in force by then, newest first."""
    return list(
        DocumentVersion.objects.filter(document_id=kind, effective_at__lte=require_aware(at)).order_by("-effective_at")
    )


def acknowledged(*, affiliation: Affiliation, version: DocumentVersion | None = None) -> bool:
    """Return whether the person acknowledged the duty for this pair, in that version or (None) in any."""
    duties = ConfidentialityDuty.objects.filter(
        person=affiliation.person_id, organization=affiliation.organization_id, group=affiliation.group_id
    )
    if version is not None:
        duties = duties.filter(document_version=version)
    return duties.exists()


def acknowledged_among(affiliations: list[Affiliation]) -> set[UUID]:
    """Return the ids of those affiliations whose pair the person has acknowledged the duty for, in any version."""
    duties = ConfidentialityDuty.objects.filter(person__in={one.person_id for one in affiliations})
    pairs = set(duties.values_list("person_id", "organization_id", "group_id"))
    return {one.pk for one in affiliations if (one.person_id, one.organization_id, one.group_id) in pairs}


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a version, ready for a page. `depth` 0 is an article's heading, 1 a paragraph, 2 and more below."""

    id: str
    text: Bilingual
    depth: int

    @property
    def anchor(self) -> str:
        """The part of an address after `#`; clause numbers are stable, so links keep working."""
        return f"c{self.id}"

    @property
    def number(self) -> str:
        """How the clause is quoted: `2.2`, and below 5.1 `1.3.1` as the charter itself counts."""
        return self.id.partition("-")[2] or self.id

    @property
    def article(self) -> str:
        """The article it stands in; "0" is the preamble."""
        return self.id.partition(".")[0]


def clauses(version: DocumentVersion, *, at: datetime) -> list[Clause]:
    """Return the clauses in order; what the operator fills in stands as the settings were at that instant."""
    filled = _filled(at) if version.document_id == "privacy" else {}
    return [_clause(entry, filled) for entry in version.clauses]


def _clause(entry: dict[str, str], filled: dict[str, Bilingual]) -> Clause:
    text = Bilingual(zh=entry["zh"], en=entry["en"])
    for name, words in filled.items():
        place = "{" + name + "}"
        text = Bilingual(zh=text.zh.replace(place, words.zh), en=text.en.replace(place, words.en))
    number = entry["id"]
    return Clause(id=number, text=text, depth=number.count(".") - number.count("-"))


def _filled(at: datetime) -> dict[str, Bilingual]:
    mailbox = settings.SERVICE_MAILBOX
    return {
        "collecting_entity": registry.bilingual("collecting_entity", at),
        "recipients": registry.bilingual("recipients", at),
        "service_mailbox": Bilingual(zh=mailbox, en=mailbox),
    }


def privacy_notice(at: datetime) -> Bilingual:
    """Return the whole privacy notice in force, as plain text. Raises LookupError before there is one."""
    version = in_force(kind="privacy", at=at)
    if version is None:
        raise LookupError("no privacy notice is in force: load the documents first")
    parts = [clause.text for clause in clauses(version, at=at)]
    return Bilingual(
        zh="\n\n".join([version.title_zh, *(part.zh for part in parts)]),
        en="\n\n".join([version.title_en, *(part.en for part in parts)]),
    )
