"""Jobs of members. They may run twice: a draft is erased once, a contact asked once, a recovery finished once."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianfang.kernel.clock import utcnow
from lianfang.members import actions
from lianfang.policy.facts import Subject


@app.periodic(cron="*/10 * * * *", periodic_id="members.erase_drafts")
@app.task(name="members.erase_drafts", queue="default", queueing_lock="members.erase_drafts")
def erase_drafts(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Erase the drafts whose time is over."""
    actions.erase_expired_drafts(by=Subject.system("members.erase_drafts"), at=utcnow())


@app.periodic(cron="*/10 * * * *", periodic_id="members.screen")
@app.task(name="members.screen", queue="default", queueing_lock="members.screen")
def screen(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Compare with the newest lists whatever is due: submitted, changed, or told by a new edition."""
    actions.screen_due(by=Subject.system("members.screen"), at=utcnow())


@app.periodic(cron="25 * * * *", periodic_id="members.forget_rosters")
@app.task(name="members.forget_rosters", queue="default", queueing_lock="members.forget_rosters")
def forget_rosters(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Erase files of rosters that became nothing within a day."""
    actions.forget_old_rosters(by=Subject.system("members.forget_rosters"), at=utcnow())


@app.periodic(cron="25 1 * * *", periodic_id="members.ask_contacts")
@app.task(name="members.ask_contacts", queue="default", queueing_lock="members.ask_contacts")
def ask_contacts(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Ask contacts whether their data are right, in the morning of Taipei."""
    actions.ask_contacts(by=Subject.system("members.ask_contacts"), at=utcnow())


@app.periodic(cron="40 * * * *", periodic_id="members.look_after_contacts")
@app.task(name="members.look_after_contacts", queue="default", queueing_lock="members.look_after_contacts")
def look_after_contacts(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Remind who has not answered, and give silence and bounces to the staff."""
    actions.look_after_contacts(by=Subject.system("members.look_after_contacts"), at=utcnow())


@app.periodic(cron="10 2 * * *", periodic_id="members.collect_participation")
@app.task(name="members.collect_participation", queue="default", queueing_lock="members.collect_participation")
def collect_participation(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Take in what the apps know of members' participation, and erase tables that nobody imported."""
    by, at = Subject.system("members.collect_participation"), utcnow()
    actions.collect_participation(by=by, at=at)
    actions.forget_old_participation(by=by, at=at)


@app.periodic(cron="*/10 * * * *", periodic_id="members.finish_recoveries")
@app.task(name="members.finish_recoveries", queue="default", queueing_lock="members.finish_recoveries")
def finish_recoveries(timestamp: int) -> None:  # noqa: ARG001 - the scheduler gives it
    """Invite new administrators where nobody objected in time."""
    actions.finish_recoveries(by=Subject.system("members.finish_recoveries"), at=utcnow())
