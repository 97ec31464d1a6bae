"""Freshness of contacts: asked once a person, answered by a link that a look does not use up, or left to the staff."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from lianfang.accounts.models import Affiliation, Person
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, contact_queries
from lianfang.members.actions import contacting
from lianfang.members.models import ContactCheck
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Right, Role, Subject
from tests import world
from tests.members import cases
from tests.members.cases import Ledger

JOB = Subject.system("members.ask_contacts")
MICRO = timedelta(microseconds=1)


def later(made: world.World, **step: float) -> datetime:
    return made.clock.tick(**step)


def asked(made: world.World, actor: world.Actor, at: datetime | None = None) -> ContactCheck:
    """A question to somebody, sent now."""
    check = actions.ask_contact(person=actor.person, by=JOB, at=at or made.clock.tick())
    assert check is not None
    return check


def again(check: ContactCheck) -> ContactCheck:
    return ContactCheck.objects.select_related("vault_key", "person__vault_key", "delivery", "reminder").get(
        pk=check.pk
    )


def answer(made: world.World, check: ContactCheck, at: datetime, *, right: bool = True) -> None:
    actions.answer_contact(check=check, right=right, by=actions.holder_of(check, at), at=at)


def link_of(mail: Delivery) -> str:
    found = re.search(r"/contact/\S+", mail.body_text)
    assert found is not None
    return found[0]


def test_each_contact_of_a_member_in_force_is_asked_once_and_by_one_mail(made: world.World) -> None:
    # Of two members: one mail names both.
    both = made.jia.contact
    Affiliation.objects.filter(pk=made.yi.contact.affiliation.pk).update(role=Role.MEMBER)
    group = made.yi.organization
    second = made.yi.contact.affiliation
    Affiliation.objects.filter(pk=second.pk).update(person=both.person, role=Role.SECURITY_CONTACT)
    assert contact_queries.contacts(made.clock.at).filter(person=both.person).count() == 2

    begun = min(Affiliation.objects.exclude(started_at=None).values_list("started_at", flat=True))
    first = begun + timedelta(days=180)
    assert actions.ask_contacts(by=JOB, at=first - MICRO) == 0, "data that are younger are not asked about"
    later(made, days=181)
    with Ledger() as ledger:
        number = actions.ask_contacts(by=JOB, at=made.clock.at)
    people = set(contact_queries.contacts(made.clock.at).values_list("person", flat=True))
    assert made.yi.membership.contacts.filter(purpose="security", person=second.person).exists()
    people |= set(contact_queries.named_in_force(made.clock.at).values_list("person", flat=True))
    assert number == len(people) == ContactCheck.objects.count()
    assert ledger.tags().count("members:contact:ask") == number
    (mail,) = cases.mails(both.person.email, "N21")
    for name in (made.jia.organization.name_zh, group.name_zh):
        assert name in mail.body_text
    for told in (both.person.name, both.person.email, both.person.phone):
        assert told not in mail.subject
    assert made.former.admin.person.pk not in people, "who is no member any more is not asked"
    assert made.jia.member.person.pk not in people
    assert actions.ask_contacts(by=JOB, at=later(made, hours=1)) == 0, "the job may run twice"
    assert actions.ask_contact(person=both.person, by=JOB, at=later(made)) is None


def test_a_look_changes_nothing_and_one_answer_uses_the_link_up(made: world.World) -> None:
    check = asked(made, made.jia.admin, utcnow())
    (mail,) = cases.mails(made.jia.admin.person.email, "N21")
    path = link_of(mail)
    person = made.jia.admin.person
    browser = cases.browser()
    with Ledger() as ledger:
        for _scanner in range(3):
            page = browser.get(path)
            assert page.status_code == 200
            browser.head(path)
        browser.post(path, {"answer": "nonsense"})
    assert ledger.tags() == []
    assert again(check).state == "asked"
    shown = page.content.decode()
    for told in (person.name, person.title, person.email, made.jia.organization.name_zh):
        assert told in shown
    assert "no-store" in page.headers.get("Cache-Control", "")
    done = browser.post(path, {"answer": "right"})
    assert done.status_code == 200
    assert again(check).state == "confirmed"
    for closed in (browser.get(path), browser.post(path, {"answer": "change"})):
        assert closed.status_code == 410
        assert person.name not in closed.content.decode()
        assert person.email not in closed.content.decode()
    assert again(check).state == "confirmed"
    assert browser.get("/contact/nonsense").status_code == 404


def test_a_wanted_change_is_a_task_until_somebody_says_what_was_done(made: world.World) -> None:
    check = asked(made, made.yi.admin, utcnow())
    said = cases.browser("en").post(f"/contact/{check.secret}", {"answer": "change"}).content.decode()
    assert "Sign in and change it" in said
    reviewer = made.client(made.reviewer)
    page = reviewer.get("/staff/contacts").content.decode()
    assert made.yi.admin.person.name in page
    assert "資料要改" in page
    path = f"/staff/contacts/{check.pk}"
    assert reviewer.post(path, {"text": " "}).status_code == 422
    assert made.client(made.analyst).post(path, {"text": "已電話確認"}).status_code in (403, 404)
    assert reviewer.post(path, {"text": "已電話確認，改由異動申請辦理"}).status_code == 302
    settled = again(check)
    assert (settled.state, settled.how, settled.settled_by_id) == (
        "settled", "已電話確認，改由異動申請辦理", made.reviewer.person.pk,
    )  # fmt: skip
    assert reviewer.get(path).status_code == 404
    assert made.client(made.jia.admin).get("/staff/contacts").status_code == 404


def test_the_time_to_answer_ends_at_its_instant(made: world.World) -> None:
    check = asked(made, made.jia.admin)
    end = check.answer_until
    assert end == check.asked_at + timedelta(days=14)
    with pytest.raises(Refusal):
        answer(made, check, end)
    with pytest.raises(Refusal):
        contacting.miss_contact(check=check, move="fall_silent", by=JOB, at=end - MICRO)
    answer(made, check, end - MICRO)
    assert again(check).state == "confirmed"


def test_silence_is_reminded_once_and_then_left_to_the_staff(made: world.World) -> None:
    check = asked(made, made.jia.admin)
    half = check.asked_at + timedelta(days=7)
    assert actions.look_after_contacts(by=JOB, at=half - MICRO) == 0
    assert actions.look_after_contacts(by=JOB, at=half) == 1
    assert actions.look_after_contacts(by=JOB, at=half + MICRO) == 0
    first, second = cases.mails(made.jia.admin.person.email, "N21")
    assert link_of(first) == link_of(second)
    assert actions.look_after_contacts(by=JOB, at=check.answer_until - MICRO) == 0
    assert actions.look_after_contacts(by=JOB, at=check.answer_until) == 1
    assert again(check).state == "silent"
    assert [one.person_id for one, _ in contact_queries.tasks()] == [made.jia.admin.person.pk]
    with pytest.raises(Refusal):
        answer(made, check, check.answer_until)


def test_a_mail_that_came_back_is_a_task_at_once(made: world.World) -> None:
    check = asked(made, made.jia.admin)
    assert check.delivery is not None
    Delivery.objects.filter(pk=check.delivery.pk).update(state="failed")
    assert actions.look_after_contacts(by=JOB, at=later(made, hours=1)) == 1
    assert again(check).state == "bounced"


def test_who_changed_or_confirmed_is_asked_again_after_the_set_time_only(made: world.World) -> None:
    check = asked(made, made.jia.admin)
    answer(made, check, later(made, days=1))
    due = {person.pk for person in contact_queries.due(at=check.asked_at + timedelta(days=180) - MICRO)}
    assert made.jia.admin.person.pk not in due
    due = {person.pk for person in contact_queries.due(at=check.asked_at + timedelta(days=180))}
    assert made.jia.admin.person.pk in due


def test_a_link_is_for_one_question_and_for_nothing_else(made: world.World) -> None:
    one, other = asked(made, made.jia.admin), asked(made, made.yi.admin)
    at = later(made)
    holder = actions.holder_of(one, at)
    with pytest.raises(Refusal) as refused:
        actions.answer_contact(check=other, right=True, by=holder, at=at)
    assert refused.value.rule == "G-link"
    bare = Subject.link(case=f"contact:{one.pk}", rights=frozenset({Right.FILE_APPEAL}), expires_at=at + MICRO)
    with pytest.raises(Refusal):
        actions.answer_contact(check=one, right=True, by=bare, at=at)
    assert holder.caveats is not None
    assert holder.caveats.rights == {Right.CONFIRM_CONTACT}


def test_the_overview_tells_the_freshness_of_each_member_the_worst_first(made: world.World) -> None:
    silent = asked(made, made.bing.admin)
    actions.look_after_contacts(by=JOB, at=silent.answer_until)
    answer(made, asked(made, made.jia.admin), later(made))
    waiting = asked(made, made.yi.contact)
    rows = {row.organization.pk: row for row in contact_queries.freshness(at=made.clock.at)}
    first = contact_queries.freshness(at=made.clock.at)[0]
    assert first.organization == made.bing.organization
    assert first.tasks == 1
    assert (rows[made.jia.organization.pk].people, rows[made.jia.organization.pk].confirmed) == (3, 1)
    assert rows[made.yi.organization.pk].asked == 1
    assert waiting.state == "asked"
    assert made.former.organization.pk not in rows
    old = contact_queries.freshness(at=made.clock.at + timedelta(days=200))
    assert all(row.confirmed == 0 for row in old), "a confirmation grows old"


def test_an_erased_persons_question_holds_nothing_readable(made: world.World) -> None:
    check = asked(made, made.jia.admin)
    raw: Any = ContactCheck.objects.filter(pk=check.pk).values("secret", "how").get()
    assert check.secret not in str(raw)
    assert Person.objects.filter(pk=check.person_id).exists()
