import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel import ids


def test_new_id_is_random_and_of_version_4() -> None:
    made = {ids.new_id() for _ in range(200)}
    assert len(made) == 200
    assert {one.version for one in made} == {4}


@pytest.mark.parametrize(
    ("prefix", "year", "n", "expected"),
    [
        ("A", 2026, 187, "A-2026-0187"),
        ("A", 2026, 1, "A-2026-0001"),
        ("REV", 2027, 9999, "REV-2027-9999"),
        ("C", 2026, 10000, "C-2026-10000"),
        ("A", 1912, 1, "A-1912-0001"),
        ("A", 9999, 1, "A-9999-0001"),
    ],
)
def test_case_number(prefix: str, year: int, n: int, expected: str) -> None:
    assert ids.case_number(prefix, year, n) == expected


@pytest.mark.parametrize(
    ("prefix", "year", "n"),
    [
        ("", 2026, 1),
        ("a", 2026, 1),
        ("A-", 2026, 1),
        ("A\n", 2026, 1),
        ("ABCDE", 2026, 1),
        ("A", 115, 1),
        ("A", 1911, 1),
        ("A", 10000, 1),
        ("A", 2026, 0),
    ],
)
def test_a_case_number_that_would_mislead_is_refused(prefix: str, year: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"prefix|year|number"):
        ids.case_number(prefix, year, n)


@given(n=st.integers(1, 10**7), m=st.integers(1, 10**7))
@settings(deadline=None)
def test_case_numbers_are_as_distinct_as_what_they_count(n: int, m: int) -> None:
    assert (ids.case_number("A", 2026, n) == ids.case_number("A", 2026, m)) == (n == m)


def test_a_secret_has_256_bits_and_is_safe_in_urls_basic_and_bearer() -> None:
    made = {ids.new_secret() for _ in range(200)}
    assert len(made) == 200
    for secret in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)  # 43 x 6 bits >= 256; no ":"


def test_digest_is_sha_256_of_the_utf_8_form() -> None:
    assert ids.digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ids.digest("聯防") == ids.digest("聯防".encode()) == hashlib.sha256("聯防".encode()).digest()
    assert len(ids.digest("")) == 32


def test_digest_refuses_text_without_utf_8_form() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        ids.digest("\ud800")


def test_short_is_the_beginning_of_the_digest() -> None:
    full = ids.digest(b"abc")
    assert ids.short(full) == "ba7816bf8f01"
    assert full.hex().startswith(ids.short(full))
