"""Filters of a request (TAXII 2.1 §3.4): a malformed one is a 400 that names it, unknown match fields are dropped."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from lianfang.exchange.taxii import instants
from lianfang.exchange.taxii.errors import TaxiiError
from lianfang.intel.positions import Versions
from lianfang.intel.queries import MAX_PAGE, Filters

DEFAULT_LIMIT = 100
_KEYWORDS = {"all": Versions.ALL, "first": Versions.FIRST, "last": Versions.LAST}
_SINGLE = ("added_after", "limit", "next")
_MATCHES = ("match[id]", "match[type]", "match[version]", "match[spec_version]")
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for. `bound` is what `next` stands for: every parameter that changes what follows."""

    added_after: datetime | None
    limit: int
    next: str | None
    filters: Filters
    bound: dict[str, str]


def read(query: str, *, allowed: Names[str], ids: frozenset[str] | None = None) -> Asked:
    """Read a query string. `allowed` names the match fields of the endpoint; `ids` fixes the objects by the path.

    Raises TaxiiError(400) naming the parameter.
    """
    given = _given(query)
    matches = {name: given[name] for name in _MATCHES if name in given and name in allowed}
    versions, exact = _versions(matches.get("match[version]"))
    found = Filters(
        ids=ids if ids is not None else _set(matches.get("match[id]")),
        types=_set(matches.get("match[type]")),
        versions=versions,
        instants=exact,
        spec_versions=_set(matches.get("match[spec_version]")),
    )
    bound = {**matches, **({"added_after": given["added_after"]} if "added_after" in given else {})}
    return Asked(_added_after(given.get("added_after")), _limit(given.get("limit")), given.get("next"), found, bound)


def _given(query: str) -> dict[str, str]:
    if len(query) > _LONGEST:
        raise TaxiiError(400, "Bad request", "The query is too long.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise TaxiiError(400, "Bad request", "The query cannot be read.") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in _SINGLE and name not in _MATCHES:
            continue
        if name in given:
            raise TaxiiError(400, "Bad request", f"{name} is given twice.")
        if "\x00" in value:
            raise TaxiiError(400, "Bad request", f"{name} holds NUL.")
        given[name] = value
    return given


def _added_after(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = instants.read(text)
    if found is None:
        raise TaxiiError(400, "Bad request", "added_after is not a timestamp such as 2026-11-23T06:32:00.000000Z.")
    return found


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or int(text[:12]) < 1:
        raise TaxiiError(400, "Bad request", "limit is not a whole number above 0.")
    return min(int(text[:12]), MAX_PAGE)


def _set(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.split(","))


def _versions(text: str | None) -> tuple[frozenset[Versions], frozenset[datetime]]:
    if text is None:
        return frozenset({Versions.LAST}), frozenset()
    parts = text.split(",")
    if len(parts) != len(set(parts)) or ("all" in parts and len(parts) > 1):
        raise TaxiiError(400, "Bad request", "match[version] names a keyword twice, or all beside others.")
    keywords, exact = set(), set()
    for part in parts:
        if part in _KEYWORDS:
            keywords.add(_KEYWORDS[part])
            continue
        at = instants.read(part)
        if at is None:
            raise TaxiiError(400, "Bad request", "match[version] takes all, first, last and timestamps.")
        exact.add(at)
    return frozenset(keywords), frozenset(exact)
