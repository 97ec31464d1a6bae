"""Leaks planted on purpose, each a small wrong version of one part of the product; the harness must see every one.

A leak says which questions reach it. It is never written into the product: it is put in for the time of the questions,
in both worlds alike, as a careless change would be.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock
from zlib import crc32

from django.db import connection
from django.http import HttpResponse

from lianfang.exchange.taxii import cursors, pages
from lianfang.exchange.taxii import views as taxii
from lianfang.exchange.taxii.errors import TaxiiError
from lianfang.intel import preview, queries, receipts, recipients, telling
from lianfang.intel.models import Item, LogEntry, Receipt, Reference, Submission, Version
from lianfang.intel.positions import INDEX
from lianfang.intel.views import items, submit
from lianfang.members import directory_queries
from lianfang.members.queries import members_in_force
from lianfang.web import errors as pages_of_errors
from lianfang.web import overview
from tests.exchange.stage import ALL
from tests.secrecy.play import Ask

ONE = f"/taxii2/alliance/collections/{ALL}/"
OBJECTS = Ask("machine", "GET", f"{ONE}objects/")
SOME = Ask("machine", "GET", f"{ONE}objects/?limit=2")
LIST = Ask("browser", "GET", "/member/intel?all=1")
OVERVIEW = Ask("browser", "GET", "/member")


@dataclass(frozen=True)
class Leak:
    """What is put in, and the questions that reach it; `{…}` stands for an id of the furnished world."""

    name: str
    channels: tuple[int, ...]
    put_in: Callable[[ExitStack], None]
    asks: tuple[Ask, ...]
    jobs: bool = False
    """Whether the worker's jobs run afterwards, and mails are compared."""
    costs: bool = False
    """Whether it shows in statements alone: then hidden and absent are weighed against each other."""
    others_first: bool = False
    """Whether others ask just before, in the second world alone, as their machines do all day."""


LEAKS: list[Leak] = []


def leak(*channels: int, asks: tuple[Ask, ...], **more: Any) -> Callable[[Callable[[ExitStack], None]], None]:
    """Add a leak under the name of its function."""

    def add(put_in: Callable[[ExitStack], None]) -> None:
        LEAKS.append(Leak(put_in.__name__, channels, put_in, asks, **more))

    return add


def swap(stack: ExitStack, owner: Any, name: str, new: Any) -> None:
    """Put `new` in place of a function until the stack unwinds."""
    stack.enter_context(mock.patch.object(owner, name, new))


def _last_date() -> str:
    return str(LogEntry.objects.order_by("-position").values_list("date_added", flat=True).first())


def _exists(stix_id: str) -> bool:
    return Item.objects.filter(stix_id=stix_id).exists()


def get(path: str) -> Ask:
    return Ask("browser", "GET", path)


def machine(path: str, method: str = "GET") -> Ask:
    return Ask("machine", method, ONE + path)


# -- counts, facets, order -------------------------------------------------------------------------------------------


@leak(2, 20, 32, asks=(get("/member/organisation/directory"),))
def directory_for_whoever_stands_in_nothing(stack: ExitStack) -> None:
    old = directory_queries.case_of_entry

    def wrong(found: Any, *, reader_listed: bool) -> Any:
        return old(found, reader_listed=True)

    swap(stack, directory_queries, "case_of_entry", wrong)


@leak(2, 3, asks=(OVERVIEW,))
def facet_over_all_that_there_is(stack: ExitStack) -> None:
    old = queries.weekly

    def wrong(**asked: Any) -> Any:
        return {tlp: [*numbers[:-1], LogEntry.objects.count()] for tlp, numbers in old(**asked).items()}

    swap(stack, overview.intel, "weekly", wrong)


@leak(2, asks=(machine("objects/?limit=500"),))
def more_by_the_head_of_the_log(stack: ExitStack) -> None:
    old = queries._cut

    def wrong(*given: Any) -> Any:
        turn = old(*given)
        return replace(turn, more=bool(turn.positions) and INDEX.head > turn.positions.max())

    swap(stack, queries, "_cut", wrong)


@leak(2, asks=(LIST,))
def list_filtered_after_its_limit(stack: ExitStack) -> None:
    old = queries.latest

    def wrong(*, limit: int = 50, **asked: Any) -> Any:
        page = old(limit=limit, **asked)
        return replace(page, items=tuple(one for one in page.items if one.position > INDEX.head - 40))

    swap(stack, items.queries, "latest", wrong)


@leak(4, asks=(get("/member/intel?q=壞"), get("/member/intel?q=h")))
def search_ranked_by_all_documents(stack: ExitStack) -> None:
    old = queries.search

    def wrong(**asked: Any) -> Any:
        page = old(**asked)
        weight = LogEntry.objects.count()
        return replace(page, items=tuple(sorted(page.items, key=lambda one: crc32(f"{one.stix_id} {weight}".encode()))))

    swap(stack, items.queries, "search", wrong)


@leak(4, 25, asks=(get("/member/intel?q={word}"),))
def search_that_is_not_decided(stack: ExitStack) -> None:
    def wrong(**asked: Any) -> Any:
        question, _ = queries.tsquery(asked["text"])
        found = [position for position, _ in queries._hits(question, 10**9, 10)]
        entries = queries._entries(sorted(found), queries.BitMap(found), bodies=True)
        return queries.Page(entries, False, queries.store.epoch().policy, len(entries))

    swap(stack, items.queries, "search", wrong)


@leak(2, 16, asks=(get("/member/intel?all=1&below=4"), LIST))
def positions_of_the_log_as_places(stack: ExitStack) -> None:
    old = queries.latest

    def wrong(**asked: Any) -> Any:
        page = old(**asked)
        return replace(page, older=page.items[0].position if page.items else None)

    swap(stack, items.queries, "latest", wrong)


@leak(24, asks=(LIST,))
def order_by_what_was_added_last_of_all(stack: ExitStack) -> None:
    old = queries.latest

    def wrong(**asked: Any) -> Any:
        page = old(**asked)
        turn = INDEX.head % max(len(page.items), 1) or 1
        return replace(page, items=page.items[turn:] + page.items[:turn])

    swap(stack, items.queries, "latest", wrong)


# -- dates, cursors, headers -----------------------------------------------------------------------------------------


@leak(17, asks=(OBJECTS,))
def date_of_the_last_line_of_all(stack: ExitStack) -> None:
    old = taxii.raw

    def wrong(body: bytes, *, status: int = 200, headers: Any = None) -> Any:
        return old(body, status=status, headers={**(headers or {}), "X-TAXII-Date-Added-Last": _last_date()})

    swap(stack, taxii, "raw", wrong)


@leak(13, 17, asks=(LIST,))
def last_modified_of_all(stack: ExitStack) -> None:
    old = items.render

    def wrong(*given: Any, **named: Any) -> Any:
        answer = old(*given, **named)
        answer.headers["Last-Modified"] = _last_date()
        return answer

    swap(stack, items, "render", wrong)


@leak(13, asks=(OBJECTS,))
def etag_of_the_epoch(stack: ExitStack) -> None:
    old = taxii.raw

    def wrong(body: bytes, *, status: int = 200, headers: Any = None) -> Any:
        return old(body, status=status, headers={**(headers or {}), "ETag": f'"{INDEX.head}"'})

    swap(stack, taxii, "raw", wrong)


@leak(2, 16, asks=(SOME,))
def cursor_that_can_be_read(stack: ExitStack) -> None:
    # The page that follows begins behind the last visible line; a careless one holds where the log ends.
    swap(stack, cursors, "write", lambda *, position, reader, asked: f"{position:032d}{INDEX.head:032d}")


@leak(2, 17, asks=(OBJECTS,))
def total_in_a_header(stack: ExitStack) -> None:
    old = taxii.raw

    def wrong(body: bytes, *, status: int = 200, headers: Any = None) -> Any:
        return old(body, status=status, headers={**(headers or {}), "X-Total": str(LogEntry.objects.count())})

    swap(stack, taxii, "raw", wrong)


# -- hidden and absent -----------------------------------------------------------------------------------------------


@leak(1, asks=(get("/member/intel/{hidden}"),))
def forbidden_instead_of_not_found(stack: ExitStack) -> None:
    old = items._notice

    def wrong(request: Any, stix_id: str) -> Any:
        return HttpResponse(status=403) if _exists(stix_id) else old(request, stix_id)

    swap(stack, items, "_notice", wrong)


@leak(1, 26, asks=(machine("objects/{hidden}/"),))
def error_that_says_why(stack: ExitStack) -> None:
    old = taxii._require_visible

    def wrong(call: Any, collection: Any, object_id: str) -> None:
        try:
            old(call, collection, object_id)
        except TaxiiError:
            if _exists(object_id):
                raise TaxiiError(404, "Not found", "This key may not see this object.") from None
            raise

    swap(stack, taxii, "_require_visible", wrong)


@leak(1, asks=(get("/member/intel/{hidden}/why"), get("/member/intel/{hidden}")))
def page_that_is_a_byte_longer(stack: ExitStack) -> None:
    old = pages_of_errors.render

    def wrong(request: Any, *given: Any, **named: Any) -> Any:
        answer = old(request, *given, **named)
        if any(_exists(part) for part in request.path.split("/")):
            answer.content += b"\n"
        return answer

    swap(stack, pages_of_errors, "render", wrong)


@leak(22, asks=(get("/member/intel/{embargoed}"),))
def countdown_of_an_embargo(stack: ExitStack) -> None:
    old = pages_of_errors.render

    def wrong(request: Any, *given: Any, **named: Any) -> Any:
        answer = old(request, *given, **named)
        held = Version.objects.filter(
            item__stix_id__in=request.path.split("/"), submission__embargo__isnull=False
        ).first()
        if held is not None:
            answer.headers["Retry-After"] = held.submission.embargo.not_before.isoformat()
        return answer

    swap(stack, pages_of_errors, "render", wrong)


@leak(18, asks=(get("/member/intel/{recalled}"),))
def notice_of_a_recall_to_everybody(stack: ExitStack) -> None:
    swap(stack, receipts, "received_among", lambda *, subject, positions: set(positions))
    swap(stack, recipients, "_told", lambda recall, subject, at: True)


@leak(27, asks=(), costs=True)
def one_statement_more_for_what_exists(stack: ExitStack) -> None:
    old = queries.get_visible

    def wrong(*, stix_id: str, **asked: Any) -> Any:
        seen = old(stix_id=stix_id, **asked)
        if seen is None and _exists(stix_id):
            Receipt.objects.count()
        return seen

    swap(stack, items.queries, "get_visible", wrong)


@leak(
    12,
    34,
    asks=(get("/member/submissions/{submission}"), Ask("machine", "GET", "/taxii2/alliance/status/{submission}/")),
)
def result_of_anybodys_submission(stack: ExitStack) -> None:
    def wrong(*, subject: Any, number: Any = None, key: Any = None) -> Any:
        return Submission.objects.filter(pk=number).first() if number else None

    swap(stack, taxii.queries, "submission_of", wrong)
    swap(stack, submit.queries, "submission_of", wrong)


# -- what one brings -------------------------------------------------------------------------------------------------


@leak(14, asks=(Ask("machine", "POST", f"{ONE}objects/", body=b"{own_copy}"),))
def duplicate_of_somebody_elses(stack: ExitStack) -> None:
    old = taxii._message

    def wrong(row: Any) -> str:
        others = Item.objects.filter(stix_id=row["id"]).count() > 1
        return "duplicate" if others else old(row)

    swap(stack, taxii, "_message", wrong)


@leak(15, asks=(Ask("machine", "POST", f"{ONE}objects/", body=b"{own_reference}"),))
def reference_to_nothing_is_told(stack: ExitStack) -> None:
    old = taxii._message

    def wrong(row: Any) -> str:
        return old(row) or ("" if _exists(_named(row["id"])) else "unknown reference")

    swap(stack, taxii, "_message", wrong)


def _named(stix_id: str) -> str:
    row = Reference.objects.filter(version__item__stix_id=stix_id, property="target_ref").first()
    return row.target if row else json.loads(bytes(Version.objects.get(item__stix_id=stix_id).original))["target_ref"]


# -- beside an object ------------------------------------------------------------------------------------------------


@leak(5, 6, asks=(get("/member/intel/{spoken_of}"),))
def container_that_is_not_decided(stack: ExitStack) -> None:
    def wrong(references: Any, subject: Any, at: Any, request: Any) -> Any:
        holders = references.values("version_id")
        found = list(LogEntry.objects.filter(version_id__in=holders).values_list("position", flat=True))
        return queries._entries(found, queries.BitMap(found), bodies=True)

    swap(stack, queries, "_of_versions", wrong)
    swap(stack, queries, "_by_ids", _everything_of_these)


def _everything_of_these(ids: Any, subject: Any, at: Any, request: Any) -> Any:
    found = list(LogEntry.objects.filter(version__item__stix_id__in=list(ids)).values_list("position", flat=True))
    return queries._entries(found, queries.BitMap(found), bodies=True)


@leak(6, asks=(get("/member/intel/{naming}"),))
def title_of_what_is_named(stack: ExitStack) -> None:
    """The observer's own relation names something hidden: its title is fetched."""
    swap(stack, queries, "_by_ids", _everything_of_these)


@leak(20, asks=(get("/member/intel/{visible}"), get("/member/intel/{visible}/why")))
def exact_size_of_an_audience(stack: ExitStack) -> None:
    def wrong(*, label: Any, subject: Any, at: Any) -> int:
        return members_in_force(at=at).count()

    swap(stack, preview, "audience_size", wrong)


@leak(20, 32, asks=(get("/member/intel/{own}/why"),))
def exact_count_of_receipts(stack: ExitStack) -> None:
    old = recipients.of

    def wrong(*, version: Version, subject: Any, at: Any) -> Any:
        number = sum(1 for _ in receipts.received_by(version))
        return [replace(row, count=number) for row in old(version=version, subject=subject, at=at)]

    swap(stack, items.recipients, "of", wrong)


# -- mails, memory, quotas -------------------------------------------------------------------------------------------


@leak(11, 18, asks=(), jobs=True)
def mail_of_a_recall_to_everybody(stack: ExitStack) -> None:
    old = telling._of_recall

    def wrong(key: str, recall: Any) -> Any:
        act = old(key, recall)
        from lianfang.members.models import Membership

        members = Membership.objects.values_list("organization", flat=True)
        return replace(act, pairs=frozenset((one, one) for one in members))

    swap(stack, telling, "_of_recall", wrong)


@leak(13, asks=(OBJECTS,), others_first=True)
def page_kept_for_another_reader(stack: ExitStack) -> None:
    swap(stack, pages, "key", lambda kind, *, positions, named: (kind, b"", b""))


@leak(28, asks=(Ask("stranger", "POST", "/account/login/", (("login", "somebody@m2.example"), ("password", "wrong"))),))
def quota_that_all_share(stack: ExitStack) -> None:
    """Wrong passwords are counted over everybody: the sixth is told so, whoever typed the five before."""
    from lianfang.web import context

    old = context.Shell.switch

    def wrong(self: Any, name: str, value: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM web_cache")
            (counted,) = cursor.fetchone()
        return f"{old(self, name, value)}&left={max(500 - counted, 0)}"

    swap(stack, context.Shell, "switch", wrong)


__all__ = ["LEAKS", "Leak"]
