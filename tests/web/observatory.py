"""Scores the headers of an answer by the table of Mozilla's HTTP Observatory (2024): 100 to begin with, minus and plus.

The rules that a single answer can be judged by: content security policy, cookies, sharing across origins, referrer,
transport, integrity of scripts, sniffing, framing. What only a proxy can show (a redirect from http, a place in the
preload list) gives nothing here. Bonus points count only where 90 are reached without them. Newer editions give ten
points for Cross-Origin-Resource-Policy; here it may only cost some, so that 115 is never easier to reach than there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookies import Morsel
from typing import Any

__all__ = ["ENOUGH", "Score", "judge", "score"]

ENOUGH = 115
_NEEDED_FOR_BONUS = 90
_HALF_A_YEAR = 15_768_000
_BROAD = frozenset({"*", "http:", "https:", "data:", "blob:", "filesystem:"})
_ACTIVE = ("script-src", "object-src", "style-src", "font-src", "connect-src", "frame-src", "worker-src")
_PASSIVE = ("img-src", "media-src")
_SESSION = re.compile(r"login|sess", re.I)
_FORGERY = re.compile(r"csrf|xsrf", re.I)
_PRIVATE = frozenset({"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"})
_LOOSE = frozenset({"origin", "origin-when-cross-origin", "unsafe-url"})
_SCRIPT = re.compile(rb"<script\b[^>]*\bsrc\s*=\s*[\"']?([^\"'\s>]+)[^>]*>", re.I)
_JUDGED = (
    "content-security-policy", "strict-transport-security", "referrer-policy", "x-content-type-options",
    "x-frame-options", "access-control-allow-origin", "access-control-allow-credentials",
    "cross-origin-resource-policy",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """The sum, and each thing that was found with its points."""

    points: int
    found: tuple[tuple[str, int], ...]

    @property
    def wrong(self) -> list[str]:
        """What cost points."""
        return [f"{name} ({points})" for name, points in self.found if points < 0]


def judge(response: Any, *, https: bool, host: str = "localhost") -> Score:
    """Score an answer of Django's test client or handler. Without `https` what only TLS can bring counts nothing."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    html = headers.get("content-type", "").startswith("text/html")
    body = b"" if response.streaming or not html else response.content
    return score(headers, response.cookies.values(), body, https=https, host=host)


def score(
    headers: Mapping[str, str], cookies: Iterable[Morsel[str]], body: bytes, *, https: bool, host: str = "localhost"
) -> Score:
    """Score headers (names in small letters), the cookies set, and the scripts of a page."""
    told = tuple((name, headers[name]) for name in _JUDGED if name in headers)
    found = [
        *_of_headers(told, https),
        _cookies(list(cookies), https=https, hsts="strict-transport-security" in headers),
        _scripts(body, host),
    ]
    fair = 100 + sum(points for _, points in found if points < 0)
    bonus = sum(points for _, points in found if points > 0) if fair >= _NEEDED_FOR_BONUS else 0
    return Score(max(fair + bonus, 0), tuple(found))


@lru_cache(maxsize=256)
def _of_headers(told: tuple[tuple[str, str], ...], https: bool) -> tuple[tuple[str, int], ...]:
    headers = dict(told)
    policy = _parsed(headers.get("content-security-policy", ""))
    return (
        _content(policy),
        _framing(policy, headers.get("x-frame-options", "")),
        _transport(headers.get("strict-transport-security"), https),
        _referrer(headers.get("referrer-policy", "")),
        _sharing(headers),
        ("nosniff", 0) if headers.get("x-content-type-options") == "nosniff" else ("sniffing allowed", -5),
        _resource(headers.get("cross-origin-resource-policy")),
    )


def _parsed(text: str) -> dict[str, set[str]] | None:
    """The directives of a policy, or None for none at all or one that cannot be read."""
    found: dict[str, set[str]] = {}
    for part in filter(None, (part.split() for part in text.split(";"))):
        name = part[0].lower()
        if name in found:
            return None
        found[name] = {value.lower() if not value.startswith("'nonce-") else value for value in part[1:]}
    return found or None


def _content(policy: dict[str, set[str]] | None) -> tuple[str, int]:
    if policy is None:
        return "no content security policy", -25
    every = {name: policy.get(name, policy.get("default-src", {"*"})) for name in (*_ACTIVE, *_PASSIVE)}
    script, style = every["script-src"], every["style-src"]
    trusted = any(value.startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-")) for value in script)
    if ("'unsafe-inline'" in script and not trusted) or (script | every["object-src"]) & _BROAD:
        return "scripts or objects from anywhere", -20
    if any(value.startswith("http:") for name in _ACTIVE for value in every[name]):
        return "active content without TLS", -20
    if any(value.startswith("http:") for name in _PASSIVE for value in every[name]):
        return "pictures without TLS", -10
    if "'unsafe-eval'" in script | style:
        return "eval allowed", -10
    if "'unsafe-inline'" in style or style & _BROAD:
        return "style from anywhere", 0
    return ("default-src 'none'", 10) if policy.get("default-src") == {"'none'"} else ("no unsafe source", 5)


def _framing(policy: dict[str, set[str]] | None, header: str) -> tuple[str, int]:
    ancestors = (policy or {}).get("frame-ancestors")
    if ancestors is not None and not ancestors & _BROAD:
        return "framing by policy", 5
    if header.upper() in ("DENY", "SAMEORIGIN"):
        return "framing by header", 0
    return "framing allowed", -20


def _transport(value: str | None, https: bool) -> tuple[str, int]:
    if not https:
        return "no TLS to speak of", 0
    age = re.search(r"(?:^|;)\s*max-age=(\d+)", value or "")
    if age is None:
        return "no strict transport", -20
    return ("strict transport", 0) if int(age[1]) >= _HALF_A_YEAR else ("strict transport for too short a time", -10)


def _referrer(value: str) -> tuple[str, int]:
    last = value.split(",")[-1].strip().lower()
    if last in _PRIVATE:
        return "referrer kept", 5
    if not last or last == "no-referrer-when-downgrade":
        return "referrer as the browser likes", 0
    return ("referrer given away" if last in _LOOSE else "referrer policy unknown"), -5


def _sharing(headers: Mapping[str, str]) -> tuple[str, int]:
    origin = headers.get("access-control-allow-origin")
    if origin is not None and headers.get("access-control-allow-credentials", "").lower() == "true":
        return "shared across origins with credentials", -50
    return "not shared across origins", 0


def _resource(value: str | None) -> tuple[str, int]:
    fine = value in (None, "same-origin", "same-site", "cross-origin")
    return ("resource policy", 0) if fine else ("resource policy unknown", -5)


def _cookies(cookies: list[Morsel[str]], *, https: bool, hsts: bool) -> tuple[str, int]:
    """The worst thing about any cookie that is set; one that is taken away holds nothing."""
    cookies = [cookie for cookie in cookies if str(cookie["max-age"]) != "0"]
    if not cookies:
        return "no cookies", 0
    worst = ("cookies with every flag", 5)
    for cookie in cookies:
        for fault in _faults(cookie, https=https, hsts=hsts):
            worst = min(worst, fault, key=lambda one: one[1])
    return worst


def _faults(cookie: Morsel[str], *, https: bool, hsts: bool) -> Iterable[tuple[str, int]]:
    session = bool(_SESSION.search(cookie.key))
    if https and not cookie["secure"]:
        points = (-10 if hsts else -40) if session else (-5 if hsts else -20)
        yield f"{cookie.key} without Secure", points
    if session and not cookie["httponly"]:
        yield f"{cookie.key} is open to scripts", -30
    if not cookie["samesite"]:
        yield f"{cookie.key} without SameSite", -20 if _FORGERY.search(cookie.key) else 0
    elif cookie["samesite"].lower() not in ("lax", "strict"):
        yield f"{cookie.key} with SameSite={cookie['samesite']}", -20


def _scripts(body: bytes, host: str) -> tuple[str, int]:
    points, said = 0, "scripts of this site alone"
    for tag in _SCRIPT.finditer(body) if body else ():
        source = tag[1].decode(errors="replace")
        outside = re.match(r"(https?:)?//([^/]+)", source)
        if outside is None or outside[2] == host:
            continue
        signed = b"integrity=" in tag[0]
        plain = outside[1] != "https:"
        worse = (-20 if signed else -50) if plain else (0 if signed else -5)
        if worse <= points:
            points, said = worse, f"script from {outside[2]}"
    return said, points
