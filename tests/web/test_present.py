"""Clocks, labels and lengths as they are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lianfang.policy.facts import Tlp
from lianfang.web import present

AT = datetime(2026, 11, 23, 6, 32, tzinfo=UTC)  # Monday, 14:32 in Taipei


@pytest.mark.parametrize(
    "written", ["TLP:AMBER+STRICT", "amber+strict", " Amber_Strict ", "amber-strict", Tlp.AMBER_STRICT]
)
def test_a_label_is_read_however_it_is_written(written: str | Tlp) -> None:
    assert present.tlp_of(written) is Tlp.AMBER_STRICT
    assert present.tlp_class(written) == "tlp-amber"


@pytest.mark.parametrize("written", ["", "TLP:", "WHITE", "amber strict", "<b>"])
def test_no_other_word_is_a_label(written: str) -> None:
    with pytest.raises(ValueError, match="no TLP label"):
        present.tlp_of(written)


@pytest.mark.parametrize(
    ("due", "zh", "en", "tone"),
    [
        (datetime(2026, 11, 20, 9, tzinfo=UTC), "逾3天", "3 days late", "late"),
        (datetime(2026, 11, 22, 9, tzinfo=UTC), "逾1天", "1 day late", "late"),
        (AT - timedelta(minutes=5), "逾1小時", "1 hour late", "late"),
        (datetime(2026, 11, 23, 15, 59, tzinfo=UTC), "今天到期", "Due today", "due"),
        (datetime(2026, 11, 24, 9, tzinfo=UTC), "剩1天", "1 day left", "due"),
        (datetime(2026, 11, 25, 9, tzinfo=UTC), "剩2天", "2 days left", "due"),
        (datetime(2026, 11, 26, 9, tzinfo=UTC), "剩3天", "3 days left", ""),
        (datetime(2026, 12, 23, 15, 59, tzinfo=UTC), "剩30天", "30 days left", ""),
    ],
)
def test_what_is_left(due: datetime, zh: str, en: str, tone: str) -> None:
    reading = present.clock(due, at=AT)
    assert (reading.left.zh, reading.left.en, reading.tone) == (zh, en, tone)


def test_two_working_days_over_a_weekend_are_urgent() -> None:
    friday = datetime(2026, 11, 27, 6, tzinfo=UTC)
    assert present.clock(datetime(2026, 12, 1, 6, tzinfo=UTC), at=friday).tone == "due"
    assert present.clock(datetime(2026, 12, 2, 6, tzinfo=UTC), at=friday).tone == ""


@pytest.mark.parametrize(
    ("left", "zh"),
    [
        (timedelta(hours=20, minutes=28), "剩20小時"),
        (timedelta(minutes=30), "剩30分鐘"),
        (timedelta(seconds=1), "剩1分鐘"),
        (timedelta(hours=48), "剩2天"),
    ],
)
def test_hours_are_shown_below_two_days(left: timedelta, zh: str) -> None:
    assert present.clock(AT + left, at=AT, with_time=True).left.zh == zh


def test_the_instant_itself_is_not_late() -> None:
    assert present.clock(AT, at=AT).tone == "due"
    assert present.clock(AT - timedelta(microseconds=1), at=AT).tone == "late"


def test_dates_are_those_of_taipei() -> None:
    evening = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert present.short_date(evening).zh == "11/23（一）"
    assert present.short_date(evening, with_time=True).en == "Mon 23 Nov, 00:00"


def test_bars_are_parts_of_the_whole() -> None:
    made = present.bars([("a", 61, "TLP:AMBER"), ("b", 203), ("c", 300)], whole=214)
    assert [bar.share for bar in made] == ["28.5", "94.9", "100.0"]
    assert [bar.note for bar in made] == ["TLP:AMBER", "", ""]
    assert present.bars([("a", 0)])[0].share == "0"
    assert present.bars([]) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) … Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) … Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.0", "Another browser"),
        ("", "Another browser"),
    ],
)
def test_a_device_is_known_by_browser_and_system(said: str, words: str) -> None:
    assert present.device(said).en == words


def test_columns_end_with_the_present() -> None:
    made = present.columns([("2026-10", 4), ("2026-11", 8)])
    assert [(column.x, column.y, column.height, column.last) for column in made] == [
        (1, "41.0", "38.0", False),
        (11, "3.0", "76.0", True),
    ]
    assert present.columns([("a", 0)])[0].height == "0.0"
