"""The directory of members, revocation cases, and appeals, on the staff's side."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import paging
from lianfang.accounts import queries as people_queries
from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, changes, participation_queries, queries, shown_changes, shown_staff, words
from lianfang.members.forms import (
    AppealDecisionForm,
    ConflictForm,
    DecisionForm,
    NoticeForm,
    PostForm,
    RecommendAppealForm,
    RevocationForm,
    as_errors,
)
from lianfang.members.lifecycle import APPEAL, IN_FORCE, MEMBERSHIP
from lianfang.members.models import Appeal, Membership, Revocation
from lianfang.members.views.parts import declared, download
from lianfang.policy.facts import Right, Subject

Row = TypeVar("Row")


@require_safe
@door.staff
def directory(request: HttpRequest) -> HttpResponse:
    """All group members, with the state of their membership."""
    wanted = {name: shown_staff.searched(request.GET.get(name)) for name in ("q", "state")}
    rows = queries.directory(words=wanted["q"], state=wanted["state"])
    page = paging.page(rows, ("organization__name_zh", "id"), request.GET.dict())
    context = {
        "rows": [(row, MEMBERSHIP.states[row.state], words.STATE_TONES[row.state]) for row in page.rows],
        "page": page,
        "count": shown_staff.count_words(queries.capped(rows)),
        "wanted": wanted,
        "states": MEMBERSHIP.states,
    }
    return render(request, "members/staff/directory.html", context)


@require_safe
@door.staff
def membership(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """One membership: state, people, roster, decisions, and where a revocation begins."""
    held = _membership(membership_id)
    at = asked(request).at
    context = {
        "membership": held,
        **_people(held, asked(request).subject, at),
        "kind": words.KINDS[held.organization.kind],
        "state": (MEMBERSHIP.states[held.state], words.STATE_TONES[held.state]),
        "reach": shown_staff.losses(held, at),
        "administrators": queries.administrators(organization_id=held.organization_id, at=at),
        "roster": [
            (row, words.SCREENING[row.screening], words.SCREENING_TONES[row.screening])
            for row in queries.roster_of(held.organization_id)[:200]
        ],
        "intervals": held.intervals.order_by("began_at"),
        "decisions": queries.decisions(membership=held),
        "terminations": held.terminations.order_by("-filed_at"),
        "revocations": held.revocations.order_by("-opened_at"),
        "changes": [(one, shown_changes.state_of(one)) for one in changes.of_organization(held.organization_id)[:20]],
        "may_enter": held.state in IN_FORCE and shown_staff.may_review(asked(request).subject, at),
        "attested": held.state not in IN_FORCE or changes.attestation_stands(held, at),
        "may_open": held.state in MEMBERSHIP["open_review"].sources
        and shown_staff.may_review(asked(request).subject, at),
    }
    return render(request, "members/staff/membership.html", context)


def _people(held: Membership, subject: Subject, at: datetime) -> dict[str, Any]:
    """The table of a member's own people, to look at; for those who work on its cases, like its people of a day."""
    if not any(may(subject=subject, right=right, at=at) for right in (Right.REVIEW, Right.APPROVE)):
        return {"people": None}
    organization = held.organization_id
    rows = people_queries.people(organizations=[organization], group=organization, at=at)
    return {
        "people": rows,
        "rows": rows,
        "named": people_queries.named_only(rows, organization=organization, at=at),
        "without_account": people_queries.WITHOUT_ACCOUNT,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def start(request: HttpRequest, membership_id: UUID) -> HttpResponseBase:
    """Open a review whether the membership is revoked: ground and facts."""
    held = _membership(membership_id)
    form = RevocationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            case = actions.open_revocation(
                membership=held, **form.cleaned_data, by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The review is open. Access goes on until a decision."))
            return redirect("revocation", number=case.number)
    context = {"membership": held, "form": form, "losses": shown_staff.losses(held, asked(request).at)}
    return render(request, "members/staff/revocation_form.html", context, status=422 if form.errors else 200)


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Revocation cases, open ones first by due date."""
    everything = request.GET.get("view") == "all"
    page = paging.page(queries.revocations(open_only=not everything), queries.BY_DUE, request.GET.dict())
    cases = page.rows
    appeals = queries.appeals(cases)
    rows = [
        (
            case,
            shown_staff.revocation_state(case),
            words.GROUNDS[case.ground],
            appeals.get(case.pk, []),
            next((one for one in appeals.get(case.pk, []) if one.decided_at is None), None),
        )
        for case in cases
    ]
    context = {"rows": rows, "page": page, "tabs": shown_staff.revocation_tabs(everything, request.path)}
    return render(request, "members/staff/revocations.html", context)


@require_safe
@door.staff
def revocation(request: HttpRequest, number: str) -> HttpResponse:
    """One revocation case on one screen."""
    case = _case(number)
    context = shown_staff.revocation(case, asked(request).subject, asked(request).at)
    context["attached"] = participation_queries.shown_snapshot(case)
    return render(request, "members/staff/revocation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def conflict(request: HttpRequest, number: str) -> HttpResponseBase:
    """Declare whether there is a conflict of interest in a revocation, or in the appeal of that number."""
    appeal = queries.appeal(number)
    case = appeal.revocation if appeal else _case(number)
    form = ConflictForm(request.POST or None)
    if declared(request, appeal or case, form):
        return redirect("appeal" if appeal else "revocation", number=number)
    context = {"case": case, "number": number, "form": form, "appeal": appeal}
    return render(request, "members/staff/revocation_conflict.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def notice(request: HttpRequest, number: str) -> HttpResponseBase:
    """Tell the member of the intent to revoke, and until when it may answer (N8)."""
    case = _case(number)
    form = NoticeForm(request.POST or None, initial={"ground": case.ground, "text": case.notice_text or case.facts})
    if request.method == "POST" and form.is_valid():
        try:
            actions.give_notice(case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The member was told, with the limit for its answer."))
            return redirect("revocation", number=number)
    context = {"case": case, "form": form, "limit": shown_staff.notice_limit(asked(request).at)}
    return render(request, "members/staff/revocation_notice.html", context, status=422 if form.errors else 200)


@require_safe
@door.staff
def statement_file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """A file of a member's statement, as a download; opening it stands in the ledger."""
    file = actions.read_statement_file(
        case=_case(number), file_id=file_id, by=asked(request).subject, at=asked(request).at
    )
    return download(file)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def arrival(request: HttpRequest, number: str) -> HttpResponseBase:
    """Enter the day on which the letter arrived by registered post."""
    case = _case(number)
    form = PostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_post(case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Entered. The time for an appeal is counted from it."))
            return redirect("revocation", number=number)
    context = {"case": case, "form": form}
    return render(request, "members/staff/revocation_arrival.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def propose(request: HttpRequest, number: str) -> HttpResponseBase:
    """Write down ground and facts, and send the case for decision."""
    case = _case(number)
    form = RevocationForm(request.POST or None, initial={"ground": case.ground, "facts": case.facts})
    if request.method == "POST" and form.is_valid():
        try:
            actions.propose(case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The case waits for another person's decision."))
            return redirect("revocation", number=number)
    context = {
        "case": case,
        "membership": case.membership,
        "form": form,
        "losses": shown_staff.losses(case.membership, asked(request).at),
    }
    return render(request, "members/staff/revocation_form.html", context, status=422 if form.errors else 200)


@require_POST
@door(Right.REVOKE)
def send_back(request: HttpRequest, number: str) -> HttpResponseBase:
    """Send a case back to its reviewer."""
    actions.send_back(case=_case(number), by=asked(request).subject, at=asked(request).at)
    return redirect("revocation", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVOKE)
def decide(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Revoke, or close without a revocation: losses, the letter as it will be sent, then the signature."""
    case = _case(number)
    if what not in ("revoke", "close"):
        raise Http404
    form = DecisionForm(request.POST or None)
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid() and "sign" in request.POST:
        try:
            confirm(request)
            act = actions.revoke if what == "revoke" else actions.close_case
            act(case=case, **form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            done = (
                _("Revoked. It took effect at this instant.")
                if what == "revoke"
                else _("Closed. The membership stays.")
            )
            messages.success(request, done)
            return redirect("revocation", number=number)
    shown = shown_staff.revocation_decision(case, what, asked(request).subject, asked(request).at)
    given = form.cleaned_data if form.is_bound and form.is_valid() else {"text": "", "basis": ""}
    letter = actions.preview_revocation(case=case, **given, at=asked(request).at) if what == "revoke" else None
    context = {"case": case, "what": what, "form": form, "signing": signing, "letter": letter, **shown}
    failed = request.method == "POST" and (form.errors or signing)
    return render(request, "members/staff/revoke.html", context, status=422 if failed else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def appeal(request: HttpRequest, number: str) -> HttpResponseBase:
    """An appeal: text, files, clock, and for whoever may decide it the decision."""
    found = _appeal(number)
    form = AppealDecisionForm(request.POST or None)
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            # Neither button pressed is no decision: Enter in a field must not deny an appeal.
            if "grant" not in request.POST and "deny" not in request.POST:
                raise Refusal(words.GRANT_OR_DENY, rule="appeal-decision")
            confirm(request)
            actions.decide_appeal(
                appeal=found,
                grant="grant" in request.POST,
                **form.cleaned_data,
                by=asked(request).subject,
                at=asked(request).at,
            )
        except Refusal as refusal:
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            return redirect("appeal", number=number)
    context = {
        "appeal": found,
        "case": found.revocation,
        "state": (APPEAL.states[found.state], words.STATE_TONES[found.state]),
        "recommendation": words.APPEAL_RECOMMENDED.get(found.recommendation),
        **shown_staff.re_review(found, asked(request).subject, asked(request).at),
        "timeline": shown_staff.timeline_of(number),
        "form": form,
        "signing": signing,
        "conflict": queries.conflict_of(number, asked(request).subject.person),
        "off": shown_staff.appeal_off(found, asked(request).subject, asked(request).at),
        "decisions": queries.decisions(appeal=found),
    }
    failed = request.method == "POST"
    return render(request, "members/staff/appeal.html", context, status=422 if failed else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def recommend_appeal(request: HttpRequest, number: str) -> HttpResponseBase:
    """Write what the re-review found, and send the appeal for decision."""
    found = _appeal(number)
    form = RecommendAppealForm(request.POST or None, initial={"findings": found.findings})
    if request.method == "POST" and form.is_valid():
        try:
            actions.recommend_appeal(appeal=found, **form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The case waits for another person's decision."))
            return redirect("appeal", number=number)
    context = {"appeal": found, "case": found.revocation, "form": form}
    return render(request, "members/staff/appeal_recommend.html", context, status=422 if form.errors else 200)


@require_safe
@door.staff
def appeal_file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """A file of an appeal, as a download; opening it stands in the ledger."""
    file = actions.read_appeal_file(
        appeal=_appeal(number), file_id=file_id, by=asked(request).subject, at=asked(request).at
    )
    return download(file)


def _membership(membership_id: UUID) -> Membership:
    return _known(queries.membership(membership_id))


def _case(number: str) -> Revocation:
    return _known(queries.revocation(number))


def _appeal(number: str) -> Appeal:
    return _known(queries.appeal(number))


def _known(found: Row | None) -> Row:
    if found is None:
        raise Http404
    return found
