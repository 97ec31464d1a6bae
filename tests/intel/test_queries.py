"""What is read: bitmaps against `decide`, copies and versions, filters, search, two worlds that answer alike."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.intel import actions, log, queries
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import LogEntry, Version
from lianfang.intel.positions import INDEX, Index, Versions
from lianfang.intel.queries import Filters
from lianfang.intel.tasks import write_search_rows
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.decide import decide
from lianfang.policy.facts import Audience, Channel, NameSource, Request, Right, Role, Subject, Tlp
from tests.intel.cast import (
    AT,
    EVERYONE,
    analyst,
    constituent,
    ids,
    indicator,
    later,
    malware,
    member,
    of,
    relationship,
    submit,
    taxii,
    token,
    without_factor,
)

pytestmark = pytest.mark.django_db

LIST = Request(channel=Channel.LIST)
PAGE = Request(channel=Channel.PAGE)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def search(subject: Subject, text: str, **more: Any) -> list[str]:
    return ids(queries.search(subject=subject, at=AT, request=LIST, text=text, **more))


# -- the bitmaps against decide --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_bitmaps_agree_with_decide_after_random_histories(seed: int) -> None:
    dice = random.Random(seed)
    members = [member(f"會員{number}") for number in range(3)]
    inside = [constituent(members[0], "內一"), constituent(members[1], "內二")]
    coordinator = analyst()
    readers = [*members, *inside, coordinator, without_factor(members[0]), token(members[1]), Subject.public()]
    known: list[dict[str, Any]] = []
    for step in range(25):
        _deed(dice, members, coordinator, known, later(step))
        if step % 5 == 4:
            for reader in readers:
                for channel in (Channel.TAXII, Channel.LIST):
                    _agree(reader, later(step), Request(channel=channel))
    fresh = Index()
    fresh.refresh(store.epoch())
    assert fresh._by_label.keys() >= {label for label, held in INDEX._by_label.items() if held}
    assert all(fresh._by_label[label] == held for label, held in INDEX._by_label.items() if held)


def _deed(
    dice: random.Random, members: list[Subject], coordinator: Subject, known: list[dict[str, Any]], at: Any
) -> None:
    by = dice.choice(members)
    versions = list(Version.objects.select_related("item"))
    match dice.randrange(8) if versions else 0:
        case 0 | 1 | 2 | 3:
            made = [indicator() if dice.random() < 0.7 or not known else _copy(dice, known) for _ in range(3)]
            known.extend(made)
            form = LabelForm(
                tlp=dice.choice(list(Tlp)[:4]),
                audience=dice.choice([Audience.alliance(), Audience.coordinator_only()]),
                name_source=dice.choice(list(NameSource)),
                not_before=dice.choice([None, None, later(dice.randrange(40))]),
            )
            submit(by, *made, relationship(made[0]["id"], made[1]["id"]), form=form, at=at)
        case 4:
            _try(actions.relay, by=by, at=at, version=dice.choice(versions))
        case 5:
            _try(actions.tighten, by=coordinator, at=at, version=dice.choice(versions), tlp=dice.choice(list(Tlp)[1:4]))
        case 6:
            _try(actions.recall, by=coordinator, at=at, version=dice.choice(versions), reason="x")
        case 7:
            actions.open_due_embargoes(at=at)


def _copy(dice: random.Random, known: list[dict[str, Any]]) -> dict[str, Any]:
    return dice.choice(known) | {"modified": f"2026-11-0{dice.randrange(1, 9)}T00:00:00.000Z"}


def _try(deed: Any, **arguments: Any) -> None:
    try:
        with transaction.atomic():
            deed(**arguments)
    except Refusal:
        pass


def _agree(reader: Subject, at: Any, request: Request) -> None:
    """The page against an evaluation of `decide` on every line, in plain Python."""
    right = queries.right_for(request.channel)
    lines = list(LogEntry.objects.select_related("version__item").order_by("position"))
    labels = store.labels({line.label_id for line in lines})
    allowed = [
        line
        for line in lines
        if decide(subject=reader, right=right, target=labels[line.label_id], at=at, request=request).allowed
    ]
    shown: dict[str, dict[int, LogEntry]] = {}
    for line in allowed:
        copies = shown.setdefault(line.version.item.stix_id, {})
        if not copies or next(iter(copies.values())).version.item_id == line.version.item_id:
            copies.setdefault(line.version_id, line)
    last = sorted(max(copies.values(), key=lambda line: line.version.modified).position for copies in shown.values())
    every = sorted(line.position for copies in shown.values() for line in copies.values())
    for view, expected in ((Versions.LAST, last), (Versions.ALL, every)):
        page = queries.page(
            subject=reader, at=at, request=request, limit=1000, filters=Filters(versions=frozenset({view}))
        )
        assert [found.position for found in page.items] == expected
    assert queries.count(subject=reader, at=at, request=request) == len(last)


# -- pages -----------------------------------------------------------------------------------------------------------


def test_paging_by_position_and_by_date_loses_nothing() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    made = [indicator() for _ in range(23)]
    submit(by, *made)
    submit(by, *[indicator() for _ in range(5)], form=replace(EVERYONE, audience=Audience.coordinator_only()))
    for key in ("after_position", "added_after"):
        walked: list[str] = []
        where: dict[str, Any] = {}
        while True:
            page = taxii(reader, limit=10, **where)
            walked += ids(page)
            if not page.more:
                break
            last = page.items[-1]
            where = {key: last.position if key == "after_position" else last.date_added}
        assert walked == [one["id"] for one in made]
    assert not taxii(reader, added_after=later(10**9)).items


def test_the_first_copy_and_its_last_version() -> None:
    one, two, reader = member("甲電子"), member("丙保險"), member("乙銀行")
    thing = malware()
    submit(one, thing | {"name": "甲的"})
    submit(two, thing | {"name": "丙的", "modified": "2026-11-05T00:00:00.000Z"})
    submit(one, thing | {"name": "甲的新", "modified": "2026-11-03T00:00:00.000Z"})
    (found,) = taxii(reader).items
    assert "甲的新".encode() in found.body or rb"\u7532\u7684\u65b0" in found.body
    every = taxii(reader, filters=Filters(versions=frozenset({Versions.ALL})))
    assert [each.version[:10] for each in every.items] == ["2026-11-01", "2026-11-03"]
    first = taxii(reader, filters=Filters(versions=frozenset({Versions.FIRST})))
    assert [each.version[:10] for each in first.items] == ["2026-11-01"]
    exact = taxii(reader, filters=Filters(versions=frozenset(), instants=frozenset({every.items[1].modified})))
    assert [each.version[:10] for each in exact.items] == ["2026-11-03"]
    # Whoever may see the second copy alone gets that.
    submitter = taxii(two)
    assert len(submitter.items) == 1


def test_filters_by_type_id_and_spec_version() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, other = indicator(), malware()
    submit(by, one, other)
    assert ids(taxii(reader, filters=Filters(types=frozenset({"malware"})))) == [other["id"]]
    assert ids(taxii(reader, filters=Filters(ids=frozenset({one["id"], "x"})))) == [one["id"]]
    assert ids(taxii(reader, filters=Filters(types=frozenset({"unknown"})))) == []
    assert ids(taxii(reader, filters=Filters(spec_versions=frozenset({"2.0"})))) == []
    assert ids(taxii(reader, filters=Filters(tlps=frozenset({Tlp.GREEN})))) == [one["id"], other["id"]]
    assert ids(taxii(reader, filters=Filters(tlps=frozenset({Tlp.AMBER})))) == []


def test_a_page_without_bodies_says_the_same() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    bare = taxii(reader, bodies=False)
    assert replace(bare.items[0], body=taxii(reader).items[0].body) == taxii(reader).items[0]


def test_an_unnamed_source_is_not_found_by_its_own_id() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    submit(by, one, form=LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance()))
    (served,) = ids(taxii(reader))
    for stix_id, there in ((one["id"], False), (served, True)):
        assert bool(taxii(reader, filters=Filters(ids=frozenset({stix_id}))).items) is there
        seen = queries.get_visible(subject=reader, stix_id=stix_id, at=AT, request=PAGE)
        assert (seen is not None) is there
    assert queries.get_visible(subject=by, stix_id=one["id"], at=AT, request=PAGE) is not None


def test_red_for_a_named_person_on_the_page_alone() -> None:
    from lianfang.policy.facts import Named

    by, reader = member("甲電子"), member("乙銀行")
    assert reader.pair is not None
    assert reader.person is not None
    colleague = of(reader.pair, role=Role.MEMBER)
    one = indicator()
    named = Audience.persons(Named(reader.person, reader.pair.organization))
    submit(by, one, form=LabelForm(tlp=Tlp.RED, audience=named, name_source=NameSource.EVERYONE))
    assert queries.get_visible(subject=reader, stix_id=one["id"], at=AT, request=PAGE) is not None
    assert queries.get_visible(subject=colleague, stix_id=one["id"], at=AT, request=PAGE) is None
    assert queries.get_visible(subject=without_factor(reader), stix_id=one["id"], at=AT, request=PAGE) is None
    assert not taxii(reader).items
    assert not taxii(token(reader)).items


def test_a_relabelled_line_moves_in_every_process() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    other_process = Index()
    other_process.refresh(store.epoch())
    actions.tighten(by=by, at=AT, version=Version.objects.get(), tlp=Tlp.GREEN, audience=Audience.coordinator_only())
    other_process.refresh(store.epoch())
    allowed = other_process.allowed(subject=reader, right=Right.READ, at=AT, request=LIST, view=Versions.LAST)
    assert not allowed


def test_a_sparse_reader_asks_as_little_as_a_dense_one(django_assert_max_num_queries: Any) -> None:
    by, reader, sparse = member("甲電子"), member("乙銀行"), member("丙保險")
    submit(by, *[indicator() for _ in range(50)])
    submit(sparse, indicator(), form=replace(EVERYONE, audience=Audience.coordinator_only()))
    lonely = replace(sparse, acknowledged=True)
    for who in (reader, lonely):
        taxii(who)
        with django_assert_max_num_queries(4):
            taxii(who, limit=100)


# -- search ----------------------------------------------------------------------------------------------------------


def test_search_finds_words_pairs_and_beginnings_newest_first() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator(name="偽冒物流簡訊", pattern="[domain-name:value = 'parcel-notice.example']")
    other = indicator(name="物流公司的報告", description="CVE-2026-1234")
    submit(by, one, other)
    write_search_rows(Version.objects.all())
    assert search(reader, "物流") == [other["id"], one["id"]]
    assert search(reader, "偽冒物流") == [one["id"]]
    assert search(reader, "簡") == [one["id"]]
    assert search(reader, "hxxp://parcel-notice[.]example") == []
    assert search(reader, "parcel-notice[.]example") == [one["id"]]
    assert search(reader, "parcel-not") == [one["id"]]
    assert search(reader, "cve: cve-2026-12") == [other["id"]]
    assert search(reader, "物流 cve-2026") == [other["id"]]
    assert search(reader, "流物") == []
    assert search(reader, "') & ! | \\ <->") == []
    assert write_search_rows(Version.objects.all()) == 0


def test_search_pages_without_telling_what_is_between() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    shown = []
    for _ in range(6):
        one = indicator(name="同名")
        shown.append(one["id"])
        submit(by, one)
        submit(by, indicator(name="同名"), form=replace(EVERYONE, audience=Audience.coordinator_only()))
    write_search_rows(Version.objects.all())
    first = queries.search(subject=reader, at=AT, request=LIST, text="同名", limit=4)
    assert ids(first) == shown[:1:-1]
    assert first.older == 2
    second = queries.search(subject=reader, at=AT, request=LIST, text="同名", limit=4, below=first.older)
    assert ids(second) == shown[1::-1]
    assert second.older is None


def test_search_looks_into_the_served_body_alone() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator(x_internal="密語"), form=LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance()))
    write_search_rows(Version.objects.all())
    assert search(reader, "密語") == []
    assert len(search(reader, "壞網域")) == 1


# -- neighbours ------------------------------------------------------------------------------------------------------


def test_neighbours_are_the_visible_ones_alone() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, shown, hidden = indicator(), malware(), malware()
    submit(by, one, shown, relationship(one["id"], shown["id"]))
    submit(
        by, hidden, relationship(one["id"], hidden["id"]), form=replace(EVERYONE, audience=Audience.coordinator_only())
    )
    write_search_rows(Version.objects.all())
    for subject, expected in ((reader, {shown["id"]}), (by, {shown["id"], hidden["id"]})):
        seen = queries.get_visible(subject=subject, stix_id=one["id"], at=AT, request=PAGE)
        assert seen is not None
        around = queries.neighbours(subject=subject, seen=seen, at=AT, request=PAGE)
        assert {each.found.stix_id for each in around} == expected
        assert {each.verb for each in around} == {"indicates"}


def test_weeks_count_what_a_reader_sees_between_their_starts() -> None:
    by, reader, other = member("甲電子"), member("乙銀行"), member("丙保險")
    green = EVERYONE
    for form in (green, green, replace(EVERYONE, tlp=Tlp.AMBER)):
        submit(by, indicator(), form=form)
    submit(other, indicator(), form=replace(green, audience=Audience.coordinator_only()))
    first, second_made = indicator(), malware()
    submit(by, first, second_made, relationship(first["id"], second_made["id"]), form=green)
    second = LogEntry.objects.order_by("position")[1].date_added
    but = Filters(but_types=frozenset({"relationship"}))
    found = queries.weekly(subject=reader, at=AT, request=LIST, starts=[_LONG_AGO, second], filters=but)
    assert found[Tlp.GREEN] == [2, 2]
    assert found[Tlp.AMBER] == [0, 1]
    assert sum(map(sum, found.values())) == queries.count(subject=reader, at=AT, request=LIST, filters=but)
    assert queries.weekly(subject=Subject.public(), at=AT, request=LIST, starts=[_LONG_AGO])[Tlp.GREEN] == [0]


# -- two worlds ------------------------------------------------------------------------------------------------------


def _answers(reader: Subject) -> list[Any]:
    """Everything that one reader is told, but for the dates, which only the clock moves."""

    def told(page: queries.Page) -> Any:
        return [(each.stix_id, each.version, each.body) for each in page.items], page.more, page.total, page.older

    return [
        told(taxii(reader, limit=2)),
        told(taxii(reader, filters=Filters(versions=frozenset({Versions.ALL})))),
        told(queries.latest(subject=reader, at=AT, request=LIST, limit=2)),
        told(queries.search(subject=reader, at=AT, request=LIST, text="壞網域", limit=2)),
        queries.count(subject=reader, at=AT, request=LIST),
        queries.weekly(subject=reader, at=AT, request=LIST, starts=[_LONG_AGO]),
    ]


def test_two_worlds_that_differ_in_what_is_hidden_answer_alike() -> None:
    by, other, reader = member("甲電子"), member("丙保險"), member("乙銀行")
    shown = [indicator() for _ in range(5)]
    hidden = replace(EVERYONE, audience=Audience.coordinator_only())

    def world(with_hidden: bool) -> list[Any]:
        with transaction.atomic():
            for place, one in enumerate(shown):
                if with_hidden:
                    submit(other, indicator(), one | {"name": "別的版本"}, form=hidden, at=later(place))
                submit(by, one, at=later(place))
            if with_hidden:
                submit(by, shown[0] | {"modified": "2026-11-09T00:00:00.000Z"}, form=hidden, at=later(9))
            write_search_rows(Version.objects.all())
            answers = _answers(reader)
            transaction.set_rollback(True)
        INDEX.clear()
        store.forget()
        return answers

    assert world(False) == world(True)


def test_the_date_added_of_others_moves_with_the_clock_alone() -> None:
    by = member("甲電子")
    submit(by, indicator(), indicator())
    first = log.last_date()
    submit(by, indicator())
    second = log.last_date()
    assert first is not None
    assert second is not None
    assert second > first


def test_the_guard_holds_on_these_tables() -> None:
    with transaction.atomic():
        by = member("甲電子")
        submit(by, indicator())
        record(by=by, at=AT, about=("test", "1"), tag=Tag.AUDIT_LEDGER_VERIFY)
    assert Version.objects.count() == 1
