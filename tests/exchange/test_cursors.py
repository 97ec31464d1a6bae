"""`next` tells nothing and fits nobody else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lianfang.exchange.taxii import cursors

POSITIONS = st.integers(min_value=0, max_value=2**63)


@given(POSITIONS)
def test_there_and_back(position: int) -> None:
    written = cursors.write(position=position, reader="a", asked={"match[type]": "indicator"})
    assert cursors.read(written, reader="a", asked={"match[type]": "indicator"}) == position


@given(POSITIONS, POSITIONS)
def test_length_says_nothing(one: int, other: int) -> None:
    lengths = {len(cursors.write(position=position, reader="a", asked={})) for position in (one, other)}
    assert len(lengths) == 1


def test_another_reader_or_filter_cannot_use_it() -> None:
    written = cursors.write(position=7, reader="a", asked={"match[type]": "indicator"})
    assert cursors.read(written, reader="b", asked={"match[type]": "indicator"}) is None
    assert cursors.read(written, reader="a", asked={}) is None


@given(st.text(max_size=80))
def test_nothing_breaks_it(text: str) -> None:
    assert cursors.read(text, reader="a", asked={}) is None


@given(POSITIONS, st.integers(min_value=0, max_value=31))
def test_every_altered_character_is_noticed(position: int, place: int) -> None:
    written = cursors.write(position=position, reader="a", asked={})
    changed = "A" if written[place % len(written)] != "A" else "B"
    altered = written[: place % len(written)] + changed + written[place % len(written) + 1 :]
    assert cursors.read(altered, reader="a", asked={}) is None
