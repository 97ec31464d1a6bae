"""What markings come to: policy.md, "Markings"."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.intel import markings
from lianfang.intel.markings import KNOWN, OPENCTI, TLP_1, TLP_2, TLP_2_EXTENSION, Marked, marked, resolve
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Audience, Named, Tlp

WORDS = {Tlp.CLEAR: "white", Tlp.GREEN: "green", Tlp.AMBER: "amber", Tlp.RED: "red"}
NAMED = Audience.persons(Named(UUID(int=1), UUID(int=2)))


def tlp_1(ref: str, word: str) -> dict[str, Any]:
    return {"id": ref, "type": "marking-definition", "definition_type": "tlp", "definition": {"tlp": word}}


def tlp_2(ref: str, word: str) -> dict[str, Any]:
    return {"id": ref, "name": f"TLP:{word.upper()}", "extensions": {TLP_2_EXTENSION: {"tlp_2_0": word}}}


def of(*refs: str, **more: Any) -> Marked:
    return marked({"object_marking_refs": list(refs)} | more, {})


@pytest.mark.parametrize(("ref", "tlp"), KNOWN.items())
def test_three_dialects_mean_one_thing(ref: str, tlp: Tlp) -> None:
    assert of(ref) == Marked(tlp)


@given(refs=st.lists(st.sampled_from(sorted(KNOWN)), min_size=1))
def test_of_several_the_strictest_counts_and_nothing_is_quarantined(refs: list[str]) -> None:
    found = of(*refs)
    assert found.tlp == max(KNOWN[ref] for ref in refs)
    assert not found.quarantined
    assert ("tlp-several" in found.findings) == (len({KNOWN[ref] for ref in refs}) > 1)


def test_an_unknown_id_is_red_and_quarantined() -> None:
    found = of(f"marking-definition--{uuid4()}", next(iter(TLP_2)))
    assert found.tlp is Tlp.RED
    assert found.quarantined


@pytest.mark.parametrize("definition", [
    {"definition_type": "statement", "definition": {"statement": "© Example"}},
    {"definition_type": "iep", "definition": {"name": "x"}},
    {"name": "PAP:RED", "definition_type": "pap", "definition": {"pap": "red"}},
])  # fmt: skip
def test_a_marking_that_is_no_tlp_is_let_pass(definition: dict[str, Any]) -> None:
    ref = f"marking-definition--{uuid4()}"
    assert marked({"object_marking_refs": [ref]}, {ref: markings.definition({"id": ref} | definition)}) == Marked()


@pytest.mark.parametrize(("ref", "tlp"), TLP_1.items())
def test_a_definition_that_disagrees_with_its_id_is_red_and_quarantined(ref: str, tlp: Tlp) -> None:
    other = next(word for each, word in WORDS.items() if each != tlp)
    found = marked({"object_marking_refs": [ref]}, {ref: markings.definition(tlp_1(ref, other))})
    assert found.tlp is Tlp.RED
    assert found.findings == ("tlp-mismatch",)
    assert marked({"object_marking_refs": [ref]}, {ref: markings.definition(tlp_1(ref, WORDS[tlp]))}) == Marked(tlp)


@pytest.mark.parametrize(("ref", "tlp"), TLP_2.items())
def test_tlp_2_definitions_are_read_from_the_extension(ref: str, tlp: Tlp) -> None:
    word = tlp.name.lower().replace("_", "+")
    assert markings.definition(tlp_2(ref, word)) == (tlp, True)
    assert markings.definition(tlp_2(f"marking-definition--{uuid4()}", word)) == (Tlp.RED, False)


def test_the_third_dialect_is_read_from_its_own_properties() -> None:
    (ref,) = OPENCTI
    custom = {
        "id": ref, "definition_type": "statement", "definition": {"statement": "custom"},
        "x_opencti_definition_type": "TLP", "x_opencti_definition": "TLP:AMBER+STRICT",
    }  # fmt: skip
    assert markings.definition(custom) == (Tlp.AMBER_STRICT, True)
    assert markings.definition(custom | {"x_opencti_definition": "TLP:GREEN"}) == (Tlp.RED, False)


@pytest.mark.parametrize(("label", "tlp"), [
    ("tlp:red", Tlp.RED), ("TLP:White", Tlp.CLEAR), ("tlp: AMBER+STRICT", Tlp.AMBER_STRICT), ('tlp:"green"', Tlp.GREEN),
    ("tlp:purple", Tlp.RED), ("phishing", None),
])  # fmt: skip
def test_tags_count_in_any_case(label: str, tlp: Tlp | None) -> None:
    found = marked({"labels": [label]}, {})
    assert found.tlp is tlp
    assert found.quarantined == (label == "tlp:purple")


def test_a_granular_marking_counts_for_the_whole_object() -> None:
    ref = next(ref for ref, tlp in TLP_2.items() if tlp is Tlp.AMBER)
    assert marked({"granular_markings": [{"marking_ref": ref, "selectors": ["name"]}]}, {}).tlp is Tlp.AMBER


def test_where_nobody_speaks_it_is_amber_strict_for_the_coordinator() -> None:
    found = resolve(marked=Marked(), form_tlp=None, audience=None, predecessor=None, by_token=False)
    assert (found.tlp, found.audience) == (Tlp.AMBER_STRICT, Audience.coordinator_only())


@given(own=st.sampled_from([None, *Tlp]), form=st.sampled_from([None, *Tlp]), token=st.booleans())
def test_form_and_object_the_strictest_never_wider(own: Tlp | None, form: Tlp | None, token: bool) -> None:
    found = resolve(marked=Marked(own), form_tlp=form, audience=Audience.alliance(), predecessor=None, by_token=token)
    said = [tlp for tlp in (own, form) if tlp is not None]
    assert found.tlp == max(said, default=Tlp.AMBER_STRICT)
    if found.tlp is Tlp.RED:
        assert found.audience == Audience.persons()
        assert "red-named-only" in found.findings
    else:
        assert found.audience == Audience.alliance()


def test_red_keeps_the_persons_named() -> None:
    found = resolve(marked=Marked(), form_tlp=Tlp.RED, audience=NAMED, predecessor=None, by_token=False)
    assert (found.tlp, found.audience, found.findings) == (Tlp.RED, NAMED, ())


def test_named_persons_with_another_label_are_refused() -> None:
    with pytest.raises(Refusal) as refused:
        resolve(marked=Marked(Tlp.AMBER), form_tlp=None, audience=NAMED, predecessor=None, by_token=True)
    assert refused.value.rule == "label-named-red"


@pytest.mark.parametrize("before", list(Tlp))
def test_an_unmarked_new_version_takes_the_stricter_of_default_and_predecessor(before: Tlp) -> None:
    found = resolve(
        marked=Marked(), form_tlp=None, audience=None, predecessor=(before, Audience.alliance()), by_token=False
    )
    assert found.tlp == max(before, Tlp.AMBER_STRICT)
