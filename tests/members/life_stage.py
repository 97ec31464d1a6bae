"""Where the histories of `tests.members.life` begin: organisations at ten places, brought there by the real actions.

`build()` makes them once. Each history takes one of them as it stands, plays on, and is rolled back.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import connection

from lianfang.accounts.models import Affiliation
from lianfang.members import actions
from lianfang.members.models import Application, Membership, Revocation
from lianfang.policy.facts import Duty, Role, Subject
from tests import world
from tests.members import cases, change_cases

BEGINNINGS = (
    "sent", "recommended", "member", "reviewed", "proposed", "revoked", "appealed", "restored", "leaving", "left",
)  # fmt: skip
STAFF = ("reviewer", "approver", "approver2", "analyst")
PEOPLE = "p{place}.example"
BANK = "燈塔保險股份有限公司"


@dataclass
class Begun:
    """What stands at one beginning, and an application of the same number that only waits to be sent."""

    place: int
    draft: Application
    admin: Affiliation | None = None
    constituent: Affiliation | None = None


@dataclass
class Stage:
    """The world that all histories begin in, and what was counted over them."""

    kept: Mapping[str, bytes]
    first: datetime
    people: Mapping[str, Subject]
    last_entry: int
    beginnings: tuple[str, ...] = BEGINNINGS
    begun: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    """How often a case came to a state, as `appeals: denied`."""
    met: Counter[str] = field(default_factory=Counter)
    """Races, and instants at the edge of a limit, that came about."""
    decided: int = 0
    """Histories in which something was decided."""
    calendars: int = 0
    broken: list[str] = field(default_factory=list)
    """Properties that did not hold."""

    def fresh(self, *beginnings: str) -> Stage:
        """The same world with nothing counted, and only some of the beginnings where any are named."""
        return Stage(self.kept, self.first, self.people, self.last_entry, beginnings or BEGINNINGS)

    @property
    def histories(self) -> int:
        return sum(self.begun.values())

    def table(self) -> str:
        """What was done, how often, and where it led."""
        rows = [f"{name:<24}{self.done[name]:>7}{self.refused[name]:>9}" for name in sorted(self.done | self.refused)]
        reached = [f"{name:<36}{count:>6}" for name, count in sorted((self.places | self.met).items())]
        return "\n".join(
            [
                f"{self.histories} histories, {self.decided} with a decision",
                f"{'deed':<24}{'done':>7}{'refused':>9}",
                *rows,
                "reached",
                *reached,
            ]
        )


def build() -> Stage:
    """Make all beginnings by the real actions."""
    # On a Saturday, and (see `_revoked`) a Thursday: limits of 14 and of 30 days then give way to a Monday, so that a
    # calendar could shorten them.
    clock = world.Clock(world.BEGIN + timedelta(days=5))
    made: Any = SimpleNamespace(clock=clock, **world.staff(clock))
    cases.give(made, made.analyst, Duty.REVIEWER)
    # Somebody who may review and decide: only four eyes keep him from doing both in one case.
    cases.give(made, made.approver2, Duty.REVIEWER)
    begun = {name: _begin(made, name, 210 + place) for place, name in enumerate(BEGINNINGS)}
    people = {name: getattr(made, name).subject() for name in STAFF}
    kept = {name: pickle.dumps(one) for name, one in begun.items()}
    with connection.cursor() as cursor:
        # What waits for a commit is asked of the beginnings now, and not again in each history.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SELECT max(id) FROM audit_entry")
        (last,) = cursor.fetchone()
    return Stage(kept, clock.tick(minutes=1), people, int(last))


def _begin(made: Any, name: str, place: int) -> Begun:
    given: dict[str, Any] = {
        "name": f"第{place}號示範協會", "kind": "association", "people": PEOPLE.format(place=place),
        "constituents": ((BANK, world.business_number(place + 400)),),
    }  # fmt: skip
    begun = Begun(place, cases.draft(made, place, **{**given, "people": f"q{place}.example"}))
    application = cases.sent(made, place, **given)
    if name == "sent":
        return begun
    application = world.review(made.clock, application, made.reviewer)
    if name == "recommended":
        return begun
    held = world.decide(made.clock, application, made.approver)
    _staffed(made, begun, held)
    member = world.Member(held.organization, held, *([_admin(made, held)] * 4))
    if name == "reviewed":
        ops = {"add": [{"name": "浮標倉儲股份有限公司", "ubn": world.business_number(place + 500)}]}
        change_cases.taken_up(made, change_cases.file(made, member, roster=ops))
        cases.opened(made, member)
    if name == "proposed":
        change_cases.file(made, member, organization={"address": "示範市新址5號"})
        cases.proposed(made, member)
    if name in ("revoked", "appealed", "restored", "left"):
        _revoked(made, name, member)
    if name in ("proposed", "leaving", "left"):
        _leaving(made, name, member)
    return begun


_admins: dict[Any, world.Actor] = {}


def _admin(made: Any, held: Membership) -> world.Actor:
    return _admins[held.pk]


def _staffed(made: Any, begun: Begun, held: Membership) -> None:
    """The administrator joins, with a key and a session of his; so does somebody of the constituent."""
    admin = world.join_again(made.clock, held.organization, f"admin1@{PEOPLE.format(place=begun.place)}")
    _admins[held.pk] = admin
    begun.admin = admin.affiliation
    bank = held.organization.constituents.get().organization
    begun.constituent = world.invite(
        made.clock, admin, email=f"bank@{PEOPLE.format(place=begun.place)}", name="張假設", organization=bank,
        role=Role.MEMBER,
    ).affiliation  # fmt: skip
    world.token(made.clock, admin)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.create()
    UserSession.objects.create(user=admin.account, ip="127.0.0.1", session_key=session.session_key)


def _revoked(made: Any, name: str, member: world.Member) -> None:
    if name == "revoked":
        made.clock.tick(days=5)
    case: Revocation = cases.revoked(made, member)
    if name == "revoked":
        at = made.clock.tick()
        actions.open_letter(case=case, by=member.admin.subject(at), at=at)
        return
    appeal = cases.appealed(made, case, member.admin, f"begun-{case.number}")
    if name == "appealed":
        return
    cases.declare(made, appeal, made.approver2)
    actions.decide_appeal(
        appeal=appeal, grant=True, because="special", text="理由", by=made.approver2.subject(), at=made.clock.tick()
    )


def _leaving(made: Any, name: str, member: world.Member) -> None:
    at = made.clock.tick()
    case = actions.request_termination(
        membership=member.membership, reason="理由", handling="destroy", by=member.admin.subject(at), at=at
    )
    if name in ("proposed", "leaving"):
        return
    cases.declare(made, case, made.reviewer, made.approver)
    actions.recommend_termination(
        case=case, what="grant", findings="已核對。", by=made.reviewer.subject(), at=made.clock.tick()
    )
    actions.grant_termination(case=case, by=made.approver.subject(), at=made.clock.tick())


# The rows of one organisation, read by one statement after each deed

_OURS = "SELECT organization_id FROM held"
_ROWS = {
    "applications": (
        "id number state reviewer_id recommendation roster_hash",
        "members_application WHERE ubn = $1 AND state <> 'draft'",
    ),
    "memberships": ("id state began_at ended_at organization_id application_id", "held"),
    "intervals": (
        "membership_id began_at ended_at",
        "members_membershipinterval WHERE membership_id IN (SELECT id FROM held)",
    ),
    "revocations": (
        "id number state reviewer_id ground membership_id notice_ground notice_at notice_rule notice_days "
        "notice_edition notice_last_day decided_at appeal_start appeal_arrived_at appeal_event appeal_rule appeal_days "
        "appeal_edition appeal_last_day",
        "members_revocation WHERE membership_id IN (SELECT id FROM held)",
    ),
    "statements": (
        "id revocation_id filed_at late",
        "members_statement WHERE revocation_id IN "
        "(SELECT r.id FROM members_revocation r JOIN held ON membership_id = held.id)",
    ),
    "appeals": (
        "id number state reviewer_id late filed_at revocation_id",
        "members_appeal WHERE revocation_id IN "
        "(SELECT r.id FROM members_revocation r JOIN held ON membership_id = held.id)",
    ),
    "terminations": (
        "id number state reviewer_id membership_id",
        "members_termination WHERE membership_id IN (SELECT id FROM held)",
    ),
    "changes": (
        "id number state reviewer_id recommendation risks membership_id",
        "members_changerequest WHERE membership_id IN (SELECT id FROM held)",
    ),
    "decisions": (
        "id kind application_id revocation_id appeal_id termination_id change_id membership_id reviewed_by_id "
        "decided_by_id decided_at effective_at",
        "members_decision WHERE membership_id IN (SELECT id FROM held) OR application_id IN "
        "(SELECT id FROM members_application WHERE ubn = $1)",
    ),
    "constituents": (
        "id screening screened_at removed_at organization_id",
        f"members_constituent WHERE group_id IN ({_OURS})",
    ),
    "list_cases": (
        "id number state kind membership_id organization_id",
        "members_listcase WHERE membership_id IN (SELECT id FROM held)",
    ),
    "tokens": (
        "t.id t.revoked_at t.created_at",
        f"accounts_token t JOIN accounts_affiliation a ON a.id = t.affiliation_id WHERE a.group_id IN ({_OURS})",
    ),
    "sessions": (
        "s.session_key",
        "usersessions_usersession s JOIN accounts_account c ON c.id = s.user_id WHERE c.person_id IN "
        f"(SELECT person_id FROM accounts_affiliation WHERE group_id IN ({_OURS}))",
    ),
    "duties": (
        "d.id d.affiliation_id d.person_id d.starts_at d.acknowledged_at a.started_at",
        "charter_confidentialityduty d JOIN accounts_affiliation a ON a.id = d.affiliation_id "
        f"WHERE d.group_id IN ({_OURS})",
    ),
    "mails": (
        "d.id d.person_id p.first_contact_at",
        "outbox_delivery d JOIN accounts_person p ON p.id = d.person_id "
        "WHERE p.entered_by_other AND p.created_at >= $2 AND d.created_at >= $2",
    ),
}  # fmt: skip


def _statement() -> str:
    parts = [
        f"'{name}', (SELECT coalesce(jsonb_agg(to_jsonb(one) ORDER BY to_jsonb(one)::text), '[]') FROM "
        f"(SELECT {', '.join(columns.split())} FROM {rows}) one)"
        for name, (columns, rows) in _ROWS.items()
    ]
    return f"""
        PREPARE lf_life (text, timestamptz) AS
        WITH held AS MATERIALIZED (SELECT * FROM members_membership WHERE ubn = $1)
        SELECT jsonb_build_object('entry', (SELECT max(id) FROM audit_entry), {", ".join(parts)})::text"""


_PREPARE = _statement()


def prepare() -> None:
    """Let the database plan the reading once, where it has not yet on this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'lf_life')")
        if not cursor.fetchone()[0]:
            cursor.execute(_PREPARE)
