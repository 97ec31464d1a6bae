"""A table against a roster: every row in exactly one tab, faults by row, nothing guessed (charter 2.4)."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.refusal import Refusal
from lianfang.members import days, importing, sheets
from lianfang.members.changing import Listed, roster_after
from lianfang.members.importing import ADD, CHANGE, FIX, REMOVE, SAME, SKIPPED, TABS
from lianfang.members.roster import Row
from tests.world import business_number

N = [business_number(place) for place in range(11, 20)]
US = Row("甲示範電子股份有限公司", business_number(1))
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HELD = [Listed("1", Row("乙公司", N[0])), Listed("2", Row("丙公司", N[1])), Listed("3", Row("丁協會", ""))]


def lines(content: bytes) -> list[dict[str, Any]]:
    return [
        {
            "number": one.number,
            "cells": list(one.cells),
            "fault": one.fault and {"zh": one.fault.zh, "en": one.fault.en},
        }
        for one in sheets.read(content).lines
    ]


def diff(text: str | bytes, **more: Any) -> importing.Diff:
    content = text if isinstance(text, bytes) else text.encode()
    read = lines(content)
    columns = importing.headings(read[0]["cells"])
    given = {"columns": columns or {"name": 0, "ubn": 1}, "heading": bool(columns), "whole": False, "fixes": {}, **more}
    return importing.compare(read, held=HELD, applicant=US, at=AT, **given)


def tabs(found: importing.Diff) -> dict[str, list[int]]:
    return {tab: [entry.line for entry in entries] for tab, entries in found.entries.items() if entries}


def test_each_row_is_in_one_tab_and_the_counts_add_up() -> None:
    text = f"名稱,統一編號\n乙公司,{N[0]}\n丙新名公司,{N[1]}\n戊公司,{N[2]}\n己公司,12345678\n丁協會,\n"
    found = diff(text)
    assert tabs(found) == {SAME: [2, 6], CHANGE: [3], ADD: [4], FIX: [5]}
    assert found.rows == 5 == sum(found.count(tab) for tab in TABS)
    assert found.operations() == {
        "add": [{"name": "戊公司", "ubn": N[2]}],
        "rename": [{"id": "2", "old": "丙公司", "name": "丙新名公司", "ubn": N[1]}],
    }
    whole = diff(f"名稱,統一編號\n乙公司,{N[0]}\n", whole=True)
    assert [(one.line, one.name) for one in whole.entries[REMOVE]] == [(0, "丙公司"), (0, "丁協會")]
    assert (whole.before, whole.after, whole.missing, whole.rows) == (3, 1, 2, 1)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"戊公司,{N[2]}\n己公司,{N[2]}", "重複"),
        (f"{US.name},{US.ubn}", "自己"),
        ("丙公司,", "統一編號"),
        ("戊公司,9063125", ""),
        (",", ""),
        ("=HYPERLINK(1),", "公式"),
        ("A123456789,", "身分證"),
        (f"戊公司{N[2]},", "分開"),
    ],
)
def test_what_is_wrong_is_told_by_row(row: str, words: str) -> None:
    found = diff(f"名稱,統一編號\n{row}\n庚公司,{N[5]}\n")
    if row == ",":
        assert tabs(found) == {ADD: [3]}, "an empty line is no row"
        return
    fault = found.entries[FIX][-1]
    assert fault.reason is not None
    assert words in fault.reason.zh
    assert found.entries[ADD][-1].name == "庚公司", "one bad row spoils no other"


def test_corrections_and_rows_left_out() -> None:
    text = f"名稱,統一編號\n戊公司,12345678\n己公司,1\n乙公司,{N[0]}\n"
    fixes = {"2": {"name": "戊公司", "ubn": N[2]}, "3": {"skip": True}}
    found = diff(text, fixes=fixes)
    assert tabs(found) == {ADD: [2], SKIPPED: [3], SAME: [4]}
    assert found.rows == sum(len(entries) for entries in found.entries.values())
    again = diff(text, fixes={"2": {"name": "戊公司", "ubn": "00000000"}})
    assert tabs(again)[FIX] == [2, 3], "a correction is judged like a row"


def test_encodings_marks_and_columns_in_any_order() -> None:
    text = f"統編,備註,公司名稱\n{N[2]},x,戊公司\n"
    for content in (
        text.encode("cp950"),
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.replace(",", "\t").encode(),
    ):
        found = diff(content)
        assert [(one.name, one.ubn) for one in found.entries[ADD]] == [("戊公司", N[2])]
    assert importing.headings(["甲", "乙"]) == {}
    assert diff(f"戊公司,{N[2]}").entries[ADD][0].line == 1, "without a heading the first line is a row"


def test_a_number_that_was_missing_is_filled_in() -> None:
    found = diff(f"名稱,統一編號\n丁協會,{N[3]}\n")
    assert found.operations() == {"rename": [{"id": "3", "old": "丁協會", "name": "丁協會", "ubn": N[3]}]}


def test_removals_name_their_day_and_no_day_is_guessed() -> None:
    rows = [
        f"乙公司,{N[0]},民國115年12月1日",
        f"丙公司,{N[1]},15/12/1",
        "丁協會,,2026-11-01",
        f"戊公司,{N[2]},2026-12-01",
    ]
    text = "\n".join(["名稱,統一編號,移除日", *rows])
    found = diff(text)
    assert [(one.name, one.at) for one in found.entries[REMOVE]] == [("乙公司", "2026-12-01T00:00:00+08:00")]
    reasons = {one.name: one.reason.zh for one in found.entries[FIX] if one.reason}
    assert "民國或西元" in reasons["丙公司"]
    assert "早於今天" in reasons["丁協會"]
    assert "沒有這個組織" in reasons["戊公司"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-01", (2026, 11, 1)), ("2026/11/1", (2026, 11, 1)), ("20261101", (2026, 11, 1)),
        ("2026年11月1日", (2026, 11, 1)), ("115/11/1", (2026, 11, 1)), ("115.11.01", (2026, 11, 1)),
        ("1151101", (2026, 11, 1)), ("民國115年11月1日", (2026, 11, 1)), ("中華民國 99 年 1 月 2 日", (2010, 1, 2)),
        ("２０２６－１１－０１", (2026, 11, 1)),
        ("15/11/1", None), ("1/11/2026", None), ("11/1", None), ("261101", None), ("2026-11/01", None),
        ("2026-02-30", None), ("", None), ("明天", None), ("46327", None),
    ],
)  # fmt: skip
def test_days(text: str, day: tuple[int, int, int] | None) -> None:
    if day is None:
        with pytest.raises(Refusal):
            days.read(text)
    else:
        assert days.read(text) == date(*day)


def test_fifty_thousand_rows_are_judged_row_by_row_and_no_roster_grows_past_its_most() -> None:
    rows = "\n".join(f"公司{place}," for place in range(50_000))
    begun = time.perf_counter()
    found = diff(f"名稱,統一編號\n{rows}\n")
    assert time.perf_counter() - begun < 20
    assert found.rows == 50_000 == found.count(ADD) + found.count(FIX)
    assert found.after == 5000
    assert all(one.reason is not None and "上限" in one.reason.zh for one in found.entries[FIX])


_ROWS = st.tuples(
    st.sampled_from(["乙公司", "丙公司", "丙新", "丁協會", "戊公司", "", US.name]),
    st.sampled_from([*N[:4], "", "12345678"]),
    st.sampled_from(["", "2026-12-01", "15/12/1"]),
)


@settings(max_examples=200)
@given(st.lists(_ROWS, max_size=8), st.booleans())
def test_counts_add_up_and_the_roster_after_has_each_organisation_once(rows: list[Any], whole: bool) -> None:
    read = [{"number": place, "cells": list(cells), "fault": None} for place, cells in enumerate(rows, start=1)]
    found = importing.compare(
        read, columns={"name": 0, "ubn": 1, "removed": 2}, heading=False, whole=whole, fixes={}, held=HELD,
        applicant=US, at=AT,
    )  # fmt: skip
    assert found.rows == len(rows) == sum(found.count(tab) for tab in TABS) - found.missing
    ops = found.operations()
    touched = [one["id"] for name in ("rename", "remove") for one in ops.get(name, [])]
    assert len(touched) == len(set(touched)), "no row of the roster is touched twice"
    after = roster_after(HELD, ops)
    assert len(after) == found.after
    numbers = [row.ubn for row in after if row.ubn]
    assert len(numbers) == len(set(numbers))
    assert US.ubn not in numbers
