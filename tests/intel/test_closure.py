"""What is reached from each node: as by walking from it alone, in a time that does not grow with the square."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from lianfang.intel.closure import Closure

GRAPHS = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghi"), max_size=4), max_size=8)


def alone(graph: dict[str, list[str]], values: dict[str, int], start: str) -> set[int]:
    """Walk from one node, which itself is not among what it reaches."""
    seen, pending, found = {start}, list(graph.get(start, ())), set()
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            found.add(values[node])
            pending += graph.get(node, ())
    return found


@given(GRAPHS, st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_as_by_walking_from_each_alone(graph: dict[str, list[str]], numbers: list[int]) -> None:
    values = dict(zip("abcdefghi", numbers, strict=True))
    closure = Closure(lambda node: graph.get(node, ()), lambda node: [values[node]])
    for start in graph:
        assert closure.reached(start, graph[start]) == alone(graph, values, start)


def test_a_long_circle_costs_one_walk() -> None:
    count = 10_000
    began = time.process_time()
    closure = Closure(lambda node: [str((int(node) + 1) % count), "0"], lambda node: [int(node) % 7])
    for number in range(count):
        assert closure.reached(str(number), [str((number + 1) % count)]) == set(range(7))
    assert time.process_time() - began < 2
