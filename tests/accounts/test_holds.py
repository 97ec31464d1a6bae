"""Security holds: what stops at once, what stays, who may, and that an alliance cannot lock itself out."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from lianfang.accounts import actions, queries
from lianfang.accounts.models import Account, Affiliation, DutyGrant, SecurityHold, Token
from lianfang.kernel.clock import taipei, utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.members.models import Membership
from tests import world
from tests.members.cases import Ledger, mails


def soon(made: world.World) -> date:
    return taipei(made.clock.at).date() + timedelta(days=7)


def hold(made: world.World, thing: Account | Token, by: world.Actor | None = None, **more: Any) -> SecurityHold:
    given = {"reason": "疑似遭盜用", "review_on": soon(made), **more}
    return actions.place_hold(thing=thing, by=(by or made.analyst).subject(), at=made.clock.tick(), **given)


def lift(made: world.World, held: SecurityHold, by: world.Actor | None = None, reason: str = "已更換密碼") -> None:
    actions.lift_hold(hold=held, reason=reason, by=(by or made.approver).subject(), at=made.clock.tick())


def polls(made: world.World, member: str) -> int:
    token, secret = made.tokens[member]
    basic = b64encode(f"{token.pk}:{secret}".encode()).decode()
    accept = "application/taxii+json;version=2.1"
    answer = Client(HTTP_HOST="localhost").get("/taxii2/", HTTP_AUTHORIZATION=f"Basic {basic}", HTTP_ACCEPT=accept)
    return int(answer.status_code)


def everything_else(made: world.World) -> list[Any]:
    """What a hold leaves as it is."""
    return [
        list(Membership.objects.order_by("pk").values_list("pk", "state", "ended_at")),
        list(Affiliation.objects.order_by("pk").values_list("pk", "role", "left_at")),
        list(DutyGrant.objects.order_by("pk").values_list("pk", "state")),
        list(Token.objects.order_by("pk").values_list("pk", "revoked_at", "expires_at")),
    ]


def test_a_held_account_stops_at_the_next_request_and_nothing_else_changes(made: world.World) -> None:
    browser, colleague = made.client(made.yi.admin), made.client(made.yi.deputy)
    assert browser.get("/member/organisation/people").status_code == 200
    assert polls(made, "yi") == 200
    before = everything_else(made)
    with Ledger() as ledger:
        held = hold(made, made.yi.admin.account)
    assert ledger.tags().count("accounts:hold:place") == 1
    turned_away = browser.get("/member/organisation/people")
    assert turned_away.status_code == 302
    assert "/account/login" in turned_away.headers["Location"]
    owner = made.tokens["yi"][0].affiliation.person_id
    assert (polls(made, "yi") == 401) is (owner == made.yi.admin.person.pk)
    assert colleague.get("/member/organisation/people").status_code == 200
    assert everything_else(made) == before
    again = Client(HTTP_HOST="localhost")
    again.post("/account/login/", {"login": made.yi.admin.account.email, "password": world.PASSWORD})
    assert again.get("/member/organisation/people").status_code == 302, "the right password does not help"

    lift(made, held)
    assert browser.get("/member/organisation/people").status_code == 302, "a session that was ended stays ended"
    assert made.client(made.yi.admin).get("/member/organisation/people").status_code == 200
    assert everything_else(made) == before
    told = {one.kind: one.to for one in mails() if one.kind.startswith("security_hold")}
    assert set(told) == {"security_hold", "security_hold_ended"}
    assert set(told.values()) == {made.yi.deputy.person.email}, "whoever may have been robbed is not told by mail"


def test_a_held_key_opens_nothing_while_its_owner_goes_on(made: world.World) -> None:
    token, secret = made.tokens["jia"]
    assert polls(made, "jia") == 200
    held = hold(made, token)
    assert polls(made, "jia") == 401
    at = utcnow()
    assert queries.authenticate_token(secret=secret, at=at, network="127.0.0.1") is None
    assert polls(made, "yi") == 200
    token.refresh_from_db()
    assert token.held_at is not None
    micro = timedelta(microseconds=1)
    assert token.is_live(token.held_at - micro)
    assert not token.is_live(token.held_at)
    assert made.client(made.jia.admin).get("/member/connections").status_code == 200
    lift(made, held)
    assert polls(made, "jia") == 200


def test_any_duty_places_a_hold_and_an_approver_who_did_not_lifts_it(made: world.World) -> None:
    for actor in (made.jia.admin, made.yi.member):
        with pytest.raises(Refusal):
            hold(made, made.yi.contact.account, by=actor)
    held = hold(made, made.yi.contact.account, by=made.approver)
    for actor, rule in ((made.approver, "S-second"), (made.analyst, "G-lift_hold"), (made.jia.admin, "G-lift_hold")):
        with pytest.raises(Refusal) as refused:
            lift(made, held, by=actor)
        assert refused.value.rule == rule
    with pytest.raises(Refusal) as wordless:
        lift(made, held, by=made.approver2, reason=" ")
    assert wordless.value.rule == "hold-reason"
    with pytest.raises(Refusal) as twice:
        hold(made, made.yi.contact.account)
    assert twice.value.rule == "hold-once"
    lift(made, held, by=made.approver2)
    with pytest.raises(Refusal) as gone:
        lift(made, held, by=made.approver2)
    assert gone.value.rule == "hold-lifted"
    assert queries.holds(open_only=True) == []
    assert [one.lift_reason for one in queries.holds(open_only=False)] == ["已更換密碼"]


@pytest.mark.parametrize(
    ("days", "reason", "rule"), [(0, "x", "hold-review"), (367, "x", "hold-review"), (7, " ", "hold-reason")]
)
def test_a_hold_says_why_and_when_it_is_looked_at(made: world.World, days: int, reason: str, rule: str) -> None:
    review = taipei(made.clock.at).date() + timedelta(days=days)
    with pytest.raises(Refusal) as refused:
        hold(made, made.yi.contact.account, review_on=review, reason=reason)
    assert refused.value.rule == rule
    assert Account.objects.get(pk=made.yi.contact.account.pk).is_active


def test_nobody_holds_himself_and_an_approver_remains_who_can_lift(made: world.World) -> None:
    with pytest.raises(Refusal) as oneself:
        hold(made, made.analyst.account)
    assert oneself.value.rule == "hold-oneself"
    first = hold(made, made.approver.account)
    with pytest.raises(Refusal) as last:
        hold(made, made.approver2.account)
    assert last.value.rule == "hold-last-approver"
    lift(made, first, by=made.approver2)
    with pytest.raises(Refusal) as own:
        hold(made, made.approver.account, by=made.approver2)
    assert own.value.rule == "hold-last-approver", "who places it cannot lift it"


def test_the_pages_of_holds(made: world.World) -> None:
    staff, approver = made.client(made.analyst), made.client(made.approver)
    empty = staff.get("/staff/security-holds").content.decode()
    assert "沒有任何保全" in empty
    form = {"thing": made.yi.contact.account.email.upper(), "reason": "疑似遭盜用", "review_on": soon(made).isoformat()}
    page = staff.post("/staff/security-holds/new", form)
    assert page.status_code == 422, "nothing is held unsigned"
    for wrong, said in (({"thing": "nobody@x.example"}, "找不到"), ({"review_on": "115/12/01"}, "2026-12-01")):
        refused = staff.post("/staff/security-holds/new", {**form, **wrong, "second_factor_code": "000000"})
        assert refused.status_code == 422
        assert said in refused.content.decode()
    review = (taipei(utcnow()).date() + timedelta(days=7)).isoformat()
    signed = {**form, "review_on": review, "second_factor_code": made.analyst.code()}
    assert staff.post("/staff/security-holds/new", signed).status_code == 302
    listed = staff.get("/staff/security-holds").content.decode()
    assert made.yi.contact.person.name in listed
    held = SecurityHold.objects.get(lifted_at__isnull=True)
    assert f"/staff/security-holds/{held.pk}/lift" not in listed
    assert f"/staff/security-holds/{held.pk}/lift" in approver.get("/staff/security-holds").content.decode()
    path = f"/staff/security-holds/{held.pk}/lift"
    assert approver.post(path, {"reason": "已更換密碼"}).status_code == 422
    done = approver.post(path, {"reason": "已更換密碼", "second_factor_code": made.approver.code()})
    assert done.status_code == 302
    assert approver.get(path).status_code == 404
    assert "已更換密碼" in staff.get("/staff/security-holds?view=all").content.decode()
    assert made.client(made.jia.admin).get("/staff/security-holds").status_code == 404
    token = made.tokens["jia"][0]
    key = {**signed, "thing": str(token.pk), "second_factor_code": made.analyst.code()}
    assert staff.post("/staff/security-holds/new", key).status_code == 302
    own = made.client(made.jia.admin).get("/member/connections").content.decode()
    assert "保全中" in own
