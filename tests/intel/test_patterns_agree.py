"""The expression for plain patterns against the real grammar, and limits that hold whatever is sent."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2patterns.validator import run_validator

from lianfang.intel import intake, patterns
from lianfang.intel.patterns import BUDGET, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Budget, check, plain
from lianfang.kernel.refusal import Refusal
from tests.intel.cast import bundle, indicator


def refused(pattern: str, budget: Budget | None = None) -> str:
    """The rule that refuses, or nothing."""
    found: Refusal | None = None
    try:
        check(pattern, budget=budget or Budget())
    except Refusal as refusal:
        found = refusal
    assert found is None or (found.field, found.clause) in (("pattern", "STIX 2.1 §9"), ("pattern", "STIX 2.1 §9.7"))
    return found.rule if found else ""


# -- plain patterns and the grammar ----------------------------------------------------------------------------------

KEYWORDS = st.sampled_from(["IN", "NOT", "h", "true", "t"])
WORDS = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_]{0,8}", fullmatch=True) | KEYWORDS
STEPS = WORDS | st.builds("'{}'".format, st.from_regex(r"[a-zA-Z0-9_-]{1,10}", fullmatch=True))
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0'\\")
LITERALS = st.lists(CHARACTERS | st.sampled_from(["\\'", "\\\\", "[", "]"]), max_size=10).map("".join)
COMPARISONS = st.builds(
    lambda kind, first, rest, space, value: f"[{kind}:{'.'.join([first, *rest])}{space}'{value}']",
    st.from_regex(r"[a-z0-9]{3,6}(-[a-z0-9]{1,5}){0,2}", fullmatch=True),
    WORDS,
    st.lists(STEPS, max_size=2),
    st.sampled_from([" = ", "=", " =", "= "]),
    LITERALS,
)


def _meant(pattern: str) -> tuple[str, str, str]:
    """Type, path and value as the grammar's own tree has them."""
    from antlr4 import CommonTokenStream, InputStream
    from stix2patterns.v21.grammars.STIXPatternLexer import STIXPatternLexer
    from stix2patterns.v21.grammars.STIXPatternParser import STIXPatternParser

    tokens = CommonTokenStream(STIXPatternLexer(InputStream(pattern)))
    tree = STIXPatternParser(tokens).pattern()
    found: dict[str, str] = {}

    def walk(node: Any) -> None:
        name = type(node).__name__
        if name == "ObjectPathContext":
            found["path"] = node.getText()
        if name == "PropTestEqualContext":
            found["value"] = node.primitiveLiteral().getText()
        for place in range(node.getChildCount() if hasattr(node, "getChildCount") else 0):
            walk(node.getChild(place))

    walk(tree)
    kind, _, path = found["path"].partition(":")
    value = found["value"][1:-1].replace("\\'", "'").replace("\\\\", "\\")
    return kind, path.replace("'", ""), value


# Words that the expression leaves to the grammar are many among these, and each of those is a case as well.
@given(pattern=COMPARISONS)
@settings(max_examples=200, deadline=None)
def test_what_the_expression_takes_the_grammar_takes_with_the_same_meaning(pattern: str) -> None:
    found = plain(pattern)
    if found is None:
        return
    assert run_validator(pattern, stix_version="2.1") == []
    if "\\" not in pattern:  # the tree gives escapes as they are written
        assert (found.type, found.path, found.value) == _meant(pattern)


@given(pattern=COMPARISONS, cut=st.integers(0, 40), put=st.sampled_from([*"'\\][\n:=", "", " AND "]))
@settings(max_examples=100, deadline=None)
def test_a_damaged_pattern_is_taken_by_the_expression_only_if_the_grammar_takes_it(
    pattern: str, cut: int, put: str
) -> None:
    damaged = pattern[:cut] + put + pattern[cut + 1 :]
    if plain(damaged) is not None:
        assert run_validator(damaged, stix_version="2.1") == []


@pytest.mark.parametrize(("pattern", "value"), [
    ("[url:value = 'https://example.test/?a=1&b=2']", "https://example.test/?a=1&b=2"),
    ("[url:value = '']", ""),
    (r"[file:name = 'it\'s']", "it's"),
    (r"[file:name = 'C:\\Windows\\x.exe']", "C:\\Windows\\x.exe"),
    ("[file:name = '檔名 名.docx']", "檔名 名.docx"),
    ("[file:name = 'a\tb']", "a\tb"),
    ("[file:name='x']", "x"),
    ("[email-addr:value = 'a@example.test']", "a@example.test"),
    ("[file:hashes.'MD5' = 'D41D8CD98F00B204E9800998ECF8427E']", "D41D8CD98F00B204E9800998ECF8427E"),
    ("[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", "d41d8cd98f00b204e9800998ecf8427e"),
])  # fmt: skip
def test_plain_patterns_of_the_field_need_no_parser(pattern: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_parse", lambda pattern: f"parsed {pattern}")
    found = plain(pattern)
    assert found is not None
    assert found.value == value
    assert refused(pattern, Budget(left=0)) == ""


@pytest.mark.parametrize("pattern", [
    "[file:hashes.MD5 = 'd41d8cd9']", "[file:hashes.'SHA-256' = 'zz']", "[file:hashes.'SHA-1' = '" + "a" * 41 + "']",
    "[file:hashes.'SHA3-256' = '" + "a" * 64 + "']", "[file:hashes.unknown = 'x']",
])  # fmt: skip
def test_a_hash_of_another_length_is_for_the_grammar(pattern: str) -> None:
    assert plain(pattern) is None


# Every operator, qualifier and literal of the grammar once.
SPEC = [
    "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
    "[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$' AND "
    "email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\\\.exe$']",
    "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = "
    "'HKEY_LOCAL_MACHINE\\\\\\\\foo\\\\\\\\bar'] WITHIN 300 SECONDS",
    "[user-account:account_type = 'unix' AND user-account:user_id = '1007' AND user-account:account_login = 'Peter']",
    "[artifact:mime_type = 'application/vnd.tcpdump.pcap' AND artifact:payload_bin MATCHES '\\\\xd4\\\\xc3']",
    "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = '4c:0b:1d:19']",
    "[windows-registry-key:key = 'a' OR windows-registry-key:key LIKE 'b%']",
    "[(file:name = 'pdf.exe' OR file:size = 371712) AND file:created = t'2014-01-13T07:03:17Z']",
    "[email-message:sender_ref.value NOT LIKE '%@example.test']",
    "([file:name = 'foo.dll'] AND [process:command_line MATCHES 'x']) REPEATS 5 TIMES WITHIN 1800.5 SECONDS",
    "[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'x.example'] START "
    "t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
    "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "[ipv4-addr:value NOT ISSUPERSET '198.51.100.5/32']",
    "[file:size IN (1, 2, 3)]", "[file:size NOT IN (-1)]", "[process:is_hidden = true]",
    "[artifact:payload_bin = b'AAAA']", "[artifact:payload_bin = h'ff00']",
    "[process:pid != 5 AND process:pid >= 1 AND process:pid <= 9]",
    "[EXISTS file:name]", "[file:name == 'x' AND file:size IN ()]",
    "[file:size > /* why */ 1]",
]  # fmt: skip


@pytest.mark.parametrize("pattern", SPEC)
def test_every_form_of_the_grammar_is_taken(pattern: str) -> None:
    assert refused(pattern) == ""


@pytest.mark.parametrize("pattern", [
    "", " ", "file:name = 'x'", "[file:name = x]", "[file:name === 'x']", "[file = 'x']", "[:name = 'x']",
    "[file:name = 'x' AND]", "[file:name = 'x'] AND", "[file:name LIKE 5]", "[file:name = 'x'] WITHIN 5 MINUTES",
    "[file:name = 'x'] REPEATS TIMES", "[file:name = 'x'] START '2026'", "[file:name = t'2026-01-01']",
    "[file:name IN (]", "[file:name = 'x'", "file:name = 'x']", "[[file:name = 'x']]", "[file:name = 'it's']",
    "[file:name = \"x\"]", "[file:name = 'x'] OR OR [file:name = 'y']", "x" * 500, "[" * 20, "\0",
])  # fmt: skip
def test_what_the_grammar_does_not_know(pattern: str) -> None:
    assert refused(pattern) == "pattern-grammar"


@pytest.mark.parametrize("pattern", [
    "[ab:name = 'x']", "[abc:de = 'x']", "[File:name = 'x']", "[file:Name = 'x']",
    "[fi--le:name = 'x' OR file:name = 'y']", f"[{'a' * 251}:name = 'x']", f"[file:{'a' * 251} = 'x']",
    "[file_x:name = 'x']", "[file:name = 'x' /* ab:cd */] AND [file : ab = 1]",
])  # fmt: skip
def test_types_and_properties_that_no_object_could_have(pattern: str) -> None:
    """The grammar takes them; §3.1 says what a type and a property are called."""
    assert run_validator(pattern, stix_version="2.1") == []
    assert plain(pattern) is None
    assert refused(pattern) == "pattern-name"


@pytest.mark.parametrize("pattern", [
    "[file:id = 'x']", "[file:'name' = 'a:b']", "[x-acme:name = 'x' OR file:extensions.'ntfs-ext'.sid = 'C:\\\\x:y']",
    "[file:size > /* why: it is large, a:b */ 1]", "[file:size > 1] // x:y", f"[{'a' * 250}:name LIKE 'x']",
    "[process:environment_variables.Path LIKE 'x']", "[email-message:body_multipart[*].body_raw_ref.name = 'x']",
])  # fmt: skip
def test_types_and_properties_that_there_could_be(pattern: str) -> None:
    assert refused(pattern) == ""


# -- limits ----------------------------------------------------------------------------------------------------------


def ors(terms: int) -> str:
    return "[" + " OR ".join(["abc:def = 'c'"] * terms) + "]"


def test_terms_up_to_the_limit_and_one_more() -> None:
    assert refused(ors(MAX_TERMS)) == ""
    assert refused(ors(MAX_TERMS + 1)) == "pattern-terms"
    # Words inside a literal are no terms.
    assert refused("[abc:def = '" + "= IN LIKE " * 300 + "' OR abc:def = 'y']") == ""


def test_depth_up_to_the_limit_and_one_more() -> None:
    def nested(levels: int) -> str:
        return "[" + "(" * levels + "abc:def = 1" + ")" * levels + "]"

    assert refused(nested(MAX_DEPTH)) == ""
    assert refused(nested(MAX_DEPTH + 1)) == "pattern-depth"
    assert refused("[abc:def = '" + "(" * 100 + "' OR abc:def = 1]") == ""


def test_length_counts_only_where_the_parser_would_have_to_read() -> None:
    long = "x" * (MAX_LENGTH + 1)
    assert refused(f"[url:value = '{long}']") == ""
    assert refused(f"[url:value = '{long}' OR url:value = 'y']") == "pattern-length"
    assert refused(f"[url:value LIKE '{long}']") == "pattern-length"


@pytest.mark.parametrize("pattern", [
    "[file:name = 'x'] REPEATS 0 TIMES", "[file:name = 'x'] REPEATS 000 TIMES", "[file:name = 'x'] WITHIN 0 SECONDS",
    "[file:name = 'x'] WITHIN 0.0 SECONDS", "([file:name = 'x'] REPEATS 2 TIMES) WITHIN 00 SECONDS",
])  # fmt: skip
def test_what_can_never_match(pattern: str) -> None:
    assert refused(pattern) == "pattern-never"
    assert refused(pattern.replace("0", "7")) == ""


@pytest.mark.parametrize("hostile", [
    "(" * 5000 + "[a:b = 1]" + ")" * 5000, "[" + "NOT " * 2000 + "a:b = 1]", "[a:b = 1]" + " AND [a:b = 1]" * 400,
    "[a:" + ".".join(["b"] * 4000) + " = 1]", "[a:b[" + "0" * 9000 + "] = 1]", "'" * 9999, "\\" * 9999,
    "[a:b = '" + "\\'" * 4000, "[a:b IN (" + ",".join(["1"] * 4000) + ")]", "a" * 9999, "[" + "a" * 9990 + ":b = 1]",
    "[a:b MATCHES '" + "(a+)+" * 1000 + "$']", "[" + "a-" * 4900 + ":b = 'c']", " " * 9999, "/*" * 4999,
    "[a:b = '" + "\\'" * 4000 + "\\", "[a:b > " + "1" * 9000 + "]", "[a:b > 1" + ".0" * 4000 + "]",
    "(" * 32 + "[a:b > 1]" + " AND [a:b > 1])" * 32, "[" + "(" * 32 + "a:b > 1" + " OR a:b > 2)" * 32 + "]",
    "[a:b > 1]" + " FOLLOWEDBY [a:b > 1] REPEATS 2 TIMES WITHIN 3 SECONDS" * 150, "[a:b = h'" + "f" * 9001 + "']",
    "[a:b = t'" + "2" * 9001 + "']", "[a:b = 1] " + "START t'x' " * 800, "[a:b[*]" + "[*]" * 3000 + " = 1]",
])  # fmt: skip
def test_no_pattern_keeps_the_reader_long_or_brings_it_down(hostile: str) -> None:
    started = time.process_time()
    refused(hostile)
    assert time.process_time() - started < 5


def test_the_budget_is_of_the_whole_submission_and_plain_patterns_cost_nothing() -> None:
    budget = Budget()
    assert budget.left == BUDGET
    refused("[url:value = 'x']", budget)
    assert budget.left == BUDGET
    refused("[url:value = 'x' OR url:value = 'y']", budget)
    # By words and signs: a list of a thousand numbers is one comparison, and costs the parser as much as hundreds.
    assert budget.left == BUDGET - 16


def test_what_a_submission_cannot_afford_is_refused_object_by_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "Budget", lambda: Budget(left=32))
    costly = [indicator(pattern=f"[url:value = 'a{n}' OR url:value = 'b{n}']") for n in range(3)]
    candidates, results = intake.examine(bundle(*costly, indicator()))
    assert [each.place for each in candidates] == [0, 1, 3]
    assert [(result["place"], result["rule"]) for result in results] == [(2, "pattern-budget")]


@pytest.mark.parametrize("language", ["sigma", "yara", "snort", "suricata", "pcre", "x-own"])
def test_other_languages_are_kept_unread(language: str) -> None:
    text = 'rule x { strings: $a = "[nonsense" condition: $a }'
    candidates, results = intake.examine(bundle(indicator(pattern=text, pattern_type=language)))
    assert results == []
    assert candidates[0].value["pattern"] == text


def test_whatever_the_generated_parser_raises_the_pattern_is_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    from stix2patterns import validator

    def broken(pattern: str, stix_version: str) -> list[str]:
        raise UnboundLocalError(pattern, stix_version)

    monkeypatch.setattr(validator, "run_validator", broken)
    patterns._parse.cache_clear()
    assert refused("[file:size > 7]") == "pattern-grammar"
    patterns._parse.cache_clear()
