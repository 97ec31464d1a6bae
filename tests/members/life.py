"""One machine over the whole life of a membership: anybody may do anything at any time; what must hold, holds.

Each history begins at one of the places of `life_stage`, and is rolled back at its end. A step goes on with a case in
the usual way, begins something new, lets anybody try anything, or lets time pass to either side of the end of a limit.
After every single deed the rows of the organisation are read by one statement, and every property of `life_truths` is
asked of them: invariants 2, 3, 4, 8, 10, 12 and 14 of the domain, the races of docs/adr/0024, four eyes, one decision
a case. A refusal changes nothing; a deed leaves an entry.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from django.db import connection, transaction
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Affiliation, Invitation
from lianfang.accounts.queries import invitation_by_secret
from lianfang.charter.actions import acknowledge
from lianfang.charter.queries import in_force
from lianfang.kernel.clock import TAIPEI, taipei, utc
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, changes, queries
from lianfang.members.lifecycle import IN_FORCE
from lianfang.members.models import (
    Appeal,
    Application,
    ChangeRequest,
    ListCase,
    Membership,
    Revocation,
    Termination,
)
from lianfang.members.subjects import subject_for
from lianfang.policy.facts import Right, Role, Subject
from tests import world
from tests.members import cases, change_cases, lists
from tests.members.life_stage import BEGINNINGS, STAFF, Begun, prepare
from tests.members.life_truths import EDGES, SECOND, Truths

DRAWN = st.integers(0, 65535)
"""What a step is made of: with the number of its history it says which case, who, and which of these turns.

0 as usual, 1 by somebody who may review and decide, 2 and 3 with a hit, 4 with a correction that lacks its
attestation, 5 on an old list or another ground, 6 refused, 7 sent back."""
TURNS = (0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 7)
STEPS = (
    "go_on", "go_on", "go_to_the_end", "go_to_the_end", "go_to_the_end", "begin_anew", "begin_anew", "anybody_tries",
    "anybody_tries", "at_the_end_of_a_limit", "at_the_end_of_a_limit", "at_the_end_of_a_day",
)  # fmt: skip
ANYBODY = (*STAFF, "reviewer", "approver", "approver", "approver2")
MODELS: Mapping[str, Any] = {
    "applications": Application, "revocations": Revocation, "appeals": Appeal, "terminations": Termination,
    "changes": ChangeRequest, "list_cases": ListCase, "memberships": Membership,
}  # fmt: skip
OPEN = {
    "applications": ("submitted", "under_review", "correction_requested", "recommended"),
    "changes": ("submitted", "under_review"),
    "revocations": ("under_review", "proposed"),
    "appeals": ("filed", "recommended"),
    "terminations": ("requested", "recommended"),
    "list_cases": ("open",),
}
REVIEWING = {
    "take_up", "screen", "check_authority", "ask_correction", "recommend", "open_review", "notify", "propose",
    "recommend_appeal", "recommend_termination", "take_up_change", "screen_change", "check_change", "recommend_change",
}  # fmt: skip
"""Deeds by which somebody takes part in the review of a case, and then decides it no more."""


@dataclass(frozen=True)
class Deed:
    """What can be tried: `about` is the kind of case it is done to, nothing where it begins one."""

    about: str
    do: Callable[[Any, Any, str, int], None]


DEEDS: dict[str, Deed] = {}


def tried(about: str = "") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A deed: `do(case, who, turn)`, where `turn` chooses between its varieties."""

    def keep(do: Callable[..., None]) -> Callable[..., None]:
        DEEDS[do.__name__] = Deed(about, do)
        return do

    return keep


class Life(Truths, RuleBasedStateMachine):
    """Deeds in any order by anybody."""

    ready: set[str]
    """Applications and changes whose checks were recorded in this history."""
    corrected: set[str]
    impartial_: set[tuple[str, str]]
    """Who declared, in which case, about a conflict of interest."""

    @initialize(place=st.integers(0, len(BEGINNINGS) - 1), number=DRAWN)
    def begin(self, place: int, number: int) -> None:
        beginning = self.stage.beginnings[place % len(self.stage.beginnings)]
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        prepare()
        self.begun: Begun = pickle.loads(self.stage.kept[beginning])
        self.clock, self.number = world.Clock(self.stage.first), number
        self.ubn = world.business_number(self.begun.place)
        self.keys = self.calendars = self.lists = 0
        self.went, self.deeds = False, 0
        self.edition = self.calendar = None
        self.asked, self.limits, self.acknowledged, self.told = {}, {}, {}, set()
        self.cleared, self.ready, self.corrected, self.impartial_ = set(), set(), set(), set()
        self.speaking: dict[Any, Subject] = {}
        self.was = self.now = self.look()
        self.reviewed = {
            case["number"]: {case["reviewer_id"]} for kind in OPEN for case in self.now[kind] if case.get("reviewer_id")
        }
        self.stage.begun[beginning] += 1
        self.decisions = len(self.now["decisions"])
        self.all_properties_hold()

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            if hasattr(self, "decisions"):
                self.stage.decided += len(self.now["decisions"]) > self.decisions
            with connection.cursor() as cursor:
                # The guard of the ledger, and whatever else waits for a commit, is asked before it is rolled back.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # How a deed is done and looked at

    def look(self) -> dict[str, Any]:
        """Every row of this organisation that a deed could change."""
        with connection.cursor() as cursor:
            cursor.execute("EXECUTE lf_life (%s, %s)", [self.ubn, self.stage.first])
            found: dict[str, Any] = json.loads(cursor.fetchone()[0])
        for kind in (*OPEN, "memberships"):
            # Ids are made by chance: what is drawn from these must not depend on them.
            found[kind].sort(key=lambda one: (one.get("number") or "", one.get("began_at") or ""))
        return found

    @contextmanager
    def deed(self, name: str) -> Iterator[None]:
        """A deed is done and stands in the ledger, or is refused and left no trace at all."""
        self.went = False
        try:
            yield
        except Refusal:
            self.stage.refused[name] += 1
            self.edition = self.calendar = None
            self.was, before = self.now, self.now
            self.now = self.look()
            assert self.now == before, "a refusal changes nothing"
        else:
            self.went = True
            self.deeds += 1
            self.stage.done[name] += 1
            self.was, self.now = self.now, self.look()
            assert self.now["entry"] > self.was["entry"], "a deed leaves an entry"
            self.note_places()
        self.all_properties_hold()

    def note_places(self) -> None:
        """Count the states that cases came to."""
        for kind in (*OPEN, "memberships"):
            if self.was[kind] != self.now[kind]:
                was = {one["id"]: one["state"] for one in self.was[kind]}
                for one in self.now[kind]:
                    if was.get(one["id"]) != one["state"]:
                        self.stage.places[f"{kind}: {one['state']}"] += 1

    def perform(self, name: str, row: Mapping[str, Any] | None, who: str = "", turn: int = 0) -> None:
        """Do a deed to a case as it is remembered: only its id and number, so that the product reads it anew."""
        one = DEEDS[name]
        note(f"{self.clock.at}: {name} {(row or {}).get('number', '')} by {who or 'others'}, turn {turn}")
        case = None
        if one.about:
            assert row is not None
            related = {key: row[key] for key in ("membership_id", "organization_id", "revocation_id") if key in row}
            number = {"number": row["number"]} if "number" in row else {}
            case = MODELS[one.about](pk=row["id"], **number, **related)
        if name in REVIEWING and row is not None and row.get("number"):
            self.reviewed.setdefault(row["number"], set())
        one.do(self, case, who, turn)
        if self.went and name in REVIEWING:
            self.reviewed.setdefault(self.numbered(name, row), set()).add(str(self.stage.people[who].person))

    def numbered(self, name: str, row: Mapping[str, Any] | None) -> str:
        if name == "open_review":
            return str(self.came("revocations")[0]["number"])
        assert row is not None
        return str(row["number"])

    def act(self, name: str, do: Callable[..., Any], who: str, /, **given: Any) -> None:
        with self.deed(name):
            do(**given, by=self.stage.people[who], at=self.clock.tick())

    def speak(self, name: str, do: Callable[..., Any], /, **given: Any) -> None:
        """A deed of the member, by its first administrator."""
        at = self.clock.tick()
        by = self.member(at)
        with self.deed(name):
            do(**given, by=by, at=at)

    def impartial(self, case: Any, who: str) -> None:
        """Declare that there is no conflict of interest, where that was not done in this history; no time passes."""
        if (case.number, who) in self.impartial_:
            return
        self.impartial_.add((case.number, who))
        actions.declare_conflict(case=case, conflict=False, by=self.stage.people[who], at=self.clock.at)
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM audit_entry")
            self.now = {**self.now, "entry": cursor.fetchone()[0]}

    def member(self, at: datetime) -> Subject:
        """The first administrator as he stands now; read anew whenever the membership moved."""
        mark = json.dumps([self.now["memberships"], self.now["intervals"]])
        if mark not in self.speaking:
            affiliation = self.first_admin()
            self.speaking = {
                mark: self.as_acknowledged(
                    subject_for(person=affiliation.person_id, affiliation=affiliation, at=at, mfa=True)
                )
            }
        return self.speaking[mark]

    def first_admin(self) -> Affiliation:
        """Who speaks for the member: whoever joined at the beginning, else the first of those that were invited."""
        if self.begun.admin is None:
            organization = self.now["memberships"][0]["organization_id"]
            admins = queries.administrators(organization_id=organization, at=self.clock.at)
            admin = min(admins, key=lambda one: one.email)
            self.begun.admin = Affiliation.objects.get(person=admin, organization=organization)
        return self.begun.admin

    def as_acknowledged(self, subject: Subject) -> Subject:
        """As one who acknowledged his duty: before that nobody files anything."""
        return replace(subject, acknowledged=True)

    def held(self) -> dict[str, Any]:
        """The latest membership."""
        return max(self.now["memberships"], key=lambda one: str(one["began_at"]))

    @property
    def live(self) -> bool:
        return any(one["state"] in IN_FORCE for one in self.now["memberships"])

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}-{self.begun.place}"

    # Applications

    @tried()
    def send(self, _case: Any, _who: str, _turn: int) -> None:
        """Another application of the same business number."""
        if len(self.now["applications"]) > 1:
            return
        with self.deed("send"):
            world.send(self.clock, self.begun.draft)

    @tried("applications")
    def declare(self, case: Any, who: str, turn: int) -> None:
        self.impartial_.add((case.number, who))
        self.act("declare", actions.declare_conflict, who, case=case, conflict=turn > 5, reason="前雇主")

    @tried("applications")
    def take_up(self, case: Any, who: str, turn: int) -> None:
        if turn < 7:
            self.impartial(case, who)
        self.act("take_up", actions.take_up, who, application=case)

    @tried("applications")
    def screen(self, case: Any, who: str, turn: int) -> None:
        result = {2: "id_hit", 3: "name_hit"}.get(turn, "clear")
        day = world.LIST_DATE - timedelta(days=200 * (turn == 5))
        rows = queries.all_rows(Application.objects.select_related("vault_key").get(pk=case.pk))
        findings = [actions.Finding(row.key, result, world.LIST, day, "同名", other_entity=False) for row in rows]
        self.act("screen", actions.record_findings, who, application=case, findings=findings)

    @tried("applications")
    def judge_hit(self, case: Any, who: str, _turn: int) -> None:
        """A name hit that is judged in writing to be somebody else."""
        rows = queries.all_rows(Application.objects.select_related("vault_key").get(pk=case.pk))
        findings = [
            actions.Finding(row.key, "name_hit", world.LIST, world.LIST_DATE, "同名", other_entity=True) for row in rows
        ]
        self.act("judge_hit", actions.record_findings, who, application=case, findings=findings)

    @tried("applications")
    def check_authority(self, case: Any, who: str, _turn: int) -> None:
        self.act("check_authority", actions.check_authority, who, application=case, method="registry")

    @tried("applications")
    def recommend(self, case: Any, who: str, turn: int) -> None:
        what = "reject" if turn == 6 else "approve"
        reasons = ["not_willing" if turn == 6 else "eligible"]
        self.act("recommend", actions.recommend, who, application=case, what=what, reasons=reasons)

    @tried("applications")
    def ask_correction(self, case: Any, who: str, turn: int) -> None:
        place = ("organization", "address") if turn % 2 else ("roster", "rows")
        items = [{"step": place[0], "field": place[1], "message": "請補正"}]
        self.act("ask_correction", actions.request_correction, who, application=case, items=items)

    @tried("applications")
    def answer_correction(self, case: Any, _who: str, turn: int) -> None:
        """By a word, or by another roster, attested anew or (what is refused) not."""
        kept = world.reread(case)
        items = queries.open_corrections(kept)
        given: dict[str, Any] = {}
        if turn > 1 and any(item.field == "rows" for item in items):
            rows = [{"name": f"浮標第{turn}倉儲股份有限公司", "ubn": world.business_number(700 + turn)}]
            given = {"roster": {"rows": rows}}
        if turn != 4:
            given["attestation"] = {**change_cases.ATTESTATION, "willing": True}
        link = Subject.link(
            case=case.number, rights=frozenset({Right.ANSWER_CORRECTION}),
            expires_at=self.clock.at + timedelta(days=400),
        )  # fmt: skip
        with self.deed("answer_correction"):
            actions.answer_corrections(
                application=kept, answers={item.pk: "已補正" for item in items}, changes=given, by=link,
                at=self.clock.tick(),
            )  # fmt: skip
        if self.went:
            self.ready.discard(str(case.pk))

    @tried("applications")
    def approve(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("approve", actions.approve, who, application=case, reasons=["eligible"])

    @tried("applications")
    def reject(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("reject", actions.reject, who, application=case, reasons=["not_willing"])

    @tried("applications")
    def send_to_review(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("send_to_review", actions.return_to_review, who, application=case)

    @tried("applications")
    def withdraw(self, case: Any, _who: str, _turn: int) -> None:
        with self.deed("withdraw"):
            actions.withdraw(application=case, by=cases.PUBLIC, at=self.clock.tick())

    # Changes of data

    @tried("memberships")
    def file_change(self, case: Any, _who: str, turn: int) -> None:
        """An address, which one person applies alone, or another row of the roster, for which all is checked again."""
        at, key = self.clock.tick(), self.key()
        by = self.member(at)
        rows = [{"name": f"浮標第{self.keys}倉儲股份有限公司", "ubn": world.business_number(800 + self.keys)}]
        filing = actions.Filing(
            organization={"address": f"示範市新址{self.keys}號"} if turn % 2 else {},
            roster={} if turn % 2 else {"add": rows},
            attestation=change_cases.ATTESTATION,
        )
        charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
        assert charter is not None
        assert privacy is not None
        with self.deed("file_change"):
            actions.file_change(
                membership=case, filing=filing, charter_id=charter.pk, privacy_id=privacy.pk, key=key, by=by, at=at
            )

    @tried("changes")
    def take_up_change(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("take_up_change", actions.take_up_change, who, case=case)

    @tried("changes")
    def screen_change(self, case: Any, who: str, turn: int) -> None:
        result = {2: "id_hit", 3: "name_hit"}.get(turn, "clear")
        kept = changes.change(case.number)
        assert kept is not None
        rows = changes.rows_to_screen(kept, self.clock.at)
        findings = [actions.Finding(row.key, result, world.LIST, world.LIST_DATE) for row in rows]
        if result == "clear":
            self.cleared.add(str(case.pk))
        else:
            self.cleared.discard(str(case.pk))
        self.act("screen_change", actions.record_change_findings, who, case=case, findings=findings)

    @tried("changes")
    def check_change(self, case: Any, who: str, _turn: int) -> None:
        self.act("check_change", actions.check_change_authority, who, case=case, method="registry")

    @tried("changes")
    def recommend_change(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        what = "reject" if turn == 6 else "approve"
        self.act("recommend_change", actions.recommend_change, who, case=case, what=what, text="已核對。")

    @tried("changes")
    def apply_change(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("apply_change", actions.apply_change, who, case=case)

    @tried("changes")
    def reject_change(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("reject_change", actions.reject_change, who, case=case, text="理由")

    @tried("changes")
    def return_change(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("return_change", actions.return_change, who, case=case)

    @tried("changes")
    def withdraw_change(self, case: Any, _who: str, _turn: int) -> None:
        self.speak("withdraw_change", actions.withdraw_change, case=case)

    # Lists

    @tried("memberships")
    def import_edition(self, case: Any, who: str, turn: int) -> None:
        """A new edition of the list of mainland enterprises, which may name the constituent; rosters are compared."""
        name = "燈塔保險有限公司" if turn < 4 else "紙飛機控股有限公司"
        self.lists += 1
        at = self.clock.tick()
        by, day = self.stage.people[who], world.LIST_DATE + timedelta(days=self.lists)
        self.edition = turn < 4
        with self.deed("import_edition"), transaction.atomic():
            content = lists.table(lists.MAINLAND, [("", name), ("", f"風箏第{self.lists}控股有限公司")])
            edition = actions.read_list(
                kind="mainland", list_date=min(day, taipei(at).date()), source=world.LIST, file_name="list.csv",
                content=content, by=by, at=at,
            )  # fmt: skip
            actions.import_list(edition=edition, by=by, at=at)
            if self.live:
                actions.screen_membership(membership=case, by=Subject.system("members.screen"), at=at)
        self.edition = None

    @tried("list_cases")
    def close_list_case(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        outcome = {1: "confirmed", 4: "confirmed", 5: "confirmed", 6: "settled"}.get(turn, "other")
        self.act("close_list_case", actions.close_list_case, who, case=case, outcome=outcome, note="已核對。")

    @tried("memberships")
    def screen_again(self, case: Any, _who: str, _turn: int) -> None:
        """By the system, as its sweep does: refused while no list was imported, or without a membership in force."""
        with self.deed("screen_again"):
            actions.screen_membership(membership=case, by=Subject.system("members.screen"), at=self.clock.tick())

    # Revocations

    @tried("memberships")
    def open_review(self, case: Any, who: str, turn: int) -> None:
        ground = "2.3" if turn == 5 else "1.4b"
        self.act("open_review", actions.open_revocation, who, membership=case, ground=ground, facts=cases.FACTS)

    @tried("revocations")
    def notify(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        ground = "2.3" if turn == 5 else "1.4b"
        self.act("notify", actions.give_notice, who, case=case, ground=ground, text="請陳述。")

    @tried("revocations")
    def state(self, case: Any, _who: str, _turn: int) -> None:
        self.speak("state", actions.file_statement, case=case, text="沒有意見。", files=[], key=self.key())

    @tried("revocations")
    def propose(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        ground = "2.3" if turn == 5 else "1.4b"
        self.act("propose", actions.propose, who, case=case, ground=ground, facts=cases.FACTS)

    @tried("revocations")
    def revoke(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("revoke", actions.revoke, who, case=case, text="理由")

    @tried("revocations")
    def close(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("close", actions.close_case, who, case=case, text="理由")

    @tried("revocations")
    def send_back(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("send_back", actions.send_back, who, case=case)

    @tried("revocations")
    def open_letter(self, case: Any, _who: str, _turn: int) -> None:
        self.speak("open_letter", actions.open_letter, case=case)

    @tried("revocations")
    def record_post(self, case: Any, who: str, turn: int) -> None:
        day = taipei(self.clock.at).date() - timedelta(days=turn > 5)
        self.act("record_post", actions.record_post, who, case=case, day=day, reference="掛號0001")

    # Appeals

    @tried("revocations")
    def appeal(self, case: Any, _who: str, _turn: int) -> None:
        """At any time, also against a revocation that was taken back, or after a termination: then it is refused."""
        states = {one["state"] for one in self.now["memberships"]}
        self.speak("appeal", actions.file_appeal, case=case, text="理由", files=[], key=self.key())
        if not self.went and states == {"terminated"}:
            self.stage.met["an appeal after a termination, refused"] += 1

    @tried("appeals")
    def recommend_appeal(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        what = "deny" if turn % 2 else "grant"
        self.act("recommend_appeal", actions.recommend_appeal, who, appeal=case, what=what, findings="已核對。")

    @tried("appeals")
    def grant_appeal(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        because = "explanation" if turn % 2 else "special"
        self.act("grant_appeal", actions.decide_appeal, who, appeal=case, grant=True, because=because, text="理由")

    @tried("appeals")
    def deny_appeal(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("deny_appeal", actions.decide_appeal, who, appeal=case, grant=False, text="理由")

    # Terminations

    @tried("memberships")
    def ask_to_leave(self, case: Any, _who: str, turn: int) -> None:
        handling = "return" if turn % 2 else "destroy"
        self.speak("ask_to_leave", actions.request_termination, membership=case, reason="理由", handling=handling)

    @tried("terminations")
    def take_back(self, case: Any, _who: str, _turn: int) -> None:
        self.speak("take_back", actions.withdraw_termination, case=case)

    @tried("terminations")
    def recommend_termination(self, case: Any, who: str, turn: int) -> None:
        self.impartial(case, who)
        what = "refuse" if turn == 6 else "grant"
        self.act("recommend_termination", actions.recommend_termination, who, case=case, what=what, findings="已核對。")

    @tried("terminations")
    def grant_termination(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("grant_termination", actions.grant_termination, who, case=case, text="理由")

    @tried("terminations")
    def refuse_termination(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("refuse_termination", actions.refuse_termination, who, case=case, text="理由")

    @tried("terminations")
    def return_termination(self, case: Any, who: str, _turn: int) -> None:
        self.impartial(case, who)
        self.act("return_termination", actions.return_termination, who, case=case)

    # People

    @tried("memberships")
    def invite(self, case: Any, _who: str, turn: int) -> None:
        """Somebody whom the administrator enters: the first that he hears is the privacy notice."""
        organization = Membership.objects.select_related("organization").get(pk=case.pk).organization
        self.speak(
            "invite", accounts.invite_colleague, name="石虛擬", email=f"{self.key()}@people.example", title="專員",
            phone="", organization=organization, group=organization, role=Role.MEMBER,
        )  # fmt: skip

    @tried("memberships")
    def join(self, case: Any, _who: str, _turn: int) -> None:
        """Who was invited comes: by the mailed link, and with an acknowledgement of the duty a second later."""
        waiting = Invitation.objects.filter(
            affiliation__group=case.organization_id, accepted_at__isnull=True, withdrawn_at__isnull=True
        ).select_related("affiliation__person__vault_key")
        invitation = min(waiting, key=lambda one: (one.affiliation.person.email, one.created_at), default=None)
        if invitation is None:
            return
        with self.deed("join"), transaction.atomic():
            _, path = accounts.resend(invitation=invitation, by=world.SYSTEM, at=self.clock.tick())
            opened = invitation_by_secret(path.rsplit("/", 1)[-1])
            assert opened is not None
            accounts.accept_invitation(invitation=opened, password=world.PASSWORD, at=self.clock.tick())
            affiliation = Affiliation.objects.get(pk=invitation.affiliation_id)
            at = self.clock.tick()
            by = subject_for(person=affiliation.person_id, affiliation=affiliation, at=at, mfa=True)
            acknowledge(affiliation=affiliation, by=by, at=at)
            self.acknowledged[str(affiliation.pk)] = at

    @tried("memberships")
    def leave(self, _case: Any, _who: str, turn: int) -> None:
        """Who joined leaves again, or (what is refused) the only administrator does."""
        # Whoever speaks for the member stays: what he may read is asked after each deed.
        speaker = str(self.first_admin().pk)
        joined = [one for one in self.acknowledged if one != speaker]
        affiliation = Affiliation.objects.get(pk=joined[turn % len(joined)]) if joined else self.first_admin()
        self.speak("leave", accounts.leave, affiliation=affiliation)

    # The office calendar

    @tried()
    def import_calendar(self, _case: Any, who: str, turn: int) -> None:
        """Days that begin to rest lengthen what runs, days that are worked shorten nothing."""
        running = [
            one
            for one in self.now["revocations"]
            if one["state"] in ("under_review", "proposed", "revoked")
            and (one["appeal_last_day"] if one["state"] == "revoked" else one["notice_last_day"])
        ]
        if not running:
            return
        case = running[turn % len(running)]
        limit = "appeal" if case["state"] == "revoked" else "notice"
        day, rests, at = date.fromisoformat(case[f"{limit}_last_day"]), turn == 0, self.clock.tick()
        self.stage.calendars += 1
        before, self.calendars = self.calendars, self.calendars + 1
        self.calendar = (case["id"], limit, at)
        with self.deed("import_calendar"):
            # Each edition has a name of its own, also among all histories: what was counted by it is remembered.
            actions.import_calendar(
                content=_year(day, rests), edition=f"test-{self.stage.calendars}", source="測試",
                by=self.stage.people[who], at=at,
            )  # fmt: skip
        self.calendar = None
        if not self.went:
            self.calendars = before

    # Steps

    def open_cases(self) -> list[tuple[str, dict[str, Any]]]:
        return [(kind, one) for kind, states in OPEN.items() for one in self.now[kind] if one["state"] in states]

    def dice(self, drawn: int) -> tuple[Random, int]:
        """Chance for one step, the same whatever idle steps a history has, and the turn that the step takes."""
        chance = Random(f"{self.number} {drawn} {self.deeds}")
        return chance, chance.choice(TURNS)

    @rule(drawn=DRAWN)
    def step(self, drawn: int) -> None:
        """One of the ways in which a history goes on. Hypothesis would leave some of them out of most histories."""
        chance, turn = self.dice(drawn)
        getattr(self, chance.choice(STEPS))(chance, turn)

    def go_on(self, chance: Random, turn: int) -> None:
        """What comes next in a case, done by whoever does it on other days."""
        found = self.open_cases()
        if found:
            kind, row = chance.choice(found)
            getattr(self, f"_next_of_{kind}")(row, turn)
        else:
            self.begin_anew(chance, turn)

    def to_decide(self) -> list[tuple[str, dict[str, Any]]]:
        return [one for one in self.open_cases() if one[0] != "list_cases"]

    def go_to_the_end(self, chance: Random, turn: int) -> None:
        """The usual way of a case to its decision, or until somebody refuses."""
        if not self.to_decide():
            self.begin_anew(chance, turn)
        found = self.to_decide()
        if not found:
            return
        kind, row = chance.choice(found)
        for _ in range(6):
            before = row
            getattr(self, f"_next_of_{kind}")(row, turn)
            row = self.of(kind, row["id"])
            if not self.went or row["state"] not in OPEN[kind]:
                return
            back = (before["state"], row["state"]) in (("recommended", "requested"), ("proposed", "under_review"))
            if back or (before.get("recommendation") and not row.get("recommendation")):
                turn = 0  # sent back once, and then brought to its end

    def begin_anew(self, chance: Random, turn: int) -> None:
        """What may begin where the membership stands now."""
        name, who = chance.choice(WAYS[self.held()["state"] if self.now["memberships"] else "none"])
        if name == "leave" and not self.acknowledged:
            self.perform("join", self.held())
        if name == "screen_again" and not self.lists:
            self.perform("import_edition", self.held(), "reviewer", turn)
        kind = DEEDS[name].about
        if kind and not self.now[kind]:
            name, kind = "send", ""
        self.perform(name, self.latest(kind), who, turn)
        judged = [one for one in self.now["list_cases"] if one["state"] == "open"]
        if name == "import_edition" and judged and chance.random() < 0.5:
            self._next_of_list_cases(judged[0], chance.choice(TURNS))

    def latest(self, kind: str) -> dict[str, Any] | None:
        if kind == "memberships":
            return self.held()
        return max(self.now[kind], key=lambda one: str(one["number"])) if kind else None

    def anybody_tries(self, chance: Random, turn: int) -> None:
        """Anything that there is something for, in whatever state, by whoever."""
        possible = [name for name, one in DEEDS.items() if not one.about or self.now[one.about]]
        name = chance.choice(possible)
        rows = self.now[DEEDS[name].about] if DEEDS[name].about else [None]
        self.perform(name, chance.choice(rows), chance.choice(ANYBODY), turn)

    def at_the_end_of_a_limit(self, chance: Random, turn: int) -> None:
        """An appeal or a statement at the very end of its last day: invariant 14."""
        if not self.running():
            self.go_on(chance, turn)
            return
        kind, case = self.running()[-1]
        if kind == "appeal" and turn < 6 and not case["appeal_arrived_at"]:
            self.perform("open_letter", case)
            case = self.of("revocations", case["id"])
        day = date.fromisoformat(case[f"{kind}_last_day"])
        self.wait_until(_midnight_after(day) + chance.choice(list(EDGES)))
        self.perform("appeal" if kind == "appeal" else "state", case)

    def running(self) -> list[tuple[str, dict[str, Any]]]:
        """Limits that have not ended: of a statement, of an appeal."""
        today = taipei(self.clock.at).date().isoformat()
        return [
            (kind, case)
            for case in self.now["revocations"]
            for kind, state in (("notice", "under_review"), ("notice", "proposed"), ("appeal", "revoked"))
            if case["state"] == state and (case[f"{kind}_last_day"] or "") >= today
        ]

    def at_the_end_of_a_day(self, chance: Random, turn: int) -> None:
        """The next step at midnight in Taipei: invariant 12 counts the day of an event, 3 the age of a list."""
        day = taipei(self.clock.at).date() + timedelta(days=chance.choice((0, 0, 13, 29, 120)))
        self.wait_until(_midnight_after(day) + chance.choice(list(EDGES)))
        self.go_to_the_end(chance, turn)

    def wait_until(self, at: datetime) -> None:
        """Let time pass so that the next deed is done at that instant; it never runs back."""
        if at > self.clock.at:
            self.clock.at = at - SECOND

    # The usual way of each kind of case. Somebody who may review and decide does either at times.

    def reviewer(self, turn: int) -> str:
        return "approver2" if turn == 1 else "reviewer"

    def decider(self, turn: int) -> str:
        return "approver2" if turn in (1, 2) else "approver"

    def _next_of_applications(self, row: dict[str, Any], turn: int) -> None:
        state = row["state"]
        if state == "submitted":
            if turn == 5:
                self.perform("declare", row, "analyst", 7)
            self.perform("take_up", row, self.reviewer(turn), 0)
        elif state == "correction_requested":
            self.perform("answer_correction", row, "", turn)
        elif state == "recommended":
            way = "approve" if row["recommendation"] == "approve" else "reject"
            self.perform("send_to_review" if turn == 7 else way, row, self.decider(turn))
        elif turn == 4 and row["id"] not in self.corrected:
            self.corrected.add(row["id"])
            self.perform("ask_correction", row, "reviewer", 0)
        elif row["id"] not in self.ready:
            self.ready.add(row["id"])
            self.perform("judge_hit" if turn == 3 else "screen", row, "reviewer", turn)
            self.perform("check_authority", row, "reviewer")
        else:
            self.perform("recommend", row, "reviewer", turn)
            if not self.went:
                self.ready.discard(row["id"])

    def _next_of_changes(self, row: dict[str, Any], turn: int) -> None:
        if row["state"] == "submitted":
            self.perform("withdraw_change" if turn == 5 else "take_up_change", row, "reviewer")
        elif row["recommendation"]:
            way = "apply_change" if row["recommendation"] == "approve" and turn != 6 else "reject_change"
            self.perform("return_change" if turn == 7 else way, row, self.decider(turn))
        elif set(row["risks"]) <= LIGHT_ALONE:
            self.perform("reject_change" if turn == 6 else "apply_change", row, "reviewer")
        elif row["id"] not in self.ready:
            self.ready.add(row["id"])
            self.perform("screen_change", row, "reviewer", turn)
            self.perform("check_change", row, "reviewer")
        else:
            self.perform("recommend_change", row, self.reviewer(turn), turn)
            if not self.went:
                self.ready.discard(row["id"])

    def _next_of_revocations(self, row: dict[str, Any], turn: int) -> None:
        ground = 5 if row["ground"] == "2.3" else 0
        if row["state"] == "proposed":
            self.perform({6: "close", 7: "send_back"}.get(turn, "revoke"), row, self.decider(turn))
        elif row["notice_ground"] != row["ground"]:
            self.perform("notify", row, "reviewer", ground)
        elif not any(one["revocation_id"] == row["id"] for one in self.now["statements"]) and turn < 7:
            self.perform("state", row)
        else:
            self.perform("propose", row, self.reviewer(turn), ground)

    def _next_of_appeals(self, row: dict[str, Any], turn: int) -> None:
        if row["state"] == "filed" and turn in (0, 3, 7):
            self.perform("recommend_appeal", row, "analyst", turn)
            return
        revoked = self.of("revocations", row["revocation_id"])
        took_part = self.reviewed.get(revoked["number"], set()) | {
            one["decided_by_id"] for one in self.now["decisions"] if one["revocation_id"] == revoked["id"]
        }
        who = "approver" if turn == 5 or str(self.stage.people["approver2"].person) in took_part else "approver2"
        self.perform("deny_appeal" if turn in (4, 6) else "grant_appeal", row, who, turn)

    def _next_of_terminations(self, row: dict[str, Any], turn: int) -> None:
        if row["state"] == "requested":
            self.perform("take_back" if turn == 5 else "recommend_termination", row, self.reviewer(turn), turn)
        else:
            way = {6: "refuse", 7: "return"}.get(turn, "grant")
            self.perform(f"{way}_termination", row, self.decider(turn))

    def _next_of_list_cases(self, row: dict[str, Any], turn: int) -> None:
        if turn in (6, 7):
            # An edition that does not name it any more.
            self.perform("import_edition", self.held(), "reviewer", 7)
        self.perform("close_list_case", row, "reviewer", 6 if turn == 7 else turn)


LIGHT_ALONE = {"contact"}
_IN_FORCE = (
    ("open_review", "reviewer"), ("ask_to_leave", ""), ("file_change", ""), ("file_change", ""),
    ("import_edition", "reviewer"), ("import_edition", "reviewer"), ("invite", ""), ("join", ""), ("leave", ""),
    ("leave", ""), ("screen_again", ""), ("import_calendar", "reviewer"),
)  # fmt: skip
WAYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "none": (("send", ""), ("send", ""), ("withdraw", "")),
    "active": _IN_FORCE,
    "revocation_review": (*_IN_FORCE, ("ask_to_leave", ""), ("ask_to_leave", "")),
    "termination_requested": (*_IN_FORCE, *[("open_review", "reviewer")] * 4),
    "revoked": (
        ("appeal", ""), ("appeal", ""), ("open_letter", ""), ("record_post", "reviewer"), ("send", ""),
        ("import_calendar", "reviewer"), ("import_calendar", "reviewer"), ("import_calendar", "reviewer"),
    ),
    "terminated": (("send", ""), ("appeal", ""), ("appeal", "")),
}  # fmt: skip
"""What may begin where a membership stands, and who does it of the staff."""


def _midnight_after(day: date) -> datetime:
    return utc(datetime.combine(day + timedelta(days=1), time.min, tzinfo=TAIPEI))


@lru_cache(maxsize=256)
def _year(day: date, longer: bool) -> bytes:
    """The year of this day with the day itself at rest, or with every day of it worked."""
    days = [date(day.year, 1, 1) + timedelta(days=place) for place in range(365 + (day.year % 4 == 0))]
    rests = {one for one in days if longer and (one == day or one.weekday() > 4)}
    return "\n".join(["date,off", *(f"{one},{'rest' if one in rests else 'work'}" for one in days)]).encode()
