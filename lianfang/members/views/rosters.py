"""Importing a roster: a file or pasted rows, which column is what, five tabs, corrections, then one change request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import actions, changes, importing
from lianfang.members.forms import RosterFileForm, WhyForm, as_errors
from lianfang.members.models import Membership, RosterDraft
from lianfang.members.shown_staff import Tab
from lianfang.members.views.changes import Flow, own_membership
from lianfang.policy.facts import Right

_SHOWN = 100
_NOTHING = Bilingual(zh="請選檔案，或貼上名冊。", en="Choose a file, or paste the roster.")
_FAULTS = Bilingual(
    zh="還有{n}列要修正。請修正，或略過這些列再送出。", en="{n} rows are to be corrected: do so, or leave them out."
)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def roster_import(request: HttpRequest) -> HttpResponseBase:
    """Take in a file or pasted rows; nothing of the roster changes by it."""
    membership = own_membership(request)
    standing = changes.open_change(membership.pk)
    if standing is not None:
        return redirect("change", number=standing.number)
    form = RosterFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            draft = _keep(request, membership, form.cleaned_data)
        except Refusal as refusal:
            as_errors(form, refusal)
        else:
            return redirect("roster_import_one", draft=draft.pk)
    failed = request.method == "POST"
    return render(request, "members/change/import_file.html", {"form": form}, status=422 if failed else 200)


def _keep(request: HttpRequest, membership: Membership, given: Mapping[str, Any]) -> RosterDraft:
    file, pasted = given.get("file"), given.get("pasted") or ""
    if file is None and not pasted.strip():
        raise Refusal(_NOTHING, rule="roster-file", field="file")
    content = file.read() if file is not None else pasted.encode()
    name = (file.name or "") if file is not None else ""
    return actions.keep_roster(
        membership=membership, name=name, content=content, by=asked(request).subject, at=asked(request).at
    )


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def roster_import_one(request: HttpRequest, draft: UUID) -> HttpResponseBase:
    """A file compared with the roster, tab by tab; corrected here, then filed as one change request."""
    membership, at, by = own_membership(request), asked(request).at, asked(request).subject
    kept = changes.roster_draft(draft, membership_id=membership.pk, person_id=by.person, at=at)
    if kept is None:
        raise Http404
    standing = changes.open_change(membership.pk)
    if standing is not None and "send" not in request.POST:
        return redirect("change", number=standing.number)
    refusal: Refusal | None = None
    if request.method == "POST" and {"map", "fix", "leave_out"} & request.POST.keys():
        try:
            _work(request, kept)
        except Refusal as caught:
            refusal = caught
        else:
            return redirect(f"{reverse('roster_import_one', args=[kept.pk])}?tab={request.GET.get('tab', '')}")
    found = changes.compared(kept, at)
    flow = _flow(request, membership, kept, found, refusal)
    answer = flow.answer()
    if "send" in request.POST and answer.status_code == 302:
        actions.forget_roster(draft=kept, by=by, at=at)
    if refusal is not None:
        answer.status_code = 422
    return answer


def _work(request: HttpRequest, draft: RosterDraft) -> None:
    """What the page asks for besides sending: columns, corrections, rows that are left out."""
    by, at = asked(request).subject, asked(request).at
    if "map" in request.POST:
        given = {name: request.POST.get(f"column-{name}", "") for name in importing.COLUMNS}
        columns = {name: int(place) for name, place in given.items() if place.isascii() and place.isdigit()}
        actions.map_roster(
            draft=draft,
            columns=columns,
            heading="heading" in request.POST,
            whole=request.POST.get("whole") == "yes",
            by=by,
            at=at,
        )
        return
    faults = changes.compared(draft, at).entries[importing.FIX]
    if "leave_out" in request.POST:
        fixes: dict[str, dict[str, Any]] = {str(one.line): {"skip": True} for one in faults}
        messages.success(request, _("The rows that were to be corrected are left out."))
    else:
        typed = {str(one.line): one for one in faults}
        fixes = {
            line: {"name": request.POST[f"name-{line}"][:400], "ubn": request.POST.get(f"ubn-{line}", "")[:40]}
            for line in typed
            if f"name-{line}" in request.POST
        }
    actions.fix_roster(draft=draft, fixes=fixes, by=by, at=at)


def _flow(
    request: HttpRequest, membership: Membership, draft: RosterDraft, found: importing.Diff, refusal: Refusal | None
) -> Flow:
    why = WhyForm(request.POST or None)

    def filing(attestation: Mapping[str, Any]) -> actions.Filing:
        if found.count(importing.FIX):
            raise Refusal(_FAULTS.format(n=found.count(importing.FIX)), rule="roster-faults")
        why.is_valid()
        return actions.Filing(
            roster=found.operations(),
            attestation=attestation,
            reason=why.cleaned_data.get("reason", ""),
            own_reference=why.cleaned_data.get("own_reference", ""),
        )

    tab = request.GET.get("tab", "")
    tab = tab if tab in importing.TABS else next((one for one in importing.TABS if found.count(one)), importing.FIX)
    begin = request.GET.get("from", "")
    first = int(begin) if begin.isascii() and begin.isdigit() and len(begin) < 7 else 0
    entries = found.entries[tab]
    address = reverse("roster_import_one", args=[draft.pk])
    width = max((len(line["cells"]) for line in draft.lines[:200]), default=1)
    head = draft.lines[0]["cells"] if draft.lines else []
    context = {
        "draft": draft,
        "diff": found,
        "tab": tab,
        "tab_words": importing.TABS[tab],
        "tabs": [
            Tab(words, f"{address}?tab={name}", name == tab, str(found.count(name)))
            for name, words in importing.TABS.items()
        ],
        "entries": entries[first : first + _SHOWN],
        "total": len(entries),
        "newer": f"?tab={tab}&from={max(0, first - _SHOWN)}" if first else "",
        "older": f"?tab={tab}&from={first + _SHOWN}" if first + _SHOWN < len(entries) else "",
        "columns": [(name, words, draft.columns.get(name)) for name, words in importing.COLUMNS.items()],
        "places": [(place, (head[place] if place < len(head) else "")[:40]) for place in range(min(width, 64))],
        "faults": found.count(importing.FIX),
        "skipped": found.count(importing.SKIPPED),
        "added": found.count(importing.ADD) + found.count(importing.CHANGE),
        "removed": found.count(importing.REMOVE),
        "nothing": not found.operations(),
        "refusal": refusal,
        "address": address,
        "title": Bilingual(zh="匯入名冊", en="Import a roster"),
    }
    return Flow(request, membership, given=[], filing=filing, page="members/change/import.html", context=context)
