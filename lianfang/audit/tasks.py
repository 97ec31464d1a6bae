"""Jobs of the ledger: numbering, signing, receipts into the tree, and four times a day a run over all of it."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianfang.audit import actions, receipts, sequencer
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Subject


@app.periodic(cron="* * * * * *", periodic_id="audit.number")
@app.task(name="audit.number", queue="default", queueing_lock="audit.number")
def number(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Give committed entries their place in the tree."""
    sequencer.number(wait=False)


@app.periodic(cron="* * * * *", periodic_id="audit.checkpoint")
@app.task(name="audit.checkpoint", queue="default", queueing_lock="audit.checkpoint")
def checkpoint(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Sign the head of the tree if it grew."""
    sequencer.checkpoint(at=utcnow())


@app.periodic(cron="* * * * * */30", periodic_id="audit.batch_receipts")
@app.task(name="audit.batch_receipts", queue="default", queueing_lock="audit.batch_receipts")
def batch_receipts(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Put new receipts into the tree."""
    receipts.batch_all(at=utcnow())


@app.periodic(cron="40 1,7,13,19 * * *", periodic_id="audit.verify")
@app.task(name="audit.verify", queue="default", queueing_lock="audit.verify")
def verify(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Run over the whole ledger, so that a fault does not wait until somebody presses the button."""
    actions.run_verification(by=Subject.system("audit"), at=utcnow())
