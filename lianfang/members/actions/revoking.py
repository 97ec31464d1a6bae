"""Revocation of a membership by two of the staff (charter 1.4, 2.3, 5.3); the member is heard first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from lianfang.accounts import registry
from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, words
from lianfang.members.actions.applying import LAST_SECOND, log_event
from lianfang.members.actions.ending import (
    decision_detail,
    end_membership,
    lock_pending,
    locked_membership,
    signed_text,
)
from lianfang.members.actions.terminating import resume_after_review
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import MEMBERSHIP, REVOCATION
from lianfang.members.models import FROM_ARRIVAL, Decision, Membership, Revocation, deadline_fields
from lianfang.members.numbers import next_number
from lianfang.members.procedure import Spec
from lianfang.notices.actions import send
from lianfang.policy.facts import Case, Right, Subject
from lianfang.policy.store import bump_policy

_GROUND = Bilingual(zh="請選取消的依據。", en="Choose the ground.")
_FACTS = Bilingual(zh="請寫下事實。", en="State the facts.")
_REASON = Bilingual(zh="請寫下決定的理由。", en="Give the reasons of the decision.")


@action(Tag.MEMBERS_REVOCATION_OPEN)
def open_revocation(*, membership: Membership, ground: str, facts: str, by: Subject, at: datetime) -> Revocation:
    """Open a review whether a membership is revoked. Access goes on unchanged until a decision."""
    held = locked_membership(membership)
    require(subject=by, right=Right.REVIEW, target=Case(kind="membership", organization=held.organization_id), at=at)
    _check(ground, facts)
    MEMBERSHIP.move(held, "open_review")
    held.save(update_fields=["state"])
    days = Spec(queries.procedure_in_force(at).spec).review_days
    limit = Deadline.count(event=at, rule="D8", days=days, calendar=calendar_at(at))
    case = Revocation.objects.create(
        number=next_number("R", at),
        membership=held,
        ground=ground,
        facts=facts.strip(),
        opened_at=at,
        reviewer_id=person_of(by),
        due_at=limit.ends_at - LAST_SECOND,
    )
    record(by=by, at=at, about=case, detail={"membership": str(held.pk), "ground": ground}, text=facts)
    _event(case, "opened", by, at)
    bump_policy()
    return case


@action(Tag.MEMBERS_REVOCATION_PROPOSE)
def propose(*, case: Revocation, ground: str, facts: str, by: Subject, at: datetime) -> None:
    """Send a case for decision with its ground and facts; who sends it is its reviewer and cannot decide it."""
    locked = locked_revocation(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    _check(ground, facts)
    locked.ground, locked.facts = ground, facts.strip()
    hearing = queries.hearing(locked, ground, at)
    REVOCATION.move(locked, "propose", conflict=_conflict(locked.number, by), facts=locked.facts, hearing=hearing)
    locked.reviewer_id, locked.proposed_at = person_of(by), at
    locked.save()
    record(by=by, at=at, about=locked, detail={"ground": ground}, text=facts)
    _event(locked, "proposed", by, at)


@action(Tag.MEMBERS_REVOCATION_RETURN)
def send_back(*, case: Revocation, by: Subject, at: datetime) -> None:
    """Send a case back to its reviewer."""
    locked = locked_revocation(case)
    require(subject=by, right=Right.REVOKE, target=queries.case_of(locked), at=at)
    REVOCATION.move(locked, "send_back", **_context(locked, by))
    locked.save(update_fields=["state"])
    record(by=by, at=at, about=locked)
    _event(locked, "returned", by, at)


@action(Tag.MEMBERS_REVOCATION_CLOSE)
def close_case(*, case: Revocation, text: str, basis: str = "", by: Subject, at: datetime) -> Decision:
    """Decide that the membership stays."""
    locked = locked_revocation(case)
    require(subject=by, right=Right.REVOKE, target=queries.case_of(locked), at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    REVOCATION.move(locked, "close", **_context(locked, by))
    held = locked_membership(locked.membership)
    MEMBERSHIP.move(held, "close_review")
    resume_after_review(membership=held)
    held.save(update_fields=["state"])
    locked.decided_at = at
    locked.save(update_fields=["state", "decided_at"])
    letter = words.with_basis(Bilingual(zh=text.strip(), en=text.strip()), basis)
    decision = decision_of(locked, "keep", letter, text, by, at, basis=basis.strip())
    record(by=by, at=at, about=locked, detail=decision_detail(decision), text=signed_text(decision))
    _event(locked, "closed", by, at)
    bump_policy()
    return decision


@action(Tag.MEMBERS_REVOCATION_DECIDE)
def revoke(*, case: Revocation, text: str = "", basis: str = "", by: Subject, at: datetime) -> Decision:
    """Revoke the membership, effective at this very instant (charter 1.4, 2.3, 5.3).

    Sessions and tokens of the organisation and its constituents end; its administrators are told ground, effect and
    the last day of appeal (N9). The caller has had the decision signed. Raises Refusal for whoever reviewed the case.
    """
    locked = locked_revocation(case)
    require(subject=by, right=Right.REVOKE, target=queries.case_of(locked), at=at)
    REVOCATION.move(locked, "revoke", **_context(locked, by))
    lock_pending(locked.membership)
    held = locked_membership(locked.membership)
    MEMBERSHIP.move(held, "revoke")
    deadline = _appeal_limit(at)
    locked.decided_at, locked.appeal_start = at, registry.value("appeal_start", at)
    for name, value in deadline_fields(deadline).items():
        setattr(locked, name, value)
    locked.save()
    letter = revocation_letter(locked, number := next_number("D", at), text, deadline, at, basis=basis)
    decision = decision_of(locked, "revoke", letter, text, by, at, number=number, basis=basis.strip())
    record(by=by, at=at, about=locked, detail=decision_detail(decision), text=signed_text(decision))
    _event(locked, "revoked", by, at)
    end_membership(membership=held, by=by, at=at)
    _mail_revocation(locked, decision, deadline, by, at)
    bump_policy()
    return decision


def preview_revocation(*, case: Revocation, text: str, basis: str = "", at: datetime) -> Bilingual:
    """Return the letter as it would be sent; the number is given when it is signed."""
    deadline = _appeal_limit(at)
    return revocation_letter(case, "（簽署時編號）", text, deadline, at, basis=basis)


def _appeal_limit(at: datetime) -> Deadline:
    days = int(registry.value("appeal_days", at))
    return Deadline.count(event=at, rule="D1", days=days, calendar=calendar_at(at))


def revocation_letter(
    case: Revocation, number: str, text: str, deadline: Deadline, at: datetime, *, basis: str = ""
) -> Bilingual:
    """Return the letter of a revocation as it is, or would be, sent."""
    organization = case.membership.organization
    return words.revocation_letter(
        words.Letter(
            number=number,
            organization=Bilingual(zh=organization.name_zh, en=organization.name_en),
            clause=case.ground.rstrip("ab"),
            reasons=[words.GROUNDS[case.ground]],
            text="\n".join(part for part in (case.facts, text.strip()) if part),
            decided_at=at,
            basis=basis,
            appeal_last_day=deadline.last_day,
            appeal_days=deadline.days,
            from_arrival=(case.appeal_start or registry.value("appeal_start", at)) == FROM_ARRIVAL,
        )
    )


def _mail_revocation(case: Revocation, decision: Decision, deadline: Deadline, by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    for person in queries.notified(organization_id=organization.pk, at=at):
        send(
            notice="N9",
            to_person=person,
            context={
                "number": case.number,
                "organization_zh": organization.name_zh,
                "organization_en": organization.name_en or organization.name_zh,
                "effective_at": decision.effective_at,
                "letter": Bilingual(zh=decision.letter_zh, en=decision.letter_en),
                "appeal_last_day": deadline.last_day.isoformat(),
                "link": settings.BASE_URL + "/exit",
            },
            by=by,
            at=at,
        )


# Shared with the appeal


def decision_of(
    case: Revocation, kind: str, letter: Bilingual, text: str, by: Subject, at: datetime, **fields: Any
) -> Decision:
    """Keep a decision about a revocation or its appeal, with the letter as sent."""
    return Decision.objects.create(
        vault_key=case.vault_key,
        number=fields.pop("number", None) or next_number("D", at),
        kind=kind,
        revocation=case,
        membership=case.membership,
        clause=fields.pop("clause", case.ground),
        reasons=fields.pop("reasons", [case.ground]),
        reason_text=text.strip(),
        reviewed_by_id=fields.pop("reviewed_by_id", None) or case.reviewer_id,
        decided_by_id=person_of(by),
        decided_at=at,
        effective_at=at,
        letter_zh=letter.zh,
        letter_en=letter.en,
        text_sha256=digest(f"{letter.zh}\n{letter.en}"),
        **fields,
    )


def _check(ground: str, facts: str) -> None:
    if ground not in words.GROUNDS:
        raise Refusal(_GROUND, rule="revocation-ground", field="ground")
    if not facts.strip():
        raise Refusal(_FACTS, rule="revocation-facts", field="facts")


def _context(case: Revocation, by: Subject) -> dict[str, Any]:
    reviewer = queries.reviewer_beside(case, by.person)
    return {"reviewer": reviewer, "decider": by.person, "conflict": _conflict(case.number, by)}


def _conflict(number: str, by: Subject) -> bool | None:
    return queries.conflict_of(number, by.person)


def _event(case: Revocation, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})


def locked_revocation(case: Revocation) -> Revocation:
    """Lock a case and return it as it is now."""
    rows = Revocation.objects.select_for_update(of=("self",)).select_related("membership__organization", "vault_key")
    return rows.get(pk=case.pk)
