"""Contacts by purpose: named and ended by a change, asked about by day, told and asked like everybody else (2.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from lianfang.accounts import actions as accounts
from lianfang.accounts.queries import person_by_email
from lianfang.members import actions, changes, contact_queries, queries
from lianfang.members.models import ChangeRequest, Contact, FactChange
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from tests import world
from tests.members import cases
from tests.members.change_cases import apply, file, refused, taken_up

MICRO = timedelta(microseconds=1)
LEGAL = {"name": "賴示律", "title": "法務經理", "email": "Legal@m1.example", "phone": "02-5550-0101"}
MAILBOX = {"name": "公文收發", "title": "總務部", "email": "notices@m1.example", "phone": "02-5550-0102"}


def held(made: world.World, member: world.Member, at: Any = None) -> list[tuple[str, str]]:
    rows = contact_queries.named(membership_id=member.membership.pk, at=at or made.clock.at)
    return [(row.purpose, row.email) for row in rows]


def name(made: world.World, member: world.Member, new: dict[str, str], *purposes: str, ends: Any = ()) -> ChangeRequest:
    naming = actions.Naming(ends=[row.pk for row in ends], purposes=purposes, new=new)
    return file(made, member, contacts=naming)


def applied(made: world.World, case: ChangeRequest) -> Any:
    return apply(made, taken_up(made, case), by=made.reviewer).decided_at


def row_of(member: world.Member, purpose: str) -> Contact:
    return Contact.objects.select_related("vault_key").get(
        membership=member.membership, purpose=purpose, ended_at__isnull=True
    )


def test_a_membership_begins_with_a_notice_address_and_somebody_for_incidents(made: world.World) -> None:
    assert held(made, made.jia) == [("security", "contact@m1.example"), ("notice", "admin1@m1.example")]
    began = made.jia.membership.began_at
    assert held(made, made.jia, began - MICRO) == []
    assert len(held(made, made.jia, began)) == 2
    at = made.clock.at
    told = queries.notified(organization_id=made.jia.organization.pk, at=at)
    assert sorted(one.email for one in told) == ["admin1@m1.example", "admin2@m1.example"], "nobody twice"


def test_a_contact_without_an_account_is_named_for_two_purposes_by_one_reviewer(made: world.World) -> None:
    jia = made.jia
    case = name(made, jia, LEGAL, "legal", "personal_data")
    assert case.risks == ["contact"]
    assert case.values["contacts"]["add"][0]["email"] == "legal@m1.example"
    assert len(held(made, jia)) == 2, "a request changes nothing yet"
    with cases.Ledger() as ledger:
        at = applied(made, case)
    assert "members:change:apply" in ledger.tags()
    both = [("legal", "legal@m1.example"), ("personal_data", "legal@m1.example")]
    for instant, wanted in ((at - MICRO, []), (at, both), (at + MICRO, both)):
        assert [one for one in held(made, jia, instant) if one[0] in ("legal", "personal_data")] == wanted
    person = person_by_email("legal@m1.example")
    assert person is not None
    assert not hasattr(person, "account")
    row = row_of(jia, "legal")
    assert (row.name, row.title, row.phone, row.person_id) == ("賴示律", "法務經理", "02-5550-0101", person.pk)
    assert row.vault_key_id == person.vault_key_id, "what erases the person erases it here too"
    raw = str(Contact.objects.filter(pk=row.pk).values("name", "title", "email", "phone").get())
    assert "賴示律" not in raw
    assert "legal@m1" not in raw


def test_who_was_our_legal_contact_on_that_day(made: world.World) -> None:
    jia = made.jia
    first = applied(made, name(made, jia, LEGAL, "legal"))
    made.clock.tick(days=3)
    second = {**LEGAL, "name": "溫示條", "email": "legal2@m1.example"}
    turn = applied(made, name(made, jia, second, "legal", ends=[row_of(jia, "legal")]))
    for instant, wanted in (
        (first, "legal@m1.example"), (turn - MICRO, "legal@m1.example"), (turn, "legal2@m1.example"),
        (turn + MICRO, "legal2@m1.example"),
    ):  # fmt: skip
        assert [mail for purpose, mail in held(made, jia, instant) if purpose == "legal"] == [wanted]
    rows = FactChange.objects.filter(field="contact.legal").select_related("vault_key")
    assert {(one.at, one.old and one.old["name"], one.new and one.new["name"]) for one in rows} == {
        (first, None, "賴示律"), (turn, "賴示律", None), (turn, None, "溫示條"),
    }  # fmt: skip
    assert "contact.legal" not in changes.facts_at(jia.membership, made.clock.at)
    admin = made.client(jia.admin)
    day = (turn - timedelta(days=1)).date().isoformat()
    then = admin.get(f"/member/organisation/history?on={day}").content.decode()
    assert "賴示律" in then.split("<aside")[0]
    assert "溫示條" not in then.split("<aside")[0]
    page = f"/staff/members/{jia.membership.pk}/history"
    assert "溫示條" in made.client(made.reviewer).get(page).content.decode()
    bare = made.client(made.analyst).get(page)
    assert "溫示條" not in bare.content.decode()


def test_what_cannot_be_asked_for(made: world.World) -> None:
    jia = made.jia
    notice = row_of(jia, "notice")
    assert refused(lambda: name(made, jia, {}, ends=[notice])).rule == "contact-notice"
    foreign = row_of(made.yi, "security")
    assert refused(lambda: name(made, jia, {}, ends=[foreign])).rule == "contact-gone"
    assert refused(lambda: name(made, jia, LEGAL)).field == "purposes"
    assert refused(lambda: name(made, jia, LEGAL, "sales")).field == "purposes"
    assert refused(lambda: name(made, jia, {**LEGAL, "email": "nowhere"}, "legal")).field == "contact_email"
    assert refused(lambda: name(made, jia, {**LEGAL, "name": ""}, "legal")).field == "contact_name"
    same = {**LEGAL, "email": "ADMIN1@m1.example"}
    assert refused(lambda: name(made, jia, same, "notice")).rule == "contact-once"
    assert refused(lambda: name(made, jia, {})).rule == "change-nothing"
    assert not ChangeRequest.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.create(
            vault_key=notice.vault_key, membership=jia.membership, purpose="notice", person=notice.person,
            name="x", email="x", started_at=made.clock.at,
        )  # fmt: skip


def test_the_former_and_the_new_notice_address_hear_of_the_change(made: world.World) -> None:
    jia = made.jia
    applied(made, name(made, jia, MAILBOX, "notice"))
    assert cases.mails("notices@m1.example", "N6") == [], "it is told what happens after it is named"
    (first,) = cases.mails("notices@m1.example")
    assert first.kind == "N5", "whoever is named hears of it, and how his data are used (5.1)"
    assert made.jia.organization.name_zh in first.body_text
    person = person_by_email("notices@m1.example")
    assert person is not None
    mail_before = Delivery.objects.count()
    other = {**MAILBOX, "email": "notices2@m1.example"}
    ending = [row for row in contact_queries.named(membership_id=jia.membership.pk, at=made.clock.at)
              if row.purpose == "notice"]  # fmt: skip
    case = name(made, jia, other, "notice", ends=ending)
    assert len(cases.mails("notices@m1.example", "change_filed")) == 1
    assert Delivery.objects.count() == mail_before + 3
    applied(made, case)
    assert len(cases.mails("notices@m1.example", "N6")) == 1, "a stolen account cannot move it in silence"
    told = queries.notified(organization_id=jia.organization.pk, at=made.clock.at)
    assert "notices2@m1.example" in {one.email for one in told}
    assert "notices@m1.example" not in {one.email for one in told}


def test_the_letter_of_a_revocation_reaches_the_notice_address(made: world.World) -> None:
    applied(made, name(made, made.jia, MAILBOX, "notice"))
    cases.revoked(made, made.jia)
    assert len(cases.mails("notices@m1.example", "N9")) == 1
    assert len(cases.mails("admin1@m1.example", "N9")) == 1


def test_every_contact_by_purpose_is_asked_whether_his_data_are_right(made: world.World) -> None:
    named = applied(made, name(made, made.jia, LEGAL, "legal", "personal_data"))
    job = Subject.system("members.ask_contacts")
    due = named + timedelta(days=180)
    person = person_by_email("legal@m1.example")
    assert person is not None
    assert person not in contact_queries.due(at=due - MICRO)
    assert person in contact_queries.due(at=due)
    check = actions.ask_contact(person=person, by=job, at=due)
    assert check is not None
    assert len(cases.mails("legal@m1.example", "N21")) == 1, "one mail for both purposes"
    rows = {row.organization.pk: row for row in contact_queries.freshness(at=due)}
    assert rows[made.jia.organization.pk].people == 4
    actions.look_after_contacts(by=job, at=check.answer_until)
    ((one, organizations),) = contact_queries.tasks()
    assert one.pk == check.pk
    assert organizations == [made.jia.organization]


def test_filed_by_the_page_and_shown_before_it_is_sent(made: world.World) -> None:
    jia = made.jia
    admin = made.client(jia.admin)
    page = admin.get("/member/organisation/change").content.decode()
    assert "通知信箱" in page
    security = row_of(jia, "security")
    given = {
        **changes.facts_at(jia.membership, made.clock.at), "review": "1", "ends": [str(security.pk)],
        "purposes": ["security", "legal"],
        **{f"contact_{key}": value for key, value in LEGAL.items()},
    }  # fmt: skip
    shown = admin.post("/member/organisation/change", given)
    assert shown.status_code == 200, shown.content.decode()
    said = shown.content.decode()
    assert "<del>" in said
    assert "contact@m1.example" in said
    documents = shown.context
    sent = {
        **given, "send": "1", "key": documents["key"], "charter": documents["charter"], "privacy": documents["privacy"],
        "accept_charter": "on", "accept_privacy": "on",
    }  # fmt: skip
    del sent["review"]
    assert admin.post("/member/organisation/change", sent).status_code == 302
    case = ChangeRequest.objects.select_related("vault_key").get()
    assert [one["purpose"] for one in case.values["contacts"]["add"]] == ["security", "legal"]
    assert [one["id"] for one in case.values["contacts"]["end"]] == [str(security.pk)]
    wrong = admin.post("/member/organisation/change", {**given, "purposes": []})
    assert wrong.status_code in (302, 422)


def test_who_leaves_is_named_for_nothing_and_notices_go_on_to_another_administrator(made: world.World) -> None:
    jia = made.jia
    applied(made, name(made, jia, {**LEGAL, "email": "admin1@m1.example"}, "legal"))
    accounts.leave(affiliation=jia.admin.affiliation, by=jia.deputy.subject(), at=made.clock.tick())
    assert held(made, jia) == [("security", "contact@m1.example"), ("notice", "admin2@m1.example")]
    assert ("legal", "admin1@m1.example") in held(made, jia, made.clock.at - MICRO)


def test_whoever_replaces_a_person_is_named_for_the_same(made: world.World) -> None:
    jia = made.jia
    new = {"name": "柯示新", "title": "值班", "email": "duty@m1.example", "phone": "02-5550-0103"}
    at = applied(made, file(made, jia, people=[(jia.contact, new)]))
    assert held(made, jia) == [("security", "duty@m1.example"), ("notice", "admin1@m1.example")]
    assert held(made, jia, at - MICRO)[0] == ("security", "contact@m1.example")
    assert row_of(jia, "security").phone == "02-5550-0103"


def test_the_table_of_people_has_contacts_and_purposes_and_the_staff_only_looks(made: world.World) -> None:
    jia = made.jia
    applied(made, name(made, jia, LEGAL, "legal", "personal_data"))
    applied(made, name(made, jia, {**LEGAL, "email": "admin2@m1.example"}, "legal"))
    page = made.client(jia.admin).get("/member/organisation/people").content.decode()
    for word in ("賴示律", "沒有帳號", "法務聯絡人", "個人資料聯絡人", "24小時資安聯絡人", "legal@m1.example"):
        assert word in page
    assert page.count("admin2@m1.example") == 0, "somebody with an account stands there once, by name"
    path = f"/staff/members/{jia.membership.pk}"
    looked = made.client(made.reviewer).get(path).content.decode()
    assert "賴示律" in looked
    table = looked[looked.index("角色與用途") :]
    assert "/leave" not in table
    assert "/role" not in table
    assert "賴示律" not in made.client(made.analyst).get(path).content.decode()
    foreign = made.client(made.yi.admin).get("/member/organisation/people").content.decode()
    assert "賴示律" not in foreign
    inside = made.client(made.wu).get("/member/organisation/people")
    assert inside.status_code in (200, 403, 404)
