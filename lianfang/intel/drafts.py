"""A file between the steps of the form."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lianfang.accounts.doors import require
from lianfang.intel import intake
from lianfang.intel.models import Draft
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right, Subject


def keep(*, by: Subject, at: datetime, name: str, body: bytes) -> Draft:
    """Keep a file that can be read. Raises Refusal for one that cannot, and without the right to submit."""
    require(subject=by, right=Right.SUBMIT, at=at)
    if by.pair is None or by.person is None:
        raise Refusal(
            Bilingual(zh="請先選擇您代表的組織。", en="Choose the organisation that you act for first."),
            rule="G-submit",
        )
    intake.examine(body)
    return Draft.objects.create(
        person_id=by.person,
        organization_id=by.pair.organization,
        group_id=by.pair.group,
        name=name.replace("\0", "")[:200],
        body=body,
        created_at=at,
    )


def of(*, subject: Subject, draft: UUID) -> Draft | None:
    """Return the subject's own draft, for the pair that it acts for now."""
    if subject.pair is None:
        return None
    return Draft.objects.filter(
        pk=draft, person=subject.person, organization=subject.pair.organization, group=subject.pair.group
    ).first()


def forget(*, draft: Draft) -> None:
    """Delete a draft that became a submission."""
    draft.delete()
