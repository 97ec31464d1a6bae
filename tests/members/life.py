"""One machine over the whole life of a membership: anybody may do anything at any time; what must hold, holds.

Each history is a transaction of its own that is rolled back, so ten thousand of them begin at the same place. Where
it begins (sent, admitted, under review, revoked, …) is drawn; the organisations that stand there were made once, by
the real actions, and are committed. After each deed the rows of this organisation are read by one statement, and every
invariant of domain.md §6 that is about memberships is asked of them:

 2  who left reads nothing              10  nobody hears anything before the privacy notice
 3  nobody is admitted unproved         12  a limit is found again and never shrinks
 4  a roster only passes by a check     14  23:59:59 is in time, 00:00:00 is late
 8  the duty of confidentiality stays       and four eyes, one decision a case, an entry for every deed
"""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lianfang.accounts.doors import may
from lianfang.accounts.models import Affiliation
from lianfang.charter.queries import in_force
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, changes, queries
from lianfang.members.calendars import named
from lianfang.members.lifecycle import IN_FORCE, OPEN_CHANGE, OPEN_TERMINATION
from lianfang.members.models import Appeal, Application, ChangeRequest, ListEdition, Membership, Revocation, Termination
from lianfang.members.subjects import subject_for
from lianfang.policy.facts import Duty, Right, Role, Subject
from tests import world
from tests.members import cases, change_cases, lists

REVIEWS = st.sampled_from(("reviewer", "reviewer", "reviewer", "analyst", "approver"))
DECIDES = st.sampled_from(("approver", "approver", "approver2", "approver2", "reviewer"))
PICK = st.integers(0, 2)
STAFF = ("reviewer", "approver", "approver2", "analyst")
BEGINNINGS = (
    "sent", "recommended", "rejected", "member", "reviewed", "revoked", "appealed", "restored", "leaving", "changing",
)  # fmt: skip
PASSED = ("clear", "other_entity")
READING = (Right.ENTER_MEMBERS_PLANE, Right.SUBMIT, Right.MANAGE_PEOPLE, Right.MAKE_TOKEN)


@dataclass
class Begun:
    """What stands at one beginning: an organisation, its cases, and an application that only waits to be sent."""

    place: int
    draft: Application
    application: Application | None = None
    membership: Membership | None = None
    revocation: Revocation | None = None
    appeal: Appeal | None = None
    termination: Termination | None = None
    change: ChangeRequest | None = None
    constituent: Affiliation | None = None


@dataclass
class Stage:
    """The committed world, and every beginning as it is found again by each history."""

    kept: Mapping[str, bytes]
    first: datetime
    people: Mapping[str, Subject]
    last_entry: int
    done: Counter[str] = field(default_factory=Counter)
    begun: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    admins: dict[Any, Affiliation] = field(default_factory=dict)


def build() -> Stage:
    """Make all beginnings by the real actions, and commit them."""
    made = world.build()
    cases.give(made, made.analyst, Duty.REVIEWER)
    begun = {name: _begin(made, name, 210 + place) for place, name in enumerate(BEGINNINGS)}
    people = {name: getattr(made, name).subject() for name in STAFF}
    kept = {name: pickle.dumps(one) for name, one in begun.items()}
    return Stage(kept, made.clock.tick(minutes=1), people, _last_entry())


def _begin(made: world.World, name: str, place: int) -> Begun:
    constituents = (("燈塔保險股份有限公司", world.business_number(place + 400)),)
    given: dict[str, Any] = {
        "name": f"第{place}號示範協會", "kind": "association", "people": f"p{place}.example",
        "constituents": constituents,
    }  # fmt: skip
    found = Begun(place, cases.draft(made, place, **{**given, "people": f"q{place}.example"}))
    found.application = cases.sent(made, place, **given)
    if name == "sent":
        return found
    found.application = world.review(made.clock, found.application, made.reviewer)
    if name == "rejected":
        cases.declare(made, found.application, made.approver)
        actions.reject(
            application=found.application, reasons=["not_willing"], by=made.approver.subject(), at=made.clock.tick()
        )
    if name in ("recommended", "rejected"):
        return found
    found.membership = held = world.decide(made.clock, found.application, made.approver)
    admin = world.join_again(made.clock, held.organization, f"admin1@p{place}.example")
    bank = held.organization.constituents.get().organization
    found.constituent = world.invite(
        made.clock, admin, email=f"bank@p{place}.example", name="張假設", organization=bank, role=Role.MEMBER
    ).affiliation
    member = world.Member(held.organization, held, admin, admin, admin, admin)
    if name == "reviewed":
        found.change = change_cases.file(made, member, organization={"address": "示範市新址5號"})
        found.revocation = cases.proposed(made, member)
    if name in ("revoked", "appealed", "restored"):
        found.revocation = cases.revoked(made, member)
    if name in ("appealed", "restored"):
        assert found.revocation is not None
        found.appeal = cases.appealed(made, found.revocation, admin, f"begun-{place}")
    if name == "restored":
        assert found.appeal is not None
        cases.declare(made, found.appeal, made.approver2)
        actions.decide_appeal(
            appeal=found.appeal, grant=True, because="special", text="理由", by=made.approver2.subject(),
            at=made.clock.tick(),
        )  # fmt: skip
    if name == "leaving":
        at = made.clock.tick()
        found.termination = actions.request_termination(
            membership=held, reason="理由", handling="destroy", by=admin.subject(at), at=at
        )
    if name == "changing":
        ops = {"add": [{"name": "浮標倉儲股份有限公司", "ubn": world.business_number(place + 500)}]}
        found.change = change_cases.taken_up(made, change_cases.file(made, member, roster=ops))
    held.refresh_from_db()
    return found


def _last_entry() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM audit_entry")
        (last,) = cursor.fetchone()
    return int(last)


_ROWS = {
    "applications": ("id state reviewer_id roster_hash", "members_application WHERE ubn = %(ubn)s"),
    "memberships": ("id state began_at ended_at organization_id application_id", "held"),
    "intervals": ("membership_id ended_at", "members_membershipinterval WHERE membership_id IN (SELECT id FROM held)"),
    "revocations": (
        "id state reviewer_id ground membership_id notice_ground notice_at notice_rule notice_days notice_edition "
        "notice_last_day decided_at appeal_event appeal_rule appeal_days appeal_edition appeal_last_day",
        "members_revocation WHERE membership_id IN (SELECT id FROM held)",
    ),
    "appeals": (
        "id state reviewer_id late filed_at revocation_id",
        "members_appeal WHERE revocation_id IN "
        "(SELECT r.id FROM members_revocation r JOIN held ON membership_id = held.id)",
    ),
    "terminations": (
        "id state reviewer_id membership_id", "members_termination WHERE membership_id IN (SELECT id FROM held)"
    ),
    "changes": (
        "id state reviewer_id recommendation risks membership_id",
        "members_changerequest WHERE membership_id IN (SELECT id FROM held)",
    ),
    "decisions": (
        "id kind application_id revocation_id appeal_id termination_id change_id membership_id reviewed_by_id "
        "decided_by_id effective_at",
        "members_decision WHERE membership_id IN (SELECT id FROM held) OR application_id IN "
        "(SELECT id FROM members_application WHERE ubn = %(ubn)s)",
    ),
    "constituents": (
        "id screening removed_at organization_id listed_name",
        "members_constituent WHERE group_id IN (SELECT organization_id FROM held)",
    ),
    "list_cases": ("id state membership_id", "members_listcase WHERE membership_id IN (SELECT id FROM held)"),
}  # fmt: skip


def _statement() -> str:
    parts = [
        f"'{name}', (SELECT coalesce(jsonb_agg(to_jsonb(one) ORDER BY to_jsonb(one)::text), '[]') FROM "
        f"(SELECT {', '.join(columns.split())} FROM {rows}) one)"
        for name, (columns, rows) in _ROWS.items()
    ]
    return f"""
        WITH held AS (SELECT * FROM members_membership WHERE ubn = %(ubn)s)
        SELECT jsonb_build_object('entry', (SELECT max(id) FROM audit_entry),
            'duties', (SELECT count(*) FROM charter_confidentialityduty),
            'untold', (SELECT count(*) FROM accounts_person p WHERE entered_by_other AND first_contact_at IS NULL
                AND EXISTS (SELECT FROM outbox_delivery d WHERE d.person_id = p.id)),
            {", ".join(parts)})::text"""


_LOOK = _statement()


class Life(RuleBasedStateMachine):
    """Deeds in any order by anybody; a refusal changes nothing, a deed leaves an entry."""

    stage: ClassVar[Stage]

    @initialize(beginning=st.sampled_from(BEGINNINGS))
    def begin(self, beginning: str) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.begun: Begun = pickle.loads(self.stage.kept[beginning])
        self.clock = world.Clock(self.stage.first)
        self.declared: set[tuple[str, str]] = set()
        self.ubn = world.business_number(self.begun.place)
        self.keys, self.editions = 0, 0
        self.limits: dict[Any, str] = {}
        self.admitted: set[str] = set()
        self.duties = 0
        self.before: dict[str, Any] = {}
        self.now = self.look()
        self.stage.begun[beginning] += 1

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            with connection.cursor() as cursor:
                # The guard of the ledger and all that waits for the commit is asked before it is rolled back.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(
                    "SELECT tag, count(*) FROM audit_entry WHERE id > %s GROUP BY tag", [self.stage.last_entry]
                )
                self.stage.done.update(dict(cursor.fetchall()))
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def look(self) -> dict[str, Any]:
        """Every row of this organisation that a deed could change."""
        with connection.cursor() as cursor:
            cursor.execute(_LOOK, {"ubn": self.ubn})
            found: dict[str, Any] = json.loads(cursor.fetchone()[0])
        return found

    @contextmanager
    def deed(self) -> Iterator[None]:
        """A deed is done and stands in the ledger, or is refused and left no trace at all."""
        self.stage.steps += 1
        before = self.now
        try:
            yield
        except Refusal:
            self.went = False
            self.now = self.look()
            assert self.now == before, "a refusal changes nothing"
        else:
            self.went = True
            self.now = self.look()
            assert self.now["entry"] > before["entry"], "a deed leaves an entry"

    def act(self, do: Callable[..., Any], who: str, **given: Any) -> None:
        with self.deed():
            do(**given, by=self.stage.people[who], at=self.clock.tick())

    def impartial(self, case: Any, who: str) -> None:
        """Declare that there is no conflict of interest, where that was not done in this history."""
        if (case.number, who) not in self.declared:
            self.act(actions.declare_conflict, who, case=case, conflict=False)
            if self.went:
                self.declared.add((case.number, who))

    def held(self) -> Membership | None:
        """The latest membership of this organisation."""
        return Membership.objects.filter(ubn=self.ubn).select_related("organization").order_by("-began_at").first()

    def admin(self, organization_id: Any, at: Any) -> Any:
        """The first administrator, as one who joined and acknowledged his duty: before that nobody files anything."""
        affiliation = self.stage.admins.get(organization_id)
        if affiliation is None:
            admin = next(iter(queries.administrators(organization_id=organization_id, at=at)))
            affiliation = Affiliation.objects.get(person=admin, organization=organization_id)
            self.stage.admins[organization_id] = affiliation
        found = subject_for(person=affiliation.person_id, affiliation=affiliation, at=at, mfa=True)
        return replace(found, acknowledged=True)

    def one(self, kind: str, pick: int) -> Any:
        """One of the cases that there are, as a row of its own."""
        rows = self.now[kind]
        return _FETCH[kind](rows[pick % len(rows)]["id"])

    # Applications

    @rule()
    @precondition(lambda self: len(self.now["applications"]) < 2)
    def send(self) -> None:
        """Another application of the same business number, sent at any time."""
        with self.deed():
            world.send(self.clock, self.begun.draft)

    @rule(pick=PICK, who=REVIEWS, conflict=st.sampled_from([False, False, False, True]))
    def declare(self, pick: int, who: str, conflict: bool) -> None:
        self.act(actions.declare_conflict, who, case=self.one("applications", pick), conflict=conflict, reason="前雇主")

    @rule(pick=PICK, who=REVIEWS)
    def take_up(self, pick: int, who: str) -> None:
        self.act(actions.take_up, who, application=self.one("applications", pick))

    @rule(pick=PICK, who=REVIEWS, result=st.sampled_from(["clear", "clear", "id_hit", "name_hit"]), other=st.booleans())
    def screen(self, pick: int, who: str, result: str, other: bool) -> None:
        case = self.one("applications", pick)
        findings = [
            actions.Finding(row.key, result, world.LIST, world.LIST_DATE, "同名", other and result == "name_hit")
            for row in queries.all_rows(case)
        ]
        self.act(actions.record_findings, who, application=case, findings=findings)

    @rule(pick=PICK, who=REVIEWS)
    def check_authority(self, pick: int, who: str) -> None:
        self.act(actions.check_authority, who, application=self.one("applications", pick), method="registry")

    @rule(pick=PICK, who=REVIEWS, approve=st.booleans())
    def recommend(self, pick: int, who: str, approve: bool) -> None:
        self.act(
            actions.recommend, who, application=self.one("applications", pick),
            what="approve" if approve else "reject", reasons=["eligible" if approve else "not_willing"],
        )  # fmt: skip

    @rule(pick=PICK, who=DECIDES, approve=st.booleans())
    def decide(self, pick: int, who: str, approve: bool) -> None:
        case = self.one("applications", pick)
        self.impartial(case, who)
        if approve:
            self.act(actions.approve, who, application=case, reasons=["eligible"])
        else:
            self.act(actions.reject, who, application=case, reasons=["not_willing"])

    @rule(pick=PICK, who=DECIDES)
    def send_back(self, pick: int, who: str) -> None:
        self.act(actions.return_to_review, who, application=self.one("applications", pick))

    @rule(pick=PICK)
    def withdraw(self, pick: int) -> None:
        case = self.one("applications", pick)
        with self.deed():
            actions.withdraw(application=case, by=cases.PUBLIC, at=self.clock.tick())

    # Changes of data, and lists

    @rule(roster=st.booleans())
    @precondition(lambda self: self.now["memberships"])
    def ask_for_a_change(self, roster: bool) -> None:
        held = self.held()
        assert held is not None
        self.keys += 1
        by, at = self.speaker(held)
        rows = [{"name": f"浮標第{self.keys}倉儲股份有限公司", "ubn": world.business_number(800 + self.keys)}]
        filing = actions.Filing(
            organization={} if roster else {"address": f"示範市新址{self.keys}號"},
            roster={"add": rows} if roster else {},
            attestation=change_cases.ATTESTATION,
        )
        charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
        assert charter is not None
        assert privacy is not None
        with self.deed():
            actions.file_change(
                membership=held, filing=filing, charter_id=charter.pk, privacy_id=privacy.pk, key=f"c{self.keys}",
                by=by, at=at,
            )  # fmt: skip

    def speaker(self, held: Membership) -> tuple[Subject, datetime]:
        """The member's administrator, and now."""
        at = self.clock.tick()
        return self.admin(held.organization_id, at), at

    @rule(pick=PICK, who=REVIEWS)
    @precondition(lambda self: self.now["changes"])
    def take_up_change(self, pick: int, who: str) -> None:
        case = self.one("changes", pick)
        self.impartial(case, who)
        self.act(actions.take_up_change, who, case=case)

    @rule(pick=PICK, who=REVIEWS, result=st.sampled_from(["clear", "clear", "name_hit", "id_hit"]))
    @precondition(lambda self: self.now["changes"])
    def check_change(self, pick: int, who: str, result: str) -> None:
        case = self.one("changes", pick)
        try:
            rows = changes.rows_to_screen(case, self.clock.at)
        except Refusal:
            return
        findings = [actions.Finding(row.key, result, world.LIST, world.LIST_DATE) for row in rows]
        self.act(actions.record_change_findings, who, case=case, findings=findings)
        self.act(actions.check_change_authority, who, case=case, method="registry")

    @rule(pick=PICK, who=DECIDES, what=st.sampled_from(["recommend", "apply", "apply", "reject", "withdraw", "return"]))
    @precondition(lambda self: self.now["changes"])
    def decide_change(self, pick: int, who: str, what: str) -> None:
        case = self.one("changes", pick)
        if what == "withdraw":
            by, at = self.speaker(case.membership)
            with self.deed():
                actions.withdraw_change(case=case, by=by, at=at)
            return
        self.impartial(case, who)
        if what == "recommend":
            self.act(actions.recommend_change, who, case=case, what="approve")
        elif what == "apply":
            self.act(actions.apply_change, who, case=case)
        elif what == "reject":
            self.act(actions.reject_change, who, case=case, text="理由")
        else:
            self.act(actions.return_change, who, case=case)

    @rule(hit=st.booleans())
    @precondition(lambda self: self.editions < 1 and self.now["memberships"])
    def a_new_edition_of_the_list(self, hit: bool) -> None:
        """A new edition screens every roster again and opens cases; it removes nobody and ends no membership."""
        self.editions += 1
        rows = [("", "燈塔保險有限公司" if hit else "紙飛機控股有限公司")]
        before = self.now
        self.act(
            actions.read_list, "reviewer", kind="mainland", list_date=world.LIST_DATE, source=world.LIST,
            file_name="list.csv", content=lists.table(lists.MAINLAND, rows),
        )  # fmt: skip
        self.act(actions.import_list, "reviewer", edition=ListEdition.objects.get())
        at = self.clock.tick()
        held = self.held()
        assert held is not None
        with self.deed():
            actions.screen_membership(membership=held, by=Subject.system("members.screen"), at=at)
        for kind in ("memberships", "intervals"):
            assert self.now[kind] == before[kind], "an edition ends nothing"
        gone = [row["removed_at"] for row in self.now["constituents"]]
        assert gone == [row["removed_at"] for row in before["constituents"]], "nobody leaves a roster silently"
        if hit and held.state in IN_FORCE:
            assert self.now["list_cases"], "a hit opens a case"

    # Revocations

    @rule(who=REVIEWS)
    @precondition(lambda self: self.now["memberships"])
    def open(self, who: str) -> None:
        self.act(actions.open_revocation, who, membership=self.held(), ground="1.4b", facts=cases.FACTS)

    @rule(pick=PICK, who=REVIEWS)
    @precondition(lambda self: self.now["revocations"])
    def declare_in_revocation(self, pick: int, who: str) -> None:
        self.act(actions.declare_conflict, who, case=self.one("revocations", pick), conflict=False)

    @rule(pick=PICK, who=REVIEWS)
    @precondition(lambda self: self.now["revocations"])
    def notify(self, pick: int, who: str) -> None:
        self.act(actions.give_notice, who, case=self.one("revocations", pick), ground="1.4b", text="請陳述。")

    @rule(pick=PICK)
    @precondition(lambda self: self.now["revocations"])
    def answer(self, pick: int) -> None:
        case = self.one("revocations", pick)
        self.keys += 1
        by, at = self.speaker(case.membership)
        with self.deed():
            actions.file_statement(case=case, text="沒有意見。", files=[], key=f"s{self.keys}", by=by, at=at)

    @rule(pick=PICK, who=REVIEWS, ground=st.sampled_from(["1.4b", "1.4b", "2.3"]))
    @precondition(lambda self: self.now["revocations"])
    def propose(self, pick: int, who: str, ground: str) -> None:
        case = self.one("revocations", pick)
        self.impartial(case, who)
        self.act(actions.propose, who, case=case, ground=ground, facts=cases.FACTS)

    @rule(pick=PICK, who=DECIDES, what=st.sampled_from(["revoke", "revoke", "close", "send_back"]))
    @precondition(lambda self: self.now["revocations"])
    def end(self, pick: int, who: str, what: str) -> None:
        case = self.one("revocations", pick)
        self.impartial(case, who)
        given = {"case": case, "text": "理由"} if what != "send_back" else {"case": case}
        act = {"revoke": actions.revoke, "close": actions.close_case, "send_back": actions.send_back}[what]
        self.act(act, who, **given)

    @rule(pick=PICK)
    @precondition(lambda self: self.now["revocations"])
    def open_letter(self, pick: int) -> None:
        case = self.one("revocations", pick)
        at = self.clock.tick(days=3)
        by = self.admin(case.membership.organization_id, at)
        with self.deed():
            actions.open_letter(case=case, by=by, at=at)

    # Appeals

    @rule(pick=PICK)
    @precondition(lambda self: self.now["revocations"])
    def appeal(self, pick: int) -> None:
        """At any time, also against a revocation that was taken back, or after a termination: then it is refused."""
        self.appeal_at(self.one("revocations", pick), self.clock.tick())

    def appeal_at(self, case: Revocation, at: datetime) -> None:
        self.keys += 1
        by = self.admin(case.membership.organization_id, at)
        over = self.now["memberships"] and all(one["state"] != "revoked" for one in self.now["memberships"])
        with self.deed():
            actions.file_appeal(case=case, text="理由", files=[], key=f"k{self.keys}", by=by, at=at)
            assert not over, "there is nothing to appeal where nothing is revoked"

    @rule(pick=PICK, early=st.sampled_from([-1, 0, 1]))
    @precondition(lambda self: any(one["state"] == "revoked" for one in self.now["revocations"]))
    def appeal_at_the_last_microsecond(self, pick: int, early: int) -> None:
        """Invariant 14: at 23:59:59.999999 of the last day it is in time, at midnight late, kept and marked."""
        case = self.one("revocations", pick)
        if case.state != "revoked" or case.appeal_ends_at is None:
            return
        at = case.appeal_ends_at + timedelta(microseconds=early)
        if at <= self.clock.at:
            return
        self.clock.at = at
        known = len(self.now["appeals"])
        self.appeal_at(case, at)
        if len(self.now["appeals"]) > known:
            filed = Appeal.objects.get(filed_at=at, revocation=case)
            assert filed.late == (early >= 0 and not case.awaits_arrival)

    @rule(pick=PICK, who=REVIEWS, grant=st.booleans())
    @precondition(lambda self: self.now["appeals"])
    def recommend_appeal(self, pick: int, who: str, grant: bool) -> None:
        case = self.one("appeals", pick)
        self.impartial(case, who)
        self.act(actions.recommend_appeal, who, appeal=case, what="grant" if grant else "deny", findings="已核對。")

    @rule(pick=PICK, who=DECIDES, grant=st.sampled_from([True, True, False]))
    @precondition(lambda self: self.now["appeals"])
    def decide_appeal(self, pick: int, who: str, grant: bool) -> None:
        case = self.one("appeals", pick)
        self.impartial(case, who)
        self.act(actions.decide_appeal, who, appeal=case, grant=grant, because="special" if grant else "", text="理由")

    # Terminations

    @rule()
    @precondition(lambda self: self.now["memberships"])
    def ask_to_leave(self) -> None:
        held = self.held()
        assert held is not None
        by, at = self.speaker(held)
        with self.deed():
            actions.request_termination(membership=held, reason="理由", handling="destroy", by=by, at=at)

    @rule(pick=PICK)
    @precondition(lambda self: self.now["terminations"])
    def take_back(self, pick: int) -> None:
        case = self.one("terminations", pick)
        by, at = self.speaker(case.membership)
        with self.deed():
            actions.withdraw_termination(case=case, by=by, at=at)

    @rule(pick=PICK, who=REVIEWS, what=st.sampled_from(["grant", "refuse"]))
    @precondition(lambda self: self.now["terminations"])
    def recommend_termination(self, pick: int, who: str, what: str) -> None:
        case = self.one("terminations", pick)
        self.impartial(case, who)
        self.act(actions.recommend_termination, who, case=case, what=what, findings="已核對。")

    @rule(pick=PICK, who=DECIDES, what=st.sampled_from(["grant", "grant", "refuse", "return"]))
    @precondition(lambda self: self.now["terminations"])
    def decide_termination(self, pick: int, who: str, what: str) -> None:
        case = self.one("terminations", pick)
        self.impartial(case, who)
        if what == "return":
            self.act(actions.return_termination, who, case=case)
        else:
            act = actions.grant_termination if what == "grant" else actions.refuse_termination
            self.act(act, who, case=case, text="理由")

    # The office calendar

    @rule(longer=st.booleans())
    @precondition(lambda self: self.keys >= 0 and self.now["revocations"])
    def a_new_office_calendar(self, longer: bool) -> None:
        """Invariant 12: days that begin to rest lengthen what runs, days that are worked shorten nothing."""
        self.keys += 1
        days = sorted({one["appeal_last_day"] or one["notice_last_day"] for one in self.now["revocations"]} - {None})
        if days:
            day = date.fromisoformat(days[-1])
            with self.deed():
                _import_calendar(day, f"test-{self.keys}", longer, self.stage.people["reviewer"], self.clock.tick())

    # The usual way, so that histories come far

    @rule(kind=st.sampled_from(("applications", "changes", "revocations", "appeals", "terminations")), pick=PICK)
    def the_next_step_as_usual(self, kind: str, pick: int) -> None:
        """What comes next in a case, done by whoever does it on other days."""
        if not self.now[kind]:
            return
        state = self.one(kind, pick).state
        if (kind, state) == ("applications", "submitted"):
            self.impartial(self.one(kind, pick), "reviewer")
            self.take_up(pick, "reviewer")
        elif (kind, state) == ("applications", "under_review"):
            self.screen(pick, "reviewer", "clear", other=False)
            self.check_authority(pick, "reviewer")
            self.recommend(pick, "reviewer", approve=True)
        elif (kind, state) == ("applications", "recommended"):
            self.decide(pick, "approver", approve=True)
        elif (kind, state) == ("changes", "submitted"):
            self.take_up_change(pick, "reviewer")
        elif (kind, state) == ("changes", "under_review"):
            self.check_change(pick, "reviewer", "clear")
            self.decide_change(pick, "reviewer", "recommend")
            self.decide_change(pick, "approver", "apply")
        elif (kind, state) == ("revocations", "under_review"):
            self.notify(pick, "reviewer")
            self.answer(pick)
            self.propose(pick, "reviewer", "1.4b")
        elif (kind, state) == ("revocations", "proposed"):
            self.end(pick, "approver", "revoke")
        elif kind == "appeals":
            self.decide_appeal(pick, "approver2", grant=True)
        elif (kind, state) == ("terminations", "requested"):
            self.recommend_termination(pick, "reviewer", "grant")
        elif kind == "terminations":
            self.decide_termination(pick, "approver", "grant")

    # What must always hold

    @invariant()
    def there_is_one_live_membership_a_number(self) -> None:
        assert sum(one["state"] in IN_FORCE for one in self.rows("memberships")) <= 1

    @invariant()
    def invariant_2_who_left_reads_nothing_and_may_still_appeal(self) -> None:
        for held in self.rows("memberships"):
            open_ = [
                one for one in self.rows("intervals") if one["membership_id"] == held["id"] and not one["ended_at"]
            ]
            assert len(open_) == (held["state"] in IN_FORCE)
        rows = self.rows("memberships")
        if not rows or not self.moved("memberships", "constituents"):
            return
        live = any(one["state"] in IN_FORCE for one in rows)
        at = self.clock.at
        subject = self.admin(rows[0]["organization_id"], at)
        allowed = {right for right in READING if may(subject=subject, right=right, at=at)}
        assert allowed == (set(READING) if live else set())
        latest = max(rows, key=lambda one: one["began_at"])
        assert live or may(subject=subject, right=Right.VIEW_EXIT, at=at)
        # Whoever left by request may ask, too; that there is nothing to appeal is said by the case (see `appeal_at`).
        assert not live or not may(subject=subject, right=Right.FILE_APPEAL, at=at)
        assert latest["state"] != "revoked" or may(subject=subject, right=Right.FILE_APPEAL, at=at)

    @invariant()
    def invariant_3_nobody_is_admitted_unproved(self) -> None:
        """A signed approval by somebody else, on an attestation of exactly this roster, over no hit."""
        for held in self.rows("memberships"):
            approvals = [
                one for one in self.rows("decisions") if one["membership_id"] == held["id"] and one["kind"] == "approve"
            ]
            assert len(approvals) == 1
            assert approvals[0]["effective_at"] == held["began_at"]
            if held["application_id"] in self.admitted:
                continue
            self.admitted.add(held["application_id"])
            case = _FETCH["applications"](held["application_id"])
            assert case.state == "approved"
            assert str(approvals[0]["decided_by_id"]) not in {str(one) for one in queries.reviewers(case)}
            found = queries.findings(case)
            for row in queries.all_rows(case):
                assert found[row.key].result in ("clear", "unverifiable") or found[row.key].other_entity
            assert queries.attested_hash(case) == case.roster_hash

    @invariant()
    def invariant_4_a_row_of_a_roster_opens_only_by_a_check(self) -> None:
        if not self.rows("memberships") or not self.moved("constituents", "memberships"):
            return
        affiliation = self.begun.constituent
        if affiliation is None:
            return
        live = any(one["state"] in IN_FORCE for one in self.rows("memberships"))
        passed = any(
            one["organization_id"] == str(affiliation.organization_id)
            and one["screening"] in PASSED
            and one["removed_at"] is None
            for one in self.rows("constituents")
        )
        at = self.clock.at
        subject = subject_for(person=affiliation.person_id, affiliation=affiliation, at=at, mfa=True)
        assert may(subject=subject, right=Right.ENTER_MEMBERS_PLANE, at=at) == (live and passed)

    @invariant()
    def invariant_8_the_duty_of_confidentiality_never_ends(self) -> None:
        if hasattr(self, "now"):
            assert self.now["duties"] >= self.duties
            self.duties = self.now["duties"]

    @invariant()
    def invariant_10_nobody_hears_anything_before_the_privacy_notice(self) -> None:
        if hasattr(self, "now"):
            assert self.now["untold"] == 0

    @invariant()
    def invariant_12_a_limit_is_found_again_from_what_was_kept_and_never_shrinks(self) -> None:
        for case in self.rows("revocations"):
            for name, event in (("appeal", case["appeal_event"] or case["decided_at"]), ("notice", case["notice_at"])):
                last = case[f"{name}_last_day"]
                if last is None:
                    continue
                counted = _counted(event, case[f"{name}_rule"], case[f"{name}_days"], case[f"{name}_edition"])
                assert counted <= last
                assert self.limits.get((case["id"], name), last) <= last
                self.limits[case["id"], name] = last

    @invariant()
    def there_are_four_eyes_in_every_decision(self) -> None:
        decisions = self.rows("decisions")
        light = {one["id"] for one in self.rows("changes") if set(one["risks"]) <= {"contact", "administrators"}}
        for one in decisions:
            assert one["reviewed_by_id"] != one["decided_by_id"] or one["change_id"] in light
            if one["kind"] in ("granted", "denied"):
                first = next(
                    each
                    for each in decisions
                    if each["revocation_id"] == one["revocation_id"] and each["kind"] == "revoke"
                )
                assert one["decided_by_id"] not in (first["decided_by_id"], first["reviewed_by_id"])

    @invariant()
    def there_is_one_decision_a_case_and_none_without_its_state(self) -> None:
        decided: Counter[tuple[str, str]] = Counter()
        for one in self.rows("decisions"):
            kind = next(
                name for name in ("appeal", "change", "termination", "revocation", "application") if one[f"{name}_id"]
            )
            decided[kind, one[f"{kind}_id"]] += 1
        for plural, final in (
            ("applications", ("approved", "rejected")), ("revocations", ("revoked", "closed")),
            ("appeals", ("granted", "denied")), ("terminations", ("granted", "refused")),
            ("changes", ("applied", "rejected")),
        ):  # fmt: skip
            for case in self.rows(plural):
                assert decided[plural[:-1], case["id"]] == (case["state"] in final), (plural, case)

    @invariant()
    def ends_that_cross_leave_nothing_open(self) -> None:
        """The races of docs/adr/0024."""
        for held in self.rows("memberships"):
            mine = {
                name: [one for one in self.rows(name) if one["membership_id"] == held["id"]]
                for name in ("terminations", "changes", "revocations")
            }
            leaving = [one for one in mine["terminations"] if one["state"] in OPEN_TERMINATION]
            reviewed = [one for one in mine["revocations"] if one["state"] in ("under_review", "proposed")]
            pending = [one for one in mine["changes"] if one["state"] in OPEN_CHANGE]
            assert max(len(leaving), len(reviewed), len(pending)) <= 1
            if held["state"] not in IN_FORCE:
                assert not leaving
                assert not reviewed
                assert not pending
            assert (held["state"] == "revocation_review") == bool(reviewed)
            assert (held["state"] == "termination_requested") == (bool(leaving) and not reviewed)

    @invariant()
    def nobody_was_revoked_unheard(self) -> None:
        for case in self.rows("revocations"):
            if case["state"] in ("proposed", "revoked"):
                assert case["notice_at"] is not None
                assert case["notice_ground"] == case["ground"]

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The rows of a kind as they are now; none before the beginning."""
        found: list[dict[str, Any]] = self.now[kind] if hasattr(self, "now") else []
        return found

    def moved(self, *kinds: str) -> bool:
        """Whether rows of these kinds are others than when this was asked last."""
        mark = tuple(json.dumps(self.now[kind]) for kind in kinds)
        if self.before.get(kinds[0]) == mark:
            return False
        self.before[kinds[0]] = mark
        return True


def _fetch(model: Any, *related: str) -> Callable[[Any], Any]:
    return lambda pk: model.objects.select_related(*related).get(pk=pk)


_FETCH: dict[str, Callable[[Any], Any]] = {
    "applications": _fetch(Application, "procedure", "vault_key"),
    "revocations": _fetch(Revocation, "membership__organization", "vault_key"),
    "appeals": _fetch(Appeal, "revocation__membership__organization", "vault_key"),
    "terminations": _fetch(Termination, "membership__organization", "vault_key"),
    "changes": _fetch(ChangeRequest, "membership__organization", "vault_key"),
}


@lru_cache(maxsize=4096)
def _counted(event: str, rule_: str, days: int, edition: str) -> str:
    calendar = named(edition)
    assert calendar is not None
    found = Deadline.count(event=datetime.fromisoformat(event), rule=rule_, days=days, calendar=calendar)
    return found.last_day.isoformat()


def _import_calendar(day: date, edition: str, longer: bool, by: Subject, at: datetime) -> None:
    """The year of this day with the day itself at rest, or with every day of it worked."""
    actions.import_calendar(content=_year(day, longer), edition=edition, source="測試", by=by, at=at)


@lru_cache(maxsize=256)
def _year(day: date, longer: bool) -> bytes:
    days = [date(day.year, 1, 1) + timedelta(days=place) for place in range(365 + (day.year % 4 == 0))]
    rests = {one for one in days if longer and (one == day or one.weekday() > 4)}
    return "\n".join(["date,off", *(f"{one},{'rest' if one in rests else 'work'}" for one in days)]).encode()
