"""A member asks to leave, and two of the staff decide (charter 2.5).

The duties go on in full until the decision. The races with a revocation have rules: docs/adr/0024.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from lianfang.accounts.doors import require
from lianfang.accounts.models import Affiliation
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, words
from lianfang.members.actions.applying import LAST_SECOND, log_event
from lianfang.members.actions.ending import (
    at_end,
    decision_detail,
    end_membership,
    lock_pending,
    locked_membership,
    signed_text,
)
from lianfang.members.actors import person_of
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import IN_FORCE, MEMBERSHIP, OPEN_TERMINATION, TERMINATION
from lianfang.members.models import HANDLINGS, Decision, Membership, Termination
from lianfang.members.numbers import next_number
from lianfang.members.procedure import Spec
from lianfang.notices.actions import send
from lianfang.policy.facts import Case, Right, Subject
from lianfang.policy.store import bump_policy

_LONGEST = 20_000
_WHY = Bilingual(zh="請寫下為什麼要終止。", en="Say why the membership is to end.")
_LONG = Bilingual(zh="請縮短到20,000字以內。", en="Shorten it to 20,000 characters.")
_HANDLING = Bilingual(zh="請選銷毀或返還。", en="Choose to destroy or to return.")
_ONE = Bilingual(zh="已有一份終止申請尚未決定。", en="A request to end the membership waits for its decision already.")
_NOT_IN_FORCE = Bilingual(zh="會籍已不在有效狀態，沒有可以終止的。", en="The membership is not in force any more.")
_WHAT = Bilingual(zh="請選建議同意或不同意。", en="Recommend to grant or to refuse.")
_REASON = Bilingual(zh="不同意時，請寫下理由。", en="Give the reasons of a refusal.")


@action(Tag.MEMBERS_TERMINATION_REQUEST)
def request_termination(
    *, membership: Membership, reason: str, handling: str, by: Subject, at: datetime
) -> Termination:
    """Ask that the membership ends. Access and duties go on in full until the decision.

    During a review of revocation the request is taken in and waits for it. Raises Refusal for an empty reason, while
    another request is open, and for a membership that has ended.
    """
    held = locked_membership(membership)
    target = Case(kind="termination", organization=held.organization_id, state=held.state)
    require(subject=by, right=Right.MANAGE_PEOPLE, target=target, at=at)
    if not reason.strip():
        raise Refusal(_WHY, rule="termination-reason", field="reason")
    if len(reason) > _LONGEST:
        raise Refusal(_LONG, rule="termination-reason", field="reason")
    if handling not in HANDLINGS:
        raise Refusal(_HANDLING, rule="termination-handling", field="handling")
    if held.state not in IN_FORCE:
        raise Refusal(_NOT_IN_FORCE, rule="membership:request_termination", clause="2.5")
    days = Spec(queries.procedure_in_force(at).spec).review_days
    limit = Deadline.count(event=at, rule="D8", days=days, calendar=calendar_at(at))
    try:
        with transaction.atomic():
            case = Termination.objects.create(
                number=next_number("T", at),
                membership=held,
                reason=reason.strip(),
                handling=handling,
                filed_by_id=person_of(by),
                filed_at=at,
                due_at=limit.ends_at - LAST_SECOND,
            )
    except IntegrityError:
        raise Refusal(_ONE, rule="termination-once", clause="2.5") from None
    if held.state == "active":
        MEMBERSHIP.move(held, "request_termination")
        held.save(update_fields=["state"])
    record(by=by, at=at, about=case, detail={"membership": str(held.pk), "handling": handling}, text=reason)
    _event(case, "termination_requested", by, at)
    _mail(case, words.TERMINATION_RECEIVED, by, at)
    bump_policy()
    return case


@action(Tag.MEMBERS_TERMINATION_WITHDRAW)
def withdraw_termination(*, case: Termination, by: Subject, at: datetime) -> None:
    """Take a request back, as its member may until it is decided; the membership goes on."""
    held, locked = _locked(case)
    require(subject=by, right=Right.MANAGE_PEOPLE, target=queries.case_of(locked), at=at)
    TERMINATION.move(locked, "withdraw")
    if held.state == "termination_requested":
        MEMBERSHIP.move(held, "withdraw_termination")
        held.save(update_fields=["state"])
    _close(locked, at)
    record(by=by, at=at, about=locked)
    _event(locked, "termination_withdrawn", by, at)
    bump_policy()


@action(Tag.MEMBERS_TERMINATION_RECOMMEND)
def recommend_termination(*, case: Termination, what: str, findings: str, by: Subject, at: datetime) -> None:
    """Recommend to `grant` or to `refuse`, with what the review found; who does is its reviewer and cannot decide."""
    _, locked = _locked(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    if what not in ("grant", "refuse"):
        raise Refusal(_WHAT, rule="termination-recommendation", field="what")
    if len(findings) > _LONGEST:
        raise Refusal(_LONG, rule="termination-findings", field="findings")
    conflict = queries.conflict_of(locked.number, by.person)
    TERMINATION.move(locked, "recommend", conflict=conflict, findings=findings)
    locked.reviewer_id, locked.recommendation = person_of(by), what
    locked.findings, locked.recommended_at = findings.strip(), at
    locked.save()
    record(by=by, at=at, about=locked, detail={"recommendation": what}, text=findings)
    _event(locked, "termination_recommended", by, at)


@action(Tag.MEMBERS_TERMINATION_RETURN)
def return_termination(*, case: Termination, by: Subject, at: datetime) -> None:
    """Send a request back to its reviewer."""
    held, locked = _locked(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    TERMINATION.move(locked, "send_back", **_context(held, locked, by))
    locked.save(update_fields=["state"])
    record(by=by, at=at, about=locked)
    _event(locked, "returned", by, at)


@action(Tag.MEMBERS_TERMINATION_GRANT)
def grant_termination(*, case: Termination, text: str = "", basis: str = "", by: Subject, at: datetime) -> Decision:
    """End the membership at this very instant (charter 2.5).

    Sessions and keys end; its administrators get the letter (N13), everybody who had access is told which duties
    remain (N14). The caller has had the decision signed. Raises Refusal for whoever reviewed the case.
    """
    lock_pending(case.membership)
    held, locked = _locked(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    TERMINATION.move(locked, "grant", **_context(held, locked, by))
    MEMBERSHIP.move(held, "terminate")
    told = list(Affiliation.objects.live(at).filter(group=held.organization_id).select_related("person__vault_key"))
    _close(locked, at)
    decision = _decide(locked, text, basis, by, at)
    record(by=by, at=at, about=locked, detail=decision_detail(decision), text=signed_text(decision))
    _event(locked, "termination_granted", by, at)
    _mail(locked, Bilingual(zh=decision.letter_zh, en=decision.letter_en), by, at)
    for person in {one.person_id: one.person for one in told}.values():
        _mail_duties(held, person, by, at)
    end_membership(membership=held, by=by, at=at)
    bump_policy()
    return decision


@action(Tag.MEMBERS_TERMINATION_REFUSE)
def refuse_termination(*, case: Termination, text: str, basis: str = "", by: Subject, at: datetime) -> Decision:
    """Decide, with reasons, that the membership goes on; the member may ask anew."""
    held, locked = _locked(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    TERMINATION.move(locked, "refuse", **_context(held, locked, by))
    MEMBERSHIP.move(held, "refuse_termination")
    held.save(update_fields=["state"])
    _close(locked, at)
    decision = _decide(locked, text, basis, by, at)
    record(by=by, at=at, about=locked, detail=decision_detail(decision), text=signed_text(decision))
    _event(locked, "termination_refused", by, at)
    _mail(locked, Bilingual(zh=decision.letter_zh, en=decision.letter_en), by, at)
    bump_policy()
    return decision


@action(Tag.MEMBERS_TERMINATION_LAPSE)
def _lapse(*, case: Termination, by: Subject, at: datetime) -> None:
    TERMINATION.move(case, "lapse")
    _close(case, at)
    record(by=by, at=at, about=case)
    _event(case, "termination_lapsed", by, at)


@at_end
def lapse_open(membership: Membership, by: Subject, at: datetime) -> None:
    """Let a request lapse whose membership ended otherwise than by granting it."""
    for case in _rows().filter(membership=membership, state__in=OPEN_TERMINATION):
        _lapse(case=case, by=by, at=at)


def resume_after_review(*, membership: Membership) -> None:
    """Put a membership back to where an open request has it, once a review of revocation left it in force."""
    if membership.terminations.filter(state__in=OPEN_TERMINATION).exists():
        MEMBERSHIP.move(membership, "request_termination")


def termination_letter(
    *, case: Termination, what: str, number: str, text: str, basis: str = "", at: datetime
) -> Bilingual:
    """Return the letter of a decision on a request as it is, or would be, sent (N13)."""
    organization = case.membership.organization
    letter = words.Letter(
        number=number,
        organization=Bilingual(zh=organization.name_zh, en=organization.name_en),
        clause="2.5",
        reasons=[],
        text=text.strip(),
        decided_at=at,
        basis=basis,
    )
    return words.termination_letter(letter, granted=what == "grant", handling=words.HANDLING[case.handling])


def preview_termination(*, case: Termination, what: str, text: str, basis: str = "", at: datetime) -> Bilingual:
    """Return the letter as it would be sent; the number is given when it is signed."""
    return termination_letter(case=case, what=what, number="（簽署時編號）", text=text, basis=basis, at=at)


def _decide(case: Termination, text: str, basis: str, by: Subject, at: datetime) -> Decision:
    number = next_number("D", at)
    reviewer = case.reviewer_id
    assert reviewer is not None, "only what was recommended can be decided"
    what = "grant" if case.state == "granted" else "refuse"
    letter = termination_letter(case=case, what=what, number=number, text=text, basis=basis, at=at)
    return Decision.objects.create(
        vault_key=case.vault_key,
        number=number,
        kind="terminate" if what == "grant" else "stay",
        termination=case,
        membership=case.membership,
        clause="2.5",
        reasons=[],
        reason_text=text.strip(),
        basis=basis.strip(),
        reviewed_by_id=reviewer,
        decided_by_id=person_of(by),
        decided_at=at,
        effective_at=at,
        letter_zh=letter.zh,
        letter_en=letter.en,
        text_sha256=digest(f"{letter.zh}\n{letter.en}"),
    )


def _close(case: Termination, at: datetime) -> None:
    case.closed_at = at
    case.save(update_fields=["state", "closed_at"])


def _mail(case: Termination, text: Bilingual, by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    for person in queries.notified(organization_id=organization.pk, at=at):
        send(
            notice="N13",
            to_person=person,
            context={
                "number": case.number,
                "organization_zh": organization.name_zh,
                "organization_en": organization.name_en or organization.name_zh,
                "letter": text,
                "link": settings.BASE_URL + "/home",
            },
            by=by,
            at=at,
        )


def _mail_duties(membership: Membership, person: Any, by: Subject, at: datetime) -> None:
    organization = membership.organization
    send(
        notice="N14",
        to_person=person,
        context={
            "organization_zh": organization.name_zh,
            "organization_en": organization.name_en or organization.name_zh,
            "effective_at": at,
            "link": settings.BASE_URL + "/exit",
        },
        by=by,
        at=at,
    )


def _context(held: Membership, case: Termination, by: Subject) -> dict[str, Any]:
    return {
        "reviewer": queries.reviewer_beside(case, by.person),
        "decider": by.person,
        "conflict": queries.conflict_of(case.number, by.person),
        "membership": held.state,
    }


def _event(case: Termination, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})


def _rows() -> Any:
    return Termination.objects.select_for_update(of=("self",)).select_related("membership__organization", "vault_key")


def _locked(case: Termination) -> tuple[Membership, Termination]:
    """Lock membership and case, in this order everywhere: a revocation locks its membership and then lets it lapse."""
    held = locked_membership(case.membership)
    locked: Termination = _rows().get(pk=case.pk)
    locked.membership = held
    return held, locked
