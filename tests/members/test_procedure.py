"""The form of application as data, and its rules: what is asked, when, and what is wrong with an answer."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.members import procedure
from lianfang.members.checking import applicant_row, check, missing, roster_hash, roster_rows
from lianfang.members.procedure import Spec
from tests.world import answers as typed
from tests.world import business_number

SPEC = Spec(procedure.shipped(1))
FILES = {"registration": 1}
CONSTITUENTS = (("戊示範資訊有限公司", business_number(41)), ("沒有統編的協會", ""))


def whole(**more: Any) -> dict[str, dict[str, Any]]:
    """Everything answered rightly."""
    found = typed(name="甲示範電子股份有限公司", place=1, people="p.example", **{"constituents": CONSTITUENTS, **more})
    found["attestation"]["roster_hash"] = roster_hash(found)
    found["review"] = {"accept_charter": True, "accept_privacy": True, "electronic": "agree"}
    return found


def faults(step: str, given_: dict[str, dict[str, Any]] | None = None, /, **changed: Any) -> dict[str, str]:
    """What is wrong with a page on which these answers were changed, in English."""
    found = copy.deepcopy(given_ or whole())
    found[step] |= changed
    return {name: reason.en for name, reason in check(SPEC.step(step), found, found[step], FILES).items()}


# The specification as data


def test_the_edition_is_known_by_its_digest_whatever_the_order_of_its_keys() -> None:
    spec = procedure.shipped(1)
    turned = json.loads(json.dumps(spec, sort_keys=True))
    assert procedure.sha256(spec) == procedure.sha256(turned)
    assert len(procedure.sha256(spec)) == 32
    turned["periods"]["review_days"] = 31
    assert procedure.sha256(spec) != procedure.sha256(turned)


def test_every_word_of_the_edition_stands_in_both_languages() -> None:
    def pairs(node: Any) -> Any:
        if isinstance(node, dict):
            if set(node) == {"zh", "en"}:
                yield node
            else:
                for value in node.values():
                    yield from pairs(value)
        elif isinstance(node, list):
            for value in node:
                yield from pairs(value)

    found = list(pairs(SPEC.raw))
    assert len(found) > 80
    for pair in found:
        assert pair["zh"].strip(), pair
        assert pair["en"].strip(), pair
        assert pair["zh"] != pair["en"] or pair["zh"].isascii(), pair


def test_the_steps_lead_one_to_the_next() -> None:
    names = [step.id for step in SPEC.steps]
    assert names == ["eligibility", "organization", "roster", "people", "attestation", "attachments", "review"]
    assert [SPEC.number(name) for name in names] == list(range(1, 8))
    assert [step.id if (step := SPEC.after(name)) else None for name in names] == [*names[1:], None]
    assert [step.id if (step := SPEC.before(name)) else None for name in names] == [None, *names[:-1]]
    with pytest.raises(KeyError):
        SPEC.step("nothing")
    with pytest.raises(KeyError, match=r"organization\.nothing"):
        SPEC.field("organization", "nothing")


def test_no_two_questions_of_a_step_share_a_name_and_every_condition_names_a_question() -> None:
    for step in SPEC.steps:
        assert step.why, f"{step.id} does not say why it asks"
        names = [field.name for field in step.fields]
        assert len(set(names)) == len(names)
        assert set(step.distinct) <= set(names)
        for field in step.fields:
            if rule := field.raw.get("required_if"):
                asked = SPEC.field(rule["step"], rule["field"])
                assert set(rule["in"]) <= {option["value"] for option in asked.options}
            if field.type in ("choice", "radio"):
                assert field.options


def test_nothing_is_asked_about_people_but_name_title_and_contact() -> None:
    """Charter 5.1.2: no identity number, no birthday, no address of a person, no picture."""
    asked = {field.name.split("_", 1)[1] for field in SPEC.step("people").fields}
    assert asked == {"name", "title", "email", "phone"}


def test_coded_reasons_name_their_clause_and_periods_are_days() -> None:
    assert (SPEC.review_days, SPEC.correction_days) == (30, 14)
    assert [reason["clause"] for reason in SPEC.reasons("approve")] == ["1.3"]
    assert {reason["clause"] for reason in SPEC.reasons("reject")} == {"1.1", "1.2", "1.3", "5.3", "6"}
    assert SPEC.reason("reject", "eligible") is None
    assert SPEC.reason("approve", "eligible") is not None
    assert {method["value"] for method in SPEC.authority_methods} >= {"registry", "call_back"}


# What is asked


@pytest.mark.parametrize(
    ("kind", "asked", "not_asked"),
    [
        ("twse", {"stock_code"}, {"certificate_number", "authority"}),
        ("tpex", {"stock_code"}, {"certificate_number", "authority"}),
        ("association", {"certificate_number", "authority"}, set()),
    ],
)
def test_each_kind_has_its_own_proof(kind: str, asked: set[str], not_asked: set[str]) -> None:
    given_ = whole(kind=kind)
    required = {field.name for field in SPEC.step("organization").fields if field.required(given_)}
    assert asked <= required
    assert not required & not_asked
    for name in asked:
        assert faults("organization", given_, **{name: " "}) == {name: "Fill this in."}


def test_another_kind_voids_the_pages_that_answered_the_first() -> None:
    given_ = whole()
    assert missing(SPEC, given_, FILES) == []
    given_["eligibility"]["kind"] = "association"
    assert {one.field for one in missing(SPEC, given_, FILES)} == {"certificate_number", "authority"}


@pytest.mark.parametrize("ground", ["written_authority", "board_resolution"])
def test_who_signs_for_another_proves_it_by_a_file(ground: str) -> None:
    given_ = whole()
    given_["attestation"]["attester_ground"] = ground
    assert [(one.step, one.field) for one in missing(SPEC, given_, FILES)] == [("attachments", "authority_letter")]
    assert missing(SPEC, given_, {**FILES, "authority_letter": 1}) == []


@pytest.mark.parametrize("regime", ["government_agency", "specific_non_government"])
def test_an_authority_of_cyber_security_is_asked_of_whom_the_law_covers(regime: str) -> None:
    assert faults("organization", csma_regime=regime) == {"csma_authority": "Fill this in."}
    assert faults("organization", csma_regime=regime, csma_authority="數位發展部") == {}
    assert faults("organization", csma_regime="none", csma_authority="") == {}
    assert SPEC.field("organization", "csma_authority").applies(whole()), "on the same page it is always in sight"
    assert not SPEC.field("organization", "certificate_number").applies(whole()), (
        "that of another page is put when it is due"
    )


# What is wrong with an answer


def test_a_form_that_is_right_has_nothing_missing() -> None:
    for kind in ("twse", "tpex", "association"):
        assert missing(SPEC, whole(kind=kind), FILES) == []


def test_of_an_empty_form_everything_is_missing_in_the_order_of_the_form() -> None:
    found = missing(SPEC, {}, {})
    places = [SPEC.number(one.step) for one in found]
    assert places == sorted(places)
    assert {one.step for one in found} == {step.id for step in SPEC.steps} - {"roster"}, "a roster may be empty"
    assert all(one.reason.zh and one.reason.en and one.label.zh for one in found)
    assert {one.step for one in missing(SPEC, {}, {}, but=frozenset({"review", "people"}))}.isdisjoint(
        {"review", "people"}
    )


@pytest.mark.parametrize("kind", ["emerging", "other"])
def test_who_is_not_eligible_is_told_why_on_the_first_page(kind: str) -> None:
    option = SPEC.field("eligibility", "kind").option(kind)
    assert option is not None
    assert faults("eligibility", kind=kind) == {"kind": option["refuse"]["en"]}


@pytest.mark.parametrize("kind", ["", "nonsense", "TWSE", None])
def test_a_kind_is_one_of_the_list(kind: Any) -> None:
    assert faults("eligibility", kind=kind) == {"kind": "Choose one."}


@pytest.mark.parametrize(
    "address",
    [
        "name@example.tw", "a.b+c@sub.example.com.tw", "x@1-2.example", "!#$%&'*+/=?^_`{|}~-@example.tw",
        "a" * 64 + "@example.tw",
    ],
)  # fmt: skip
def test_addresses_of_mail_that_work(address: str) -> None:
    assert faults("eligibility", email=address) == {}


@pytest.mark.parametrize(
    "address",
    [
        "name", "name@", "@example.tw", "name@example", "a b@example.tw", "name@exa_mple.tw", "name@-example.tw",
        "name@example.tw.", "name@example..tw", "名@example.tw", "name@例.tw", "a@b@example.tw", "<name@example.tw>",
        "name@example.tw\nBcc: x@y.tw", "a" * 65 + "@example.tw", "name@[127.0.0.1]", "name@example.tw,b@example.tw",
    ],
)  # fmt: skip
def test_addresses_that_would_reach_nobody_or_two(address: str) -> None:
    assert set(faults("eligibility", email=address)) == {"email"}


@pytest.mark.parametrize(
    "number", ["02-0000-0000", "02-0000-0000#12", "+886-2-0000-0000", "0900 000 000", "(02) 0000-0000"]
)
def test_telephone_numbers(number: str) -> None:
    assert faults("people", admin1_phone=number) == {}


@pytest.mark.parametrize(
    "number", ["12", "abc", "02-0000-0000 ext 12", "02-0000-0000#", "０２-0000", "++886", "1" * 40]
)
def test_what_is_no_telephone_number(number: str) -> None:
    assert set(faults("people", contact_phone=number)) == {"contact_phone"}


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("2330", True),
        ("00679", False),
        ("123456", True),
        ("123", False),
        ("1234567", False),
        ("２３３０", False),
        ("A123", False),
    ],
)
def test_codes_of_the_stock_exchange(code: str, right: bool) -> None:
    assert (faults("organization", stock_code=code) == {}) is right


@pytest.mark.parametrize("ubn", ["12345678", "1234567", "00000000", "９００００１", "9000001x"])
def test_a_business_number_that_cannot_be_is_refused_in_words(ubn: str) -> None:
    assert set(faults("organization", ubn=ubn)) == {"ubn"}


def test_only_a_foreign_issuer_has_no_business_number_and_says_so() -> None:
    none = {"ubn": "", "ubn_absent_reason": ""}
    assert set(faults("organization", **none)) == {"ubn"}
    reason = {"ubn": "", "ubn_absent_reason": "foreign_issuer"}
    assert set(faults("organization", **reason)) == {"ubn_absent_reason"}
    for name in ("壬示範-KY股份有限公司", "壬示範－KY", "壬示範-ky"):
        assert faults("organization", **reason, name_zh=name) == {}
    assert set(faults("organization", ubn_absent_reason="foreign_issuer")) == {"ubn_absent_reason"}


@pytest.mark.parametrize("name", ["name_zh", "name_en", "address", "responsible"])
@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("", "Fill this in"),
        (" \t　", "Fill this in"),
        (None, "Fill this in"),
        ("長" * 5000, "Shorten"),
        ("a\x07b", "control character"),
        ("許擬名 A123456789", "identity number"),
        ("許擬名 Ａ１２３４５６７８９", "identity number"),
    ],
)
def test_free_text_is_judged_everywhere_alike(name: str, value: Any, word: str) -> None:
    found = faults("organization", **{name: value})
    assert set(found) == {name}
    assert word in found[name]


@pytest.mark.parametrize(
    "value", ["<script>alert(1)</script>", "'; DROP TABLE x;--", "{{ 7*7 }}", "𠮷野家（股）公司", "Łódź"]
)
def test_text_that_only_looks_dangerous_is_an_answer(value: str) -> None:
    assert faults("organization", name_zh=value, address=value, responsible=value) == {}


def test_the_three_people_are_three_by_their_addresses() -> None:
    found = faults("people", admin2_email=" Admin1@P.EXAMPLE ", contact_email="admin1@p.example")
    assert set(found) == {"admin2_email", "contact_email"}
    assert "First administrator" in found["contact_email"]
    assert faults("people", admin2_name="林樣本") == {}, "two people may share a name"


def test_ticks_are_not_ticked_for_anybody() -> None:
    for value in (None, False, "", "on", 1):
        found = faults("attestation", willing=value, confirmed=value)
        assert set(found) == {"willing", "confirmed"}, value


def test_an_attestation_covers_exactly_this_roster_and_this_applicant() -> None:
    given_ = whole()
    for changed in (
        {"roster": {"typed": "", "rows": []}},
        {"organization": given_["organization"] | {"name_zh": "改名股份有限公司"}},
        {"organization": given_["organization"] | {"ubn": business_number(2)}},
    ):
        assert faults("attestation", {**given_, **changed}) == {
            "confirmed": "The roster or the organisation changed since; confirm again."
        }
    other_order = {"typed": "", "rows": given_["roster"]["rows"][::-1]}
    assert faults("attestation", {**given_, "roster": other_order}) == {}
    address = {"organization": given_["organization"] | {"address": "別處"}}
    assert faults("attestation", {**given_, **address}) == {}


def test_a_roster_that_could_not_be_read_says_how_many_rows_need_a_change() -> None:
    found = faults("roster", typed=f"乙\t12345678\n丙\n丁\t{business_number(3)}\n戊\t1")
    assert found == {"rows": "2 rows need a change. The roster is unchanged so far."}


def test_the_applicant_cannot_be_its_own_constituent_however_the_pages_were_filled_in() -> None:
    given_ = whole()
    own = {"name": "別的寫法", "ubn": given_["organization"]["ubn"]}
    assert "Take that row out" in faults("roster", rows=[own])["rows"]
    assert "roster" in {one.step for one in missing(SPEC, {**given_, "roster": {"typed": "", "rows": [own]}}, FILES)}
    ky = whole()
    ky["organization"] |= {"name_zh": "壬-KY", "ubn": "", "ubn_absent_reason": "foreign_issuer"}
    assert "rows" in faults("roster", ky, rows=[{"name": "壬-KY", "ubn": ""}])


def test_rows_and_fingerprint_of_what_is_not_there_yet() -> None:
    assert roster_rows({}) == []
    assert roster_hash({}) == ""
    assert applicant_row({"organization": {"name_zh": " 甲 ", "ubn": None or ""}}).name == "甲"
    assert roster_hash({"organization": {"name_zh": "甲"}}) != roster_hash({"organization": {"name_zh": "乙"}})


_VALUES = st.one_of(
    st.none(), st.booleans(), st.text(max_size=40), st.integers(), st.sampled_from(["twse", "2330", "x@y.tw"])
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    junk=st.dictionaries(
        st.sampled_from(
            [field.name for step in SPEC.steps for field in step.fields if field.type not in ("file", "roster")]
        ),
        _VALUES,
        max_size=12,
    ),
    step=st.sampled_from([step.id for step in SPEC.steps]),
)
def test_whatever_was_typed_is_judged_and_never_an_error(junk: dict[str, Any], step: str) -> None:
    given_ = whole()
    given_[step] = {**given_.get(step, {}), **junk}
    names = {field.name for field in SPEC.step(step).fields}
    for name, reason in check(SPEC.step(step), given_, given_[step], FILES).items():
        assert name in names
        assert reason.zh
        assert reason.en
