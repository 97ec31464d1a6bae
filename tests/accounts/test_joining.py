"""Joining, leaving and coming back: what a link opens and for whom, and what ends at which instant."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.urls import reverse

from lianfang.accounts import actions
from lianfang.accounts.models import Account, Affiliation, Invitation, Organization, Token
from lianfang.accounts.queries import authenticate_token, invitation_by_secret, keyed_digest, live_tokens
from lianfang.audit.models import Entry
from lianfang.charter.models import ConfidentialityDuty
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Role, Standing
from tests.accounts.cast import Few, enter, member_organization
from tests.accounts.test_governance import setting as proposed
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, SYSTEM, join, token

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
AROUND = [(-TICK, True), (0 * TICK, False), (TICK, False)]
NEW = "new@m1.example"


def invited(
    cast: Few, email: str = NEW, *, to: Organization | None = None, role: Role = Role.MEMBER, at: datetime | None = None
) -> tuple[Invitation, str]:
    """Somebody entered and invited."""
    organization = to or cast.organization
    person = actions.person_enter(name="吳新人", email=email, by=SYSTEM, at=at or cast.clock.tick())
    return actions.invite(
        person=person, organization=organization, group=organization, role=role, by=SYSTEM, at=at or cast.clock.tick()
    )


def other(cast: Few, place: int = 2) -> Organization:
    """Another group member."""
    return member_organization(cast.clock, place=place, name="乙示範精密股份有限公司")


# The link


def test_a_link_is_a_secret_of_which_only_a_digest_is_kept(cast: Few) -> None:
    invitation, path = invited(cast)
    secret = path.rsplit("/", 1)[-1]
    invitation.refresh_from_db()
    assert len(secret) == 43
    assert bytes(invitation.secret_digest) == keyed_digest(secret)
    assert secret not in str([getattr(invitation, field.attname) for field in Invitation._meta.concrete_fields])
    for guess in (secret[:-1], secret + "A", secret.lower(), secret.swapcase(), "", keyed_digest(secret).hex()):
        assert invitation_by_secret(guess) is None, guess
    assert secret not in str(list(Entry.objects.values_list("detail", flat=True)))


def test_the_setting_of_the_instant_of_sending_says_how_long_a_link_works(cast: Few) -> None:
    proposal = proposed(cast, 10, hours=1)
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    for step, days in ((-TICK, 7), (0 * TICK, 10), (TICK, 10)):
        at = proposal.effective_at + step
        invitation, _ = invited(cast, f"new{step.microseconds}{days}@m1.example", at=at)
        assert invitation.expires_at == at + timedelta(days=days)


@pytest.mark.parametrize(("step", "opens"), AROUND)
def test_the_page_of_a_link_closes_with_it(
    cast: Few, monkeypatch: pytest.MonkeyPatch, step: timedelta, opens: bool
) -> None:
    from lianfang.members import middleware

    invitation, path = invited(cast)
    at = invitation.expires_at + step
    monkeypatch.setattr(middleware, "utcnow", lambda: at)
    monkeypatch.setattr(middleware, "database_clock", lambda: at)
    client = browser(None)
    assert client.get(path).status_code == (200 if opens else 410)
    answer = client.post(path, {"password": PASSWORD})
    assert answer.status_code == (302 if opens else 410)
    assert Account.objects.filter(person=invitation.affiliation.person).exists() is opens


@pytest.mark.parametrize(("step", "opens"), AROUND)
def test_a_link_sent_again_counts_its_days_anew(cast: Few, step: timedelta, opens: bool) -> None:
    invitation, old = invited(cast)
    first = invitation.expires_at
    again, new = actions.resend(invitation=invitation, by=cast.admin.subject(), at=cast.clock.tick(days=3))
    assert again.pk == invitation.pk
    assert again.sent_count == 2
    assert again.expires_at == cast.clock.at + timedelta(days=7) > first
    assert invitation_by_secret(old.rsplit("/", 1)[-1]) is None
    found = invitation_by_secret(new.rsplit("/", 1)[-1])
    assert found is not None
    assert found.is_open(again.expires_at + step) is opens
    if opens:
        assert actions.accept_invitation(invitation=found, password=PASSWORD, at=again.expires_at + step)


def test_an_expired_link_can_be_sent_again_and_an_accepted_one_cannot(cast: Few) -> None:
    invitation, _ = invited(cast)
    later = cast.clock.tick(days=30)
    _, path = actions.resend(invitation=invitation, by=cast.admin.subject(), at=later)
    join(cast.clock, path)
    with pytest.raises(Refusal) as refused:
        actions.resend(invitation=invitation, by=cast.admin.subject(), at=cast.clock.tick())
    assert refused.value.rule == "invitation-open"


@pytest.mark.parametrize("who", ["member", "stranger", "reviewer"])
def test_nobody_but_an_administrator_sends_a_link_again(cast: Few, who: str) -> None:
    invitation, _ = invited(cast)
    strange = enter(cast.clock, other(cast), email="a@m2.example", name="外人", role=Role.MEMBER_ADMIN)
    actor = {"member": cast.member, "stranger": strange, "reviewer": cast.staff["reviewer"]}[who]
    with pytest.raises(Refusal):
        actions.resend(invitation=invitation, by=actor.subject(), at=cast.clock.tick())
    invitation.refresh_from_db()
    assert invitation.sent_count == 1
    assert browser(actor).post(reverse("invite_again", args=[invitation.pk])).status_code in (403, 404)


def test_the_second_use_of_a_link_is_told_and_changes_nothing(cast: Few) -> None:
    invitation, path = invited(cast, at=utcnow())
    first = browser(None)
    assert first.post(path, {"password": PASSWORD}).status_code == 302
    account = Account.objects.get(person=invitation.affiliation.person)
    second = browser(None)
    for answer in (second.get(path), second.post(path, {"password": "Somebody-elses-sentence"})):
        assert answer.status_code == 410
    account.refresh_from_db()
    assert account.check_password(PASSWORD)
    assert second.get("/me").status_code == 302
    assert Entry.objects.filter(tag="accounts:invitation:accept", about_id=str(invitation.pk)).count() == 1


def test_joining_opens_half_a_session_and_leads_through_both_steps(cast: Few) -> None:
    _, path = invited(cast, at=utcnow())
    client = browser(None)
    before = client.session.session_key
    answer = client.post(path, {"password": PASSWORD})
    assert answer["Location"] == reverse("accounts_factor_setup")
    assert client.session.session_key != before
    assert client.get("/me").status_code == 200
    assert client.get("/member")["Location"].startswith("/member/confidentiality")
    assert client.post("/member/confidentiality", {"agree": "on"})["Location"] == "/home"
    assert client.get("/member")["Location"].startswith("/account/second-factor")


def test_who_is_signed_in_as_somebody_else_joins_as_whom_the_link_names(cast: Few) -> None:
    invitation, path = invited(cast, at=utcnow())
    client = browser(cast.member)
    client.post(path, {"password": PASSWORD})
    account = Account.objects.get(person=invitation.affiliation.person)
    assert account.pk != cast.member.account.pk
    cast.member.account.refresh_from_db()
    assert cast.member.account.check_password(PASSWORD)
    assert not Affiliation.objects.filter(person=cast.member.person, pk=invitation.affiliation_id).exists()


def test_an_account_joins_a_second_organisation_with_what_it_has(cast: Few) -> None:
    second = other(cast)
    invitation, path = invited(cast, "member@m1.example", to=second, role=Role.MEMBER_ADMIN, at=utcnow())
    factors = set(Authenticator.objects.filter(user=cast.member.account).values_list("pk", flat=True))
    client = browser(cast.member)
    # A password that somebody types there is not looked at: it would be set without the old one.
    assert client.post(path, {"password": "Somebody-elses-sentence"})["Location"] == "/member/confidentiality"
    cast.member.account.refresh_from_db()
    assert cast.member.account.check_password(PASSWORD)
    assert set(Authenticator.objects.filter(user=cast.member.account).values_list("pk", flat=True)) == factors
    invitation.refresh_from_db()
    assert invitation.accepted_at is not None
    assert client.session["affiliation"] == str(invitation.affiliation_id)


def test_the_link_of_an_account_is_of_no_use_to_who_stole_the_mail(cast: Few) -> None:
    second = other(cast)
    _, path = invited(cast, "member@m1.example", to=second, role=Role.MEMBER_ADMIN, at=utcnow())
    for thief in (browser(None), browser(cast.deputy), browser(cast.staff["granter1"])):
        page = thief.get(path)
        assert page.status_code == 200
        assert not page.context["mine"]
        thief.post(path, {"password": "Somebody-elses-sentence"})
        thief.post(path, {"credential": '{"id": "x"}'})
    assert not Affiliation.objects.get(organization=second).started_at
    cast.member.account.refresh_from_db()
    assert cast.member.account.check_password(PASSWORD)


def test_a_link_names_organisation_and_role_and_nobody_elses_data(cast: Few) -> None:
    _, path = invited(cast, at=utcnow())
    page = browser(None).get(path).content.decode()
    assert cast.organization.name_zh in page
    for name in ("林樣本", "陳示範", "admin@m1.example", "吳新人"):
        assert name not in page
    page = browser(None, language="en").get(path).content.decode()
    assert "Example 1" in page


# One pair at a time


@pytest.fixture
def both(cast: Few) -> tuple[Few, Affiliation]:
    """The ordinary member is administrator of another organisation besides."""
    second = other(cast)
    invitation, _ = invited(cast, "member@m1.example", to=second, role=Role.MEMBER_ADMIN)
    actions.accept_invitation(invitation=invitation, at=cast.clock.tick())
    from lianfang.charter.actions import acknowledge

    affiliation = Affiliation.objects.select_related("person", "organization", "group").get(organization=second)
    acknowledge(affiliation=affiliation, by=cast.member.subject(), at=cast.clock.tick())
    return cast, affiliation


def test_rights_never_add_up_over_organisations(both: tuple[Few, Affiliation]) -> None:
    cast, second = both
    client = browser(cast.member)
    assert client.get(reverse("people")).status_code == 403, "at first one acts for the oldest"
    assert client.post("/member/switch", {"affiliation": str(second.pk)}).status_code == 302
    page = client.get(reverse("people"))
    assert page.status_code == 200
    assert "林樣本" not in page.content.decode(), "and sees nothing of the other's people"
    assert client.get(reverse("change_role", args=[cast.deputy.affiliation.pk])).status_code == 404
    assert client.get(reverse("person_leaves", args=[cast.admin.affiliation.pk])).status_code == 404
    made, _ = token(cast.clock, cast.admin)
    assert client.get(reverse("connection", args=[made.pk])).status_code == 404
    assert client.post("/member/switch", {"affiliation": str(cast.member.affiliation.pk)}).status_code == 302
    assert client.get(reverse("people")).status_code == 403


@pytest.mark.parametrize("kind", ["somebody else's", "nothing", "words", "empty", "an invitation not accepted"])
def test_nobody_switches_to_what_is_not_his(both: tuple[Few, Affiliation], kind: str) -> None:
    cast, _ = both
    third = other(cast, 3)
    waiting, _ = invited(cast, "member@m1.example", to=third, role=Role.MEMBER_ADMIN)
    wanted = {
        "somebody else's": str(cast.admin.affiliation.pk), "nothing": "00000000-0000-4000-8000-000000000000",
        "words": "' OR 1=1 --", "empty": "", "an invitation not accepted": str(waiting.affiliation_id),
    }[kind]  # fmt: skip
    client = browser(cast.member)
    assert client.post("/member/switch", {"affiliation": wanted}).status_code == 200
    assert client.session.get("affiliation") is None
    assert client.get(reverse("people")).status_code == 403
    assert len(client.get("/member/switch").context["own"]) == 2


def test_a_session_that_names_somebody_elses_pair_acts_for_ones_own(both: tuple[Few, Affiliation]) -> None:
    cast, _ = both
    client = browser(cast.member)
    for forged in (str(cast.admin.affiliation.pk), "x", 7, None):
        session = client.session
        session["affiliation"] = forged if not isinstance(forged, int) else str(forged)
        session.save()
        answer = client.get(reverse("people"))
        assert answer.status_code == 403


def test_the_confidence_of_one_pair_is_not_that_of_another(cast: Few) -> None:
    second = other(cast)
    _, path = invited(cast, "admin@m1.example", to=second, role=Role.MEMBER_ADMIN, at=utcnow())
    client = browser(cast.admin)
    assert client.post(path)["Location"] == "/member/confidentiality"
    assert client.get(reverse("people"))["Location"].startswith("/member/confidentiality"), "asked for this pair"
    client.post("/member/switch", {"affiliation": str(cast.admin.affiliation.pk)})
    assert client.get(reverse("people")).status_code == 200
    duties = ConfidentialityDuty.objects.filter(person=cast.admin.person)
    assert set(duties.values_list("organization", flat=True)) == {cast.organization.pk}


def test_leaving_one_organisation_keeps_the_other(both: tuple[Few, Affiliation]) -> None:
    cast, second = both
    actions.leave(affiliation=cast.member.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    client = browser(cast.member)
    assert client.get(reverse("people")).status_code == 200, "the other is now the only one"
    assert client.get("/member/switch").context["own"] == [second]


# Leaving


@pytest.mark.parametrize(("step", "there"), AROUND)
def test_all_that_a_person_can_do_ends_at_the_instant_of_leaving(cast: Few, step: timedelta, there: bool) -> None:
    _, secret = token(cast.clock, cast.deputy)
    left = cast.clock.tick()
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=left)
    at = left + step
    assert (authenticate_token(secret=secret, at=at, network=None) is not None) is there
    assert Affiliation.objects.live(at).filter(pk=cast.deputy.affiliation.pk).exists() is there
    subject = cast.deputy.subject(at)
    assert (subject.left_at is None or subject.left_at > at) is there


def test_the_page_of_leaving_lists_every_key_that_ends(cast: Few) -> None:
    names = {token(cast.clock, cast.deputy)[0].pk for _ in range(3)}
    revoked, _ = token(cast.clock, cast.deputy)
    actions.revoke_token(token=revoked, by=cast.deputy.subject(), at=cast.clock.tick())
    token(cast.clock, cast.admin)
    page = browser(cast.admin).get(reverse("person_leaves", args=[cast.deputy.affiliation.pk]))
    assert {one.pk for one in page.context["tokens"]} == names
    assert not page.context["oneself"]
    left = cast.clock.tick()
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=left)
    assert live_tokens(affiliation=cast.deputy.affiliation, at=left) == []
    assert set(Token.objects.filter(revoked_at=left).values_list("pk", flat=True)) == names
    entry = Entry.objects.get(tag="accounts:affiliation:leave")
    assert entry.detail == {"tokens_ended": 3}


def test_the_duty_and_its_beginning_outlive_the_account(cast: Few) -> None:
    before = list(ConfidentialityDuty.objects.filter(person=cast.deputy.person).values())
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    assert list(ConfidentialityDuty.objects.filter(person=cast.deputy.person).values()) == before
    assert len(before) == 1


def test_an_administrator_can_let_himself_go_while_another_is_there(cast: Few) -> None:
    client = browser(cast.admin)
    path = reverse("person_leaves", args=[cast.admin.affiliation.pk])
    assert client.get(path).context["oneself"]
    assert client.post(path, {"second_factor_code": cast.admin.code()}).status_code == 302
    assert client.get(reverse("people"))["Location"].startswith("/account/login/")


def test_who_left_meets_nothing_on_signing_in_again(cast: Few) -> None:
    actions.leave(affiliation=cast.deputy.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    client = browser(cast.deputy)
    for page in ("/member", "/member/intel", reverse("people"), "/staff/inbox"):
        answer = client.get(page)
        assert answer.status_code in (302, 404), page
        assert "林樣本" not in answer.content.decode()
    assert client.get("/me").status_code == 200
    assert cast.deputy.subject(utcnow()).standing is not Standing.NONE


def test_an_invitation_still_open_is_withdrawn_with_who_was_to_come(cast: Few) -> None:
    invitation, path = invited(cast, at=utcnow())
    left = utcnow()
    actions.leave(affiliation=invitation.affiliation, by=cast.admin.subject(left), at=left)
    assert browser(None).get(path).status_code == 410
    with pytest.raises(Refusal):
        actions.accept_invitation(invitation=invitation, password=PASSWORD, at=left)
    with pytest.raises(Refusal):
        actions.resend(invitation=invitation, by=cast.admin.subject(left), at=left)


def test_who_left_comes_back_under_a_new_affiliation_with_the_old_sign_in(cast: Few) -> None:
    old = cast.member.affiliation
    left = cast.clock.tick()
    actions.leave(affiliation=old, by=cast.admin.subject(), at=left)
    invitation, path = invited(cast, "member@m1.example", role=Role.SECURITY_CONTACT, at=utcnow())
    client = browser(cast.member)
    assert client.post(path).status_code == 302
    back = Affiliation.objects.get(pk=invitation.affiliation_id)
    assert (back.pk != old.pk, back.role, back.left_at) == (True, "security_contact", None)
    old.refresh_from_db()
    assert (old.role, old.left_at) == ("member", left)
    # The duty was acknowledged for this pair, and has not ended in between.
    assert client.get("/member").status_code == 200


def test_two_open_invitations_of_one_person_to_one_organisation_cannot_be(cast: Few) -> None:
    invitation, _ = invited(cast)
    with pytest.raises(Refusal, match="already acts"):
        invited(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Affiliation.objects.create(
            person=invitation.affiliation.person, organization=cast.organization, group=cast.organization, role="member"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(
            affiliation=invitation.affiliation, secret_digest=b"x", created_at=cast.clock.at, expires_at=cast.clock.at
        )


def test_revocation_of_the_organisation_ends_every_session_and_key_of_its_people(cast: Few) -> None:
    clients = {actor.account.email: browser(actor) for actor in (cast.admin, cast.deputy, cast.member)}
    untouched = browser(cast.staff["reviewer"])
    for client in (*clients.values(), untouched):
        assert client.get("/me").status_code == 200
    ended = actions.end_sessions(organization=cast.organization, by=SYSTEM, at=cast.clock.tick())
    assert ended == len(clients)
    assert all(client.get("/me").status_code == 302 for client in clients.values())
    assert untouched.get("/me").status_code == 200


# Mails


def test_every_mail_of_joining_goes_to_the_person_and_carries_the_link_of_this_installation(cast: Few) -> None:
    invitation, path = invited(cast)
    _, again = actions.resend(invitation=invitation, by=cast.admin.subject(), at=cast.clock.tick())
    mails = list(Delivery.objects.filter(person_id=invitation.affiliation.person_id).order_by("pk"))
    mails.sort(key=lambda mail: mail.created_at)
    assert [mail.to for mail in mails] == [NEW, NEW]
    for mail, link in zip(mails, (path, again), strict=True):
        assert f"http://localhost:8000{link}" in mail.body_text
        assert "吳新人" not in mail.subject
        assert cast.organization.name_zh not in mail.subject
    assert "個人資料告知事項" in mails[0].body_text
    assert "個人資料告知事項" not in mails[1].body_text.split("邀請您使用")[0]
