"""Two members and the coordinator do what they like; after each deed every list is what `decide` says of every item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lianfang.intel import actions, queries
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import LogEntry, Version
from lianfang.intel.positions import INDEX
from lianfang.intel.tasks import write_search_rows
from lianfang.kernel.refusal import Refusal
from lianfang.policy import sql, store
from lianfang.policy.decide import decide
from lianfang.policy.facts import (
    Audience,
    Channel,
    Duty,
    Label,
    NameSource,
    Request,
    Standing,
    Subject,
    Tlp,
    Upstream,
    UpstreamKind,
)
from tests.goals import goal
from tests.intel.cast import AT, analyst, constituent, indicator, member, relationship, submit

TLPS = st.sampled_from(list(Tlp))
LIST, TAXII, PAGE = Channel.LIST, Channel.TAXII, Channel.PAGE


class Exchange(RuleBasedStateMachine):
    """What was submitted, and a clock that only goes on."""

    def __init__(self) -> None:
        super().__init__()
        INDEX.clear()
        sql.forget()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.at: datetime = AT
        self.known: list[dict[str, Any]] = []
        self.stop: Any = None

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)
        INDEX.clear()
        sql.forget()

    @initialize()
    def people(self) -> None:
        self.jia, self.yi = member("甲電子"), member("乙銀行")
        self.inside = constituent(self.yi, "戊工廠")
        self.analyst, self.other = analyst(), analyst(duties=frozenset({Duty.APPROVER}))
        self.readers = {
            "甲": self.jia, "乙": self.yi, "戊": self.inside, "分析員": self.analyst, "核定": self.other,
            "未驗證": replace(self.yi, mfa=False), "已取消": replace(self.yi, standing=Standing.REVOKED),
            "任何人": Subject.public(),
        }  # fmt: skip

    # -- deeds

    @rule(
        mine=st.booleans(), tlp=TLPS, audience=st.sampled_from(["alliance", "coordinator", "yi", None]),
        named=st.booleans(), embargo=st.sampled_from([None, None, 30, 90]), hold=st.sampled_from([False, False, True]),
        tag=st.sampled_from([None, None, "tlp:amber", "tlp:purple"]), again=st.booleans(), linked=st.booleans(),
    )  # fmt: skip
    def submits(self, *, mine: bool, tlp: Tlp, audience: str | None, named: bool, embargo: int | None, hold: bool,
                tag: str | None, again: bool, linked: bool) -> None:  # fmt: skip
        by = self.jia if mine else self.yi
        one = indicator(labels=[tag] if tag else None)
        if again and self.known:
            one = self.known[-1] | {"modified": f"2026-11-{len(self.known) % 28 + 2:02d}T00:00:00.000Z"}
        objects = [one]
        if linked and self.known:
            objects.append(relationship(one["id"], self.known[0]["id"]))
        assert self.yi.pair is not None
        audiences: dict[str | None, Audience | None] = {
            "alliance": Audience.alliance(), "coordinator": Audience.coordinator_only(),
            "yi": Audience.groups(self.yi.pair.group), None: None,
        }  # fmt: skip
        form = LabelForm(
            tlp=tlp, audience=audiences[audience] if tlp is not Tlp.RED else None,
            name_source=NameSource.EVERYONE if named else NameSource.COORDINATOR,
            not_before=self.at + timedelta(seconds=embargo) if embargo else None,
            upstream=Upstream(UpstreamKind.HOLD) if hold else Upstream(),
        )  # fmt: skip
        submit(by, *objects, form=form, at=self.at)
        self.known.extend(objects[:1])

    @precondition(lambda self: self.known)
    @rule(
        deed=st.sampled_from(["tighten", "recall", "relay", "release", "label"]), which=st.integers(0, 99),
        who=st.sampled_from(["甲", "乙", "分析員"]), tlp=TLPS,
    )  # fmt: skip
    def acts(self, *, deed: str, which: int, who: str, tlp: Tlp) -> None:
        versions = list(Version.objects.order_by("pk"))
        version, by = versions[which % len(versions)], self.readers[who]
        red = tlp is Tlp.RED
        wider: dict[str, Any] = {"tlp": tlp, "audience": Audience.persons() if red else Audience.alliance()}
        deeds: dict[str, tuple[Callable[..., object], dict[str, Any]]] = {
            "tighten": (actions.tighten, {"tlp": tlp}),
            "recall": (actions.recall, {"reason": "x"}),
            "relay": (actions.relay, {"stop": queries.stop_is_on()}),
            "release": (actions.release_from_quarantine, {}),
            "label": (actions.release_from_quarantine, wider),
        }  # fmt: skip
        do, more = deeds[deed]
        before = {name: self._read_now(reader) for name, reader in self.readers.items()}
        try:
            with transaction.atomic():
                do(by=by, at=self.at, version=version, **more)
        except Refusal:
            assert before == {name: self._read_now(reader) for name, reader in self.readers.items()}
            return
        if deed in ("tighten", "recall"):
            # Whoever gains does so by a release or a relay, never here.
            for name, reader in self.readers.items():
                assert self._read_now(reader) <= before[name], (deed, name)

    @rule(seconds=st.sampled_from([1, 30, 60, 90]))
    def time_passes(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)
        actions.open_due_embargoes(at=self.at)

    @rule()
    def stops_or_goes_on(self) -> None:
        if self.stop is None:
            self.stop = actions.start_stop(by=self.analyst, at=self.at, reason="x")
        else:
            actions.ask_to_end_stop(by=self.analyst, at=self.at, stop=self.stop)
            actions.end_stop(by=self.other, at=self.at, stop=self.stop)
            self.stop = None

    # -- what must hold

    def _read_now(self, reader: Subject) -> set[int]:
        """Versions that `decide` lets a reader read on a page, asked line by line."""
        request = queries.asked(PAGE)
        lines = list(LogEntry.objects.values_list("version_id", "label_id"))
        labels = store.labels({label for _, label in lines})
        return {version for version, label in lines if self._allowed(reader, labels[label], request)}

    def _allowed(self, reader: Subject, label: Label, request: Request) -> bool:
        right = queries.right_for(request.channel)
        return decide(subject=reader, right=right, target=label, at=self.at, request=request).allowed

    @invariant()
    def every_way_to_ask_answers_as_decide_does(self) -> None:
        if not self.known:
            return
        write_search_rows(Version.objects.all())
        lines = list(LogEntry.objects.select_related("version__item").order_by("position"))
        labels = store.labels({line.label_id for line in lines} | {line.version.label_id for line in lines})
        for name, reader in self.readers.items():
            for channel in (LIST, TAXII):
                request = queries.asked(channel)
                expected = _last_of_each(
                    [line for line in lines if self._allowed(reader, labels[line.label_id], request)]
                )
                page = queries.page(subject=reader, at=self.at, request=request, limit=1000)
                assert [found.position for found in page.items] == expected, (name, channel)
                assert page.total == len(expected), name
                assert queries.count(subject=reader, at=self.at, request=request) == len(expected), name
            newest = queries.latest(subject=reader, at=self.at, request=queries.asked(LIST), limit=1000)
            told = [found.position for found in newest.items]
            hits = queries.search(subject=reader, at=self.at, request=queries.asked(LIST), text="壞網域", limit=1000)
            assert {found.position for found in hits.items} <= set(told), name
            assert {found.position for found in newest.items if found.type == "indicator"} == {
                found.position for found in hits.items
            }, name
            self._objects(name, reader, lines, labels)

    def _objects(self, name: str, reader: Subject, lines: list[LogEntry], labels: dict[int, Label]) -> None:
        """The page of an object shows a version if and only if some label of it is allowed."""
        request = queries.asked(PAGE)
        allowed = {number for number, label in labels.items() if self._allowed(reader, label, request)}
        may = {line.version_id for line in lines if not allowed.isdisjoint((line.label_id, line.version.label_id))}
        shown: set[int] = set()
        for stix_id in {each for line in lines for each in (line.version.item.stix_id, line.version.item.served_id)}:
            found = queries.versions_visible(subject=reader, stix_id=stix_id, at=self.at, request=request)
            shown |= {seen.version.pk for seen in found}
            assert all(seen.stix_id == stix_id for seen in found)
        assert shown <= may, name
        missing = may - shown
        items = {line.version_id: line.version.item.stix_id for line in lines}
        # Only of a second copy of one id is anything left out: the first that he may see stands alone.
        assert all(sum(1 for other in may if items[other] == items[version]) > 1 for version in missing), name


def _last_of_each(allowed: list[LogEntry]) -> list[int]:
    """Of the lines that a reader may see: of each STIX id the first copy, of that the last version, its first line."""
    copies: dict[str, dict[int, LogEntry]] = {}
    for line in allowed:
        lines = copies.setdefault(line.version.item.stix_id, {})
        if not lines or next(iter(lines.values())).version.item_id == line.version.item_id:
            lines.setdefault(line.version_id, line)
    return sorted(max(lines.values(), key=lambda line: line.version.modified).position for lines in copies.values())


@pytest.mark.django_db
def test_the_exchange_as_a_machine() -> None:
    walk(examples=8, steps=12)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.django_db
def test_histories_of_the_exchange() -> None:
    with goal("histories of the exchange, every list after every deed", seed="derandomized") as counted:
        walk(examples=150, steps=40)
        counted.count = 150


def walk(*, examples: int, steps: int) -> None:
    """So many histories of so many steps; the same ones each time."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Exchange,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )  # fmt: skip
