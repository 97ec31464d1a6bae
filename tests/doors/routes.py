"""Every route of the product, read from the resolver, and who may enter it.

`WHO` is written by hand, from the policy's text: the right that a door asks for, and who of the cast holds it. A route
whose door is not known here fails the walk; so does a route with a parameter that has no sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

STAFF = {"reviewer", "approver", "analyst", "publisher", "legal", "auditor", "privacy_officer", "operator", "granter"}
MEMBERS = {"admin", "contact", "member", "other_admin", "constituent"}
ADMINS = {"admin", "other_admin"}
HELD_UP = {"no_factor", "no_duty", "unscreened", "former", "left"}
SIGNED_IN = STAFF | MEMBERS | HELD_UP
EVERYBODY = SIGNED_IN | {"stranger"}

WHO: dict[str, set[str]] = {
    "public": EVERYBODY,
    "signed_in": SIGNED_IN,
    "member": MEMBERS,
    "staff": STAFF,
    "machine": set(),  # a browser is no machine: 401 for everybody
    "enter_members_plane": MEMBERS,
    "enter_staff_plane": STAFF,
    "make_token": ADMINS,
    "read_directory": MEMBERS - {"constituent"},
    "manage_people": ADMINS,
    "file_change": ADMINS,
    "submit": MEMBERS | {"analyst"},
    "validate": {"analyst"},
    "start_stop": STAFF - {"operator_without_duty"},
    "end_stop": {"analyst", "approver"},
    "place_hold": STAFF,
    "lift_hold": {"approver"},
    "take_up": {"reviewer"},
    "review": {"reviewer"},
    "import_list": {"reviewer"},
    "approve": {"approver"},
    "revoke": {"approver"},
    "edit_charter": {"publisher"},
    "grant_duty": {"granter"},
    "change_setting": {"approver"},
    "view_audit": {"auditor"},
    "view_exit": {"former"},
    "file_appeal": {"former"},
}


@dataclass(frozen=True)
class Route:
    """One route: its name, its address with samples filled in, and its door."""

    name: str
    path: str
    door: str
    missing: str = ""
    """What is wrong with it: no door, no name, a parameter without a sample."""


NOBODY = UUID("00000000-0000-4000-8000-000000000000")
SAMPLES: dict[str, Any] = {
    "uuid": NOBODY,
    "int": 1,
    "slug": "nothing",
    "str": "nothing-of-this-name",
    "path": "nothing/of/this/name",
}


def routes(samples: dict[tuple[str, str], Any]) -> list[Route]:
    """Read all routes. `samples` gives values by (route name, parameter), else a value that names nothing."""
    return sorted(_walk(get_resolver(), "/", samples), key=lambda route: (route.path, route.name))


def _walk(resolver: URLResolver, prefix: str, samples: dict[tuple[str, str], Any]) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, prefix + str(entry.pattern), samples)
        else:
            yield _route(entry, prefix, samples)


def _route(entry: URLPattern, prefix: str, samples: dict[tuple[str, str], Any]) -> Route:
    door = getattr(entry.callback, "lianfang_door", None)
    asked = "" if door is None else (str(door.right) if door.right is not None else door.name)
    name = entry.name or ""
    missing = "" if name else "it has no name"
    missing = missing or ("" if door is not None else "it has no door")
    if isinstance(entry.pattern, RegexPattern):
        path = samples.get((name, "*"))
        missing = missing or ("" if path else "a pattern by regular expression needs a sample")
        return Route(name, str(path or prefix), asked, missing)
    assert isinstance(entry.pattern, RoutePattern)
    path = prefix + str(entry.pattern)
    for parameter, converter in entry.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        value = samples.get((name, parameter), SAMPLES.get(kind))
        missing = missing or ("" if value is not None else f"{parameter} has no sample")
        for written in (f"<{kind}:{parameter}>", f"<{parameter}>"):
            path = path.replace(written, str(value))
    return Route(name, path, asked, missing)
