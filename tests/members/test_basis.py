"""Every decision can say what it rests on beside the clauses: kept, in its letter, on its page (charter art. 6)."""

from __future__ import annotations

import pytest
from django.utils.html import escape

from lianfang.members import actions, queries
from lianfang.members.models import Decision
from tests import world
from tests.members import cases, change_cases

pytestmark = pytest.mark.django_db
BASIS = "行政程序法第8條，誠信原則"


def rests(decision: Decision) -> None:
    kept = cases.decision(pk=decision.pk)
    assert kept.basis == BASIS
    assert f"另依據（規章6）：{BASIS}" in kept.letter_zh
    assert f"It rests further on (Charter 6): {BASIS}" in kept.letter_en


def test_every_kind_of_decision_keeps_and_prints_what_else_it_rests_on(made: world.World) -> None:
    by, clock = made.approver.subject, made.clock
    asked = {"basis": f" {BASIS} "}
    # Applications
    approved = cases.recommended(made, 61)
    cases.declare(made, approved, made.approver)
    actions.approve(application=approved, reasons=["eligible"], **asked, by=by(), at=clock.tick())
    rests(queries.decisions(application=approved)[0])
    rejected = cases.recommended(made, 62)
    cases.declare(made, rejected, made.approver)
    rests(actions.reject(application=rejected, reasons=["not_willing"], **asked, by=by(), at=clock.tick()))
    # Changes, of the light class and of the heavy one
    light = change_cases.taken_up(made, change_cases.file(made, made.jia, organization={"address": "示範市新址路9號"}))
    reviewer = made.reviewer.subject()
    rests(actions.apply_change(case=light, **asked, by=reviewer, at=clock.tick()))
    again = change_cases.taken_up(made, change_cases.file(made, made.jia, organization={"address": "示範市再遷路1號"}))
    rests(actions.reject_change(case=again, text="看不清楚。", **asked, by=reviewer, at=clock.tick()))
    # Ends of memberships
    case = cases.proposed(made, made.yi)
    kept = actions.close_case(case=case, text="已改善。", **asked, by=by(), at=clock.tick())
    rests(kept)
    assert "已改善。" in kept.letter_zh
    revoked = cases.proposed(made, made.yi)
    rests(actions.revoke(case=revoked, **asked, by=by(), at=clock.tick()))
    appeal = cases.appealed(made, cases.again(revoked), made.yi.admin)
    cases.declare(made, appeal, made.approver2)
    rests(
        actions.decide_appeal(
            appeal=appeal, grant=False, text="沒有理由。", **asked, by=made.approver2.subject(), at=clock.tick()
        )
    )
    leaving = actions.request_termination(
        membership=made.bing.membership,
        reason="改組",
        handling="destroy",
        by=made.bing.admin.subject(),
        at=clock.tick(),
    )
    cases.declare(made, leaving, made.reviewer, made.approver)
    actions.recommend_termination(
        case=leaving, what="grant", findings="沒有未了的事。", by=made.reviewer.subject(), at=clock.tick()
    )
    rests(actions.grant_termination(case=leaving, **asked, by=by(), at=clock.tick()))
    staff = made.client(made.approver)
    for path in (
        f"cases/{approved.number}", f"changes/{light.number}", f"revocations/{revoked.number}",
        f"appeals/{appeal.number}", f"terminations/{leaving.number}",
    ):  # fmt: skip
        page = staff.get(f"/staff/{path}").content.decode()
        assert escape(BASIS) in page, path


def test_the_pages_of_a_decision_ask_for_it_and_show_it_in_the_letter_before_it_is_signed(made: world.World) -> None:
    case = cases.recommended(made, 63)
    cases.declare(made, case, made.approver)
    staff, path = made.client(made.approver), f"/staff/cases/{case.number}/decide/approve"
    given = {"reasons": ["eligible"], "text": "", "basis": BASIS}
    assert f"另依據（規章6）：{BASIS}" in staff.post(path, {**given, "preview": "1"}).content.decode()
    assert staff.post(path, {**given, "sign": "1", "second_factor_code": made.approver.code()}).status_code == 302
    rests(queries.decisions(application=case)[0])
    change = change_cases.taken_up(made, change_cases.file(made, made.jia, organization={"address": "示範市新址路9號"}))
    reviewer, path = made.client(made.reviewer), f"/staff/changes/{change.number}/decide/apply"
    assert f"另依據（規章6）：{BASIS}" in reviewer.post(path, {"basis": BASIS, "preview": "1"}).content.decode()
    assert (
        reviewer.post(path, {"basis": BASIS, "sign": "1", "second_factor_code": made.reviewer.code()}).status_code
        == 302
    )
    rests(queries.decisions(change=change)[0])
    # What nobody wrote leaves no line.
    plain = cases.recommended(made, 64)
    cases.declare(made, plain, made.approver)
    decision = actions.reject(
        application=plain, reasons=["not_willing"], by=made.approver.subject(), at=made.clock.tick()
    )
    assert "另依據" not in decision.letter_zh
    assert "rests further" not in decision.letter_en
