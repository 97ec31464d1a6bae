"""The icons, from bootstrap-icons 1.13 (MIT, see LICENSE here), drawn inline so that no second request is made."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.S)


@cache
def names() -> tuple[str, ...]:
    """Return the names of all icons there are, sorted."""
    return tuple(sorted(path.stem for path in _HERE.glob("*.svg")))


@cache
def svg(name: str, size: str = "") -> str:
    """Return the icon as inline SVG, hidden from screen readers (the word beside it speaks).

    `size` "lg" makes it a quarter larger. Raises ValueError for an icon that is not in the set.
    """
    if name not in names():
        raise ValueError(f"no icon {name!r}; there are: {', '.join(names())}")
    match = _BODY.search((_HERE / f"{name}.svg").read_text(encoding="utf-8"))
    if match is None:
        raise ValueError(f"{name}.svg holds no drawing")
    body = re.sub(r"\s*\n\s*", "", match.group(1))
    large = " i-lg" if size == "lg" else ""
    return f'<svg class="i{large}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{body}</svg>'
