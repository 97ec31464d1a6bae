"""Errors of the TAXII door: always the standard's error message, never a page (TAXII 2.1 §3.6.1)."""

from __future__ import annotations

import uuid

import orjson
from django.http import HttpResponse

from lianfang.exchange.taxii.media import TAXII


class TaxiiError(Exception):
    """Ends a request with this status. `title` and `description` are shown to the client and hold nothing hidden.

    `number` is random and goes out as `error_id`.
    """

    def __init__(
        self, status: int, title: str, description: str = "", *, allow: str = "", retry_after: int = 0
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.description, self.allow = status, title, description, allow
        self.retry_after = retry_after
        self.number = str(uuid.uuid4())


def answer(error: TaxiiError) -> HttpResponse:
    """Return the error as the standard's message; a 401 carries the challenges."""
    body = {
        "title": error.title,
        **({"description": error.description} if error.description else {}),
        "error_id": error.number,
        "http_status": str(error.status),
    }
    response = HttpResponse(orjson.dumps(body), status=error.status, content_type=TAXII)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="Lianfang", charset="UTF-8", Bearer realm="Lianfang"'
    if error.allow:
        response["Allow"] = error.allow
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return response


def not_found() -> TaxiiError:
    """Absent and hidden alike."""
    return TaxiiError(404, "Not found", "There is no such thing here, or it is outside what you may see.")
