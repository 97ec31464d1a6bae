"""The procedure as configuration: what an editor may change and may not, and that a form of any shape works whole."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries, shown, shown_procedures
from lianfang.members import procedure_edits as edits
from lianfang.members import procedure_rules as rules
from lianfang.members.checking import check
from lianfang.members.models import Application, Procedure, ProcedureDraft
from lianfang.members.procedure import Spec, sha256, shipped
from lianfang.policy.facts import Duty
from tests import world
from tests.members import cases, procedures
from tests.members.cases import Ledger

ONE = shipped(1)
PAIR = {"zh": "資安人力", "en": "Security staff"}


def ask(kind: str = "text", **more: Any) -> edits.Question:
    """A question of the coordinator's own."""
    return edits.Question(label=PAIR, kind=kind, **more)


# What must not be lost


def test_the_edition_that_comes_with_the_software_has_no_fault() -> None:
    assert rules.faults(ONE) == []


@pytest.mark.parametrize(("step", "name"), sorted(rules.needed()))
def test_what_charter_law_or_machine_needs_cannot_be_removed_and_the_refusal_names_it(step: str, name: str) -> None:
    with pytest.raises(Refusal) as refused:
        edits.remove_field(ONE, step, name)
    label = Spec(ONE).field(step, name).label
    assert label.zh[:10] in refused.value.reason.zh
    assert label.en[:10] in refused.value.reason.en
    assert refused.value.clause
    # Also where a specification comes by another way than the editor.
    without = copy.deepcopy(ONE)
    page = next(one for one in without["steps"] if one["id"] == step)
    page["fields"] = [one for one in page["fields"] if one["name"] != name]
    assert (step, name) in {(fault.step, fault.field) for fault in rules.faults(without)}


def _broken(step: str, name: str, **changed: Any) -> list[rules.Fault]:
    made = copy.deepcopy(ONE)
    field = next(one for page in made["steps"] if page["id"] == step for one in page["fields"] if one["name"] == name)
    for key, value in changed.items():
        if value is None:
            field.pop(key, None)
        else:
            field[key] = value
    return rules.faults(made)


@pytest.mark.parametrize(
    ("step", "name", "changed", "said"),
    [
        ("organization", "ubn", {"type": "text"}, "統一編號"),
        ("organization", "name_zh", {"required": False}, "組織名稱"),
        ("organization", "stock_code", {"required_if": None}, "股票代號"),
        ("attestation", "confirmed", {"required": False}, "我確認"),
        ("attachments", "registration", {"required": False}, "登記或立案證明"),
        ("attachments", "registration", {"max_files": 0}, "檔案數"),
        ("review", "accept_charter", {"type": "text"}, "我已閱讀"),
        ("organization", "address", {"label": {"zh": "地址", "en": " "}}, "兩"),
        ("organization", "address", {"label": {"zh": "長" * 301, "en": "x"}}, "300"),
        ("organization", "address", {"hint": {"zh": "a\x07", "en": "x"}}, "看不見"),
        ("organization", "address", {"hint": {"zh": "例如A123456789", "en": "x"}}, "身分證字號"),
        ("organization", "csma_regime", {"type": "text", "options": None}, "資通安全管理法"),
    ],
)
def test_a_specification_that_was_bent_is_refused_in_words(
    step: str, name: str, changed: dict[str, Any], said: str
) -> None:
    found = [fault for fault in _broken(step, name, **changed) if (fault.step, fault.field) == (step, name)]
    assert found, "nobody noticed"
    words = "".join(fault.reason.zh for fault in found)
    assert said in words or (said == "兩" and "中文與英文都要寫" in words)


def test_an_answer_that_is_refused_stays_refused_and_codes_stay() -> None:
    kind = copy.deepcopy(Spec(ONE).field("eligibility", "kind").raw)
    admitted = [dict(one) for one in kind["options"]]
    admitted[3].pop("refuse")
    assert _broken("eligibility", "kind", options=admitted), "no editor admits emerging-board firms (1.1)"
    assert _broken("eligibility", "kind", options=kind["options"][:2]), "associations cannot be dropped (1.1)"
    assert not _broken("eligibility", "kind", options=kind["options"][::-1]), "their order is free"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw["steps"].pop(2), "內部成員名冊"),
        (lambda raw: raw["steps"].insert(0, raw["steps"].pop(1)), "第一步"),
        (lambda raw: raw["steps"].insert(1, raw["steps"].pop(4)), "切結涵蓋"),
        (lambda raw: raw["steps"].insert(1, raw["steps"].pop(5)), "排在前面"),
        (lambda raw: raw["periods"].update(correction_days=0), "補正期限"),
        (lambda raw: raw["periods"].update(review_days=True), "審查期限"),
        (lambda raw: raw.update(approvers=3), "一位或兩位"),
        (lambda raw: raw["reasons"]["approve"].clear(), "核准、退回"),
        (lambda raw: raw["steps"][1]["why"].clear(), "為什麼問"),
        (lambda raw: raw["steps"][3].update(distinct=[]), "同一人"),
        (lambda raw: raw["steps"][1]["fields"].append(dict(raw["steps"][1]["fields"][0])), "代碼相同"),
        (lambda raw: raw["steps"].insert(1, {"id": "p1", "title": PAIR, "why": [PAIR], "fields": []}), "題"),
    ],
)
def test_order_periods_and_pages_are_judged(change: Any, said: str) -> None:
    made = copy.deepcopy(ONE)
    change(made)
    assert said in "".join(fault.reason.zh for fault in rules.faults(made))


def test_nothing_more_is_asked_about_people_than_name_title_and_contact() -> None:
    for step in rules.CLOSED_STEPS:
        with pytest.raises(Refusal):
            edits.add_field(ONE, step, ask())
        bent = copy.deepcopy(ONE)
        page = next(one for one in bent["steps"] if one["id"] == step)
        page["fields"].append({"name": "x1", "type": "text", "label": PAIR, "required": False})
        assert rules.faults(bent)
    with pytest.raises(Refusal):
        edits.add_field(ONE, "attachments", ask("text"))
    with pytest.raises(Refusal):
        edits.add_field(ONE, "organization", ask("file"))


# What an editor may change


def test_words_help_and_order_of_a_needed_question_are_the_coordinators() -> None:
    given_ = edits.Question(label={"zh": "公司統編", "en": "Tax number"}, kind="roster", required=True)
    made = edits.set_field(ONE, "organization", "ubn", given_)
    made = edits.move_field(made, "organization", "ubn", -1)
    field = Spec(made).field("organization", "ubn")
    assert (field.label.zh, field.type, field.raw["required"], field.hint) == ("公司統編", "ubn", False, None)
    assert [one.name for one in Spec(made).step("organization").fields][:3] == ["name_zh", "ubn", "name_en"]
    assert rules.faults(made) == []
    assert Spec(ONE).field("organization", "ubn").label.zh == "統一編號", "the edition before is not touched"


def test_the_heading_of_a_group_stays_at_its_top_and_nobody_moves_into_anothers_group() -> None:
    made = edits.move_field(ONE, "people", "admin1_name", 1)
    people = Spec(made).step("people")
    assert [one.name for one in people.fields][:2] == ["admin1_title", "admin1_name"]
    assert people.heading_of("admin1_name") == people.heading_of("admin1_title") is not None
    assert people.fields[0].heading is not None
    assert people.fields[1].heading is None
    with pytest.raises(Refusal):
        edits.move_field(ONE, "people", "admin2_name", -1)
    with pytest.raises(Refusal):
        edits.move_field(ONE, "people", "admin1_phone", 1)


def test_a_question_that_depends_on_another_is_put_after_that_answer_alone() -> None:
    made, name = edits.add_field(
        ONE, "organization", ask(when=("eligibility", "kind", ("association",)), required=True)
    )
    assert rules.faults(made) == []
    field = Spec(made).field("organization", name)
    assert field.required({"eligibility": {"kind": "association"}})
    assert not field.applies({"eligibility": {"kind": "twse"}})
    late, name = edits.add_field(
        ONE, "organization", ask(when=("attestation", "attester_ground", ("board_resolution",)))
    )
    assert {(fault.step, fault.field) for fault in rules.faults(late)} == {("organization", name)}
    # The answer on which it depended goes: the fault names the question that is left hanging.
    made, choice = edits.add_field(ONE, "organization", ask("radio", options=[("", PAIR), ("", PAIR)]))
    made, name = edits.add_field(made, "organization", ask(when=("organization", choice, ("o2",))))
    assert rules.faults(made) == []
    hanging = edits.set_field(made, "organization", choice, ask("radio", options=[("o1", PAIR)]))
    assert [(fault.step, fault.field) for fault in rules.faults(hanging)] == [("organization", name)]


def test_the_code_of_a_removed_option_or_question_is_not_given_to_another_while_it_is_known() -> None:
    made, name = edits.add_field(ONE, "organization", ask("radio", options=[("", PAIR), ("", PAIR)]))
    made = edits.set_field(made, "organization", name, ask("radio", options=[("o1", PAIR), ("", PAIR)]))
    assert [one["value"] for one in Spec(made).field("organization", name).options] == ["o1", "o3"]
    made, second = edits.add_field(made, "organization", ask())
    assert (name, second) == ("x1", "x2")


def test_a_page_of_ones_own_can_be_made_moved_and_removed_again() -> None:
    made, page = edits.add_step(ONE, title=PAIR, why=[PAIR])
    assert rules.faults(made), "a page without a question asks nothing"
    made, name = edits.add_field(made, page, ask("date"))
    assert rules.faults(made) == []
    made = edits.move_step(made, page, -1)
    assert [step.id for step in Spec(made).steps][-3:] == [page, "attachments", "review"]
    with pytest.raises(Refusal):
        edits.remove_step(made, page)
    made = edits.remove_step(edits.remove_field(made, page, name), page)
    assert made == ONE
    for step in rules.model_steps():
        with pytest.raises(Refusal):
            edits.remove_step(ONE, step)
    for step in ("eligibility", "review"):
        for by in (-1, 1):
            with pytest.raises(Refusal):
                edits.move_step(ONE, step, by)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", ["0", "12", "999999999999"], ["1.5", "1,000", "-1", "十二", "１２", "1e3"]),
        ("date", ["2026-11-01", "2028-02-29"], ["115-11-01", "115/11/01", "2026-02-29", "2026-13-01", "26-1-1"]),
        ("long", ["一\n二", "x" * 2000], ["x" * 2001, "A123456789"]),
        ("email", ["a@b.example"], ["a@b", "a b@c.example"]),
    ],
)
def test_kinds_of_the_coordinators_own_judge_their_answers(kind: str, good: list[str], bad: list[str]) -> None:
    made, name = edits.add_field(ONE, "organization", ask(kind, required=True))
    step = Spec(made).step("organization")
    for value, right in [*((one, True) for one in good), *((one, False) for one in bad), ("", False)]:
        assert (name not in check(step, {}, {name: value}, {})) is right, value


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_whatever_an_editor_does_nothing_needed_is_lost_and_what_changed_is_told(data: st.DataObject) -> None:
    raw: rules.Raw = ONE
    for _turn in range(data.draw(st.integers(1, 15))):
        before = copy.deepcopy(raw)
        try:
            made = data.draw(procedures.changes())(raw)
        except Refusal:
            assert raw == before
            continue
        assert raw == before, "an act changed the specification that it was given"
        there = {(step["id"], field["name"]) for step in made["steps"] for field in step["fields"]}
        assert rules.needed().keys() <= there
        assert set(rules.model_steps()) <= {step["id"] for step in made["steps"]}
        told = shown_procedures.changes(raw, made)
        assert bool(told) is (sha256(raw) != sha256(made)), told
        raw = made
    assert shown_procedures.changes(raw, raw) == []


# Written by one, approved by two others


def drafted(made: world.World, spec: rules.Raw | None = None) -> ProcedureDraft:
    """A draft by the publisher."""
    draft = actions.begin_procedure(by=made.publisher.subject(), at=made.clock.tick())
    if spec is not None:
        draft = save(made, draft, spec)
    return draft


def save(made: world.World, draft: ProcedureDraft, spec: rules.Raw, **more: Any) -> ProcedureDraft:
    by = more.pop("by", made.publisher)
    return actions.save_procedure(
        draft=draft, spec=spec, what="organization.x1", by=by.subject(), at=made.clock.tick(),
        **{"revision": draft.revision, **more},
    )  # fmt: skip


def propose(made: world.World, draft: ProcedureDraft, **more: Any) -> None:
    at = made.clock.tick()
    given_ = {"reason": "附件1修正", "effective_at": at, **more}
    actions.propose_procedure(draft=draft, by=made.publisher.subject(), at=at, **given_)


def agree(made: world.World, draft: ProcedureDraft, actor: world.Actor) -> Procedure | None:
    return actions.approve_procedure(draft=draft, by=actor.subject(), at=made.clock.tick())


def published(made: world.World, spec: rules.Raw, **more: Any) -> Procedure:
    draft = drafted(made, spec)
    propose(made, draft, **more)
    agree(made, draft, made.approver)
    found = agree(made, draft, made.approver2)
    assert found is not None
    return found


def asked_more(**more: Any) -> rules.Raw:
    """The first edition with a question of the coordinator's own."""
    return edits.add_field(ONE, "organization", ask(required=True, **more))[0]


def test_an_edition_is_written_by_one_and_published_by_two_others(made: world.World) -> None:
    with Ledger() as ledger:
        draft = drafted(made, asked_more())
        for who in (made.approver, made.reviewer, made.jia.admin):
            with pytest.raises(Refusal):
                save(made, draft, ONE, by=who)
        propose(made, draft)
        with pytest.raises(Refusal) as frozen:
            save(made, draft, ONE)
        assert frozen.value.rule == "procedure-frozen"
        with pytest.raises(Refusal):
            agree(made, draft, made.publisher)
        assert agree(made, draft, made.approver) is None
        with pytest.raises(Refusal) as twice:
            agree(made, draft, made.approver)
        assert twice.value.rule == "S-second"
        assert Procedure.objects.count() == 1
        edition = agree(made, draft, made.approver2)
    assert edition is not None
    assert (edition.version, edition.spec, edition.effective_at) == (2, asked_more(), edition.created_at)
    assert bytes(edition.sha256) == sha256(edition.spec)
    kept = queries.draft_of_procedure(edition)
    assert kept is not None
    assert (kept.state, kept.first_approver_id, kept.second_approver_id) == (
        "published", made.approver.person.pk, made.approver2.person.pk,
    )  # fmt: skip
    tags = [tag for tag in ledger.tags() if "procedure" in tag]
    assert tags == [
        f"members:procedure:{what}" for what in ("begin", "save", "propose", "approve", "publish", "approve")
    ]
    (told,) = ledger.entries("members:procedure:publish")
    assert told.detail["authors"] == [str(made.publisher.person.pk)]
    assert told.detail["first"] == str(made.approver.person.pk)
    assert queries.open_procedure_draft() is None


def test_whoever_wrote_a_word_does_not_approve_even_with_the_duty(made: world.World) -> None:
    cases.give(made, made.approver, Duty.PUBLISHER)
    draft = drafted(made, asked_more())
    draft = save(made, draft, asked_more(hint=PAIR), by=made.approver)
    propose(made, draft)
    with pytest.raises(Refusal) as refused:
        agree(made, draft, made.approver)
    assert refused.value.rule == "S-author"
    with pytest.raises(Refusal):
        actions.return_procedure(draft=draft, by=made.approver.subject(), at=made.clock.tick())


def test_a_draft_that_comes_back_loses_what_was_approved_of_it(made: world.World) -> None:
    draft = drafted(made, asked_more())
    propose(made, draft)
    agree(made, draft, made.approver)
    actions.return_procedure(draft=draft, by=made.approver2.subject(), at=made.clock.tick())
    draft.refresh_from_db()
    assert (draft.state, draft.first_approver) == ("draft", None)
    propose(made, save(made, draft, asked_more(hint=PAIR)))
    assert agree(made, draft, made.approver2) is None
    assert agree(made, draft, made.approver) is not None


def test_only_one_draft_is_open_and_a_stale_save_is_told(made: world.World) -> None:
    draft = drafted(made)
    with pytest.raises(Refusal) as second:
        drafted(made)
    assert second.value.rule == "procedure-open"
    save(made, draft, asked_more())
    with pytest.raises(Refusal) as stale:
        save(made, draft, ONE, revision=1)
    assert stale.value.rule == "procedure-stale"
    draft.refresh_from_db()
    assert draft.spec == asked_more()
    actions.discard_procedure(draft=draft, by=made.publisher.subject(), at=made.clock.tick())
    assert drafted(made).spec == ONE
    with pytest.raises(Refusal):
        save(made, draft, ONE)


@pytest.mark.parametrize(
    ("spec", "more", "rule"),
    [
        (None, {}, "procedure:propose"),
        ("broken", {}, "procedure:propose"),
        ("good", {"reason": " \n"}, "procedure-reason"),
        ("good", {"effective_at": world.BEGIN}, "procedure-past"),
    ],
)
def test_what_is_unsound_unchanged_unexplained_or_past_is_not_proposed(
    made: world.World, spec: str | None, more: dict[str, Any], rule: str
) -> None:
    broken = copy.deepcopy(ONE)
    broken["periods"]["review_days"] = 0
    draft = drafted(made, {None: ONE, "broken": broken, "good": asked_more()}[spec])
    with pytest.raises(Refusal) as refused:
        propose(made, draft, **more)
    assert refused.value.rule == rule


def test_an_edition_speaks_from_its_instant_on_and_every_case_keeps_its_own(made: world.World) -> None:
    begun = cases.draft(made)
    case = cases.taken_up(made, 22)
    start = made.clock.at + timedelta(days=3)
    edition = published(made, asked_more(), effective_at=start)
    micro = timedelta(microseconds=1)
    assert queries.procedure_in_force(start - micro).version == 1
    assert queries.procedure_in_force(start) == edition
    (_new, old) = shown_procedures.editions(start)
    assert (old.drafts, old.cases) == (1, 2), "the application of the world waits, too"
    assert shown_procedures.on_old_editions(start - micro) == (0, 0)
    assert shown_procedures.on_old_editions(start) == (1, 2)
    made.clock.tick(days=4)
    sent = world.send(made.clock, begun)
    assert sent.submitted_form["procedure"] == 1
    assert "x1" not in {field.name for step in queries.spec_of(case).steps for field in step.fields}
    with pytest.raises(Refusal) as refused:
        world.send(made.clock, cases.draft(made, 23))
    assert refused.value.rule == "application:submit"
    with pytest.raises(Refusal) as past:
        published(made, asked_more(hint=PAIR), effective_at=start)
    assert past.value.rule == "procedure-past"


def test_a_later_edition_cannot_overtake_one_that_is_scheduled(made: world.World) -> None:
    later = made.clock.at + timedelta(days=30)
    published(made, asked_more(), effective_at=later)
    draft = drafted(made, asked_more(hint=PAIR))
    assert draft.base.version == 2
    with pytest.raises(Refusal) as refused:
        propose(made, draft, effective_at=made.clock.at + timedelta(days=29))
    assert refused.value.rule == "procedure-order"


# Two approvers of an application


def test_with_two_approvers_neither_alone_nor_the_reviewer_begins_a_membership(made: world.World) -> None:
    head = {"title": ONE["title"], "note": ONE["note"], "review_days": 30, "correction_days": 14}
    published(made, edits.general(ONE, **head, approvers=2))
    cases.give(made, made.reviewer, Duty.APPROVER)
    case = cases.recommended(made, 24)
    cases.declare(made, case, made.approver, made.approver2)

    def act(what: Any, actor: world.Actor) -> Any:
        return what(application=case, reasons=["eligible"], by=actor.subject(), at=made.clock.tick())

    for what in (actions.approve_first, actions.approve):
        with pytest.raises(Refusal) as reviewed:
            act(what, made.reviewer)
        assert reviewed.value.rule == "S-review"
    with pytest.raises(Refusal):
        act(actions.approve, made.approver)
    assert not Application.objects.filter(pk=case.pk, state="approved").exists()
    with Ledger() as ledger:
        act(actions.approve_first, made.approver)
        for what in (actions.approve, actions.approve_first):
            with pytest.raises(Refusal) as again:
                act(what, made.approver)
            assert again.value.rule == "S-second"
        with pytest.raises(Refusal) as enough:
            act(actions.approve_first, made.approver2)
        assert enough.value.rule == "approval-first"
        membership = act(actions.approve, made.approver2)
    assert membership.state == "active"
    (entry,) = ledger.entries("members:application:approve")
    assert entry.detail["first_approver"] == str(made.approver.person.pk)
    assert cases.decision(application=case).decided_by_id == made.approver2.person.pk


def test_after_a_return_two_approve_anew_and_with_one_approver_there_is_no_first(made: world.World) -> None:
    alone = cases.recommended(made, 25)
    cases.declare(made, alone, made.approver)
    with pytest.raises(Refusal) as refused:
        actions.approve_first(application=alone, reasons=["eligible"], by=made.approver.subject(), at=made.clock.tick())
    assert refused.value.rule == "approval-first"
    head = {"title": ONE["title"], "note": ONE["note"], "review_days": 30, "correction_days": 14}
    published(made, edits.general(ONE, **head, approvers=2))
    case = cases.recommended(made, 26)
    cases.declare(made, case, made.approver, made.approver2)
    actions.approve_first(application=case, reasons=["eligible"], by=made.approver.subject(), at=made.clock.tick())
    actions.return_to_review(application=case, text="請再看。", by=made.approver2.subject(), at=made.clock.tick())
    cases.recommend(made, case)
    case = world.reread(case)
    assert queries.wants_first_approval(case)
    actions.approve_first(application=case, reasons=["eligible"], by=made.approver2.subject(), at=made.clock.tick())
    assert actions.approve(application=case, reasons=["eligible"], by=made.approver.subject(), at=made.clock.tick())


# A form of any shape works whole


def applied(made: world.World, raw: rules.Raw, place: int) -> Application:
    """An application through every page of the form in force, sent."""
    pages = procedures.answered(raw, place)
    application = actions.start(values=pages["eligibility"], language="zh-hant", by=cases.PUBLIC, at=made.clock.tick())
    actions.prove_email(application=application, by=cases.PUBLIC, at=made.clock.tick())
    for step in Spec(raw).steps:
        if step.id not in ("eligibility", "attachments", "review"):
            actions.save_step(
                application=application, step=step.id, values=pages[step.id], by=cases.PUBLIC, at=made.clock.tick()
            )
    for field in Spec(raw).step("attachments").fields:
        if field.required(pages):
            upload = world.read_upload(name="a.pdf", content=world.PDF, field=field.name)
            actions.add_attachment(
                application=application, proof=field.name, upload=upload, by=cases.PUBLIC, at=made.clock.tick()
            )
    return world.reread(world.send(made.clock, world.reread(application)))


def read(application: Application) -> list[Any]:
    """The case as the staff reads it."""
    sections = shown.sections(queries.spec_of(application), application)
    return [(section.step.id, [(line.label, str(line.value)) for line in section.lines]) for section in sections]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_sound_form_is_shown_saved_and_sent_and_still_reads_after_the_next(
    made: world.World, data: st.DataObject
) -> None:
    with transaction.atomic():
        raw = data.draw(procedures.specifications())
        if raw == ONE:
            raw = asked_more()
        edition = published(made, raw)
        editor = made.client(made.publisher)
        for step in Spec(raw).steps:
            page = editor.get(f"/staff/procedures/{edition.version}/preview/{step.id}")
            assert page.status_code == 200
            assert step.title.zh in page.content.decode()
        application = applied(made, raw, data.draw(st.integers(30, 60)))
        assert application.state == "submitted"
        before = read(application)
        for step, field in [(page, field) for page in Spec(raw).steps for field in page.fields]:
            value = application.answers.get(step.id, {}).get(field.name)
            if step.id != "review" and field.type in ("text", "long", "date", "number") and value:
                assert any(str(value) == text for name, lines in before if name == step.id for _label, text in lines)
        following = data.draw(procedures.specifications(base=raw, most=6))
        if following != raw:
            published(made, following)
        assert read(world.reread(application)) == before
        transaction.set_rollback(True)


def test_a_procedure_is_never_rewritten(made: world.World) -> None:
    edition = published(made, asked_more())
    for act in (lambda rows: rows.update(spec=ONE), lambda rows: rows._raw_delete(rows.db)):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            act(Procedure.objects.filter(pk=edition.pk))
