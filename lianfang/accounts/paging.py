"""Pages of long lists by the keys of their neighbours: the last page costs what the first one does."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q, QuerySet

ROWS = 25


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, with the links to those before and after them."""

    rows: list[Any]
    newer: str = ""
    older: str = ""


def page(rows: QuerySet[Any], order: Sequence[str], asked: Mapping[str, str], *, size: int = ROWS) -> Page:
    """Return the rows that `asked` wants: `after` or `before` a key that an earlier page gave, else the first.

    `order` names columns that are never empty, the last of them unique; a minus turns it round. What else `asked`
    holds stays in the links.
    """
    values = _values(rows.model, order, asked.get("before") or asked.get("after") or "")
    back = bool(asked.get("before")) and values is not None
    ordered = rows.order_by(*(_turned(one) for one in order) if back else order)
    if values is not None:
        ordered = ordered.filter(_beyond(order, values, back=back))
    found = list(ordered[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    before, after = (more, True) if back else (values is not None, more)
    return Page(
        found,
        _link(asked, before=_key(found[0], order)) if found and before else "",
        _link(asked, after=_key(found[-1], order)) if found and after else "",
    )


def part(rows: Sequence[Any], asked: Mapping[str, str], *, size: int = ROWS) -> Page:
    """Return a part of a list that is counted anew each time and has no key: `after` tells how many are skipped."""
    written = asked.get("after", "")
    skipped = min(int(written), len(rows)) if written.isascii() and written.isdigit() and len(written) < 7 else 0
    shown = list(rows[skipped : skipped + size])
    return Page(
        shown,
        _link(asked, after=str(max(0, skipped - size))) if skipped else "",
        _link(asked, after=str(skipped + size)) if skipped + size < len(rows) else "",
    )


def _turned(one: str) -> str:
    return one[1:] if one.startswith("-") else f"-{one}"


def _beyond(order: Sequence[str], values: Sequence[Any], *, back: bool) -> Q:
    """What comes after these values in that order: a later first column, or the same and a later second one, …"""
    found, same = Q(), Q()
    for one, value in zip(order, values, strict=True):
        name = one.removeprefix("-")
        falls = one.startswith("-") != back
        found |= same & Q(**{f"{name}__{'lt' if falls else 'gt'}": value})
        same &= Q(**{name: value})
    return found


def _key(row: Any, order: Sequence[str]) -> str:
    told = []
    for one in order:
        value = row
        for name in one.removeprefix("-").split("__"):
            value = getattr(value, name)
        told.append(value.isoformat() if hasattr(value, "isoformat") else str(value))
    return base64.urlsafe_b64encode(json.dumps(told, ensure_ascii=False).encode()).decode().rstrip("=")


def _values(model: type[Model], order: Sequence[str], written: str) -> list[Any] | None:
    """The values of a key, or None for what is no key of this list: then the first page is shown."""
    if not written or len(written) > 2000:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
        if not isinstance(told, list) or len(told) != len(order):
            return None
        return [_field(model, one).to_python(str(value)) for one, value in zip(order, told, strict=True)]
    except (ValueError, ValidationError, FieldDoesNotExist):
        return None


def _field(model: type[Model], one: str) -> Field[Any, Any]:
    *path, last = one.removeprefix("-").split("__")
    for name in path:
        related: Any = model._meta.get_field(name).related_model
        model = related
    found: Any = model._meta.get_field(last)
    return found  # type: ignore[no-any-return]


def _link(asked: Mapping[str, str], **key: str) -> str:
    kept = {name: value for name, value in asked.items() if name not in ("after", "before") and value}
    return "?" + urlencode({**kept, **key})
