"""The people of one's organisation and of its constituents."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts import actions, doors, providers, queries
from lianfang.accounts.doors import door
from lianfang.accounts.forms import PersonForm, RoleForm, refuse, role_of
from lianfang.accounts.models import Affiliation, Invitation, Organization
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked, group, pair
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Right


def _organizations(request: HttpRequest) -> list[Organization]:
    """One's own organisation; a group member's administrators also see its constituents."""
    own = asked(request).affiliation.organization
    mine = pair(request)
    if mine.organization != mine.group:
        return [own]
    return [own, *providers.constituents(mine.group, asked(request).at)]


@require_safe
@door(Right.MANAGE_PEOPLE)
def people(request: HttpRequest) -> HttpResponse:
    """Who acts for us: role, second factor, last sign-in; who is still invited."""
    at, mine = asked(request).at, pair(request)
    organizations = _organizations(request)
    rows = queries.people(organizations=[one.pk for one in organizations], group=mine.group, at=at)
    waiting = [
        reset
        for reset in queries.open_resets(organizations=[one.pk for one in organizations])
        if reset.account.person_id != asked(request).person.pk
    ]
    context = {
        "rows": rows,
        "named": queries.named_only(rows, organization=mine.organization, at=at)
        if mine.organization == mine.group
        else [],
        "own": asked(request).affiliation.organization,
        "without_account": queries.WITHOUT_ACCOUNT,
        "acts": True,
        "own_group": mine.organization == mine.group,
        "several": len(organizations) > 1,
        "waiting": waiting,
        "too_few": queries.administrators(organization=mine.organization, group=mine.group, at=at) < 2,
    }
    return render(request, "accounts/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def invite(request: HttpRequest) -> HttpResponseBase:
    """Invite a person by mail."""
    form = PersonForm(request.POST or None, organizations=_organizations(request))
    if request.method == "POST" and form.is_valid():
        try:
            _invite(request, form)
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The invitation is on its way."))
            return HttpResponseRedirect(reverse("people"))
    return render(request, "accounts/invite.html", {"form": form}, status=422 if form.is_bound else 200)


def _invite(request: HttpRequest, form: PersonForm) -> None:
    subject, at, data = asked(request).subject, asked(request).at, form.cleaned_data
    organization = next(one for one in _organizations(request) if str(one.pk) == data["organization"])
    actions.invite_colleague(
        name=data["name"],
        title=data["title"],
        email=data["email"],
        phone=data["phone"],
        organization=organization,
        group=Organization.objects.get(pk=group(request)),
        role=role_of(form),
        by=subject,
        at=at,
    )


@require_POST
@door(Right.MANAGE_PEOPLE)
def resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Send an invitation again; the earlier link ends."""
    subject = asked(request).subject
    found = Invitation.objects.filter(queries.managed(by=subject, prefix="affiliation__"), pk=invitation_id).first()
    if found is None:
        raise Http404
    actions.resend(invitation=found, by=subject, at=asked(request).at)
    messages.success(request, _("The invitation is on its way. The earlier link no longer works."))
    return HttpResponseRedirect(reverse("people"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def change_role(request: HttpRequest, affiliation_id: UUID) -> HttpResponseBase:
    """Give somebody another role."""
    affiliation = _affiliation(request, affiliation_id)
    form = RoleForm(request.POST or None, initial={"role": affiliation.role})
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_role(
                affiliation=affiliation, role=role_of(form), by=asked(request).subject, at=asked(request).at
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            return HttpResponseRedirect(reverse("people"))
    context = {"form": form, "affiliation": affiliation}
    return render(request, "accounts/role.html", context, status=422 if form.is_bound else 200)


@require_POST
@door(Right.MANAGE_PEOPLE)
def sign_out(request: HttpRequest, affiliation_id: UUID) -> HttpResponse:
    """End a colleague's sessions on every device: a lost laptop, a suspicion. The role stays."""
    affiliation = _affiliation(request, affiliation_id)
    actions.end_sessions(person=affiliation.person, by=asked(request).subject, at=asked(request).at)
    if affiliation.person_id != asked(request).person.pk:
        messages.success(request, _("Every session of this person has ended."))
    return HttpResponseRedirect(reverse("people"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def leave(request: HttpRequest, affiliation_id: UUID) -> HttpResponseBase:
    """Record that somebody left: what ends, what a colleague should reissue first, what remains."""
    affiliation = _affiliation(request, affiliation_id)
    subject, at = asked(request).subject, asked(request).at
    problem: Refusal | None = None
    if request.method == "POST":
        try:
            confirm(request)
            actions.leave(affiliation=affiliation, by=subject, at=at)
        except Refusal as refusal:
            problem = refusal
        else:
            oneself = affiliation.person_id == asked(request).person.pk
            if oneself:
                logout(request)  # the session of this very request has ended with the others
            messages.success(request, _("Recorded. Sessions and tokens have ended."))
            return HttpResponseRedirect(settings.LOGIN_URL if oneself else reverse("people"))
    context = {
        "affiliation": affiliation,
        "tokens": queries.live_tokens(affiliation=affiliation, at=at),
        "may_reissue": doors.may(subject=subject, right=Right.MAKE_TOKEN, at=at),
        "oneself": affiliation.person_id == asked(request).person.pk,
        "refusal": problem,
    }
    return render(request, "accounts/leave.html", context, status=422 if problem else 200)


def _affiliation(request: HttpRequest, affiliation_id: UUID) -> Affiliation:
    """Somebody else's people do not exist here."""
    found = (
        Affiliation.objects.select_related("person", "organization", "group")
        .filter(queries.managed(by=asked(request).subject), pk=affiliation_id, left_at__isnull=True)
        .first()
    )
    if found is None:
        raise Http404
    return found
