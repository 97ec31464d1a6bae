"""Every trap of JSON: refused under one name, in the body or in one object, and what is taken is kept to the byte."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel import decode, intake
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import bundle, indicator


def refused(raw: bytes) -> tuple[str, str]:
    """Rule and field by which one object is refused."""
    with pytest.raises(Refusal) as found:
        decode.read(raw)
    assert found.value.clause == "RFC 7493"
    assert found.value.reason.zh
    return found.value.rule, found.value.field


def refused_body(body: bytes) -> tuple[str, str]:
    with pytest.raises(Refusal) as found:
        decode.split(body)
    return found.value.rule, found.value.field


# -- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [
    '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32"), b'{"a":"\xc3"}', b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xc0\xaf"}', b'{"a":"\xf4\x90\x80\x80"}', b'{"\xff":1}',
])  # fmt: skip
def test_what_is_not_utf_8(raw: bytes) -> None:
    """UTF-16, UTF-32, cut sequences, encoded surrogates, overlong forms, beyond U+10FFFF."""
    assert refused(raw) == ("json-utf-8", "")
    assert refused_body(b'{"objects":[],"x":' + raw + b"}") == ("json-utf-8", "body")


def test_utf_16_without_a_mark_is_json_of_nobody() -> None:
    assert refused('{"a":1}'.encode("utf-16-le"))[0] == "json-malformed"


def test_a_byte_order_mark_is_refused_in_body_and_object() -> None:
    assert refused(b'\xef\xbb\xbf{"a":1}') == ("json-malformed", "")
    assert refused_body(b'\xef\xbb\xbf{"objects":[]}') == ("json-malformed", "body")


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\uDBFFx", r"\ud83d\ud83d", r"\ude00\ud83d", r"a\uDC00"])
def test_lone_surrogates(escape: str) -> None:
    assert refused(f'{{"a":"{escape}"}}'.encode())[0] == "json-surrogate"
    assert refused(f'{{"{escape}":1}}'.encode())[0] == "json-surrogate"


@pytest.mark.parametrize("text", [r"\ud83d\ude00", r"\uD83D\uDE00\ud83d\ude01", r"a\uDBFF\uDFFF"])
def test_a_pair_is_no_lone_surrogate_and_is_not_blamed_for_another_fault(text: str) -> None:
    assert decode.read(f'{{"a":"{text}"}}'.encode())[0]
    assert refused(f'{{"a":"{text}",}}'.encode())[0] == "json-malformed"


@pytest.mark.parametrize("control", [chr(code) for code in range(0x20)])
def test_raw_control_characters_in_a_text(control: str) -> None:
    assert refused(f'{{"a":"x{control}y"}}'.encode())[0] == "json-malformed"


def test_escaped_control_characters_are_text_but_for_nul() -> None:
    assert decode.read(rb'{"a":"\u0001\t\u001f\u007f"}')[0] == {"a": "\x01\t\x1f\x7f"}


@pytest.mark.parametrize(("raw", "field"), [
    (rb'{"name":"\u0000"}', "name"),
    (rb'{"outer":{"inner":"a\u0000"}}', "inner"),
    (rb'{"list":["a",["b\u0000"]]}', ""),
    (rb'{"na\u0000me":1}', "name"),
])  # fmt: skip
def test_nul_at_any_depth_names_its_property(raw: bytes, field: str) -> None:
    assert refused(raw) == ("json-nul", field)


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number(number: str) -> None:
    assert refused(f'{{"a":{number}}}'.encode()) == ("json-nan", "")
    assert refused(f'{{"a":[1,{{"b":{number}}}]}}'.encode()) == ("json-nan", "")
    assert refused_body(f'{{"x":{number},"objects":[]}}'.encode()) == ("json-nan", "body")


def test_the_words_in_a_text_are_no_fault() -> None:
    assert decode.read(b'{"a":"NaN Infinity"}')[0] == {"a": "NaN Infinity"}


@pytest.mark.parametrize("number", [
    str(2**53), str(-(2**53)), "9007199254740993", str(2**63), str(2**64), str(2**64 + 1), "1" + "0" * 30, "9" * 300,
])  # fmt: skip
def test_an_integer_that_a_double_cannot_tell_from_its_neighbour(number: str) -> None:
    """Two objects that differ in such a number would have one digest."""
    assert refused(f'{{"a":{number}}}'.encode()) == ("json-number", "")
    assert refused(f'{{"a":[{{"b":{number}}}]}}'.encode()) == ("json-number", "")


@pytest.mark.parametrize("number", [str(2**53 - 1), str(-(2**53) + 1), "0", "-0", "1e20", "1E+2", "0.1e-400", "-0.0"])
def test_numbers_that_are_held(number: str) -> None:
    assert decode.read(f'{{"a":{number}}}'.encode())[0]["a"] == json.loads(number)


@pytest.mark.parametrize(
    "number", ["01", "+1", ".5", "5.", "1e", "0x10", "1_000", "--1", "1e400", "-1e400", "9" * 5000]
)
def test_numbers_that_json_does_not_write(number: str) -> None:
    assert refused(f'{{"a":{number}}}'.encode())[0] == "json-malformed"


@pytest.mark.parametrize(("one", "other"), [("1.0", "1"), ("1e2", "100"), ("-0", "0"), ("0.10", "0.1")])
def test_one_value_has_one_digest_however_it_is_written(one: str, other: str) -> None:
    first, second = (decode.read(f'{{"a":{text}}}'.encode())[1] for text in (one, other))
    assert first == second


# -- structure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("raw", "field"), [
    (b'{"a":1,"a":1}', "a"),
    (b'{"a":1,"\\u0061":2}', "a"),
    (b'{"x":{"b":1,"b":1}}', "b"),
    (b'{"x":[[{"c":1,"c":2}]]}', "c"),
    (b'{"x":{},"y":{"":1,"":2}}', ""),
    ('{"名":1,"名":2}'.encode(), "名"),
    (b'{"x":"\\\\","y":1,"y"\n:2}', "y"),
    (b'{"' + b"k" * 400 + b'":1,"' + b"k" * 400 + b'":1}', "k" * 250),
])  # fmt: skip
def test_a_member_twice_at_any_depth_is_named(raw: bytes, field: str) -> None:
    assert refused(raw) == ("json-duplicate-member", field)


def test_the_same_name_in_two_places_is_no_duplicate() -> None:
    assert decode.read(b'{"a":{"a":1},"b":[{"a":1},{"a":1}]}')


@pytest.mark.parametrize("raw", [
    b'{"a":1}}', b'{"a":1} {"a":1}', b'{"a":1}\0', b'{"a":1},', b"{'a':1}", b'{"a":1,}', b'{"a" 1}', b'{a:1}',
    b'{"a":[1,]}', b'{"a":tru}', b'{"a":1 /* x */}', b'{"a":"\\x"}', b'{"a":"\\u12"}', b'{"a":"x', b"{", b" ", b"\0",
])  # fmt: skip
def test_malformed_or_trailing(raw: bytes) -> None:
    assert refused(raw)[0] == "json-malformed"


@pytest.mark.parametrize("raw", [b"[]", b"null", b"true", b'"x"', b"1", b"[{}]"])
def test_what_is_no_object(raw: bytes) -> None:
    assert refused(raw) == ("json-not-object", "")
    assert refused_body(raw) == ("json-not-object", "body")


def test_depth_up_to_the_limit_and_one_more() -> None:
    def nested(levels: int, opening: str, closing: str) -> bytes:
        return f'{{"a":{opening * levels}1{closing * levels}}}'.encode()

    for opening, closing in (("[", "]"), ('{"b":', "}")):
        assert decode.read(nested(decode.MAX_DEPTH, opening, closing))
        assert refused(nested(decode.MAX_DEPTH + 1, opening, closing)) == ("json-depth", "")


@pytest.mark.parametrize("levels", [1_500, 100_000])
def test_no_depth_brings_the_reader_down(levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    assert refused_body(b'{"x":' + deep + b',"objects":[]}') == ("json-depth", "body")
    assert refused_body(b'{"objects":[' + deep + b"]}")[0] == "json-depth"
    # The whole object, which split never looks into, is refused when it is read.
    assert refused(b'{"a":' + deep + b"}")[0] in ("json-depth", "json-malformed")


def test_length_is_measured_in_bytes() -> None:
    def long(size: int) -> bytes:
        return b'{"a":"' + b"x" * (size - 8) + b'"}'

    assert decode.read(long(decode.MAX_OBJECT_BYTES))
    assert refused(long(decode.MAX_OBJECT_BYTES + 1)) == ("json-too-long", "")
    wide = '{"a":"' + "字" * (decode.MAX_OBJECT_BYTES // 3) + '"}'
    assert refused(wide.encode())[0] == "json-too-long"


def test_number_of_objects_up_to_the_limit() -> None:
    assert len(decode.split(b'{"objects":[' + b",".join([b"{}"] * decode.MAX_OBJECTS) + b"]}")) == decode.MAX_OBJECTS
    with pytest.raises(Refusal) as found:
        decode.split(b'{"objects":[' + b",".join([b"{}"] * (decode.MAX_OBJECTS + 1)) + b"]}")
    assert (found.value.rule, found.value.field) == ("json-too-many", "objects")
    assert "10001" in found.value.reason.en


@pytest.mark.parametrize(("body", "rule", "field"), [
    (b'{"objects":null}', "json-no-objects", "objects"),
    (b'{"objects":"[]"}', "json-no-objects", "objects"),
    (b'{"Objects":[]}', "json-no-objects", "objects"),
    (b'{"more":false}', "json-no-objects", "objects"),
    (b'{"type":"bundle","id":"bundle--1"}', "json-single", "objects"),
    (b'{"objects":[],"more":1,"more":1}', "json-duplicate-member", "more"),
    (b'{"objects":[],"x":{"y":1,"y":1}}', "json-duplicate-member", "y"),
    (b'{"objects":[1],"objects":[1]}', "json-duplicate-member", "objects"),
    (b'{"objects":[],"\\u006fbjects":[]}', "json-duplicate-member", "objects"),
])  # fmt: skip
def test_envelopes_that_are_none(body: bytes, rule: str, field: str) -> None:
    assert refused_body(body) == (rule, field)


def test_what_stands_beside_the_objects_is_not_looked_at() -> None:
    assert decode.split(b'{"more":true,"next":"x","objects":[{}],"id":5,"type":7}') == [b"{}"]
    assert decode.split(b'{"objects":[]}') == []


# -- properties ------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)


@given(objects=st.lists(OBJECTS, max_size=5), indent=st.sampled_from([None, 1]), ascii_=st.booleans())
@settings(max_examples=60, deadline=None)
def test_each_object_comes_out_in_the_bytes_of_its_producer(
    objects: list[dict[str, Any]], indent: int | None, ascii_: bool
) -> None:
    spelled = [json.dumps(one, indent=indent, ensure_ascii=ascii_).encode() for one in objects]
    body = b'{"type" : "bundle","objects":\t[ ' + b" ,\n".join(spelled) + b' ],"x":"[]"}'
    assert decode.split(body) == spelled
    for raw, one in zip(spelled, objects, strict=True):
        assert decode.read(raw)[0] == one


MANGLED = st.builds(
    lambda raw, at, new: raw[: at % (len(raw) + 1)] + new + raw[at % (len(raw) + 1) :],
    st.sampled_from([bundle(indicator()), b'{"objects":[{"a":"\\ud83d\\ude00"}]}', b'{"objects":[]}']),
    st.integers(0, 10_000),
    st.sampled_from([
        b"\0", b"\xff", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"NaN", b"\\ud800", b"\\u0000", b"1e999",
        b"9" * 40, b'"a":1,"a":1,', b"\xef\xbb\xbf", b"null,",
    ]),
)  # fmt: skip


@given(body=MANGLED)
@settings(max_examples=300, deadline=None)
def test_one_piece_put_anywhere_is_read_or_refused_by_name(body: bytes) -> None:
    rules: list[str] = []
    try:
        candidates, results = intake.examine(body)
        rules = [result["rule"] for result in results]
        assert all(bytes(each.raw) in body for each in candidates)
    except Refusal as refusal:
        rules = [refusal.rule]
    assert all(re.fullmatch(r"(json|stix|pattern)-[a-z0-9-]+", rule) for rule in rules)


@given(raw=st.binary(max_size=120))
@settings(max_examples=300, deadline=None)
def test_whatever_is_read_would_be_read_by_a_strict_reader_too(raw: bytes) -> None:
    with suppress(Refusal):
        value, fingerprint = decode.read(raw)
        assert json.loads(raw) == value
        assert len(fingerprint) == 32


def test_results_of_refused_objects_hold_nothing_that_a_page_or_database_cannot() -> None:
    """A refused object is told by its place, even where its id or name is monstrous."""
    one = indicator(id="x" * 5000, name="n" * 5000)
    raw = json.dumps(indicator(name="a")).replace('"name": "a"', '"name": 5, "id2": "\\u0000"').encode()
    _, results = intake.examine(b'{"objects":[' + json.dumps(one).encode() + b"," + raw + b",7]}")
    assert [result["place"] for result in results] == [0, 1, 2]
    assert [len(result["id"]) for result in results] == [300, 0, 0]
    assert len(results[0]["name"]) == 120
    assert [result["rule"] for result in results] == ["stix-id", "json-nul", "json-not-object"]
    assert all("\0" not in json.dumps(result, ensure_ascii=False) for result in results)


def test_a_good_object_between_two_bad_ones_comes_in() -> None:
    good = json.dumps(indicator()).encode()
    twice = b'{"type":"indicator","type":"indicator"}'
    untyped = json.dumps({"id": str(uuid4())}).encode()
    candidates, results = intake.examine(b'{"objects":[' + b",".join([twice, good, untyped]) + b"]}")
    assert [each.place for each in candidates] == [1]
    assert [(result["place"], result["rule"]) for result in results] == [(0, "json-duplicate-member"), (2, "stix-type")]


def test_number_of_values_up_to_the_limit() -> None:
    """By their number, wherever they stand, and not by the signs in a text."""

    def body(count: int, *more: bytes) -> bytes:
        # Each of the three lists is one itself, as are its members' name and the object.
        rows = [b'{"a":[' + b",".join([b"1"] * n) + b"]}" for n in (count // 2, count - count // 2)]
        return b'{"objects":[' + b",".join([*rows, *more]) + b"]}"

    most = decode.MAX_VALUES - 2
    assert len(decode.split(body(most))) == 2
    with pytest.raises(Refusal) as found:
        decode.split(body(most + 1))
    assert (found.value.rule, found.value.field) == ("json-too-many-values", "objects")
    assert str(decode.MAX_VALUES) in found.value.reason.en
    text = b"{" + b",".join(b'"a%d":"%s"' % (n, rb"\"" + b",[{" * 50_000) for n in range(5)) + b"}"
    assert len(decode.split(body(most - 5, text))) == 3
    # What is too long is refused unread, and is not counted.
    unread = b'{"a":[' + b"1," * (decode.MAX_OBJECT_BYTES // 2) + b"1]}"
    assert len(decode.split(body(most, unread))) == 3


def test_what_stands_beside_the_objects_is_short() -> None:
    def body(length: int) -> bytes:
        return b'{"x":"' + b"x" * (length - 20) + b'","objects":[{}]}'

    assert decode.split(body(decode.MAX_OBJECT_BYTES)) == [b"{}"]
    with pytest.raises(Refusal) as found:
        decode.split(body(decode.MAX_OBJECT_BYTES + 20))
    assert (found.value.rule, found.value.field) == ("json-too-long", "body")
