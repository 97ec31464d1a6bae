"""Labels as JSON and back, without loss.

The JSON is canonical (sets sorted, instants in UTC), so that equal labels have equal digests. Names of fields are
those of the facts; parts with their plain default are left out, so a new fact with a default keeps old digests.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from lianfang.kernel.canonical import canonical
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Label,
    Named,
    NameSource,
    NarrowedKind,
    NarrowedTo,
    Pair,
    Pap,
    Publication,
    Source,
    State,
    Tlp,
    Upstream,
    UpstreamKind,
)

Json = dict[str, Any]


def digest(facts: Json) -> bytes:
    """SHA-256 of the canonical form, 32 bytes."""
    return hashlib.sha256(canonical(facts)).digest()


def to_json(label: Label) -> Json:
    """The label as a JSON object. Raises ValueError for a naive datetime."""
    written: Json = {
        "sources": _sorted(_source(source) for source in label.sources),
        "submitted_by": _text(label.submitted_by),
        "owner": _pair(label.owner),
        "tlp": label.tlp.name,
        "pap": label.pap.name if label.pap is not None else None,
        "audience": _audience(label.audience),
        "shared_at": _instant(label.shared_at),
        "narrowed_to": _narrowed(label.narrowed_to),
        "requires": _sorted(to_json(required) for required in label.requires),
        "parents": _sorted(to_json(parent) for parent in label.parents),
        "upstream": _upstream(label.upstream),
        "named_analysts": _ids(label.named_analysts),
        "not_before": _instant(label.not_before),
        "state": label.state.value if label.state is not State.PUBLISHED else None,
        "publication": _publication(label.publication),
        "name_source": label.name_source.value if label.name_source is not NameSource.COORDINATOR else None,
        "relayed_by": _ids(label.relayed_by),
        "once_above_amber": label.once_above_amber or None,
        "cases": sorted(label.cases),
    }
    return _without_empty(written)


def from_json(facts: Json) -> Label:
    """The label that `to_json` wrote. Raises KeyError or ValueError for anything else."""
    return Label(
        sources=frozenset(_read_source(source) for source in facts["sources"]),
        submitted_by=_read_id(facts.get("submitted_by")),
        owner=_read_pair(facts.get("owner")),
        tlp=Tlp[facts["tlp"]],
        pap=Pap[facts["pap"]] if "pap" in facts else None,
        audience=_read_audience(facts["audience"]),
        shared_at=datetime.fromisoformat(facts["shared_at"]),
        narrowed_to=_read_narrowed(facts.get("narrowed_to")),
        requires=frozenset(from_json(required) for required in facts.get("requires", ())),
        parents=frozenset(from_json(parent) for parent in facts.get("parents", ())),
        upstream=_read_upstream(facts.get("upstream")),
        named_analysts=_read_ids(facts.get("named_analysts")),
        not_before=_read_instant(facts.get("not_before")),
        state=State(facts.get("state", State.PUBLISHED)),
        publication=_read_publication(facts.get("publication")),
        name_source=NameSource(facts.get("name_source", NameSource.COORDINATOR)),
        relayed_by=_read_ids(facts.get("relayed_by")),
        once_above_amber=facts.get("once_above_amber", False),
        cases=frozenset(facts.get("cases", ())),
    )


def _without_empty(written: Json) -> Json:
    return {name: value for name, value in written.items() if value is not None and value != []}


def _sorted(objects: Any) -> list[Json]:
    return sorted(objects, key=canonical)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _ids(values: frozenset[UUID]) -> list[str]:
    return sorted(str(value) for value in values)


def _instant(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a label holds aware datetimes only")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _pair(pair: Pair | None) -> Json | None:
    return None if pair is None else {"organization": str(pair.organization), "group": str(pair.group)}


def _source(source: Source) -> Json:
    return {"external": source.external} if source.pair is None else {"pair": _pair(source.pair)}


def _audience(audience: Audience) -> Json:
    if audience.kind is AudienceKind.PERSONS:
        named = cast(frozenset[Named], audience.members)
        members: list[Any] = _sorted(
            {"person": str(one.person), "organization": str(one.organization)} for one in named
        )
    else:
        members = _ids(cast(frozenset[UUID], audience.members))
    return _without_empty({"kind": audience.kind.value, "members": members})


def _narrowed(narrowed: NarrowedTo) -> Json | None:
    if narrowed == NarrowedTo():
        return None
    written = {"kind": narrowed.kind.value, "id": _text(narrowed.id), "organization": _text(narrowed.organization)}
    return _without_empty(written)


def _upstream(upstream: Upstream) -> Json | None:
    if upstream == Upstream():
        return None
    return _without_empty(
        {
            "kind": upstream.kind.value,
            "groups": _ids(upstream.groups),
            "sharing_groups": _ids(upstream.sharing_groups),
            "until": _instant(upstream.until),
        }
    )


def _publication(publication: Publication | None) -> Json | None:
    if publication is None:
        return None
    return _without_empty({"start": _instant(publication.start), "until": _instant(publication.until)})


def _read_id(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


def _read_ids(values: list[str] | None) -> frozenset[UUID]:
    return frozenset(UUID(value) for value in values or ())


def _read_instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _read_pair(pair: Json | None) -> Pair | None:
    return None if pair is None else Pair(UUID(pair["organization"]), UUID(pair["group"]))


def _read_source(source: Json) -> Source:
    return Source(pair=_read_pair(source.get("pair")), external=source.get("external"))


def _read_audience(audience: Json) -> Audience:
    kind, members = AudienceKind(audience["kind"]), audience.get("members", [])
    if kind is AudienceKind.PERSONS:
        return Audience.persons(*(Named(UUID(one["person"]), UUID(one["organization"])) for one in members))
    return Audience(kind, _read_ids(members))


def _read_narrowed(narrowed: Json | None) -> NarrowedTo:
    if narrowed is None:
        return NarrowedTo()
    return NarrowedTo(
        NarrowedKind(narrowed["kind"]), _read_id(narrowed.get("id")), _read_id(narrowed.get("organization"))
    )


def _read_upstream(upstream: Json | None) -> Upstream:
    if upstream is None:
        return Upstream()
    return Upstream(
        UpstreamKind(upstream["kind"]),
        _read_ids(upstream.get("groups")),
        _read_ids(upstream.get("sharing_groups")),
        _read_instant(upstream.get("until")),
    )


def _read_publication(publication: Json | None) -> Publication | None:
    if publication is None:
        return None
    return Publication(datetime.fromisoformat(publication["start"]), _read_instant(publication.get("until")))
