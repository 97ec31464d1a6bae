"""Intake: what becomes of each object, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
import stix2validator

from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Binding, Item, LogEntry, Submission, Version
from lianfang.intel.names import NEUTRAL
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Named,
    NameSource,
    NarrowedKind,
    Right,
    Standing,
    State,
    Tlp,
)
from tests.intel.cast import (
    AT,
    BUNDLES,
    EVERYONE,
    analyst,
    bundle,
    ids,
    indicator,
    later,
    malware,
    member,
    outcomes,
    relationship,
    submit,
    taxii,
    token,
)

pytestmark = pytest.mark.django_db

REPORTS = Path(stix2validator.__file__).parent / BUNDLES
HIDDEN = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance())


@pytest.mark.parametrize(("name", "count"), [("apt1", 76), ("poisonivy", 155)])
def test_published_reports_come_in_whole(name: str, count: int) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    body = (REPORTS / f"{name}.json").read_bytes()
    made = intake.submit(by=by, at=AT, body=body, form=EVERYONE, channel=Channel.TAXII)
    assert outcomes(made) == ["accepted"] * count
    assert len(taxii(reader, limit=1000).items) == count
    again = intake.submit(by=by, at=later(90_000), body=body, form=EVERYONE, channel=Channel.TAXII)
    assert outcomes(again) == ["duplicate"] * count
    assert len(taxii(reader, limit=1000).items) == count


def test_a_foreign_creator_is_content() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator(created_by_ref=f"identity--{uuid4()}")
    submit(by, one)
    assert json.loads(taxii(reader).items[0].body)["created_by_ref"] == one["created_by_ref"]


def test_bytes_are_kept_as_they_came() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    raw = json.dumps(indicator(name="é  ☃"), indent=3).encode()
    intake.submit(by=by, at=AT, body=b'{"objects":[' + raw + b"]}", form=EVERYONE, channel=Channel.TAXII)
    assert taxii(reader).items[0].body == raw


def test_identity_is_source_id_modified() -> None:
    by, other = member("甲電子"), member("乙銀行")
    one = indicator()
    assert outcomes(submit(by, one)) == ["accepted"]
    assert outcomes(submit(by, one, indicator())) == ["duplicate", "accepted"]
    newer = one | {"modified": "2026-11-02T00:00:00.000Z"}
    older = one | {"modified": "2026-11-01T00:00:00.500Z"}
    assert outcomes(submit(by, newer)) == ["new_version"]
    assert outcomes(submit(by, older)) == ["new_version"]
    changed = submit(by, one | {"name": "別的"})
    assert changed.results[0]["rule"] == "stix-different-content"
    # Another source with the same id hears nothing of all this.
    assert outcomes(submit(other, one | {"name": "別的", "created": "2026-10-01T00:00:00.000Z"})) == ["accepted"]
    assert Item.objects.count() == 3


def test_twice_in_one_body() -> None:
    by = member("甲電子")
    one = indicator()
    newer = one | {"modified": "2026-11-02T00:00:00.000Z"}
    made = submit(by, one, one, one | {"name": "x"}, newer)
    assert outcomes(made) == ["accepted", "duplicate", "refused", "new_version"]
    assert Version.objects.count() == 2
    assert Item.objects.count() == 1


@pytest.mark.parametrize(("change", "rule"), [
    ({"created": "2026-10-01T00:00:00.000Z"}, "stix-created-changed"),
    ({"created_by_ref": f"identity--{uuid4()}"}, "stix-creator-changed"),
])  # fmt: skip
def test_what_no_version_may_change(change: dict[str, str], rule: str) -> None:
    by = member("甲電子")
    one = indicator()
    submit(by, one)
    made = submit(by, one | {"modified": "2026-11-02T00:00:00.000Z"} | change)
    assert made.results[0]["rule"] == rule


def test_nothing_follows_a_revoked_version() -> None:
    by = member("甲電子")
    one = indicator()
    submit(by, one | {"revoked": True})
    assert submit(by, one | {"modified": "2026-11-02T00:00:00.000Z"}).results[0]["rule"] == "stix-after-revoked"


def test_one_key_is_one_submission() -> None:
    by, key = member("甲電子"), uuid4()
    body = bundle(indicator())
    first = intake.submit(by=by, at=AT, body=body, form=EVERYONE, channel=Channel.PAGE, key=key)
    second = intake.submit(by=by, at=later(), body=bundle(indicator()), form=EVERYONE, channel=Channel.PAGE, key=key)
    assert first.pk == second.pk
    assert Version.objects.count() == 1


def test_the_same_body_within_a_day_is_one_submission() -> None:
    by = member("甲電子")
    body = bundle(indicator())
    first = intake.submit(by=by, at=AT, body=body, form=EVERYONE, channel=Channel.TAXII)
    assert intake.submit(by=by, at=later(), body=body, form=EVERYONE, channel=Channel.TAXII).pk == first.pk
    assert intake.submit(by=by, at=later(), body=body, form=HIDDEN, channel=Channel.TAXII).pk != first.pk
    assert Submission.objects.count() == 2


def test_who_may_not_submit_is_refused() -> None:
    gone = member("甲電子", standing=Standing.REVOKED)
    with pytest.raises(Refusal) as refused:
        submit(gone, indicator())
    assert refused.value.rule == "F-standing"
    reading = token(member("乙銀行"), Right.READ)
    with pytest.raises(Refusal):
        submit(reading, indicator())


def test_no_label_anywhere_goes_to_the_coordinator() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submit(by, indicator(), form=LabelForm())
    assert not taxii(reader).items
    assert len(taxii(analyst()).items) == 1


def test_red_by_token_is_for_the_submitter_alone() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    red = indicator(labels=["TLP:RED"])
    made = submit(token(by), red)
    assert "red-named-only" in made.results[0]["findings"]
    assert not taxii(reader).items
    assert not taxii(analyst()).items
    version = Version.objects.get()
    assert store.label(version.label_id).audience == Audience.persons()


def test_named_persons_need_red() -> None:
    by = member("甲電子")
    named = Audience.persons(Named(uuid4(), uuid4()))
    with pytest.raises(Refusal) as refused:
        submit(by, indicator(), form=LabelForm(tlp=Tlp.AMBER, audience=named))
    assert refused.value.field == "audience"


def test_an_unknown_tlp_waits_in_quarantine() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    made = submit(by, indicator(object_marking_refs=[f"marking-definition--{uuid4()}"]))
    assert made.results[0]["state"] == "quarantined"
    assert made.results[0]["tlp"] == "TLP:RED"
    assert not taxii(reader).items


def test_a_statement_marking_that_came_before_is_remembered() -> None:
    by = member("甲電子")
    statement = {
        "type": "marking-definition", "spec_version": "2.1", "id": f"marking-definition--{uuid4()}",
        "created": "2026-01-01T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "© x"},
    }  # fmt: skip
    submit(by, statement)
    assert submit(by, indicator(object_marking_refs=[statement["id"]])).results[0]["state"] == "published"
    other = member("乙銀行")
    assert submit(other, indicator(object_marking_refs=[statement["id"]])).results[0]["state"] == "quarantined"


def test_an_unmarked_new_version_stays_as_strict() -> None:
    by = member("甲電子")
    one = indicator()
    submit(by, one, form=LabelForm(tlp=Tlp.RED, audience=Audience.persons()))
    made = submit(by, one | {"modified": "2026-11-02T00:00:00.000Z"}, form=LabelForm())
    assert made.results[0]["tlp"] == "TLP:RED"


def test_an_item_once_above_amber_remembers_it() -> None:
    by = member("甲電子")
    one = indicator()
    submit(by, one, form=LabelForm(tlp=Tlp.AMBER_STRICT, audience=Audience.alliance()))
    submit(by, one | {"modified": "2026-11-02T00:00:00.000Z"}, form=EVERYONE)
    newest = Version.objects.order_by("-modified").first()
    assert newest is not None
    assert store.label(newest.label_id).once_above_amber


def test_an_embargo_narrows_the_line_to_source_and_named_analysts() -> None:
    by = member("甲電子")
    submit(by, indicator(), form=LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), not_before=later(3600)))
    label = store.label(LogEntry.objects.get().label_id)
    assert label.narrowed_to.kind is NarrowedKind.SOURCE
    assert store.label(Version.objects.get().label_id).narrowed_to.kind is NarrowedKind.NONE


def test_a_thousand_submissions_share_one_label() -> None:
    by = member("甲電子")
    for second in range(5):
        submit(by, indicator(), at=later(second))
    assert Version.objects.values("label").distinct().count() == 1


# -- containers ------------------------------------------------------------------------------------------------------


def test_a_container_is_at_least_as_strict_as_what_it_binds() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    open_one, strict = indicator(), malware()
    submit(by, strict, form=LabelForm(tlp=Tlp.GREEN, audience=Audience.coordinator_only()))
    submit(by, open_one, relationship(open_one["id"], strict["id"]), relationship(open_one["id"], f"tool--{uuid4()}"))
    assert len(taxii(reader).items) == 2
    assert len(taxii(by).items) == 4
    container = Version.objects.get(item__type="relationship", bindings__bound__item__stix_id=strict["id"])
    (required,) = store.label(container.label_id).requires
    assert required.audience.kind is AudienceKind.COORDINATOR_ONLY


def test_containers_bind_through_one_another_in_one_body() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one, strict = indicator(), malware(labels=["tlp:red"])
    first = relationship(one["id"], strict["id"])
    note = {
        "type": "note", "spec_version": "2.1", "id": f"note--{uuid4()}", "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z", "content": "x", "object_refs": [first["id"]],
    }  # fmt: skip
    submit(by, note, first, one, strict)
    assert ids(taxii(reader)) == [one["id"]]


def test_what_others_hold_binds_nothing() -> None:
    by, other, reader = member("甲電子"), member("乙銀行"), member("丙保險")
    theirs = malware()
    submit(other, theirs, form=LabelForm(tlp=Tlp.GREEN, audience=Audience.coordinator_only()))
    one = indicator()
    link = relationship(one["id"], theirs["id"])
    submit(by, one, link)
    assert ids(taxii(reader)) == [one["id"], link["id"]]
    submit(other, theirs | {"modified": "2026-11-02T00:00:00.000Z"}, form=EVERYONE)
    assert Binding.objects.filter(container__item__stix_id=link["id"]).count() == 1


# -- names of sources ------------------------------------------------------------------------------------------------


def test_a_source_that_stays_unnamed() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    me = {
        "type": "identity", "spec_version": "2.1", "id": f"identity--{uuid4()}", "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z", "name": "甲電子", "identity_class": "organization",
    }  # fmt: skip
    one = indicator(created_by_ref=me["id"], x_internal="case 7")
    other = malware(created_by_ref=me["id"])
    link = relationship(one["id"], other["id"], created_by_ref=me["id"])
    made = submit(by, me, one, other, link, form=HIDDEN)
    assert outcomes(made) == ["accepted"] * 4
    page = taxii(reader)
    text = b"".join(found.body for found in page.items).decode()
    for secret in (me["id"], one["id"], other["id"], link["id"], "甲電子", "case 7"):
        assert secret not in text
        assert secret not in ids(page)
    assert len(page.items) == 3
    by_type = {found.type: json.loads(found.body) for found in page.items}
    assert by_type["relationship"]["source_ref"] == by_type["indicator"]["id"]
    assert by_type["relationship"]["target_ref"] == by_type["malware"]["id"]
    assert by_type["indicator"]["created_by_ref"] == NEUTRAL
    assert {json.loads(found.body)["id"] for found in page.items} == set(ids(page))
    # The source and the analysts have the original, the identity included.
    for privileged in (by, analyst()):
        assert me["id"] in ids(taxii(privileged))
        assert any(found.body == json.dumps(one).encode() for found in taxii(privileged).items)


def test_a_new_version_keeps_its_served_id() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    submit(by, one, form=HIDDEN)
    (first,) = ids(taxii(reader))
    submit(by, one | {"modified": "2026-11-02T00:00:00.000Z"}, form=HIDDEN)
    assert ids(taxii(reader)) == [first]


@pytest.mark.parametrize("place", ["name", "description"])
def test_a_text_that_names_the_source_waits_for_an_analyst(place: str) -> None:
    by, reader = member("甲電子"), member("乙銀行")
    made = submit(by, indicator(**{place: "由 甲電子 提供"}), form=HIDDEN)
    assert made.results[0]["state"] == State.QUARANTINED
    assert made.results[0]["findings"] == ["names-itself"]
    assert not taxii(reader).items


def test_a_reference_that_names_the_source_waits_for_an_analyst() -> None:
    by = member("甲電子")
    shown = malware()
    submit(by, shown)
    made = submit(by, relationship(f"indicator--{uuid4()}", shown["id"]), form=HIDDEN)
    assert "names-by-reference" in made.results[0]["findings"]


def test_two_unnamed_sources_have_nothing_in_common() -> None:
    by, other, reader = member("甲電子"), member("丙保險"), member("乙銀行")
    one = indicator()
    submit(by, one, form=HIDDEN)
    submit(other, indicator(), form=HIDDEN)
    assert len(set(ids(taxii(reader)))) == 2
    assert NameSource.COORDINATOR is HIDDEN.name_source
