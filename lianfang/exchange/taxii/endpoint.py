"""What every endpoint does in the same order: method, key, Accept, then the endpoint; errors in the standard's form.

Order of checks: route -> key (401) -> Accept (406) -> right (403, 404) -> body type (415) -> size (413) -> JSON (400)
-> envelope (422).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from lianfang.accounts.doors import Door
from lianfang.exchange.moment import Moment, Moved, assumed, confirmed, now
from lianfang.exchange.taxii import gate
from lianfang.exchange.taxii.errors import TaxiiError, answer, not_found
from lianfang.exchange.taxii.gate import Visitor
from lianfang.exchange.taxii.media import TAXII, acceptable
from lianfang.policy.decide import decide
from lianfang.policy.facts import Channel, Request, Right, Subject


@dataclass(slots=True)
class Call:
    """One request of a machine: who, when, and the HTTP request behind it."""

    http: HttpRequest
    visitor: Visitor
    subject: Subject
    moment: Moment
    confirmed: bool = False
    """Whether an assumed moment was found to be true."""

    @property
    def at(self) -> datetime:
        """The instant of the request, by the database's clock."""
        return self.moment.at

    def asked(self, view: str) -> Request:
        """Return how intelligence is asked for through this collection."""
        return Request(channel=Channel.TAXII, stop=self.moment.stop, network=self.visitor.network, view=view)

    def hold(self, *, at: datetime | None, until: datetime | None) -> None:
        """Accept the confirmation of an assumed moment: the database's clock said `at`, the answer is good to `until`.

        Raises Moved where there is none, or where the passing of time alone has changed who asks or what is answered.
        """
        if at is None or at < self.at or (until is not None and at >= until):
            raise Moved
        true = Moment(at, self.moment.epoch, self.moment.stop)
        if self.visitor.subject(true) != self.subject:
            raise Moved
        confirmed(self.moment, at=at)
        self.confirmed = True


Handler = Callable[..., HttpResponse]
_TRIES = 5


def endpoint(*, assuming: bool = False, **methods: Handler) -> Handler:
    """Make a view of handlers by method (`get`, `post`, `delete`); HEAD is GET without its body.

    With `assuming` a GET is first answered on the moment as this process last read it, if the handler confirms that.
    """
    allowed = sorted({*(name.upper() for name in methods), *(["HEAD"] if "get" in methods else [])})

    @csrf_exempt
    @wraps(next(iter(methods.values())))
    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        try:
            method = "get" if request.method == "HEAD" else str(request.method).lower()
            if method not in methods:
                allow = ", ".join(allowed)
                raise TaxiiError(405, "Method not allowed", f"Allowed here: {allow}.", allow=allow)
            supposed = assumed() if assuming and method == "get" else None
            return _decided(request, lambda call: methods[method](call, **path), supposed)
        except TaxiiError as error:
            return answer(error)

    view.lianfang_door = Door("machine")  # type: ignore[attr-defined]
    return view


def _decided(request: HttpRequest, handle: Callable[[Call], HttpResponse], supposed: Moment | None) -> HttpResponse:
    """Let a request in and answer it; from the key on anew when the policy moved before the answer could leave."""
    visitor = gate.visitor(request)
    if supposed is not None:
        # Nothing decided on a supposed moment leaves, a refusal neither, unless the moment was confirmed.
        with suppress(TaxiiError, Moved):
            call = _let_in(request, visitor, supposed)
            response = handle(call)
            if call.confirmed:
                return response
    for _ in range(_TRIES):
        with suppress(Moved):
            return handle(_let_in(request, visitor, now()))
    raise TaxiiError(503, "Try again", "The policy is changing at this moment.", retry_after=1)


def _let_in(request: HttpRequest, visitor: Visitor, moment: Moment) -> Call:
    subject = visitor.subject(moment)
    if subject is None:
        raise gate.unauthorized()
    if not acceptable(request.headers.get("Accept")):
        raise TaxiiError(406, "Not acceptable", f"Answers are {TAXII}.")
    _on_members_plane(subject, moment.at)
    return Call(request, visitor, subject, moment)


def reply(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a resource of the standard."""
    return raw(orjson.dumps(body), status=status, headers=headers)


def raw(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return bytes that are a resource of the standard already."""
    return HttpResponse(body, status=status, content_type=TAXII, headers=dict(headers or {}))


def body_of(request: HttpRequest) -> bytes:
    """Return the whole body. Raises TaxiiError(413) past `max_content_length`, (400) when the client broke off.

    A length that is declared is believed before a byte is read, and the server never hands over more than that. A body
    in chunks declares none: it is read to one byte past the limit, where the server can tell its end.
    """
    try:
        if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
            whole = request.body
            declared = request.META.get("CONTENT_LENGTH") or "0"
            if not declared.isdecimal() or len(whole) < int(declared):
                raise TaxiiError(400, "Bad request", "The body ended early.")
            return whole
        if not request.META.get("wsgi.input_terminated"):
            raise TaxiiError(411, "Length required", "Send Content-Length.")
        body: bytes = request.META["wsgi.input"].read(settings.MAX_BODY + 1)
        if len(body) > settings.MAX_BODY:
            raise RequestDataTooBig
        return body
    except RequestDataTooBig:
        raise TaxiiError(413, "Too large", "The body is longer than max_content_length.") from None
    except OSError:
        raise TaxiiError(400, "Bad request", "The body ended early.") from None


def _on_members_plane(subject: Subject, at: datetime) -> None:
    """A key whose member may not enter the members' plane finds nothing here, as if it were not."""
    entering = decide(
        subject=subject.owner or subject,
        right=Right.ENTER_MEMBERS_PLANE,
        target=None,
        at=at,
        request=Request(channel=Channel.PAGE),
    )
    if not entering.allowed:
        raise not_found()
