"""The directory of members, for members who stand in it themselves, and the choice to do so."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, changes, contact_queries, directory_queries
from lianfang.members.forms import as_errors
from lianfang.members.forms_people import DirectoryForm
from lianfang.members.purposes import SECURITY
from lianfang.members.shown_staff import searched
from lianfang.policy.facts import Right, Role


@require_safe
@door(Right.READ_DIRECTORY)
@cache_control(private=True, no_store=True)
def directory(request: HttpRequest) -> HttpResponse:
    """Members that both chose to be seen. Whoever stands in it not sees nobody, and is told how it begins."""
    subject, at, words = asked(request).subject, asked(request).at, searched(request.GET.get("q"))
    context = {
        "own": directory_queries.choice(organization_id=pair(request).group, at=at),
        "entries": directory_queries.entries(subject=subject, at=at, words=words),
        "words": words,
        "may_choose": subject.role is Role.MEMBER_ADMIN,
    }
    return render(request, "members/directory.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.MANAGE_PEOPLE)
def choose(request: HttpRequest) -> HttpResponseBase:
    """Choose what other members see, or nothing; it holds at once."""
    mine, at = pair(request), asked(request).at
    held = changes.membership_of(mine.group) if mine.organization == mine.group else None
    if held is None:
        raise Http404
    now = directory_queries.choice(organization_id=mine.group, at=at)
    initial = {"listed": now is not None, "sector": bool(now and now.sector), "security": bool(now and now.security)}
    form = DirectoryForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.choose_directory(membership=held, **form.cleaned_data, by=asked(request).subject, at=at)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            messages.success(request, _("Your choice holds from this moment."))
            return redirect("directory")
    context = {
        "form": form,
        "organization": held.organization,
        "sector": directory_queries.sector_words(codes=[held.organization.sector], at=at).get(held.organization.sector),
        "contacts": contact_queries.named_of(memberships=[held.pk], purpose=SECURITY, at=at).values(),
    }
    return render(request, "members/directory_choose.html", context, status=422 if form.errors else 200)
