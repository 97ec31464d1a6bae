"""What is kept of entries: bounded, what came first goes first, and nothing that is dropped comes back."""

from __future__ import annotations

import time

from lianfang.intel.shelf import Shelf


def shelf(*positions: int, size: int = 400, limit: int = 3000) -> Shelf[str]:
    made: Shelf[str] = Shelf(limit)
    for position in positions:
        key = (position, False)
        made.put({key: f"entry {position}"}, sizes={key: size})
    return made


def test_what_was_put_is_found_under_its_own_key() -> None:
    held = shelf(1, 2)
    assert held.take([(1, False), (2, True), (3, False)]) == {1: "entry 1"}


def test_what_came_first_goes_first() -> None:
    held = shelf(1, 2, 3, 1)  # three of a thousand bytes with what surrounds them
    held.put({(4, False): "entry 4"}, sizes={(4, False): 400})
    assert held.take([(n, False) for n in range(5)]).keys() == {1, 3, 4}


def test_putting_again_does_not_count_twice() -> None:
    held = shelf(1, 1, 1, 1, 2, 3)
    assert held.take([(n, False) for n in range(4)]).keys() == {1, 2, 3}


def test_what_is_larger_than_all_is_not_kept() -> None:
    assert shelf(1, size=5000).take([(1, False)]) == {}


def test_both_forms_are_dropped() -> None:
    held = shelf(1)
    held.put({(1, True): "named"}, sizes={(1, True): 1})
    held.drop([1, 7])
    assert held.take([(1, False)]) == held.take([(1, True)]) == {}


def seconds_of_going(entries: int) -> float:
    """Processor time a thousand entries take to push out as many others, of a shelf that holds this many."""
    held: Shelf[str] = Shelf(entries * 1000)
    keys = [(position, False) for position in range(entries + entries // 2)]
    held.put(dict.fromkeys(keys[:entries], ""), sizes=dict.fromkeys(keys[:entries], 400))
    pushing = keys[entries:]
    began = time.process_time()
    held.put(dict.fromkeys(pushing, ""), sizes=dict.fromkeys(pushing, 400))
    return (time.process_time() - began) * 1000 / len(pushing)


def test_an_entry_goes_as_fast_from_a_large_shelf_as_from_a_small_one() -> None:
    small, large = (min(seconds_of_going(entries) for _ in range(3)) for entries in (2_000, 64_000))
    assert large < 6 * small, "the first entry is looked for past all that went before it"
