"""The ledger for auditors, and the signed head of its tree for everybody.

This app lies below the one that knows people; its doors are therefore hung in `urls`, where routes are made.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any, Protocol, cast
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.audit import actions, queries, signing
from lianfang.audit.checkpoints import BadCheckpoint
from lianfang.audit.forms import AcknowledgeForm, FilterForm, PlaceForm, VerifyForm
from lianfang.audit.leaves import content
from lianfang.audit.models import Checkpoint
from lianfang.audit.queries import Filters
from lianfang.kernel.ids import short
from lianfang.policy.facts import Subject


class _Asked(Protocol):
    """A request as the subject middleware leaves it."""

    subject: Subject
    at: datetime


@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """Entries in words, newest first, with filters; the checkpoint and the last verification beside them."""
    return _page(request, form=FilterForm(request.GET or None), verify_form=VerifyForm())


@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Verify everything and show the result."""
    form = VerifyForm(request.POST, request.FILES)
    asked = cast(_Asked, request)
    if form.is_valid():
        try:
            actions.run_verification(by=asked.subject, at=asked.at, kept=form.cleaned_data["checkpoint"])
            return HttpResponseRedirect(f"{reverse('audit')}#result")
        except BadCheckpoint:
            form.add_error("checkpoint", form.fields["checkpoint"].error_messages["other_key"])
    return _page(request, form=FilterForm(), verify_form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, verification: int) -> HttpResponse:
    """Take note of a fault, with a reason; the page says first what that does."""
    asked = cast(_Asked, request)
    form = AcknowledgeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.acknowledge_fault(verification, reason=form.cleaned_data["reason"], by=asked.subject, at=asked.at)
        return HttpResponseRedirect(f"{reverse('audit')}#result")
    fault = queries.waiting_fault(verification)
    if fault is None:
        raise Http404
    context = {"form": form, "fault": fault, "problems": queries.problems(fault)[:10]}
    return render(request, "audit/acknowledge.html", context, status=422 if form.errors else 200)


@require_safe
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """One entry in words and in full, with the proof that it stands in the signed tree."""
    found = queries.find(number)
    if found is None:
        raise Http404
    detail = json.dumps(found.detail, ensure_ascii=False, indent=2, sort_keys=True) if found.detail else ""
    proof = queries.proof(found)
    context = {
        "row": queries.in_words([found])[0],
        "detail": detail,
        "text_digest": bytes(found.text_digest).hex() if found.text_digest else "",
        "proof": proof,
        "leaf": bytes(proof.leaf.hash).hex() if proof else "",
        "root": bytes(proof.checkpoint.root).hex() if proof else "",
        "path": [node.hex() for node in proof.path] if proof else [],
    }
    return render(request, "audit/entry.html", context)


@require_safe
def entry_proof(request: HttpRequest, number: int) -> JsonResponse:  # noqa: ARG001
    """The same proof as a file: leaf data, audit path and signed checkpoint (RFC 9162 §2.1.3)."""
    found = queries.find(number)
    proof = queries.proof(found) if found else None
    if found is None or proof is None:
        raise Http404
    body = {
        "leaf_data": content(found),
        "leaf_hash": bytes(proof.leaf.hash).hex(),
        "index": proof.leaf.seq,
        "path": [node.hex() for node in proof.path],
        "checkpoint": _as_json(proof.checkpoint),
    }
    answer = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="entry-{number}-proof.json"'
    return answer


@require_safe
def checkpoint(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The newest signed head of the tree; to be kept by whoever wants to hold us to it."""
    newest = queries.latest_checkpoint()
    if newest is None:
        raise Http404
    return JsonResponse(_as_json(newest), json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def consistency(request: HttpRequest) -> JsonResponse:
    """Proof that the newest tree continues the one of `?old=` leaves (RFC 9162 §2.1.4)."""
    place = PlaceForm(request.GET)
    found = queries.consistency(old=place.cleaned_data["old"] or 0) if place.is_valid() else None
    if found is None:
        raise Http404
    newest, path = found
    body = {"old": place.cleaned_data["old"], "path": [node.hex() for node in path], "checkpoint": _as_json(newest)}
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def key(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The public key that checkpoints are signed with."""
    if queries.latest_checkpoint() is None:
        raise Http404
    public = signing.signing_key(may_create=False).public
    body = {
        "algorithm": "Ed25519",
        "name": public.name,
        "id": public.id,
        "public_key": base64.b64encode(public.raw).decode(),
        "vkey": public.vkey,
    }
    return JsonResponse(body, json_dumps_params={"indent": 1})


def _as_json(point: Checkpoint) -> dict[str, Any]:
    return {
        "size": point.size,
        "root": bytes(point.root).hex(),
        "at": point.at.isoformat(),
        "key_id": point.key_id,
        "signature": base64.b64encode(bytes(point.signature)).decode(),
        "note": point.note,
    }


def _page(request: HttpRequest, *, form: FilterForm, verify_form: VerifyForm, status: int = 200) -> HttpResponse:
    place = PlaceForm(request.GET)
    if (form.is_bound and not form.is_valid()) or not place.is_valid():
        page, status = queries.Page([], None, None), 422
    else:
        filters = form.filters() if form.is_bound else Filters()
        before, after = place.cleaned_data["before"], place.cleaned_data["after"]
        page = queries.page(filters=filters, before=before, after=after)
    chosen = {name: value for name, value in form.data.items() if name in form.fields and value}
    now, fault = queries.status(), queries.open_fault()
    context = {
        "form": form,
        "verify_form": verify_form,
        "forms": [form, verify_form],
        "page": page,
        "status": now,
        "root": short(bytes(now.checkpoint.root)) if now.checkpoint else "",
        "run_root": short(bytes(now.verification.root)) if now.verification else "",
        "shown_problems": queries.problems(now.verification)[:10],
        "fault": fault,
        "first_bad": queries.problems(fault)[0] if fault else None,
        "noted_by": queries.acknowledged_by(now.verification),
        "filtered": bool(chosen),
        "newer": _link(chosen, after=page.newer),
        "older": _link(chosen, before=page.older),
    }
    return render(request, "audit/entries.html", context, status=status)


def _link(chosen: dict[str, Any], **place: int | None) -> str:
    return "" if None in place.values() else f"?{urlencode({**chosen, **place})}"
