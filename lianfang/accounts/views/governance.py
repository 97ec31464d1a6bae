"""Duties and settings: proposed by one, decided by another, signed."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import actions, doors, queries, registry, words
from lianfang.accounts.doors import door
from lianfang.accounts.forms import ColleagueForm, DutyForm, SettingForm, refuse
from lianfang.accounts.models import Affiliation, DutyGrant, Invitation, Organization, Person, SettingDecision
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Duty, Right

_CENTRE = Organization.Kind.COORDINATOR

# Duties


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.GRANT_DUTY)
def duties(request: HttpRequest) -> HttpResponseBase:
    """Who holds which duty; proposals that wait; a form to propose one."""
    at = asked(request).at
    form = DutyForm(request.POST or None, staff=queries.staff(at=at))
    if request.method == "POST" and form.is_valid():
        try:
            _propose_duty(request, form)
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Proposed. Another duty granter must grant it."))
            return HttpResponseRedirect(reverse("duties"))
    grants = queries.duty_grants()
    context = {
        "form": form,
        "colleague": ColleagueForm(),
        "proposed": [_proposal(request, grant) for grant in grants if grant.state == "proposed"],
        "people": _by_person(request, grants),
        "manages": doors.may(subject=asked(request).subject, right=Right.MANAGE_PEOPLE, at=at),
        "meanings": [(words.DUTIES[duty], words.DUTY_MEANINGS[duty]) for duty in Duty],
    }
    return render(request, "accounts/duties.html", context, status=422 if form.is_bound else 200)


def _propose_duty(request: HttpRequest, form: DutyForm) -> None:
    actions.propose_duty(
        person=Person.objects.get(pk=form.cleaned_data["person"]),
        duty=Duty(form.cleaned_data["duty"]),
        reason=form.cleaned_data["reason"],
        by=asked(request).subject,
        at=asked(request).at,
    )


def _proposal(request: HttpRequest, grant: DutyGrant) -> dict[str, object]:
    me = asked(request).person.pk
    return {
        "grant": grant,
        "words": words.DUTIES[Duty(grant.duty)],
        "mine": me == grant.proposed_by_id,
        "for_me": me == grant.person_id,
    }


def _by_person(request: HttpRequest, grants: list[DutyGrant]) -> list[dict[str, object]]:
    at = asked(request).at
    held: dict[UUID, list[dict[str, object]]] = {}
    for grant in grants:
        if grant.state == "granted":
            entry: dict[str, object] = {"grant": grant, "words": words.DUTIES[Duty(grant.duty)]}
            held.setdefault(grant.person_id, []).append(entry)
    colleagues = queries.staff(at=at, invited=True)
    invitations = queries.open_invitations(one for one in colleagues if one.started_at is None)
    return [
        {"affiliation": one, "duties": held.get(one.person_id, []), "invitation": invitations.get(one.pk)}
        for one in colleagues
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.GRANT_DUTY)
def decide_duty(request: HttpRequest, grant_id: UUID) -> HttpResponseBase:
    """Grant or decline what another proposed; signed."""
    rows = DutyGrant.objects.select_related("vault_key", "person", "proposed_by")
    grant = get_object_or_404(rows, pk=grant_id, state="proposed")
    subject, at = asked(request).subject, asked(request).at
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            if request.POST.get("act") == "decline":
                actions.decline_duty(grant=grant, by=subject, at=at)
            else:
                confirm(request)
                actions.grant_duty(grant=grant, by=subject, at=at)
            return HttpResponseRedirect(reverse("duties"))
        except Refusal as refusal:
            problem = refusal
    context = {**_proposal(request, grant), "refusal": problem}
    return render(request, "accounts/duty_decide.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.GRANT_DUTY)
def leave_duty(request: HttpRequest, grant_id: UUID) -> HttpResponseBase:
    """End a duty; signed."""
    grant = get_object_or_404(DutyGrant.objects.select_related("person"), pk=grant_id, state="granted")
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            confirm(request)
            actions.end_duty(grant=grant, by=asked(request).subject, at=asked(request).at)
            return HttpResponseRedirect(reverse("duties"))
        except Refusal as refusal:
            problem = refusal
    context = {"grant": grant, "words": words.DUTIES[Duty(grant.duty)], "refusal": problem}
    return render(request, "accounts/duty_end.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.GRANT_DUTY)
def add_colleague(request: HttpRequest) -> HttpResponseBase:
    """Invite a person to the coordination centre; without a duty he can do nothing there yet."""
    form = ColleagueForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.invite_staff(**form.cleaned_data, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The invitation is on its way."))
            return HttpResponseRedirect(reverse("duties"))
    return render(request, "accounts/colleague.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@door(Right.GRANT_DUTY)
def resend_colleague(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Send a colleague's invitation again; the earlier link ends."""
    invitations = Invitation.objects.select_related("affiliation__organization").filter(accepted_at__isnull=True)
    found = get_object_or_404(invitations, pk=invitation_id, affiliation__organization__kind=_CENTRE)
    actions.resend(invitation=found, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("The invitation is on its way. The earlier link no longer works."))
    return HttpResponseRedirect(reverse("duties"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.GRANT_DUTY)
def colleague_leaves(request: HttpRequest, affiliation_id: UUID) -> HttpResponseBase:
    """Record that a colleague left the centre, or withdraw an invitation; signed."""
    people = Affiliation.objects.select_related("person", "organization").filter(left_at__isnull=True)
    affiliation = get_object_or_404(people, pk=affiliation_id, organization__kind=_CENTRE)
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            confirm(request)
            actions.let_go(affiliation=affiliation, by=asked(request).subject, at=asked(request).at)
        except Refusal as refusal:
            problem = refusal
        else:
            oneself = affiliation.person_id == asked(request).person.pk
            if oneself:
                logout(request)  # the session of this very request has ended with the others
            messages.success(request, _("Recorded. Duties and sessions have ended."))
            return HttpResponseRedirect(settings.LOGIN_URL if oneself else reverse("duties"))
    grants = DutyGrant.objects.filter(person=affiliation.person, state="granted")
    context = {
        "affiliation": affiliation,
        "duties": [words.DUTIES[Duty(grant.duty)] for grant in grants],
        "refusal": problem,
    }
    return render(request, "accounts/colleague_leaves.html", context, status=422 if problem else 200)


# Settings


@require_safe
@door(Right.CHANGE_SETTING)
def settings_page(request: HttpRequest) -> HttpResponse:
    """Every setting: meaning, clause, default, value now, what waits."""
    at = asked(request).at
    waiting = set(SettingDecision.objects.filter(state="proposed").values_list("name", flat=True))
    rows = [
        {
            "setting": one,
            "default": one.type.say(one.default),
            "value": one.type.say(registry.value(one.name, at)),
            "waiting": one.name in waiting,
        }
        for one in registry.SETTINGS.values()
    ]
    return render(request, "accounts/settings.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.CHANGE_SETTING)
def setting(request: HttpRequest, name: str) -> HttpResponseBase:
    """One setting with its history, and a form to propose another value."""
    if name not in registry.SETTINGS:
        raise Http404
    known, at = registry.setting(name), asked(request).at
    form = SettingForm(request.POST or None, setting=known)
    if request.method == "POST" and form.is_valid():
        try:
            actions.propose_setting(
                name=name,
                value=form.cleaned_data["value"],
                effective_at=form.cleaned_data["effective_at"] or at,
                reason=form.cleaned_data["reason"],
                by=asked(request).subject,
                at=at,
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Proposed. Another approver must approve it."))
            return HttpResponseRedirect(reverse("setting", args=[name]))
    context = {
        "setting": known,
        "form": form,
        "default": known.type.say(known.default),
        "value": known.type.say(registry.value(name, at)),
        "history": [(one, known.type.say(one.value)) for one in queries.setting_history(name)],
    }
    return render(request, "accounts/setting.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.CHANGE_SETTING)
def decide_setting(request: HttpRequest, proposal_id: UUID) -> HttpResponseBase:
    """Approve or decline what another approver proposed; signed."""
    proposal = get_object_or_404(
        SettingDecision.objects.select_related("proposed_by"), pk=proposal_id, state="proposed"
    )
    subject, at = asked(request).subject, asked(request).at
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            if request.POST.get("act") == "decline":
                actions.decline_setting(proposal=proposal, by=subject, at=at)
            else:
                confirm(request)
                actions.approve_setting(proposal=proposal, by=subject, at=at)
            return HttpResponseRedirect(reverse("setting", args=[proposal.name]))
        except Refusal as refusal:
            problem = refusal
    known = registry.setting(proposal.name)
    context = {
        "proposal": proposal,
        "setting": known,
        "value": known.type.show(registry.value(proposal.name, at)),
        "proposed": known.type.show(proposal.value),
        "mine": proposal.proposed_by_id == asked(request).person.pk,
        "refusal": problem,
    }
    return render(request, "accounts/setting_decide.html", context, status=422 if problem else 200)
