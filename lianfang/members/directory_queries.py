"""What members see of each other: those who both chose to stand in the directory, and of each only what it chose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from lianfang.accounts.doors import may
from lianfang.accounts.models import Organization
from lianfang.kernel.text import Bilingual
from lianfang.members import changing, contact_queries
from lianfang.members.lifecycle import IN_FORCE
from lianfang.members.models import Contact, DirectoryChoice
from lianfang.members.procedure import Spec
from lianfang.members.purposes import SECURITY
from lianfang.members.queries import procedure_in_force
from lianfang.policy.facts import Case, Right, Subject

BOTH = "both"
"""The state of an entry for a reader whose own member stands in the directory too; any other is seen by nobody."""
MOST = 500


def _in_force(at: datetime) -> QuerySet[DirectoryChoice]:
    rows = DirectoryChoice.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), started_at__lte=at)
    return rows.filter(membership__state__in=IN_FORCE)


def choice(*, organization_id: UUID, at: datetime) -> DirectoryChoice | None:
    """Return what a member lets others see at an instant, None for nothing."""
    return _in_force(at).filter(membership__organization=organization_id).first()


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as it lets itself be seen."""

    organization: Organization
    sector: Bilingual | None
    contact: Contact | None


def sector_words(*, codes: Iterable[str], at: datetime) -> dict[str, Bilingual]:
    """Return sectors as the form of application names them now; one that it no longer offers keeps its code."""
    spec = Spec(procedure_in_force(at).spec)
    named = {code: changing.value_words(spec, "sector", code) for code in codes if code}
    return {code: one if isinstance(one, Bilingual) else Bilingual(zh=one, en=one) for code, one in named.items()}


def case_of_entry(found: DirectoryChoice, *, reader_listed: bool) -> Case:
    """Return the facts about an entry that the policy decides on."""
    return Case(
        kind="directory",
        organization=found.membership.organization_id,
        state=BOTH if reader_listed else "one",
    )


def entries(*, subject: Subject, at: datetime, words: str = "") -> list[Entry]:
    """Return the entries that this subject may see, by name. Who stands in nothing sees nobody, and no number of them.

    The search looks at what is shown and at nothing else.
    """
    own = subject.pair is not None and choice(organization_id=subject.pair.group, at=at) is not None
    rows = _in_force(at).select_related("membership__organization").order_by("membership__organization__name_zh", "id")
    found = [
        row
        for row in rows
        if may(subject=subject, right=Right.READ_DIRECTORY, target=case_of_entry(row, reader_listed=own), at=at)
    ]
    asked = [row.membership_id for row in found if row.security]
    contacts = contact_queries.named_of(memberships=asked, purpose=SECURITY, at=at)
    sectors = sector_words(codes=(row.membership.organization.sector for row in found if row.sector), at=at)
    made = [
        Entry(
            row.membership.organization,
            sectors.get(row.membership.organization.sector) if row.sector else None,
            contacts.get(row.membership_id) if row.security else None,
        )
        for row in found
    ]
    return [one for one in made if _says(one, words)][:MOST]


def _says(one: Entry, words: str) -> bool:
    wanted = words.strip().casefold()
    texts = [one.organization.name_zh, one.organization.name_en]
    if one.sector:
        texts += [one.sector.zh, one.sector.en]
    return any(wanted in text.casefold() for text in texts)
