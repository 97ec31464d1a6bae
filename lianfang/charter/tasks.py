"""Jobs of documents. They may run twice: a version is published once."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianfang.charter import actions, queries
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Subject


@app.periodic(cron="* * * * *", periodic_id="charter.publish")
@app.task(name="charter.publish", queue="default", queueing_lock="charter.publish")
def publish(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Publish and mail what was ordered; each version in one transaction, with the mails of all its members."""
    for amendment in queries.ordered():
        actions.finish_issue(amendment=amendment, by=Subject.system("charter.publish"), at=utcnow())
