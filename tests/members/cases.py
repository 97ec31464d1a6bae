"""Applications and revocations at each stage, and what is looked at in them, for the tests of this app."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.test import Client

from lianfang.accounts import actions as accounts
from lianfang.audit.models import Entry
from lianfang.members import actions, queries
from lianfang.members.models import Appeal, Application, Decision, Revocation
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Duty, Right, Subject
from tests import world

PUBLIC = Subject.public()
FACTS = "自2026年6月起未回覆三次演練通知。"


def draft(
    made: world.World, place: int = 21, *, name: str = "癸示範股份有限公司", people: str = "", **more: Any
) -> Application:
    """A draft with every page but the last."""
    pages = world.answers(name=name, place=place, people=people or f"a{place}.example", **more)
    return world.draft(made.clock, pages)


def sent(made: world.World, place: int = 21, **more: Any) -> Application:
    """An application that was sent."""
    return world.reread(world.send(made.clock, draft(made, place, **more)))


def declare(made: world.World, case: Any, *people: world.Actor, conflict: bool = False) -> None:
    """Let people declare whether they have a conflict of interest."""
    for actor in people:
        actions.declare_conflict(
            case=case, conflict=conflict, reason="前雇主" if conflict else "", by=actor.subject(), at=made.clock.tick()
        )


def give(made: world.World, actor: world.Actor, duty: Duty) -> None:
    """Give somebody of the staff one more duty."""
    grant = accounts.propose_duty(
        person=actor.person, duty=duty, reason="兼任", by=made.granter1.subject(), at=made.clock.tick()
    )
    accounts.grant_duty(grant=grant, by=made.granter2.subject(), at=made.clock.tick())


def taken_up(made: world.World, place: int = 21, **more: Any) -> Application:
    """An application under review."""
    application = sent(made, place, **more)
    declare(made, application, made.reviewer)
    actions.take_up(application=application, by=made.reviewer.subject(), at=made.clock.tick())
    return world.reread(application)


def recommended(
    made: world.World, place: int = 21, *, results: dict[str, str] | None = None, **more: Any
) -> Application:
    """An application that waits for its decision."""
    return world.review(made.clock, sent(made, place, **more), made.reviewer, results)


def recommend(made: world.World, application: Application, what: str = "approve", **more: Any) -> None:
    """Let the reviewer recommend."""
    given = {"reasons": ["eligible" if what == "approve" else "not_eligible"], **more}
    by = given.pop("by", made.reviewer).subject()
    actions.recommend(application=application, what=what, by=by, at=made.clock.tick(), **given)


def link(made: world.World, application: Application) -> Subject:
    """The holder of the mailed link."""
    return Subject.link(
        case=application.number or "",
        rights=frozenset({Right.ANSWER_CORRECTION}),
        expires_at=made.clock.at + timedelta(days=400),
    )


def asked(made: world.World, application: Application, *places: str) -> list[Any]:
    """Ask for corrections of `step.field`."""
    items = [dict(zip(("step", "field"), place.split("."), strict=True), message=f"請補正{place}") for place in places]
    return actions.request_correction(
        application=application, items=items, by=made.reviewer.subject(), at=made.clock.tick()
    )


def opened(made: world.World, member: world.Member | None = None, ground: str = "1.4b") -> Revocation:
    """A revocation case whose review is open and in which nobody has a conflict."""
    case = actions.open_revocation(
        membership=(member or made.jia).membership, ground=ground, facts=FACTS, by=made.reviewer.subject(),
        at=made.clock.tick(),
    )  # fmt: skip
    declare(made, case, made.reviewer, made.approver, made.approver2)
    return case


def proposed(made: world.World, member: world.Member | None = None, ground: str = "1.4b") -> Revocation:
    """A revocation case that waits for its decision."""
    case = opened(made, member, ground)
    world.hear(made.clock, case, made.reviewer, (member or made.jia).admin, ground)
    actions.propose(case=case, ground=ground, facts=FACTS, by=made.reviewer.subject(), at=made.clock.tick())
    return again(case)


def revoked(made: world.World, member: world.Member | None = None, ground: str = "1.4b") -> Revocation:
    """A membership that was revoked just now."""
    case = proposed(made, member, ground)
    actions.revoke(case=case, by=made.approver.subject(), at=made.clock.tick())
    (member or made.jia).membership.refresh_from_db()
    return again(case)


def appealed(made: world.World, case: Revocation, by: world.Actor, key: str = "k1", **more: Any) -> Appeal:
    """An appeal that was filed just now."""
    given = {"text": "我們當時正在搬遷。", "files": [], **more}
    at = given.pop("at", None) or made.clock.tick()
    return actions.file_appeal(case=case, key=key, by=by.subject(at), at=at, **given)


def again(case: Revocation) -> Revocation:
    """The case as it is now."""
    found = queries.revocation(case.number)
    assert found is not None
    return found


def mails(address: str = "", kind: str = "") -> list[Delivery]:
    """What was queued, oldest first; addresses lie sealed, so all are looked at."""
    rows = Delivery.objects.filter(kind=kind) if kind else Delivery.objects.all()
    found = list(rows.order_by("created_at", "pk"))
    return [one for one in found if one.to == address] if address else found


class Ledger:
    """The entries that come while it is open: `with Ledger() as ledger: …; ledger.tags()`."""

    def __enter__(self) -> Ledger:
        self.before = Entry.objects.aggregate(last=Max("id"))["last"] or 0
        return self

    def __exit__(self, *_: object) -> None: ...

    def entries(self, tag: str = "") -> list[Entry]:
        """The new entries, or those of a tag."""
        rows = Entry.objects.filter(id__gt=self.before).order_by("id")
        return list(rows.filter(tag=tag) if tag else rows)

    def tags(self) -> list[str]:
        """Their tags, in order."""
        return [entry.tag for entry in self.entries()]


def decision(**about: Any) -> Decision:
    """The one decision about something."""
    return Decision.objects.select_related("vault_key").get(**about)


def browser(language: str = "zh-hant") -> Client:
    """A stranger's browser."""
    found = Client(HTTP_HOST="localhost")
    found.cookies["language"] = language
    return found
