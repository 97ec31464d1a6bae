"""Every answer that Django's test client gets, in whichever test, is scored; one below 115 fails the test that got it.

Besides, nothing is shared across origins, and a text says how it is written.

So the walk of every URL by everybody, the errors, the downloads and the machine doors are all judged without being
walked again. Where a site is set secure, what only TLS brings is judged too.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from tests.web.observatory import ENOUGH, judge

__all__ = ["look", "take", "watch"]

_weak: list[str] = []


def watch() -> None:
    """Score whatever the client is answered from now on."""
    from django.test import Client

    asked = Client.request

    @wraps(asked)
    def request(self: Client, **environ: Any) -> Any:
        response = asked(self, **environ)
        look(environ, response)
        return response

    Client.request = request  # type: ignore[method-assign]


def look(environ: dict[str, Any], response: Any) -> None:
    """Score one answer."""
    from django.conf import settings

    found = judge(response, https=settings.SECURE)
    wrong = found.wrong if found.points < ENOUGH else []
    if "Access-Control-Allow-Origin" in response.headers:
        wrong.append("shared with pages of other sites")
    kind = response.headers.get("Content-Type", "")
    if not kind or (kind.startswith("text/") and "charset=" not in kind):
        wrong.append(f"Content-Type is {kind!r}")
    if wrong:
        where = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}: {response.status_code}"
        _weak.append(f"{where}, {found.points} points: {', '.join(wrong)}")


def take() -> list[str]:
    """What was too weak since this was last asked."""
    found = list(_weak)
    _weak.clear()
    return found
