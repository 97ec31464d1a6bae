"""Pages that are kept: found again by what they hold alone, and only after the next request was decided anew."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pyroaring import BitMap

from lianfang.accounts import actions as accounts
from lianfang.exchange.taxii.pages import PAGES, Made, Pages, key
from lianfang.intel import actions as intelligence
from lianfang.intel import intake, queries, receipts
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Receipt, Version
from lianfang.intel.positions import INDEX
from lianfang.members.subjects import subject_for_token
from lianfang.policy.facts import Audience, Channel, NameSource, Request, Tlp, Upstream, UpstreamKind
from tests.exchange.stage import ALL, Machine, Stage, indicator
from tests.exchange.test_next_request import end_stop

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


def hit(machine: Machine) -> str:
    """Ask twice and return the second answer, which came from memory: nothing was kept that was not kept before."""
    first = machine.objects("?limit=1000")
    held = dict(PAGES._held)
    second = machine.objects("?limit=1000")
    assert held
    assert dict(PAGES._held) == held, "the second answer was made anew"
    assert second.content == first.content
    return second.text


def version(stix_id: str) -> Version:
    return Version.objects.get(item__stix_id=stix_id)


def recalled(stage: Stage, stix_id: str, at: datetime) -> None:
    intelligence.recall(by=stage.world.jia.admin.subject(at), at=at, version=version(stix_id), reason="誤報")


def tightened(stage: Stage, stix_id: str, at: datetime) -> None:
    intelligence.tighten(
        by=stage.world.jia.admin.subject(at),
        at=at,
        version=version(stix_id),
        tlp=Tlp.AMBER_STRICT,
        audience=Audience.coordinator_only(),
    )


def stopped(stage: Stage, stix_id: str, at: datetime) -> None:
    intelligence.start_stop(by=stage.world.analyst.subject(at), at=at, reason="演練以外的停止")


def test_whatever_takes_away_is_known_to_a_reader_whose_page_is_kept(alliance: Stage) -> None:
    for deed in (recalled, tightened, stopped):
        gone, stays = indicator(1, object_marking_refs=[AMBER]), indicator(2)
        alliance.jia.add(gone, stays)
        assert gone["id"] in hit(alliance.yi)
        assert gone["id"] in hit(alliance.bing)
        deed(alliance, gone["id"], datetime.now(UTC))
        for reader in (alliance.yi, alliance.bing):
            assert gone["id"] not in reader.objects("?limit=1000").text, deed.__name__
        if deed is stopped:
            end_stop(alliance)
        assert stays["id"] in alliance.yi.objects("?limit=1000").text


def test_a_key_that_was_ended_finds_nothing_although_its_page_is_kept(alliance: Stage) -> None:
    one = indicator(1)
    alliance.jia.add(one)
    machine, other = (alliance.machine(alliance.world.yi.admin) for _ in range(2))
    assert one["id"] in hit(machine)
    accounts.revoke_token(token=machine.token, by=alliance.world.yi.admin.subject(), at=alliance.world.clock.tick())
    assert machine.objects("?limit=1000").status_code == 401
    assert one["id"] in hit(other), "nobody else is touched"


def test_what_time_alone_takes_away_is_another_page_from_that_instant_on(alliance: Stage) -> None:
    """An earlier agreement runs out: no policy moves, no key changes, and the page of before is not found again."""
    one = indicator(1)
    now = datetime.now(UTC)
    ends = now + timedelta(hours=1)
    form = LabelForm(
        audience=Audience.alliance(),
        name_source=NameSource.EVERYONE,
        upstream=Upstream(UpstreamKind.PERMITTED, frozenset({alliance.world.yi.organization.pk}), until=ends),
    )
    body = b'{"objects":[' + json.dumps(one).encode() + b"]}"
    intake.submit(by=alliance.world.jia.admin.subject(now), at=now, body=body, form=form, channel=Channel.PAGE)
    assert one["id"] in hit(alliance.yi)
    token, request = alliance.yi.token, Request(channel=Channel.TAXII, view=ALL)
    turns = [
        queries.turn(
            subject=subject_for_token(token=token, at=at, network="127.0.0.1"), at=at, request=request, limit=1000
        )
        for at in (ends - timedelta(microseconds=1), ends)
    ]
    assert [turn.valid_until == ends for turn in turns] == [True, False]
    assert len(turns[0].positions) == len(turns[1].positions) + 1
    kept = [key("_envelope", positions=turn.positions, named=turn.named) for turn in turns]
    assert PAGES.take(kept[0], under=(turns[0].policy, turns[0].life)) is not None
    assert kept[1] != kept[0]


def test_two_readers_share_a_page_only_where_both_may_have_all_of_it(alliance: Stage) -> None:
    """The same list, with a cursor and a receipt of each reader's own; and never the source's name to the other."""
    for number in range(3):
        alliance.jia.add(indicator(number))
    query = "?limit=2&added_after=2026-01-02T00:00:00Z"
    first, second = (machine.objects(query).json() for machine in (alliance.yi, alliance.bing))
    assert first["objects"] == second["objects"]
    assert first["next"] != second["next"]
    assert alliance.bing.objects(f"{query}&next={first['next']}").status_code == 400
    count = Receipt.objects.count()
    hit(alliance.yi)
    hit(alliance.bing)
    written = Receipt.objects.order_by("id")[count:]
    assert [receipt.token for receipt in written] == [alliance.yi.token.pk] * 2 + [alliance.bing.token.pk] * 2
    assert set(alliance.bing.ids("?limit=1000")) == {
        found.item.stix_id for found in receipts.versions_of(written[3]).select_related("item")
    }
    clear = alliance.machine(alliance.world.yi.admin, max_tlp="CLEAR")
    assert clear.ids("?limit=1000") == []


def test_an_index_that_starts_anew_finds_no_page_of_before(alliance: Stage) -> None:
    """As in a database that was restored to an earlier log, where a position may come to show something else."""
    alliance.jia.add(indicator(1))
    hit(alliance.yi)
    for page, made in list(PAGES._held.items()):
        PAGES._held[page] = replace(made, listed=b'"of another log"')
    assert "of another log" in alliance.yi.objects("?limit=1000").text
    INDEX.clear()
    assert "of another log" not in alliance.yi.objects("?limit=1000").text


def test_the_memory_is_bounded_and_emptied_by_another_policy() -> None:
    def of(number: int, *, named: bool = True) -> tuple[str, bytes, bytes]:
        return key("x", positions=BitMap([number]), named=BitMap([number] if named else []))

    log, other = object(), object()
    kept = Pages(limit=5000)
    for number in range(1, 6):
        kept.put(of(number), Made(b"-" * 500, "", ""), under=(7, log))
        kept.take(of(1), under=(7, log))
    assert [bool(kept.take(of(number), under=(7, log))) for number in range(1, 6)] == [True, False, False, True, True]
    assert kept.take(of(5, named=False), under=(7, log)) is None, "who may not learn the source has another page"
    assert kept.take(of(5), under=(8, log)) is None
    assert kept.take(of(5), under=(7, other)) is None
    kept.put(of(9), Made(b"", "", ""), under=(8, log))
    assert kept.take(of(5), under=(8, log)) is None
    assert kept.take(of(9), under=(8, log)) is not None
