"""Every notice renders in both languages, and says nothing in its subject."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lianfang.kernel.text import Bilingual
from lianfang.notices import compose as compose_module
from lianfang.notices import providers
from lianfang.notices.catalogue import NOTICES
from lianfang.notices.compose import Unknown, compose

AT = datetime(2026, 11, 23, 6, 32, tzinfo=UTC)
# The texts lie with the app that sends them.
TEMPLATES = list((Path(compose_module.__file__).parent.parent).glob("*/templates/notices/*"))
FACTS: dict[str, Any] = {
    "appeal_last_day": date(2026, 12, 23),
    "at": AT,
    "charter_version": Bilingual(zh="第1版", en="version 1"),
    "compare": "http://localhost:8000/x/abc-DEF_1?a=1&b=2",
    "document": Bilingual(zh="團體會員規章", en="Charter for Group Members"),
    "effective_at": AT,
    "ended_at": AT,
    "expires_at": AT,
    "ground": Bilingual(zh="規章1.4：未積極參與", en="Charter 1.4: not taking part"),
    "items": [Bilingual(zh="請補正統一編號", en="Correct the business number"), "<b>second</b>"],
    "until": AT,
    "last_day": date(2026, 12, 7),
    "late": False,
    "letter": Bilingual(zh="說明：\n\n一、理由", en="Reasons:\n\n1. reason"),
    "link": "http://localhost:8000/x/abc-DEF_1?a=1&b=2",
    "number": "A-2026-0001",
    "organization_zh": "無重力金融資安協會",
    "organization_en": "Zero-G Finance",
    "received_at": AT,
    "recalled_at": AT,
    "started_at": AT,
    "text": "CASE-7: 2026-05 to 2026-10",
    "summary_zh": "第2.4條增訂每年確認一次。",
    "summary_en": "Clause 2.4 asks for a confirmation once a year.",
    "token": "sensor <1>",
    "version": 2,
    "what": Bilingual(zh="密碼已變更", en="The password was changed"),
}


@pytest.fixture(autouse=True)
def _privacy_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    notice = Bilingual(zh="蒐集目的：會員服務。\n\n類別：姓名。", en="Purpose: member services.\n\nCategories: name.")
    monkeypatch.setattr(providers, "_privacy", [lambda at: notice])


@pytest.mark.parametrize("notice", sorted(NOTICES))
def test_renders_in_both_languages(notice: str) -> None:
    mail = compose(notice=notice, context=FACTS, first_contact=False, at=AT)
    zh, _, en = mail.text.partition(f"{compose_module.RULE}\n{compose_module.RULE}")
    assert "service@" in zh
    assert "service@" in en
    assert "{" not in mail.text
    assert not re.search(r"[\u4e00-\u9fff]", en), "Chinese in the English half"
    assert not re.search(r"[\u4e00-\u9fff] [A-Za-z]|[A-Za-z] [\u4e00-\u9fff]", zh), "a space between Chinese and Latin"
    assert "！" not in zh
    assert "!" not in en


@pytest.mark.parametrize("notice", sorted(NOTICES))
def test_says_each_fact_it_needs(notice: str) -> None:
    mail = compose(notice=notice, context=FACTS, first_contact=False, at=AT)
    shown = {
        "organization": ["無重力金融資安協會", "Zero-G Finance"],
        "link": [FACTS["link"]],
        "number": ["A-2026-0001"],
        "letter": ["一、理由", "1. reason"],
        "items": ["請補正統一編號", "Correct the business number"],
        "appeal_last_day": ["2026-12-23"],
        "ground": ["規章1.4：未積極參與", "Charter 1.4: not taking part"],
        "last_day": ["2026-12-07"],
        "text": ["CASE-7: 2026-05 to 2026-10"],
        "charter_version": ["第1版", "version 1"],
        "token": ["sensor <1>"],
    }
    for need in NOTICES[notice].needs - {"late", "what"}:
        for text in shown.get(need, ["2026-11-23 14:32"]):
            assert text in mail.text, need


@pytest.mark.parametrize("notice", sorted(NOTICES))
def test_a_fact_not_given_is_named(notice: str) -> None:
    for need in NOTICES[notice].needs:
        known = {name: value for name, value in FACTS.items() if name.removesuffix("_zh").removesuffix("_en") != need}
        with pytest.raises(Unknown, match=need):
            compose(notice=notice, context=known, first_contact=False, at=AT)


@pytest.mark.parametrize("notice", sorted(NOTICES))
def test_the_subject_says_nothing_and_fits(notice: str) -> None:
    subject = compose(notice=notice, context=FACTS, first_contact=False, at=AT).subject
    assert subject.startswith("【聯防】")
    for name in ("A-2026", "無重力", "Zero-G", "TLP", "2026"):
        assert name not in subject
    assert len(subject) <= 78


def test_the_html_part_holds_the_same_words_inert() -> None:
    mail = compose(notice="N2", context=FACTS, first_contact=False, at=AT)
    assert "&lt;b&gt;second&lt;/b&gt;" in mail.html
    assert "<b>second" not in mail.html
    assert '<a href="http://localhost:8000/x/abc-DEF_1?a=1&amp;b=2">' in mail.html
    assert '<div lang="en">' in mail.html
    assert "<script" not in mail.html
    assert "style=" not in mail.html


def test_a_link_ends_before_the_full_stop() -> None:
    assert '"http://a.example/b"' in compose_module._linked("見http://a.example/b。")
    assert '"http://a.example/b"' in compose_module._linked("(http://a.example/b).")


def test_late_and_timely_appeals_read_differently() -> None:
    timely = compose(notice="N10", context=FACTS, first_contact=False, at=AT).text
    late = compose(notice="N10", context=FACTS | {"late": True}, first_contact=False, at=AT).text
    assert "逾期" in late
    assert "逾期" not in timely


def test_first_contact_stands_in_front_in_the_same_mail() -> None:
    mail = compose(notice="invitation", context=FACTS, first_contact=True, at=AT)
    assert mail.text.index("蒐集目的：會員服務。") < mail.text.index("邀請您使用聯防平台")
    assert mail.text.index("Purpose: member services.") < mail.text.index("invites you to use")
    assert mail.text.index("邀請您使用") < mail.text.index("Purpose:")
    assert mail.subject == compose(notice="invitation", context=FACTS, first_contact=False, at=AT).subject


def test_without_a_privacy_notice_no_first_contact_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_privacy", [])
    with pytest.raises(LookupError, match="privacy notice"):
        compose(notice="invitation", context=FACTS, first_contact=True, at=AT)


def test_an_unknown_notice_is_refused() -> None:
    with pytest.raises(Unknown, match="N99"):
        compose(notice="N99", context=FACTS, first_contact=False, at=AT)


def test_every_notice_has_its_texts_and_every_text_its_notice() -> None:
    assert {path.name for path in TEMPLATES} == {
        f"{notice}.{language}.txt" for notice in NOTICES for language in ("zh", "en")
    }
    for path in TEMPLATES:
        assert path.read_text().startswith("{% autoescape off %}"), path.name
