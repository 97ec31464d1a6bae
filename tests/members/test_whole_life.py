"""Any order of deeds, from application to appeal and termination: what must always hold, holds after each of them.

The model knows only what was done; the invariants are those of the domain (one live membership a number, nobody in
force without a signed approval, four eyes in every decision, an entry for every deed, who left reads nothing, duties
and limits never shrink, nobody hears anything before the privacy notice). Among the deeds are the races of
docs/adr/0024.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lianfang.accounts.doors import may
from lianfang.accounts.models import Affiliation, Person
from lianfang.audit.models import Entry
from lianfang.charter.models import ConfidentialityDuty
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.calendars import named
from lianfang.members.lifecycle import IN_FORCE, OPEN_TERMINATION
from lianfang.members.models import (
    Appeal,
    Application,
    Decision,
    Membership,
    MembershipInterval,
    Revocation,
    Termination,
)
from lianfang.members.subjects import subject_for
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Right, Standing
from tests import world
from tests.goals import goal
from tests.members import cases

NAMES = {201: "卯示範股份有限公司", 202: "辰示範股份有限公司"}
STAFF = ("reviewer", "approver", "approver2", "analyst")


class Life(RuleBasedStateMachine):
    """Deeds in any order by anybody; a refusal changes nothing, a deed leaves an entry."""

    applications = Bundle("applications")
    revocations = Bundle("revocations")
    appeals = Bundle("appeals")
    terminations = Bundle("terminations")
    made: world.World
    done: ClassVar[Counter[str]] = Counter()

    beginning: str

    @initialize(target=applications)
    def begin(self) -> Application:
        # Rolled back in `teardown`: each run begins with the same people and none of these cases.
        self.point = transaction.savepoint()
        self.made.clock.tick(minutes=1)
        self.keys = 0
        self.limits: dict[Any, Any] = {}
        self.duties = ConfidentialityDuty.objects.count()
        case = self.apply(201)
        if self.beginning in ("recommended", "rejected"):
            self.walk_to_the_decision(case)
        if self.beginning == "rejected":
            self.decide(case, "approver", False)
        if self.beginning in ("member", "revoked", "appealed", "leaving"):
            self.walk_to_the_membership(case)
        if self.beginning in ("revoked", "appealed"):
            revocation = self.open(201, "reviewer")
            self.walk_to_the_end(revocation, "revoke")
            if self.beginning == "appealed":
                self.file(revocation)
        if self.beginning == "leaving":
            self.recommend_termination(self.ask_to_leave(201), "reviewer", "grant")
        return case

    def teardown(self) -> None:
        if hasattr(self, "point"):
            transaction.savepoint_rollback(self.point)

    @contextmanager
    def deed(self) -> Iterator[None]:
        """A deed is done and stands in the ledger, or is refused and left no trace at all."""
        entries, before = Entry.objects.count(), self.picture()
        try:
            with transaction.atomic():
                yield
        except Refusal:
            assert Entry.objects.count() == entries
            assert self.picture() == before
        else:
            fresh = Entry.objects.order_by("-id")[: Entry.objects.count() - entries]
            assert fresh
            self.done.update(entry.tag for entry in fresh)

    def picture(self) -> tuple[Any, ...]:
        """Every state that there is, with how many decisions."""
        return (
            sorted(Application.objects.values_list("pk", "state", "reviewer", "recommendation")),
            sorted(Membership.objects.values_list("pk", "state", "ended_at"), key=str),
            sorted(Revocation.objects.values_list("pk", "state", "reviewer")),
            sorted(Appeal.objects.values_list("pk", "state")),
            sorted(Termination.objects.values_list("pk", "state", "reviewer"), key=str),
            sorted(Revocation.objects.values_list("pk", "appeal_last_day", "notice_last_day"), key=str),
            Decision.objects.count(),
        )

    def actor(self, name: str) -> world.Actor:
        found: world.Actor = getattr(self.made, name)
        return found

    def act(self, do: Callable[..., Any], who: str, **given: Any) -> None:
        with self.deed():
            do(**given, by=self.actor(who).subject(), at=self.made.clock.tick())

    # Applications

    @rule(target=applications, place=st.sampled_from(sorted(NAMES)))
    def apply(self, place: int) -> Application:
        self.keys += 1
        people = f"p{place}.example"
        return cases.sent(self.made, place, name=NAMES[place], people=people)

    @rule(case=applications, who=st.sampled_from(STAFF), conflict=st.sampled_from([False, False, False, True]))
    def declare(self, case: Application, who: str, conflict: bool) -> None:
        self.act(actions.declare_conflict, who, case=case, conflict=conflict, reason="前雇主")

    @rule(case=applications, who=st.sampled_from(STAFF))
    def take_up(self, case: Application, who: str) -> None:
        self.act(actions.take_up, who, application=case)

    @rule(case=applications, result=st.sampled_from(["clear", "clear", "clear", "id_hit", "name_hit"]))
    def screen(self, case: Application, result: str) -> None:
        rows = queries.all_rows(world.reread(case))
        findings = [actions.Finding(row.key, result, world.LIST, world.LIST_DATE) for row in rows]
        self.act(actions.record_findings, "reviewer", application=case, findings=findings)
        self.act(actions.check_authority, "reviewer", application=case, method="registry")

    @rule(case=applications, who=st.sampled_from(STAFF), what=st.sampled_from(["approve", "approve", "reject"]))
    def recommend(self, case: Application, who: str, what: str) -> None:
        reasons = ["eligible"] if what == "approve" else ["not_willing"]
        self.act(actions.recommend, who, application=case, what=what, reasons=reasons)

    @rule(case=applications)
    def walk_to_the_decision(self, case: Application) -> None:
        """The usual way at once, so that runs come far."""
        self.declare(case, "reviewer", False)
        self.declare(case, "approver", False)
        self.take_up(case, "reviewer")
        self.screen(case, "clear")
        self.recommend(case, "reviewer", "approve")

    @rule(case=applications)
    def walk_to_the_membership(self, case: Application) -> None:
        self.walk_to_the_decision(case)
        self.decide(case, "approver", True)

    @rule(case=applications, who=st.sampled_from(STAFF), approve=st.booleans())
    def decide(self, case: Application, who: str, approve: bool) -> None:
        if approve:
            self.act(actions.approve, who, application=case, reasons=["eligible"])
        else:
            self.act(actions.reject, who, application=case, reasons=["not_willing"])

    @rule(case=applications, who=st.sampled_from(STAFF))
    def send_back(self, case: Application, who: str) -> None:
        self.act(actions.return_to_review, who, application=case)

    @rule(case=applications)
    def withdraw(self, case: Application) -> None:
        with self.deed():
            actions.withdraw(application=case, by=cases.PUBLIC, at=self.made.clock.tick())

    # Revocations

    @rule(target=revocations, place=st.sampled_from(sorted(NAMES)), who=st.sampled_from(["reviewer", "approver"]))
    def open(self, place: int, who: str) -> Any:
        held = Membership.objects.filter(ubn=world.business_number(place)).order_by("-began_at").first()
        if held is None:
            return None
        self.act(actions.open_revocation, who, membership=held, ground="1.4b", facts=cases.FACTS)
        return Revocation.objects.filter(membership=held).order_by("-opened_at").first()

    @rule(case=revocations, who=st.sampled_from(STAFF), propose=st.booleans())
    def prepare(self, case: Any, who: str, propose: bool) -> None:
        if case is not None:
            self.act(actions.declare_conflict, who, case=case, conflict=False)
            if propose:
                self.hear(case)
                self.act(actions.propose, who, case=case, ground="1.4b", facts=cases.FACTS)

    @rule(case=revocations)
    def hear(self, case: Any) -> None:
        if case is None:
            return
        self.act(actions.give_notice, "reviewer", case=case, ground="1.4b", text="請陳述。")
        self.keys += 1
        at = self.made.clock.tick()
        by = self.admin(case.membership.organization_id, at)
        with self.deed():
            actions.file_statement(case=case, text="沒有意見。", files=[], key=f"s{self.keys}", by=by, at=at)

    def admin(self, organization_id: Any, at: Any) -> Any:
        """The first administrator, as one who joined and acknowledged his duty: before that nobody files anything."""
        admin = next(iter(queries.administrators(organization_id=organization_id, at=at)))
        affiliation = Affiliation.objects.filter(person=admin, organization=organization_id).first()
        assert affiliation is not None
        return replace(subject_for(person=admin.pk, affiliation=affiliation, at=at, mfa=True), acknowledged=True)

    @rule(
        case=revocations, who=st.sampled_from(STAFF), what=st.sampled_from(["revoke", "revoke", "close", "send_back"])
    )
    def end(self, case: Any, who: str, what: str) -> None:
        if case is None:
            return
        given = {"case": case, "text": "理由"} if what != "send_back" else {"case": case}
        act = {"revoke": actions.revoke, "close": actions.close_case, "send_back": actions.send_back}[what]
        self.act(act, who, **given)

    @rule(case=revocations, what=st.sampled_from(["revoke", "revoke", "close"]))
    def walk_to_the_end(self, case: Any, what: str) -> None:
        self.prepare(case, "approver", False)
        self.prepare(case, "reviewer", True)
        self.end(case, "approver", what)

    # Appeals

    @rule(target=appeals, case=revocations)
    def file(self, case: Any) -> Any:
        if case is None or cases.again(case).state != "revoked":
            return None
        self.keys += 1
        return self.appeal_at(case, self.made.clock.tick())

    def appeal_at(self, case: Any, at: Any) -> Any:
        by = self.admin(case.membership.organization_id, at)
        with self.deed():
            return actions.file_appeal(case=case, text="理由", files=[], key=f"k{self.keys}", by=by, at=at)
        return None

    @rule(target=appeals, case=revocations, early=st.sampled_from([-1, 0, 1]))
    def file_at_the_last_microsecond(self, case: Any, early: int) -> Any:
        """At 23:59:59.999999 of the last day, and at midnight (domain invariant 14)."""
        now = None if case is None else cases.again(case)
        if now is None or now.state != "revoked" or now.appeal_ends_at is None:
            return None
        at = now.appeal_ends_at + timedelta(microseconds=early)
        if at <= self.made.clock.at:
            return None
        self.made.clock.at = at
        self.keys += 1
        filed = self.appeal_at(case, at)
        if filed is not None:
            assert filed.late == (early >= 0 and not now.awaits_arrival)
        return filed

    @rule(case=revocations)
    def open_letter(self, case: Any) -> None:
        if case is None:
            return
        at = self.made.clock.tick(days=3)
        with self.deed():
            actions.open_letter(case=case, by=self.admin(case.membership.organization_id, at), at=at)

    # Terminations

    @rule(target=terminations, place=st.sampled_from(sorted(NAMES)))
    def ask_to_leave(self, place: int) -> Any:
        held = Membership.objects.filter(ubn=world.business_number(place)).order_by("-began_at").first()
        if held is None:
            return None
        at = self.made.clock.tick()
        by = self.admin(held.organization_id, at)
        with self.deed():
            return actions.request_termination(membership=held, reason="理由", handling="destroy", by=by, at=at)
        return Termination.objects.filter(membership=held).order_by("-filed_at").first()

    @rule(case=terminations)
    def take_back(self, case: Any) -> None:
        if case is None:
            return
        at = self.made.clock.tick()
        with self.deed():
            actions.withdraw_termination(case=case, by=self.admin(case.membership.organization_id, at), at=at)

    @rule(case=terminations, who=st.sampled_from(STAFF), what=st.sampled_from(["grant", "refuse"]))
    def recommend_termination(self, case: Any, who: str, what: str) -> None:
        if case is not None:
            self.act(actions.declare_conflict, who, case=case, conflict=False)
            self.act(actions.recommend_termination, who, case=case, what=what, findings="已核對。")

    @rule(case=terminations, who=st.sampled_from(STAFF), what=st.sampled_from(["grant", "grant", "refuse", "return"]))
    def decide_termination(self, case: Any, who: str, what: str) -> None:
        if case is None:
            return
        self.act(actions.declare_conflict, who, case=case, conflict=False)
        if what == "return":
            self.act(actions.return_termination, who, case=case)
        else:
            act = actions.grant_termination if what == "grant" else actions.refuse_termination
            self.act(act, who, case=case, text="理由")

    @rule(case=terminations)
    def walk_to_the_exit(self, case: Any) -> None:
        self.recommend_termination(case, "reviewer", "grant")
        self.decide_termination(case, "approver", "grant")

    @rule(appeal=appeals, who=st.sampled_from(STAFF), grant=st.booleans())
    def decide_appeal(self, appeal: Any, who: str, grant: bool) -> None:
        if appeal is not None:
            self.act(actions.declare_conflict, who, case=appeal, conflict=False)
            self.act(
                actions.decide_appeal, who, appeal=appeal, grant=grant, because="special" if grant else "", text="理由"
            )

    # What must always hold

    @invariant()
    def one_live_membership_a_number(self) -> None:
        if not hasattr(self, "point"):
            return
        for place in NAMES:
            live = Membership.objects.filter(ubn=world.business_number(place), state__in=IN_FORCE)
            assert live.count() <= 1

    @invariant()
    def four_eyes_in_every_decision(self) -> None:
        if not hasattr(self, "point"):
            return
        assert not Decision.objects.filter(reviewed_by=F("decided_by")).exists()
        for told in Decision.objects.filter(kind__in=["granted", "denied"]).select_related("revocation"):
            first = Decision.objects.get(revocation=told.revocation, kind="revoke")
            assert told.decided_by_id not in {first.decided_by_id, first.reviewed_by_id}
            assert told.revocation is not None
            assert told.decided_by_id not in queries.reviewers(told.revocation)

    @invariant()
    def nobody_is_in_force_without_a_signed_approval(self) -> None:
        if not hasattr(self, "point"):
            return
        for held in Membership.objects.select_related("application"):
            approval = Decision.objects.get(membership=held, kind="approve")
            assert held.application.state == "approved"
            assert approval.effective_at == held.began_at
            assert approval.decided_by_id not in queries.reviewers(held.application)
            ended = Decision.objects.filter(membership=held, kind="revoke").count()
            restored = Decision.objects.filter(membership=held, kind="granted").count()
            assert ended - restored == (held.state == "revoked")
            left = Decision.objects.filter(membership=held, kind="terminate").count()
            assert left == (held.state == "terminated")

    @invariant()
    def standing_is_what_the_intervals_say_and_who_left_reads_nothing(self) -> None:
        if not hasattr(self, "point"):
            return
        at = self.made.clock.at
        for place in NAMES:
            for held in Membership.objects.filter(ubn=world.business_number(place)):
                open_ = MembershipInterval.objects.filter(membership=held, ended_at__isnull=True).exists()
                assert open_ == (held.state in IN_FORCE)
                affiliation = Affiliation.objects.filter(organization=held.organization_id).first()
                ended = (Standing.REVOKED, Standing.TERMINATED)
                if affiliation is None or queries.standing(held.organization_id, at) not in ended:
                    continue
                subject = subject_for(person=affiliation.person_id, affiliation=affiliation, at=at, mfa=True)
                for right in (Right.ENTER_MEMBERS_PLANE, Right.SUBMIT, Right.MANAGE_PEOPLE, Right.MAKE_TOKEN):
                    assert not may(subject=subject, right=right, at=at)

    @invariant()
    def a_final_state_has_its_one_decision(self) -> None:
        if not hasattr(self, "point"):
            return
        for case in Application.objects.filter(state__in=["approved", "rejected"]):
            assert Decision.objects.filter(application=case).count() == 1
        for case in Application.objects.exclude(state__in=["approved", "rejected"]):
            assert not Decision.objects.filter(application=case).exists()
        for revocation in Revocation.objects.filter(state__in=["revoked", "closed"]):
            assert Decision.objects.filter(revocation=revocation, appeal=None).count() == 1
        for end in Termination.objects.all():
            assert Decision.objects.filter(termination=end).count() == (end.state in ("granted", "refused"))
            assert end.state not in OPEN_TERMINATION or end.membership.state in (
                "termination_requested",
                "revocation_review",
            )
        for held in Membership.objects.filter(state="termination_requested"):
            assert held.terminations.filter(state__in=OPEN_TERMINATION).count() == 1

    @invariant()
    def the_duty_of_confidentiality_never_ends(self) -> None:
        """Domain invariant 8: no decision takes a duty away."""
        if not hasattr(self, "point"):
            return
        now = ConfidentialityDuty.objects.count()
        assert now >= self.duties
        self.duties = now

    @invariant()
    def nobody_hears_anything_before_the_privacy_notice(self) -> None:
        """Domain invariant 10: whoever was entered by somebody else was told so with the first mail."""
        if not hasattr(self, "point"):
            return
        untold = Person.objects.filter(entered_by_other=True, first_contact_at__isnull=True).values("pk")
        assert not Delivery.objects.filter(person_id__in=untold).exists()

    @invariant()
    def a_limit_is_found_again_from_what_was_kept_and_never_shrinks(self) -> None:
        """Domain invariant 12."""
        if not hasattr(self, "point"):
            return
        for case in Revocation.objects.all():
            for limit in (case.deadline, case.notice):
                if limit is None:
                    continue
                calendar = named(limit.edition)
                assert calendar is not None
                counted = Deadline.count(event=limit.event, rule=limit.rule, days=limit.days, calendar=calendar)
                assert counted.last_day <= limit.last_day
                key = (case.pk, limit.rule)
                assert self.limits.get(key, limit.last_day) <= limit.last_day
                self.limits[key] = limit.last_day

    @invariant()
    def nobody_was_revoked_unheard(self) -> None:
        if not hasattr(self, "point"):
            return
        for case in Revocation.objects.filter(state__in=["proposed", "revoked", "closed"]):
            assert case.notice_at is not None
            assert case.notice_ground == case.ground

    @invariant()
    def nobody_was_approved_over_a_hit(self) -> None:
        """Domain invariant 3: findings and attestation of exactly the roster that was approved."""
        if not hasattr(self, "point"):
            return
        for case in Application.objects.filter(state="approved", number__isnull=False, roster_hash__gt=""):
            found = queries.findings(case)
            assert all(found[row.key].result != "id_hit" for row in queries.all_rows(case) if row.key in found)
            assert queries.attested_hash(case) == case.roster_hash


BEGINNINGS = {
    "recommended": "members:application:recommend",
    "rejected": "members:application:reject",
    "member": "members:application:approve",
    "revoked": "members:revocation:decide",
    "appealed": "members:appeal:file",
    "leaving": "members:termination:recommend",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_whatever_order_things_are_done_in(made: world.World, beginning: str) -> None:
    walk(made, beginning, examples=2, steps=12)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_histories_of_memberships(made: world.World, beginning: str) -> None:
    Life.done.clear()
    with goal(f"deeds in histories that begin at {beginning}", seed="derandomized") as counted:
        walk(made, beginning, examples=60, steps=30)
        counted.count = sum(Life.done.values())
        counted.also = f"{len(Life.done)} kinds of deed"


def walk(made: world.World, beginning: str, *, examples: int, steps: int) -> None:
    """So many histories of so many steps; the same ones each time."""

    def machine() -> Life:
        found = Life()
        found.made, found.beginning = made, beginning
        return found

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
            database=None, derandomize=True,
        ),
    )  # fmt: skip
    assert Life.done[BEGINNINGS[beginning]], "the runs began where they should"
