"""The tables of states, the settings of products, and the way out for mails."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from lianfang.accounts import letters, providers
from lianfang.accounts.lifecycle import DUTY, FACTOR_RESET, SETTING
from lianfang.accounts.models import Person, Token
from lianfang.accounts.products import PRODUCTS, settings_for
from lianfang.accounts.queries import keyed_digest
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Subject

A, B, C = (UUID(int=number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("actor", "proposer", "beneficiary", "reason"),
    [(B, A, C, ""), (A, A, C, "Who proposed it"), (B, A, B, "Nobody grants"), (A, A, A, "Who proposed it")],
)
def test_who_may_grant(actor: UUID, proposer: UUID, beneficiary: UUID, reason: str) -> None:
    case = SimpleNamespace(state="proposed")
    facts = {"actor": actor, "proposer": proposer, "beneficiary": beneficiary}
    if not reason:
        assert DUTY.move(case, "grant", **facts).target == case.state == "granted"
        return
    with pytest.raises(Refusal, match=reason):
        DUTY.move(case, "grant", **facts)
    assert case.state == "proposed"


@pytest.mark.parametrize(("left", "ends"), [(3, True), (2, True), (1, False), (0, False)])
def test_two_granters_remain(left: int, ends: bool) -> None:
    assert (DUTY.why_not(SimpleNamespace(state="granted"), "end", granters_left=left) is None) is ends


@pytest.mark.parametrize(
    ("state", "move"),
    [("granted", "grant"), ("declined", "grant"), ("ended", "end"), ("proposed", "end"), ("granted", "decline")],
)
def test_a_duty_makes_no_other_move(state: str, move: str) -> None:
    facts = {"actor": B, "proposer": A, "beneficiary": C, "granters_left": 2}
    assert DUTY.why_not(SimpleNamespace(state=state), move, **facts) is not None


@pytest.mark.parametrize(("actor", "approved"), [(A, False), (B, True)])
def test_who_may_approve_a_setting(actor: UUID, approved: bool) -> None:
    case = SimpleNamespace(state="proposed")
    assert (SETTING.why_not(case, "approve", actor=actor, proposer=A) is None) is approved


@pytest.mark.parametrize(
    ("actor", "first", "beneficiary", "confirmed"), [(B, A, C, True), (A, A, C, False), (C, A, C, False)]
)
def test_who_may_confirm_a_reset(actor: UUID, first: UUID, beneficiary: UUID, confirmed: bool) -> None:
    case = SimpleNamespace(state="vouched")
    facts = {"actor": actor, "first": first, "beneficiary": beneficiary}
    assert (FACTOR_RESET.why_not(case, "confirm", **facts) is None) is confirmed


def test_nobody_confirms_before_somebody_vouched() -> None:
    case = SimpleNamespace(state="asked")
    assert FACTOR_RESET.why_not(case, "confirm", actor=B, first=A, beneficiary=C) is not None


@pytest.mark.parametrize("secret", ["", "s3cret"])
def test_settings_of_products_have_every_place_filled(secret: str) -> None:
    token = Token(id=uuid4())
    made = settings_for(
        token=token, secret=secret, discovery="https://x.example/taxii2/", api_root="https://x.example/taxii2/alliance/"
    )
    assert len(made) == len(PRODUCTS)
    for one in made:
        assert str(token.pk) in one.lines
        assert (secret or "********") in one.lines
        assert not {"{discovery}", "{api_root}", "{user}", "{secret}"} & set(one.lines.split())


def test_a_mail_that_nobody_would_send_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"notice": "reenrol", "to_person": Person(), "context": {}, "by": Subject.system("test")}
    at = datetime(2026, 11, 23, tzinfo=UTC)
    sent: list[object] = []
    monkeypatch.setattr(letters, "_registered", [])
    with pytest.raises(LookupError):
        letters.send(**facts, at=at)
    letters.use(lambda **given: sent.append(given["notice"]))
    letters.send(**facts, at=at)
    assert sent == ["reenrol"]


def test_links_in_mails_name_this_installation(settings: object) -> None:
    assert letters.link("/invite/x") == "http://localhost:8000/invite/x"


def test_what_no_app_above_has_told_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_constituents", [])
    monkeypatch.setattr(providers, "_acknowledged", [])
    assert providers.constituents(A, datetime(2026, 11, 23, tzinfo=UTC)) == []
    assert providers.acknowledged([]) == set()


def test_a_digest_depends_on_the_installation(settings: object) -> None:
    first = keyed_digest("secret")
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert keyed_digest("secret") != first
    assert len(first) == 32
