"""Who gets into which page: strangers, members, the former member, staff without the duty; what a request costs."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.accounts.models import Affiliation
from lianfang.members.middleware import SESSION_AFFILIATION
from lianfang.members.urls import urlpatterns
from tests import world

pytestmark = pytest.mark.django_db


def test_every_page_has_a_door() -> None:
    for pattern in urlpatterns:
        assert hasattr(pattern.callback, "lianfang_door"), pattern


def test_the_staffs_pages_do_not_exist_for_members(made: world.World) -> None:
    case, held = made.applicant.number, made.jia.membership.pk
    for page in (
        "/staff/inbox",
        f"/staff/cases/{case}",
        "/staff/members",
        f"/staff/members/{held}",
        "/staff/revocations",
    ):
        assert made.client(made.jia.admin).get(page).status_code == 404, page
        assert made.client(made.former.admin).get(page).status_code in (302, 404), page
        assert made.client(None).get(page).status_code == 302, page


def test_a_missing_duty_is_said_to_the_staff(made: world.World) -> None:
    page = f"/staff/cases/{made.applicant.number}/screening"
    assert made.client(made.auditor).get(page).status_code == 403
    assert made.client(made.reviewer).get(page).status_code == 200
    assert made.client(made.reviewer).get("/staff/cases/A-2026-9999").status_code == 404


def test_the_second_factor_is_asked_for_and_leads_back(made: world.World) -> None:
    answer = made.client(made.reviewer, mfa=False).get("/staff/inbox")
    assert answer.status_code == 302
    assert "next=%2Fstaff%2Finbox" in answer["Location"]


def test_members_pages_by_the_cast(made: world.World) -> None:
    for actor in (made.jia.admin, made.jia.deputy, made.jia.contact, made.jia.member, made.wu):
        for language in ("zh-hant", "en"):
            client = made.client(actor, language=language)
            assert client.get("/member").status_code == 200
            assert client.get("/member/organisation/roster").status_code == 200
            assert client.get("/exit").status_code == 302
    assert made.client(made.ji).get("/member").status_code == 404, "not screened clear: no access"
    assert made.client(made.former.admin).get("/member")["Location"] == "/exit"
    assert made.client(made.reviewer).get("/member").status_code == 404


def test_a_constituent_sees_itself_alone_on_the_roster(made: world.World) -> None:
    group = made.client(made.ding.admin).get("/member/organisation/roster").content.decode()
    own = made.client(made.wu).get("/member/organisation/roster").content.decode()
    assert "己示範網路" in group
    assert "戊示範資訊" in own
    assert "己示範網路" not in own


def test_the_relay_rule_is_the_administrators(made: world.World) -> None:
    page = "/member/organisation/roster/relay"
    assert made.client(made.ding.member).post(page, {"start": "1"}).status_code == 403
    assert made.client(made.ding.admin).post(page, {"start": "1"}).status_code == 302
    assert {tlp.name for tlp in made.wu.subject().relays} == set(), "the clock of the tests stands before it"
    later = made.clock.at.replace(year=2027)
    assert {tlp.name for tlp in made.wu.subject(later).relays} == {"AMBER"}
    assert made.client(made.ding.admin).post(page, {"end": "1"}).status_code == 302
    assert made.wu.subject(later).relays == frozenset()


def test_the_exit_page_by_the_former_member(made: world.World) -> None:
    admin, member = made.client(made.former.admin), made.client(made.former.member)
    shown = admin.get("/exit").content.decode()
    assert "提出申訴" in shown
    assert "12月2日" in shown
    assert admin.get("/exit/letter").status_code == 200
    assert member.get("/exit").status_code == 200
    assert member.get("/exit/letter").status_code == 404
    refused = member.post("/exit/appeal", {"text": "理由", "key": "k"})
    assert refused.status_code == 422
    assert made.client(made.jia.admin).get("/exit/appeal").status_code == 404


def test_one_statement_tells_who_asks(made: world.World, django_assert_num_queries: Any, rf: Any) -> None:
    from lianfang.members.middleware import SubjectMiddleware

    client = made.client(made.jia.admin)
    seen: list[Any] = []
    middleware = SubjectMiddleware(lambda request: seen.append(request))  # type: ignore[arg-type, return-value]
    request = rf.get("/member")
    request.user, request.session = made.jia.admin.account, client.session
    assert len(request.session.keys()) > 2  # loads the session, which the sessions' own middleware answers for
    with django_assert_num_queries(1):
        middleware(request)
    assert seen[0].subject.mfa
    assert seen[0].membership.pk == made.jia.membership.pk
    from django.contrib.auth.models import AnonymousUser

    request.user = AnonymousUser()
    with django_assert_num_queries(0):
        middleware(request)


def test_a_person_of_two_organisations_switches_on_a_page(made: world.World) -> None:
    person = made.jia.member.person
    path = world.accounts.invite(
        person=person, organization=made.yi.organization, group=made.yi.organization, role=world.Role.MEMBER,
        by=made.yi.admin.subject(), at=made.clock.tick(),
    )[1]  # fmt: skip
    invitation = world.invitation_by_secret(path.rsplit("/", 1)[-1])
    assert invitation is not None
    world.accounts.accept_invitation(invitation=invitation, at=made.clock.tick())
    client = made.client(made.jia.member)
    assert made.jia.organization.name_zh in client.get("/member/switch").content.decode()
    other = Affiliation.objects.get(person=person, organization=made.yi.organization)
    assert client.post("/member/switch", {"affiliation": str(other.pk)}).status_code == 302
    assert client.session[SESSION_AFFILIATION] == str(other.pk)
    stranger = made.bing.admin.affiliation.pk
    client.post("/member/switch", {"affiliation": str(stranger)})
    assert client.session[SESSION_AFFILIATION] == str(other.pk)
