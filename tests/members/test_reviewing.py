"""The review of an application: take up, conflicts, findings, authority, corrections, recommendation, return."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.actions import Finding
from lianfang.members.models import Application
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Duty
from tests import world
from tests.members.cases import (
    PUBLIC,
    Ledger,
    asked,
    declare,
    give,
    link,
    mails,
    recommend,
    recommended,
    sent,
    taken_up,
)

ROWS = (("戊三資訊", world.business_number(301)), ("沒有統編的協會", ""))


def finding(row: Any, result: str = "clear", **more: Any) -> Finding:
    return replace(Finding(row.key, result, world.LIST, world.LIST_DATE), **more)


def record(made: world.World, application: Application, *findings: Finding, by: world.Actor | None = None) -> None:
    actor = by or made.reviewer
    actions.record_findings(application=application, findings=findings, by=actor.subject(), at=made.clock.tick())


def rule(caught: pytest.ExceptionInfo[Refusal]) -> tuple[str, str]:
    return str(caught.value.rule), str(caught.value.field or "")


# Taking up and conflicts


def test_nothing_is_taken_up_before_a_declaration_nor_with_a_conflict(made: world.World) -> None:
    application = sent(made)
    take = {"application": application, "by": made.reviewer.subject()}
    with pytest.raises(Refusal, match="Declare first"):
        actions.take_up(**take, at=made.clock.tick())
    declare(made, application, made.reviewer, conflict=True)
    with pytest.raises(Refusal, match="conflict of interest"):
        actions.take_up(**take, at=made.clock.tick())
    declare(made, application, made.reviewer)
    with Ledger() as ledger:
        actions.take_up(**take, at=made.clock.tick())
    assert ledger.tags() == ["members:application:take_up"]
    kept = world.reread(application)
    assert (kept.state, kept.reviewer_id) == ("under_review", made.reviewer.person.pk)
    with pytest.raises(Refusal, match="not possible"):
        actions.take_up(**take, at=made.clock.tick())


def test_a_conflict_is_named_and_the_last_declaration_counts(made: world.World) -> None:
    application = sent(made)
    by = made.reviewer.subject()
    with pytest.raises(Refusal) as caught:
        actions.declare_conflict(case=application, conflict=True, reason=" ", by=by, at=made.clock.tick())
    assert rule(caught) == ("conflict-reason", "reason")
    number = application.number or ""
    assert queries.conflict_of(number, made.reviewer.person.pk) is None
    for conflict in (True, False, True):
        declare(made, application, made.reviewer, conflict=conflict)
        assert queries.conflict_of(number, made.reviewer.person.pk) is conflict
    declare(made, application, made.approver)
    assert queries.conflicted(number) == {made.reviewer.person.pk}
    assert queries.conflict_of(number, None) is None


def test_a_declaration_in_one_case_says_nothing_of_another(made: world.World) -> None:
    one, two = sent(made, 36), sent(made, 37)
    declare(made, one, made.reviewer)
    with pytest.raises(Refusal, match="Declare first"):
        actions.take_up(application=two, by=made.reviewer.subject(), at=made.clock.tick())


@pytest.mark.parametrize("who", ["approver", "analyst", "auditor", "operator", "granter1", "privacy_officer", "legal"])
def test_only_the_duty_of_a_reviewer_reviews(made: world.World, who: str) -> None:
    actor = getattr(made, who)
    waiting = sent(made, 38)
    declare(made, waiting, actor)
    case = taken_up(made, 39)
    row = queries.all_rows(case)[0]
    by = actor.subject()
    acts: list[Any] = [
        lambda at: actions.take_up(application=waiting, by=by, at=at),
        lambda at: actions.record_findings(application=case, findings=[finding(row)], by=by, at=at),
        lambda at: actions.check_authority(application=case, method="registry", by=by, at=at),
        lambda at: actions.request_correction(application=case, items=[], by=by, at=at),
        lambda at: actions.recommend(application=case, what="reject", reasons=["not_willing"], by=by, at=at),
    ]
    for act in acts:
        with pytest.raises(Refusal) as caught:
            act(made.clock.tick())
        assert str(caught.value.rule).startswith("G-")
    assert world.reread(case).state == "under_review"


@pytest.mark.parametrize("who", ["jia", "former"])
def test_members_have_no_hand_in_it(made: world.World, who: str) -> None:
    case = taken_up(made)
    by = getattr(made, who).admin.subject()
    with pytest.raises(Refusal):
        actions.declare_conflict(case=case, conflict=False, by=by, at=made.clock.tick())
    with pytest.raises(Refusal):
        actions.add_note(case=case, text="x", by=by, at=made.clock.tick())
    (file,) = queries.files(case)
    with pytest.raises(Refusal):
        actions.read_attachment(application=case, attachment_id=file.pk, by=by, at=made.clock.tick())


def test_a_second_factor_is_needed_for_every_step(made: world.World) -> None:
    case = taken_up(made)
    with pytest.raises(Refusal):
        actions.check_authority(
            application=case, method="registry", by=made.reviewer.subject(mfa=False), at=made.clock.tick()
        )


# Findings


def test_every_row_needs_a_finding_the_applicant_too(made: world.World) -> None:
    case = taken_up(made, constituents=ROWS)
    actions.check_authority(application=case, method="registry", by=made.reviewer.subject(), at=made.clock.tick())
    us, one, two = queries.all_rows(case)
    assert us.name == case.name_zh
    for rows, missing in (((), 3), ((one, two), 1), ((us,), 0)):
        if rows:
            record(made, case, *[finding(row) for row in rows])
        ready = queries.readiness(case, made.clock.at)
        assert (ready.rows, ready.rows - ready.screened) == (3, missing)
        if missing:
            with pytest.raises(Refusal, match=f"{missing} roster rows"):
                recommend(made, case)
    recommend(made, case)
    assert world.reread(case).state == "recommended"


@pytest.mark.parametrize(
    ("changed", "rule_", "field"),
    [
        ({"row_key": "0" * 64}, "finding-row", ""),
        ({"row_key": ""}, "finding-row", ""),
        ({"result": "nonsense"}, "finding-result", "result"),
        ({"result": ""}, "finding-result", "result"),
        ({"source": " "}, "finding-source", "source"),
        ({"source": "長" * 121}, "finding-source", "source"),
        ({"list_date": date(2026, 11, 5)}, "finding-date", "list_date"),
        ({"result": "name_hit", "other_entity": True, "note": " "}, "finding-reason", "note"),
    ],
)
def test_a_finding_that_says_nothing_is_refused_whole(
    made: world.World, changed: dict[str, Any], rule_: str, field: str
) -> None:
    made.clock.at = made.clock.at.replace(day=4, hour=10)
    case = taken_up(made, constituents=ROWS)
    us, one, _ = queries.all_rows(case)
    with pytest.raises(Refusal) as caught:
        record(made, case, finding(us), finding(one, **changed))
    assert rule(caught) == (rule_, field)
    assert queries.findings(case) == {}, "not even the good one was kept"


def test_the_date_of_a_list_is_compared_with_the_day_in_taipei(made: world.World) -> None:
    made.clock.at = made.clock.at.replace(day=4, hour=15, minute=59, second=0)
    case = taken_up(made)
    (us,) = queries.all_rows(case)
    with pytest.raises(Refusal):
        record(made, case, finding(us, list_date=date(2026, 11, 5)))
    made.clock.at = made.clock.at.replace(hour=16)
    record(made, case, finding(us, list_date=date(2026, 11, 5)))


def test_the_latest_finding_of_a_row_counts_and_the_earlier_stay(made: world.World) -> None:
    case = taken_up(made)
    (us,) = queries.all_rows(case)
    for result in ("id_hit", "name_hit", "clear", "unverifiable"):
        record(made, case, finding(us, result))
        assert queries.findings(case)[us.key].result == result
    assert case.findings.count() == 4
    record(made, case, finding(us, "clear"), finding(us, "id_hit"))
    assert queries.findings(case)[us.key].result == "id_hit", "told twice at once, the later word counts"


def test_only_a_name_match_can_be_judged_to_be_somebody_else(made: world.World) -> None:
    case = taken_up(made)
    (us,) = queries.all_rows(case)
    for result, judged in (("clear", False), ("id_hit", False), ("unverifiable", False), ("name_hit", True)):
        record(made, case, finding(us, result, other_entity=True, note="地址不同"))
        assert queries.findings(case)[us.key].other_entity is judged
    ready = queries.readiness(case, made.clock.at)
    assert (ready.unjudged_name_hits, ready.id_hits) == (0, 0)


def test_counts_in_the_ledger_and_no_word_of_the_note(made: world.World) -> None:
    case = taken_up(made, constituents=ROWS)
    us, one, two = queries.all_rows(case)
    with Ledger() as ledger:
        record(made, case, finding(us), finding(one, "name_hit", note="同名"), finding(two, "unverifiable"))
    (entry,) = ledger.entries()
    assert entry.detail == {
        "rows": 3, "clear": 1, "name_hit": 1, "id_hit": 0, "unverifiable": 1, "roster": case.roster_hash,
    }  # fmt: skip


def test_a_list_of_exactly_the_allowed_age_counts_and_one_day_older_does_not(made: world.World) -> None:
    case = taken_up(made)
    (us,) = queries.all_rows(case)
    record(made, case, finding(us))
    limit = world.LIST_DATE + timedelta(days=90)
    noon = made.clock.at.replace(year=limit.year, month=limit.month, day=limit.day, hour=3)
    assert queries.readiness(case, noon).list_too_old == 0
    assert queries.readiness(case, noon + timedelta(days=1)).list_too_old == 1


@pytest.mark.parametrize("state", ["submitted", "recommended"])
def test_findings_belong_to_a_review_that_runs(made: world.World, state: str) -> None:
    case = sent(made) if state == "submitted" else recommended(made)
    row = queries.all_rows(case)[0]
    with pytest.raises(Refusal) as caught:
        record(made, case, finding(row))
    assert rule(caught)[0] == "application-state"
    with pytest.raises(Refusal):
        actions.check_authority(application=case, method="registry", by=made.reviewer.subject(), at=made.clock.tick())


# Authority


def test_how_authority_was_checked_is_one_of_the_procedures_ways(made: world.World) -> None:
    case = taken_up(made)
    by = made.reviewer.subject()
    for method in ("", "nonsense", "REGISTRY"):
        with pytest.raises(Refusal) as caught:
            actions.check_authority(application=case, method=method, by=by, at=made.clock.tick())
        assert rule(caught) == ("authority-method", "method")
    assert not queries.readiness(case, made.clock.at).authority_checked
    actions.check_authority(application=case, method="call_back", note="字" * 5000, by=by, at=made.clock.tick())
    assert queries.readiness(case, made.clock.at).authority_checked
    assert len(case.authority_checks.get().note) == 4000


# Corrections


def test_corrections_are_itemised_dated_and_mailed(made: world.World) -> None:
    case = taken_up(made)
    with Ledger() as ledger:
        items = asked(made, case, "organization.address", "people.admin1_phone")
    kept = world.reread(case)
    assert kept.state == "correction_requested"
    assert [(item.round, item.place) for item in items] == [(1, 1), (1, 2)]
    assert items[0].old_value == "示範市測試路1號"
    assert timedelta(days=14) <= kept.due_at - made.clock.at <= timedelta(days=20)
    assert {item.due_at for item in items} == {kept.due_at}
    (entry,) = ledger.entries("members:application:correct")
    assert entry.detail["fields"] == ["organization.address", "people.admin1_phone"]
    (mail,) = mails("apply@a21.example", "N2")
    assert "請補正organization.address" in mail.body_text
    assert f"/apply/case/{case.secret}" in mail.body_text


@pytest.mark.parametrize(
    ("items", "rule_", "field"),
    [
        ([], "correction-item", "message"),
        ([{"step": "organization", "field": "address", "message": " "}], "correction-message", "message"),
        ([{"step": "organization", "field": "nothing", "message": "x"}], "correction-field", "field"),
        ([{"step": "nothing", "field": "address", "message": "x"}], "correction-field", "field"),
        ([{"step": "", "field": "", "message": "x"}], "correction-field", "field"),
    ],
)
def test_a_correction_names_its_field_and_what_to_do(
    made: world.World, items: list[dict[str, str]], rule_: str, field: str
) -> None:
    case = taken_up(made)
    with pytest.raises(Refusal) as caught:
        actions.request_correction(application=case, items=items, by=made.reviewer.subject(), at=made.clock.tick())
    assert rule(caught) == (rule_, field)
    assert world.reread(case).state == "under_review"
    assert mails("apply@a21.example", "N2") == []


def answer(made: world.World, case: Application, items: list[Any], changes: dict[str, Any], **said: str) -> None:
    words = {item.pk: said.get(item.field, "") for item in items}
    actions.answer_corrections(
        application=case, answers=words, changes=changes, by=link(made, case), at=made.clock.tick()
    )


def test_answers_keep_the_old_value_and_start_the_clock_anew(made: world.World) -> None:
    case = taken_up(made)
    items = asked(made, case, "organization.address", "organization.responsible")
    made.clock.tick(days=5)
    with Ledger() as ledger:
        answer(made, case, items, {"organization": {"address": "示範市測試路1號9樓"}}, responsible="沒有錯")
    kept = world.reread(case)
    assert (kept.state, kept.resumed_at) == ("under_review", made.clock.at)
    assert kept.due_at - made.clock.at >= timedelta(days=30)
    address, responsible = queries.corrections(kept)
    assert (address.old_value, address.answered_at) == ("示範市測試路1號", made.clock.at)
    assert (responsible.answer, kept.answers["organization"]["responsible"]) == ("沒有錯", "許擬名")
    assert ledger.tags() == ["members:application:answer"]
    assert queries.open_corrections(kept) == []


def test_rounds_are_counted_and_every_round_is_kept(made: world.World) -> None:
    case = taken_up(made)
    for turn, places in enumerate(
        (("organization.address", "people.admin1_title"), ("organization.address",)), start=1
    ):
        items = asked(made, case, *places)
        assert {item.round for item in items} == {turn}
        with pytest.raises(Refusal, match="not possible"):
            asked(made, case, "organization.address")
        answer(made, case, items, {}, address="如上", admin1_title="如上")
        case = world.reread(case)
    assert [(item.round, item.place) for item in queries.corrections(case)] == [(1, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("changes", "said", "match"),
    [
        ({}, {}, "2 corrections"),
        ({"organization": {"address": "示範市測試路1號9樓"}}, {}, "1 corrections"),
        ({"organization": {"address": "示範市測試路1號"}}, {"responsible": "好"}, "1 corrections"),
        ({"organization": {"address": ""}}, {"responsible": "好"}, "1 items"),
        ({"organization": {"address": "A123456789"}}, {"responsible": "好"}, "1 items"),
        ({"organization": {"name_en": "Other"}}, {"address": "好", "responsible": "好"}, "No correction was asked"),
        (
            {"people": {"admin1_email": "x@y.example"}},
            {"address": "好", "responsible": "好"},
            "No correction was asked",
        ),
        ({"eligibility": {"kind": "association"}}, {"address": "好", "responsible": "好"}, "No correction was asked"),
    ],
)
def test_answers_that_are_not_what_was_asked_change_nothing(
    made: world.World, changes: dict[str, Any], said: dict[str, str], match: str
) -> None:
    case = taken_up(made)
    items = asked(made, case, "organization.address", "organization.responsible")
    with pytest.raises(Refusal, match=match):
        answer(made, case, items, changes, **said)
    kept = world.reread(case)
    assert kept.state == "correction_requested"
    assert kept.answers == case.answers
    assert len(queries.open_corrections(kept)) == 2


def test_a_corrected_name_needs_the_attestation_again_with_a_row_of_its_own(made: world.World) -> None:
    case = taken_up(made)
    world.screen(made.clock, case, made.reviewer)
    items = asked(made, case, "organization.name_zh")
    changes = {"organization": {"name_zh": "癸示範（新名）股份有限公司"}}
    with pytest.raises(Refusal):
        answer(made, case, items, changes)
    answer(made, case, items, {**changes, "attestation": {"confirmed": True}})
    kept = world.reread(case)
    assert kept.attestations.count() == 2
    assert queries.attested_hash(kept) == kept.roster_hash != case.roster_hash
    assert kept.name_zh.endswith("（新名）股份有限公司")
    assert queries.readiness(kept, made.clock.at).screened == 0, "other words were screened"


def test_an_unchanged_attestation_is_not_given_a_second_time(made: world.World) -> None:
    case = taken_up(made)
    items = asked(made, case, "organization.address")
    answer(made, case, items, {"organization": {"address": "別處1號"}})
    assert world.reread(case).attestations.count() == 1


def test_a_file_answers_while_it_is_there(made: world.World) -> None:
    case = taken_up(made)
    items = asked(made, case, "attachments.other_file")
    upload = read_upload(name="補.pdf", content=world.PDF + b"2%%EOF\n", field="other_file")
    add = {"application": case, "proof": "other_file", "upload": upload, "by": link(made, case)}
    first = actions.add_attachment(**add, at=made.clock.tick())
    actions.remove_attachment(application=case, attachment_id=first.pk, by=link(made, case), at=made.clock.tick())
    with pytest.raises(Refusal, match="1 corrections"):
        answer(made, case, items, {})
    actions.add_attachment(**add, at=made.clock.tick())
    answer(made, case, items, {})
    assert queries.file_counts(case) == {"registration": 1, "other_file": 1}


def test_of_other_files_none_is_taken_away_during_a_correction(made: world.World) -> None:
    case = taken_up(made)
    asked(made, case, "organization.address")
    (file,) = queries.files(case)
    with pytest.raises(Refusal, match="No correction was asked"):
        actions.remove_attachment(application=case, attachment_id=file.pk, by=PUBLIC, at=made.clock.tick())
    assert queries.files(case) == [file]


def test_answers_to_a_case_that_waits_for_none_are_refused(made: world.World) -> None:
    case = taken_up(made)
    with pytest.raises(Refusal, match="not possible"):
        answer(made, case, [], {})


def test_a_case_can_be_withdrawn_at_every_stage_before_its_decision(made: world.World) -> None:
    waiting = taken_up(made, 41)
    asked(made, waiting, "organization.address")
    for application in (sent(made, 40), waiting, taken_up(made, 42), recommended(made, 43)):
        actions.withdraw(application=application, by=PUBLIC, at=made.clock.tick())
        assert world.reread(application).state == "withdrawn"
    with pytest.raises(Refusal):
        asked(made, waiting, "organization.address")


# Recommendation and return


@pytest.mark.parametrize(
    ("what", "reasons", "text", "rule_", "field"),
    [
        ("approve", [], "", "reason-coded", "reasons"),
        ("approve", ["not_eligible"], "", "reason-coded", "reasons"),
        ("approve", ["eligible", "nonsense"], "", "reason-coded", "reasons"),
        ("reject", ["eligible"], "", "reason-coded", "reasons"),
        ("reject", ["other"], " ", "reason-text", "text"),
        ("reject", ["not_willing", "other"], "", "reason-text", "text"),
        ("keep", ["eligible"], "", "reason-coded", "reasons"),
        ("", [], "", "reason-coded", "reasons"),
    ],
)
def test_a_recommendation_has_a_coded_reason(
    made: world.World, what: str, reasons: list[str], text: str, rule_: str, field: str
) -> None:
    case = taken_up(made)
    world.screen(made.clock, case, made.reviewer)
    with pytest.raises(Refusal) as caught:
        recommend(made, case, what, reasons=reasons, text=text)
    assert rule(caught) == (rule_, field)


def test_a_rejection_can_be_recommended_whatever_is_missing(made: world.World) -> None:
    case = taken_up(made)
    with Ledger() as ledger:
        recommend(made, case, "reject", reasons=["not_willing", "other"], text="未說明。")
    kept = world.reread(case)
    assert (kept.state, kept.recommendation) == ("recommended", "reject")
    assert kept.recommendation_reasons == ["not_willing", "other"]
    assert kept.recommendation_text == "未說明。"
    (entry,) = ledger.entries()
    assert entry.detail["reasons"] == ["not_willing", "other"]
    assert "未說明" not in str(entry.detail)


def test_whoever_recommends_is_the_reviewer_from_then_on(made: world.World) -> None:
    case = taken_up(made)
    world.screen(made.clock, case, made.reviewer)
    give(made, made.analyst, Duty.REVIEWER)
    with pytest.raises(Refusal, match="Declare first"):
        recommend(made, case, by=made.analyst)
    declare(made, case, made.analyst)
    recommend(made, case, by=made.analyst)
    assert world.reread(case).reviewer_id == made.analyst.person.pk


def test_who_handed_a_review_on_took_part_in_it_and_does_not_decide(made: world.World) -> None:
    """Four eyes see everybody who reviewed, not only the last one (charter 1.3, 1.4)."""
    give(made, made.reviewer, Duty.APPROVER)
    give(made, made.analyst, Duty.REVIEWER)
    case = taken_up(made)
    world.screen(made.clock, case, made.reviewer)
    declare(made, case, made.analyst, made.approver)
    recommend(made, case, by=made.analyst)
    assert queries.reviewers(world.reread(case)) == {made.reviewer.person.pk, made.analyst.person.pk}
    for act in (
        lambda: actions.approve(
            application=case, reasons=["eligible"], by=made.reviewer.subject(), at=made.clock.tick()
        ),
        lambda: actions.reject(
            application=case, reasons=["not_willing"], by=made.reviewer.subject(), at=made.clock.tick()
        ),
        lambda: actions.return_to_review(application=case, by=made.reviewer.subject(), at=made.clock.tick()),
    ):
        with pytest.raises(Refusal) as caught:
            act()
        assert caught.value.rule == "S-review"
    shown = made.client(made.reviewer).get(f"/staff/cases/{case.number}/decide/approve").content.decode()
    assert "四眼" in shown
    assert 'name="sign"' not in shown
    actions.approve(application=case, reasons=["eligible"], by=made.approver.subject(), at=made.clock.tick())


def test_a_case_goes_back_to_its_reviewer_with_a_word(made: world.World) -> None:
    case = recommended(made)
    declare(made, case, made.approver)
    with Ledger() as ledger:
        actions.return_to_review(application=case, text="請再查證。", by=made.approver.subject(), at=made.clock.tick())
    assert ledger.tags() == ["members:application:return", "members:case:note"]
    kept = world.reread(case)
    assert (kept.state, kept.recommendation, kept.reviewer_id) == ("under_review", "", made.reviewer.person.pk)
    (note,) = queries.notes(case.number or "")
    assert (note.text, note.to_applicant) == ("請再查證。", False)
    recommend(made, kept)
    assert world.reread(case).state == "recommended"


@pytest.mark.parametrize("who", ["reviewer", "analyst"])
def test_only_who_may_decide_sends_back(made: world.World, who: str) -> None:
    case = recommended(made)
    actor = getattr(made, who)
    declare(made, case, actor)
    with pytest.raises(Refusal):
        actions.return_to_review(application=case, by=actor.subject(), at=made.clock.tick())


# Notes and files


def test_notes_stay_inside_and_messages_are_shown_to_the_applicant(made: world.World) -> None:
    case = taken_up(made)
    by = made.auditor.subject()
    actions.add_note(case=case, text="內部看法", by=by, at=made.clock.tick())
    actions.add_note(case=case, text="請電話聯繫", to_applicant=True, by=by, at=made.clock.tick())
    with pytest.raises(Refusal) as caught:
        actions.add_note(case=case, text="\n", by=by, at=made.clock.tick())
    assert rule(caught) == ("note-text", "text")
    assert [note.text for note in queries.notes(case.number or "", to_applicant=True)] == ["請電話聯繫"]
    assert [note.text for note in queries.notes(case.number or "")] == ["內部看法", "請電話聯繫"]


def test_opening_a_file_stands_in_the_ledger_found_or_not(made: world.World) -> None:
    case, other = taken_up(made), sent(made, 44)
    (file,), (others,) = queries.files(case), queries.files(other)
    with Ledger() as ledger:
        read = {"application": case, "by": made.auditor.subject()}
        assert actions.read_attachment(**read, attachment_id=file.pk, at=made.clock.tick()) == file
        assert actions.read_attachment(**read, attachment_id=others.pk, at=made.clock.tick()) is None
    assert [entry.detail["found"] for entry in ledger.entries("members:attachment:read")] == [True, False]


def test_every_step_stands_in_the_timeline_in_its_order(made: world.World) -> None:
    case = taken_up(made)
    items = asked(made, case, "organization.address")
    answer(made, case, items, {}, address="好")
    world.screen(made.clock, case, made.reviewer)
    recommend(made, case, "reject")
    assert [event.event for event in queries.events(case.number or "")] == [
        "submitted", "conflict_none", "taken_up", "correction_requested", "correction_answered", "screened",
        "authority_checked", "recommended_reject",
    ]  # fmt: skip
