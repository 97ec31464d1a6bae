"""What people really paste into a roster: tables of Excel and of mails, old files, hostile text. Nothing is guessed."""

from __future__ import annotations

import string
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.members import roster
from lianfang.members.roster import Row
from tests.world import business_number

ONE, TWO, THREE = (business_number(place) for place in (11, 12, 13))
US = Row("甲示範電子股份有限公司", business_number(1))
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def reasons(text: str, **more: object) -> list[tuple[int, str]]:
    return [(fault.line, fault.reason.en) for fault in roster.read(text, **more).faults]  # type: ignore[arg-type]


def only(text: str) -> Row:
    reading = roster.read(text)
    assert reading.faults == ()
    (row,) = reading.rows
    return row


@pytest.mark.parametrize(
    "text",
    [
        f"乙公司\t{ONE}",
        f"乙公司\t{ONE}\t備註\t2026/11/01",
        f"  乙公司  \t  {ONE}  ",
        f"　乙公司　\t　{ONE}　",
        f"乙公司\t{ONE.translate(WIDE)}",
        f"乙公司\t{ONE[:2]}-{ONE[2:5]}-{ONE[5:]}",
        f"\ufeff乙公司\t{ONE}",
        f"\ufeff名稱\t統一編號\r\n乙公司\t{ONE}\r\n",
        f"\ufeffName,Number\n乙公司,{ONE}",
        f"組織名稱\t統編\n乙公司\t{ONE}",
        f"Organisation\tUBN\n乙公司\t{ONE}",
        f"\n\n乙公司\t{ONE}\n\t\n   \n",
        f'"乙公司"\t"{ONE}"',
        f'乙公司,"{ONE}"',
        f"乙公司，{ONE}",
        f"乙公司;{ONE}",
        f"乙公司\x00\t{ONE}\x00",
    ],
)
def test_one_row_whatever_its_table_looks_like(text: str) -> None:
    assert only(text) == Row("乙公司", ONE)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old macintosh"])
@pytest.mark.parametrize("separator", ["\t", ",", ";", "，"])
def test_every_line_end_with_every_separator_gives_the_same_rows(end: str, separator: str) -> None:
    text = end.join(
        [f"名稱{separator}統一編號", f"乙公司{separator}{ONE}", f"丙公司{separator}{TWO}", "沒有統編的協會"]
    )
    reading = roster.read(text)
    assert reading.faults == ()
    assert reading.rows == (Row("乙公司", ONE), Row("丙公司", TWO), Row("沒有統編的協會", ""))


def test_inner_spaces_of_a_name_become_one_and_composed_letters_are_one() -> None:
    assert only("乙   示範　　公司").name == "乙 示範 公司"
    assert only("Cafe\u0301 Taiwan").name == "Café Taiwan"
    assert roster.read("Cafe\u0301\nCafé").faults[0].line == 2, "the same word written in two ways is the same row"


def test_a_comma_in_a_quoted_name_is_part_of_the_name() -> None:
    assert only(f'"Example Co., Ltd.",{ONE}') == Row("Example Co., Ltd.", ONE)
    assert only(f"Example Co., Ltd.\t{ONE}") == Row("Example Co., Ltd.", ONE), "with tabs a comma separates nothing"


def test_two_quotation_marks_within_quotes_are_one() -> None:
    assert only(f'"「乙」""新""公司"\t{ONE}').name == '「乙」"新"公司'


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (f"={ONE}", "8 digits"),
        (f'="{ONE}"', "8 digits"),
        (f"'{ONE}", "8 digits"),
        (f"{ONE}.0", "8 digits"),
        ("9.00E+07", "8 digits"),
        (ONE[:7], "8 digits"),
        (ONE + "0", "8 digits"),
        ("00000000", "00000000"),
        ("12345678", "check digit"),
        ("統一編號", "8 digits"),
        ("無", "8 digits"),
        ("-1", "8 digits"),
        ("#REF!", "8 digits"),
        ("٩٠٠٠٠٠١٧", "8 digits"),
    ],
)
def test_what_excel_makes_of_a_number_is_a_fault_and_no_guess(number: str, word: str) -> None:
    ((line, reason),) = reasons(f"丙公司\t{TWO}\n乙公司\t{number}")
    assert line == 2
    assert word in reason


def test_columns_the_wrong_way_round_are_faults() -> None:
    assert [line for line, _ in reasons(f"{ONE}\t乙公司\n1\t乙公司\t{ONE}")] == [1, 2]


@pytest.mark.parametrize(
    "text", [f"乙公司 {ONE}", f"乙公司{ONE}", f"{ONE}乙公司", f"乙公司（{ONE.translate(WIDE)}）", ONE]
)
def test_a_number_left_in_the_name_would_escape_the_official_list(text: str) -> None:
    ((_, reason),) = reasons(text)
    assert "stands in the name" in reason


@pytest.mark.parametrize("name", ["2026年示範協會", "第123456789號合作社", "乙公司 12345678", "3M", "104"])
def test_other_digits_in_a_name_are_nobodys_number(name: str) -> None:
    assert only(name) == Row(name, "")


def test_a_cell_with_a_line_break_is_not_taken_as_two_organisations() -> None:
    found = reasons(f'"乙\n公司"\t{ONE}\n丙公司\t{TWO}')
    assert found[0][0] == 1
    assert "quotation mark" in found[0][1]
    assert roster.read(f'"乙\n公司"\t{ONE}').rows != (Row("乙", ""), Row('公司"', ONE))
    assert only('5" 管線公司').name == '5" 管線公司', "a mark within a name opens nothing"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u200e", "\u200f", "\u202e", "\u2066", "\u2028", "\u0007", "\x1b", "\u00ad", "\ud800", "\x85"]
)
def test_characters_that_show_nothing_are_said(unseen: str) -> None:
    for text in (f"乙{unseen}公司\t{ONE}", f"乙公司\t{ONE}\t備{unseen}註"):
        ((line, reason),) = reasons(text)
        assert line == 1
        assert "invisible" in reason


@pytest.mark.parametrize(
    "hostile", ["=1+1", "=HYPERLINK(1)", "+886", "-1", "@SUM(A1)", "<script>alert(1)</script>", "';--", "{{7*7}}"]
)
def test_text_that_other_programs_would_run_is_only_a_name(hostile: str) -> None:
    assert only(f"{hostile}\t{ONE}") == Row(hostile, ONE)


def test_the_second_of_two_names_the_first() -> None:
    found = reasons(f"乙公司\t{ONE}\n丙公司\t{TWO}\n\n丁公司\t{ONE}\n戊\n戊\n乙公司\t{THREE}")
    assert found == [(4, "The same as row 1."), (6, "The same as row 5.")], (
        "one name with two numbers is two organisations"
    )


def test_the_third_of_three_names_the_first_too() -> None:
    assert [line for line, _ in reasons(f"a\t{ONE}\nb\t{ONE}\nc\t{ONE}")] == [2, 3]
    assert {reason for _, reason in reasons(f"a\t{ONE}\nb\t{ONE}\nc\t{ONE}")} == {"The same as row 1."}


@pytest.mark.parametrize("text", [f"{US.name}\t{US.ubn}", f"別的名稱\t{US.ubn}"])
def test_the_applicant_by_number_is_no_constituent(text: str) -> None:
    assert reasons(text, applicant=US) == [(1, "This is your own organisation; leave it out.")]


def test_an_applicant_without_number_is_known_by_its_words() -> None:
    ky = Row("壬示範-KY股份有限公司", "")
    assert reasons(ky.name, applicant=ky) == [(1, "This is your own organisation; leave it out.")]
    assert reasons(f"{ky.name}\t{ONE}", applicant=ky) == [], "the same name with a number is somebody else"
    assert reasons("沒有統編的協會", applicant=Row("", "")) == []


@pytest.mark.parametrize("number", ["A123456789", "a123456789", "Ａ１２３４５６７８９", "A800000014"])
def test_an_identity_number_anywhere_in_a_row_is_refused(number: str) -> None:
    for text in (f"許擬名 {number}", f"乙公司\t{number}", f"乙公司\t{ONE}\t負責人 {number}"):
        ((_, reason),) = reasons(text)
        assert "identity number" in reason
        assert number[1:] not in reason


def test_what_a_fault_shows_is_short_and_can_be_kept() -> None:
    (fault,) = roster.read("長" * 5000).faults
    assert len(fault.text) == 80
    (fault,) = roster.read("乙\ud800公司").faults
    assert fault.text.encode("utf-8")
    (fault,) = roster.read('"乙').faults
    assert "\x00" not in fault.text


def test_names_of_two_hundred_characters_are_taken_and_one_more_is_not() -> None:
    assert only("長" * 200).name == "長" * 200
    assert reasons("長" * 201) == [(1, "The name is longer than 200 characters.")]


def test_a_row_without_a_name_is_a_fault_and_an_empty_row_is_none() -> None:
    assert reasons(f"\t{ONE}") == [(1, "The name is missing.")]
    assert reasons(" \t \t ") == []
    assert roster.read("") == roster.Reading((), ())
    assert roster.read("名稱\t統一編號\n") == roster.Reading((), ())


def test_a_heading_counts_only_in_the_first_line() -> None:
    assert roster.read("\n名稱\t統一編號").rows == ()
    assert reasons("乙公司\n名稱\t統一編號")[0][0] == 2


def test_five_thousand_rows_are_read_in_a_moment_and_one_more_is_said() -> None:
    text = "\n".join(f"示範第{place}公司\t" for place in range(5000))
    began = time.process_time()
    reading = roster.read(text, applicant=US)
    assert time.process_time() - began < 3
    assert (len(reading.rows), reading.faults) == (5000, ())
    assert len({row.key for row in reading.rows}) == 5000
    (line, reason), *rest = reasons(text + "\n多出來的公司")
    assert (line, rest) == (5001, [])
    assert "5000" in reason


def test_reading_stops_at_the_limit_whatever_follows() -> None:
    reading = roster.read("a\nb\nc\nd\n\t\n\x07\n", most=2)
    assert [fault.line for fault in reading.faults] == [3]


@pytest.mark.parametrize("size", [131_073, 400_000])
def test_a_cell_longer_than_the_reader_of_tables_takes_is_a_fault(size: int) -> None:
    ((line, reason),) = reasons("長" * size)
    assert (line, "200" in reason) == (1, True)


# What must hold of any text

_LETTERS = st.text(
    alphabet=st.one_of(
        st.sampled_from("\t\n\r,;，；\"'\x00\ufeff\u200e\u202e=+-@　 "),
        st.sampled_from(string.digits + "甲乙丙ＡB"),
        st.characters(),
    ),
    max_size=400,
)
_NAMES = (
    st.text(alphabet="甲乙丙丁戊示範公司Abc ", min_size=1, max_size=12)
    .map(lambda name: " ".join(name.split()))
    .filter(bool)
)
_ROWS = st.lists(
    st.tuples(_NAMES, st.sampled_from(["", *(business_number(place) for place in range(20, 40))])), max_size=25
)


@settings(max_examples=150)
@given(text=_LETTERS)
def test_any_text_is_read_whole_or_its_faults_name_lines_of_it(text: str) -> None:
    reading = roster.read(text, applicant=US)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert len(reading.rows) + len(reading.faults) <= lines, "no line is two organisations"
    assert all(1 <= fault.line <= lines for fault in reading.faults)
    assert len({fault.line for fault in reading.faults}) == len(reading.faults)
    for row in reading.rows:
        assert row.name == " ".join(row.name.split())
        assert 0 < len(row.name) <= 200
        assert not {unicodedata.category(character) for character in row.name} & {"Cc", "Cf", "Cs"}
        assert row.ubn == "" or (len(row.ubn) == 8 and row.ubn.isascii() and row.ubn.isdigit())
        assert len(row.key) == 64
    numbers = [row.ubn for row in reading.rows if row.ubn]
    assert len(set(numbers)) == len(numbers)
    assert US.ubn not in numbers


@settings(max_examples=100)
@given(text=_LETTERS)
def test_what_was_read_reads_the_same_again(text: str) -> None:
    rows = roster.read(text).rows
    if any('"' in row.name or row.name.lower() in roster._HEADINGS for row in rows):
        return  # a name of quotation marks, or one that is called like a heading, is written by hand
    written = roster.text_of([{"name": row.name, "ubn": row.ubn} for row in rows])
    if "\t" not in written and any(mark in written for mark in ",;，"):
        return  # without any number there is no tab to tell what separates
    again = roster.read(written)
    assert again.faults == ()
    assert again.rows == rows


@settings(max_examples=80)
@given(rows=_ROWS)
def test_every_line_is_a_row_or_a_fault(rows: list[tuple[str, str]]) -> None:
    text = "\n".join(f"{name}\t{number}" for name, number in rows)
    reading = roster.read(f"名稱\t統一編號\n{text}")
    assert len(reading.rows) + len(reading.faults) == len(rows)
    told = {fault.line for fault in reading.faults}
    kept = [Row(name, number) for line, (name, number) in enumerate(rows, start=2) if line not in told]
    assert list(reading.rows) == kept


@settings(max_examples=60)
@given(rows=_ROWS, seed=st.randoms())
def test_the_fingerprint_knows_what_and_not_in_which_order(rows: list[tuple[str, str]], seed: object) -> None:
    listed = [Row(name, number) for name, number in rows]
    mixed = list(listed)
    seed.shuffle(mixed)  # type: ignore[attr-defined]
    assert roster.fingerprint(US, listed) == roster.fingerprint(US, mixed)
    assert roster.fingerprint(US, [*listed, Row("另一家", THREE)]) != roster.fingerprint(US, listed)
    if listed:
        assert roster.fingerprint(US, listed[1:]) != roster.fingerprint(US, listed)
