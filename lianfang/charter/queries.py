"""What was in force, and who has acknowledged it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation, Person
from lianfang.charter.lifecycle import OPEN_AMENDMENT
from lianfang.charter.models import Amendment, ConfidentialityDuty, DocumentVersion, Told
from lianfang.charter.text import quoted
from lianfang.kernel.clock import require_aware
from lianfang.kernel.text import Bilingual
from lianfang.outbox.lifecycle import QUEUED, SENDING, SENT
from lianfang.policy.facts import Case

DOCUMENTS = {
    "charter": Bilingual(zh="團體會員規章", en="Charter for Group Members"),
    "privacy": Bilingual(zh="個人資料告知事項", en="Privacy notice"),
}
"""The documents that members are told of, as a mail names them."""


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


def every(*, kind: str) -> list[DocumentVersion]:
    """Return every version, newest first, also those that are not in force yet."""
    rows = DocumentVersion.objects.filter(document_id=kind).select_related("approved_by__vault_key")
    return list(rows.order_by("-number"))


def latest(*, kind: str) -> DocumentVersion | None:
    """Return the newest version, in force or not yet."""
    return DocumentVersion.objects.filter(document_id=kind).order_by("-number").first()


def published(*, kind: str, number: int, at: datetime) -> DocumentVersion | None:
    """Return a version that everybody may read: published by then, in force or not yet."""
    rows = DocumentVersion.objects.filter(document_id=kind, number=number, published_platform_at__lte=at)
    return rows.select_related("approved_by__vault_key").first()


def upcoming(*, kind: str, at: datetime) -> list[DocumentVersion]:
    """Return the versions that are published and not in force yet, the next first."""
    rows = DocumentVersion.objects.filter(document_id=kind, published_platform_at__lte=at, effective_at__gt=at)
    return list(rows.order_by("effective_at"))


# Amendments


def _amendments() -> QuerySet[Amendment]:
    return Amendment.objects.select_related(
        "base", "version", "proposed_by__vault_key", "first_approver__vault_key", "second_approver__vault_key"
    )


def open_amendment(kind: str) -> Amendment | None:
    """Return the amendment of a document that is written, waits for approval, or is being published."""
    return _amendments().filter(document=kind, state__in=OPEN_AMENDMENT).first()


def amendment_of(version: DocumentVersion) -> Amendment | None:
    """Return the amendment by which a version came; None for one that came with the software or was imported."""
    return _amendments().filter(version=version).first()


def ordered() -> list[Amendment]:
    """Return the amendments whose publication was ordered and not done yet."""
    return list(Amendment.objects.filter(state="issuing").order_by("began_at"))


def case_of(amendment: Amendment, *, fresh: bool = False) -> Case:
    """Return the facts about an amendment that the policy decides on; `fresh` for what one approver may do alone."""
    first = {amendment.first_approver_id} if amendment.first_approver_id and not fresh else set()
    return Case(
        id=str(amendment.pk),
        kind="amendment",
        state=amendment.state,
        authored_by=frozenset(UUID(one) for one in amendment.authors),
        decided_by=frozenset(first),
    )


# Whom a version was told


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many members a version was told: all of them, those whom a mail reached, under way, by post, and the rest.

    A mail that a server took counts as sent; arrival is not claimed. `exceptions` are members with no mail that left or
    may still leave, and no letter.
    """

    members: int
    sent: int
    waiting: int
    post: int
    exceptions: int


def _by_member(version: DocumentVersion) -> Any:
    """One row a member, with the number of its mails that left, that may still leave, and of letters."""
    mails = {
        "sent": Count("pk", filter=Q(delivery__state=SENT)),
        "waiting": Count("pk", filter=Q(delivery__state__in=[QUEUED, SENDING])),
        "post": Count("pk", filter=Q(how=Told.How.POST)),
    }
    return Told.objects.filter(version=version).values("organization").annotate(**mails)


def delivered(version: DocumentVersion) -> Delivered:
    """Return how far the telling of a version has come."""
    found: Counter[str] = Counter()
    for sent, waiting, post in _by_member(version).values_list("sent", "waiting", "post"):
        found["sent" if sent else "post" if post else "waiting" if waiting else "exceptions"] += 1
    return Delivered(found.total(), found["sent"], found["waiting"], found["post"], found["exceptions"])


def exceptions(version: DocumentVersion) -> list[UUID]:
    """Return the members whom no mail reached or may still reach, and to whom no letter was posted."""
    rows = _by_member(version).filter(sent=0, waiting=0, post=0)
    return [row["organization"] for row in rows.order_by("organization")]


def reached(version: DocumentVersion, organization: UUID) -> bool:
    """Return whether a member is no exception."""
    rows = _by_member(version).filter(organization=organization)
    return not rows.filter(sent=0, waiting=0, post=0).exists()


def mailed(version: DocumentVersion, organizations: Sequence[UUID]) -> set[UUID]:
    """Return those of these members to whom a mail was queued at all, whatever came of it."""
    rows = Told.objects.filter(version=version, organization__in=organizations, how=Told.How.MAIL)
    return set(rows.values_list("organization", flat=True))


def told(version: DocumentVersion, organization: UUID) -> list[Told]:
    """Return what was done to tell one member, oldest first."""
    rows = Told.objects.filter(version=version, organization=organization)
    related = rows.select_related("person__vault_key", "delivery__vault_key", "organization", "by__vault_key")
    return list(related.order_by("at", "pk"))


def people_of(organization: UUID, at: datetime) -> list[Person]:
    """Return whoever acts for a member itself now: to any of them a version can be mailed."""
    rows = Affiliation.objects.live(at).filter(organization=organization, group=organization)
    found = {row.person_id: row.person for row in rows.select_related("person__vault_key").order_by("id")}
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How many of the people who must have acknowledged the duty under a version."""

    done: int
    people: int


def acknowledgements(version: DocumentVersion, at: datetime) -> Acknowledged:
    """Return how many people who act for somebody now acknowledged the duty in this version."""
    people = set(Affiliation.objects.live(at).values_list("person_id", "organization_id", "group_id"))
    rows = ConfidentialityDuty.objects.filter(document_version=version)
    done = set(rows.values_list("person_id", "organization_id", "group_id"))
    return Acknowledged(len(people & done), len(people))


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
        return quoted(self.id)

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
