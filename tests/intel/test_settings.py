"""What the operator has set about intelligence is what happens, from its instant on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lianfang.accounts import registry
from lianfang.accounts.models import Person, SettingDecision
from lianfang.intel import actions, preview, recipients, tasks
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Stop, Version
from lianfang.policy.facts import Audience, Tlp
from lianfang.policy.words import FEW
from tests.intel.cast import AT, analyst, indicator, member, submit, taxii
from tests.intel.test_receipts import deliver

pytestmark = pytest.mark.django_db


def decided(name: str, value: object) -> None:
    """A setting as two approvers left it, in force for a day."""
    first, second = (Person.objects.create(name=name, email=f"{name}@x.example", created_at=AT) for name in "ab")
    SettingDecision.objects.create(
        name=name, value=value, reason="x", effective_at=AT - timedelta(days=1), proposed_by=first, proposed_at=AT,
        state="approved", approved_by=second, decided_at=AT,
    )  # fmt: skip


@pytest.mark.parametrize(("minutes", "late"), [(60, False), (30, True)])
def test_a_stop_is_told_unconfirmed_after_the_set_minutes(
    minutes: int, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if minutes != 60:
        decided("stop_confirm_minutes", minutes)
    actions.start_stop(by=analyst(), at=AT, reason="演練")
    for step, told in ((timedelta(minutes=29, seconds=59), False), (timedelta(minutes=30), late)):
        monkeypatch.setattr(tasks, "utcnow", lambda step=step: AT + step)
        tasks.sweep(0)
        assert (Stop.objects.get().alarmed_at is not None) is told


def test_the_floor_of_audiences_is_the_one_that_is_set() -> None:
    source, reader = member("甲電子"), member("乙銀行")
    submit(source, indicator())
    deliver(reader)
    version = Version.objects.get()
    form = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance())
    assert registry.value("audience_floor", AT) == 5
    (row,) = recipients.of(version=version, subject=source, at=AT)
    assert row.count == FEW
    assert preview.preview_audience(form=form, subject=source, at=AT).size == FEW
    decided("audience_floor", 1)
    (row,) = recipients.of(version=version, subject=source, at=AT)
    assert row.count == 1
    assert taxii(reader)
