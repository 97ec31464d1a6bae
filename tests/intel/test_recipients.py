"""Who received what: exactly, for ever; in classes and below the floor of five as "few" to its source."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from pyroaring import BitMap

from lianfang.audit.receipts import batch_all, proof
from lianfang.intel import actions, queries, receipts, recipients
from lianfang.intel.models import LogEntry, Receipt, Version
from lianfang.intel.positions import Versions
from lianfang.intel.preview import audience_size, preview_audience
from lianfang.intel.queries import Filters
from lianfang.kernel.clock import utcnow
from lianfang.policy import store
from lianfang.policy.facts import Audience, Channel, Duty, NameSource, Request, Standing, Subject, Tlp
from lianfang.policy.words import FEW
from tests.intel.cast import (
    AT,
    EVERYONE,
    LabelForm,
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
)

pytestmark = pytest.mark.django_db

AMBER = LabelForm(tlp=Tlp.AMBER, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
FLOOR = 5  # the setting of the operator, as it is by default


def deliver(reader: Subject, channel: Channel = Channel.TAXII, **wanted: Any) -> queries.Page:
    request = Request(channel=channel, view="all", purpose="research")
    return receipts.deliver(
        by=reader, request=request, at=AT,
        make=lambda: queries.page(subject=reader, at=AT, request=request, **wanted),
    )  # fmt: skip


# -- what one receipt expands to -------------------------------------------------------------------------------------


def test_each_receipt_expands_to_what_was_delivered_whatever_comes_later() -> None:
    """Relabelled, recalled, relayed, released, superseded: the paper says what left, not what is true now."""
    dice = random.Random(5)
    by, group = member("甲電子"), member("丁公會")
    inside, looker = constituent(group, "戊工廠"), analyst()
    known = [indicator() for _ in range(12)]
    submit(by, *known, form=AMBER)
    told: dict[int, set[int]] = {}

    def everybody_reads() -> None:
        for reader in (group, inside, looker, token(group)):
            page = deliver(reader, limit=dice.randrange(1, 9), after_position=dice.randrange(0, 6))
            if page.items:
                told[Receipt.objects.latest("pk").pk] = {found.version_id for found in page.items}

    everybody_reads()
    for version in list(Version.objects.all())[:3]:
        actions.relay(by=group, at=AT, version=version)
    everybody_reads()
    for version in list(Version.objects.all())[2:5]:
        actions.tighten(by=by, at=AT, version=version, tlp=Tlp.AMBER_STRICT)
    everybody_reads()
    for version in list(Version.objects.all())[4:7]:
        actions.recall(by=by, at=AT, version=version, reason="x")
    submit(by, *[one | {"modified": "2026-11-02T00:00:00.000Z"} for one in known[6:]], form=AMBER)
    everybody_reads()
    assert len(told) > 10
    for pk, versions in told.items():
        receipt = Receipt.objects.get(pk=pk)
        assert set(receipts.versions_of(receipt).values_list("pk", flat=True)) == versions
    # And the other way: of each version, exactly the receipts that held it.
    for version in Version.objects.all():
        expected = {pk for pk, versions in told.items() if version.pk in versions}
        assert {receipt.pk for receipt in receipts.received_by(version)} == expected


@pytest.mark.parametrize("view", list(Versions))
@pytest.mark.parametrize("channel", [Channel.TAXII, Channel.API, Channel.FEED, Channel.LIST])
def test_a_receipt_says_who_where_when_and_why(view: Versions, channel: Channel) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    assert reader.pair is not None
    submit(by, *[indicator() for _ in range(3)])
    page = deliver(reader, channel, filters=Filters(versions=frozenset({view})))
    receipt = Receipt.objects.get()
    assert (receipt.person, receipt.organization, receipt.group, receipt.token) == (
        reader.person, reader.pair.organization, reader.pair.group, None,
    )  # fmt: skip
    assert (receipt.channel, receipt.view, receipt.purpose, receipt.at) == (channel.value, "all", "research", AT)
    exact = BitMap.deserialize(bytes(receipt.positions))
    assert list(exact) == [found.position for found in page.items]
    assert (receipt.lo, receipt.hi) == (exact.min(), exact.max())


def test_positions_that_nobody_was_given_are_in_no_receipt() -> None:
    """lo and hi bound what was given; what lies between and was hidden was not received."""
    by, reader = member("甲電子"), member("乙銀行")
    first, between, last = indicator(), indicator(), indicator()
    submit(by, first)
    submit(by, between, form=LabelForm(tlp=Tlp.GREEN, audience=Audience.coordinator_only()))
    submit(by, last)
    deliver(reader)
    hidden = Version.objects.get(item__stix_id=between["id"])
    assert list(receipts.received_by(hidden)) == []
    assert not receipts.holds(subject=reader, version=hidden)
    assert receipts.holds(subject=reader, version=Version.objects.get(item__stix_id=last["id"]))


def test_what_somebody_holds_is_of_the_pair_it_acted_for() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    assert reader.pair is not None
    submit(by, indicator())
    deliver(token(reader))
    version = Version.objects.get()
    for who, holds in (
        (reader, True), (of(reader.pair), True), (constituent(reader, "戊工廠"), False), (member("丙保險"), False),
        (Subject.public(), False), (Subject.system("job"), False),
    ):  # fmt: skip
        assert receipts.holds(subject=who, version=version) is holds, who


def test_receipts_are_proved_in_the_tree_and_a_changed_one_is_not() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, *[indicator() for _ in range(4)])
    for after in range(4):
        deliver(reader, limit=1, after_position=LogEntry.objects.order_by("position")[after].position - 1)
    assert batch_all(at=utcnow()) == 4
    for receipt in Receipt.objects.all():
        found = proof(name="intel", receipt=receipt)
        assert found is not None
        assert found.holds
        for name, value in (
            ("channel", "page"), ("purpose", "sale"), ("organization", UUID(int=1)), ("at", later(1)),
            ("positions", BitMap([1, 2, 3]).serialize()), ("token", UUID(int=2)), ("view", "x"), ("mark", UUID(int=3)),
        ):  # fmt: skip
            forged = Receipt.objects.get(pk=receipt.pk)
            setattr(forged, name, value)
            other = proof(name="intel", receipt=forged)
            assert other is not None
            assert not other.holds, name


# -- classes and the floor -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, FLOOR - 1, FLOOR, FLOOR + 2])
def test_below_five_it_is_few_and_from_five_on_a_number(count: int) -> None:
    by = member("甲電子")
    readers = [member(f"會員{number}") for number in range(count)]
    submit(by, indicator())
    version = Version.objects.get()
    for reader in readers:
        deliver(reader)
        deliver(reader, Channel.LIST)
    (row,) = recipients.of(version=version, subject=by, at=AT)
    assert row.count == (count if count >= FLOOR else FEW)
    assert row.names == ()
    assert row.channels == ("list", "taxii")
    (row,) = recipients.of(version=version, subject=analyst(), at=AT)
    assert row.count == count
    assert [name.zh for name in row.names] == sorted(name.zh for name in row.names)
    assert len(row.names) == count


def test_members_constituents_and_staff_are_classes_of_their_own_and_the_source_is_none() -> None:
    by, group = member("甲電子"), member("丁公會")
    inside = [constituent(group, f"內{number}") for number in range(FLOOR)]
    submit(by, indicator())
    for reader in (by, group, *inside, analyst(), of(group.pair or pytest.fail("no pair"))):
        deliver(reader)
    rows = {row.who.en: row for row in recipients.of(version=Version.objects.get(), subject=by, at=AT)}
    assert rows.keys() == {"Group members", "Constituents", "The coordinator"}
    # Two persons of one member are one member.
    assert rows["Group members"].count == FEW
    assert rows["Constituents"].count == FLOOR
    assert rows["The coordinator"].count == 1
    assert all(row.names == () for row in rows.values())


def test_a_version_nobody_received_has_no_rows() -> None:
    by = member("甲電子")
    submit(by, indicator())
    deliver(by)
    assert recipients.of(version=Version.objects.get(), subject=by, at=AT) == []


# -- sizes of audiences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("audience", "tlp", "counted"), [
    (Audience.alliance(), Tlp.GREEN, True), (Audience.alliance(), Tlp.AMBER_STRICT, True),
    (Audience.coordinator_only(), Tlp.GREEN, False), (Audience.groups(UUID(int=1)), Tlp.GREEN, False),
    (None, Tlp.RED, False),
])  # fmt: skip
def test_only_the_alliance_is_counted_and_few_stay_few(audience: Audience | None, tlp: Tlp, counted: bool) -> None:
    by = member("甲電子")
    shown = preview_audience(form=LabelForm(tlp=tlp, audience=audience), subject=by, at=AT)
    assert shown.size == (FEW if counted else None)
    assert shown.too_few is (audience == Audience.groups(UUID(int=1)))
    exact = audience_size(label=shown.label, subject=analyst(), at=AT)
    assert exact == (0 if counted else None)


# -- notices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
def test_a_notice_answers_to_the_id_under_which_the_reader_met_it(named: bool) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    name_source = NameSource.EVERYONE if named else NameSource.COORDINATOR
    submit(by, one := indicator(), form=LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=name_source))
    (met,) = ids(deliver(reader))
    assert (met == one["id"]) is named
    assert recipients.notice(subject=reader, stix_id=met, at=AT) is None
    made = actions.recall(by=by, at=AT, version=Version.objects.get(), reason="x")
    assert recipients.notice(subject=reader, stix_id=met, at=AT) == made
    for odd in ("x", "", met.upper(), met + "\n", "indicator--" + "0" * 36):
        assert recipients.notice(subject=reader, stix_id=odd, at=AT) is None
    stranger = member("丙保險")
    assert recipients.notice(subject=stranger, stix_id=met, at=AT) is None


@pytest.mark.parametrize(("change", "told"), [
    ({}, True), ({"standing": Standing.UNDER_REVIEW}, True), ({"standing": Standing.REVOKED}, False),
    ({"standing": Standing.TERMINATED}, False), ({"left_at": AT}, False), ({"acknowledged": False}, False),
])  # fmt: skip
def test_a_notice_is_for_those_who_could_still_be_written_to(change: dict[str, Any], told: bool) -> None:
    from dataclasses import replace

    by, reader = member("甲電子"), member("乙銀行")
    submit(by, one := indicator())
    deliver(reader)
    actions.recall(by=by, at=AT, version=Version.objects.get(), reason="x")
    found = recipients.notice(subject=replace(reader, **change), stix_id=one["id"], at=AT)
    assert (found is not None) is told


def test_of_two_recalls_under_one_id_each_recipient_is_told_of_its_own() -> None:
    one, two = member("甲電子"), member("丙保險")
    first, second = member("乙銀行"), member("丁公會")
    thing = malware()
    submit(one, thing)
    deliver(first)
    mine = Version.objects.get()
    actions.tighten(by=one, at=AT, version=mine, tlp=Tlp.GREEN, audience=Audience.coordinator_only())
    submit(two, thing)
    deliver(second)
    theirs = Version.objects.exclude(pk=mine.pk).get()
    for by, version in ((one, mine), (two, theirs)):
        actions.recall(by=by, at=AT, version=version, reason="x")
    told = {who: recipients.notice(subject=who, stix_id=thing["id"], at=AT) for who in (first, second)}
    assert {who: notice.version_id if notice else None for who, notice in told.items()} == {
        first: mine.pk, second: theirs.pk,
    }  # fmt: skip
    assert recipients.notice(subject=member("己網路"), stix_id=thing["id"], at=AT) is None


def test_a_container_that_left_with_what_it_binds_is_no_recall() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, other = indicator(), malware()
    link = relationship(one["id"], other["id"])
    submit(by, one, other, link)
    deliver(reader)
    actions.recall(by=by, at=AT, version=Version.objects.get(item__stix_id=one["id"]), reason="x")
    assert recipients.notice(subject=reader, stix_id=one["id"], at=AT) is not None
    assert recipients.notice(subject=reader, stix_id=link["id"], at=AT) is None
    assert ids(taxii(reader)) == [other["id"]]


def test_what_is_delivered_under_a_policy_that_moved_is_made_again_and_received_once() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, *[indicator() for _ in range(3)])
    tries: list[int] = []

    def make() -> queries.Page:
        page = taxii(reader)
        if len(tries) < 2:
            store.bump_policy()
        tries.append(len(page.items))
        return page

    page = receipts.deliver(by=reader, request=Request(channel=Channel.TAXII), at=AT, make=make)
    assert tries == [3, 3, 3]
    assert len(page.items) == 3
    assert Receipt.objects.count() == 1


def test_staff_without_a_duty_to_read_are_no_recipients() -> None:
    submit(member("甲電子"), indicator(), form=EVERYONE)
    for duty in set(Duty) - {Duty.ANALYST}:
        assert not deliver(analyst(duties=frozenset({duty}))).items, duty
    assert not Receipt.objects.exists()
