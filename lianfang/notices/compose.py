"""From a notice and its facts to a mail: Chinese first, English below, as plain text and as simple HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils.html import escape

from lianfang.kernel.clock import show, show_date
from lianfang.kernel.text import Bilingual
from lianfang.notices.catalogue import FIRST_CONTACT, NOTICES, Notice
from lianfang.notices.providers import privacy_notice

RULE = "-" * 40
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?，。；：！？）)]")
_BLANK_LINES = re.compile(r"\n\s*\n+")


class Unknown(LookupError):
    """The catalogue has no such notice, or its text was not told something it needs."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What goes into the outbox."""

    subject: str
    text: str
    html: str


def compose(*, notice: str, context: Mapping[str, Any], first_contact: bool, at: datetime) -> Mail:
    """Return the mail for a notice; with `first_contact` the privacy notice stands in front of it, in the same mail.

    Raises Unknown for an id outside the catalogue and for a fact that the text needs and `context` lacks.
    """
    wanted = _find(notice)
    known = {**context, "base_url": settings.BASE_URL, "service_mailbox": settings.SERVICE_MAILBOX}
    parts = [_both(wanted, known, at)]
    if first_contact and notice != FIRST_CONTACT:
        parts.insert(0, _both(_find(FIRST_CONTACT), known, at))
    zh = f"\n\n{RULE}\n\n".join(part.zh for part in parts)
    en = f"\n\n{RULE}\n\n".join(part.en for part in parts)
    return Mail(
        subject=f"【聯防】{wanted.subject.zh} {wanted.subject.en}",
        text=f"{zh}\n\n{RULE}\n{RULE}\n\n{en}\n",
        html=_html(zh, en),
    )


def _find(notice: str) -> Notice:
    try:
        return NOTICES[notice]
    except KeyError:
        raise Unknown(f"no notice {notice!r} in the catalogue") from None


def _both(notice: Notice, context: Mapping[str, Any], at: datetime) -> Bilingual:
    return Bilingual(zh=_half(notice, context, "zh", at), en=_half(notice, context, "en", at))


def _half(notice: Notice, context: Mapping[str, Any], language: str, at: datetime) -> str:
    facts = {name: _shown(value, language) for name, value in context.items()}
    facts |= {name.removesuffix(f"_{language}"): facts[name] for name in context if name.endswith(f"_{language}")}
    if missing := sorted(notice.needs - facts.keys()):
        raise Unknown(f"notice {notice.id} was not told {', '.join(missing)}")
    if notice.id == FIRST_CONTACT:
        facts["privacy_notice"] = privacy_notice(at).in_language(language)
    return get_template(f"notices/{notice.id}.{language}.txt").render(facts).strip()


def _shown(value: Any, language: str) -> Any:
    if isinstance(value, Bilingual):
        return value.in_language(language)
    if isinstance(value, datetime):
        return show(value)
    if isinstance(value, date):
        return show_date(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shown(inner, language) for inner in value]
    return value


def _html(zh: str, en: str) -> str:
    return (
        '<!doctype html><html lang="zh-Hant-TW"><head><meta charset="utf-8"><title>Lianfang</title></head><body>'
        f'{_paragraphs(zh)}<hr><div lang="en">{_paragraphs(en)}</div></body></html>'
    )


def _paragraphs(text: str) -> str:
    return "".join(_paragraph(block) for block in _BLANK_LINES.split(text.strip()))


def _paragraph(block: str) -> str:
    if block.strip() == RULE:
        return "<hr>"
    lines = "<br>".join(_linked(line) for line in block.splitlines())
    return f"<p>{lines}</p>"


def _linked(line: str) -> str:
    """Escape a line, with the addresses in it as links."""
    made, end = [], 0
    for found in _LINK.finditer(line):
        address = escape(found[0])
        made += [escape(line[end : found.start()]), f'<a href="{address}">{address}</a>']
        end = found.end()
    return "".join([*made, escape(line[end:])])
