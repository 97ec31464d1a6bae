"""Before a revocation the member is told and heard (N8), under 5.3 to correct; after it: arrival, re-review."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.accounts import actions as accounts
from lianfang.kernel.clock import taipei
from lianfang.kernel.deadlines import TAIWAN_OFFICE, Deadline
from lianfang.members import actions, queries
from lianfang.members.models import Arrival, Constituent, Decision, Membership, Revocation, Statement
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Duty
from tests import world
from tests.members import cases
from tests.members.test_terminating import refused

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def decide(made: world.World, name: str, value: Any) -> None:
    """Let two approvers change a setting, from now on."""
    at = made.clock.tick()
    proposal = accounts.propose_setting(
        name=name, value=value, reason="試行", effective_at=at, by=made.approver.subject(), at=at
    )
    accounts.approve_setting(proposal=proposal, by=made.approver2.subject(), at=made.clock.tick())
    made.clock.tick()


def notice(made: world.World, case: Revocation, ground: str = "1.4b") -> Deadline:
    by = made.reviewer.subject()
    return actions.give_notice(
        case=case, ground=ground, text="請說明六月以來未回覆的原因。", by=by, at=made.clock.tick()
    )


def propose(made: world.World, case: Revocation, at: datetime | None = None, ground: str = "1.4b") -> None:
    when = at or made.clock.tick()
    actions.propose(case=case, ground=ground, facts=cases.FACTS, by=made.reviewer.subject(when), at=when)


def state(made: world.World, case: Revocation, at: datetime | None = None, **more: Any) -> Any:
    """Say it as the member's administrator."""
    when = at or made.clock.tick()
    given = {"text": "當時正在搬遷。", "files": [], "key": f"k{when}"[:64], **more}
    return actions.file_statement(case=case, by=made.jia.admin.subject(when), at=when, **given)


def test_nobody_is_revoked_unheard(made: world.World) -> None:
    case = cases.opened(made)
    assert "N8" in refused(lambda: propose(made, case)).reason.en
    limit = notice(made, case)
    assert (limit.days, limit.rule) == (14, "D8")
    mails = [one for one in cases.mails(kind="N8") if case.number in one.body_text]
    assert {one.to for one in mails} == {made.jia.admin.person.email, made.jia.deputy.person.email}
    assert limit.last_day.isoformat() in mails[0].body_text
    assert "未能" in mails[0].body_text or "未積極" in mails[0].body_text
    running = refused(lambda: propose(made, case, limit.ends_at - TICK))
    assert "time for the member's statement runs" in running.reason.en
    propose(made, case, limit.ends_at)
    assert cases.again(case).state == "proposed"


def test_a_statement_ends_the_wait_and_is_kept_with_its_files(made: world.World) -> None:
    case = cases.opened(made)
    notice(made, case)
    upload = read_upload(name="搬遷證明.pdf", content=world.PDF, field="files")
    one = state(made, case, files=[upload], key="form")
    assert state(made, case, key="form") == one, "the same form again is the same statement"
    assert (one.late, [file.filename for file in one.files.all()]) == (False, ["搬遷證明.pdf"])
    for stranger in (made.yi.admin, made.jia.member, made.reviewer):
        refused(
            lambda by=stranger: actions.file_statement(  # type: ignore[misc]
                case=case, text="x", files=[], key="other", by=by.subject(), at=made.clock.tick()
            )
        )
    propose(made, case)
    page = made.client(made.reviewer).get(f"/staff/revocations/{case.number}").content.decode()
    assert "當時正在搬遷" in page
    file = one.files.get()
    got = made.client(made.reviewer).get(f"/staff/revocations/{case.number}/statements/{file.pk}")
    assert b"".join(got.streaming_content) == world.PDF  # type: ignore[attr-defined]
    # Said once more while the decision is awaited, past the limit: kept, and marked.
    limit = cases.again(case).notice
    assert limit is not None
    assert state(made, case, limit.ends_at - TICK).late is False
    assert state(made, case, limit.ends_at).late is True


def test_another_ground_or_notice_needs_another_hearing_and_no_limit_shrinks(made: world.World) -> None:
    case = cases.opened(made)
    first = notice(made, case)
    state(made, case)
    assert "N8" in refused(lambda: propose(made, case, ground="2.3")).reason.en
    decide(made, "hearing_days", 7)
    second = notice(made, case, "2.3")
    assert second.last_day >= first.last_day
    assert queries.hearing(cases.again(case), "2.3", made.clock.at) == "running"
    assert queries.hearing(cases.again(case), "1.4b", made.clock.at) == "needed"


def test_switched_off_it_is_left_out_but_the_chance_to_correct_is_not(made: world.World) -> None:
    decide(made, "revocation_hearing", False)
    case = cases.opened(made)
    refused(lambda: propose(made, case, ground="5.3"))
    propose(made, case)
    assert cases.again(case).state == "proposed"
    other = cases.opened(made, made.yi, "5.3")
    refused(lambda: propose(made, other, ground="5.3"))
    limit = notice(made, other, "5.3")
    propose(made, other, limit.ends_at, ground="5.3")


def test_the_page_of_the_member(made: world.World) -> None:
    admin = made.client(made.jia.admin)
    assert admin.get("/member/organisation/hearing").status_code == 404
    made.clock.at = datetime.now(UTC)
    case = cases.opened(made)
    assert admin.get("/member/organisation/hearing").status_code == 404, "nothing was alleged yet"
    notice(made, case)
    assert "陳述" in admin.get("/member").content.decode()
    page = admin.get("/member/organisation/hearing")
    assert "請說明六月以來未回覆的原因" in page.content.decode()
    empty = admin.post("/member/organisation/hearing", {"text": " ", "key": page.context["key"]})
    assert empty.status_code == 422
    sent = {"text": "已指派新的窗口。", "key": page.context["key"], "files": SimpleUploadedFile("a.pdf", world.PDF)}
    assert admin.post("/member/organisation/hearing", sent).status_code == 302
    assert Statement.objects.get(revocation=case).text == "已指派新的窗口。"
    assert "已指派新的窗口" in admin.get("/member/organisation/hearing").content.decode()
    assert made.client(made.yi.admin).get("/member/organisation/hearing").status_code == 404


# Arrival


def test_the_time_runs_from_proven_arrival_and_an_accepted_mail_is_none(made: world.World) -> None:
    case = cases.revoked(made)
    first = case.deadline
    assert first is not None
    assert case.awaits_arrival
    assert "送達" in Decision.objects.get(revocation=case).letter_zh
    # Weeks after what would have been the last day: not late, as nothing proves that it arrived.
    late = first.ends_at + timedelta(days=40)
    assert cases.appealed(made, case, made.jia.admin, at=late).late is False
    opened = late + timedelta(days=1)
    actions.open_letter(case=case, by=made.jia.admin.subject(opened), at=opened)
    now = cases.again(case)
    wanted = Deadline.count(event=opened, rule="D1", days=30, calendar=TAIWAN_OFFICE)
    assert now.deadline == wanted
    assert not now.awaits_arrival
    assert cases.appealed(made, case, made.jia.admin, key="k2", at=wanted.ends_at - TICK).late is False
    assert cases.appealed(made, case, made.jia.admin, key="k3", at=wanted.ends_at).late is True


def test_only_the_first_proof_counts_and_only_once(made: world.World) -> None:
    case = cases.revoked(made)
    by, at = made.jia.admin.subject(), made.clock.tick(days=2)
    assert actions.open_letter(case=case, by=made.jia.admin.subject(at), at=at) is True
    limit = cases.again(case).deadline
    assert actions.open_letter(case=case, by=made.jia.admin.subject(at), at=made.clock.tick(days=1)) is False
    day = made.clock.tick(days=3).date()
    actions.record_post(case=case, day=day, reference="R12345", by=made.reviewer.subject(), at=made.clock.tick())
    assert cases.again(case).deadline == limit
    assert [one.how for one in Arrival.objects.order_by("pk")] == ["opened", "post"]
    refused(lambda: actions.open_letter(case=case, by=made.jia.member.subject(), at=made.clock.tick()))
    assert by.person is not None


def test_a_day_of_registered_post_is_entered_by_staff(made: world.World) -> None:
    case = cases.revoked(made)
    assert case.decided_at is not None
    effect = (case.decided_at + timedelta(hours=8)).date()

    def enter(day: date, reference: str = "R12345", by: world.Actor | None = None) -> Any:
        return lambda: actions.record_post(
            case=case, day=day, reference=reference, by=(by or made.reviewer).subject(), at=made.clock.tick()
        )

    made.clock.tick(days=9)
    assert refused(enter(effect - timedelta(days=1))).field == "day"
    assert refused(enter(effect + timedelta(days=30))).field == "day"
    assert refused(enter(effect, " ")).field == "reference"
    refused(enter(effect, by=made.jia.admin))
    enter(effect + timedelta(days=5))()
    found = cases.again(case).deadline
    assert found is not None
    assert found.last_day == TAIWAN_OFFICE.next_workday(effect + timedelta(days=35))


def test_by_the_other_setting_the_time_runs_from_the_effect(made: world.World) -> None:
    decide(made, "appeal_start", "effect")
    case = cases.revoked(made)
    limit = case.deadline
    assert limit is not None
    assert not case.awaits_arrival
    assert "即為送達" not in Decision.objects.get(revocation=case).letter_zh
    at = limit.ends_at
    actions.open_letter(case=case, by=made.jia.admin.subject(at), at=at)
    assert cases.again(case).deadline == limit
    assert cases.appealed(made, case, made.jia.admin, at=at).late is True


def test_opening_the_letter_on_the_exit_page_is_the_proof(made: world.World) -> None:
    case = made.revocation
    admin = made.client(made.former.admin)
    before = admin.get("/exit").content.decode()
    assert "至少可以申訴到" in before
    admin.head("/exit/letter")
    made.client(made.former.member).get("/exit/letter")
    assert not Arrival.objects.exists()
    shut = admin.get("/exit/letter").content.decode()
    assert "開啟信函" in shut
    assert cases.FACTS not in shut
    assert not Arrival.objects.exists(), "looking changes nothing"
    assert made.client(made.former.member).post("/exit/letter").status_code == 404
    assert cases.FACTS in admin.post("/exit/letter").content.decode()
    assert cases.FACTS in admin.get("/exit/letter").content.decode()
    admin.post("/exit/letter")
    assert Arrival.objects.get().how == "opened"
    assert not cases.again(case).awaits_arrival
    assert "至少可以申訴到" not in admin.get("/exit").content.decode()


# Re-review


def test_others_review_again_and_a_third_decides(made: world.World) -> None:
    for actor in (made.analyst, made.approver):
        cases.give(made, actor, Duty.REVIEWER)
    appeal = cases.appealed(made, cases.revoked(made), made.jia.admin)
    cases.declare(made, appeal, made.reviewer, made.approver, made.approver2, made.analyst)

    def recommend(by: world.Actor, findings: str = "搬遷屬實，已補正。", what: str = "grant") -> Any:
        return lambda: actions.recommend_appeal(
            appeal=appeal, what=what, findings=findings, by=by.subject(), at=made.clock.tick()
        )

    for first in (made.reviewer, made.approver):
        assert "again" in refused(recommend(first)).reason.en
    refused(recommend(made.approver2))
    assert refused(recommend(made.analyst, what="perhaps")).field == "what"
    refused(recommend(made.analyst, " "))
    recommend(made.analyst)()
    found = queries.appeal(appeal.number)
    assert found is not None
    assert (found.state, found.recommendation) == ("recommended", "grant")
    page = made.client(made.approver2).get(f"/staff/appeals/{appeal.number}").content.decode()
    assert "搬遷屬實，已補正" in page
    cases.give(made, made.analyst, Duty.APPROVER)
    again = refused(
        lambda: actions.decide_appeal(
            appeal=appeal, grant=True, because="special", text="x", by=made.analyst.subject(), at=made.clock.tick()
        )
    )
    assert again.rule == "S-review"
    decision = actions.decide_appeal(
        appeal=appeal, grant=True, because="special", text="屬實", by=made.approver2.subject(), at=made.clock.tick()
    )
    assert decision.reviewed_by_id == made.analyst.person.pk


def test_a_restoration_names_why_and_brings_nothing_back_by_itself(made: world.World) -> None:
    member = made.ding
    before = {row.pk: row.screening for row in Constituent.objects.filter(group=member.organization)}
    assert "clear" in before.values()
    case = cases.revoked(made, member)
    appeal = cases.appealed(made, case, member.admin)
    cases.declare(made, appeal, made.approver2)

    def grant(because: str) -> Any:
        return lambda: actions.decide_appeal(
            appeal=appeal, grant=True, because=because, text="屬實", by=made.approver2.subject(), at=made.clock.tick()
        )

    assert refused(grant("")).field == "because"
    assert refused(grant("mercy")).field == "because"
    decision = grant("special")()
    assert decision.reasons == ["special"]
    assert "特殊情況" in decision.letter_zh
    held = Membership.objects.get(pk=member.membership.pk)
    assert (held.state, held.ended_at) == ("active", None), "the same membership"
    spells = list(held.intervals.order_by("began_at"))
    assert spells[0].ended_at == case.decided_at
    assert spells[1].began_at == made.clock.at
    assert {row.screening for row in Constituent.objects.filter(group=member.organization)} <= {"pending"}
    assert not made.wu.subject().constituent_ok
    assert all(token.revoked_at for token, _ in made.tokens.values() if token.affiliation.group_id == held.pk)


def test_an_appeal_lies_against_every_ground_until_the_setting_says_otherwise(made: world.World) -> None:
    for member, ground in ((made.jia, "2.3"), (made.yi, "5.3")):
        case = cases.revoked(made, member, ground)
        assert cases.appealed(made, case, member.admin, key=ground).revocation_id == case.pk
    decide(made, "appeal_for_all_grounds", False)
    case = cases.revoked(made, made.bing, "2.3")
    assert refused(lambda: cases.appealed(made, case, made.bing.admin, key="x")).rule == "appeal-ground"


def test_the_pages_of_the_staff(made: world.World) -> None:
    made.clock.at = datetime.now(UTC)
    case = cases.opened(made)
    reviewer = made.client(made.reviewer)
    address = f"/staff/revocations/{case.number}"
    assert reviewer.get(f"{address}/notice").status_code == 200
    assert reviewer.post(f"{address}/notice", {"ground": "1.4b", "text": ""}).status_code == 422
    assert reviewer.post(f"{address}/notice", {"ground": "1.4b", "text": "請陳述。"}).status_code == 302
    assert "請陳述。" in reviewer.get(address).content.decode()
    made.clock.at = datetime.now(UTC)
    state(made, case)
    propose(made, case)
    actions.revoke(case=case, by=made.approver.subject(), at=made.clock.tick())
    assert "尚未證明送達" in reviewer.get(address).content.decode()
    today = taipei(datetime.now(UTC)).date().isoformat()
    assert reviewer.post(f"{address}/arrival", {"day": "115/11/01", "reference": "R1"}).status_code == 422
    assert reviewer.post(f"{address}/arrival", {"day": today, "reference": "R1"}).status_code == 302
    assert "R1" in reviewer.get(address).content.decode()
    assert made.client(made.analyst).get(f"{address}/notice").status_code == 403
