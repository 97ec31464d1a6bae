"""Who exists, who acts for whom, and what ends when somebody leaves."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ObjectDoesNotExist
from django.urls import reverse

from lianfang.accounts import actions, providers, queries
from lianfang.accounts.models import Account, Affiliation, Invitation, Organization, Person
from lianfang.accounts.queries import administrators, people, person_by_email
from lianfang.audit.models import Entry
from lianfang.charter.models import ConfidentialityDuty
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Pair, Role
from tests.accounts.cast import Few, enter, member_organization
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, SYSTEM, join

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def invite(cast: Few, email: str = "new@m1.example", **changed: object) -> tuple[Invitation, str]:
    person = actions.person_enter(name="吳新人", email=email, by=cast.admin.subject(), at=cast.clock.tick())
    facts = {"organization": cast.organization, "group": cast.organization, "role": Role.MEMBER, **changed}
    return actions.invite(person=person, **facts, by=cast.admin.subject(), at=cast.clock.tick())  # type: ignore[arg-type]


def test_an_address_is_one_person_however_it_is_typed(cast: Few) -> None:
    first = actions.person_enter(name="吳新人", email="New@M1.example ", by=SYSTEM, at=cast.clock.tick())
    again = actions.person_enter(name="別的名字", email="new@m1.EXAMPLE", by=SYSTEM, at=cast.clock.tick())
    assert again == first == person_by_email("NEW@m1.example")
    assert again.name == "吳新人"


@pytest.mark.parametrize(("changed", "field"), [({"email": "x"}, "email"), ({"name": " "}, "name")])
def test_a_person_needs_a_name_and_an_address(cast: Few, changed: dict[str, str], field: str) -> None:
    facts = {"name": "吳新人", "email": "new@m1.example", **changed}
    with pytest.raises(Refusal) as refused:
        actions.person_enter(**facts, by=SYSTEM, at=cast.clock.tick())
    assert refused.value.field == field


def test_the_first_mail_is_the_privacy_notice_with_the_invitation_in_it(cast: Few) -> None:
    invitation, path = invite(cast)
    mail = Delivery.objects.get(person_id=invitation.affiliation.person_id)
    assert path in mail.body_text
    assert mail.body_text.index("個人資料告知事項") < mail.body_text.index(path)
    assert Person.objects.get(pk=mail.person_id).first_contact_at is not None


def test_nobody_acts_for_an_organisation_before_agreeing(cast: Few) -> None:
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    known = cast.member.person
    _, path = actions.invite(
        person=known, organization=other, group=other, role=Role.MEMBER_ADMIN, by=SYSTEM, at=utcnow()
    )
    affiliation = Affiliation.objects.get(person=known, organization=other)
    assert not Affiliation.objects.live(utcnow()).filter(pk=affiliation.pk).exists()
    # Whoever invited an address is not told that it has an account elsewhere.
    (row,) = people(organizations=[other.pk], group=other.pk, at=utcnow())
    assert (row.account, row.second_factor, row.last_sign_in) == (None, False, None)
    client = browser(cast.member)
    assert client.get(path).context["mine"]
    assert client.post(path)["Location"] == "/member/confidentiality"
    assert Affiliation.objects.live(utcnow()).filter(pk=affiliation.pk).exists()
    assert Account.objects.filter(person=known).count() == 1


def test_a_known_person_signs_in_before_accepting(cast: Few) -> None:
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    _, path = actions.invite(
        person=cast.member.person, organization=other, group=other, role=Role.MEMBER, by=SYSTEM, at=utcnow()
    )
    for client in (browser(None), browser(cast.admin)):
        assert client.post(path).status_code == 200
        assert not Affiliation.objects.get(organization=other).started_at


@pytest.mark.parametrize(("step", "opens"), [(-TICK, True), (0 * TICK, False), (TICK, False)])
def test_an_invitation_works_until_its_instant_and_once(cast: Few, step: timedelta, opens: bool) -> None:
    invitation, _ = invite(cast)
    at = invitation.expires_at + step
    if not opens:
        with pytest.raises(Refusal):
            actions.accept_invitation(invitation=invitation, password=PASSWORD, at=at)
        return
    account = actions.accept_invitation(invitation=invitation, password=PASSWORD, at=at)
    assert EmailAddress.objects.get(user=account).verified
    with pytest.raises(Refusal):
        actions.accept_invitation(invitation=invitation, password=PASSWORD, at=at)


def test_a_resent_invitation_ends_the_earlier_link(cast: Few) -> None:
    person = actions.person_enter(name="吳新人", email="new@m1.example", by=SYSTEM, at=utcnow())
    invitation, old = actions.invite(
        person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM, at=utcnow()
    )
    answer = browser(cast.admin).post(reverse("invite_again", args=[invitation.pk]))
    assert answer.status_code == 302
    stranger = browser(None)
    assert stranger.get(old).status_code == 404
    new = Delivery.objects.filter(person_id=person.pk).latest("created_at").body_text.split("/invite/")[1].split()[0]
    assert stranger.get(f"/invite/{new}").status_code == 200


def test_an_expired_invitation_says_who_can_send_another(cast: Few) -> None:
    _, path = invite(cast)
    answer = browser(None).get(path)
    assert answer.status_code == 410
    assert cast.organization.name_zh in answer.content.decode()


@pytest.mark.parametrize("typed", [{"password": "short"}, {"password": "new@m1.example"}, {"credential": "{}"},
                                   {"credential": "no json"}, {"credential": '{"id": 7}'}, {}])  # fmt: skip
def test_hostile_input_on_an_invitation_is_refused_in_words(cast: Few, typed: dict[str, str]) -> None:
    person = actions.person_enter(name="吳新人", email="new@m1.example", by=SYSTEM, at=utcnow())
    _, path = actions.invite(
        person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER, by=SYSTEM, at=utcnow()
    )
    client = browser(None)
    client.get(path)
    assert client.post(path, typed).status_code == 422, typed
    assert not Account.objects.filter(person=person).exists()


def test_invite_from_the_page_for_oneself_and_for_a_constituent(cast: Few) -> None:
    child = actions.create_organization(kind="constituent", name_zh="戊示範", by=SYSTEM, at=cast.clock.tick())
    providers.use_constituents(lambda group, at: [child] if group == cast.organization.pk else [])
    client = browser(cast.admin)
    typed = {"name": "吳新人", "email": "wu@m1.example", "role": "member"}
    for organization in (cast.organization, child):
        answer = client.post(reverse("invite"), {**typed, "organization": str(organization.pk)})
        assert answer.status_code == 302
    found = Affiliation.objects.filter(person=person_by_email("wu@m1.example"))
    assert {(one.organization, one.group) for one in found} == {
        (cast.organization, cast.organization), (child, cast.organization),
    }  # fmt: skip


def test_nobody_invites_for_somebody_elses_organisation(cast: Few) -> None:
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    typed = {"name": "吳新人", "email": "wu@m1.example", "role": "member", "organization": str(other.pk)}
    assert browser(cast.admin).post(reverse("invite"), typed).status_code == 422
    with pytest.raises(Refusal) as refused:
        actions.invite_colleague(
            name="吳新人", email="wu@m1.example", title="", phone="", organization=other, group=other,
            role=Role.MEMBER, by=cast.admin.subject(), at=cast.clock.tick(),
        )  # fmt: skip
    assert refused.value.rule == "own-organisation"


def test_somebody_elses_people_do_not_exist(cast: Few) -> None:
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    stranger = enter(cast.clock, other, email="a@m2.example", name="外人", role=Role.MEMBER)
    client = browser(cast.admin)
    for name in ("person_leaves", "change_role"):
        assert client.get(reverse(name, args=[stranger.affiliation.pk])).status_code == 404
    waiting, _ = invite(cast, email="b@m2.example", organization=other, group=other)
    assert client.post(reverse("invite_again", args=[waiting.pk])).status_code == 404
    assert client.post(reverse("sign_out_person", args=[stranger.affiliation.pk])).status_code == 404


def test_what_a_page_looks_up_is_whom_its_deeds_are_for(cast: Few) -> None:
    """The condition of the look-up and the check of the deeds are two: whoever asks, both say the same of everybody."""
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    part = member_organization(cast.clock, place=3, name="丙示範精密股份有限公司")
    whole, person = cast.organization, cast.member.person
    for organization, group in ((other, other), (part, whole), (part, other)):
        actions.affiliate(
            person=person, organization=organization, group=group, role=Role.MEMBER, by=SYSTEM, at=cast.clock.tick()
        )
    every, found = set(Affiliation.objects.all()), []
    for organization, group in ((whole, whole), (part, whole), (other, other), (part, other)):
        by = replace(cast.admin.subject(), pair=Pair(organization.pk, group.pk))
        theirs = set(Affiliation.objects.filter(queries.managed(by=by)))
        for one in every:
            with nullcontext() if one in theirs else pytest.raises(Refusal):
                actions.require_managed(affiliation=one, by=by)
        found.append(len(theirs))
    assert found == [Affiliation.objects.filter(organization=whole).count() + 1, 1, 2, 1]
    assert not Affiliation.objects.filter(queries.managed(by=replace(by, pair=None))).exists()


def test_leaving_ends_everything_but_the_duty(cast: Few) -> None:
    client = browser(cast.deputy)
    assert client.get(reverse("people")).status_code == 200
    answer = browser(cast.admin).post(
        reverse("person_leaves", args=[cast.deputy.affiliation.pk]), {"second_factor_code": cast.admin.code()}
    )
    assert answer.status_code == 302
    assert client.get(reverse("people"))["Location"].startswith("/account/login/")
    assert ConfidentialityDuty.objects.filter(person=cast.deputy.person).exists()
    assert Entry.objects.filter(tag="accounts:affiliation:leave").exists()
    cast.deputy.affiliation.refresh_from_db()
    assert cast.deputy.affiliation.left_at is not None


def test_leaving_is_signed(cast: Few) -> None:
    path = reverse("person_leaves", args=[cast.deputy.affiliation.pk])
    client = browser(cast.admin)
    for typed in ({}, {"second_factor_code": "00000000"}):
        assert client.post(path, typed).status_code == 422, typed
    code = cast.admin.code()
    assert client.post(path, {"second_factor_code": code}).status_code == 302
    other = reverse("person_leaves", args=[cast.member.affiliation.pk])
    assert client.post(other, {"second_factor_code": code}).status_code == 422, "a code works once"


def test_the_last_administrator_stays(cast: Few) -> None:
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    assert administrators(organization=cast.organization.pk, group=cast.organization.pk, at=cast.clock.at) == 1
    assert "只有一位管理員" in browser(cast.admin).get(reverse("people")).content.decode()
    for deed in (
        lambda: actions.leave(affiliation=cast.admin.affiliation, by=cast.admin.subject(), at=cast.clock.tick()),
        lambda: actions.change_role(
            affiliation=cast.admin.affiliation, role=Role.MEMBER, by=cast.admin.subject(), at=cast.clock.tick()
        ),
    ):
        with pytest.raises(Refusal) as refused:
            deed()
        assert refused.value.rule == "last-administrator"


def test_a_role_is_changed_from_the_page(cast: Few) -> None:
    path = reverse("change_role", args=[cast.member.affiliation.pk])
    client = browser(cast.admin)
    assert client.post(path, {"role": "emperor"}).status_code == 422
    assert client.post(path, {"role": "security_contact"}).status_code == 302
    cast.member.affiliation.refresh_from_db()
    assert cast.member.affiliation.role == "security_contact"


def test_who_left_can_be_invited_again_under_a_new_affiliation(cast: Few) -> None:
    actions.leave(affiliation=cast.member.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    with pytest.raises(Refusal):
        actions.leave(affiliation=cast.member.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    invitation, _ = invite(cast, email="member@m1.example")
    actions.accept_invitation(invitation=invitation, at=cast.clock.tick())
    assert Affiliation.objects.filter(person=cast.member.person).count() == 2


def test_sessions_of_a_whole_organisation_end(cast: Few) -> None:
    clients = [browser(cast.admin), browser(cast.member)]
    for client in clients:
        client.get("/me")
    ended = actions.end_sessions(organization=cast.organization, by=SYSTEM, at=cast.clock.tick())
    assert ended == 2
    assert all(client.get("/me").status_code == 302 for client in clients)
    with pytest.raises(ValueError, match="person or an organisation"):
        actions.end_sessions(by=SYSTEM, at=cast.clock.tick())


def test_a_business_number_is_one_organisation(cast: Few) -> None:
    again = actions.create_organization(
        kind="twse", name_zh="別名", ubn=cast.organization.ubn, by=SYSTEM, at=cast.clock.tick()
    )
    assert again == cast.organization
    assert Organization.objects.get(pk=again.pk).name_zh == "甲示範電子股份有限公司"
    with pytest.raises(ObjectDoesNotExist):
        Organization.objects.get(name_zh="別名")


def test_the_cast_joins_by_the_mailed_link(cast: Few) -> None:
    _, path = invite(cast)
    actor = join(cast.clock, path)
    assert actor.subject().acknowledged


def rows_of(cast: Few) -> dict[str, tuple[str, str]]:
    at = utcnow()
    rows = people(organizations=[cast.organization.pk], group=cast.organization.pk, at=at)
    return {row.affiliation.person.email: (row.status[0].en, row.status[1]) for row in rows}


def test_one_table_says_how_it_stands_with_everybody(cast: Few) -> None:
    invitation, _ = invite(cast, "invited@m1.example")
    other, _ = invite(cast, "late@m1.example")
    back, _ = invite(cast, "back@m1.example")
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=utcnow() + timedelta(days=1))
    Invitation.objects.filter(pk=other.pk).update(expires_at=utcnow())
    Delivery.objects.filter(person_id=back.affiliation.person_id).update(state="failed")
    actions.place_hold(
        thing=cast.member.account, reason="帳號遭竊", review_on=(utcnow() + timedelta(days=9)).date(),
        by=cast.staff["operator"].subject(utcnow()), at=utcnow(),
    )  # fmt: skip
    Affiliation.objects.filter(pk=cast.deputy.affiliation.pk).update(left_at=utcnow() + timedelta(days=2))
    assert rows_of(cast) == {
        cast.admin.person.email: ("Active", "good"),
        cast.deputy.person.email: ("Leaving", "warn"),
        cast.member.person.email: ("On security hold", "bad"),
        "invited@m1.example": ("Invited", "info"),
        "late@m1.example": ("Invitation has expired", "warn"),
        "back@m1.example": ("Invitation came back", "bad"),
    }
    page = browser(cast.admin).get(reverse("people")).content.decode()
    for word in ("使用中", "即將離開", "安全保全中", "已邀請", "邀請已過期", "邀請信退回"):
        assert word in page
    # Sent again it is another mail: what became of the first no longer counts.
    actions.resend(invitation=back, by=cast.admin.subject(), at=utcnow())
    assert rows_of(cast)["back@m1.example"] == ("Invited", "info")


def test_another_organisations_mail_that_came_back_tells_nothing_here(cast: Few) -> None:
    elsewhere = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    ours, _ = invite(cast, "shared@m1.example")
    Invitation.objects.filter(pk=ours.pk).update(expires_at=utcnow() + timedelta(days=1))
    actions.invite(
        person=ours.affiliation.person,
        organization=elsewhere,
        group=elsewhere,
        role=Role.MEMBER,
        by=SYSTEM,
        at=utcnow(),
    )
    mails = Delivery.objects.filter(person_id=ours.affiliation.person_id).order_by("created_at")
    Delivery.objects.filter(pk=mails.last().pk).update(state="failed")  # type: ignore[union-attr]
    assert rows_of(cast)["shared@m1.example"] == ("Invited", "info")
