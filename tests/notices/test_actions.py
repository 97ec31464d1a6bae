"""No mail precedes the privacy notice for a person whom somebody else entered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lianfang.accounts.models import Person
from lianfang.audit.actions import action, record, text_matches
from lianfang.audit.models import Entry
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.notices import actions, providers
from lianfang.notices.names import names
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from lianfang.vault import blind

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
BY = Subject.system("test")
INVITATION = {"organization": "示範協會", "link": "http://localhost/i", "expires_at": AT}


@pytest.fixture(autouse=True)
def _privacy_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_privacy", [lambda at: Bilingual(zh="告知全文", en="whole notice")])


@action(Tag.VAULT_KEY_SHRED)
def person(*, email: str = "lin@member.example", by_other: bool = True) -> Person:
    """A person just entered."""
    made = Person(name="林樣本", email=email, email_index=blind.index("person.email", email), created_at=AT)
    made.entered_by_other = by_other
    made.save()
    record(by=BY, at=AT, about=made)
    return made


def send(notice: str = "invitation", context: Any = INVITATION, **given: Any) -> Delivery:
    return actions.send(notice=notice, context=context, by=BY, at=AT, **given)


def test_the_first_mail_begins_with_the_privacy_notice_and_only_the_first() -> None:
    lin = person()
    first, second = send(to_person=lin), send(to_person=lin)
    assert first.body_text.index("告知全文") < first.body_text.index("邀請您使用")
    assert "示範協會" in first.body_text
    assert "告知全文" not in second.body_text
    lin.refresh_from_db()
    assert lin.first_contact_at == AT


@pytest.mark.parametrize("notice", ["invitation", "token_expiry", "N9", "stop_started", "password_reset"])
def test_whatever_is_sent_first(notice: str) -> None:
    context = INVITATION | {
        "token": "x",
        "number": "1",
        "effective_at": AT,
        "letter": "",
        "appeal_last_day": "",
        "started_at": AT,
    }
    assert "告知全文" in send(notice, context, to_person=person()).body_text


def test_the_notice_alone_is_first_contact_too() -> None:
    lin = person()
    assert send("N5", to_person=lin).body_text.count("告知全文") == 1
    assert "告知全文" not in send(to_person=lin).body_text


def test_who_entered_himself_gets_what_was_asked_for() -> None:
    lin = person(by_other=False)
    assert "告知全文" not in send(to_person=lin).body_text
    lin.refresh_from_db()
    assert lin.first_contact_at is None


def test_the_address_of_a_known_person_is_that_person() -> None:
    lin = person()
    made = send(to_address="LIN@member.example")
    assert made.person_id == lin.pk
    assert made.to == "lin@member.example"
    assert "告知全文" in made.body_text


def test_an_address_of_nobody_gets_the_notice_alone() -> None:
    made = send("email_proof", to_address="somebody@x.example")
    assert made.person_id is None
    assert "告知全文" not in made.body_text


def test_the_mail_lies_under_the_key_of_its_person() -> None:
    lin = person()
    assert send(to_person=lin).vault_key_id == lin.vault_key_id


def test_what_was_sent_stands_in_the_ledger_by_digest() -> None:
    made = send(to_person=person())
    entry = Entry.objects.get(tag="notices:notice:send")
    assert entry.about_id == str(made.pk)
    assert entry.detail == {"notice": "invitation", "person": str(made.person_id), "with_privacy_notice": True}
    assert text_matches(entry, made.body_text)


def test_a_failed_first_contact_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    lin = person()
    monkeypatch.setattr(providers, "_privacy", [])
    with pytest.raises(LookupError):
        send(to_person=lin)
    lin.refresh_from_db()
    assert lin.first_contact_at is None
    assert Delivery.objects.count() == 0


def test_exactly_one_addressee() -> None:
    with pytest.raises(ValueError, match="to a person or to an address"):
        send()
    with pytest.raises(ValueError, match="to a person or to an address"):
        send(to_person=person(), to_address="a@b.example")
    with pytest.raises(Refusal):
        send(to_address="nobody")


def test_names_for_the_ledger() -> None:
    lin = person()
    wanted = {("person", str(lin.pk)), ("person", "x"), ("organization", str(lin.pk)), ("token", str(lin.pk))}
    assert names(wanted) == {("person", str(lin.pk)): "林樣本"}
