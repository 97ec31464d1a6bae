"""Jobs of accounts. They may run twice; no owner is warned twice."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianfang.accounts import actions
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Subject


@app.periodic(cron="17 * * * *", periodic_id="accounts.warn_owners")
@app.task(name="accounts.warn_owners", queue="default", queueing_lock="accounts.warn_owners")
def warn_owners(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Mail the owners of tokens that end soon."""
    actions.warn_all(by=Subject.system("accounts.warn_owners"), at=utcnow())
