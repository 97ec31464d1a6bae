"""The way back after a lost second factor: asked by mail, vouched for by two others, then set up again."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from lianfang.accounts import actions
from lianfang.accounts.models import FactorReset, Invitation
from lianfang.accounts.queries import has_second_factor
from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Role
from tests.accounts.cast import Few, enter, member_organization
from tests.accounts.test_pages import browser
from tests.world import PASSWORD, Actor

pytestmark = pytest.mark.django_db


def asked(cast: Few, actor: Actor | None = None) -> FactorReset:
    return actions.ask_factor_reset(account=(actor or cast.member).account, at=cast.clock.tick())


def test_two_people_vouch_and_the_person_starts_again(cast: Few) -> None:
    theirs = browser(cast.member)
    theirs.get("/me")
    reset = asked(cast)
    assert asked(cast) == reset
    actions.vouch(reset=reset, how="video", by=cast.admin.subject(), at=cast.clock.tick())
    path = actions.confirm_factor_reset(reset=reset, by=cast.staff["reviewer"].subject(), at=cast.clock.tick())
    assert not Authenticator.objects.filter(user=cast.member.account).exists()
    assert theirs.get("/me").status_code == 302, "sessions have ended"
    invitation = Invitation.objects.get(kind="reenrol")
    assert Delivery.objects.filter(kind="reenrol", person_id=cast.member.person.pk).exists()
    assert path.startswith("/invite/")
    with pytest.raises(Refusal, match="password"):
        actions.accept_invitation(invitation=invitation, at=cast.clock.tick())
    account = actions.accept_invitation(invitation=invitation, password="another long sentence", at=cast.clock.tick())
    assert account == cast.member.account
    tags = Entry.objects.filter(tag__startswith="accounts:factor_reset").order_by("id").values_list("tag", flat=True)
    assert list(tags)[-2:] == ["accounts:factor_reset:vouch", "accounts:factor_reset:confirm"]


def test_the_two_are_different_and_neither_is_oneself(cast: Few) -> None:
    reset = asked(cast)
    actions.vouch(reset=reset, how="video", by=cast.admin.subject(), at=cast.clock.tick())
    with pytest.raises(Refusal, match="second person"):
        actions.confirm_factor_reset(reset=reset, by=cast.admin.subject(), at=cast.clock.tick())
    own = asked(cast, cast.admin)
    with pytest.raises(Refusal, match="himself"):
        actions.vouch(reset=own, how="video", by=cast.admin.subject(), at=cast.clock.tick())
    actions.vouch(reset=own, how="video", by=cast.deputy.subject(), at=cast.clock.tick())
    with pytest.raises(Refusal, match="himself"):
        actions.confirm_factor_reset(reset=own, by=cast.admin.subject(), at=cast.clock.tick())


def test_strangers_and_plain_members_do_not_vouch(cast: Few) -> None:
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    stranger = enter(cast.clock, other, email="a@m2.example", name="外人", role=Role.MEMBER_ADMIN)
    reset = asked(cast, cast.deputy)
    for actor in (stranger, cast.member):
        with pytest.raises(Refusal, match="may vouch"):
            actions.vouch(reset=reset, how="video", by=actor.subject(), at=cast.clock.tick())
        assert browser(actor).get(reverse("accounts_help_one", args=[reset.pk])).status_code == 404
    with pytest.raises(Refusal, match="may vouch"):
        actions.vouch(reset=reset, how="video", by=cast.admin.subject(mfa=False), at=cast.clock.tick())


def test_a_declined_request_resets_nothing(cast: Few) -> None:
    reset = asked(cast)
    actions.decline_factor_reset(reset=reset, by=cast.admin.subject(), at=cast.clock.tick())
    with pytest.raises(Refusal):
        actions.vouch(reset=reset, how="video", by=cast.deputy.subject(), at=cast.clock.tick())
    assert has_second_factor(account=cast.member.account)


def test_pages_from_the_sign_in_page_to_the_new_link(cast: Few) -> None:
    stranger = browser(None)
    stranger.post(reverse("accounts_lost_factor"), {"email": cast.member.account.email})
    mail = Delivery.objects.get(kind="lost_factor")
    path = mail.body_text.split("localhost:8000")[1].split()[0]
    assert stranger.get(path).status_code == 200
    assert not FactorReset.objects.exists(), "opening the link asks for nothing"
    assert stranger.post(path).status_code == 200
    reset = FactorReset.objects.get()
    page = reverse("accounts_help_one", args=[reset.pk])
    admin, deputy = browser(cast.admin), browser(cast.deputy)
    assert cast.member.person.name in admin.get(reverse("people")).content.decode()
    assert admin.post(page, {"act": "go", "second_factor_code": cast.admin.code()}).status_code == 422
    assert admin.post(page, {"act": "go", "how": "video"}).status_code == 422
    signed = {"act": "go", "how": "video", "second_factor_code": cast.admin.code()}
    assert admin.post(page, signed).status_code == 302
    assert deputy.post(page, {"act": "go", "second_factor_code": cast.deputy.code()}).status_code == 302
    assert not has_second_factor(account=cast.member.account)


def test_a_forged_or_old_proof_does_not_exist(cast: Few) -> None:
    for proof in ("x", "x:y:z", "1:1:1"):
        assert browser(None).get(reverse("accounts_lost_factor_proof", args=[proof])).status_code == 404


def test_the_password_is_kept_until_a_new_one_is_set(cast: Few) -> None:
    reset = asked(cast)
    actions.vouch(reset=reset, how="video", by=cast.admin.subject(), at=cast.clock.tick())
    actions.confirm_factor_reset(reset=reset, by=cast.deputy.subject(), at=cast.clock.tick())
    cast.member.account.refresh_from_db()
    assert cast.member.account.check_password(PASSWORD)
