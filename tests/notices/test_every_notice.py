"""Each mail of the catalogue: whole in both languages, nothing personal in its subject, and never before the first."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts.models import Organization, Person
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.text import Bilingual
from lianfang.notices import actions, providers
from lianfang.notices.catalogue import FIRST_CONTACT, NOTICES
from lianfang.notices.compose import RULE, Unknown, compose
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from lianfang.vault import blind
from tests.notices.test_catalogue import FACTS

AT = datetime(2026, 11, 23, 6, 32, tzinfo=UTC)
BY = Subject.system("test")
ALL = sorted(NOTICES)
calm = settings(deadline=None, max_examples=60)
WHOLE = Bilingual(zh="蒐集機關：示範。\n\n目的：聯繫。", en="Collected by: Example.\n\nPurpose: contact.")


@pytest.fixture(autouse=True)
def _privacy_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_privacy", [lambda at: WHOLE])


def halves(text: str) -> tuple[str, str]:
    """The Chinese and the English half of a mail."""
    zh, between, en = text.partition(f"\n\n{RULE}\n{RULE}\n\n")
    assert between
    return zh, en


class Seen(HTMLParser):
    """What a mail program would make of the HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.words += "\n" if tag in ("p", "br", "hr", "div") else ""

    def handle_data(self, data: str) -> None:
        self.words += data


# Texts


@pytest.mark.parametrize("notice", ALL)
def test_no_place_is_left_open_and_no_word_of_the_machine_gets_in(notice: str) -> None:
    mail = compose(notice=notice, context=FACTS, first_contact=False, at=AT)
    for half in halves(mail.text):
        for trace in ("{{", "}}", "{%", "None", "Bilingual(", "datetime", "[]", "<", "&amp;", "&#"):
            if trace == "<" and notice in ("N2", "N21", "token_expiry"):
                continue  # what the sender typed, as plain text
            assert trace not in half, trace
        assert not re.search(r"\n{4,}| +\n|^\s", half)
        assert half.strip()


@pytest.mark.parametrize("notice", ALL)
def test_both_halves_tell_the_same_facts(notice: str) -> None:
    zh, en = halves(compose(notice=notice, context=FACTS, first_contact=False, at=AT).text)
    pattern = r"https?://\S+|\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2})?|[A-Z]-\d{4}-\d{4}"
    facts = {re.sub(r"[.,;。，；]+$", "", one) for one in re.findall(pattern, zh)}
    assert facts == {re.sub(r"[.,;。，；]+$", "", one) for one in re.findall(pattern, en)}


@pytest.mark.parametrize("notice", ALL)
def test_an_instant_is_said_in_taipei_time(notice: str) -> None:
    needed = NOTICES[notice].needs
    if not any(isinstance(FACTS.get(name), datetime) for name in needed):
        return
    late = {name: AT.replace(hour=17) if isinstance(value, datetime) else value for name, value in FACTS.items()}
    text = compose(notice=notice, context=late, first_contact=False, at=AT).text
    assert "2026-11-24 01:32" in text
    assert "17:32" not in text


@pytest.mark.parametrize("notice", ALL)
def test_every_link_is_whole_and_of_the_site_that_is_set(notice: str, settings: Any) -> None:
    settings.BASE_URL = "https://lianfang.example.org"
    context = {**FACTS, "link": "https://lianfang.example.org/x/y", "compare": "https://lianfang.example.org/z"}
    mail = compose(notice=notice, context=context, first_contact=True, at=AT)
    for link in re.findall(r"https?://[^\s。，；)）]+", mail.text):
        assert link.startswith("https://lianfang.example.org"), link
    assert "localhost" not in mail.text + mail.html
    seen = Seen(mail.html)
    links = [value for name, value in seen.attributes if name == "href"]
    assert links.count("https://lianfang.example.org/x/y") == 2 * ("link" in NOTICES[notice].needs)
    assert all(link.startswith("https://lianfang.example.org") for link in links)


@pytest.mark.parametrize("notice", ALL)
def test_the_subject_holds_nothing_of_what_was_told(notice: str) -> None:
    canary = "密語canary"
    told: dict[str, Any] = {
        name: (f"{canary}{name}" if isinstance(value, str) else Bilingual(zh=canary, en=canary))
        if isinstance(value, str | Bilingual)
        else value
        for name, value in FACTS.items()
    }
    mail = compose(notice=notice, context=told, first_contact=True, at=AT)
    assert canary not in mail.subject
    assert not re.search(r"\d{4}|@|https?:|TLP|[\r\n]", mail.subject)
    assert mail.subject == compose(notice=notice, context=FACTS, first_contact=False, at=AT).subject
    assert NOTICES[notice].subject.zh in mail.subject
    assert NOTICES[notice].subject.en in mail.subject
    if {"organization", "number"} & NOTICES[notice].needs:
        assert canary in mail.text


def test_subjects_tell_notices_apart() -> None:
    subjects = [(notice.subject.zh, notice.subject.en) for notice in NOTICES.values()]
    assert len(set(subjects)) == len(subjects)


@pytest.mark.parametrize("notice", ALL)
def test_the_html_part_says_the_same_with_nothing_that_runs_or_fetches(notice: str) -> None:
    mail = compose(notice=notice, context=FACTS, first_contact=True, at=AT)
    seen = Seen(mail.html)
    assert set(seen.tags) <= {"html", "head", "meta", "title", "body", "p", "br", "hr", "div", "a"}
    assert {name for name, _ in seen.attributes} <= {"lang", "charset", "href"}
    plain = [word for line in mail.text.splitlines() if line != RULE for word in line.split()]
    shown = seen.words.replace("Lianfang", "", 1).split()
    assert shown == plain


# Facts


@pytest.mark.parametrize("notice", ALL)
def test_what_is_needed_is_used_and_what_is_used_is_needed(notice: str) -> None:
    needs = NOTICES[notice].needs
    for language in ("zh", "en"):
        try:
            source = get_template(f"notices/{notice}.{language}.txt").template.source
        except TemplateDoesNotExist:
            pytest.fail(f"{notice}.{language}.txt is missing")
        used = set(re.findall(r"\{\{\s*(\w+)", source)) | set(re.findall(r"\{%\s*(?:el)?if\s+(?:not\s+)?(\w+)", source))
        used |= set(re.findall(r"\{%\s*for\s+\w+\s+in\s+(\w+)", source))
        loops = set(re.findall(r"\{%\s*for\s+(\w+)\s+in", source))
        own = {"base_url", "service_mailbox", "privacy_notice", "forloop"} | loops
        assert used - own <= needs, f"{notice}.{language}: {used - own - needs}"
        assert needs <= used, f"{notice}.{language}: {needs - used}"


@pytest.mark.parametrize("notice", ALL)
def test_more_facts_than_needed_change_nothing(notice: str) -> None:
    mail = compose(notice=notice, context=FACTS, first_contact=False, at=AT)
    more = {**FACTS, "password": "hunter2", "secret": "x", "privacy_notice": "false", "base_url": "http://evil.example"}
    assert compose(notice=notice, context=more, first_contact=False, at=AT) == mail


@calm
@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(lambda t: t.strip())
)
def test_whatever_a_name_holds_it_is_shown_and_does_nothing(text: str) -> None:
    context = {**FACTS, "organization_zh": text, "organization_en": text}
    mail = compose(notice="invitation", context=context, first_contact=False, at=AT)
    assert text.strip() in mail.text
    assert set(Seen(mail.html).tags) <= {"html", "head", "meta", "title", "body", "p", "br", "hr", "div", "a"}
    assert text not in mail.subject or len(text.strip()) < 3


@pytest.mark.parametrize(
    "name", ["{{ service_mailbox }}", "{% debug %}", "<script>alert(1)</script>", "javascript:alert(1)",
             '"><a href="http://evil.example">', "&lt;b&gt;"],
)  # fmt: skip
def test_a_name_is_never_read_as_a_template_or_markup(name: str) -> None:
    context = {**FACTS, "organization_zh": name, "organization_en": name}
    mail = compose(notice="N1", context=context, first_contact=False, at=AT)
    assert name in mail.text
    seen = Seen(mail.html)
    assert name in seen.words
    assert "script" not in seen.tags
    assert all("javascript" not in value for _, value in seen.attributes)


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (Bilingual(zh="甲", en="A"), "甲", "A"),
        (date(2026, 12, 31), "2026-12-31", "2026-12-31"),
        (datetime(2026, 12, 31, 16, tzinfo=UTC), "2027-01-01 00:00", "2027-01-01 00:00"),
        (17, "17", "17"),
        ("甲 & <乙>", "甲 & <乙>", "甲 & <乙>"),
    ],
)
def test_a_value_is_said_in_the_language_of_its_half(value: Any, zh: str, en: str) -> None:
    mail = compose(notice="N3", context={**FACTS, "charter_version": value}, first_contact=False, at=AT)
    halves_ = halves(mail.text)
    assert zh in halves_[0]
    assert en in halves_[1]


def test_a_name_in_one_language_alone_is_a_fact_not_given() -> None:
    for missing in ("organization_zh", "organization_en"):
        known = {name: value for name, value in FACTS.items() if name != missing}
        with pytest.raises(Unknown, match="organization"):
            compose(notice="N1", context=known, first_contact=False, at=AT)
    plain = {name: value for name, value in FACTS.items() if not name.startswith("organization")}
    assert "甲" in compose(notice="N1", context={**plain, "organization": "甲"}, first_contact=False, at=AT).text


# The first mail


@action(Tag.VAULT_KEY_SHRED)
def entered(*, email: str = "lin@member.example", by_other: bool = True) -> Person:
    """A person just entered."""
    made = Person(name="林樣本", email=email, email_index=blind.index("person.email", email), created_at=AT)
    made.entered_by_other = by_other
    made.save()
    record(by=BY, at=AT, about=made)
    return made


def send(notice: str, person: Person, at: datetime = AT) -> Delivery:
    return actions.send(notice=notice, to_person=person, context=FACTS, by=BY, at=at)


@pytest.mark.django_db
@pytest.mark.parametrize("notice", ALL)
def test_whatever_is_mailed_first_begins_with_the_whole_privacy_notice(notice: str) -> None:
    person = entered()
    first, second = send(notice, person), send(notice, person, AT + timedelta(days=1))
    for part in (first.body_text, first.body_html):
        for line in (*WHOLE.zh.split("\n\n"), *WHOLE.en.split("\n\n")):
            assert part.count(line) == 1, line
    zh, en = halves(first.body_text)
    assert WHOLE.zh.split("\n")[0] in zh
    assert WHOLE.en.split("\n")[0] in en
    if notice != FIRST_CONTACT:
        own, _ = halves(compose(notice=notice, context=FACTS, first_contact=False, at=AT).text)
        assert zh.endswith(own), "then what it was sent for"
        assert WHOLE.zh.split("\n")[0] not in second.body_text
        assert zh.index(WHOLE.zh.split("\n")[0]) < len(zh) - len(own)
    person.refresh_from_db()
    assert person.first_contact_at == AT


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(order=st.lists(st.sampled_from(ALL), min_size=1, max_size=6))
def test_in_whatever_order_one_notice_is_the_first_and_only_once(order: list[str]) -> None:
    from django.db import transaction

    with transaction.atomic():
        person = entered()
        mails = [send(notice, person) for notice in order]
        told = [WHOLE.zh.split("\n")[0] in mail.body_text for mail in mails]
        assert told[0]
        assert [one for one, notice in zip(told[1:], order[1:], strict=True) if notice != FIRST_CONTACT].count(
            True
        ) == 0
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_the_first_mail_names_who_gave_the_data() -> None:
    from lianfang.accounts.actions import affiliate
    from lianfang.policy.facts import Role

    person = entered()
    organization = _organization()
    affiliate(
        person=person, organization=organization, group=organization, role=Role.MEMBER, by=BY, at=AT, agreed=False
    )
    mail = actions.send(notice="password_reset", to_person=person, context={"link": "http://localhost/x"}, by=BY, at=AT)
    assert "甲示範電子" in mail.body_text
    assert "Example One" in mail.body_text


def _organization() -> Organization:
    from lianfang.accounts.actions import create_organization

    return create_organization(kind="twse", name_zh="甲示範電子", name_en="Example One", by=BY, at=AT)


@pytest.mark.django_db
@pytest.mark.parametrize("spelling", ["LIN@member.example", " lin@Member.Example ", "ｌｉｎ@member.example"])
def test_no_spelling_of_an_address_goes_around_the_first_mail(spelling: str) -> None:
    person = entered()
    from lianfang.kernel.refusal import Refusal

    try:
        mail = actions.send(notice="email_proof", to_address=spelling, context=FACTS, by=BY, at=AT)
    except Refusal as refusal:
        assert refusal.field == "to"  # noqa: PT017 - an address that no mail can be sent to is refused
        return
    assert mail.person_id == person.pk
    assert WHOLE.zh.split("\n")[0] in mail.body_text


@pytest.mark.django_db
def test_what_is_refused_later_was_no_first_contact() -> None:
    person = entered()
    with pytest.raises(Unknown):
        actions.send(notice="invitation", to_person=person, context={}, by=BY, at=AT)
    with pytest.raises(Unknown):
        actions.send(notice="N99", to_person=person, context=FACTS, by=BY, at=AT)
    person.refresh_from_db()
    assert person.first_contact_at is None
    assert WHOLE.zh.split("\n")[0] in send("N9", person).body_text
