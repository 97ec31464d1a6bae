"""The sentences: there for everything, short, in Taiwan's words, and true to `decide`."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from lianfang.policy.decide import RULES, decide
from lianfang.policy.facts import Audience, NarrowedKind, NarrowedTo, Publication, Right, State, Tlp, Upstream
from lianfang.policy.facts import UpstreamKind as Up
from lianfang.policy.print import print_policy
from lianfang.policy.words import FEW, RIGHTS, Answer, audience_sentence, others, why
from tests.policy.cast import ALPHA, NOW, PAGE, PAST, SOON, item, own, person, public, red
from tests.policy.ground import AT, SHARING, any_audience

pytestmark = pytest.mark.fast
MAINLAND = re.compile("登錄|賬號|默認|信息|網絡|軟件|服務器|用戶|界面|屏幕|激活|批量|質量|視頻|打印|數據")
BETWEEN = re.compile(r"[\u4e00-\u9fff] [A-Za-z0-9]|[A-Za-z0-9] [\u4e00-\u9fff]")


def test_every_right_and_rule_has_its_words() -> None:
    assert set(RIGHTS) == set(Right)
    for words in (*RIGHTS.values(), *(rule.sentence for rule in RULES.values())):
        assert words.zh
        assert words.en
        assert not MAINLAND.search(words.zh)
        assert not BETWEEN.search(words.zh)
    assert len({rule.sentence.zh for rule in RULES.values()}) == len(RULES)


def test_rules_cite_a_clause() -> None:
    assert all(re.fullmatch(r"(\d\.\d|TLP)(, (\d\.\d|TLP))*", rule.clause) for rule in RULES.values())


def test_why_names_the_rules_that_decided() -> None:
    allowed = decide(subject=person(), right=Right.READ, target=item(), at=AT, request=PAGE)
    assert [reason.rule for reason in why(allowed)] == ["P-alliance"]
    denied = decide(subject=person(mfa=False), right=Right.READ, target=item(), at=AT, request=PAGE)
    assert [(reason.rule, reason.clause) for reason in why(denied)] == [("F-mfa", "2.3")]
    assert denied.sentence == RULES["F-mfa"].sentence
    nothing = decide(subject=person(), right=Right.READ, target=own(ALPHA, tlp=Tlp.RED), at=AT, request=PAGE)
    assert [reason.rule for reason in why(nothing)] == [""]
    assert nothing.clause == ""


def test_the_sentence_of_an_audience() -> None:
    assert audience_sentence(item(), at=AT).zh == "全體團體會員與其轉送的內部成員；不對外公開。"
    assert audience_sentence(item(), at=AT, size=42).zh == "全體團體會員（42個）與其轉送的內部成員；不對外公開。"
    assert audience_sentence(item(), at=AT, size=FEW).en.startswith("All group members (few members)")
    assert "內部成員" not in audience_sentence(item(tlp=Tlp.AMBER_STRICT), at=AT).zh
    assert audience_sentence(red(ALPHA), at=AT).zh.startswith("只有指名的人，在網頁上")
    assert audience_sentence(red(), at=AT).zh.startswith("只有提交的本人")
    assert audience_sentence(item(tlp=Tlp.RED), at=AT).zh.startswith("只有提交的本人")
    assert audience_sentence(item(audience=Audience.groups()), at=AT).zh.startswith("沒有會員")
    assert audience_sentence(public(), at=AT).zh == "任何人都看得到。"
    assert audience_sentence(public(publication=Publication(SOON)), at=AT).zh.startswith("只有協調中心")


def test_the_sentence_knows_the_state_of_the_item() -> None:
    assert audience_sentence(item(state=State.QUARANTINED), at=AT).zh.startswith("隔離中")
    assert audience_sentence(item(state=State.RECALLED), at=AT).zh.startswith("已召回")
    assert audience_sentence(item(upstream=Upstream(Up.HOLD)), at=AT).zh.startswith("先前的約定保留中")
    ended = Upstream(Up.PERMITTED, until=NOW)
    assert audience_sentence(item(upstream=ended), at=AT).zh.startswith("先前的約定保留中")
    assert "限先前約定" in audience_sentence(item(upstream=Upstream(Up.PERMITTED, until=SOON)), at=AT).zh
    assert "起：" in audience_sentence(item(not_before=SOON), at=AT).zh
    assert "起：" not in audience_sentence(item(not_before=PAST), at=AT).zh


def test_no_sentence_of_an_audience_is_longer_than_sixty_characters() -> None:
    from random import Random

    rng = Random(61)
    for tlp, size, instant in product(Tlp, (None, 1234, FEW), (None, SOON)):
        for _ in range(5):
            label = item(
                tlp=tlp, audience=any_audience(rng), not_before=instant, upstream=Upstream(Up.PERMITTED, until=SOON)
            )
            sentence = audience_sentence(label, at=AT, size=size)
            assert len(sentence.zh) <= 60, sentence.zh
            assert not BETWEEN.search(sentence.zh)


def test_others_say_who_can_who_cannot_yet_and_who_cannot() -> None:
    said = {row.who.en: row.answer for row in others(item(), at=AT)}
    assert said["people of the source"] is Answer.CAN
    assert said["group members in the audience"] is Answer.CAN
    assert said["constituents of those members"] is Answer.NOT_YET
    assert said["the coordinator's analysts"] is Answer.CAN
    assert said["the public"] is Answer.CANNOT
    assert "other group members" not in said


def test_others_follow_embargo_audience_and_colour() -> None:
    embargoed = {row.who.en: row for row in others(item(not_before=SOON, audience=Audience.groups(ALPHA.group)), at=AT)}
    assert embargoed["group members in the audience"].answer is Answer.NOT_YET
    assert embargoed["group members in the audience"].rule == "F-embargo"
    assert embargoed["other group members"].answer is Answer.CANNOT
    strict = {row.who.en: row.answer for row in others(item(tlp=Tlp.AMBER_STRICT), at=AT)}
    assert strict["constituents of those members"] is Answer.CANNOT
    secret = {row.who.en: row.answer for row in others(red(ALPHA), at=AT)}
    assert set(secret.values()) == {Answer.CANNOT}
    shared = others(item(tlp=Tlp.GREEN, audience=Audience.sharing_groups(*SHARING)), at=AT)
    assert [row.answer for row in shared][1:3] == [Answer.CAN, Answer.CAN]
    assert all(row.answer is Answer.CAN for row in others(public(), at=AT))
    narrowed = others(item(narrowed_to=NarrowedTo(NarrowedKind.SOURCE)), at=AT)
    assert [row.answer for row in narrowed][:2] == [Answer.CAN, Answer.CANNOT]


def test_the_printed_policy_is_the_one_in_the_handbook() -> None:
    kept = Path(__file__).resolve().parents[2] / "docs" / "policy.md"
    assert kept.read_text() == print_policy(), "run: python -m lianfang.policy.print > docs/policy.md"
