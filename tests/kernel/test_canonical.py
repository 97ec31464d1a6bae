import json
import math
import struct
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.canonical import canonical

# RFC 8785 appendix B, without the two that are errors.
APPENDIX_B = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]

# RFC 8785 §3.2.4: the sample of §3.2.2 as bytes.
SECTION_3_2_4 = bytes.fromhex(
    "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e"
    "756d62657273223a5b3333333333333333332e333333333333332c31652b3330"
    "2c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24"
    "5c75303030665c6e4127425c225c5c5c5c5c222f227d"
)


def double(bits: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


@pytest.mark.parametrize(("bits", "expected"), APPENDIX_B)
def test_numbers_of_appendix_b(bits: str, expected: str) -> None:
    assert canonical(double(bits)).decode() == expected


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_what_is_no_number_is_refused_with_its_path(bits: str) -> None:
    with pytest.raises(ValueError, match=r"^\$\.a\[1\]: "):
        canonical({"a": [0, double(bits)]})


def test_sample_of_section_3_2_2() -> None:
    source = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    assert canonical(json.loads(source)) == SECTION_3_2_4


def test_keys_sort_by_utf_16_units_as_in_section_3_2_3() -> None:
    source = r"""{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }"""
    assert list(json.loads(canonical(json.loads(source))).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # The samples of the scheme's authors.
        ([56, {"d": True, "10": None, "1": []}], '[56,{"1":[],"10":null,"d":true}]'),
        ({"peach": "t", "péché": "g", "pêche": "e", "sin": "l"}, '{"peach":"t","péché":"g","pêche":"e","sin":"l"}'),
        (
            {"1": {"f": {"f": "hi", "F": 5}, "\n": 56.0}, "10": {}, "": "empty", "a": {}, "111": [{}], "A": {}},
            '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}',
        ),
        # Not normalised: what was written stays as it was written.
        ({"Unnormalized Unicode": "A\u030a"}, '{"Unnormalized Unicode":"A\u030a"}'),
        (
            {"</script>": "Browser Challenge", "\u0080": "Control\u007f", "😂": "Smiley", "\ufb33": "Dalet"},
            '{"</script>":"Browser Challenge","\u0080":"Control\u007f","😂":"Smiley","\ufb33":"Dalet"}',
        ),
    ],
)
def test_samples(value: object, expected: str) -> None:
    assert canonical(value) == expected.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e20, "100000000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (0.1, "0.1"),
        (100.0, "100"),
        (1e16, "10000000000000000"),
        (12345.678, "12345.678"),
        (-1.5, "-1.5"),
        (2**53 - 1, "9007199254740991"),
        (-(2**53 - 1), "-9007199254740991"),
        (True, "true"),
        ((1, 2), "[1,2]"),
    ],
)
def test_notation(value: object, expected: str) -> None:
    assert canonical(value).decode() == expected


def test_members_of_text_enumerations_are_text() -> None:
    class Tlp(StrEnum):
        AMBER = "amber"

    assert canonical({Tlp.AMBER: Tlp.AMBER}) == b'{"amber":"amber"}'


def test_only_what_must_be_escaped_is_escaped() -> None:
    text = "".join(map(chr, range(0x80))) + "\u2028聯"
    written = canonical(text).decode()
    assert json.loads(written) == text
    assert written.startswith('"\\u0000\\u0001')
    assert "\\b\\t\\n\\u000b\\f\\r\\u000e" in written
    assert written.endswith('{|}~\x7f\u2028聯"')


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (2**53, "$"),
        ({"a": {"b": -(2**53)}}, "$.a.b"),
        ([1, "\ud800"], "$[1]"),
        ([1, "x\udc00y"], "$[1]"),
        ({"a": {"\udfff": 1}}, "$.a (key)"),
        ({"a": {1: 1}}, "$.a"),
        ({"a": b"x"}, "$.a"),
        ({"a": [{1, 2}]}, "$.a[0]"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_path(value: object, path: str) -> None:
    with pytest.raises(ValueError) as caught:
        canonical(value)
    assert str(caught.value).startswith(f"{path}: ")


def nest(levels: int, *, in_objects: bool) -> object:
    value: object = 0
    for _ in range(levels):
        value = {"a": value} if in_objects else [value]
    return value


@pytest.mark.parametrize("in_objects", [True, False])
def test_two_hundred_levels_are_the_most(in_objects: bool) -> None:
    deepest = nest(200, in_objects=in_objects)
    assert json.loads(canonical(deepest)) == deepest
    with pytest.raises(ValueError, match="nested deeper than 200"):
        canonical(nest(201, in_objects=in_objects))


def test_a_bottomless_value_is_refused_in_words() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="nested deeper than 200"):
        canonical(value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=JSON)
@settings(deadline=None, max_examples=200)
def test_reading_back_gives_the_value_and_writing_again_the_same_bytes(value: object) -> None:
    written = canonical(value)
    # As ECMAScript reads it: every number is a double.
    again = json.loads(written, parse_int=float)
    assert again == value
    assert canonical(again) == written


@given(value=st.dictionaries(st.text(), st.integers(0, 9)), data=st.data())
@settings(deadline=None)
def test_the_order_in_which_keys_came_does_not_matter(value: dict[str, int], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(value.items()))))
    assert canonical(shuffled) == canonical(value)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None, max_examples=500)
def test_every_double_reads_back_to_itself_in_ecmascript_notation(number: float) -> None:
    written = canonical(number).decode()
    assert float(written) == number
    if number == 0:
        assert written == "0"
        return
    # ECMA-262: plain notation exactly for 10^-6 <= |x| < 10^21.
    assert ("e" not in written) == (1e-6 <= math.fabs(number) < 1e21)
    assert len(written.replace("-", "").replace(".", "").split("e")[0].strip("0")) <= 17
