"""Hostile bytes: refused by name, never an error of the program; and one digest whatever the spelling."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel import decode, intake
from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import bundle, indicator

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
objects = st.dictionaries(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), values, max_size=5
)


@given(value=objects)
@settings(max_examples=300, deadline=None)
def test_the_digest_is_that_of_canonical_json(value: dict[str, Any]) -> None:
    spelled = json.dumps(value, indent=1, ensure_ascii=True).encode()
    read, fingerprint = decode.read(spelled)
    assert read == value
    assert fingerprint == digest(canonical(value))


@given(body=st.binary(max_size=300))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for wrapped in (body, b'{"objects":[' + body + b"]}", b'{"objects":[{"a":"' + body + b'"}]}'):
        with suppress(Refusal):
            intake.examine(wrapped)


@given(value=values, place=st.sampled_from(sorted(indicator())))
@settings(max_examples=400, deadline=None)
def test_any_value_in_any_property_is_taken_or_refused(value: Any, place: str) -> None:
    one = indicator() | {place: value}
    candidates, refused = intake.examine(bundle(one))
    assert len(candidates) + len(refused) == 1


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "json-malformed"),
        (b"[]", "json-not-object"),
        (b'{"objects":{}}', "json-no-objects"),
        (b'{"x":1}', "json-no-objects"),
        (b'{"type":"indicator","id":"x"}', "json-single"),
        (b'{"objects":[],"objects":[]}', "json-duplicate-member"),
        (b'{"a":{"b":1,"b":2},"objects":[]}', "json-duplicate-member"),
        (b'{"objects":[{"a":' + b"[" * 5000 + b"]" * 5000 + b"}]}", "json-depth"),
        (b'{"objects":[{"a":NaN}]}', "json-nan"),
        (b'{"objects":[{"a":"\\ud800"}]}', "json-surrogate"),
        (b'{"objects":["\xff"]', "json-utf-8"),
        (b'{"objects":[' + b"1," * decode.MAX_OBJECTS + b"1]}", "json-too-many"),
    ],
)
def test_what_a_body_does_wrong_refuses_the_body(body: bytes, rule: str) -> None:
    with pytest.raises(Refusal) as refused:
        decode.split(body)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("raw", "rule", "field"),
    [
        (b"1", "json-not-object", ""),
        (b'{"name":"a\\u0000b"}', "json-nul", "name"),
        (b'{"a":1,"a":2}', "json-duplicate-member", "a"),
        (b'{"a":1,"a" :2}', "json-duplicate-member", "a"),
        (b'{"a":"\\":","b":1,"b":2}', "json-duplicate-member", "b"),
        (b'{"a":1e999}', "json-malformed", ""),
        (b'{"a":9007199254740993}', "json-number", ""),
        (b'{"a":"\xff"}', "json-utf-8", ""),
        (b'{"a":' + b'{"a":' * 70 + b"1" + b"}" * 71, "json-depth", ""),
        (b'{"a":"' + b"x" * decode.MAX_OBJECT_BYTES + b'"}', "json-too-long", ""),
    ],
)
def test_what_an_object_does_wrong_refuses_that_object(raw: bytes, rule: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        decode.read(raw)
    assert (refused.value.rule, refused.value.field) == (rule, field)


def test_text_that_looks_like_a_member_is_no_duplicate() -> None:
    assert decode.read(rb'{"a":"\"a\":1","b":"{\"b\" :2}"}')[0]["a"] == '"a":1'


def test_one_bad_object_leaves_the_others() -> None:
    good, bad = indicator(), indicator(confidence=True)
    candidates, refused = intake.examine(bundle(good, bad))
    assert [each.id for each in candidates] == [good["id"]]
    assert refused[0]["place"] == 1
    assert refused[0]["field"] == "confidence"
