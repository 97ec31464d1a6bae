"""Approval and rejection of an application: signed, reasoned, by somebody who did not review it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from lianfang.accounts.actions import create_organization, invite, person_enter
from lianfang.accounts.doors import require
from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.audit.actions import action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.tags import Tag
from lianfang.charter.models import Acceptance
from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, words
from lianfang.members.actions.applying import log_event, organization_words
from lianfang.members.actions.naming_contacts import name_first
from lianfang.members.actions.reviewing import coded, locked_application
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import APPLICATION, MEMBERSHIP
from lianfang.members.models import (
    Application,
    Constituent,
    Decision,
    FirstApproval,
    Membership,
    MembershipInterval,
    ScreeningFinding,
)
from lianfang.members.numbers import next_number
from lianfang.members.procedure import words as spec_words
from lianfang.members.roster import Row
from lianfang.notices.actions import send
from lianfang.policy.facts import Right, Role, Subject
from lianfang.policy.store import bump_policy

_TAKEN = Bilingual(
    zh="這個統一編號已有有效會籍，一個組織只能有一份。",
    en="This business number already has a membership in force; an organisation has one only.",
)
_NO_FIRST = Bilingual(
    zh="這一件不需要第一位核准，或已經有了。", en="This case needs no first approval, or has it already."
)
_PEOPLE = (("admin1", Role.MEMBER_ADMIN), ("admin2", Role.MEMBER_ADMIN), ("contact", Role.SECURITY_CONTACT))


@action(Tag.MEMBERS_APPLICATION_APPROVE)
def approve(
    *, application: Application, reasons: Sequence[str], text: str = "", basis: str = "", by: Subject, at: datetime
) -> Membership:
    """Approve: this very act begins the membership, at this instant (charter 1.3).

    Makes the organisation, its people (who are told where their data came from), its constituents and the letter. The
    caller has had the decision signed. Raises Refusal for whoever reviewed the case, while a finding or the check of
    authority is missing, an id hit is open, the attestation does not cover the roster, or the number is taken.
    """
    locked = locked_application(application)
    _one_at_a_time(locked)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    given = coded(locked, "approve", reasons, text)
    APPLICATION.move(
        locked,
        "approve",
        **_context(locked, by),
        recommendation=locked.recommendation,
        readiness=queries.readiness(locked, at),
        attested=queries.attested_hash(locked),
        roster=locked.roster_hash,
        **_approvals(locked),
    )
    organization = _organization(locked, by, at)
    membership = _begin(locked, organization, at)
    locked.organization, locked.decided_at = organization, at
    locked.save()
    decision = _decide(locked, "approve", given, text, basis, by, at, membership)
    _constituents(locked, organization, by, at)
    record(by=by, at=at, about=locked, detail=_detail(decision, membership), text=_signed_text(decision))
    log_event(case=locked.number or "", event="approved", by=by.person, at=at, detail={"decision": decision.number})
    _people(locked, membership, by, at)
    _mail(locked, "N3", decision, by, at)
    bump_policy()
    failpoint("members.approve.before-commit")
    transaction.on_commit(lambda: failpoint("members.approve.after-commit"))
    return membership


@action(Tag.MEMBERS_APPLICATION_FIRST)
def approve_first(
    *, application: Application, reasons: Sequence[str], text: str = "", basis: str = "", by: Subject, at: datetime
) -> FirstApproval:
    """Give the first of two approvals, where the procedure of the case asks for two; nothing begins by it.

    Everything that stands against an approval stands against this one. The caller has had it signed. Raises Refusal.
    """
    locked = locked_application(application)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    given = coded(locked, "approve", reasons, text)
    if not queries.wants_first_approval(locked):
        raise Refusal(_NO_FIRST, rule="approval-first", clause="1.3")
    reason = APPLICATION.why_not(
        locked,
        "approve",
        **_context(locked, by),
        recommendation=locked.recommendation,
        readiness=queries.readiness(locked, at),
        attested=queries.attested_hash(locked),
        roster=locked.roster_hash,
        approvers=1,
        first=None,
    )
    if reason is not None:
        raise Refusal(reason, rule="application:approve", clause="1.3")
    assert locked.recommended_at is not None  # a state that follows upon a recommendation
    first = FirstApproval.objects.create(
        vault_key=locked.vault_key,
        application=locked,
        recommended_at=locked.recommended_at,
        by_id=person_of(by),
        reasons=[reason_["value"] for reason_ in given],
        text=text.strip(),
        basis=basis.strip(),
        at=at,
    )
    record(by=by, at=at, about=locked, detail={"reasons": list(reasons)}, text=f"{text}\n{basis}" if basis else text)
    log_event(case=locked.number or "", event="approved_first", by=by.person, at=at, detail={})
    return first


def _approvals(application: Application) -> dict[str, Any]:
    first = queries.first_approval(application)
    return {"approvers": queries.spec_of(application).approvers, "first": first.by_id if first else None}


@action(Tag.MEMBERS_APPLICATION_REJECT)
def reject(
    *, application: Application, reasons: Sequence[str], text: str = "", basis: str = "", by: Subject, at: datetime
) -> Decision:
    """Reject with coded reasons; the letter says them (N4). Raises Refusal for whoever reviewed the case."""
    locked = locked_application(application)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    given = coded(locked, "reject", reasons, text)
    APPLICATION.move(locked, "reject", **_context(locked, by))
    locked.decided_at = at
    locked.save(update_fields=["state", "decided_at"])
    decision = _decide(locked, "reject", given, text, basis, by, at, None)
    record(by=by, at=at, about=locked, detail=_detail(decision, None), text=_signed_text(decision))
    log_event(case=locked.number or "", event="rejected", by=by.person, at=at, detail={"decision": decision.number})
    _mail(locked, "N4", decision, by, at)
    return decision


def preview_letter(
    *, application: Application, what: str, reasons: Sequence[str], text: str, basis: str = "", at: datetime
) -> Bilingual:
    """Return the letter as it would be sent; the number is given when it is signed. Raises Refusal without a reason."""
    return _letter(application, what, coded(application, what, reasons, text), text, basis, "（簽署時編號）", at)


def _context(application: Application, by: Subject) -> dict[str, Any]:
    return {
        "reviewer": queries.reviewer_beside(application, by.person),
        "decider": by.person,
        "conflict": queries.conflict_of(application.number or "", by.person),
    }


def _one_at_a_time(application: Application) -> None:
    """Two approvals of one business number wait for one another; the unique index would stop the second anyway."""
    if application.ubn:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('members.ubn:' || %s, 0))", [application.ubn])


def _organization(application: Application, by: Subject, at: datetime) -> Organization:
    answers = application.answers["organization"]
    fields = {
        "kind": application.kind,
        "name_zh": application.name_zh,
        "name_en": application.name_en,
        "stock_code": answers.get("stock_code", ""),
        "certificate_number": answers.get("certificate_number", ""),
        "address": answers.get("address", ""),
        "sector": answers.get("sector", ""),
        "csma_regime": answers.get("csma_regime", "none"),
        "csma_authority": answers.get("csma_authority", ""),
        "ubn_absent_reason": "" if application.ubn else answers.get("ubn_absent_reason", ""),
    }
    organization = create_organization(by=by, at=at, ubn=application.ubn, **fields)
    # One that we knew already, as a constituent or from an earlier membership: what was just approved counts.
    Organization.objects.filter(pk=organization.pk).update(**fields)
    organization.refresh_from_db()
    return organization


def _begin(application: Application, organization: Organization, at: datetime) -> Membership:
    try:
        with transaction.atomic():
            membership = Membership.objects.create(
                organization=organization,
                application=application,
                ubn=application.ubn,
                state=MEMBERSHIP.initial,
                began_at=at,
            )
    except IntegrityError:
        raise Refusal(_TAKEN, rule="membership-once", clause="1.3") from None
    MembershipInterval.objects.create(membership=membership, began_at=at)
    accepted = [one for one in (application.charter, application.privacy_notice) if one is not None]
    for version in accepted:
        Acceptance.objects.create(
            document_version=version,
            organization=organization,
            at=application.submitted_at or at,
            context=f"application {application.number}",
        )
    return membership


def _constituents(application: Application, group: Organization, by: Subject, at: datetime) -> None:
    rows = queries.all_rows(application)[1:]
    # Of an earlier membership of this organisation: what counts is the roster that was screened and approved now.
    held = Constituent.objects.filter(group=group)
    held.filter(Q(removed_at__isnull=True) | Q(removed_at__gt=at)).update(removed_at=at)
    if not rows:
        return
    found = queries.findings(application)
    known = {
        organization.ubn: organization
        for organization in Organization.objects.filter(ubn__in=[row.ubn for row in rows if row.ubn])
    }
    listed = [(row, known.get(row.ubn) or _constituent(row, at)) for row in rows]
    # A roster can hold thousands: two statements, not two a row.
    Organization.objects.bulk_create([one for _, one in listed if one._state.adding])
    Constituent.objects.bulk_create([_place(group, one, row.name, found[row.key], at) for row, one in listed])
    ids = digest(canonical(sorted(str(one.pk) for _, one in listed))).hex()
    record(
        by=by, at=at, about=group, tag=Tag.ACCOUNTS_ORGANIZATION_CREATE, detail={"constituents": len(rows), "ids": ids}
    )


def _constituent(row: Row, at: datetime) -> Organization:
    return Organization(kind=Organization.Kind.CONSTITUENT, name_zh=row.name, ubn=row.ubn or None, created_at=at)


def _place(
    group: Organization, organization: Organization, name: str, finding: ScreeningFinding, at: datetime
) -> Constituent:
    return Constituent(
        listed_name=name,
        group=group,
        organization=organization,
        screening="other_entity" if finding.other_entity else finding.result,
        screened_at=finding.at,
        list_source=finding.source,
        list_date=finding.list_date,
        added_at=at,
    )


def _people(application: Application, membership: Membership, by: Subject, at: datetime) -> None:
    answers, organization, people = application.answers["people"], membership.organization, {}
    for prefix, role in _PEOPLE:
        people[prefix] = person = _person(application, answers, prefix, by, at)
        there = Affiliation.objects.filter(
            person=person, organization=organization, group=organization, left_at__isnull=True
        )
        # Somebody of an earlier membership of this organisation signs in as before.
        if not there.exists():
            invite(person=person, organization=organization, group=organization, role=role, by=by, at=at)
    name_first(membership=membership, administrator=people["admin1"], security=people["contact"], at=at)


def _person(application: Application, answers: Mapping[str, Any], prefix: str, by: Subject, at: datetime) -> Person:
    email = str(answers[f"{prefix}_email"]).strip().lower()
    return person_enter(
        name=str(answers[f"{prefix}_name"]),
        title=str(answers[f"{prefix}_title"]),
        email=email,
        phone=str(answers[f"{prefix}_phone"]),
        language=application.language,
        # The applicant read the notice and gave the data; everybody else was entered by the applicant.
        entered_by_other=email != application.email,
        by=by,
        at=at,
    )


def _letter(
    application: Application,
    what: str,
    reasons: Sequence[Mapping[str, Any]],
    text: str,
    basis: str,
    number: str,
    at: datetime,
) -> Bilingual:
    letter = words.Letter(
        number=number,
        organization=Bilingual(zh=application.name_zh, en=application.name_en),
        clause=str(reasons[0]["clause"]),
        reasons=[spec_words(reason["label"]) for reason in reasons],
        text=text,
        decided_at=at,
        basis=basis,
    )
    if what == "reject":
        return words.rejection_letter(letter)
    version = application.charter.number if application.charter else 0
    return words.approval_letter(letter, charter_version=version)


def _decide(
    application: Application,
    kind: str,
    reasons: Sequence[Mapping[str, Any]],
    text: str,
    basis: str,
    by: Subject,
    at: datetime,
    membership: Membership | None,
) -> Decision:
    number = next_number("D", at)
    letter = _letter(application, kind, reasons, text, basis, number, at)
    return Decision.objects.create(
        vault_key=application.vault_key,
        number=number,
        kind=kind,
        application=application,
        membership=membership,
        clause=str(reasons[0]["clause"]),
        reasons=[reason["value"] for reason in reasons],
        reason_text=text.strip(),
        basis=basis.strip(),
        reviewed_by_id=_reviewer_of(application),
        decided_by_id=person_of(by),
        decided_at=at,
        effective_at=at,
        letter_zh=letter.zh,
        letter_en=letter.en,
        text_sha256=digest(f"{letter.zh}\n{letter.en}"),
    )


def _reviewer_of(application: Application) -> UUID:
    if application.reviewer_id is None:
        raise ValueError(f"{application} has no reviewer, so nothing was recommended")
    return application.reviewer_id


def _signed_text(decision: Decision) -> str:
    return f"{decision.letter_zh}\n{decision.letter_en}"


def _detail(decision: Decision, membership: Membership | None) -> dict[str, Any]:
    return {
        "decision": decision.number,
        "kind": decision.kind,
        "clause": decision.clause,
        "reasons": list(decision.reasons),
        "reviewed_by": str(decision.reviewed_by_id),
        "first_approver": _first_approver(decision),
        "membership": str(membership.pk) if membership else None,
        "letter": decision.text_sha256.hex(),
    }


def _first_approver(decision: Decision) -> str | None:
    first = (
        queries.first_approval(decision.application) if decision.application and decision.kind == "approve" else None
    )
    return str(first.by_id) if first else None


def _mail(application: Application, notice: str, decision: Decision, by: Subject, at: datetime) -> None:
    send(
        notice=notice,
        to_address=application.email,
        context={
            "number": application.number,
            **organization_words(application),
            "effective_at": decision.effective_at,
            "charter_version": _charter_words(application),
            "letter": Bilingual(zh=decision.letter_zh, en=decision.letter_en),
            "link": settings.BASE_URL + "/home",
        },
        by=by,
        at=at,
    )


def _charter_words(application: Application) -> Bilingual:
    number = application.charter.number if application.charter else 0
    return Bilingual(zh=f"第{number}版", en=f"version {number}")
