"""Jobs of the outbox, and the one that revives jobs of a dead worker. All may run twice; none loses anything."""

from __future__ import annotations

import logging

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from lianfang.kernel.clock import utcnow
from lianfang.outbox import sender, wake

log = logging.getLogger(__name__)

_DEAD_AFTER_SECONDS = 30


@app.task(name="outbox.drain", queue="default")
def drain() -> None:
    """Send what is due."""
    sender.drain(clock=utcnow)


@app.periodic(cron="* * * * *", periodic_id="outbox.sweep")
@app.task(name="outbox.sweep", queue="default", queueing_lock="outbox.sweep")
def sweep(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Find mails whose sender died, and wake the worker for what is due: retries, and hints lost in a crash."""
    lost, due = sender.sweep(at=utcnow())
    if lost:
        log.warning("outbox: %s mails are of unknown fate; somebody has to decide about them", lost)
    if due:
        wake.drain()


@app.periodic(cron="* * * * * */20", periodic_id="outbox.revive_stalled")
@app.task(name="outbox.revive_stalled", queue="default", queueing_lock="outbox.revive_stalled", pass_context=True)
async def revive_stalled(context: JobContext, timestamp: int = 0) -> None:  # noqa: ARG001 - the scheduler gives it
    """Put jobs whose worker died back into the queue; the queue itself never does."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER_SECONDS):
        log.warning("reviving job %s %s of a dead worker", job.id, job.task_name)
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # The same job waits already and will do the work of both; this one must not keep the others from reviving.
            await manager.finish_job(job, status=Status.FAILED, delete_job=True)
