"""Schedules: writers and pagers in one order after another, beside a plain account of who may see what at each moment.

The account is kept by what was done, not by asking the product: audience, label, embargo and recall of each version.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lianfang.intel import actions as intelligence
from lianfang.intel import intake, log
from lianfang.intel.definitions import IDS
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Version
from lianfang.policy.facts import Audience, Channel, NameSource, Tlp
from tests.exchange.stage import Machine, Stage, indicator
from tests.world import Actor

LEVELS = (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT)
Key = tuple[str, str]
"""STIX id and `modified`: one version."""


@dataclass
class Known:
    """One version as the account has it."""

    id: str
    modified: str
    owner: str
    tlp: Tlp
    open_to_all: bool
    until: datetime | None = None
    """End of its embargo, while nobody has opened it."""
    recalled: bool = False
    first_tlp: Tlp = Tlp.CLEAR
    """Under which it came."""
    above: bool = False
    """It was above AMBER at some time, or the version before it when it came: constituents get it item by item only."""

    def __post_init__(self) -> None:
        self.first_tlp = self.tlp

    @property
    def key(self) -> Key:
        return self.id, self.modified


@dataclass(frozen=True)
class Reader:
    """Who asks: its organisation, and the strictest label that it gets of what others share."""

    name: str
    machine: Machine
    organization: str
    most: Tlp
    cap: Tlp = Tlp.AMBER_STRICT
    """Of its key, which limits its own items too."""
    constituent: bool = False

    def sees(self, one: Known) -> bool:
        if one.recalled or one.tlp > self.cap:
            return False
        if one.owner == self.organization:
            return True
        held_back = self.constituent and one.above
        return one.open_to_all and one.until is None and one.tlp <= self.most and not held_back


@dataclass(frozen=True)
class View:
    """A collection, and what of all that a reader sees it shows."""

    alias: str
    tlp: Tlp | None = None
    mine: bool = False

    def shows(self, one: Known, reader: Reader) -> bool:
        return (self.tlp is None or one.tlp is self.tlp) and (not self.mine or one.owner == reader.organization)


VIEWS = (
    View("all"), View("all"), View("mine", mine=True), View("clear", Tlp.CLEAR), View("green", Tlp.GREEN),
    View("green", Tlp.GREEN), View("amber", Tlp.AMBER), View("amber", Tlp.AMBER),
    View("amber-strict", Tlp.AMBER_STRICT), View("amber-strict", Tlp.AMBER_STRICT),
)  # fmt: skip


@dataclass
class Account:
    """Every version of a schedule, in the order in which they came."""

    versions: list[Known] = field(default_factory=list)

    def shown(self, view: View, reader: Reader) -> set[Key]:
        """What the collection holds for this reader now: of each object the last version that it shows."""
        last: dict[str, Known] = {}
        for one in sorted(self.versions, key=lambda one: one.modified):
            if reader.sees(one) and view.shows(one, reader):
                last[one.id] = one
        return {one.key for one in last.values()}


@dataclass
class Writer:
    """A person who shares, and changes what its organisation shared."""

    name: str
    owner: str
    actor: Actor
    account: Account
    rng: random.Random

    def act(self) -> str:
        """Do one thing and put it into the account."""
        own = [one for one in self.account.versions if one.owner == self.owner and not one.recalled]
        deed = self.rng.choices(
            ("share", "version", "tighten", "recall", "open"), weights=(5, 3, 6, 3, 2) if own else (1, 0, 0, 0, 0)
        )[0]
        getattr(self, f"_{deed}")(own)
        return deed

    def _share(self, _own: list[Known]) -> None:
        self._submit([indicator(number)["id"] for number in range(self.rng.randint(1, 3))], "2026-11-01T00:00:00.000Z")

    def _version(self, own: list[Known]) -> None:
        one = self.rng.choice(own)
        newest = max(each.modified for each in self.account.versions if each.id == one.id)
        later = datetime.fromisoformat(newest) + timedelta(days=1)
        self._submit([one.id], later.strftime("%Y-%m-%dT%H:%M:%S.000Z"))

    def _submit(self, ids: list[str], modified: str) -> None:
        tlp = self.rng.choices(LEVELS, weights=(2, 4, 3, 1))[0]
        open_to_all = self.rng.random() < 0.8
        embargo = self.rng.choices((None, timedelta(milliseconds=15), timedelta(days=1)), weights=(6, 2, 1))[0]
        at = datetime.now(UTC)
        form = LabelForm(
            tlp=tlp,
            audience=Audience.alliance() if open_to_all else Audience.coordinator_only(),
            name_source=NameSource.EVERYONE,
            not_before=at + embargo if embargo else None,
        )
        objects = [
            {name: value for name, value in indicator().items() if name != "object_marking_refs"}
            | {"id": stix_id, "modified": modified}
            for stix_id in ids
        ]
        body = json.dumps({"objects": objects}).encode()
        # First into the account: what nobody has yet can only be seen once it is there.
        fresh = [Known(stix_id, modified, self.owner, tlp, open_to_all, form.not_before) for stix_id in ids]
        for one in fresh:
            # Of the version before it alone: an older one that was tightened since says nothing of what follows.
            held = [each for each in self.account.versions if each.id == one.id]
            before = max(held, key=lambda each: each.modified, default=None)
            one.above = before is not None and (before.above or before.tlp > Tlp.AMBER)
        self.account.versions += fresh
        made = intake.submit(by=self.actor.subject(at), at=at, body=body, form=form, channel=Channel.PAGE)
        assert all(row["outcome"] != intake.REFUSED for row in made.results), made.results

    def _tighten(self, own: list[Known]) -> None:
        below = [one for one in own if one.tlp < Tlp.RED]
        if not below:
            return self._share(own)
        one = self.rng.choice(below)
        stricter = self.rng.choice([tlp for tlp in Tlp if tlp > one.tlp])
        at = datetime.now(UTC)
        intelligence.tighten(by=self.actor.subject(at), at=at, version=_stored(one), tlp=stricter)
        one.above = one.above or one.tlp > Tlp.AMBER or stricter > Tlp.AMBER
        one.tlp = stricter
        return None

    def _recall(self, own: list[Known]) -> None:
        one = self.rng.choice(own)
        at = datetime.now(UTC)
        intelligence.recall(by=self.actor.subject(at), at=at, version=_stored(one), reason="誤報")
        one.recalled = True

    def _open(self, _own: list[Known]) -> None:
        open_embargoes(self.account)


def open_embargoes(account: Account) -> None:
    """Wait for the short embargoes and open them, as the worker does."""
    short = [one for one in account.versions if one.until and one.until < datetime.now(UTC) + timedelta(hours=1)]
    if not short:
        return
    last = max(one.until for one in short if one.until)
    time.sleep(max(0.0, (last - datetime.now(UTC)).total_seconds()) + 0.001)
    intelligence.open_due_embargoes(at=datetime.now(UTC))
    for one in short:
        one.until = None


def _stored(one: Known) -> Version:
    return Version.objects.get(item__stix_id=one.id, modified=datetime.fromisoformat(one.modified))


# -- pagers ----------------------------------------------------------------------------------------------------------


@dataclass
class Pager:
    """A client of one kind at one collection. `step` asks for one page."""

    kind: str
    reader: Reader
    view: View
    limit: int
    since: str
    cursor: str = ""
    got: set[Key] = field(default_factory=set)
    quiet: bool = False
    """Its last page brought nothing that it did not have."""

    def step(self) -> set[Key]:
        """Ask for the next page as a client of this kind does, and return what it held."""
        query = f"limit={self.limit}&added_after={self.since}" + (f"&next={self.cursor}" if self.cursor else "")
        page, last = ask(self.reader.machine, self.view.alias, query)
        objects = page.get("objects", [])
        found = {(one["id"], one["modified"]) for one in objects if one["id"] not in IDS}
        assert len(objects) <= self.limit
        assert not page.get("more") or len(objects) == self.limit, "a page is short only at the end"
        self.quiet = found <= self.got and not page.get("more")
        self.got |= found
        self._remember(page, last)
        return found

    def _remember(self, page: dict[str, Any], last: str) -> None:
        follows = self.kind in ("next", "opencti")
        if follows and page.get("more"):
            # Whoever follows `next` leaves the date as it was.
            self.cursor = page["next"]
            return
        self.cursor = ""
        if self.kind == "opencti" and not page:
            return  # and takes no date of an empty page
        self.since = last if self.kind in ("next", "added_after") else last[:23] + "Z"


KINDS = ("added_after", "next", "milliseconds", "opencti")


def ask(machine: Machine, alias: str, query: str) -> tuple[dict[str, Any], str]:
    """One page, and its last date. Who is told to try again, since the policy does not hold still, does."""
    for _ in range(200):
        status, headers, page = machine.direct(f"/taxii2/alliance/collections/{alias}/objects/?{query}")
        if status != 503:
            break
    assert status == 200, (status, page)
    return page, headers["X-TAXII-Date-Added-Last"]


# -- a schedule ------------------------------------------------------------------------------------------------------


@dataclass
class Cast:
    """Readers and writers of all schedules of a run."""

    readers: list[Reader]
    people: list[tuple[str, Actor]]

    @classmethod
    def of(cls, stage: Stage) -> Cast:
        world = stage.world
        people = [
            ("jia", world.jia.admin), ("jia", world.jia.deputy), ("jia", world.jia.contact),
            ("bing", world.bing.admin), ("bing", world.bing.deputy), ("bing", world.bing.contact),
            ("ding", world.ding.admin), ("ding", world.ding.contact),
        ]  # fmt: skip
        return cls(
            [
                reader := Reader("reader", stage.machine(world.yi.admin), "yi", Tlp.AMBER_STRICT),
                reader,
                Reader("capped", stage.machine(world.yi.admin, max_tlp="GREEN"), "yi", Tlp.GREEN, Tlp.GREEN),
                Reader("constituent", stage.machine(world.wu, by=world.ding.admin), "wu", Tlp.GREEN, constituent=True),
                Reader("source", stage.machine(world.jia.admin), "jia", Tlp.AMBER_STRICT),
            ],
            people,
        )

    def pagers(self, rng: random.Random) -> list[Pager]:
        """One of each kind and a few more, each at some reader's collection, from here on."""
        start = now()
        # Who cuts dates to milliseconds must take pages that are larger than what a millisecond holds.
        limits = {kind: range(2, 7) if kind in ("next", "added_after") else range(12, 15) for kind in KINDS}
        return [
            Pager(kind, rng.choice(self.readers), rng.choice(VIEWS), rng.choice(limits[kind]), start)
            for kind in (*KINDS, *rng.choices(KINDS, k=2))
        ]

    def writers(self, account: Account, rng: random.Random) -> list[Writer]:
        return [
            Writer(f"{owner} {place}", owner, actor, account, rng) for place, (owner, actor) in enumerate(self.people)
        ]


def now() -> str:
    """The date of the last line of the log."""
    last = log.last_date()
    assert last is not None
    return last.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{last.microsecond:06d}Z"


def play(cast: Cast, *, seed: int, acts: int) -> Iterator[str]:
    """Play one schedule and yield what was wrong: something hidden that was seen, something visible that was missed."""
    rng = random.Random(seed)
    account = Account()
    writers, pagers = cast.writers(account, rng), cast.pagers(rng)
    told: list[str] = []
    turns = [*rng.sample(writers, k=len(writers)), *rng.choices(writers, k=max(0, acts - len(writers)))]
    for writer in turns:
        told.append(f"{writer.owner} {writer.act()}")
        for pager in rng.sample(pagers, k=rng.randint(1, 4)):
            yield from _looked(pager, account, told, seed)
    open_embargoes(account)
    for pager in pagers:
        pager.quiet = False
        for _ in range(100):
            yield from _looked(pager, account, told, seed)
            if pager.quiet:
                break
        missed = account.shown(pager.view, pager.reader) - pager.got
        if missed:
            known = [one for one in account.versions if one.id in {stix_id for stix_id, _ in missed}]
            yield f"seed {seed}: {_named(pager)} missed {missed} of {known} after {told}"


def _looked(pager: Pager, account: Account, told: list[str], seed: int) -> Iterator[str]:
    # Whoever cuts its date may be sent again what stood within the same millisecond before this schedule began.
    here = pager.step() & {one.key for one in account.versions}
    hidden = here - account.shown(pager.view, pager.reader)
    if hidden:
        known = [one for one in account.versions if one.key in hidden]
        yield f"seed {seed}: {_named(pager)} saw {known} after {told}"


def _named(pager: Pager) -> str:
    return f"{pager.kind} of {pager.reader.name} at {pager.view.alias}"
