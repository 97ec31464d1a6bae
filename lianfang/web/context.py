"""What every page shows around its content: the plane, its navigation, whom the reader represents, the counts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language

from lianfang.accounts.doors import Door, may
from lianfang.audit import queries as audit
from lianfang.kernel.clock import utcnow
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Kind, Right, Standing, Subject
from lianfang.web.middleware import THEME_COOKIE, THEMES, cookie_name
from lianfang.web.navigation import NAVIGATION, STAFF_WORDS, Item, Section

log = logging.getLogger("lianfang.web")
Counter = Callable[[HttpRequest], int | None]

_COUNTS: Final[dict[str, Counter]] = {}
PLANES: Final = ("member", "staff", "exit")


def count(name: str, function: Counter) -> None:
    """Register what stands beside the navigation item `name`: a number, or None for nothing.

    The function is called only for a reader who sees the item. Registering a name again replaces the function.
    """
    _COUNTS[name] = function


@dataclass(frozen=True, slots=True)
class Entry:
    """One navigation item as this reader sees it."""

    name: str
    words: Bilingual
    path: str
    icon: str
    current: bool
    count: int | None
    count_words: Bilingual | None


@dataclass(frozen=True, slots=True)
class Group:
    """A titled part of the staff navigation."""

    words: Bilingual
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad entry of the ledger: where it is, its page, and for auditors the page that takes note of it."""

    words: Bilingual
    entry: str
    note: str


class Shell:
    """Everything around the content of a page. Tolerant: on an error page hardly anything is known of the reader."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def subject(self) -> Subject:
        """Who reads; the public when nobody could be told."""
        return getattr(self._request, "subject", None) or Subject.public()

    @cached_property
    def at(self) -> datetime:
        """The instant of this request."""
        return getattr(self._request, "at", None) or utcnow()

    @property
    def signed_in(self) -> bool:
        """Whether a person is signed in."""
        return self.subject.kind is Kind.PERSON or self.person is not None

    @cached_property
    def person(self) -> Any:
        """The person signed in, or None."""
        return getattr(self._request, "person", None)

    @cached_property
    def person_name(self) -> str:
        """The person's name as shown in the bar."""
        return str(getattr(self.person, "name", "") or "")

    @cached_property
    def organization(self) -> Any:
        """The organisation that the reader represents now, or None."""
        return getattr(getattr(self._request, "affiliation", None), "organization", None)

    @cached_property
    def organization_name(self) -> str:
        """Its name in the reader's language."""
        organization = self.organization
        if organization is None:
            return ""
        zh, en = getattr(organization, "name_zh", ""), getattr(organization, "name_en", "")
        return (zh or en) if self.chinese else (en or zh)

    @cached_property
    def several(self) -> bool:
        """Whether the reader has another organisation to switch to."""
        return len(getattr(self._request, "affiliations", None) or ()) > 1

    @property
    def switch_page(self) -> str:
        """The page on which a person of several organisations chooses one."""
        return path_of("switch")

    @property
    def home(self) -> str:
        """Where the brand leads: to the reader's own plane, or to the public home."""
        return "/home" if self.signed_in else "/"

    @property
    def sign_in(self) -> str:
        """The sign-in page."""
        return str(settings.LOGIN_URL)

    @property
    def mailbox(self) -> str:
        """Address of the service desk."""
        return str(settings.SERVICE_MAILBOX)

    @cached_property
    def duties(self) -> list[Bilingual]:
        """The duties of a member of staff, in words."""
        return [STAFF_WORDS[duty] for duty in sorted(self.subject.duties)]

    @property
    def demo(self) -> bool:
        """Whether everything here is invented."""
        return bool(settings.DEMO)

    @property
    def chinese(self) -> bool:
        """Whether the page is in Chinese."""
        return (get_language() or settings.LANGUAGE_CODE).startswith("zh")

    @property
    def lang(self) -> str:
        """The value of `lang` on the html element."""
        return "zh-Hant-TW" if self.chinese else "en"

    @cached_property
    def theme(self) -> str:
        """`system`, `light` or `dark`."""
        chosen = self._request.COOKIES.get(cookie_name(THEME_COOKIE), "")
        return chosen if chosen in THEMES else "system"

    @cached_property
    def plane(self) -> str:
        """`public`, `member`, `staff` or `exit`: by the address, but only where this reader may be at all."""
        first = self._request.path.split("/", 2)[1]
        if first not in PLANES or not self.signed_in:
            return "public"
        if self.subject.is_coordinator != (first == "staff"):
            return "public"
        return first

    @property
    def base(self) -> str:
        """The base template of that plane, for pages that stand on any (errors, account)."""
        return f"web/{self.plane}.html"

    @property
    def account_base(self) -> str:
        """The base template of pages about the reader's own account: that of the plane on which he works."""
        if not self.signed_in or self.organization is None:
            return "web/public.html"
        if self.subject.is_coordinator:
            return "web/staff.html"
        ended = self.subject.standing in (Standing.REVOKED, Standing.TERMINATED)
        return "web/exit.html" if ended else "web/member.html"

    def switch(self, name: str, value: str) -> str:
        """Return the link that changes language or theme and comes back here; it never repeats the path."""
        keep = [(key, each) for key, values in self._request.GET.lists() if key != name for each in values]
        return "?" + urlencode([*keep, (name, value)])

    @cached_property
    def switch_language(self) -> str:
        """Link to this page in the other language."""
        return self.switch("lang", "en" if self.chinese else "zh-hant")

    @cached_property
    def themes(self) -> list[tuple[str, str, bool]]:
        """(theme, link, whether chosen) of each theme."""
        return [(theme, self.switch("theme", theme), theme == self.theme) for theme in THEMES]

    @cached_property
    def public(self) -> list[Entry]:
        """Items of the public bar."""
        return list(self._entries("public"))

    @cached_property
    def member(self) -> list[Entry]:
        """The tabs of the members' plane."""
        return list(self._entries("member"))

    @cached_property
    def organisation(self) -> list[Entry]:
        """The tabs of the pages about the reader's own organisation, on these pages."""
        here = self._request.path.startswith("/member/organisation/")
        return list(self._entries("organisation")) if here and self.plane == "member" else []

    @cached_property
    def foot(self) -> list[list[Entry]]:
        """The columns at the foot of public pages."""
        return [[entry for item in section.items if (entry := self._entry(item))] for section in NAVIGATION["foot"]]

    @cached_property
    def staff(self) -> list[Group]:
        """The groups of the staff side bar; a group without an item is absent."""
        if not self.subject.is_coordinator:
            return []  # some doors of that plane ask for a right that members hold too, and send them away inside
        groups = []
        for section in NAVIGATION["staff"]:
            if entries := [entry for item in section.items if (entry := self._entry(item))]:
                groups.append(Group(words=section.words, entries=entries))
        return groups

    @cached_property
    def fault(self) -> Fault | None:
        """What is wrong with the ledger, for every page of staff, until an auditor takes note of it."""
        if not self.signed_in or not self.subject.is_coordinator:
            return None
        try:
            found = audit.open_fault()
        except Error:
            # Pages that say what is wrong must come up when everything is.
            return None
        if found is None:
            return None
        first = audit.problems(found)[0]
        auditor = may(subject=replace(self.subject, acknowledged=True, mfa=True), right=Right.VIEW_AUDIT, at=self.at)
        return Fault(
            words=first["words"],
            entry=reverse("audit_entry", args=[first["entry"]]) if first["entry"] else reverse("audit"),
            note=reverse("audit_acknowledge", args=[found.pk]) if auditor else "",
        )

    def url(self, name: str) -> str:
        """Return the path of a page by its URL name, or "" while there is no such page."""
        return path_of(name)

    def _entries(self, plane: str) -> Iterator[Entry]:
        sections: tuple[Section, ...] = NAVIGATION[plane]
        for section in sections:
            for item in section.items:
                if entry := self._entry(item):
                    yield entry

    def _entry(self, item: Item) -> Entry | None:
        path, door = _page(item.name)
        if not path or not self._open(door):
            return None
        return Entry(
            name=item.name, words=item.words, path=path, icon=item.icon, current=self._current(path, item.under),
            count=self._count(item.name), count_words=item.count_words,
        )  # fmt: skip

    def _open(self, door: Door | None) -> bool:
        if door is None or door.right is None:
            return True
        if self.subject.kind is not Kind.PERSON:
            return False
        # A step still to be done (duty, second factor) does not hide the page: its door leads through the step.
        whole = replace(self.subject, acknowledged=True, mfa=True)
        return may(subject=whole, right=door.right, at=self.at)

    def _current(self, path: str, under: tuple[str, ...]) -> bool:
        here = self._request.path
        if any(here == one or here.startswith(one + "/") for one in under):
            return True
        # The overview is the root of its plane: below it are the other items, not itself.
        return here == path or (path.count("/") > 1 and here.startswith(path + "/"))

    def _count(self, name: str) -> int | None:
        function = _COUNTS.get(name)
        if function is None:
            return None
        try:
            return function(self._request)
        except Exception:
            # A number beside a menu item is never worth a page.
            log.exception("count of %s", name)
            return None


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Context processor: `shell`, made once a request."""
    made = getattr(request, "_lianfang_shell", None)
    if made is None:
        made = Shell(request)
        request._lianfang_shell = made  # type: ignore[attr-defined]
    return {"shell": made}


def path_of(name: str) -> str:
    """Return the path of a page by its URL name, or "" while there is no such page."""
    return _page(name)[0]


@cache
def _page(name: str) -> tuple[str, Door | None]:
    """(path, door) of a page: asked for some twenty items on each page, and the same as long as the process lives."""
    try:
        path = reverse(name)
        return path, getattr(resolve(path).func, "lianfang_door", None)
    except (NoReverseMatch, Resolver404):
        return "", None
