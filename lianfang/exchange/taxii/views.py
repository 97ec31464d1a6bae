"""The endpoints of TAXII 2.1 (§4, §5) over what the policy lets this key have."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse

from lianfang.exchange import reach
from lianfang.exchange.actions import recall_versions
from lianfang.exchange.moment import Moved
from lianfang.exchange.queries import write_form
from lianfang.exchange.taxii import cursors, filters, instants, opening, pages
from lianfang.exchange.taxii.collections import Collection, can_read, can_write, find, offered, resource
from lianfang.exchange.taxii.endpoint import Call, body_of, endpoint, raw, reply
from lianfang.exchange.taxii.errors import TaxiiError, not_found
from lianfang.exchange.taxii.media import STIX, TAXII, is_body
from lianfang.intel import intake, queries, receipts
from lianfang.intel.confirm import confirm
from lianfang.intel.definitions import PURPOSE
from lianfang.intel.models import Submission, Version
from lianfang.intel.positions import Versions
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Channel, Request, Right

Items = Sequence[queries.Found | opening.Placed]

ROOT = "/taxii2/alliance/"
_FIRST, _LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
_TERMS = f"{PURPOSE.zh} {PURPOSE.en}"
_MATCH_ALL = ("match[id]", "match[type]", "match[version]", "match[spec_version]")
_MATCH_ONE = ("match[version]", "match[spec_version]")


def _discovery(_call: Call) -> HttpResponse:
    root = settings.BASE_URL + ROOT
    return reply({"title": "Lianfang 聯防", "description": _TERMS, "default": root, "api_roots": [root]})


def _api_root(_call: Call) -> HttpResponse:
    return reply(
        {"title": "Alliance", "description": _TERMS, "versions": [TAXII], "max_content_length": settings.MAX_BODY}
    )


def _collections(call: Call) -> HttpResponse:
    listed = [resource(one, call.subject) for one in offered(call.subject)]
    return reply({"collections": listed} if listed else {})


def _collection(call: Call, collection: str) -> HttpResponse:
    return reply(resource(_known(call, collection), call.subject))


def _objects(call: Call, collection: str) -> HttpResponse:
    found = _readable(call, collection)
    return _page(call, found, filters.read(_query(call), allowed=_MATCH_ALL), _envelope)


def _object(call: Call, collection: str, object_id: str) -> HttpResponse:
    found = _readable(call, collection)
    asked = filters.read(_query(call), allowed=_MATCH_ONE, ids=frozenset({object_id}))
    _require_visible(call, found, object_id)
    return _page(call, found, asked, _envelope)


def _manifest(call: Call, collection: str) -> HttpResponse:
    found = _readable(call, collection)
    return _page(call, found, filters.read(_query(call), allowed=_MATCH_ALL), _records)


def _versions(call: Call, collection: str, object_id: str) -> HttpResponse:
    found = _readable(call, collection)
    asked = filters.read(_query(call), allowed=("match[spec_version]",), ids=frozenset({object_id}))
    _require_visible(call, found, object_id)
    every = filters.Asked(
        asked.added_after,
        asked.limit,
        asked.next,
        queries.Filters(
            ids=asked.filters.ids,
            versions=frozenset({Versions.ALL}),
            spec_versions=asked.filters.spec_versions,
        ),
        asked.bound,
    )
    return _page(call, found, every, _version_list)


def _add(call: Call, collection: str) -> HttpResponse:
    found = _known(call, collection)
    if not can_write(found, call.subject):
        raise TaxiiError(403, "Forbidden", "This key may not add to this collection.")
    if not is_body(call.http.headers.get("Content-Type")):
        raise TaxiiError(415, "Unsupported media type", f"Send {TAXII}.")
    if call.http.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise TaxiiError(415, "Unsupported media type", "Send the body uncompressed.")
    body = body_of(call.http)
    try:
        submission = intake.submit(
            by=call.subject,
            at=call.at,
            body=body,
            form=write_form(call.subject, found),
            channel=Channel.TAXII,
            request=call.asked(found.id),
        )
    except Refusal as refusal:
        raise _refused(refusal) from None
    return reply(_status_of(submission), status=202)


def _delete(call: Call, collection: str, object_id: str) -> HttpResponse:
    """DELETE is a recall; what is answered first depends on rights alone (TAXII 2.1 §5.7), never on the object.

    It reaches what the collection shows this key of its own organisation's items; all else is absent. The stop of
    disclosure holds nothing back from a recall.
    """
    found = _known(call, collection)
    reads, writes = can_read(found, call.subject), can_write(found, call.subject)
    if not reads and not writes:
        raise not_found()
    if not (reads and writes and _holds(call, Right.RECALL)):
        raise TaxiiError(403, "Forbidden", "This key may not recall.")
    asked = filters.read(_query(call), allowed=_MATCH_ONE)
    request = replace(call.asked(found.id), stop=False)
    try:
        gone = recall_versions(
            by=call.subject,
            at=call.at,
            stix_id=object_id,
            request=request,
            part=found.part,
            chosen=lambda standing: _chosen(standing, asked),
        )
    except Refusal as refusal:
        raise TaxiiError(403, "Forbidden", _words(refusal)) from None
    if not gone:
        raise not_found()
    return raw(b"{}")


def _chosen(standing: list[Version], asked: filters.Asked) -> list[Version]:
    """Without match[version] a DELETE means every version (§5.7: a following GET is a 404)."""
    spec = asked.filters.spec_versions
    if not standing or (spec is not None and "2.1" not in spec):
        return []
    if "match[version]" not in asked.bound or Versions.ALL in asked.filters.versions:
        return standing
    ends = {Versions.FIRST: standing[0], Versions.LAST: standing[-1]}
    named = {ends[word].pk for word in asked.filters.versions}
    return [one for one in standing if one.pk in named or one.modified in asked.filters.instants]


def _status(call: Call, status_id: str) -> HttpResponse:
    try:
        number = uuid.UUID(status_id)
    except ValueError:
        raise not_found() from None
    submission = queries.submission_of(subject=call.subject, number=number)
    if submission is None:
        raise not_found()
    return reply(_status_of(submission))


def _elsewhere(_call: Call, **_path: str | None) -> HttpResponse:
    raise not_found()


# -- pages -----------------------------------------------------------------------------------------------------------


def _page(call: Call, collection: Collection, asked: filters.Asked, write: Writer) -> HttpResponse:
    """Return one page, with its receipt written before it leaves."""
    reader = f"{call.subject.token} {collection.id} {write.__name__}"
    after, passed = 0, 0
    if asked.next is not None:
        place = cursors.read(asked.next, reader=reader, asked=asked.bound)
        if place is None:
            raise TaxiiError(400, "Bad request", "next is not one of ours, or belongs to other filters.")
        after, passed = opening.split(place)
    ahead = opening.following(added_after=asked.added_after, after_place=passed, filters=asked.filters)
    first = ahead[: asked.limit]
    request = call.asked(collection.id)
    turn = queries.turn(
        subject=call.subject,
        at=call.at,
        request=request,
        after_position=after,
        added_after=asked.added_after,
        limit=asked.limit - len(first),
        filters=asked.filters,
        epoch=call.moment.epoch,
        part=collection.part,
    )
    made = _made(turn, write) if turn.positions else None
    reach.note(subject=call.subject, view=collection.id, moment=call.moment)
    _receipt(call, request, turn)
    if first:
        made = _opened(first, made, write)
    if made is None:
        empty = instants.write(asked.added_after or instants.EPOCH)
        return raw(b"{}", headers={_FIRST: empty, _LAST: empty})
    more = b'"more":false'
    if turn.more or len(ahead) > len(first):
        place = turn.positions.max() if turn.positions else first[-1].place
        more = b'"more":true,"next":"%s"' % cursors.write(position=place, reader=reader, asked=asked.bound).encode()
    listed = b'"%s":[%s]' % (_LISTS[write], made.listed)
    return raw(b"{%s,%s}" % (more, listed), headers={_FIRST: made.first, _LAST: made.last})


def _opened(first: Sequence[opening.Placed], made: pages.Made | None, write: Writer) -> pages.Made:
    """Return a page that begins with what every collection begins with."""
    own, dates = write(first), [instants.write(one.date_added) for one in first]
    if made is None:
        return pages.Made(own, dates[0], dates[-1])
    return pages.Made(own + b"," + made.listed, dates[0], made.last)


def _made(turn: queries.Turn, write: Writer) -> pages.Made:
    """Return the list of a page, from memory where this very one was made before."""
    key = pages.key(write.__name__, positions=turn.positions, named=turn.named)
    under = (turn.policy, turn.life)
    made = pages.PAGES.take(key, under=under)
    if made is None:
        items = queries.read(turn, bodies=write is _envelope)
        first, last = (instants.write(item.date_added) for item in (items[0], items[-1]))
        made = pages.Made(write(items), first, last)
        pages.PAGES.put(key, made, under=under)
    return made


def _receipt(call: Call, request: Request, turn: queries.Turn) -> None:
    """Write the receipt of a page before it leaves. Raises Moved when the page was decided on what no longer holds."""
    # The subject was read under the epoch of the call: a page, or a receipt, under another one is another decision.
    epoch = call.moment.epoch
    if turn.policy != epoch.policy:
        raise Moved
    positions = turn.positions
    if call.moment.assumed:
        if not positions:
            raise Moved  # there is no receipt to confirm it with
        at = confirm(by=call.subject, request=request, positions=positions, epoch=epoch)
        call.hold(at=at, until=turn.valid_until)
    elif receipts.write(by=call.subject, request=request, positions=positions, at=call.at, policy=epoch.policy) is None:
        raise Moved


def _envelope(items: Items) -> bytes:
    return b",".join([item.body for item in items])


def _records(items: Items) -> bytes:
    return b",".join([
        b'{"id":%s,"date_added":"%s","version":"%s","media_type":"%s"}'
        % (_quoted(item.stix_id), instants.write(item.date_added).encode(), item.version.encode(), STIX.encode())
        for item in items
    ])  # fmt: skip


def _version_list(items: Items) -> bytes:
    return b",".join([b'"%s"' % item.version.encode() for item in items])


Writer = Callable[[Items], bytes]
_LISTS: dict[Writer, bytes] = {_envelope: b"objects", _records: b"objects", _version_list: b"versions"}


def _quoted(text: str) -> bytes:
    return b'"' + text.encode() + b'"'  # a STIX id that intake accepted needs no escaping


# -- rights and words ------------------------------------------------------------------------------------------------


def _known(call: Call, name: str) -> Collection:
    found = find(name)
    if found is None or found not in offered(call.subject):
        raise not_found()
    return found


def _readable(call: Call, name: str) -> Collection:
    found = _known(call, name)
    if not can_read(found, call.subject):
        raise TaxiiError(403, "Forbidden", "This key may not read this collection.")
    return found


def _require_visible(call: Call, collection: Collection, object_id: str) -> None:
    if opening.holds(object_id):
        return
    whole = queries.Filters(ids=frozenset({object_id}), versions=frozenset({Versions.ALL}))
    request = call.asked(collection.id)
    if not queries.count(subject=call.subject, at=call.at, request=request, filters=whole, part=collection.part):
        raise not_found()


def _holds(call: Call, right: Right) -> bool:
    return call.subject.caveats is not None and right in call.subject.caveats.rights


def _query(call: Call) -> str:
    return cast(str, call.http.META.get("QUERY_STRING", ""))


def _words(refusal: Refusal) -> str:
    return f"{refusal.reason.zh} {refusal.reason.en}"


_NO_ENVELOPE = frozenset({
    "json-no-objects", "json-not-object", "json-single", "json-too-long", "json-too-many", "json-too-many-values",
})  # fmt: skip


def _refused(refusal: Refusal) -> TaxiiError:
    """A body that is not JSON is a 400, one that is JSON but no envelope a 422; a missing right a 403."""
    if refusal.rule.startswith(("G-", "F-", "P-")):
        return TaxiiError(403, "Forbidden", _words(refusal))
    if refusal.rule.startswith("json-") and refusal.rule not in _NO_ENVELOPE:
        return TaxiiError(400, "Bad request", _words(refusal))
    return TaxiiError(422, "Cannot be processed", _words(refusal))


def _status_of(submission: Submission) -> dict[str, object]:
    """Return the standard's status resource (§4.3.1); lists are whole or absent."""
    won = [row for row in submission.results if row["outcome"] != intake.REFUSED]
    lost = [row for row in submission.results if row["outcome"] == intake.REFUSED]
    body: dict[str, object] = {
        "id": str(submission.pk),
        "status": "complete",
        "request_timestamp": instants.write(submission.received_at),
        "total_count": len(submission.results),
        "success_count": len(won),
        "failure_count": len(lost),
        "pending_count": 0,
    }
    if won:
        body["successes"] = [_detail(row) for row in won]
    if lost:
        body["failures"] = [_detail(row) for row in lost]
    return body


def _detail(row: dict[str, Any]) -> dict[str, object]:
    detail = {"id": row["id"] or "unknown", "version": row["version"] or instants.write(instants.EPOCH)}
    return {**detail, "message": message} if (message := _message(row)) else detail


def _message(row: dict[str, Any]) -> str:
    if "reason" in row:
        where = f"{row['field']}: " if row.get("field") else ""
        return f"{where}{row['reason']['zh']} {row['reason']['en']} ({row['rule']}, {row['clause']})"
    return "" if row["outcome"] == intake.ACCEPTED else str(row["outcome"])


discovery = endpoint(get=_discovery)
api_root = endpoint(get=_api_root)
status = endpoint(get=_status)
collection_list = endpoint(get=_collections)
collection = endpoint(get=_collection)
manifest = endpoint(get=_manifest, assuming=True)
objects = endpoint(get=_objects, post=_add, assuming=True)
object_ = endpoint(get=_object, delete=_delete)
versions = endpoint(get=_versions)
elsewhere = endpoint(get=_elsewhere, post=_elsewhere, put=_elsewhere, patch=_elsewhere, delete=_elsewhere)
