"""What is done to intelligence that is here: who gains, gains by a further line; who loses, loses on every line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from lianfang.audit.models import Entry
from lianfang.intel import actions, queries, recipients
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import LogEntry, Relay, Version
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.facts import Audience, Channel, Duty, NameSource, Request, Role, Standing, State, Subject, Tlp
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


def staff(*duties: Duty) -> Subject:
    return analyst(duties=frozenset(duties))


def see(subject: Subject, stix_id: str, at: datetime = AT) -> queries.Seen | None:
    return queries.get_visible(subject=subject, stix_id=stix_id, at=at, request=PAGE)


# -- relay -----------------------------------------------------------------------------------------------------------


def test_a_relay_reaches_the_own_constituents_alone_and_by_a_further_line() -> None:
    by, group, other = member("甲電子"), member("丁公會"), member("乙公會")
    inside, outside = constituent(group, "戊工廠"), constituent(other, "己工廠")
    one = indicator()
    submit(by, one, form=AMBER)
    before = taxii(group)
    assert not taxii(inside).items
    actions.relay(by=group, at=AT, version=Version.objects.get())
    assert ids(taxii(inside)) == [one["id"]]
    assert not taxii(outside).items
    assert taxii(inside).items[0].position > before.items[0].position
    # Those who had it keep it where it was, and meet it once.
    assert taxii(group).items == before.items
    actions.withdraw_relay(by=group, at=later(), relay=Relay.objects.get())
    assert not taxii(inside).items
    assert see(inside, one["id"]) is None
    assert LogEntry.objects.count() == 2


def test_green_is_relayed_by_itself() -> None:
    group = member("丁公會")
    submit(member("甲電子"), indicator())
    assert len(taxii(constituent(group, "戊工廠")).items) == 1


@pytest.mark.parametrize("tlp", [Tlp.AMBER_STRICT, Tlp.RED])
def test_never_above_amber(tlp: Tlp) -> None:
    group = member("丁公會")
    submit(
        member("甲電子"), indicator(), form=LabelForm(tlp=tlp, audience=None if tlp is Tlp.RED else Audience.alliance())
    )
    with pytest.raises(Refusal):
        actions.relay(by=group, at=AT, version=Version.objects.get())


def test_only_an_administrator_relays_and_only_once() -> None:
    group = member("丁公會")
    assert group.pair is not None
    submit(member("甲電子"), indicator(), form=AMBER)
    version = Version.objects.get()
    with pytest.raises(Refusal):
        actions.relay(by=of(group.pair, role=Role.MEMBER), at=AT, version=version)
    actions.relay(by=group, at=AT, version=version)
    with pytest.raises(Refusal):
        actions.relay(by=group, at=AT, version=version)


def test_tightening_ends_the_relay_at_once() -> None:
    by, group = member("甲電子"), member("丁公會")
    inside = constituent(group, "戊工廠")
    one = indicator()
    submit(by, one, form=AMBER)
    actions.relay(by=group, at=AT, version=Version.objects.get())
    actions.tighten(by=by, at=later(), version=Version.objects.get(), tlp=Tlp.AMBER_STRICT)
    assert not taxii(inside).items
    assert ids(taxii(group)) == [one["id"]]
    assert Relay.objects.get().withdrawn_at is not None


def test_a_wider_label_is_refused_here() -> None:
    by = member("甲電子")
    submit(by, indicator(), form=AMBER)
    with pytest.raises(Refusal) as refused:
        actions.tighten(by=by, at=AT, version=Version.objects.get(), tlp=Tlp.GREEN)
    assert refused.value.field == "tlp"


def test_a_tightened_item_takes_its_containers_along() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, other = indicator(), malware()
    link = relationship(one["id"], other["id"])
    submit(by, one, other, link, form=AMBER)
    assert len(taxii(reader).items) == 3
    bound = Version.objects.get(item__stix_id=other["id"])
    actions.tighten(by=by, at=AT, version=bound, tlp=Tlp.AMBER, audience=Audience.coordinator_only())
    assert ids(taxii(reader)) == [one["id"]]
    assert see(reader, link["id"]) is None


# -- embargo ---------------------------------------------------------------------------------------------------------


def test_an_embargo_ends_on_the_page_at_its_instant_and_by_a_further_line() -> None:
    by, reader, named, other = member("甲電子"), member("乙銀行"), analyst(), analyst()
    assert named.person is not None
    one = indicator()
    until = later(3600)
    form = replace(EVERYONE, not_before=until, named_analysts=frozenset({named.person}))
    submit(by, one, form=form)
    just_before = later(3599.999999)
    for who, sees in ((by, True), (named, True), (other, False), (reader, False)):
        assert bool(taxii(who, at=just_before).items) is sees
        assert (see(who, one["id"], just_before) is not None) is sees
        assert see(who, one["id"], until) is not None
    assert actions.open_due_embargoes(at=just_before) == 0
    assert not taxii(reader, at=until).items
    assert actions.open_due_embargoes(at=until) == 1
    assert actions.open_due_embargoes(at=until) == 0
    assert ids(taxii(reader, at=until)) == [one["id"]]
    assert taxii(by, at=until).items[0].position == 1
    assert taxii(reader, at=until).items[0].position == 2


# -- quarantine ------------------------------------------------------------------------------------------------------


def unknown(**more: object) -> dict[str, object]:
    return indicator(labels=["tlp:purple"], **more)


def test_the_submitter_sets_the_label_and_readers_get_a_further_line() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = unknown()
    submit(by, one)
    version = Version.objects.get()
    with pytest.raises(Refusal):
        actions.release_from_quarantine(by=reader, at=AT, version=version, tlp=Tlp.GREEN, audience=Audience.alliance())
    actions.release_from_quarantine(by=by, at=AT, version=version, tlp=Tlp.GREEN, audience=Audience.alliance())
    assert ids(taxii(reader)) == [one["id"]]
    with pytest.raises(Refusal):
        actions.release_from_quarantine(by=by, at=AT, version=version)


def test_an_analyst_validates_as_it_is_labelled() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator(name="甲電子"), form=LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance()))
    assert not taxii(reader).items
    actions.release_from_quarantine(by=analyst(), at=AT, version=Version.objects.get())
    assert len(taxii(reader).items) == 1


def test_released_before_the_embargo_ends_it_still_waits() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(
        by, indicator(name="甲電子"), form=LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), not_before=later(60))
    )
    actions.release_from_quarantine(by=analyst(), at=AT, version=Version.objects.get())
    assert not taxii(reader, at=later(30)).items
    assert actions.open_due_embargoes(at=later(60)) == 1
    assert len(taxii(reader, at=later(60)).items) == 1


# -- recall ----------------------------------------------------------------------------------------------------------


def test_a_recall_leaves_every_channel_and_a_notice_for_those_who_received() -> None:
    from lianfang.intel import receipts

    by, reader, other, looker = member("甲電子"), member("乙銀行"), member("丙保險"), analyst()
    one = indicator()
    submit(by, one)
    request = Request(channel=Channel.TAXII)
    page = receipts.deliver(by=reader, request=request, at=AT, make=lambda: taxii(reader))
    assert ids(page) == [one["id"]]
    version = Version.objects.get()
    with pytest.raises(Refusal):
        actions.recall(by=reader, at=AT, version=version, reason="x")
    with pytest.raises(Refusal) as refused:
        actions.recall(by=by, at=AT, version=version, reason=" ")
    assert refused.value.field == "reason"
    actions.recall(by=by, at=AT, version=version, reason="誤報")
    for who in (reader, other):
        assert not taxii(who).items
        assert see(who, one["id"]) is None
    for who in (by, looker):
        seen = see(who, one["id"])
        assert seen is not None
        assert seen.label.state is State.RECALLED
        assert not taxii(who).items
    assert recipients.notice(subject=reader, stix_id=one["id"], at=AT) is not None
    assert recipients.notice(subject=other, stix_id=one["id"], at=AT) is None
    gone = replace(reader, standing=Standing.REVOKED)
    assert recipients.notice(subject=gone, stix_id=one["id"], at=AT) is None
    with pytest.raises(Refusal):
        actions.recall(by=by, at=AT, version=version, reason="again")


# -- the stop --------------------------------------------------------------------------------------------------------


def test_the_stop_needs_two_to_confirm_and_two_to_end() -> None:
    one, two = staff(Duty.ANALYST), staff(Duty.APPROVER)
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator())
    with pytest.raises(Refusal):
        actions.start_stop(by=by, at=AT, reason="x")
    stop = actions.start_stop(by=one, at=AT, reason="疑似外洩")
    assert queries.stop_is_on()
    request = queries.asked(Channel.TAXII)
    assert not queries.page(subject=reader, at=AT, request=request).items
    assert not queries.page(subject=one, at=AT, request=request).items
    with pytest.raises(Refusal):
        actions.start_stop(by=two, at=AT, reason="y")
    with pytest.raises(Refusal):
        actions.confirm_stop(by=one, at=AT, stop=stop)
    actions.confirm_stop(by=two, at=AT, stop=stop)
    with pytest.raises(Refusal):
        actions.end_stop(by=one, at=AT, stop=stop)
    actions.ask_to_end_stop(by=one, at=AT, stop=stop)
    with pytest.raises(Refusal):
        actions.end_stop(by=one, at=AT, stop=stop)
    actions.end_stop(by=two, at=AT, stop=stop)
    assert queries.page(subject=reader, at=AT, request=queries.asked(Channel.TAXII)).items


def test_intake_goes_on_during_the_stop_and_a_drill_stops_nothing() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    drill = actions.start_stop(by=analyst(), at=AT, reason="演練", drill=True)
    submit(by, indicator())
    assert queries.page(subject=reader, at=AT, request=queries.asked(Channel.TAXII)).items
    actions.alarm_unconfirmed(stop=drill, at=later(3600))
    drill.refresh_from_db()
    assert drill.alarmed_at == later(3600)


def test_the_database_holds_four_eyes_too() -> None:
    one = analyst()
    stop = actions.start_stop(by=one, at=AT, reason="x")
    stop.confirmed_by_id = stop.started_by_id
    with pytest.raises(IntegrityError), transaction.atomic():
        stop.save()


def test_every_deed_stands_in_the_ledger() -> None:
    by = member("甲電子")
    submit(by, indicator(), form=AMBER)
    actions.tighten(by=by, at=AT, version=Version.objects.get(), tlp=Tlp.AMBER_STRICT)
    actions.recall(by=by, at=AT, version=Version.objects.get(), reason="誤報")
    tags = set(Entry.objects.values_list("tag", flat=True))
    assert {"intel:submission:accept", "intel:item:relabel", "intel:item:recall"} <= tags
    assert all("誤報" not in str(entry.detail) for entry in Entry.objects.all())
    assert store.epoch().policy > 0
