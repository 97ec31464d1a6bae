"""The members' own pages of this app: the roster, its rules of relay, and the switch between organisations."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.models import Organization
from lianfang.accounts.views.asked import asked, pair
from lianfang.members import actions, changes, queries, words
from lianfang.members.middleware import SESSION_AFFILIATION
from lianfang.members.shown_staff import searched
from lianfang.members.subjects import SCREENED
from lianfang.policy.facts import Right, Role, Tlp


@require_safe
@door.member
def roster(request: HttpRequest) -> HttpResponse:
    """The constituents of one's group with the state of their screening; a constituent sees itself alone."""
    subject, mine, at = asked(request).subject, pair(request), asked(request).at
    every = changes.roster_at(mine.group, at)
    wanted = {name: searched(request.GET.get(name)) for name in ("q", "screening")}
    rows = changes.searched_roster(mine.group, at, words=wanted["q"], screening=wanted["screening"])
    if subject.is_constituent:
        every, rows = (some.filter(organization=mine.organization) for some in (every, rows))
    page = changes.roster_page(rows, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    kept = {name: value for name, value in wanted.items() if value}
    membership = changes.membership_of(mine.group)
    files = not subject.is_constituent and subject.role is Role.MEMBER_ADMIN
    context = {
        "rows": [(row, words.SCREENING[row.screening], words.SCREENING_TONES[row.screening]) for row in page.rows],
        "passed": every.filter(screening__in=SCREENED).count(),
        "whole": every.count(),
        "found": rows.count(),
        "wanted": wanted,
        "screenings": words.SCREENING,
        "newer": f"?{urlencode({**kept, 'before': page.newer})}" if page.newer else "",
        "older": f"?{urlencode({**kept, 'after': page.older})}" if page.older else "",
        "may_file": files and membership is not None,
        "standing": changes.open_change(membership.pk) if files and membership else None,
        "attested": membership is None or changes.attestation_stands(membership, at),
        "relays": {rule.tlp for rule in queries.relay_rules(mine.group)},
        "automatic": sorted(tlp.label for tlp in subject.terms.automatic_relay),
        "may_relay": files,
    }
    return render(request, "members/roster.html", context)


@require_POST
@door(Right.MANAGE_PEOPLE)
def relay(request: HttpRequest) -> HttpResponseBase:
    """Make or end the rule that AMBER is relayed to the constituents."""
    group = Organization.objects.get(pk=pair(request).group)
    act = actions.start_relay if "start" in request.POST else actions.end_relay
    act(group=group, tlp=Tlp.AMBER, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("The rule is changed. It holds from this moment."))
    return redirect("roster")


@require_http_methods(["GET", "HEAD", "POST"])
@door.signed_in
def switch(request: HttpRequest) -> HttpResponseBase:
    """Choose the organisation that one acts for from now on."""
    own = {str(one.pk): one for one in getattr(request, "affiliations", [])}
    if request.method == "POST":
        wanted = _known(request.POST.get("affiliation", ""))
        if wanted in own:
            request.session[SESSION_AFFILIATION] = wanted
            return redirect("own_plane")
    chosen = getattr(request, "affiliation", None)
    return render(request, "members/switch.html", {"own": list(own.values()), "chosen": chosen})


def _known(written: str) -> str:
    try:
        return str(UUID(written))
    except ValueError:
        return ""
