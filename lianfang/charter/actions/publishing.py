"""An approved text is published and mailed to every member at one instant; what did not arrive is seen to (4.1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from lianfang.accounts.doors import require
from lianfang.accounts.models import Organization, Person
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.charter import providers, queries, wake
from lianfang.charter.actions.amending import digest_of
from lianfang.charter.lifecycle import AMENDMENT
from lianfang.charter.models import Amendment, DocumentVersion, Told
from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.notices.actions import send
from lianfang.outbox import actions as outbox
from lianfang.policy.facts import Right, Subject

NOTICE = "N15"

_REFERENCE = Bilingual(
    zh="請填掛號號碼，60字以內。", en="Give the number of the registered letter, at most 60 characters."
)
_POSTED = Bilingual(
    zh="交寄日不能晚於今天，也不能早於公告日。", en="It was posted by today, and not before the publication."
)
_NOT_TOLD = Bilingual(zh="這個組織不在這次公告的名單上。", en="This organisation is not among those told.")
_ALREADY = Bilingual(zh="已經寄給這個人了。", en="It was mailed to this person already.")


@action(Tag.CHARTER_AMENDMENT_ISSUE)
def order_issue(*, amendment: Amendment, by: Subject, at: datetime) -> None:
    """Order an approved text to be published and mailed; the worker does both at one instant. Raises Refusal."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    locked = Amendment.objects.select_for_update(of=("self",)).get(pk=amendment.pk)
    AMENDMENT.move(locked, "issue", on_the_website=locked.site_at is not None)
    locked.issued_by_id = by.person
    locked.save(update_fields=["state", "issued_by"])
    record(by=by, at=at, about=locked, detail={"sha256": digest_of(locked).hex()})
    wake.publish()


@action(Tag.CHARTER_DOCUMENT_PUBLISH)
def finish_issue(*, amendment: Amendment, by: Subject, at: datetime) -> DocumentVersion | None:
    """Publish an ordered text and queue a mail to every notice address of every member, all in one transaction.

    The version is in force at its instant, or from now on if that has passed; before this transaction it is in force
    nowhere, so that no text binds anybody who was not told. None when somebody else published it meanwhile.
    """
    rows = Amendment.objects.select_for_update(of=("self",)).select_related("base")
    locked = rows.get(pk=amendment.pk)
    if locked.state != "issuing" or locked.approved_at is None:
        record(by=by, at=at, about=locked, detail={"published": False})
        return locked.version
    version = DocumentVersion.objects.create(
        document_id=locked.document_id,
        number=locked.base.number + 1,
        title_zh=locked.title_zh,
        title_en=locked.title_en,
        clauses=locked.clauses,
        sha256=digest_of(locked),
        approved_by_id=locked.second_approver_id,
        approved_at=locked.approved_at,
        effective_at=max(locked.effective_at or at, at),
        published_platform_at=at,
        published_site_url=locked.site_url,
        published_site_at=locked.site_at,
        origin="amended",
        mailed_at=at,
    )
    members = providers.members(at)
    for member in members:
        _tell(version, locked, member, by, at)
    AMENDMENT.move(locked, "finish")
    locked.version, locked.closed_at = version, at
    locked.save(update_fields=["state", "version", "closed_at"])
    detail: dict[str, Any] = {
        "document": locked.document_id,
        "number": version.number,
        "sha256": bytes(version.sha256).hex(),
        "effective": version.effective_at.isoformat(),
        "site": version.published_site_url,
        "members": len(members),
        "first": str(locked.first_approver_id),
        "second": str(locked.second_approver_id),
        "authors": list(locked.authors),
    }
    record(by=by, at=at, about=version, detail=detail)
    return version


def _tell(
    version: DocumentVersion, amendment: Amendment, member: providers.Recipient, by: Subject, at: datetime
) -> None:
    told = [person for person in member.people if _mail(version, amendment, member, person, by, at)]
    if not told:
        Told.objects.create(version=version, organization_id=member.organization, how=Told.How.NOBODY, at=at)


def _mail(
    version: DocumentVersion,
    amendment: Amendment,
    member: providers.Recipient,
    person: Person,
    by: Subject,
    at: datetime,
) -> bool:
    """Queue the mail to one person; False for an address to which no mail can go."""
    try:
        delivery = send(
            notice=NOTICE,
            to_person=person,
            context={
                "organization": member.name,
                "document": queries.DOCUMENTS[version.document_id],
                "version": version.number,
                "effective_at": version.effective_at,
                "summary_zh": amendment.summary_zh,
                "summary_en": amendment.summary_en,
                "link": settings.BASE_URL + reverse(f"{version.document_id}_version", args=[version.number]),
                "compare": settings.BASE_URL + reverse(f"{version.document_id}_compare", args=[version.number]),
            },
            dedupe=f"charter:{version.pk}:{member.organization}:{person.pk}",
            by=by,
            at=at,
        )
    except Refusal:
        return False
    Told.objects.create(
        version=version, organization_id=member.organization, person=person, how=Told.How.MAIL, delivery=delivery,
        at=at, by_id=by.person,
    )  # fmt: skip
    return True


# What did not arrive


@action(Tag.CHARTER_TOLD_RESEND)
def resend_to(*, told: Told, by: Subject, at: datetime) -> None:
    """Send a mail again that failed or whose fate is unknown. Raises Refusal in any other state."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    if told.delivery_id is None:
        raise Refusal(_NOT_TOLD, rule="told-resend", clause="4.1")
    outbox.resend(told.delivery_id, by=by, at=at)
    record(by=by, at=at, about=told)


@action(Tag.CHARTER_TOLD_ANOTHER)
def tell_another(
    *, version: DocumentVersion, organization: Organization, person: Person, by: Subject, at: datetime
) -> None:
    """Mail a version to another person of a member whose notice address did not take it. Raises Refusal."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    _require_told(version, organization)
    if Told.objects.filter(version=version, organization=organization, person=person, how=Told.How.MAIL).exists():
        raise Refusal(_ALREADY, rule="told-another", field="person")
    name = Bilingual(zh=organization.name_zh, en=organization.name_en or organization.name_zh)
    member = providers.Recipient(organization.pk, name, (person,))
    amendment = Amendment.objects.get(version=version)
    if not _mail(version, amendment, member, person, by, at):
        raise Refusal(_NOT_TOLD, rule="told-another", field="person")
    record(by=by, at=at, about=version, detail={"organization": str(organization.pk), "person": str(person.pk)})


@action(Tag.CHARTER_TOLD_POST)
def record_post(
    *, version: DocumentVersion, organization: Organization, reference: str, posted_on: date, by: Subject, at: datetime
) -> None:
    """Keep that a member was told by registered post: the number of the letter and its day. Raises Refusal."""
    require(subject=by, right=Right.EDIT_CHARTER, at=at)
    _require_told(version, organization)
    if not reference.strip() or len(reference.strip()) > 60:
        raise Refusal(_REFERENCE, rule="told-post", field="reference")
    if not taipei(version.published_platform_at).date() <= posted_on <= taipei(at).date():
        raise Refusal(_POSTED, rule="told-post", field="posted_on")
    told = Told.objects.create(
        version=version, organization=organization, how=Told.How.POST, reference=reference.strip(),
        posted_on=posted_on, at=at, by_id=by.person,
    )  # fmt: skip
    record(by=by, at=at, about=told, detail={"organization": str(organization.pk), "posted": posted_on.isoformat()})


def _require_told(version: DocumentVersion, organization: Organization) -> None:
    if not Told.objects.filter(version=version, organization=organization).exists():
        raise Refusal(_NOT_TOLD, rule="told-member", clause="4.1")
