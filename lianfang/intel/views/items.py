"""Reading: the list with its search box, an object, why it can be seen, its file; and what its source may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door, may
from lianfang.accounts.signing import confirm
from lianfang.accounts.views.asked import asked
from lianfang.intel import actions, bundle, preview, queries, receipts, recipients, shown, words
from lianfang.intel.forms import PurposeForm, ReasonForm, ReleaseForm, TightenForm
from lianfang.intel.models import Version
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.decide import decide
from lianfang.policy.facts import Channel, Label, Right, State, Subject, Tlp
from lianfang.policy.words import audience_sentence, others, why

PURPOSE = "intel_purpose"
_PAGE = 50
_TRIES = 3


def reading(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The door of these pages on both planes: who may submit may come in; what is found inside, `decide` says."""
    return door(Right.SUBMIT)(view)


def plane(subject: Subject) -> str:
    """Return the name space of these pages on the reader's plane."""
    return "staff_intel" if subject.is_coordinator else "intel"


def on_own_plane(request: HttpRequest) -> None:
    """Raise Http404 for the coordinator's people on the members' plane, and the other way round."""
    if asked(request).subject.is_coordinator != request.path.startswith("/staff/"):
        raise Http404


@require_safe
@reading
def index(request: HttpRequest) -> HttpResponse:
    """The newest that this reader sees, or what the search box finds in it."""
    on_own_plane(request)
    subject, at = asked(request).subject, asked(request).at
    text = request.GET.get("q", "").replace("\0", "")[:200].strip()
    chosen = [name for name in request.GET.getlist("tlp") if name in Tlp.__members__]
    # A relation says little by itself and stands on the pages of what it joins; whoever searches means all of them.
    whole = bool(text) or request.GET.get("all") == "1"
    filters = queries.Filters(
        tlps=frozenset(Tlp[name] for name in chosen) or None,
        but_types=frozenset() if whole else frozenset({"relationship"}),
    )
    asking = queries.asked(Channel.LIST)
    below = _number(request.GET.get("below", ""))

    def make() -> queries.Page:
        if text:
            return queries.search(
                subject=subject, at=at, request=asking, text=text, below=below, limit=_PAGE, filters=filters
            )
        return queries.latest(subject=subject, at=at, request=asking, below=below, limit=_PAGE, filters=filters)

    page = receipts.deliver(by=subject, request=asking, at=at, make=make)
    labels = store.labels({found.label_id for found in page.items})
    context = {
        "rows": shown.rows(items=page.items, labels=labels),
        "older": page.older, "first": below is None, "text": text, "plane": plane(subject),
        "tlps": [(tlp, tlp.name in chosen) for tlp in reversed(Tlp)], "chosen": chosen,
        "whole": whole and not text,
    }  # fmt: skip
    return render(request, "intel/index.html", context)


@require_safe
@reading
def item(request: HttpRequest, stix_id: str) -> HttpResponse:
    """One object: its facts, relations, versions, its label in words, and what may be done with it."""
    on_own_plane(request)
    subject, at = asked(request).subject, asked(request).at
    seen = _open(request, stix_id)
    if seen is None:
        return _notice(request, stix_id)
    asking = queries.asked(Channel.PAGE)
    value = orjson.loads(seen.body)
    around = queries.neighbours(subject=subject, seen=seen, at=at, request=asking)
    context = {
        **_named(seen, value, subject, at),
        "facts": shown.facts(value),
        "source": shown.source_words(subject=subject, label=seen.label, at=at, request=asking),
        "relations": shown.relations(around),
        "drawing": shown.drawing(around),
        "versions": queries.versions_visible(subject=subject, stix_id=stix_id, at=at, request=asking)[::-1],
        **_rights(seen, subject, at),
    }
    return render(request, "intel/item.html", context)


@require_safe
@reading
def why_page(request: HttpRequest, stix_id: str) -> HttpResponse:
    """Who sees it, and why; of its source also who received it."""
    on_own_plane(request)
    subject, at = asked(request).subject, asked(request).at
    seen = _open(request, stix_id)
    if seen is None:
        raise Http404
    label = seen.label
    own = may(subject=subject, right=Right.SEE_RECEIPTS, target=label, at=at)
    context = {
        **_named(seen, orjson.loads(seen.body), subject, at),
        "at": at, "reasons": why(seen.decision), "others": others(label, at=at),
        "received": recipients.of(version=seen.version, subject=subject, at=at) if own else None,
    }  # fmt: skip
    return render(request, "intel/why.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@reading
def download(request: HttpRequest, stix_id: str) -> HttpResponseBase:
    """The object as a file, after the purpose was asked once a session; decided again at this moment."""
    on_own_plane(request)
    subject = asked(request).subject
    if _open(request, stix_id, receipt=False) is None:
        raise Http404
    form = PurposeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        request.session[PURPOSE] = form.cleaned_data["purpose"]
        return redirect(f"{plane(subject)}_download", stix_id=stix_id)
    purpose = request.session.get(PURPOSE, "")
    if not purpose:
        context = {"form": form, "stix_id": stix_id, "plane": plane(subject)}
        return render(request, "intel/purpose.html", context, status=422 if form.errors else 200)
    return _file(request, stix_id, purpose)


def _file(request: HttpRequest, stix_id: str, purpose: str) -> HttpResponse:
    subject, at = asked(request).subject, asked(request).at
    for _again in range(_TRIES):
        policy = store.epoch().policy
        asking = queries.asked(Channel.FILE, purpose=purpose)
        seen = queries.get_visible(subject=subject, stix_id=stix_id, at=at, request=asking)
        if seen is None:
            return _no_file(request, stix_id)
        mark = uuid4()
        if receipts.write(by=subject, request=asking, positions=[seen.position], at=at, policy=policy, mark=mark):
            answer = HttpResponse(
                bundle.file(seen=seen, recipient=request.affiliation.organization, at=at, mark=mark, purpose=purpose),  # type: ignore[attr-defined]
                content_type="application/stix+json;version=2.1",
            )
            answer["Content-Disposition"] = f'attachment; filename="{seen.stix_id}.json"'
            return answer
    raise Http404


def _no_file(request: HttpRequest, stix_id: str) -> HttpResponse:
    """Readable on its page, but not as a file: say by which rule."""
    subject, at = asked(request).subject, asked(request).at
    seen = queries.get_visible(subject=subject, stix_id=stix_id, at=at, request=queries.asked(Channel.PAGE))
    if seen is None:
        raise Http404
    asking = queries.asked(Channel.FILE, purpose=request.session.get(PURPOSE, ""))
    decision = decide(subject=subject, right=Right.EXPORT, target=seen.label, at=at, request=asking)
    context = {"reasons": why(decision), "stix_id": stix_id, "plane": plane(subject), "label": seen.label}
    return render(request, "intel/no_file.html", context, status=403)


@require_POST
@reading
def relay(request: HttpRequest, stix_id: str) -> HttpResponseBase:
    """Pass the version on to the own constituents, or take that back."""
    subject, at = asked(request).subject, asked(request).at
    seen = _open(request, stix_id, receipt=False)
    if seen is None or subject.pair is None:
        raise Http404
    live = queries.live_relay(version=seen.version, group=subject.pair.group)
    if live is None:
        actions.relay(by=subject, at=at, version=seen.version, stop=queries.stop_is_on())
        messages.success(request, _("Relayed to your constituents."))
    else:
        actions.withdraw_relay(by=subject, at=at, relay=live)
        messages.success(request, _("The relay is withdrawn."))
    return redirect(plane(subject) + "_item", stix_id=stix_id)


@require_http_methods(["GET", "HEAD", "POST"])
@reading
def recall(request: HttpRequest, stix_id: str) -> HttpResponseBase:
    """Recall the version on the page: who received it by class, a reason, a signature."""
    on_own_plane(request)
    subject, at = asked(request).subject, asked(request).at
    seen = _open(request, stix_id, receipt=False)
    if seen is None or not may(subject=subject, right=Right.RECALL, target=seen.label, at=at):
        raise Http404
    form = ReasonForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            confirm(request)
            actions.recall(by=subject, at=at, version=seen.version, reason=form.cleaned_data["reason"])
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("Recalled. Those who received it find a notice in its place."))
            return redirect(plane(subject) + "_item", stix_id=stix_id)
    context = {
        **_named(seen, orjson.loads(seen.body), subject, at),
        "form": form, "refusal": refusal, "received": recipients.of(version=seen.version, subject=subject, at=at),
    }  # fmt: skip
    return render(request, "intel/recall.html", context, status=422 if form.errors or refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@reading
def release(request: HttpRequest, stix_id: str) -> HttpResponseBase:
    """Out of quarantine: its submitter sets the label, an analyst validates it."""
    on_own_plane(request)
    subject, at = asked(request).subject, asked(request).at
    seen = _open(request, stix_id, receipt=False)
    if seen is None or seen.label.state is not State.QUARANTINED:
        raise Http404
    form = ReleaseForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and (subject.is_coordinator or form.is_valid()):
        tlp, audience = (None, None) if subject.is_coordinator else form.chosen()
        try:
            actions.release_from_quarantine(by=subject, at=at, version=seen.version, tlp=tlp, audience=audience)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("Released from quarantine."))
            return redirect(plane(subject) + "_item", stix_id=seen.stix_id)
    context = {
        **_named(seen, orjson.loads(seen.body), subject, at),
        "form": form, "refusal": refusal, "findings": _findings(seen.version),
    }  # fmt: skip
    return render(request, "intel/release.html", context, status=422 if form.errors or refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@reading
def tighten(request: HttpRequest, stix_id: str) -> HttpResponseBase:
    """A stricter label: chosen first, then shown beside today's with who loses, then set."""
    on_own_plane(request)
    subject, at = asked(request).subject, asked(request).at
    seen = _open(request, stix_id, receipt=False)
    if seen is None or not _may_tighten(seen, subject, at):
        raise Http404
    form = TightenForm(request.POST or None, label=seen.label)
    refusal: Refusal | None = None
    becomes: Label | None = None
    if request.method == "POST" and form.is_valid():
        tlp, audience = form.chosen()
        try:
            becomes = actions.tightened(seen.label, tlp=tlp, audience=audience)
            if "confirm" in request.POST:
                actions.tighten(by=subject, at=at, version=seen.version, tlp=tlp, audience=audience)
        except Refusal as refused:
            refusal, becomes = refused, None
        else:
            if "confirm" in request.POST:
                messages.success(request, _("The label is stricter now, for every reader and at once."))
                # Under RED only its submitter finds it again.
                gone = becomes.tlp is Tlp.RED
                return redirect(plane(subject)) if gone else redirect(plane(subject) + "_item", stix_id=stix_id)
    context = {
        **_named(seen, orjson.loads(seen.body), subject, at),
        "form": form, "refusal": refusal, "received": recipients.of(version=seen.version, subject=subject, at=at),
        "becomes": becomes, "losing": preview.losing(old=seen.label, new=becomes, at=at) if becomes else (),
    }  # fmt: skip
    return render(request, "intel/tighten.html", context, status=422 if form.errors or refusal else 200)


def _may_tighten(seen: queries.Seen, subject: Subject, at: datetime) -> bool:
    """Whether this reader could set some stricter label: the strictest there is stands for all of them."""
    if seen.label.state is not State.PUBLISHED or seen.label.tlp is Tlp.RED:
        return False
    strictest = actions.tightened(seen.label, tlp=Tlp.RED)
    asking = replace(queries.asked(Channel.PAGE), becomes=strictest)
    return decide(subject=subject, right=Right.RELABEL, target=seen.label, at=at, request=asking).allowed


def _open(request: HttpRequest, stix_id: str, *, receipt: bool = True) -> queries.Seen | None:
    """Return the object as the reader may see it now, its receipt written under the same policy."""
    subject, at = asked(request).subject, asked(request).at
    for _again in range(_TRIES):
        policy = store.epoch().policy
        asking = queries.asked(Channel.PAGE)
        seen = queries.get_visible(subject=subject, stix_id=stix_id, at=at, request=asking)
        if seen is None or not receipt:
            return seen
        if receipts.write(by=subject, request=asking, positions=[seen.position], at=at, policy=policy) is not None:
            return seen
    return None


def _notice(request: HttpRequest, stix_id: str) -> HttpResponse:
    """Who received a version that was recalled finds a notice without content; everybody else what is not there."""
    found = recipients.notice(subject=asked(request).subject, stix_id=stix_id, at=asked(request).at)
    if found is None:
        raise Http404
    return render(request, "intel/recalled.html", {"recall": found, "stix_id": stix_id})


def _named(seen: queries.Seen, value: dict[str, Any], subject: Subject, at: datetime) -> dict[str, Any]:
    size = preview.audience_size(label=seen.label, subject=subject, at=at)
    return {
        "seen": seen,
        "label": seen.label,
        "title": shown.title(value),
        "type": words.type_words(seen.version.item.type),
        "sentence": audience_sentence(seen.label, at=at, size=size),
        "plane": plane(subject),
    }


def _rights(seen: queries.Seen, subject: Subject, at: datetime) -> dict[str, Any]:
    label = seen.label
    asking = queries.asked(Channel.FILE, purpose="research")
    relays = may(subject=subject, right=Right.RELAY_TO_CONSTITUENTS, target=label, at=at)
    return {
        "can_export": decide(subject=subject, right=Right.EXPORT, target=label, at=at, request=asking).allowed,
        "can_relay": relays,
        "relayed": relays
        and subject.pair is not None
        and queries.live_relay(version=seen.version, group=subject.pair.group) is not None,
        "can_recall": label.state is not State.RECALLED
        and may(subject=subject, right=Right.RECALL, target=label, at=at),
        "can_tighten": _may_tighten(seen, subject, at),
        "recalled": label.state is State.RECALLED,
        "quarantined": label.state is State.QUARANTINED,
        "embargo": label.not_before if label.not_before is not None and label.not_before > at else None,
        "findings": _findings(seen.version),
    }


def _findings(version: Version) -> list[Any]:
    return [words.FINDINGS[code] for code in version.findings if code in words.FINDINGS]


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 else None
