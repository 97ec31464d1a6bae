"""The staff's pages of changes: the list, one request on one screen, each step of its review, and entering a letter."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import paging
from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.mailroom import queries as mail_queries
from lianfang.members import actions, changes, changing, queries, shown_changes, shown_staff, words
from lianfang.members.forms import (
    AuthorityForm,
    ChangeDecisionForm,
    ChangeReasonForm,
    ConflictForm,
    FindingForm,
    NoteForm,
    ScreeningForm,
    as_errors,
)
from lianfang.members.lifecycle import IN_FORCE
from lianfang.members.models import ChangeRequest
from lianfang.members.views.changes import facts_flow, history_page
from lianfang.members.views.hits import holdings_page
from lianfang.members.views.parts import declared, download, noted
from lianfang.members.views.staff import chosen_findings
from lianfang.policy.facts import Right


@require_safe
@door.staff
def listing(request: HttpRequest) -> HttpResponse:
    """Requests, open ones by due date."""
    everything = request.GET.get("view") == "all"
    wanted = shown_staff.searched(request.GET.get("q"))
    found = changes.listing(open_only=not everything, words=wanted)
    page = paging.page(found, ("-submitted_at", "id") if everything else queries.BY_DUE, request.GET.dict())
    context = {
        "rows": [
            (case, shown_changes.state_of(case), [changing.RISKS[risk] for risk in case.risks]) for case in page.rows
        ],
        "page": page,
        "count": shown_staff.count_words(queries.capped(found)),
        "tabs": shown_staff.revocation_tabs(everything, request.path),
        "wanted": wanted,
        "view": "all" if everything else "",
    }
    return render(request, "members/staff/changes.html", context)


@require_safe
@door.staff
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One request on one screen."""
    context = shown_changes.staffs_case(_case(number), asked(request).subject, asked(request).at)
    return render(request, "members/staff/change.html", {**context, "note_form": NoteForm()})


@require_POST
@door.staff
def note(request: HttpRequest, number: str) -> HttpResponseBase:
    """Add an internal note or, by the other button, a message to the member."""
    found = _case(number)
    form = NoteForm(request.POST)
    if noted(request, found, form):
        return redirect("change_case", number=number)
    context = shown_changes.staffs_case(found, asked(request).subject, asked(request).at)
    return render(request, "members/staff/change.html", {**context, "note_form": form}, status=422)


@require_safe
@door.staff
def file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """A file that came with a request, as a download; opening it stands in the ledger."""
    found = actions.read_change_file(
        case=_case(number), file_id=file_id, by=asked(request).subject, at=asked(request).at
    )
    return download(found)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def conflict(request: HttpRequest, number: str) -> HttpResponseBase:
    """Declare whether there is a conflict of interest."""
    found = _case(number)
    form = ConflictForm(request.POST or None)
    if declared(request, found, form):
        return redirect("change_case", number=number)
    title = Bilingual(zh="利害關係", en="Conflict of interest")
    return _page(request, found, form, title, Bilingual(zh="送出聲明", en="Declare"), intro=_CONFLICT)


@require_POST
@door(Right.TAKE_UP)
def take_up(request: HttpRequest, number: str) -> HttpResponseBase:
    """Become the reviewer of a request."""
    actions.take_up_change(case=_case(number), by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("You are the reviewer of this case."))
    return redirect("change_case", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def authority(request: HttpRequest, number: str) -> HttpResponseBase:
    """Record how the authority of the person who attested anew was checked."""
    found, at = _case(number), asked(request).at
    form = AuthorityForm(request.POST or None, spec=changes.spec_in_force(at))
    if request.method == "POST" and form.is_valid():
        try:
            actions.check_change_authority(case=found, **form.cleaned_data, by=asked(request).subject, at=at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("change_case", number=number)
    title = Bilingual(zh="如何查證代表權限", en="How authority was checked")
    return _page(request, found, form, title, Bilingual(zh="記下查證", en="Record the check"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def state_holdings(request: HttpRequest, number: str, row_key: str) -> HttpResponseBase:
    """Enter the declared holdings behind a row whose words are new."""
    found, at = _case(number), asked(request).at
    listed = next((one for one in changes.rows_to_screen(found, at) if one.key == row_key), None)
    if listed is None:
        raise Http404
    act = partial(actions.state_change_ownership, case=found)
    return holdings_page(request, found.membership.application, listed, act, reverse("change_case", args=[number]))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def screening(request: HttpRequest, number: str) -> HttpResponseBase:
    """Record what the official list gave for the rows whose words are new."""
    found, at = _case(number), asked(request).at
    rows = changes.rows_to_screen(found, at)
    known = changes.findings(found.membership, rows)
    form = ScreeningForm(request.POST or None, initial=shown_changes.last_list(known))
    lines = [
        (row, FindingForm(request.POST or None, prefix=row.key[:16]), known.get(row.key))
        for row in rows[: shown_changes.ROWS_SHOWN]
    ]
    if request.method == "POST" and all([form.is_valid(), *[line.is_valid() for _row, line, _found in lines]]):
        try:
            chosen = chosen_findings(form, lines)
            if form.cleaned_data["rest_clear"]:
                # Rows beyond those that the page shows: a roster can hold thousands, a page cannot.
                given = form.cleaned_data
                chosen += [
                    actions.Finding(row.key, "clear", given["source"], given["list_date"])
                    for row in rows[shown_changes.ROWS_SHOWN :]
                    if row.key not in known
                ]
            actions.record_change_findings(case=found, findings=chosen, by=asked(request).subject, at=at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("change_case", number=number)
    context = {
        "case": found,
        "form": form,
        "lines": [(*line, shown_staff.result_words(line[2])) for line in lines],
        "alike": shown_changes.alike(rows[: shown_changes.ROWS_SHOWN], known),
        "more": max(0, len(rows) - len(lines)),
    }
    failed = bool(form.errors) and request.method == "POST"
    return render(request, "members/staff/change_screening.html", context, status=422 if failed else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def recommend(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Recommend that a request be applied or rejected."""
    found = _case(number)
    if what not in ("approve", "reject"):
        raise Http404
    form = ChangeReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.recommend_change(
                case=found, what=what, text=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your recommendation waits for another person's decision."))
            return redirect("change_case", number=number)
    title = _RECOMMEND[what]
    return _page(request, found, form, title, title, intro=_SOMEBODY_ELSE)


@require_http_methods(["GET", "HEAD", "POST"])
@door.staff
def decide(request: HttpRequest, number: str, what: str) -> HttpResponseBase:
    """Apply or reject: reasons, the letter as it will be sent, what follows, then the signature.

    The action asks for the right: of the light class a reviewer's, else an approver's.
    """
    found, at = _case(number), asked(request).at
    if what not in ("apply", "reject"):
        raise Http404
    data = request.POST or ({"text": found.recommendation_text} if found.recommendation_text else None)
    form = ChangeDecisionForm(data)
    signing: Refusal | None = None
    if request.method == "POST" and form.is_valid() and "sign" in request.POST:
        try:
            confirm(request)
            act = actions.apply_change if what == "apply" else actions.reject_change
            act(case=found, **form.cleaned_data, by=asked(request).subject, at=at)
        except Refusal as refusal:
            signing = refusal if refusal.rule == "signature" else None
            if signing is None:
                as_errors(form, refusal)
        else:
            done = _("Applied. It took effect at this instant.") if what == "apply" else _("Rejected.")
            messages.success(request, done)
            return redirect("change_case", number=number)
    given = form.cleaned_data if form.is_bound and form.is_valid() else {"text": "", "basis": ""}
    made = {
        button.url.rsplit("/", 1)[-1]: button for button in shown_changes.buttons(found, asked(request).subject, at)
    }
    button = made.get(what)
    context = {
        "case": found,
        "what": what,
        "form": form,
        "signing": signing,
        "state": shown_changes.state_of(found),
        "letter": actions.preview_change_letter(case=found, what=what, **given, at=at),
        "effects": shown_changes.effects(found, what),
        "off": button.off if button else _not_yours(found),
    }
    failed = request.method == "POST" and (form.errors or signing)
    return render(request, "members/staff/change_decide.html", context, status=422 if failed else 200)


def _not_yours(found: ChangeRequest) -> Bilingual:
    if found.decided_at is not None:
        return words.not_in_state(shown_changes.state_of(found)[0])
    return _NOT_YOURS


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.APPROVE)
def return_to_review(request: HttpRequest, number: str) -> HttpResponseBase:
    """Send a request back to its reviewer, with a note."""
    found = _case(number)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.return_change(
                case=found, text=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("The case is with its reviewer again."))
            return redirect("change_case", number=number)
    title = Bilingual(zh="退還審查", en="Send back to review")
    return _page(request, found, form, title, title)


@require_POST
@door(Right.REVIEW)
def ask_again(request: HttpRequest, number: str, confirmation_id: UUID) -> HttpResponseBase:
    """Mail a confirmation again."""
    found = _case(number)
    one = next((row for row in changes.confirmations(found) if row.pk == confirmation_id), None)
    if one is None:
        raise Http404
    actions.ask_again(confirmation=one, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("The link is on its way again; the earlier one opens nothing any more."))
    return redirect("change_case", number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.REVIEW)
def enter(request: HttpRequest, membership_id: UUID) -> HttpResponseBase:
    """Enter a change that came by mail, on paper, or as the stamped form, with its scan (charter 5.3)."""
    held = queries.membership(membership_id)
    found = changes.membership_of(held.organization_id) if held else None
    if found is None or found.pk != membership_id:
        raise Http404
    standing = changes.open_change(found.pk)
    if standing is not None and "send" not in request.POST:
        return redirect("change_case", number=standing.number)
    return facts_flow(request, found, by_letter=True).answer()


@require_safe
@door(Right.REVIEW)
def of_mail(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    """Choose the member whose change came by a mail; the form follows, with the mail's file as its scan."""
    found = mail_queries.mail(letter_id)
    if found is None:
        raise Http404
    wanted = shown_staff.searched(request.GET.get("q"))
    rows = queries.directory(words=wanted)[:20] if wanted else []
    context = {"mail": found, "wanted": wanted, "rows": [one for one in rows if one.state in IN_FORCE]}
    return render(request, "members/staff/mail_change.html", context)


@require_safe
@door.staff
def history(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """A member as it was on a day."""
    held = queries.membership(membership_id)
    if held is None:
        raise Http404
    subject, at = asked(request).subject, asked(request).at
    # Its people are shown to those who work on its cases; the others of the staff see the organisation alone.
    people = any(may(subject=subject, right=right, at=at) for right in (Right.REVIEW, Right.APPROVE))
    return history_page(request, held, at, "web/staff.html", people=people)


_CONFLICT = Bilingual(
    zh="您、家人或雇主會因本案得利或受損，或您三年內曾任職於這個會員，就是有利害關係。",
    en="You have one if you, your family or your employer gain or lose by this case, or if you worked for this member"
    " in the last three years.",
)
_SOMEBODY_ELSE = Bilingual(zh="由審查人以外的核准人決定。", en="Somebody else decides.")
_RECOMMEND: dict[str, Bilingual] = {
    "approve": Bilingual(zh="建議套用", en="Recommend to apply"),
    "reject": Bilingual(zh="建議退回", en="Recommend rejection"),
}
_NOT_YOURS = Bilingual(
    zh="這一步不是由您、或不是在這個時候決定。請看案件頁上還缺什麼。",
    en="This step is not yours, or not yet. See on the page of the case what is missing.",
)


def _page(
    request: HttpRequest, found: ChangeRequest, form: Any, title: Bilingual, act: Bilingual, intro: Any = None
) -> HttpResponse:
    context = {"case": found, "form": form, "title": title, "act": act, "intro": intro}
    failed = bool(form.errors) and request.method == "POST"
    return render(request, "members/staff/change_step.html", context, status=422 if failed else 200)


def _case(number: str) -> ChangeRequest:
    found = changes.change(number)
    if found is None:
        raise Http404
    return found
