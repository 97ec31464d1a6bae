"""Before Django or through it: the same answer, byte for byte and header for header."""

from __future__ import annotations

import io
import json
import sys
from base64 import b64encode
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from config.wsgi import application
from lianfang.web.middleware import HEADERS
from tests.exchange.stage import ALL, TAXII, Machine, Stage, indicator

ONE = f"/taxii2/alliance/collections/{ALL}/"
Answer = tuple[str, dict[str, str], bytes]


def ask(server: Any, machine: Machine | None, method: str, path: str, **more: str) -> Answer:
    """One request to a WSGI application."""
    path, _, query = path.partition("?")
    environment = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT": TAXII,
        "CONTENT_TYPE": TAXII, "CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}"), "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    } | more  # fmt: skip
    if machine is not None:
        secret = b64encode(":".join(machine.auth).encode()).decode()
        environment["HTTP_AUTHORIZATION"] = f"Basic {secret}"
    said: list[Any] = []
    answer = server(environment, lambda status, headers, _error=None: said.extend((status, dict(headers))))
    return said[0], said[1], b"".join(answer)


def alike(answer: Answer) -> Answer:
    status, headers, body = answer
    if int(status[:3]) >= 400:
        body = json.dumps(json.loads(body) | {"error_id": ""}).encode() if body else body
    return status, headers, body


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_both_ways_answer_alike(alliance: Stage, method: str) -> None:
    one = indicator(1)
    alliance.jia.add(one, indicator(2))
    paths = [
        "/taxii2", "/taxii2/", "/taxii2/alliance/", f"{ONE}objects/", f"{ONE}objects/?limit=1", f"{ONE}manifest/",
        f"{ONE}objects/{one['id']}/", f"{ONE}objects/{one['id']}/versions/", f"{ONE}objects/?limit=0", "/taxii2/x",
        f"{ONE}objects?limit=1", "/taxii2/\xff/", "/taxii2/?lang=en",
    ]  # fmt: skip
    through = WSGIHandler()
    for machine in (alliance.yi, None):
        for path in paths:
            for more in ({}, {"HTTP_ACCEPT": "text/html"}, {"HTTP_HOST": "elsewhere.example"}):
                before, after = (alike(ask(server, machine, method, path, **more)) for server in (application, through))
                assert before == after, path
                assert HEADERS.items() <= before[1].items(), path


def test_pages_are_handed_on(alliance: Stage) -> None:
    for path in ("/", "/taxii", "/taxii2x", "/charter"):
        status, headers, _ = ask(application, None, "GET", path)
        assert status[:3] in ("200", "404")
        assert headers["Content-Type"].startswith("text/html")
