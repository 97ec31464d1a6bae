"""The first two people of an empty database."""

from __future__ import annotations

import pytest

from lianfang.accounts import actions
from lianfang.accounts.models import DutyGrant, Invitation
from lianfang.audit.models import Entry
from lianfang.charter.actions import load_models
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from tests.world import SYSTEM

pytestmark = pytest.mark.django_db


def test_bootstrap_makes_two_and_never_again() -> None:
    at = utcnow()
    load_models(by=SYSTEM, at=at)
    with pytest.raises(Refusal, match="different"):
        actions.bootstrap(emails=("a@x.example", "A@X.example"), at=at)
    paths = actions.bootstrap(emails=("a@x.example", "b@x.example"), at=at)
    assert len({*paths}) == 2
    assert Invitation.objects.count() == 2
    assert set(DutyGrant.objects.values_list("duty", flat=True)) == {"duty_granter"}
    assert Entry.objects.filter(tag="accounts:alliance:bootstrap").count() == 1
    with pytest.raises(Refusal) as refused:
        actions.bootstrap(emails=("c@x.example", "d@x.example"), at=at)
    assert refused.value.rule == "bootstrap-once"
