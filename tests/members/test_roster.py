"""Rosters are read whole or not at all, and their fingerprint sees every change of words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.members import roster
from lianfang.members.roster import Row
from tests.world import business_number

ONE, TWO = business_number(11), business_number(12)
US = Row("甲示範電子股份有限公司", business_number(1))


@pytest.mark.parametrize("text", [
    f"乙公司\t{ONE}\n丙公司\t{TWO}", f"乙公司,{ONE}\r\n丙公司,{TWO}\n", f"名稱,統一編號\n乙公司,{ONE}\n\n丙公司,{TWO}",
    f"乙公司，{ONE}\n丙公司，{TWO}", f"乙公司;{ONE}\n丙公司;{TWO}", f"乙公司\t{ONE[:4]} {ONE[4:]}\n丙公司\t{TWO}",
])  # fmt: skip
def test_tables_of_every_kind_are_read(text: str) -> None:
    reading = roster.read(text)
    assert reading.faults == ()
    assert reading.rows == (Row("乙公司", ONE), Row("丙公司", TWO))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("乙公司\t12345678", 1),
        (f"乙公司\n\t{ONE}", 2),
        (f"乙公司\t{ONE}\n丙公司\t{ONE}", 2),
        ("乙公司\n乙公司", 2),
        ("A123456789\t", 1),
        (f"{US.name}\t{US.ubn}", 1),
        ("長" * 201, 1),
    ],
)
def test_faults_name_their_line(text: str, line: int) -> None:
    reading = roster.read(text, applicant=US)
    assert [fault.line for fault in reading.faults] == [line]
    assert reading.faults[0].reason.en


def test_more_rows_than_allowed_stop_the_reading() -> None:
    reading = roster.read("\n".join(f"公司{n}" for n in range(9)), most=5)
    assert len(reading.rows) == 6
    assert reading.faults[-1].line == 6


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    reading = roster.read(text)
    again = roster.read(roster.text_of([{"name": row.name, "ubn": row.ubn} for row in reading.rows]))
    assert isinstance(again.rows, tuple)


def test_the_fingerprint_sees_words_and_not_order() -> None:
    rows = [Row("乙", ONE), Row("丙", "")]
    assert roster.fingerprint(US, rows) == roster.fingerprint(US, rows[::-1])
    others = [rows[:1], [Row("乙", ONE), Row("丙", TWO)], [*rows, Row("丁", "")], [Row("乙 ", ONE), Row("丙", "")]]
    found = {roster.fingerprint(US, rows), *(roster.fingerprint(US, other) for other in others)}
    assert len(found) == 5
    assert roster.fingerprint(Row("別人", ""), rows) not in found
    assert len({row.key for row in rows}) == 2
