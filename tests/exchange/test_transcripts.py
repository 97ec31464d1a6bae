"""What clients are known to send, replayed against the real server; each transcript names what it is known from."""

from __future__ import annotations

import http.client
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from taxii2client.v20 import Server

from tests.exchange.stage import ALL, Stage, indicator

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.json"))
EVIDENCE = {"run here", "read in source", "maintainers' thread", "documentation"}
_PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")


def test_every_client_that_we_speak_of_has_one() -> None:
    for path in TRANSCRIPTS:
        transcript = json.loads(path.read_text())
        assert transcript["evidence"] in EVIDENCE, path.name
        assert transcript["client"]
        assert transcript["where"]
    clients = " ".join(json.loads(path.read_text())["client"] for path in TRANSCRIPTS)
    for name in ("taxii2-client", "OpenCTI", "MISP", "Sentinel", "XSOAR", "Splunk"):
        assert name in clients


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_is_answered_as_the_client_needs_it(alliance: Stage, path: Path) -> None:
    machine = alliance.jia
    known = [indicator(number) for number in range(12)]
    machine.add(*known)
    places = {
        "url": alliance.url, "all": ALL, "object": known[0]["id"], "secret": machine.secret,
        "basic": b64encode(":".join(machine.auth).encode()).decode(),
    }  # fmt: skip
    where = urlsplit(alliance.url)
    for step in json.loads(path.read_text())["steps"]:
        line, *headers = [_filled(text, places) for text in step["request"]]
        method, target = line.split(" ")
        link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
        link.putrequest(method, target, skip_accept_encoding=True)
        for header in headers:
            link.putheader(*header.split(": ", 1))
        body = None if "body" not in step else json.dumps(_fresh(step["body"])).encode()
        if body is not None:
            link.putheader("Content-Length", str(len(body)))
        link.endheaders(body)
        answer = link.getresponse()
        _holds(step["answer"], answer, answer.read(), places, f"{path.stem}: {line}")
        link.close()


def _holds(wanted: Any, answer: http.client.HTTPResponse, content: bytes, places: dict[str, str], what: str) -> None:
    assert answer.status == wanted["status"], (what, content)
    assert answer.reason == wanted.get("reason", answer.reason), what
    for name, pattern in wanted.get("headers", {}).items():
        pattern = pattern.replace(r"\{all\}", places["all"])
        exact = pattern == "application/taxii+json;version=2.1"
        got = answer.headers[name]
        assert got == pattern if exact else re.fullmatch(pattern, got), (what, name, got)
    if not (said := json.loads(content) if content else {}):
        return
    for name, value in wanted.get("body", {}).items():
        assert said[name] == json.loads(_filled(json.dumps(value), places)), (what, name, said)
    assert said.keys() >= set(wanted.get("has", ())), what
    if "count" in wanted:
        assert len(said["objects"]) == wanted["count"], what
    if "titles" in wanted:
        titles = [one["title"] for one in said["collections"]]
        assert set(titles) >= set(wanted["titles"]), what
        assert len(titles) == len(set(titles)), "a client that chooses by title finds one"
    for place, source in wanted.get("keep", {}).items():
        found = answer.headers[source.removeprefix("header ")] if source.startswith("header ") else said[source]
        places[place] = found


def _filled(text: str, places: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in places:
            return found[0]
        return places[found[1]][: int(found[2])] if found[2] else places[found[1]]

    return _PLACE.sub(value, text)


def _fresh(body: Any) -> Any:
    """A body in which `{fresh}` stands for an object that nobody sent before."""
    return body | {"objects": [indicator() if one == "{fresh}" else one for one in body["objects"]]}


def test_the_real_2_0_client_reads_the_words_that_make_xsoar_go_on(alliance: Stage) -> None:
    """`"406 Client Error" in str(failure)` is what it asks."""
    user, password = alliance.yi.auth
    with pytest.raises(requests.HTTPError, match="406 Client Error"):
        _ = Server(f"{alliance.url}/taxii2/", user=user, password=password).title
