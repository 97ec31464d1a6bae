"""Patterns: the plain ones by an expression that agrees with the grammar, the rest within limits."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.intel.patterns import MAX_TERMS, Budget, Comparison, check, plain
from lianfang.kernel.refusal import Refusal


@pytest.mark.parametrize(("pattern", "found"), [
    ("[domain-name:value = 'a.example']", Comparison("domain-name", "value", "a.example")),
    (f"[file:hashes.'SHA-256' = '{'a' * 64}']", Comparison("file", "hashes.SHA-256", "a" * 64)),
    ("[file:hashes.'SHA-256' = 'aa']", None),
    ("[file:name='a']", Comparison("file", "name", "a")),
    (r"[file:name = 'it\'s\\']", Comparison("file", "name", "it's\\")),
    ("[abc:def = 'x' OR abc:def = 'y']", None),
    ("[domain-name:value = 'a'] ", None),
    ("[domain-name:value LIKE 'a%']", None),
])  # fmt: skip
def test_plain(pattern: str, found: Comparison | None) -> None:
    assert plain(pattern) == found


@given(
    st.from_regex(
        r"\[(domain-name|file|ipv4-addr):(value|name|hashes\.'SHA-1') = '([a-zA-Z0-9.:/ _-]{0,12}|[0-9a-f]{40})'\]",
        fullmatch=True,
    )
)
@settings(max_examples=40, deadline=None)
def test_what_is_plain_follows_the_grammar(pattern: str) -> None:
    from stix2patterns.validator import run_validator

    if plain(pattern) is not None:
        assert not run_validator(pattern, stix_version="2.1")


@pytest.mark.parametrize("pattern", [
    "[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value = '192.0.2.2']",
    "([file:name = 'a'] FOLLOWEDBY [process:pid > 3]) WITHIN 300 SECONDS",
    "[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$']",
    "[file:size IN (1, 2)] REPEATS 2 TIMES",
])  # fmt: skip
def test_the_grammar_takes_the_rest(pattern: str) -> None:
    check(pattern, budget=Budget())


@pytest.mark.parametrize(("pattern", "rule"), [
    ("", "pattern-grammar"),
    ("[", "pattern-grammar"),
    ("[file:name = 'a']]", "pattern-grammar"),
    ("[file:name = 'a'] REPEATS 0 TIMES", "pattern-never"),
    ("[file:name = 'a'] WITHIN 0 SECONDS", "pattern-never"),
    ("[" + " OR ".join(["abc:def = 'c'"] * (MAX_TERMS + 1)) + "]", "pattern-terms"),
    ("(" * 2000 + "[abc:def = 1]" + ")" * 2000, "pattern-depth"),
    ("[abc:def = '" + "x" * 20000 + "' OR abc:def = 'y']", "pattern-length"),
])  # fmt: skip
def test_refused_by_name(pattern: str, rule: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(pattern, budget=Budget())
    assert refused.value.rule == rule


def test_a_submission_cannot_keep_the_parser_busy() -> None:
    budget = Budget(left=20)
    check("[abc:def = 'c' OR abc:def = 'd']", budget=budget)
    with pytest.raises(Refusal, match="several"):
        check("[abc:def = 'c' OR abc:def = 'e']", budget=budget)


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    with suppress(Refusal):
        check(text, budget=Budget())
