"""What the pages of the mailroom show, put together before the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from lianfang.accounts import paging
from lianfang.kernel.text import Bilingual
from lianfang.mailroom import queries, routes, words
from lianfang.mailroom.lifecycle import MAIL
from lianfang.mailroom.models import Mail

TABS: dict[str, Bilingual] = {
    "triage": Bilingual(zh="待分派", en="To be sorted"),
    "placed": Bilingual(zh="已歸入案件", en="Laid to cases"),
    "noted": Bilingual(zh="自動信", en="Automatic"),
    "done": Bilingual(zh="不受理與已處理", en="Rejected and settled"),
}
NO_SUBJECT = Bilingual(zh="（沒有主旨）", en="(no subject)")
NO_SENDER = Bilingual(zh="（寄件人讀不出來）", en="(sender not readable)")


@dataclass(frozen=True, slots=True)
class Line:
    """A mail in a list. What its sender wrote is text, and only that."""

    mail: Mail
    subject: str
    sender: str
    kind: Bilingual
    tone: str
    state: Bilingual
    state_tone: str
    faults: list[Bilingual]
    route: Bilingual | None


def line(mail: Mail) -> Line:
    """Return a mail as a list shows it."""
    route = routes.ROUTES.get(mail.route)
    return Line(
        mail=mail,
        subject=mail.subject,
        sender=" ".join(part for part in (mail.sender_name, f"<{mail.sender}>" if mail.sender else "") if part),
        kind=words.KINDS[mail.kind],
        tone=words.TONES[mail.kind],
        state=MAIL.states[mail.state],
        state_tone=words.STATE_TONES[mail.state],
        faults=[words.FAULTS[fault] for fault in mail.faults if fault in words.FAULTS],
        route=route.words if route else None,
    )


def tabs(current: str, path: str) -> list[dict[str, Any]]:
    """Return the views of the list."""
    return [
        {"name": name, "label": text, "url": f"{path}?{urlencode({'view': name})}", "current": name == current}
        for name, text in TABS.items()
    ]


def listing(view: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of a view."""
    page = paging.page(queries.listing(view=view), queries.NEWEST, asked)
    return {"rows": [line(one) for one in page.rows], "page": page, "view": view, "mailbox": queries.mailbox()}


def mail(found: Mail, at: datetime) -> dict[str, Any]:
    """Return one mail with what can be made of it."""
    return {
        "mail": found,
        "line": line(found),
        "cases": [(one, routes.case_url(one.case)) for one in found.placements.all()],
        "files": [(one, risk(one.media_type)) for one in sorted(found.files.all(), key=lambda one: one.place)],
        "hints": routes.hints(found.pk, found.known_person_id, at) if found.kind != "bounce" else [],
        "unverified": words.UNVERIFIED,
        "moves": {move.name for move in MAIL.available(found.state)},
    }


def risk(media_type: str) -> Bilingual | None:
    """Return a word of caution for a file that is none of the kinds that cases take."""
    if media_type in ("application/pdf", "image/png", "image/jpeg"):
        return None
    return Bilingual(zh="請勿在一般電腦開啟", en="Do not open it on an ordinary computer")
