"""Reading the ledger: pages of entries in words, one entry with its proof, the state of the tree."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max, Q, QuerySet
from django.urls import reverse

from lianfang.audit import people, sequencer
from lianfang.audit.leaves import content
from lianfang.audit.models import Checkpoint, Entry, Leaf, Verification
from lianfang.audit.tags import Tag
from lianfang.audit.words import KINDS
from lianfang.kernel.merkle import consistency_proof, inclusion_proof, verify_inclusion
from lianfang.kernel.text import Bilingual

PAGE = 50
_TAGS = {tag.value: tag for tag in Tag}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What of the ledger is asked for; empty means all. The recorded instant lies in [since, until)."""

    tag: str = ""
    actor: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """An entry in words."""

    entry: Entry
    sentence: Bilingual
    actor: Bilingual
    acting_for: Bilingual | None
    about: Bilingual

    @property
    def actor_link(self) -> str:
        """Where all deeds of the same actor are listed."""
        return f"{reverse('audit')}?{urlencode({'actor': self.entry.actor})}"

    @property
    def about_link(self) -> str:
        """Where all entries about the same row are listed."""
        return f"{reverse('audit')}?{urlencode({'about': f'{self.entry.about_type}/{self.entry.about_id}'})}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first, with the keys by which the pages before and behind are asked for."""

    rows: list[Row]
    newer: int | None
    older: int | None


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is leaf `seq` of the signed tree."""

    leaf: Leaf
    checkpoint: Checkpoint
    path: list[bytes]

    @property
    def holds(self) -> bool:
        """Whether the path leads from the leaf to the signed root."""
        return verify_inclusion(
            leaf=bytes(self.leaf.hash),
            index=self.leaf.seq,
            size=self.checkpoint.size,
            proof=self.path,
            root=bytes(self.checkpoint.root),
        )


@dataclass(frozen=True, slots=True)
class Status:
    """Where the tree stands."""

    size: int
    unnumbered: int
    checkpoint: Checkpoint | None
    verification: Verification | None


def page(*, filters: Filters, before: int | None = None, after: int | None = None) -> Page:
    """Return up to 50 entries: the newest, those older than `before`, or those just newer than `after` (entry ids)."""
    wanted = _filtered(filters)
    if after is not None:
        found = list(wanted.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        more_newer, found = len(found) > PAGE, found[:PAGE][::-1]
        more_older = bool(found) and wanted.filter(pk__lt=found[-1].pk).exists()
    else:
        bounded = wanted if before is None else wanted.filter(pk__lt=before)
        found = list(bounded.order_by("-pk")[: PAGE + 1])
        more_older, found = len(found) > PAGE, found[:PAGE]
        more_newer = before is not None and bool(found) and wanted.filter(pk__gt=found[0].pk).exists()
    return Page(
        rows=in_words(found),
        newer=found[0].pk if found and more_newer else None,
        older=found[-1].pk if found and more_older else None,
    )


def in_words(entries: Sequence[Entry]) -> list[Row]:
    """Return entries with the words and names that belong to them."""
    names = people.names_of([entry.actor for entry in entries], [entry.acting_for for entry in entries])
    return [
        Row(
            entry=entry,
            sentence=sentence(entry.tag),
            actor=names[entry.actor],
            acting_for=names.get(entry.acting_for),
            about=about(entry),
        )
        for entry in entries
    ]


def sentence(tag: str) -> Bilingual:
    """Return what a tag says; a tag of a later release says itself."""
    known = _TAGS.get(tag)
    return known.words if known else Bilingual(zh=tag, en=tag)


def about(entry: Entry) -> Bilingual:
    """Return what an entry is about: the kind of thing, and the beginning of its id."""
    kind = KINDS.get(entry.about_type, Bilingual(zh=entry.about_type, en=entry.about_type))
    short = entry.about_id if len(entry.about_id) <= 20 else entry.about_id[:8]
    return Bilingual(zh=f"{kind.zh}{short}", en=f"{kind.en} {short}")


def find(entry_id: int) -> Entry | None:
    """Return an entry."""
    return Entry.objects.filter(pk=entry_id).first()


def proof(entry: Entry) -> Proof | None:
    """Return the proof against the first checkpoint that holds the entry, None while there is none."""
    leaf = Leaf.objects.filter(entry=entry).first()
    if leaf is None:
        return None
    checkpoint = Checkpoint.objects.filter(size__gt=leaf.seq).order_by("size").first()
    if checkpoint is None:
        return None
    return Proof(leaf, checkpoint, inclusion_proof(leaf.seq, checkpoint.size, sequencer.stored_node))


def proofs(*, about: Collection[tuple[str, str]], at: datetime) -> dict[str, Any]:
    """Return the entries about these rows from before an instant, each with its proof, as a file can carry them.

    All proofs lead to one checkpoint, the last that was signed by then; an entry that is not under it yet has no
    place. The same instant gives the same answer, whatever was written since.
    """
    point = Checkpoint.objects.filter(at__lte=at).order_by("-at", "size").first()
    wanted = Q(pk__in=[])
    for kind, identity in sorted(set(about)):
        wanted |= Q(about_type=kind, about_id=identity)
    entries = list(Entry.objects.filter(wanted, happened_at__lt=at).order_by("pk"))
    leaves = {leaf.entry_id: leaf for leaf in Leaf.objects.filter(entry__in=entries)}
    known: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        if (level, index) not in known:
            known[level, index] = sequencer.stored_node(level, index)
        return known[level, index]

    listed = []
    for entry in entries:
        leaf = leaves.get(entry.pk)
        inside = point is not None and leaf is not None and leaf.seq < point.size
        path = inclusion_proof(leaf.seq, point.size, node) if inside and leaf and point else []
        listed.append(
            {
                "entry": content(entry),
                "seq": leaf.seq if inside and leaf else None,
                "path": [part.hex() for part in path],
                "zh": sentence(entry.tag).zh,
                "en": sentence(entry.tag).in_language("en"),
            }
        )
    return {"checkpoint": point.note if point else "", "entries": listed}


def consistency(*, old: int) -> tuple[Checkpoint, list[bytes]] | None:
    """Return the newest checkpoint with the proof that it continues the tree of `old` leaves.

    None when there is no checkpoint or `old` is not between 1 and its size.
    """
    newest = latest_checkpoint()
    if newest is None or not 0 < old <= newest.size:
        return None
    return newest, consistency_proof(old, newest.size, sequencer.stored_node)


def latest_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint."""
    return Checkpoint.objects.order_by("-size").first()


def status() -> Status:
    """Return where the tree stands and what the last verification found."""
    size = sequencer.tree_size()
    newest = Leaf.objects.filter(seq=size - 1).aggregate(entry=Max("entry_id"))["entry"] or 0
    waiting = Entry.objects.filter(leaf__isnull=True, pk__gt=newest - 1000).count()
    return Status(size, waiting, latest_checkpoint(), Verification.objects.order_by("-pk").first())


def problems(verification: Verification | None) -> list[dict[str, Any]]:
    """Return what a verification found, with `words` in both languages, what bounds the first bad entry first."""
    found = verification.problems if verification is not None else []
    return [{**problem, "words": Bilingual(zh=problem["zh"], en=problem["en"])} for problem in found]


def open_fault() -> Verification | None:
    """Return the newest fault that nobody has acknowledged; every page of staff shows it."""
    return Verification.objects.filter(ok=False, acknowledged_at__isnull=True).order_by("-pk").first()


def waiting_fault(verification_id: int) -> Verification | None:
    """Return a fault that waits to be acknowledged."""
    return Verification.objects.filter(pk=verification_id, ok=False, acknowledged_at__isnull=True).first()


def acknowledged_by(verification: Verification | None) -> Bilingual | None:
    """Return the name of whoever took note of what a verification found."""
    if verification is None or not verification.acknowledged_by:
        return None
    return people.names_of([verification.acknowledged_by], [])[verification.acknowledged_by]


def _filtered(filters: Filters) -> QuerySet[Entry]:
    wanted: dict[str, Any] = {"tag": filters.tag, "actor": filters.actor, "at__gte": filters.since}
    wanted |= {"at__lt": filters.until}
    kind, separator, identity = filters.about.partition("/")
    wanted |= {"about_type": kind, "about_id": identity} if separator else {"about_id": filters.about}
    return Entry.objects.filter(**{name: value for name, value in wanted.items() if value})
