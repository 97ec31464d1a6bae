"""Filters and tags that components and pages share; load with `{% load web %}`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from lianfang.kernel import clock as kernel_clock
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right, Tlp
from lianfang.policy.words import RIGHTS
from lianfang.web import icons, present
from lianfang.web.forms import focus_id

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """Draw an icon of the set; `size` "lg" or nothing."""
    # Drawings come from files of this package, never from a reader.
    return mark_safe(icons.svg(name, size))  # noqa: S308


@register.filter
def say(text: Any) -> str:
    """Say a `Bilingual` in the language of the page; anything else is said as it is."""
    if isinstance(text, Bilingual):
        return text.in_language(get_language() or "zh-hant")
    return "" if text is None else str(text)


@register.filter
def moment(at: datetime | None) -> str:
    """`2026-11-23 14:32`, Taipei time; nothing for None."""
    return kernel_clock.show(at) if at else ""


@register.filter
def day(at: datetime | date | None) -> str:
    """`2026-11-23`, the day in Taipei; nothing for None."""
    return kernel_clock.show_date(at) if at else ""


@register.filter
def roc(at: datetime | date | None) -> str:
    """`中華民國115年11月23日`; nothing for None."""
    return kernel_clock.roc_date(at) if at else ""


@register.filter
def weekday_date(at: datetime | None) -> str:
    """`11/23（一）` or `Mon 23 Nov`."""
    return say(present.short_date(at)) if at else ""


@register.filter
def stamp(at: datetime | None) -> str:
    """`11/23 14:32`, for lists of the last weeks."""
    return f"{kernel_clock.taipei(at):%m/%d %H:%M}" if at else ""


@register.filter
def iso(at: datetime | date | None) -> str:
    """The machine form for `<time datetime>`."""
    return at.isoformat() if at else ""


@register.filter
def tlp_text(label: Tlp | str) -> str:
    """`TLP:AMBER+STRICT`, however the label was given."""
    return present.tlp_of(label).label


@register.filter
def tlp_class(label: Tlp | str) -> str:
    """The colour class of a label's chip."""
    return present.tlp_class(label)


@register.simple_tag(takes_context=True)
def read_clock(context: template.Context, due: datetime, at: Any = None, with_time: Any = False) -> present.Clock:
    """The clock of a limit, read at the request's instant unless another is given."""
    request = context.get("request")
    now = at if isinstance(at, datetime) else getattr(request, "at", None) or utcnow()
    return present.clock(due, at=now, with_time=bool(with_time))


@register.filter
def clause_words(clause: str) -> str:
    """Where a rule comes from: `2.1, TLP` is said `規章 2.1、TLP` or `Charter 2.1, TLP`."""
    parts = [part.strip() for part in clause.split(",") if part.strip()]
    numbered = [part for part in parts if part[0].isdigit()]
    others = [part for part in parts if not part[0].isdigit()]
    chinese = (get_language() or "zh").startswith("zh")
    name = "規章" if chinese else "Charter"
    mark = "、" if chinese else ", "
    return mark.join([*([f"{name} {mark.join(numbered)}"] if numbered else []), *others])


@register.filter
def right_words(right: Right) -> str:
    """What a right allows, in the words of the policy."""
    return say(RIGHTS[right])


@register.simple_tag
def error_lines(form: Any = None, forms: Any = None, refusal: Any = None) -> list[dict[str, Any]]:
    """The lines of the error summary: of one form, of several, and of a refusal; each leads to its control."""
    lines: list[dict[str, Any]] = []
    if isinstance(refusal, Refusal):
        lines.append(
            {"text": refusal.reason, "target": f"id_{refusal.field}" if refusal.field else "", "label": "",
             "clause": refusal.clause, "rule": refusal.rule}
        )  # fmt: skip
    for one in [form, *(forms or [])]:
        if one is None or not one.errors:
            continue
        lines += [{"text": text, "target": "", "label": ""} for text in one.non_field_errors()]
        for field in one:
            target = focus_id(one, field.name)
            lines += [{"text": text, "target": target, "label": field.label} for text in field.errors]
    return lines


@register.filter
def as_bars(rows: Any, whole: Any = None) -> list[present.Bar]:
    """Scale (label, value[, note]) rows to bars."""
    return present.bars(list(rows), whole=float(whole) if whole not in (None, "") else None)


@register.filter
def as_columns(rows: Any) -> list[present.Column]:
    """Scale (label, value) rows to columns."""
    return present.columns(list(rows))


@register.filter
def as_stacks(rows: Any) -> list[present.Stack]:
    """Scale (label, numbers) rows to stacked columns."""
    return present.stacks(list(rows))


@register.filter
def device(user_agent: str) -> str:
    """Browser and system in words."""
    return say(present.device(user_agent or ""))


@register.filter
def share(part: Any, whole: Any) -> str:
    """Percent of the whole with one digit, for the length of a bar: `97.9`."""
    whole = float(whole or 0)
    return f"{100 * min(float(part or 0), whole) / whole:.1f}" if whole else "0"
