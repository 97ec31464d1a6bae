"""What a form says becomes a label: never wider than what was said, and where nothing was said, hardly anybody."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts.models import Organization
from lianfang.intel import intake, markings, queries
from lianfang.intel.forms import ReleaseForm, StopForm, WhoForm
from lianfang.intel.labelling import LONGEST_EMBARGO_DAYS, LabelForm, hold, last_change_of_standing
from lianfang.intel.markings import KNOWN, TLP_1, TLP_2, Marked, marked, resolve
from lianfang.intel.models import Embargo, LogEntry, Submission, Version
from lianfang.intel.stix import TIMELESS
from lianfang.kernel.canonical import canonical
from lianfang.kernel.refusal import Refusal
from lianfang.policy import store
from lianfang.policy.compare import is_wider
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Kind,
    Label,
    Named,
    NameSource,
    Pair,
    Request,
    Right,
    Source,
    State,
    Subject,
    Tlp,
    Upstream,
    UpstreamKind,
)
from tests.intel.cast import AT, EVERYONE, analyst, bundle, ids, indicator, later, member, of, submit, taxii, token

UNKNOWN = [f"marking-definition--{UUID(int=number, version=4)}" for number in range(3)]
NAMED = Audience.persons(Named(UUID(int=1), UUID(int=2)))
PERSON = Subject(kind=Kind.PERSON, person=UUID(int=5), pair=Pair(UUID(int=6), UUID(int=6)))
NEWER = "2026-11-02T00:00:00.000Z"


# -- markings --------------------------------------------------------------------------------------------------------

REFS = st.lists(st.sampled_from([*sorted(KNOWN), *UNKNOWN]), max_size=4)
WORDS = ["tlp:red", "TLP:Green", "tlp:amber+strict", "tlp:white", "tlp:purple", "x", "pap:red"]
TAGS = st.lists(st.sampled_from(WORDS), max_size=3)
AUDIENCES = st.sampled_from([None, Audience.alliance(), Audience.coordinator_only(), Audience.groups(UUID(int=9))])


def label(resolved: markings.Resolved) -> Label:
    return Label(
        sources=frozenset({Source(pair=PERSON.pair)}), submitted_by=PERSON.person, owner=PERSON.pair, tlp=resolved.tlp,
        audience=resolved.audience, shared_at=AT,
        state=State.QUARANTINED if resolved.quarantined else State.PUBLISHED,
    )  # fmt: skip


@given(refs=REFS, more=REFS, tags=TAGS, added=TAGS, form=st.sampled_from([None, *Tlp]), audience=AUDIENCES,
       by_token=st.booleans())  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_marking_more_never_widens(
    refs: list[str], more: list[str], tags: list[str], added: list[str], form: Tlp | None, audience: Audience | None,
    by_token: bool,
) -> None:  # fmt: skip
    given_ = {"form_tlp": form, "audience": audience, "predecessor": None, "by_token": by_token}
    few = marked({"object_marking_refs": refs, "labels": tags}, {})
    many = marked({"object_marking_refs": refs + more, "labels": tags + added}, {})
    assert (many.tlp or Tlp.CLEAR) >= (few.tlp or Tlp.CLEAR)
    assert many.quarantined >= few.quarantined
    assert (many.pap or 0) >= (few.pap or 0)
    before, after = resolve(marked=few, **given_), resolve(marked=many, **given_)  # type: ignore[arg-type]
    # But for one case: what nobody marked is AMBER+STRICT, and a marking may say less.
    if few.tlp is not None or form is not None:
        assert after.tlp >= before.tlp
        assert not is_wider(old=label(before), new=label(after))


@given(refs=REFS, tags=TAGS, granular=REFS)
@settings(max_examples=150, deadline=None)
def test_a_granular_marking_counts_as_one_of_the_whole(refs: list[str], tags: list[str], granular: list[str]) -> None:
    whole = marked({"object_marking_refs": refs + granular, "labels": tags}, {})
    parts = [{"marking_ref": ref, "selectors": ["name"]} for ref in granular]
    mixed = marked({"object_marking_refs": refs, "granular_markings": parts, "labels": tags}, {})
    assert mixed == whole


@pytest.mark.parametrize("language", [{"lang": "en", "selectors": ["name"]}])
def test_the_language_of_a_part_is_no_marking(language: dict[str, Any]) -> None:
    assert marked({"granular_markings": [language]}, {}) == Marked()


@pytest.mark.parametrize("text", [
    "tlp:red", "TLP:RED", "Tlp:Red", " tlp:red ", "tlp: red", "tlp=red", 'tlp:"red"', "TLP:Red ", "tlp:RED\n",
])  # fmt: skip
def test_a_tag_is_read_in_any_case_and_spelling(text: str) -> None:
    assert marked({"labels": [text]}, {}) == Marked(Tlp.RED)


@pytest.mark.parametrize("text", ["tlp:", "tlp:ex:chr", "tlp:amber +strict", "TLP:BLACK", "tlp:unclear"])
def test_a_tag_that_speaks_of_tlp_and_says_nothing_known_is_red_and_held(text: str) -> None:
    found = marked({"labels": [text]}, {})
    assert (found.tlp, found.quarantined) == (Tlp.RED, True)


@pytest.mark.parametrize("text", ["red", "my-tlp:red", "not tlp:red", "tlpred", "phishing", ""])
def test_a_label_that_only_looks_like_a_tag_is_none(text: str) -> None:
    assert marked({"labels": [text]}, {}) == Marked()


@pytest.mark.parametrize("wrong", [None, "tlp:red", {"tlp": "red"}, [None], [5], [["tlp:red"]], [{}]])
def test_markings_of_another_form_are_nothing(wrong: Any) -> None:
    """The schema refuses them; what is asked before it must not fall over them."""
    assert marked({"labels": wrong}, {}) == Marked()
    if not isinstance(wrong, str):
        assert marked({"granular_markings": wrong if isinstance(wrong, list) else []}, {}) == Marked()


@pytest.mark.parametrize(("one", "other"), list(itertools.product(sorted(TLP_1), sorted(TLP_2)))[::3])
def test_two_dialects_together_are_no_contradiction_unless_they_differ(one: str, other: str) -> None:
    found = marked({"object_marking_refs": [one, other]}, {})
    assert found.tlp == max(KNOWN[one], KNOWN[other])
    assert found.findings == (() if KNOWN[one] == KNOWN[other] else ("tlp-several",))


# -- the form --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tlp", [None, *Tlp])
def test_named_persons_go_with_red_alone(tlp: Tlp | None) -> None:
    form = LabelForm(tlp=tlp, audience=NAMED)
    if tlp is Tlp.RED:
        form.check(subject=PERSON, at=AT)
        return
    with pytest.raises(Refusal) as refused:
        form.check(subject=PERSON, at=AT)
    assert (refused.value.rule, refused.value.field, refused.value.clause) == ("label-named-red", "audience", "TLP")


def test_a_form_needs_an_organisation_and_an_embargo_an_end() -> None:
    with pytest.raises(Refusal) as refused:
        EVERYONE.check(subject=replace(PERSON, pair=None), at=AT)
    assert refused.value.rule == "G-submit"
    for days, fine in ((LONGEST_EMBARGO_DAYS, True), (LONGEST_EMBARGO_DAYS + 1, False), (-5000, True)):
        form = replace(EVERYONE, not_before=AT + timedelta(days=days))
        if fine:
            form.check(subject=PERSON, at=AT)
        else:
            with pytest.raises(Refusal, match="within a year"):
                form.check(subject=PERSON, at=AT)


FORMS = st.builds(
    LabelForm, tlp=st.sampled_from([None, *Tlp]), audience=AUDIENCES, name_source=st.sampled_from(NameSource),
    upstream=st.sampled_from([Upstream(), hold(), Upstream(UpstreamKind.PERMITTED, frozenset({UUID(int=3)}),
                              until=AT + timedelta(days=3))]),
    not_before=st.sampled_from([None, AT, AT + timedelta(days=2)]),
    named_analysts=st.sampled_from([frozenset(), frozenset({UUID(int=8)})]),
)  # fmt: skip


@given(one=FORMS, other=FORMS)
@settings(max_examples=150, deadline=None)
def test_two_forms_are_kept_alike_only_if_they_say_the_same(one: LabelForm, other: LabelForm) -> None:
    """The kept form is part of what makes a body sent twice the same submission."""
    assert (canonical(one.as_json()) == canonical(other.as_json())) == (one == other)
    assert json.loads(json.dumps(one.as_json())) == one.as_json()


@given(form=FORMS, by_token=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_label_that_the_form_shows_is_never_wider_than_what_it_says(form: LabelForm, by_token: bool) -> None:
    made = form.label(subject=PERSON, at=AT)
    assert made.tlp == (form.tlp if form.tlp is not None else Tlp.AMBER_STRICT)
    if form.audience is None:
        assert made.audience.kind in (AudienceKind.COORDINATOR_ONLY, AudienceKind.PERSONS)
    if made.tlp is Tlp.RED:
        assert made.audience == Audience.persons()
    assert (made.upstream, made.not_before, made.name_source) == (form.upstream, form.not_before, form.name_source)
    assert made.owner == PERSON.pair
    assert {source.pair for source in made.sources} == {PERSON.pair}


# -- what intake makes of it -----------------------------------------------------------------------------------------


def made(number: int = 0) -> Label:
    return store.label(Version.objects.order_by("pk")[number].label_id)


@pytest.mark.django_db
def test_where_nobody_says_anything_only_the_coordinator_reads() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    submission = submit(by, one := indicator(), form=LabelForm())
    assert submission.results[0]["tlp"] == "TLP:AMBER+STRICT"
    assert (made().tlp, made().audience, made().name_source) == (
        Tlp.AMBER_STRICT, Audience.coordinator_only(), NameSource.COORDINATOR,
    )  # fmt: skip
    assert not taxii(reader).items
    assert ids(taxii(analyst())) == [one["id"]]


@pytest.mark.django_db
@pytest.mark.parametrize(("own", "form", "expected"), [
    ("tlp:red", Tlp.GREEN, Tlp.RED), ("tlp:green", Tlp.RED, Tlp.RED), ("tlp:white", None, Tlp.CLEAR),
    ("tlp:clear", Tlp.AMBER, Tlp.AMBER), ("tlp:amber", Tlp.CLEAR, Tlp.AMBER), (None, Tlp.CLEAR, Tlp.CLEAR),
])  # fmt: skip
def test_of_form_and_object_the_stricter_and_the_submitter_is_told(
    own: str | None, form: Tlp | None, expected: Tlp
) -> None:
    by = member("甲電子")
    submission = submit(
        by, indicator(labels=[own] if own else None), form=LabelForm(tlp=form, audience=Audience.alliance())
    )
    (result,) = submission.results
    assert result["tlp"] == expected.label
    assert ("tlp-stricter" in result["findings"]) is (own is not None and form is not None)
    assert ("red-named-only" in result["findings"]) is (expected is Tlp.RED)


@pytest.mark.django_db
@pytest.mark.parametrize("by_token", [True, False])
def test_red_is_for_its_submitter_on_the_page_alone_and_the_result_says_so(by_token: bool) -> None:
    by = member("甲電子")
    assert by.pair is not None
    colleague = of(by.pair)
    named = Audience.persons(Named(colleague.person or UUID(int=0), by.pair.organization))
    one = indicator()
    submission = submit(token(by) if by_token else by, one, form=LabelForm(tlp=Tlp.RED, audience=None))
    assert submission.results[0]["findings"] == ["red-named-only"]
    for who, channel, sees in (
        (by, Channel.PAGE, True), (colleague, Channel.PAGE, False), (analyst(), Channel.PAGE, False),
        (by, Channel.LIST, False), (by, Channel.TAXII, False), (token(by), Channel.PAGE, False),
    ):  # fmt: skip
        request = Request(channel=channel)
        seen = queries.get_visible(subject=who, stix_id=one["id"], at=AT, request=request)
        assert (seen is not None) is sees, (who, channel)
    other = indicator()
    submit(by, other, form=LabelForm(tlp=Tlp.RED, audience=named))
    assert queries.get_visible(
        subject=colleague, stix_id=other["id"], at=AT, request=Request(channel=Channel.PAGE)
    ) is not None  # fmt: skip


@pytest.mark.django_db
def test_an_agreement_of_the_source_is_stronger_than_the_label() -> None:
    by, permitted, other = member("甲電子"), member("乙銀行"), member("丙保險")
    assert permitted.pair is not None
    until = later(3600)
    terms = Upstream(UpstreamKind.PERMITTED, frozenset({permitted.pair.group}), until=until)
    held, given_ = indicator(), indicator()
    submit(by, held, form=replace(EVERYONE, upstream=hold()))
    submit(by, given_, form=replace(EVERYONE, upstream=terms))
    looker = analyst()
    # What is held reaches no analyst that was not named either; what is permitted does.
    for who, at, expected in (
        (by, AT, [held, given_]), (permitted, AT, [given_]), (other, AT, []), (looker, AT, [given_]),
        (permitted, until - timedelta(microseconds=1), [given_]), (permitted, until, []), (by, until, [held, given_]),
    ):  # fmt: skip
        assert ids(taxii(who, at=at)) == [one["id"] for one in expected], (who, at)


@pytest.mark.django_db
def test_an_unmarked_new_version_takes_the_stricter_of_default_and_before() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    one = indicator()
    silent = LabelForm(name_source=NameSource.EVERYONE)
    submit(by, one)
    submit(by, one | {"modified": NEWER}, form=silent)
    newest = store.label(Version.objects.latest("modified").label_id)
    assert (newest.tlp, newest.audience) == (Tlp.AMBER_STRICT, Audience.alliance())
    (found,) = taxii(reader).items
    assert found.version == NEWER
    submit(by, one | {"modified": "2026-11-03T00:00:00.000Z"}, form=replace(silent, tlp=Tlp.RED, audience=NAMED))
    (last,) = taxii(reader).items
    # The last that this reader may read.
    assert last.version == NEWER
    made_ = submit(by, one | {"modified": "2026-11-04T00:00:00.000Z"}, form=silent)
    assert made_.results[0]["tlp"] == "TLP:RED"
    assert store.label(Version.objects.latest("modified").label_id).audience == NAMED


@pytest.mark.django_db
def test_a_false_tlp_definition_is_held_and_so_is_what_it_marks() -> None:
    by, reader = member("甲電子"), member("乙銀行")
    (green,) = (ref for ref, tlp in TLP_2.items() if tlp is Tlp.GREEN)
    false = {
        "type": "marking-definition", "spec_version": "2.1", "id": green, "created": "2022-10-01T00:00:00.000Z",
        "name": "TLP:RED", "definition_type": "statement", "definition": {"statement": "x"},
    }  # fmt: skip
    marked_ = indicator(object_marking_refs=[green])
    submission = submit(by, false, marked_)
    assert [result["state"] for result in submission.results] == ["quarantined", "quarantined"]
    assert {result["tlp"] for result in submission.results} == {"TLP:RED"}
    assert not taxii(reader).items
    # Of another submission that brings no definition the id means what everybody means by it.
    submit(reader, indicator(object_marking_refs=[green]))
    assert len(taxii(by).items) == 1


@pytest.mark.django_db
def test_what_is_said_once_for_a_submission_holds_for_every_object_of_it() -> None:
    by = member("甲電子")
    form = replace(EVERYONE, not_before=later(60), upstream=hold(), named_analysts=frozenset({uuid4()}))
    submit(by, *[indicator() for _ in range(4)], form=form)
    assert Version.objects.values("label").distinct().count() == 1
    assert (made().upstream, made().not_before, made().named_analysts) == (
        hold(), form.not_before, form.named_analysts,
    )  # fmt: skip
    assert Embargo.objects.get().not_before == later(60)
    assert LogEntry.objects.values("label").distinct().count() == 1
    assert Submission.objects.get().form == form.as_json()


@pytest.mark.django_db
def test_a_key_of_somebody_else_is_not_theirs() -> None:
    by = member("甲電子")
    assert by.pair is not None
    body = bundle(indicator())
    first = intake.submit(by=by, at=AT, body=body, form=EVERYONE, channel=Channel.TAXII)
    for who in (of(by.pair), member("乙銀行"), token(by)):
        made_ = intake.submit(by=who, at=AT, body=body, form=EVERYONE, channel=Channel.TAXII)
        assert made_.pk != first.pk
    assert queries.submission_of(subject=by, number=first.pk) == first
    assert queries.submission_of(subject=of(by.pair), number=first.pk) == first
    assert queries.submission_of(subject=token(by), number=first.pk) is None
    assert queries.submission_of(subject=member("丙保險"), number=first.pk) is None
    assert queries.submission_of(subject=Subject.public(), number=first.pk) is None
    a_day_on = AT + timedelta(days=1)
    assert intake.submit(by=by, at=a_day_on, body=body, form=EVERYONE, channel=Channel.TAXII).pk != first.pk


@pytest.mark.django_db
@pytest.mark.parametrize("right", [Right.READ, Right.EXPORT])
def test_a_token_without_the_right_submits_nothing(right: Right) -> None:
    with pytest.raises(Refusal):
        submit(token(member("甲電子"), right), indicator())
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_before_any_membership_the_last_change_is_the_beginning_of_time() -> None:
    assert last_change_of_standing(AT) == TIMELESS


# -- forms of the pages ----------------------------------------------------------------------------------------------

CHOSEN = {"tlp": "GREEN", "audience": "alliance", "upstream": "none", "name_source": "everyone"}


@pytest.mark.django_db
def test_a_form_that_is_not_whole_says_what_was_chosen_so_far() -> None:
    form = WhoForm({})
    assert not form.is_valid()
    assert form.label_form(at=AT) == LabelForm()
    half = WhoForm({"tlp": "AMBER"})
    half.is_valid()
    assert half.label_form(at=AT) == LabelForm(tlp=Tlp.AMBER)


@pytest.mark.django_db
def test_an_embargo_is_meant_in_taipei_to_the_minute() -> None:
    form = WhoForm(CHOSEN | {"embargo_date": "2026-11-24", "embargo_time": "09:30"})
    assert form.is_valid()
    assert form.label_form(at=AT).not_before == datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    bare = WhoForm(CHOSEN | {"embargo_date": "2026-11-24"})
    assert bare.is_valid()
    assert bare.label_form(at=AT).not_before == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["a@b", "@", "nobody@example.test", "a@b, c@d; e@f\n\n", "，；", "x" * 5000, "a@b\0"])
def test_addresses_that_nobody_has_stand_for_nobody_in_silence(text: str) -> None:
    """As for one that somebody has, the label names a person: an audience without anybody would tell the difference."""
    form = WhoForm(CHOSEN | {"tlp": "RED", "audience": "persons", "persons": text})
    if "\0" in text:
        assert not form.is_valid()
        return
    assert form.is_valid()
    audience = form.label_form(at=AT).audience
    assert audience is not None
    assert audience.kind is AudienceKind.PERSONS
    assert len(audience.members) == text.count("@")
    assert {named.organization for named in audience.members if isinstance(named, Named)} <= {UUID(int=0)}


@pytest.mark.django_db
def test_business_numbers_are_found_in_whatever_is_pasted_and_unknown_ones_permit_nobody() -> None:
    known = member("乙銀行")
    assert known.pair is not None
    from django.db import transaction

    from lianfang.audit.actions import record
    from lianfang.audit.tags import Tag

    with transaction.atomic():
        Organization.objects.filter(pk=known.pair.organization).update(ubn="90001234")
        record(by=known, at=AT, about=("test", "1"), tag=Tag.AUDIT_LEDGER_VERIFY)
    asked = {"upstream": "permitted", "upstream_members": "統編：90001234、12345678 123456789 1234567"}
    form = WhoForm(CHOSEN | asked)
    assert form.is_valid()
    assert form.label_form(at=AT).upstream == Upstream(
        UpstreamKind.PERMITTED, groups=frozenset({known.pair.organization})
    )
    assert WhoForm(CHOSEN | asked | {"upstream_members": "123456789"}).errors["upstream_members"]
    none = WhoForm(CHOSEN | asked | {"upstream_members": "12345678"})
    assert none.is_valid()
    assert none.label_form(at=AT).upstream == Upstream(UpstreamKind.PERMITTED)


def test_the_release_form_and_the_stop_form() -> None:
    form = ReleaseForm({"tlp": "AMBER_STRICT", "audience": "coordinator_only"})
    assert form.is_valid()
    assert form.chosen() == (Tlp.AMBER_STRICT, Audience.coordinator_only())
    assert not ReleaseForm({"tlp": "PURPLE", "audience": "alliance"}).is_valid()
    assert not ReleaseForm({"tlp": "GREEN", "audience": "persons"}).is_valid()
    assert not StopForm({"reason": " "}).is_valid()
    assert not StopForm({"reason": "x" * 2001}).is_valid()
    assert StopForm({"reason": "x"}).is_valid()
