"""What was in force, and who has acknowledged it."""

from __future__ import annotations

from datetime import datetime

from lianfang.accounts.models import Affiliation
from lianfang.charter.models import ConfidentialityDuty, DocumentVersion
from lianfang.kernel.clock import require_aware


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
