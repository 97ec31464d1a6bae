"""Several people replaced by one request, links that the member has mailed again, and what a transfer tells of whom."""

from __future__ import annotations

import re

import pytest

from lianfang.accounts.models import Affiliation
from lianfang.members import actions, changes
from lianfang.members.models import ChangeConfirmation, ChangeRequest
from tests import world
from tests.members import cases
from tests.members.change_cases import apply, file, refused, taken_up
from tests.members.test_pages_of_changes import ACCEPT, FORM, facts, inputs
from tests.members.test_roster_changes import op, row_of

pytestmark = pytest.mark.django_db
NEW = {"name": "周新任", "title": "資安長", "email": "new1@m1.example", "phone": "02-0000-0000#9"}
OTHER = {"name": "吳新任", "title": "經理", "email": "new2@m1.example", "phone": "02-0000-0000#8"}


def typed(prefix: str, affiliation: object, new: dict[str, str]) -> dict[str, str]:
    """What the form sends for one person."""
    begin = f"{prefix}-" if prefix else ""
    return {f"{begin}replace": str(affiliation), **{f"{begin}new_{name}": value for name, value in new.items()}}


def test_an_administrator_and_a_contact_change_by_one_request(made: world.World) -> None:
    jia = made.jia
    people = [(jia.admin, NEW), (jia.contact, OTHER)]
    case = taken_up(made, file(made, jia, people=people, by=jia.deputy))
    assert sorted(case.risks) == ["administrators", "contact"]
    asked = list(ChangeConfirmation.objects.filter(change=case))
    assert sorted(one.of for one in asked) == ["new", "old"], "the administrator by both mailboxes"
    for one in asked[:-1]:
        actions.answer_confirmation(confirmation=one, yes=True, by=cases.PUBLIC, at=made.clock.tick())
    assert refused(lambda: apply(made, case, by=made.reviewer)), "one of two has not confirmed"
    actions.answer_confirmation(confirmation=asked[-1], yes=True, by=cases.PUBLIC, at=made.clock.tick())
    apply(made, case, by=made.reviewer)
    for former, _ in people:
        assert Affiliation.objects.get(pk=former.affiliation.pk).left_at is not None
    invited = Affiliation.objects.filter(organization=jia.organization, started_at__isnull=True, left_at__isnull=True)
    assert sorted(invited.values_list("role", flat=True)) == ["member_admin", "security_contact"]


def test_nobody_is_replaced_twice_and_no_address_stands_for_two(made: world.World) -> None:
    jia = made.jia
    for people, field in (
        ([(jia.admin, NEW), (jia.admin, OTHER)], "replace"),
        ([(jia.admin, NEW), (jia.deputy, {**OTHER, "email": NEW["email"]})], "new_email"),
        ([(jia.admin, NEW), (jia.deputy, {**OTHER, "email": jia.admin.person.email})], "new_email"),
        ([(jia.admin, {**NEW, "email": jia.contact.person.email}), (jia.contact, OTHER)], "new_email"),
        ([(jia.admin, NEW), (jia.deputy, OTHER)], "replace"),  # nobody would be left until somebody accepts
    ):
        assert refused(lambda people=people: file(made, jia, people=people)).field == field
    assert not ChangeRequest.objects.exists()


def test_the_form_takes_several_and_the_member_has_a_link_mailed_again(made: world.World) -> None:
    jia = made.jia
    member = made.client(jia.deputy)
    both = {**typed("", jia.admin.affiliation.pk, NEW), **typed("third", jia.contact.affiliation.pk, OTHER)}
    wrong = {**both, "third-new_email": "no address"}
    page = member.post(FORM, {**facts(made, jia), **wrong, "review": "1"})
    assert page.status_code == 422
    assert 'id="id_third-new_email_error"' in page.content.decode(), "the fault stands at its own person"
    kept = inputs(member.post(FORM, {**facts(made, jia), **both, "review": "1"}).content.decode())
    assert member.post(FORM, {**kept, **ACCEPT}).status_code == 302
    case = ChangeRequest.objects.get()
    assert [one["new"]["name"] for one in case.values["people"]] == ["周新任", "吳新任"]
    where = f"/member/organisation/changes/{case.number}"
    page_ = member.get(where).content.decode()
    assert page_.count('name="ask"') == 2
    assert "new1@m1.example" in page_, "whose mailbox it is"
    asked = next(one for one in changes.confirmations(case) if one.email == "new1@m1.example")
    assert member.post(where, {"ask": str(asked.pk)}).status_code == 302
    assert len(cases.mails("new1@m1.example", "change_confirm")) == 2
    fresh = ChangeConfirmation.objects.get(pk=asked.pk)
    assert bytes(fresh.secret_digest) != bytes(asked.secret_digest), "the earlier link opens nothing any more"
    assert member.post(where, {"ask": "nothing"}).status_code == 404
    assert made.client(made.yi.admin).post(where, {"ask": str(asked.pk)}).status_code == 404
    actions.withdraw_change(case=case, by=jia.deputy.subject(), at=made.clock.tick())
    assert 'name="ask"' not in member.get(where).content.decode()


def test_a_transfer_to_a_member_and_to_nobody_look_alike_to_whoever_asks(made: world.World) -> None:
    """Who is a member is the centre's to know (policy §2): neither the page nor a link sent again tells."""
    pages = []
    for number in (made.yi.organization.ubn or "", world.business_number(77)):
        case = file(made, made.ding, roster={"transfer": [op(row_of(made, made.wu), to_ubn=number)]})
        where = f"/member/organisation/changes/{case.number}"
        client = made.client(made.ding.admin)
        page = client.get(where).content.decode()
        for one in changes.confirmations(case):
            assert client.post(where, {"ask": str(one.pk)}).status_code == 404
        plain = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|datetime="[^"]*"', "", page)
        pages.append(plain.replace(case.number, "C").replace(number, "N"))
        actions.withdraw_change(case=case, by=made.ding.admin.subject(), at=made.clock.tick())
    assert pages[0] == pages[1]
    assert "信箱確認" in pages[0]
    assert "等待確認" in pages[0]


def test_members_changes_stand_in_the_inbox_by_the_same_views(made: world.World) -> None:
    """Beside the applications: by whom it is reviewed, when it is due, whether it waits for a decision."""
    case = file(made, made.jia, organization={"address": "示範市新址路9號"})
    reviewer, approver = made.client(made.reviewer), made.client(made.approver)

    def listed(view: str, client: object = reviewer) -> bool:
        return f"/staff/changes/{case.number}" in client.get(f"/staff/inbox?view={view}").content.decode()  # type: ignore[attr-defined]

    assert (listed("mine"), listed("unassigned"), listed("open"), listed("closed")) == (False, True, True, False)
    taken_up(made, case)
    assert (listed("mine"), listed("unassigned"), listed("mine", approver)) == (True, False, False)
    assert listed("open", approver)
    assert not listed("decision")
    assert "/staff/changes" in reviewer.get("/staff/inbox?view=open&q=nothing").content.decode(), "the page of changes"
    assert not listed("open&q=nothing"), "a search of applications shows what it found and no more"
