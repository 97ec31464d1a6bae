"""Letters of decision as they are printed: whole in both languages, whatever the reasons, never with a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.kernel.text import Bilingual
from lianfang.members import procedure, words
from lianfang.members.lifecycle import APPEAL, APPLICATION, MEMBERSHIP, REVOCATION
from lianfang.members.procedure import Spec
from lianfang.members.words import Letter

SPEC = Spec(procedure.shipped(1))
AT = datetime(2026, 11, 2, 16, 30, tzinfo=UTC)
LETTER = Letter(
    number="D-2026-0007",
    organization=Bilingual(zh="甲示範電子股份有限公司", en="Example 1"),
    clause="1.3",
    reasons=[Bilingual(zh="符合資格。", en="It is eligible.")],
    text="",
    decided_at=AT,
    appeal_last_day=date(2026, 12, 2),
)
REASONS = [procedure.words(reason["label"]) for reason in SPEC.reasons("reject")]


def letters(letter: Letter) -> dict[str, Bilingual]:
    return {
        "approval": words.approval_letter(letter, charter_version=3),
        "rejection": words.rejection_letter(letter),
        "revocation": words.revocation_letter(letter),
        "granted": words.appeal_letter(letter, granted=True),
        "denied": words.appeal_letter(letter, granted=False),
    }


@pytest.mark.parametrize("kind", list(letters(LETTER)))
def test_a_letter_names_whom_it_is_to_its_number_its_day_and_its_clause(kind: str) -> None:
    letter = letters(LETTER)[kind]
    for part in ("主旨：", "受文者：甲示範電子股份有限公司", "發文字號：D-2026-0007", "說明：\n一、符合資格。"):
        assert part in letter.zh
    for part in ("Subject: ", "To: Example 1", "Number: D-2026-0007", "- It is eligible.", "clause 1.3"):
        assert part in letter.en
    assert "115年11月3日" in letter.zh, "the day in Taipei, where it is past midnight already"
    for text in (letter.zh, letter.en):
        assert "{" not in text
        assert "None" not in text


def test_an_approval_tells_beginning_version_and_the_duty_that_stays() -> None:
    letter = letters(LETTER)["approval"]
    assert "第3版" in letter.zh
    assert "Version 3" in letter.en
    for clause in ("2.4", "3.3"):
        assert clause in letter.zh
        assert clause in letter.en


def test_a_rejection_tells_that_one_may_apply_again() -> None:
    letter = letters(LETTER)["rejection"]
    assert "可以重新申請" in letter.zh
    assert "apply again" in letter.en


def test_a_revocation_tells_instant_last_day_and_duties() -> None:
    letter = letters(LETTER)["revocation"]
    for part in ("115年12月2日", "離會專區", "未參與原決定的人", "規章3.3", "銷毀或返還"):
        assert part in letter.zh
    for part in ("00:30", "Somebody who took", "confidentiality", "destroy"):
        assert part in letter.en
    with pytest.raises(ValueError, match="last day"):
        words.revocation_letter(replace(LETTER, appeal_last_day=None))


def test_the_decision_on_an_appeal_says_which() -> None:
    granted, denied = letters(LETTER)["granted"], letters(LETTER)["denied"]
    assert "恢復同一會籍" in granted.zh
    assert "不會自動補發" in granted.zh
    assert "維持取消" in denied.zh
    assert "granted" in granted.en
    assert "stands" in denied.en


def test_an_organisation_without_an_english_name_keeps_its_own() -> None:
    nameless = replace(LETTER, organization=Bilingual(zh="沒有英文名稱", en=""))
    for letter in letters(nameless).values():
        assert "To: 沒有英文名稱" in letter.en


@settings(max_examples=60)
@given(
    reasons=st.lists(st.sampled_from(REASONS), min_size=0, max_size=len(REASONS), unique=True),
    text=st.text(alphabet="甲乙 \n<>&{}%x", max_size=60),
)
def test_reasons_and_the_word_of_who_decided_are_numbered_in_their_order(reasons: list[Bilingual], text: str) -> None:
    given_ = replace(LETTER, reasons=reasons, text=text)
    for letter in letters(given_).values():
        places = [letter.zh.index(f"、{reason.zh}") for reason in reasons]
        assert places == sorted(places)
        assert letter.zh.count("\n一、") == 1
        for reason in reasons:
            assert f"- {reason.en}" in letter.en
        if text.strip():
            assert text.strip() in letter.zh
            assert text.strip() in letter.en


# Fixed words


def test_everything_that_is_shown_has_words_in_both_languages() -> None:
    tables = [words.KINDS, words.GROUNDS, words.SCREENING, words.EVENTS, words.LOSSES]
    for table in tables:
        for code, said in table.items():
            assert said.zh, code
            assert said.en, code
            assert said.zh != said.en, code
    assert set(words.SCREENING) == set(words.SCREENING_TONES)
    assert set(words.EVENTS) >= words.KEY_EVENTS


def test_grounds_are_clauses_of_the_charter() -> None:
    """Charter 1.4 names two grounds; 2.3 and 5.3 each let the alliance revoke."""
    assert set(words.GROUNDS) == {"1.4a", "1.4b", "2.3", "5.3"}
    for code, said in words.GROUNDS.items():
        assert code.rstrip("ab") in said.zh
        assert code.rstrip("ab") in said.en


@pytest.mark.parametrize("machine", [APPLICATION, MEMBERSHIP, REVOCATION, APPEAL], ids=lambda one: one.name)
def test_a_state_in_which_nothing_can_be_decided_is_named(machine: object) -> None:
    for said in machine.states.values():  # type: ignore[attr-defined]
        reason = words.not_in_state(said)
        assert said.zh in reason.zh
        assert said.en in reason.en


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_what_follows_from_an_approval_counts_the_constituents(count: int) -> None:
    lines = words.effects_of_approval(count)
    assert str(count) in lines[2].zh
    assert [("N5" in line.en, "N3" in line.en) for line in lines] == [
        (False, False), (True, False), (False, False), (False, True),
    ]  # fmt: skip
