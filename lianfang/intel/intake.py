"""How intelligence comes in: one body, one label form, one transaction; a result for each object.

    split -> read -> schema and rules -> marking -> (transaction:) identity -> label -> containers -> served body
    -> rows by COPY -> lines of the exchange log under the late lock -> ledger entry

What is said about an object speaks of the submitter's own items alone: whether somebody else holds the same object
changes nothing that is answered here, nor how long it takes to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from lianfang.accounts.doors import require
from lianfang.accounts.models import Organization
from lianfang.audit.actions import action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.tags import Tag
from lianfang.intel import decode, log, markings, stix
from lianfang.intel.closure import Closure
from lianfang.intel.definitions import DEFINITIONS
from lianfang.intel.fold import folded
from lianfang.intel.labelling import LabelForm, last_change_of_standing
from lianfang.intel.models import Embargo, Submission, Version
from lianfang.intel.names import Namer, key_of, served_id
from lianfang.intel.patterns import Budget
from lianfang.intel.stix.batch import NEW, NEXT, SAME, Known, Versions
from lianfang.intel.stix.marks import WELL_KNOWN
from lianfang.intel.wake import index
from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest, new_id
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy import store
from lianfang.policy.facts import (
    Audience,
    Channel,
    Label,
    NameSource,
    NarrowedKind,
    NarrowedTo,
    Pair,
    Request,
    Right,
    Source,
    State,
    Subject,
    Tlp,
)

Json = dict[str, Any]

_LARGE = 1024 * 1024
_PATIENCE = 10
"""Seconds that a large body waits for another."""
_LARGE_BODIES = Lock()

ACCEPTED, NEW_VERSION, DUPLICATE, REFUSED = NEW, NEXT, SAME, "refused"
QUARANTINES = markings.QUARANTINES | {"names-itself", "names-by-reference"}
"""Findings for which a version waits in quarantine."""


@dataclass(slots=True)
class _Candidate:
    """One object on its way in."""

    place: int
    raw: bytes
    value: Json
    digest: bytes
    modified: datetime
    text: str
    created: datetime | None
    id: str
    named: list[tuple[str, str]]
    """(property, id) of everything that it names."""
    binds: list[str]
    """Ids that it is about, where it is a container."""
    marked: markings.Marked = field(default_factory=markings.Marked)
    outcome: str = ACCEPTED
    item: int = 0
    version: int = 0
    fresh_item: bool = False
    label: Label | None = None
    served: bytes | None = None
    findings: list[str] = field(default_factory=list)
    bound: list[int] = field(default_factory=list)
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    """The last version that the source holds of one of its own items."""

    item: int
    version: int
    created: datetime | None
    created_by_ref: str
    modified: datetime
    digest: bytes
    label: int
    revoked: bool
    shown: bool


def submit(
    *,
    by: Subject,
    at: datetime,
    body: bytes,
    form: LabelForm,
    channel: Channel,
    key: UUID | None = None,
    request: Request | None = None,
) -> Submission:
    """Take in one body and return what became of each object. The same key, or the same body by the same subject
    within a day, is the same submission. `request` says how it is asked for, where a key is limited to networks or
    collections.

    Raises Refusal when the subject may not submit, the form is not right, or the body as a whole cannot be read.
    """
    require(subject=by, right=Right.SUBMIT, at=at, request=request or Request(channel=channel))
    form.check(subject=by, at=at)
    whole = digest(body + canonical(form.as_json()))
    earlier = _earlier(by, key, whole, at)
    if earlier is not None:
        return earlier
    with _turn(body):
        candidates, refused = examine(body)
        submission = _accept(
            by=by,
            at=at,
            form=form,
            channel=channel,
            key=key or new_id(),
            whole=whole,
            candidates=candidates,
            refused=refused,
        )
    failpoint("intel.submit.after-commit")
    return submission


@contextmanager
def _turn(body: bytes) -> Iterator[None]:
    """Let one large body at a time be taken in by this process: read, it takes several times its length, and several
    at once take no less time.

    One that waited long goes on all the same: what is ahead may itself wait for a lock in the database.
    """
    ours = len(body) > _LARGE and _LARGE_BODIES.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if ours:
            _LARGE_BODIES.release()


def examine(body: bytes) -> tuple[list[_Candidate], list[Json]]:
    """Read and check every object by itself; return those that may come in, and the results of those that may not.

    Needs no database. Raises Refusal when the body as a whole cannot be read.
    """
    budget = Budget()
    candidates: list[_Candidate] = []
    refused: list[Json] = []
    for place, raw in enumerate(decode.split(body)):
        value: Json = {}
        try:
            value, fingerprint = decode.read(raw)
            stix.check(value, budget=budget)
        except Refusal as refusal:
            refused.append(_result(place, value, "", REFUSED, refusal))
            continue
        modified, text = stix.version_of(value)
        named = stix.references(value)
        candidates.append(
            _Candidate(
                place,
                raw,
                value,
                fingerprint,
                modified,
                text,
                created=stix.instant(value.get("created")),
                id=value["id"],
                named=named,
                binds=stix.bound_by(value, named),
            )
        )
    return candidates, refused


def _earlier(by: Subject, key: UUID | None, whole: bytes, at: datetime) -> Submission | None:
    from datetime import timedelta

    mine = Submission.objects.filter(person=by.person, token=by.token)
    if by.pair is not None:
        mine = mine.filter(organization=by.pair.organization, group=by.pair.group)
    if key is not None:
        return mine.filter(key=key).first()
    return mine.filter(digest=whole, received_at__gt=at - timedelta(days=1)).order_by("-received_at").first()


@action(Tag.INTEL_SUBMISSION_ACCEPT)
def _accept(
    *,
    by: Subject,
    at: datetime,
    form: LabelForm,
    channel: Channel,
    key: UUID,
    whole: bytes,
    candidates: list[_Candidate],
    refused: list[Json],
) -> Submission:
    pair = by.pair
    if pair is None or by.person is None:
        raise Refusal(
            Bilingual(zh="只有組織的人可以提交。", en="Only an organisation's people may submit."), rule="G-submit"
        )
    _lock_source(pair)
    again = _earlier(by, key, whole, at)
    if again is not None:
        record(by=by, at=at, about=again, tag=Tag.INTEL_SUBMISSION_REPEAT)
        return again
    batch = _Batch(by=by, pair=pair, at=at, form=form, candidates=candidates, refused=refused)
    batch.identify()
    batch.mark()
    batch.bind()
    batch.serve()
    taken = batch.taken
    results = sorted([*refused, *batch.results()], key=lambda result: result["place"])
    submission = Submission.objects.create(
        person_id=by.person,
        organization_id=pair.organization,
        group_id=pair.group,
        token=by.token,
        channel=channel.value,
        key=key,
        digest=whole,
        received_at=at,
        form=form.as_json(),
        results=results,
    )
    batch.write(submission)
    if form.not_before is not None and form.not_before > at and taken:
        Embargo.objects.create(submission=submission, not_before=form.not_before)
    record(
        by=by,
        at=at,
        about=submission,
        detail={
            "objects": len(results),
            "accepted": len(taken),
            "refused": sum(1 for result in results if result["outcome"] == REFUSED),
            "quarantined": sum(1 for each in taken if each.label is not None and each.label.state is State.QUARANTINED),
            "body": whole.hex(),
            "channel": channel.value,
        },
    )
    log.append(batch.lines())
    failpoint("intel.submit.before-commit")
    transaction.on_commit(lambda: index(submission.pk))
    return submission


def _lock_source(pair: Pair) -> None:
    """One submission of a source at a time: what it holds stands still while identity is looked up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"intel:{pair.organization}/{pair.group}"]
        )


@dataclass(slots=True)
class _Batch:
    """The objects of one submission, and what their source holds already."""

    by: Subject
    pair: Pair
    at: datetime
    form: LabelForm
    candidates: list[_Candidate]
    refused: list[Json]
    held: dict[str, _Held] = field(default_factory=dict)
    labels: dict[int, Label] = field(default_factory=dict)
    interned: dict[int, tuple[Label, int]] = field(default_factory=dict)
    """By identity of the label object, which costs nothing to compare; the label keeps its identity its own."""
    bare: dict[int, tuple[Label, Label]] = field(default_factory=dict)
    stripped: dict[int, Label] = field(default_factory=dict)
    """Labels without what they require, by identity."""
    requiring: dict[tuple[int, frozenset[Label]], tuple[Label, Label]] = field(default_factory=dict)
    """Labels of containers by identity of their own label, and what they require; likewise with the label beside."""
    made: dict[tuple[markings.Marked, int | None, bool], tuple[Label, tuple[str, ...]]] = field(default_factory=dict)
    same: dict[Label, Label] = field(default_factory=dict)
    creators: frozenset[str] = frozenset()

    @property
    def taken(self) -> list[_Candidate]:
        """Those that become versions, in the producer's order."""
        return [each for each in self.candidates if each.outcome in (ACCEPTED, NEW_VERSION)]

    # -- identity ----------------------------------------------------------------------------------------------------

    def identify(self) -> None:
        """Say of each what it is to this source: new, a new version, a duplicate, or something that cannot be."""
        wanted = {each.id for each in self.candidates}
        for each in self.candidates:
            wanted.update(each.binds)
        if self.form.hides_name:
            self.creators = frozenset(
                ref for each in self.candidates if isinstance(ref := each.value.get("created_by_ref"), str)
            )
            for each in self.candidates:
                wanted.update(ref for _, ref in each.named)
        self.held = self._held(wanted)
        self.labels = store.labels({held.label for held in self.held.values()})
        versions = Versions(
            {
                stix_id: Known(
                    held.created, held.created_by_ref, held.modified, held.modified if held.revoked else None
                )
                for stix_id, held in self.held.items()
            },
            self._exact(),
        )
        for each in self.candidates:
            try:
                each.outcome = versions.add(
                    stix_id=each.id,
                    modified=each.modified,
                    digest=each.digest,
                    created=each.created,
                    creator=each.value.get("created_by_ref", ""),
                    revoked=each.value.get("revoked") is True,
                )
            except Refusal as refusal:
                each.outcome, each.refusal = REFUSED, refusal

    def _held(self, wanted: Iterable[str]) -> dict[str, _Held]:
        with connection.cursor() as cursor:
            cursor.execute(_HELD, [list(wanted), self.pair.organization, self.pair.group])
            return {
                row[0]: _Held(row[1], row[2], row[3], row[4], row[5], bytes(row[6]), row[7], row[8], row[9])
                for row in cursor
            }

    def _exact(self) -> dict[tuple[str, datetime], bytes]:
        """(id, modified) -> digest of every version held of the ids that came."""
        items = {self.held[each.id].item: each.id for each in self.candidates if each.id in self.held}
        rows = Version.objects.filter(item__in=list(items)).values_list("item_id", "modified", "digest")
        return {(items[item], modified): bytes(fingerprint) for item, modified, fingerprint in rows}

    # -- label -------------------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """Give each its label, without what it requires."""
        definitions = {stix_id: markings.definition(marking) for stix_id, marking in self._definitions().items()}
        base = self._base()
        for each in self.taken:
            try:
                each.marked = markings.marked(each.value, definitions)
                if each.value["type"] == "marking-definition":
                    each.marked = _joined(each.marked, markings.own(each.value))
                each.label = self._labelled(each, base)
            except Refusal as refusal:
                each.outcome, each.refusal = REFUSED, refusal

    def _base(self) -> Label:
        return Label(
            sources=frozenset({Source(pair=self.pair)}),
            submitted_by=self.by.person,
            owner=self.pair,
            tlp=markings.DEFAULT,
            audience=Audience.coordinator_only(),
            # Only gaps of membership look at this, and no gap begins or ends between two changes of standing: so the
            # last change says exactly as much as the instant itself, and labels stay few.
            shared_at=last_change_of_standing(self.at),
            upstream=self.form.upstream,
            named_analysts=self.form.named_analysts,
            not_before=self.form.not_before if self.form.not_before and self.form.not_before > self.at else None,
            name_source=self.form.name_source,
        )

    def _labelled(self, each: _Candidate, base: Label) -> Label:
        before = self.held.get(each.id)
        key = (each.marked, before.label if before is not None else None, each.id in self.creators)
        if key not in self.made:
            self.made[key] = self._label(each, base, self.labels[before.label] if before is not None else None)
        label, findings = self.made[key]
        each.findings.extend(findings)
        return label

    def _label(self, each: _Candidate, base: Label, earlier: Label | None) -> tuple[Label, tuple[str, ...]]:
        resolved = markings.resolve(
            marked=each.marked,
            form_tlp=self.form.tlp,
            audience=self.form.audience,
            predecessor=(earlier.tlp, earlier.audience) if earlier is not None else None,
            by_token=self.by.token is not None,
        )
        findings, audience = resolved.findings, resolved.audience
        if each.id in self.creators:
            findings = (*findings, "creator-kept-back")
            audience = Audience.coordinator_only() if resolved.tlp < Tlp.RED else Audience.persons()
        label = replace(
            base,
            tlp=resolved.tlp,
            audience=audience,
            pap=resolved.pap,
            state=State.QUARANTINED if resolved.quarantined else State.PUBLISHED,
            once_above_amber=earlier is not None and (earlier.once_above_amber or earlier.tlp > Tlp.AMBER),
        )
        return label, findings

    def _definitions(self) -> dict[str, Json]:
        """The marking definitions that came along, else those that everybody has, or the same source brought before."""
        came = {one.id: one.value for one in DEFINITIONS}
        came |= {each.id: each.value for each in self.candidates if each.value["type"] == "marking-definition"}
        # A false definition of a known TLP was refused, and what it marks must not pass for what the id means: nobody
        # knows what its sender meant. The bare id speaks of no TLP, hence does not agree.
        came |= {row["id"]: {"id": row["id"]} for row in self.refused if row["id"] in WELL_KNOWN}
        named = {ref for each in self.taken for name, ref in each.named if "marking_ref" in name}
        missing = named - came.keys() - markings.KNOWN.keys()
        if missing:
            rows = Version.objects.filter(
                item__source_organization=self.pair.organization,
                item__source_group=self.pair.group,
                item__stix_id__in=missing,
            ).values_list("item__stix_id", "original")
            came |= {stix_id: orjson.loads(bytes(original)) for stix_id, original in rows}
        return came

    # -- containers --------------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Give numbers to the new rows, then let containers require what they bind of the same source."""
        taken = [each for each in self.taken if each.label is not None]
        self._number(taken)
        here = {each.id: each for each in sorted(taken, key=lambda each: each.modified)}
        for each in taken:
            refs = [ref for ref in each.binds if ref != each.id and ref not in self.creators]
            each.bound = [version for ref in refs if (version := self._version_of(ref, here))]
        # As they are now: what each is given to require stands beside it and is stripped again where others meet it.
        closure = Closure(lambda ref: self._further(ref, here), lambda ref: self._met(ref, here))
        for each in taken:
            if each.bound and each.label is not None:
                refs = [ref for ref in each.binds if ref not in self.creators]
                required = frozenset(self.stripped[number] for number in closure.reached(each.id, refs))
                each.label = self._requiring(each.label, required)

    def _requiring(self, label: Label, required: frozenset[Label]) -> Label:
        key = (id(label), required)
        if key not in self.requiring:
            self.requiring[key] = (label, self._once(log.with_requires(label, required)))
        return self.requiring[key][1]

    def _once(self, label: Label) -> Label:
        """Return the one object that stands for equal labels in this batch."""
        return self.same.setdefault(label, label)

    def _version_of(self, ref: str, here: Mapping[str, _Candidate]) -> int:
        if ref in here and (ref not in self.held or here[ref].modified > self.held[ref].modified):
            return here[ref].version
        return self.held[ref].version if ref in self.held else 0

    def _further(self, ref: str, here: Mapping[str, _Candidate]) -> list[str]:
        """What something that came along binds in its turn; of what is held, that stands in its label."""
        if ref in here and self._version_of(ref, here) == here[ref].version:
            return [further for further in here[ref].binds if further not in self.creators]
        return []

    def _met(self, ref: str, here: Mapping[str, _Candidate]) -> list[int]:
        """The labels that binding this brings along, as keys of `stripped`."""
        version = self._version_of(ref, here)
        if ref in here and version == here[ref].version:
            label = here[ref].label
            labels = [] if label is None else [label]
        elif version:
            held = self.labels[self.held[ref].label]
            labels = [held, *held.requires]
        else:
            labels = []
        found = []
        for label in labels:
            bare = self._once(self._bare(label))
            self.stripped[id(bare)] = bare
            found.append(id(bare))
        return found

    def _bare(self, label: Label) -> Label:
        """Return the label without what it requires, made once for each label object."""
        if not label.requires:
            return label
        if id(label) not in self.bare:
            self.bare[id(label)] = (label, replace(label, requires=frozenset()))
        return self.bare[id(label)][1]

    def _number(self, taken: Sequence[_Candidate]) -> None:
        fresh: dict[str, int] = {}
        new_items = list(dict.fromkeys(each.id for each in taken if each.id not in self.held))
        fresh = dict(zip(new_items, _numbers("intel_item_id_seq", len(new_items)), strict=True))
        versions = _numbers("intel_version_id_seq", len(taken))
        for each, version in zip(taken, versions, strict=True):
            each.version = version
            each.item = fresh.get(each.id) or self.held[each.id].item

    # -- served body -------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Where the source stays unnamed, make the body that others get, and quarantine what would name it."""
        if not self.form.hides_name:
            return
        organization = Organization.objects.get(pk=self.pair.organization)
        names = [folded(name) for name in (organization.name_zh, organization.name_en, organization.ubn) if name]
        namer = Namer(
            pair=self.pair,
            own={each.id for each in self.taken} | {ref for ref, held in self.held.items() if not held.shown},
            creators=self.creators,
            shown={ref for ref, held in self.held.items() if held.shown and stix.type_of(ref) not in stix.OBSERVABLES},
            names=names,
        )
        for each in self.taken:
            if each.label is None or each.id in self.creators:
                continue
            served = namer.serve(each.value)
            each.served = served.body
            each.findings.extend(served.findings)
            if QUARANTINES.intersection(served.findings):
                each.label = self._once(replace(each.label, state=State.QUARANTINED))

    # -- rows --------------------------------------------------------------------------------------------------------

    def write(self, submission: Submission) -> None:
        """Write items, versions and bindings by COPY."""
        taken = self.taken
        # Rows first: while a COPY is open, the connection takes no other statement.
        rows = [self._version_row(each, submission) for each in taken]
        fresh = {each.item: each for each in reversed(taken) if each.id not in self.held}
        key = key_of(self.pair) if self.form.hides_name else b""
        with connection.cursor() as cursor:
            with cursor.copy(_COPY_ITEM) as copy:
                copy.set_types(["int8", "uuid", "uuid", "text", "text", "text", "timestamptz", "text"])
                for item, each in fresh.items():
                    shown = served_id(key, each.id) if key else each.id
                    creator = each.value.get("created_by_ref", "")
                    source = (self.pair.organization, self.pair.group)
                    copy.write_row((item, *source, each.id, shown, each.value["type"], each.created, creator))
            with cursor.copy(_COPY_VERSION) as copy:
                copy.set_types(_VERSION_TYPES)
                for version in rows:
                    copy.write_row(version)
            bindings = [(each.version, bound) for each in taken for bound in each.bound]
            if bindings:
                with cursor.copy(_COPY_BINDING) as copy:
                    copy.set_types(["int8", "int8"])
                    for binding in bindings:
                        copy.write_row(binding)

    def _version_row(self, each: _Candidate, submission: Submission) -> tuple[Any, ...]:
        return (
            each.version,
            each.item,
            each.modified,
            each.text,
            each.digest,
            each.raw,
            each.served,
            each.value.get("revoked") is True,
            self._label_id(each.label),
            Jsonb(_ordered(each.findings), dumps=orjson.dumps),
            self.by.person,
            submission.pk,
            self.at,
        )

    def _label_id(self, label: Label | None) -> int:
        if label is None:
            raise ValueError("a version without a label")
        if id(label) not in self.interned:
            self.interned[id(label)] = (label, store.intern(label))
        return self.interned[id(label)][1]

    def lines(self) -> list[log.Line]:
        """The lines of the exchange log: under embargo for the source and named analysts alone."""
        narrowed: dict[int, Label | None] = {}
        for each in self.taken:
            label = each.label
            if label is not None and label.not_before is not None:
                label = replace(label, narrowed_to=NarrowedTo(NarrowedKind.SOURCE))
            narrowed.setdefault(id(each.label), label)
        return [
            log.Line(each.version, self._label_id(narrowed[id(each.label)]), each.value["type"], each.id)
            for each in self.taken
        ]

    def results(self) -> list[Json]:
        """One row an object, in the words of the submitter's own items."""
        return [
            _result(each.place, each.value, each.text, each.outcome, each.refusal, each.label, _ordered(each.findings))
            for each in self.candidates
        ]


# Each id is looked up by itself (OFFSET 0, as in `log`): a source that brought a million objects is not read through
# for the next thousand.
_HELD = """
SELECT i.stix_id, i.id, v.id, i.created, i.created_by_ref, v.modified, v.digest, v.label_id, v.revoked,
       i.served_id = i.stix_id
  FROM unnest(%s::text[]) AS w (stix_id),
       LATERAL (SELECT * FROM intel_item i WHERE i.source_organization_id = %s AND i.source_group_id = %s
                   AND i.stix_id = w.stix_id OFFSET 0) AS i,
       LATERAL (SELECT * FROM intel_version v WHERE v.item_id = i.id ORDER BY v.modified DESC LIMIT 1) AS v
"""
_COPY_ITEM = (
    "COPY intel_item (id, source_organization_id, source_group_id, stix_id, served_id, type, created, created_by_ref)"
    " FROM STDIN (FORMAT BINARY)"
)
_COPY_VERSION = (
    "COPY intel_version (id, item_id, modified, version, digest, original, served, revoked, label_id, findings,"
    " submitted_by_id, submission_id, accepted_at) FROM STDIN (FORMAT BINARY)"
)
_VERSION_TYPES = [
    "int8",
    "int8",
    "timestamptz",
    "text",
    "bytea",
    "bytea",
    "bytea",
    "bool",
    "int8",
    "jsonb",
    "uuid",
    "uuid",
    "timestamptz",
]
_COPY_BINDING = "COPY intel_binding (container_id, bound_id) FROM STDIN (FORMAT BINARY)"


def _numbers(sequence: str, count: int) -> list[int]:
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
        return [int(row[0]) for row in cursor]


def _joined(one: markings.Marked, other: markings.Marked) -> markings.Marked:
    tlps = [tlp for tlp in (one.tlp, other.tlp) if tlp is not None]
    return markings.Marked(max(tlps, default=None), one.pap, (*one.findings, *other.findings))


def _ordered(findings: Sequence[str]) -> list[str]:
    return [] if not findings else sorted(dict.fromkeys(findings), key=lambda code: (code not in QUARANTINES, code))


def _result(
    place: int,
    value: Json,
    version: str,
    outcome: str,
    refusal: Refusal | None,
    label: Label | None = None,
    findings: Sequence[str] = (),
) -> Json:
    stix_id = value.get("id")
    result: Json = {
        "place": place,
        "id": stix_id[:300] if isinstance(stix_id, str) else "",
        "version": version,
        "outcome": outcome,
        "name": _title(value),
    }
    if refusal is not None:
        result |= {"rule": refusal.rule, "field": refusal.field, "clause": refusal.clause}
        result |= {"reason": {"zh": refusal.reason.zh, "en": refusal.reason.en}}
    if label is not None and outcome in (ACCEPTED, NEW_VERSION):
        result |= {"tlp": label.tlp.label, "state": label.state.value, "findings": list(findings)}
    return result


def _title(value: Json) -> str:
    for name in ("name", "value", "abstract", "opinion", "relationship_type", "pattern"):
        if isinstance(value.get(name), str):
            return str(value[name])[:120].replace("\0", "")
    return ""


__all__ = [
    "ACCEPTED",
    "DUPLICATE",
    "NEW_VERSION",
    "QUARANTINES",
    "REFUSED",
    "LabelForm",
    "NameSource",
    "examine",
    "submit",
]
