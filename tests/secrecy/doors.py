"""How the harness asks every door: whatever can be put into an address, and forms that are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from lianfang.exchange.taxii.collections import COLLECTIONS

ABSENT = "7d0c5c9e-0f57-4a6c-9f0d-3a4f5d1e2b77"
"""The id of nothing."""
ABSENT_STIX = f"indicator--{ABSENT}"


@dataclass(frozen=True)
class Pattern:
    """A route as the resolver knows it: `path` holds `{parameter}`."""

    name: str
    path: str
    parameters: tuple[str, ...]
    door: str


_BY_REGEX = {
    "account_reset_password_from_key": "/account/password/reset/key/0-set-password/",
    "taxii_elsewhere": "/taxii2/nothing",
}


def patterns() -> list[Pattern]:
    """Every route of the product."""
    return sorted(_walk(get_resolver(), "/"), key=lambda found: (found.path, found.name))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Pattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, prefix + str(entry.pattern))
        else:
            yield _pattern(entry, prefix)


def _pattern(entry: URLPattern, prefix: str) -> Pattern:
    name = entry.name or ""
    door = getattr(entry.callback, "lianfang_door", None)
    right = "" if door is None else str(door.right or door.name)
    if isinstance(entry.pattern, RegexPattern):
        return Pattern(name, _BY_REGEX[name], (), right)
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", prefix + str(entry.pattern))
    return Pattern(name, path, tuple(entry.pattern.converters), right)


@dataclass
class Known:
    """What may stand in an address: found by the observer, hidden from it, or nothing at all."""

    visible: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    own: dict[str, list[str]] = field(default_factory=dict)
    """By parameter: what is the observer's own."""
    secret: dict[str, list[str]] = field(default_factory=dict)
    """By parameter: what is others' own."""

    def values(self, parameter: str, *, route: str = "") -> Sequence[str]:
        """What is put in for a parameter, at most two of each kind."""
        if route in _OF_ROUTE:
            return _OF_ROUTE[route]
        if parameter in ("stix_id", "object_id"):
            return [*self.visible[-2:], *self.hidden[-3:], ABSENT_STIX]
        fixed = _FIXED.get(parameter)
        if fixed is not None:
            return fixed
        return [*self.own.get(parameter, [])[-2:], *self.secret.get(parameter, [])[-2:], absent(parameter)]


_FIXED: Mapping[str, Sequence[str]] = {
    "collection": [*(one.id for one in COLLECTIONS), ABSENT],
    "alias": ["all", "nothing"],
    "article": ["1"],
    "step": ["organization", "nothing"],
    "what": ["approve"],
    "name": ["audience_floor", "nothing"],
    "mail_id": ["nothing"],
    "verification": ["1"],
    "version": ["1", "987"],
    "pk": ["1"],
    "key": ["nothing"],
    "kind": ["charter", "nothing"],
}
_OF_ROUTE: Mapping[str, Sequence[str]] = {
    "charter_version": ["1", "999"],
    "charter_compare": ["1", "999"],
    "privacy_version": ["1", "999"],
    "privacy_compare": ["1", "999"],
    "version_told": ["1"],
    "version_told_member": ["1"],
    "version_tell": ["1"],
    "version_post": ["1"],
    "amendment_clause": ["1"],
    "audit_entry": ["1"],
    "audit_entry_proof": ["1"],
}
"""Routes whose parameter means something else than the others' of the same name."""
_UUIDS = {
    "submission", "draft", "token_id", "affiliation_id", "invitation_id", "membership_id", "grant_id", "proposal_id",
    "file_id", "hold_id", "link_id", "status_id", "reset_id", "confirmation_id", "edition_id", "check_id", "letter_id",
    "fact_id", "import_id", "objection_id", "organization_id", "told_id",
}  # fmt: skip


def first(parameter: str, known: Known) -> str:
    """What stands for a parameter while another one is looked at."""
    return known.values(parameter)[0]


def is_plain(pattern: Pattern) -> bool:
    """Whether the parameter of a route is public, so that nothing of it can be hidden."""
    return pattern.name in _OF_ROUTE


def absent(parameter: str) -> str:
    """A value of the right form that names nothing."""
    if parameter in ("stix_id", "object_id"):
        return ABSENT_STIX
    if parameter in _UUIDS:
        return ABSENT
    return "A-2026-9999" if parameter == "number" else "nothing-of-this-name"


def addresses(pattern: Pattern, known: Known) -> list[str]:
    """Addresses of a route: each parameter runs through its values while the others stand at their first."""
    if not pattern.parameters:
        return [pattern.path]
    values = {name: list(known.values(name, route=pattern.name)) for name in pattern.parameters}
    first = {name: given[0] for name, given in values.items()}
    made = [pattern.path.format(**(first | {name: value})) for name, given in values.items() for value in given]
    return list(dict.fromkeys(made))


# What is asked beside the walk: (address, form) with `{visible}`, `{hidden}`, `{word}` (of a hidden text), `{absent}`.
Form = dict[str, Any]
QUESTIONS = (
    "/member/intel?q={word}", "/member/intel?q={hidden}", "/member/intel?q=h", "/member/intel?tlp=GREEN&tlp=AMBER",
    "/member/intel?all=1", "/member/intel?below=3", "/member/intel?q=壞&below=2", "/member/intel?tlp=RED", "/member",
    "/member/intel/{visible}", "/member/intel/{hidden}", "/member/intel/{visible}/why", "/member/intel/{hidden}/why",
    "/member/intel/{visible}/download", "/member/intel/{hidden}/download", "/member/organisation/roster",
    "/member/organisation/people", "/member/organisation/directory",
    "/member/organisation/directory?q=示範", "/member/connections", "/member/intel?lang=en",
)  # fmt: skip
STAFF_QUESTIONS = (
    "/staff/inbox", "/staff/inbox?q={word}", "/staff/applications", "/staff/members", "/staff/revocations",
    "/staff/stop", "/staff/intel", "/staff/intel/{hidden}", "/staff/members?q={word}", "/me",
)  # fmt: skip
MACHINE_QUESTIONS = (
    "objects/", "objects/?limit=1", "objects/?limit=3", "objects/?match[type]=indicator", "manifest/",
    "objects/?match[type]=report,relationship", "manifest/?match[version]=all", "manifest/?limit=2",
    "objects/?match[id]={hidden}", "objects/?match[id]={visible}", "objects/{hidden}/", "objects/{visible}/",
    "objects/{hidden}/versions/", "objects/{visible}/versions/", "objects/?added_after=2026-11-24T06:01:00.000Z",
    "objects/?match[version]=first", "manifest/?match[id]={hidden}", "objects/{hidden}/?match[version]=all",
    "objects/?limit=1&next={next}", "objects/?match[spec_version]=2.0", "objects/?added_after={date}",
)  # fmt: skip
FORMS: tuple[tuple[str, Form], ...] = (
    ("/member/submit/preview", {"tlp": "AMBER", "audience": "alliance", "upstream": "none", "name_source": "everyone"}),
    (
        "/member/submit/preview",
        {"tlp": "RED", "audience": "persons", "persons": "admin1@m2.example", "upstream": "none",
         "name_source": "coordinator"},
    ),
    (
        "/member/submit/preview",
        {"tlp": "GREEN", "audience": "alliance", "upstream": "permitted", "upstream_members": "90020003 90010004",
         "name_source": "everyone"},
    ),
    ("/member/intel/{hidden}/download", {"purpose": "research"}),
    ("/member/intel/{visible}/download", {"purpose": "research"}),
    ("/member/intel/{hidden}/relay", {}),
    ("/member/intel/{hidden}/recall", {"reason": "誤報"}),
    ("/member/intel/{hidden}/label", {"tlp": "RED", "audience": "keep"}),
    ("/me", {"theme": "dark", "language": "en"}),
)  # fmt: skip
STRANGERS_FORMS: tuple[tuple[str, Form], ...] = (
    ("/account/login/", {"login": "{address}", "password": "wrong"}),
    ("/account/login/", {"login": "nobody@nowhere.example", "password": "wrong"}),
    ("/account/password/reset/", {"email": "nobody@nowhere.example"}),
    ("/account/lost-factor", {"email": "nobody@nowhere.example"}),
    ("/apply/link", {"email": "nobody@nowhere.example"}),
)
QUIET = {
    "account_logout", "mfa_deactivate_totp", "mfa_generate_recovery_codes", "account_change_password",
    "account_set_password", "mfa_activate_totp", "usersessions_list", "mfa_login_webauthn", "person_leaves",
    "sign_out_person", "switch",
    "revoke_connection", "rotate_connection", "change_role", "invite_again",
}  # fmt: skip
"""Not sent empty forms in the walk: they end the observer's own session or way in, and every later question with it."""
