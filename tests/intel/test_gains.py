"""Who gains late gets a further line; the stop, its drill and its alarm; each deed with its right, reason and entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from lianfang.audit.actions import text_matches
from lianfang.audit.models import Entry
from lianfang.intel import actions, queries, tasks
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import LogEntry, Recall, Relabelling, Relay, Stop, Version
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Duty,
    NameSource,
    NarrowedKind,
    Request,
    Role,
    Standing,
    State,
    Subject,
    Tlp,
)
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
)

pytestmark = pytest.mark.django_db

AMBER = LabelForm(tlp=Tlp.AMBER, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
PAGE = Request(channel=Channel.PAGE)
MICROSECOND = timedelta(microseconds=1)


def version(stix_id: str) -> Version:
    return Version.objects.get(item__stix_id=stix_id)


def sees(subject: Subject, stix_id: str, at: Any = AT, **request: Any) -> bool:
    asking = Request(channel=Channel.PAGE, **request)
    return queries.get_visible(subject=subject, stix_id=stix_id, at=at, request=asking) is not None


def note(*refs: str) -> dict[str, Any]:
    return {
        "type": "note", "spec_version": "2.1", "id": f"note--{uuid4()}", "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z", "content": "x", "object_refs": list(refs),
    }  # fmt: skip


def refusal(deed: Callable[..., object], **arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as found, transaction.atomic():
        deed(**arguments)
    assert found.value.reason.zh
    assert found.value.reason.en
    return found.value


# -- containers ------------------------------------------------------------------------------------------------------


def test_what_waited_for_a_quarantined_object_comes_with_it() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    waiting, other = indicator(labels=["tlp:purple"]), malware()
    link = relationship(waiting["id"], other["id"])
    about = note(link["id"])
    submit(by, waiting, other, link, about)
    assert ids(taxii(reader)) == [other["id"]]
    seen_until = taxii(reader).items[-1].date_added
    deed = {"tlp": Tlp.GREEN, "audience": Audience.alliance()}
    actions.release_from_quarantine(by=by, at=AT, version=version(waiting["id"]), **deed)
    # Whoever goes on from the last date misses none of them.
    assert ids(taxii(reader, added_after=seen_until)) == [waiting["id"], link["id"], about["id"]]
    assert all(sees(reader, one["id"]) for one in (waiting, link, about))
    # The source had the others before, and meets none of them again; RED itself never left by this door.
    assert ids(taxii(by)) == [other["id"], link["id"], about["id"], waiting["id"]]


def test_a_container_that_waits_for_two_comes_with_the_second() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, two = indicator(labels=["tlp:purple"]), indicator(labels=["tlp:mauve"])
    about = note(one["id"], two["id"])
    submit(by, one, two, about)
    deed = {"tlp": Tlp.GREEN, "audience": Audience.alliance()}
    actions.release_from_quarantine(by=by, at=AT, version=version(one["id"]), **deed)
    assert ids(taxii(reader)) == [one["id"]]
    actions.release_from_quarantine(by=by, at=AT, version=version(two["id"]), **deed)
    assert ids(taxii(reader)) == [one["id"], two["id"], about["id"]]


def test_a_container_stays_as_strict_as_the_label_that_the_release_sets() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    waiting = indicator(labels=["tlp:purple"])
    about = note(waiting["id"])
    submit(by, waiting, about)
    deed = {"tlp": Tlp.AMBER, "audience": Audience.coordinator_only()}
    actions.release_from_quarantine(by=by, at=AT, version=version(waiting["id"]), **deed)
    assert ids(taxii(reader)) == []
    assert ids(taxii(analyst())) == [waiting["id"], about["id"]]


def test_a_line_of_before_there_were_collections_leaves_those_it_no_longer_belongs_to() -> None:
    by = member("甲電子")
    submit(by, waiting := indicator(labels=["tlp:purple"]), indicator())
    deed = {"tlp": Tlp.GREEN, "audience": Audience.alliance()}
    actions.release_from_quarantine(by=by, at=AT, version=version(waiting["id"]), **deed)
    lines = LogEntry.objects.order_by("position")
    assert [line.moved for line in lines] == [True, False, False]
    lines.update(moved=False)
    leave = import_module("lianfang.intel.migrations.0003_moved_lines").leave
    leave(apps, SimpleNamespace(connection=connection))
    assert [line.moved for line in lines.all()] == [True, False, False]
    assert Entry.objects.filter(tag="intel:log:divide").count() == 1


def test_whoever_loses_a_version_meets_the_one_before_it_anew_and_nobody_else_does() -> None:
    by, reader, other = member("甲電子"), member("乙銀行"), member("丙證券")
    first = indicator()
    second = first | {"modified": "2026-11-22T00:00:00.000Z"}
    submit(by, first)
    assert reader.pair is not None
    some = LabelForm(tlp=Tlp.GREEN, audience=Audience.groups(reader.pair.group), name_source=NameSource.EVERYONE)
    submit(by, second, form=some)
    submit(by, after := malware())
    seen = {who: taxii(who).items for who in (reader, other)}
    assert [one.stix_id for one in seen[reader]] == [first["id"], after["id"]]
    newest = Version.objects.get(item__stix_id=first["id"], version=second["modified"])
    actions.recall(by=by, at=AT, version=newest, reason="誤報")
    (back,) = taxii(reader, added_after=seen[reader][-1].date_added).items
    assert (back.stix_id, back.version) == (first["id"], first["modified"])
    assert taxii(other).items == seen[other], "who never saw the second finds nothing moved"


def test_a_recalled_or_quarantined_container_waits_for_its_own_act() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    waiting = indicator(labels=["tlp:purple"])
    gone, also = note(waiting["id"]), note(waiting["id"]) | {"labels": ["tlp:mauve"]}
    submit(by, waiting, gone, also)
    actions.recall(by=by, at=AT, version=version(gone["id"]), reason="誤報")
    deed = {"tlp": Tlp.GREEN, "audience": Audience.alliance()}
    actions.release_from_quarantine(by=by, at=AT, version=version(waiting["id"]), **deed)
    assert ids(taxii(reader)) == [waiting["id"]]
    actions.release_from_quarantine(by=by, at=AT, version=version(also["id"]), **deed)
    assert ids(taxii(reader)) == [waiting["id"], also["id"]]


def test_what_requires_an_embargoed_object_comes_when_the_embargo_ends() -> None:
    """Also where it came later and without an embargo of its own: clients that remember a date miss nothing."""
    by, reader = member("甲電子"), member("乙銀行")
    one, between = indicator(), indicator()
    until = later(3600)
    submit(by, one, form=replace(EVERYONE, not_before=until))
    about, recalled = note(one["id"]), note(one["id"])
    submit(by, about, recalled)
    submit(by, between)
    actions.recall(by=by, at=AT, version=version(recalled["id"]), reason="x")
    assert ids(taxii(reader)) == [between["id"]]
    seen_until = taxii(reader).items[-1].date_added
    assert sees(reader, about["id"], until)
    assert not sees(reader, about["id"], until - MICROSECOND)
    assert actions.open_due_embargoes(at=until) == 1
    assert ids(taxii(reader, at=until, added_after=seen_until)) == [one["id"], about["id"]]
    assert ids(taxii(by, at=until)) == [one["id"], about["id"], between["id"]]


# -- embargo to the microsecond --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "open_"), [(-MICROSECOND, False), (timedelta(), True), (MICROSECOND, True)])
def test_the_instant_of_an_embargo_on_every_way_to_ask(step: timedelta, open_: bool) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, until = indicator(), later(3600)
    submit(by, one, form=replace(EVERYONE, not_before=until))
    at = until + step
    assert sees(reader, one["id"], at) is open_
    assert actions.open_due_embargoes(at=at) == int(open_)
    listed = Request(channel=Channel.LIST)
    tasks.write_search_rows(Version.objects.all())
    assert bool(taxii(reader, at=at).items) is open_
    assert queries.count(subject=reader, at=at, request=listed) == int(open_)
    assert bool(queries.latest(subject=reader, at=at, request=listed).items) is open_
    assert bool(queries.search(subject=reader, at=at, request=listed, text="壞網域").items) is open_
    assert sees(by, one["id"], at)


def test_an_embargo_that_lies_behind_is_none_and_one_past_a_year_is_refused() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator(), form=replace(EVERYONE, not_before=AT))
    submit(by, indicator(), form=replace(EVERYONE, not_before=later(-1)))
    assert len(taxii(reader).items) == 2
    submit(by, indicator(), form=replace(EVERYONE, not_before=AT + timedelta(days=366)))
    found = refusal(submit, by=by, form=replace(EVERYONE, not_before=AT + timedelta(days=367)))
    assert (found.rule, found.field) == ("label-embargo", "not_before")


def test_what_was_tightened_or_recalled_under_embargo_opens_as_it_is_then() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    kept, tight, gone = indicator(), indicator(), indicator()
    submit(by, kept, tight, gone, form=replace(EVERYONE, not_before=later(60)))
    actions.tighten(
        by=by, at=AT, version=version(tight["id"]), tlp=Tlp.AMBER, audience=Audience.coordinator_only()
    )  # fmt: skip
    actions.recall(by=by, at=AT, version=version(gone["id"]), reason="x")
    assert actions.open_due_embargoes(at=later(60)) == 1
    assert ids(taxii(reader, at=later(60))) == [kept["id"]]
    assert ids(taxii(analyst(), at=later(60))) == [kept["id"], tight["id"]]


# -- relay -----------------------------------------------------------------------------------------------------------


def test_a_relay_can_be_made_again_after_it_was_withdrawn() -> None:
    by, group = member("甲電子"), member("丁公會")
    inside = constituent(group, "戊工廠")
    one = indicator()
    submit(by, one, form=AMBER)
    for turn in range(2):
        made = actions.relay(by=group, at=later(turn), version=version(one["id"]))
        assert ids(taxii(inside)) == [one["id"]]
        actions.withdraw_relay(by=group, at=later(turn), relay=made)
        assert not taxii(inside).items
    assert refusal(actions.withdraw_relay, by=group, at=AT, relay=made).rule == "U-relay"
    assert Relay.objects.count() == 2


def test_one_group_cannot_end_the_relay_of_another() -> None:
    by, group, other = member("甲電子"), member("丁公會"), member("乙公會")
    submit(by, one := indicator(), form=AMBER)
    made = actions.relay(by=group, at=AT, version=version(one["id"]))
    assert refusal(actions.withdraw_relay, by=other, at=AT, relay=made).rule == "U-relay"
    assert actions.relay(by=other, at=AT, version=version(one["id"])).group_id != made.group_id


def test_nothing_is_relayed_while_disclosure_is_stopped_or_that_one_does_not_read() -> None:
    group = member("丁公會")
    submit(member("甲電子"), one := indicator(), form=AMBER)
    submit(member("丙保險"), hidden := indicator(), form=replace(AMBER, audience=Audience.coordinator_only()))
    refusal(actions.relay, by=group, at=AT, version=version(one["id"]), stop=True)
    refusal(actions.relay, by=group, at=AT, version=version(hidden["id"]))
    refusal(actions.relay, by=replace(group, standing=Standing.REVOKED), at=AT, version=version(one["id"]))
    refusal(actions.relay, by=replace(group, mfa=False), at=AT, version=version(one["id"]))
    assert not Relay.objects.exists()


# -- tighten and recall ----------------------------------------------------------------------------------------------


def test_every_step_of_strictness_takes_away_and_none_gives() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    inside = constituent(reader, "戊工廠")
    submit(by, one := indicator())
    seen: list[tuple[bool, bool, bool]] = []
    for tlp in (Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED):
        actions.tighten(by=by, at=AT, version=version(one["id"]), tlp=tlp)
        seen.append((sees(reader, one["id"]), sees(inside, one["id"]), sees(analyst(), one["id"])))
    assert seen == [(True, False, True), (True, False, True), (False, False, False)]
    assert store.label(version(one["id"]).label_id).audience == Audience.persons()
    assert sees(by, one["id"])
    lines = LogEntry.objects.filter(version=version(one["id"])).order_by("position")
    assert [(line.moved, store.label(line.label_id).tlp) for line in lines] == [(True, Tlp.RED)] * 3
    assert Relabelling.objects.filter(position=lines[0].position).count() == 3


@pytest.mark.parametrize(("who", "may"), [
    (Role.MEMBER_ADMIN, True), (Role.SECURITY_CONTACT, True), (Role.MEMBER, False),
])  # fmt: skip
def test_who_of_the_source_tightens_and_recalls(who: Role, may: bool) -> None:
    by = member("甲電子")
    assert by.pair is not None
    colleague = of(by.pair, role=who)
    submit(by, one := indicator())
    deeds: list[tuple[Callable[..., object], dict[str, Any]]] = [
        (actions.tighten, {"tlp": Tlp.AMBER}), (actions.recall, {"reason": "x"}),
    ]  # fmt: skip
    for deed, more in deeds:
        if may:
            deed(by=colleague, at=AT, version=version(one["id"]), **more)
        else:
            refusal(deed, by=colleague, at=AT, version=version(one["id"]), **more)
        refusal(deed, by=member("乙銀行"), at=AT, version=version(one["id"]), **more)


def test_a_recall_keeps_its_reason_from_the_ledger_but_can_prove_it() -> None:
    by = member("甲電子")
    submit(by, one := indicator())
    made = actions.recall(by=by, at=AT, version=version(one["id"]), reason="  誤報：是我們的主機 ")
    assert made.reason == "誤報：是我們的主機"
    entry = Entry.objects.get(tag="intel:item:recall")
    assert text_matches(entry, made.reason)
    assert (entry.about_type, entry.about_id) == ("intel.recall", str(made.pk))
    assert entry.detail == {"version": version(one["id"]).pk}
    assert entry.actor == f"person:{by.person}"
    with pytest.raises(DatabaseError), transaction.atomic():
        Recall.objects.update(reason="anders")


def test_a_recalled_version_leaves_the_earlier_one_and_its_containers_follow() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    submit(by, one)
    submit(by, one | {"modified": "2026-11-02T00:00:00.000Z"})
    submit(by, about := note(one["id"]))
    newest = Version.objects.filter(item__stix_id=one["id"]).latest("modified")
    actions.recall(by=by, at=AT, version=newest, reason="x")
    (found,) = taxii(reader).items
    assert (found.stix_id, found.version) == (one["id"], one["modified"])
    assert not sees(reader, about["id"])
    assert sees(by, about["id"])


def test_quarantine_is_left_by_those_who_may_and_to_what_they_may() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, one := indicator(labels=["tlp:purple"]))
    held = version(one["id"])
    wide = {"tlp": Tlp.CLEAR, "audience": Audience.alliance()}
    refusal(actions.release_from_quarantine, by=reader, at=AT, version=held, **wide)
    refusal(actions.release_from_quarantine, by=analyst(), at=AT, version=held, **wide)
    refusal(actions.release_from_quarantine, by=by, at=AT, version=held, tlp=Tlp.AMBER, audience=Audience.persons())
    refusal(actions.release_from_quarantine, by=analyst(duties=frozenset({Duty.OPERATOR})), at=AT, version=held)
    assert store.label(version(one["id"]).label_id).state is State.QUARANTINED
    actions.release_from_quarantine(by=by, at=AT, version=held, tlp=Tlp.AMBER, audience=Audience.alliance())
    label = store.label(version(one["id"]).label_id)
    assert (label.state, label.tlp, label.audience.kind) == (State.PUBLISHED, Tlp.AMBER, AudienceKind.ALLIANCE)
    assert Entry.objects.get(tag="intel:item:release").detail == {"tlp": "TLP:AMBER", "from": "TLP:RED"}


def test_under_embargo_a_released_version_stays_with_its_source_until_then() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, one := indicator(labels=["tlp:purple"]), form=replace(EVERYONE, not_before=later(60)))
    deed = {"tlp": Tlp.GREEN, "audience": Audience.alliance()}
    actions.release_from_quarantine(by=by, at=AT, version=version(one["id"]), **deed)
    last = LogEntry.objects.latest("position")
    assert store.label(last.label_id).narrowed_to.kind is NarrowedKind.SOURCE
    assert not taxii(reader, at=later(59)).items
    actions.open_due_embargoes(at=later(60))
    assert ids(taxii(reader, at=later(60))) == [one["id"]]


# -- the stop --------------------------------------------------------------------------------------------------------


def staff(*duties: Duty) -> Subject:
    return analyst(duties=frozenset(duties))


@pytest.mark.parametrize("duty", list(Duty))
def test_any_duty_starts_the_stop_and_none_is_a_duty_too_few(duty: Duty) -> None:
    assert actions.start_stop(by=staff(duty), at=AT, reason="x").started_at == AT
    assert queries.stop_is_on()
    assert refusal(actions.start_stop, by=staff(), at=AT, reason="x").rule
    assert refusal(actions.start_stop, by=member("甲電子"), at=AT, reason="x").rule


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_stop_states_its_reason(reason: str) -> None:
    found = refusal(actions.start_stop, by=staff(Duty.ANALYST), at=AT, reason=reason)
    assert (found.rule, found.field) == ("F-stop", "reason")
    assert not Stop.objects.exists()


def test_a_real_stop_starts_while_a_drill_is_played_and_not_the_other_way_round() -> None:
    one = staff(Duty.ANALYST)
    drill = actions.start_stop(by=one, at=AT, reason="演練", drill=True)
    assert not queries.stop_is_on()
    assert refusal(actions.start_stop, by=one, at=AT, reason="演練", drill=True).rule == "F-stop"
    real = actions.start_stop(by=one, at=AT, reason="外洩")
    assert queries.stop_is_on()
    assert queries.running_stop() == real
    assert refusal(actions.start_stop, by=one, at=AT, reason="again").rule == "F-stop"
    assert refusal(actions.start_stop, by=one, at=AT, reason="again", drill=True).rule == "F-stop"
    two = staff(Duty.APPROVER)
    actions.ask_to_end_stop(by=one, at=AT, stop=real)
    actions.end_stop(by=two, at=AT, stop=real)
    assert not queries.stop_is_on()
    assert queries.running_stop() == drill
    assert queries.past_stops() == [real]


@pytest.mark.parametrize(("minutes", "alarm"), [(59.999, False), (60, True), (61, True)])
def test_the_alarm_after_an_hour_that_nobody_confirmed(
    minutes: float, alarm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = actions.start_stop(by=staff(Duty.ANALYST), at=AT, reason="x")
    monkeypatch.setattr(tasks, "utcnow", lambda: AT + timedelta(minutes=minutes))
    tasks.sweep(0)
    tasks.sweep(0)
    stop.refresh_from_db()
    assert (stop.alarmed_at is not None) is alarm
    assert Entry.objects.filter(tag="intel:stop:alarm").count() == int(alarm)
    # It can still be confirmed, and the stop was on all the time.
    actions.confirm_stop(by=staff(Duty.OPERATOR), at=AT + timedelta(minutes=minutes), stop=stop)
    assert queries.stop_is_on()


def test_a_confirmed_or_ended_stop_raises_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = staff(Duty.ANALYST), staff(Duty.APPROVER)
    stop = actions.start_stop(by=one, at=AT, reason="x")
    actions.confirm_stop(by=two, at=later(60), stop=stop)
    monkeypatch.setattr(tasks, "utcnow", lambda: AT + timedelta(hours=2))
    tasks.sweep(0)
    assert not Entry.objects.filter(tag="intel:stop:alarm").exists()
    for deed, by in ((actions.confirm_stop, staff(Duty.LEGAL)), (actions.end_stop, two)):
        assert refusal(deed, by=by, at=AT, stop=stop).rule == "F-stop"


@pytest.mark.parametrize("duty", list(Duty))
def test_only_analysts_and_approvers_end_it(duty: Duty) -> None:
    stop = actions.start_stop(by=staff(Duty.OPERATOR), at=AT, reason="x")
    if duty in (Duty.ANALYST, Duty.APPROVER):
        actions.ask_to_end_stop(by=staff(duty), at=AT, stop=stop)
        assert refusal(actions.ask_to_end_stop, by=staff(duty), at=AT, stop=stop).rule == "F-stop"
        actions.end_stop(by=staff(duty), at=AT, stop=stop)
        assert not queries.stop_is_on()
        assert refusal(actions.end_stop, by=staff(duty), at=AT, stop=stop).rule == "F-stop"
    else:
        assert refusal(actions.ask_to_end_stop, by=staff(duty), at=AT, stop=stop).rule != "F-stop"
        assert queries.stop_is_on()


def test_during_the_stop_only_the_own_page_and_what_is_clear_and_public_remain() -> None:
    by, reader, looker = member("甲電子"), member("乙銀行"), analyst()
    one, clear = indicator(), indicator()
    submit(by, one)
    submit(by, clear, form=replace(EVERYONE, tlp=Tlp.CLEAR))
    tasks.write_search_rows(Version.objects.all())
    actions.start_stop(by=looker, at=AT, reason="x")
    for channel in Channel:
        asking = queries.asked(channel, purpose="research")
        assert asking.stop
        for who in (reader, looker):
            page = queries.page(subject=who, at=AT, request=asking)
            assert one["id"] not in ids(page), (channel, who)
        if channel is not Channel.PAGE:
            assert one["id"] not in ids(queries.page(subject=by, at=AT, request=asking)), channel
    assert sees(by, one["id"], stop=True)
    assert not sees(reader, one["id"], stop=True)
    listed = queries.asked(Channel.LIST)
    assert ids(queries.search(subject=reader, at=AT, request=listed, text="壞網域")) == [clear["id"]]
    assert queries.count(subject=reader, at=AT, request=listed) == 1
