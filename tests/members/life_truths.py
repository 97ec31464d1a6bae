"""What must hold after every deed of a history (`tests.members.life`): each invariant, and each race, by its name.

`now` are the rows of the organisation after the deed, `was` before it. Where the product answers a question by a
function of its own (who reviewed a case, when a limit ends), the answer is found here a second way: from what this
history did, or from the words of the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache, wraps
from typing import Any, ClassVar

from hypothesis.stateful import invariant

from lianfang.accounts.doors import may
from lianfang.accounts.models import Affiliation, Token
from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.refusal import Refusal
from lianfang.members import queries
from lianfang.members.calendars import calendar_at, named
from lianfang.members.lifecycle import IN_FORCE, OPEN_CHANGE, OPEN_TERMINATION
from lianfang.members.models import FROM_ARRIVAL, Application
from lianfang.members.subjects import facts_of, subject_of, subject_of_token
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Right
from tests import world
from tests.members.life_stage import Begun, Stage

Rows = list[dict[str, Any]]
READING = (Right.ENTER_MEMBERS_PLANE, Right.SUBMIT, Right.MANAGE_PEOPLE, Right.MAKE_TOKEN)
PASSED = ("clear", "other_entity")
NOTICE = "依個人資料保護法第9條告知您資料的來源"
LIGHT = {"contact", "administrators"}
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
EDGES = {-SECOND: "23:59:59", -MICROSECOND: "-1 us", timedelta(): "0", MICROSECOND: "+1 us"}
"""What a history does at the end of a limit, by its name."""
OLDEST_LIST = 90
"""Days, as the setting `screening_list_max_age_days` ships."""
NAMES: list[str] = []
"""Every property, in the order in which it is asked."""


def holds(check: Callable[[Any], None]) -> Callable[[Any], None]:
    """A property, asked once of each picture of the rows."""

    @wraps(check)
    def ask(self: Truths) -> None:
        if self.asked.get(check.__name__) is not self.now:
            self.asked[check.__name__] = self.now
            try:
                check(self)
            except AssertionError:
                self.stage.broken.append(check.__name__)
                raise

    NAMES.append(check.__name__)
    return ask


class Truths:
    """The properties."""

    stage: ClassVar[Stage]
    begun: Begun
    clock: world.Clock
    now: dict[str, Any]
    was: dict[str, Any]
    asked: dict[str, Any]
    reviewed: dict[str, set[str]]
    """Who took part in the review of a case, by its number, as this history saw it."""
    cleared: set[str]
    """Changes whose rows were found clear, last."""
    acknowledged: dict[str, datetime]
    """Affiliations that acknowledged the duty in this history."""
    limits: dict[tuple[str, str], str]
    """The last day of each limit, as notified last."""
    told: set[str]
    calendars: int
    """How many editions of the office calendar came in."""
    edition: bool | None
    """Whether the edition of the list that just came in names the constituent; None for any other deed."""
    calendar: tuple[str, str, datetime] | None
    """The limit (case, `appeal` or `notice`) that the calendar that just came in is about, and when."""

    @invariant()
    def all_properties_hold(self) -> None:
        """After each single deed, as the machine asks, and by Hypothesis after each step."""
        for name in NAMES:
            getattr(self, name)()

    def came(self, kind: str) -> Rows:
        """The rows of a kind that the last deed brought."""
        known = {one["id"] for one in self.was[kind]}
        return [one for one in self.now[kind] if one["id"] not in known]

    def moved(self, *kinds: str) -> bool:
        return self.was is self.now or any(self.was[kind] != self.now[kind] for kind in kinds)

    def of(self, kind: str, wanted: str) -> dict[str, Any]:
        return next(one for one in self.now[kind] if one["id"] == wanted)

    @holds
    def there_is_one_live_membership_a_number(self) -> None:
        assert sum(one["state"] in IN_FORCE for one in self.now["memberships"]) <= 1

    # Invariant 2: from the effective second of an end nothing is delivered, and the page of the exit still works

    @holds
    def invariant_2_who_left_reads_nothing_and_may_still_appeal(self) -> None:
        for held in self.now["memberships"]:
            mine = [one for one in self.now["intervals"] if one["membership_id"] == held["id"]]
            assert sum(not one["ended_at"] for one in mine) == (held["state"] in IN_FORCE)
        if not self.now["memberships"] or not self.moved("memberships", "intervals"):
            return
        live = any(one["state"] in IN_FORCE for one in self.now["memberships"])
        affiliation = self.first_admin()
        facts, at = facts_of(affiliation.pk), self.clock.at
        assert self.reads(facts, at) == (set(READING) if live else set())
        subject = self.as_acknowledged(subject_of(facts, at=at, mfa=True))
        latest = max(self.now["memberships"], key=lambda one: one["began_at"])
        assert live or may(subject=subject, right=Right.VIEW_EXIT, at=at)
        # Whoever left by request may ask, too; that there is nothing to appeal is said by the case.
        assert not live or not may(subject=subject, right=Right.FILE_APPEAL, at=at)
        assert latest["state"] != "revoked" or may(subject=subject, right=Right.FILE_APPEAL, at=at)
        for one in self.now["intervals"]:
            if one["ended_at"] and one not in self.was["intervals"]:
                end = _instant(one["ended_at"])
                assert not self.reads(facts, end), "the effective second itself is after the end"
                before = end - timedelta(microseconds=1)
                assert before < _instant(one["began_at"]) or self.reads(facts, before) == set(READING)

    @holds
    def invariant_2_no_session_and_no_key_outlives_a_membership(self) -> None:
        live = [one for one in self.now["memberships"] if one["state"] in IN_FORCE]
        if not live:
            assert not self.now["sessions"] or not self.now["memberships"]
        for key in self.now["tokens"]:
            over = [
                one["ended_at"]
                for one in self.now["intervals"]
                if one["ended_at"] and one["ended_at"] > key["created_at"]
            ]
            assert not over or (key["revoked_at"] is not None and key["revoked_at"] <= min(over)), "keys stay dead"
        if not self.moved("tokens", "memberships"):
            return
        for key in self.now["tokens"]:
            token = Token.objects.get(pk=key["id"])
            try:
                subject = subject_of_token(
                    token=token, affiliation=facts_of(token.affiliation_id), at=self.clock.at, network=None
                )
            except Refusal:
                works = False
            else:
                works = may(subject=subject, right=Right.SUBMIT, at=self.clock.at)
            assert not works or (live and key["revoked_at"] is None)

    def reads(self, facts: Affiliation, at: datetime) -> set[Right]:
        subject = self.as_acknowledged(subject_of(facts, at=at, mfa=True))
        return {right for right in READING if may(subject=subject, right=right, at=at)}

    # Invariant 3: nobody is admitted unproved

    @holds
    def invariant_3_nobody_is_admitted_unproved(self) -> None:
        """A signed approval by somebody else, on an attestation of exactly this roster, over fresh lists and no hit."""
        for held in self.now["memberships"]:
            mine = Counter(one["kind"] for one in self.now["decisions"] if one["membership_id"] == held["id"])
            assert mine["approve"] == 1
            assert mine["revoke"] - mine["granted"] == (held["state"] == "revoked")
            assert mine["terminate"] == (held["state"] == "terminated")
        for held in self.came("memberships"):
            (approval,) = [
                one for one in self.now["decisions"] if one["membership_id"] == held["id"] and one["kind"] == "approve"
            ]
            assert approval["effective_at"] == held["began_at"]
            row = self.of("applications", held["application_id"])
            assert row["state"] == "approved"
            assert approval["decided_by_id"] not in self.reviewed[row["number"]], "four eyes"
            case = Application.objects.select_related("procedure", "vault_key").get(pk=held["application_id"])
            assert case.attestations.order_by("-at").values_list("roster_hash", flat=True)[0] == case.roster_hash
            found = {one.row_key: one for one in case.findings.order_by("at")}
            for each in queries.all_rows(case):
                finding = found[each.key]
                assert finding.result in ("clear", "unverifiable") or finding.other_entity
                assert taipei(self.clock.at).date() - finding.list_date <= timedelta(days=OLDEST_LIST)

    # Invariant 4: a row of a roster opens only by a check, and an edition removes nobody silently

    @holds
    def invariant_4_a_row_of_a_roster_opens_only_by_a_check(self) -> None:
        for one in self.now["changes"]:
            if one["state"] == "applied" and "roster" in one["risks"]:
                assert one["id"] in self.cleared, "what a change adds was screened before"
        for one in self.came("decisions"):
            if one["kind"] == "granted":
                # What was screened before the gap says nothing of today.
                assert not [row for row in self.now["constituents"] if _opens(row)]
        if not self.now["memberships"] or not self.moved("constituents", "memberships"):
            return
        affiliation = self.begun.constituent
        if affiliation is None:
            return
        live = any(one["state"] in IN_FORCE for one in self.now["memberships"])
        passed = any(_opens(row) for row in self.now["constituents"] if row["organization_id"] == self.bank)
        at = self.clock.at
        subject = subject_of(facts_of(affiliation.pk), at=at, mfa=True)
        assert may(subject=subject, right=Right.ENTER_MEMBERS_PLANE, at=at) == (live and passed)

    @holds
    def invariant_4_an_edition_opens_cases_and_removes_nobody(self) -> None:
        if self.edition is None:
            return
        for kind in ("memberships", "intervals"):
            assert self.now[kind] == self.was[kind], "an edition ends nothing"
        gone = [row["removed_at"] for row in self.now["constituents"]]
        assert gone == [row["removed_at"] for row in self.was["constituents"]], "nobody leaves a roster silently"
        if not self.edition or self.begun.constituent is None:
            return
        listed = [row for row in self.now["constituents"] if row["organization_id"] == self.bank]
        if any(one["state"] in IN_FORCE for one in self.now["memberships"]) and any(
            not one["removed_at"] for one in listed
        ):
            about = [one for one in self.now["list_cases"] if one["organization_id"] == self.bank]
            assert about, "a hit opens a case for a person, and whoever is hit waits for what that person says"
            if not any(one["state"] == "other" for one in about):
                assert not [row for row in listed if _opens(row)]

    @property
    def bank(self) -> str:
        assert self.begun.constituent is not None
        return str(self.begun.constituent.organization_id)

    # Invariant 8: the duty of confidentiality begins with the affiliation and never ends

    @holds
    def invariant_8_the_duty_of_confidentiality_never_ends(self) -> None:
        now = {one["id"]: one for one in self.now["duties"]}
        for one in self.was["duties"]:
            assert now.get(one["id"]) == one
        for one in self.came("duties"):
            assert one["starts_at"] == min(one["started_at"], one["acknowledged_at"]), "since he acts for the pair"
        kept = {one["affiliation_id"] for one in self.now["duties"]}
        assert set(self.acknowledged) <= kept

    # Invariant 10: nobody hears anything before the privacy notice

    @holds
    def invariant_10_nobody_hears_anything_before_the_privacy_notice(self) -> None:
        for one in self.now["mails"]:
            assert one["first_contact_at"] is not None
        for one in self.came("mails"):
            if one["person_id"] not in self.told:
                self.told.add(one["person_id"])
                mails = Delivery.objects.filter(person_id=one["person_id"]).select_related("vault_key")
                first = min(mails, key=lambda mail: (mail.created_at, NOTICE not in mail.body_text))
                assert NOTICE in first.body_text

    # Invariant 12: limits are found again from what was kept, and never shrink

    @holds
    def invariant_12_a_limit_is_found_again_from_what_was_kept_and_never_shrinks(self) -> None:
        for case in self.now["revocations"]:
            for name, event in (("appeal", case["appeal_event"] or case["decided_at"]), ("notice", case["notice_at"])):
                last = case[f"{name}_last_day"]
                if last is None:
                    continue
                before = self.limits.get((case["id"], name))
                counted = _counted(event, case[f"{name}_rule"], case[f"{name}_days"], case[f"{name}_edition"])
                assert counted == last or (counted < last == before), "as counted, or as notified before"
                assert before is None or before <= last
                self.limits[case["id"], name] = last
            if case["appeal_arrived_at"] and not self.calendars:
                # A later edition of the calendar may have made the limit longer than that.
                assert case["appeal_event"] == max(case["decided_at"], case["appeal_arrived_at"])

    @holds
    def invariant_12_a_day_that_begins_to_rest_lengthens_what_runs(self) -> None:
        if self.calendar is None:
            return
        case_id, name, at = self.calendar
        case = next(one for one in self.was["revocations"] if one["id"] == case_id)
        before, expected = case[f"{name}_last_day"], case[f"{name}_last_day"]
        if taipei(at).date().isoformat() <= before:
            event = case["notice_at"] if name == "notice" else case["appeal_event"] or case["decided_at"]
            again = Deadline.count(
                event=_instant(event), rule=case[f"{name}_rule"], days=case[f"{name}_days"], calendar=calendar_at(at)
            )
            expected = max(before, again.last_day.isoformat())
        assert self.of("revocations", case_id)[f"{name}_last_day"] == expected
        self.stage.met["a limit that a calendar made longer"] += expected > before
        self.stage.met["a limit that a calendar would have shortened"] += expected == before

    # Invariant 14: 23:59:59 in Taipei is in time, 00:00:00 is late, kept and marked

    @holds
    def invariant_14_the_last_second_is_in_time_and_midnight_is_late(self) -> None:
        for one in self.came("appeals"):
            case = self.of("revocations", one["revocation_id"])
            awaits = case["appeal_start"] == FROM_ARRIVAL and not case["appeal_arrived_at"]
            self.on_the_clock("appeal", one, None if awaits else case["appeal_last_day"])
        for one in self.came("statements"):
            self.on_the_clock("statement", one, self.of("revocations", one["revocation_id"])["notice_last_day"])

    def on_the_clock(self, what: str, one: Mapping[str, Any], last_day: str | None) -> None:
        local = taipei(_instant(one["filed_at"]))
        late = last_day is not None and local.date().isoformat() > last_day
        assert one["late"] == late, (what, one["filed_at"], last_day)
        if last_day is None:
            return
        # The end of the last day stands on the clock of the wall, of whatever day; both sides of it are met.
        since = local.replace(tzinfo=None) - datetime.fromisoformat(last_day) - timedelta(days=1)
        if since in EDGES:
            self.stage.met[f"{what} at the end of its last day: {EDGES[since]}"] += 1
            self.stage.met[f"{EDGES[since]} at the end of a limit"] += 1

    # Decisions

    @holds
    def there_are_four_eyes_in_every_decision(self) -> None:
        for one in self.came("decisions"):
            kind, case = self.decided_case(one)
            if kind == "changes" and set(case["risks"]) <= LIGHT and one["decided_by_id"] == one["reviewed_by_id"]:
                continue
            assert one["decided_by_id"] not in self.reviewed.get(case["number"], set())
            assert one["decided_by_id"] != one["reviewed_by_id"]
            if kind == "appeals":
                first = next(
                    each
                    for each in self.now["decisions"]
                    if each["revocation_id"] == one["revocation_id"] and each["kind"] == "revoke"
                )
                revoked = self.of("revocations", one["revocation_id"])
                assert one["decided_by_id"] not in {first["decided_by_id"], first["reviewed_by_id"]}
                assert one["decided_by_id"] not in self.reviewed.get(revoked["number"], set())

    @holds
    def there_is_one_decision_a_case_and_none_without_its_state(self) -> None:
        decided: Counter[tuple[str, str]] = Counter()
        for one in self.now["decisions"]:
            kind, case = self.decided_case(one)
            decided[kind, case["id"]] += 1
        for kind, final in (
            ("applications", ("approved", "rejected")), ("revocations", ("revoked", "closed")),
            ("appeals", ("granted", "denied")), ("terminations", ("granted", "refused")),
            ("changes", ("applied", "rejected")),
        ):  # fmt: skip
            for case in self.now[kind]:
                assert decided[kind, case["id"]] == (case["state"] in final), (kind, case)

    def decided_case(self, decision: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        for name in ("appeal", "change", "termination", "revocation", "application"):
            if decision[f"{name}_id"]:
                return f"{name}s", self.of(f"{name}s", decision[f"{name}_id"])
        raise AssertionError(decision)

    @holds
    def nobody_was_revoked_unheard(self) -> None:
        for case in self.now["revocations"]:
            if case["state"] in ("proposed", "revoked", "closed"):
                assert case["notice_at"] is not None
                assert case["notice_ground"] == case["ground"]

    # The races of docs/adr/0024

    @holds
    def race_a_request_to_leave_waits_for_a_review_and_lapses_with_a_revocation(self) -> None:
        for held in self.now["memberships"]:
            leaving = [one for one in self.of_member("terminations", held) if one["state"] in OPEN_TERMINATION]
            reviewed = [
                one for one in self.of_member("revocations", held) if one["state"] in ("under_review", "proposed")
            ]
            assert max(len(leaving), len(reviewed)) <= 1
            assert held["state"] in IN_FORCE or not (leaving or reviewed)
            assert (held["state"] == "revocation_review") == bool(reviewed)
            assert (held["state"] == "termination_requested") == (bool(leaving) and not reviewed)
            if leaving and reviewed:
                self.stage.met["a request to leave during a review"] += self.moved("terminations", "revocations")
        was = {one["id"]: one["state"] for one in self.was["memberships"]}
        for one in self.came("decisions"):
            if one["kind"] in ("terminate", "stay"):
                assert was[one["membership_id"]] == "termination_requested", "the review goes first"

    @holds
    def race_a_change_that_is_pending_lapses_with_its_membership(self) -> None:
        was = {one["id"]: one["state"] for one in self.was["memberships"]}
        for held in self.now["memberships"]:
            pending = [one for one in self.of_member("changes", held) if one["state"] in OPEN_CHANGE]
            assert len(pending) <= 1
            assert held["state"] in IN_FORCE or not pending
            if held["state"] not in IN_FORCE and was.get(held["id"]) in IN_FORCE:
                lapsed = [
                    one
                    for one in self.of_member("changes", held)
                    if one["state"] == "withdrawn" and one not in self.was["changes"]
                ]
                self.stage.met[f"a membership {held['state']} with a change pending"] += len(lapsed)
        for one in self.came("decisions"):
            if one["kind"] in ("apply", "apply_alone"):
                assert was[one["membership_id"]] in IN_FORCE, "nothing is applied to a former member"

    @holds
    def race_nobody_appeals_but_against_a_revocation_that_stands(self) -> None:
        was = {one["id"]: one["state"] for one in self.was["memberships"]}
        for one in self.came("appeals"):
            assert was[self.of("revocations", one["revocation_id"])["membership_id"]] == "revoked"

    def of_member(self, kind: str, held: Mapping[str, Any]) -> Rows:
        return [one for one in self.now[kind] if one["membership_id"] == held["id"]]

    # What the machine gives

    def first_admin(self) -> Affiliation:
        raise NotImplementedError

    def as_acknowledged(self, subject: Any) -> Any:
        raise NotImplementedError


def _opens(row: Mapping[str, Any]) -> bool:
    return row["screening"] in PASSED and row["removed_at"] is None


@lru_cache(maxsize=65536)
def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


@lru_cache(maxsize=4096)
def _counted(event: str, rule_: str, days: int, edition: str) -> str:
    calendar = named(edition)
    assert calendar is not None
    found = Deadline.count(event=_instant(event), rule=rule_, days=days, calendar=calendar)
    return found.last_day.isoformat()
