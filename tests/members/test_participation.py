"""Participation: facts with evidence, corrected by later ones; no record is not zero; a threshold lists and no more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.audit.models import Entry
from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.kernel.clock import taipei, utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, participation
from lianfang.members import participation_queries as queries
from lianfang.members.lifecycle import participation as rules
from lianfang.members.lifecycle.participation import Counts, Terms
from lianfang.members.models import (
    ContactCheck,
    ParticipationFact,
    ParticipationImport,
    ParticipationObjection,
    Revocation,
)
from lianfang.members.uploads import Upload
from lianfang.policy.facts import Audience, Channel, NameSource, Tlp
from lianfang.vault.models import SubjectKey
from tests import world
from tests.intel.cast import bundle, indicator
from tests.members.lists import table

PDF = b"%PDF-1.4\nlist of attendance\n%%EOF\n"
HEADINGS = ("統一編號", "類別", "結果", "日期", "事由", "佐證")
day_counts = st.integers(0, 6)


# Pure rules


@given(took=day_counts, absent=day_counts, objected=day_counts, least=day_counts, most=day_counts)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_nothing_recorded_is_never_judged(took: int, absent: int, objected: int, least: int, most: int) -> None:
    counts, terms = Counts(took, absent, objected), Terms(12, least, most)
    state, why = rules.state_of(counts, terms), rules.reasons(counts, terms)
    assert (state == "none") is (took + absent + objected == 0)
    assert bool(why) is (state == "look")
    if state == "look":
        few = bool(least) and took + objected < least
        many = bool(most) and absent >= most
        assert few or many
    if not least and not most:
        assert state != "look", "thresholds of 0 list nobody"
    # What a member objects to never makes it worse.
    better = rules.state_of(Counts(took, max(0, absent - 1), objected + min(absent, 1)), terms)
    assert not (state == "fine" and better == "look")


@given(day=st.dates(date(2020, 1, 1), date(2035, 12, 31)), months=st.integers(1, 60))
def test_a_period_begins_on_the_same_day_so_many_months_before(day: date, months: int) -> None:
    first = rules.since(day, months)
    assert (day.year - first.year) * 12 + day.month - first.month == months
    assert first.day == day.day or (first + timedelta(days=1)).day == 1, "or at the end of a shorter month"
    named = rules.months_of(first, day)
    assert len(named) == months + 1
    assert named == sorted(named)


def test_a_month_of_the_chart_without_a_fact_is_not_a_month_of_zero() -> None:
    facts = [(date(2026, 3, 1), "took_part"), (date(2026, 3, 31), "absent"), (date(2026, 5, 1), "absent")]
    months = rules.by_month(facts, date(2026, 3, 1), date(2026, 5, 31))
    assert [(one.name, one.took_part, one.absent, one.recorded) for one in months] == [
        ("2026-03", 1, 1, True), ("2026-04", 0, 0, False), ("2026-05", 0, 1, True),
    ]  # fmt: skip


# Facts


def enter(made: world.World, outcome: str = "took_part", *, days: int = 0, **more: Any) -> ParticipationFact:
    """A fact about 甲, so many days after it became a member."""
    at = made.clock.tick()
    member = more.pop("member", made.jia)
    given = {
        "kind": "drill", "text": "2026年社交工程演練", "evidence": "演練簽到表第3頁",
        "occurred_on": taipei(member.membership.began_at).date() + timedelta(days=days), **more,
    }  # fmt: skip
    by = given.pop("by", made.reviewer)
    return actions.enter_fact(membership=member.membership, outcome=outcome, by=by.subject(at), at=at, **given)


def record(made: world.World, member: world.Member | None = None) -> queries.Record:
    return queries.record_of((member or made.jia).membership, made.clock.tick())


def field_of(act: Any) -> str:
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value.field or refused.value.rule


@pytest.mark.django_db
def test_a_fact_needs_evidence_a_day_of_membership_and_a_reviewer(made: world.World) -> None:
    later = taipei(made.clock.at).date() + timedelta(days=1)
    assert field_of(lambda: enter(made, evidence=" ")) == "evidence"
    assert field_of(lambda: enter(made, days=-1)) == "occurred_on"
    assert field_of(lambda: enter(made, occurred_on=later)) == "occurred_on"
    assert field_of(lambda: enter(made, kind="party")) == "kind"
    assert field_of(lambda: enter(made, "withdrawn")) == "outcome", "only what was entered can be taken back"
    assert field_of(lambda: enter(made, text="")) == "text"
    assert field_of(lambda: enter(made, text="出席者A123456789")) == "text", "no identity number"
    for stranger in (made.approver, made.analyst, made.jia.admin, made.yi.admin):
        with pytest.raises(Refusal):
            enter(made, by=stranger)
    assert not ParticipationFact.objects.exists()
    fact = enter(made, evidence="", file=Upload("簽到表.pdf", PDF, "application/pdf", None))
    assert fact.file is not None
    assert fact.file.open().read() == PDF
    assert (fact.source, fact.by_id) == ("staff", made.reviewer.person.pk)
    entry = Entry.objects.filter(tag="members:participation:enter").latest("id")
    assert entry.detail["outcome"] == "took_part"
    assert "社交工程" not in str(entry.detail), "the ledger holds no words about it"


@pytest.mark.django_db
def test_an_entry_is_never_edited_but_corrected_by_a_later_one(made: world.World) -> None:
    first = enter(made, "absent")
    given = {"kind": "drill", "occurred_on": first.occurred_on, "text": "有參加", "evidence": "補簽到表"}
    by = made.reviewer

    def correct(fact: ParticipationFact, outcome: str, why: str = "漏看簽到表") -> ParticipationFact:
        at = made.clock.tick()
        return actions.correct_fact(fact=fact, outcome=outcome, why=why, by=by.subject(at), at=at, **given)

    assert field_of(lambda: correct(first, "took_part", " ")) == "why"
    second = correct(first, "took_part")
    assert (record(made).counts.took_part, record(made).counts.absent) == (1, 0)
    assert field_of(lambda: correct(first, "absent")) == "participation-corrected", "the newest is corrected"
    correct(second, "withdrawn", "不是本聯盟的演練")
    assert record(made).state == "none", "what was withdrawn leaves no record, and none is not zero"
    rows = queries.facts(made.jia.membership)
    assert [one.outcome for one in rows].count("withdrawn") == 1
    assert len(rows) == 3, "all three can be read"
    first.outcome = "took_part"
    with pytest.raises(Exception, match="permission denied"), world.transaction.atomic():
        first.save()


@pytest.mark.django_db
def test_a_threshold_lists_a_member_and_changes_nothing(made: world.World) -> None:
    before = made.jia.membership.state
    assert {one.state for one in queries.records(made.clock.at, queries.terms(made.clock.at))} == {"none"}, (
        "a new alliance has no record of anybody"
    )
    enter(made, member=made.yi)
    for days in (0, 0, 0):
        enter(made, "absent", days=days)
    at = made.clock.tick()
    listed = queries.records(at, queries.terms(at))
    assert listed[0].membership.pk == made.jia.membership.pk, "whoever is to be looked at comes first"
    assert [one.state for one in listed].count("look") == 1
    assert len(listed[0].reasons) == 2, "too many absences, and too little of its own"
    made.jia.membership.refresh_from_db()
    assert made.jia.membership.state == before
    assert not Revocation.objects.filter(membership=made.jia.membership).exists()
    assert actions.collect_participation(by=world.SYSTEM, at=made.clock.tick()) == 0
    assert not Revocation.objects.filter(membership=made.jia.membership).exists(), "nor does the nightly job"
    # Long ago is out of the period: nothing is known of it, and nothing follows.
    assert queries.record_of(made.jia.membership, made.clock.at + timedelta(days=500)).state == "none"


@pytest.mark.django_db
def test_a_member_objects_and_the_absence_counts_again_only_once_that_is_answered(made: world.World) -> None:
    facts = [enter(made, "absent") for _ in range(3)]

    def object_(fact: ParticipationFact, by: world.Actor, text: str = "我們有參加。") -> ParticipationObjection:
        at = made.clock.tick()
        return actions.object_to_fact(fact=fact, text=text, by=by.subject(at), at=at)

    for stranger in (made.yi.admin, made.jia.member, made.reviewer):
        with pytest.raises(Refusal):
            object_(facts[0], stranger)
    assert field_of(lambda: object_(facts[0], made.jia.admin, " ")) == "text"
    made_ = object_(facts[0], made.jia.admin)
    assert field_of(lambda: object_(facts[0], made.jia.admin)) == "participation-objected"
    stands = record(made)
    assert (stands.counts.absent, stands.counts.objected, stands.state) == (2, 1, "fine")
    at = made.clock.tick()
    actions.answer_objection(objection=made_, text="簽到表沒有貴公司。", by=made.reviewer.subject(at), at=at)
    assert (
        field_of(
            lambda: actions.answer_objection(
                objection=made_, text="再答", by=made.reviewer.subject(), at=made.clock.tick()
            )
        )
        == "participation-answered"
    )
    assert (record(made).counts.absent, record(made).state) == (3, "look")
    own = made.client(made.jia.admin).get("/member/organisation/participation").content.decode()
    assert "我們有參加。" in own
    assert "簽到表沒有貴公司。" in own


@pytest.mark.django_db
def test_a_review_is_opened_by_hand_with_the_record_as_it_stood(made: world.World) -> None:
    at = made.clock.tick()

    def open_() -> Revocation:
        return actions.open_participation_review(
            membership=made.jia.membership, facts="三次演練均未參與。", by=made.reviewer.subject(), at=made.clock.tick()
        )

    assert field_of(open_) == "participation-none", "of what nobody wrote down nothing follows"
    fact = enter(made, "absent", text="第一次演練")
    actions.object_to_fact(fact=fact, text="當天停電。", by=made.jia.admin.subject(at), at=made.clock.tick())
    case = open_()
    assert (case.ground, case.state) == ("1.4b", "under_review")
    actions.correct_fact(
        fact=fact, kind="drill", outcome="withdrawn", occurred_on=fact.occurred_on, text="第一次演練", why="停電屬實",
        evidence="台電公告", by=made.reviewer.subject(), at=made.clock.tick(),
    )  # fmt: skip
    attached = queries.shown_snapshot(case)
    assert attached is not None
    assert [(row["text"], row["outcome"].en) for row in attached["rows"]] == [
        ("第一次演練", "Asked, did not take part")
    ]
    assert attached["rows"][0]["objections"] == [{"text": "當天停電。", "answer": ""}]
    assert attached["terms"]["absences"] == 3
    page = made.client(made.reviewer).get(f"/staff/revocations/{case.number}").content.decode()
    assert "當時的參與紀錄" in page
    assert "當天停電。" in page
    kept = queries.snapshot_of(case)
    assert kept is not None
    kept.rows = []
    with pytest.raises(Exception, match="permission denied"), world.transaction.atomic():
        kept.save()


# Apps


@pytest.mark.django_db
def test_apps_supply_facts_once_each(made: world.World) -> None:
    """Sharing by the exchange, answers to contact checks by this app; a second night brings nothing new."""
    at = made.clock.tick()
    form = LabelForm(tlp=Tlp.RED, audience=Audience.persons(), name_source=NameSource.COORDINATOR)
    for objects in (1, 3):
        body = bundle(*[indicator(name=f"hidden {objects} {n}") for n in range(objects)])
        intake.submit(by=made.jia.admin.subject(at), at=made.clock.tick(), body=body, form=form, channel=Channel.PAGE)
    check = actions.ask_contact(person=made.yi.admin.person, by=world.SYSTEM, at=made.clock.tick())
    assert check is not None
    actions.answer_contact(check=check, right=True, by=actions.holder_of(check, made.clock.at), at=made.clock.tick())
    now = made.clock.tick() + timedelta(hours=1)
    brought = actions.collect_participation(by=world.SYSTEM, at=now)
    kinds = {one.kind for one in ParticipationFact.objects.filter(membership=made.jia.membership)}
    assert brought >= 3
    assert kinds == {"sharing"}
    assert ParticipationFact.objects.filter(membership=made.yi.membership, kind="contact", outcome="took_part").exists()
    shared = [one.text for one in ParticipationFact.objects.filter(membership=made.jia.membership, kind="sharing")]
    assert {text for text in shared if text.endswith(("1個物件", "3個物件"))}
    assert "hidden" not in "".join(shared), "that something was shared, never what"
    assert actions.collect_participation(by=world.SYSTEM, at=now) == 0
    assert actions.collect_participation(by=world.SYSTEM, at=now + timedelta(days=1)) == 0
    silent = ContactCheck.objects.filter(state="silent").exists()
    assert not silent


@pytest.mark.django_db
def test_an_app_that_fails_keeps_no_other_from_being_heard(
    made: world.World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(since: Any, until: Any) -> Any:
        raise ValueError("no facts today")

    def own(since: Any, until: Any) -> Any:
        fact = participation.Supplied(
            group=made.jia.organization.pk, kind="training", outcome="took_part", occurred_at=made.clock.at, key="t1",
            text=rules.KIND_WORDS["training"], evidence="簽到表",
        )  # fmt: skip
        return [fact, fact]

    monkeypatch.setattr(participation, "_PROVIDERS", {"broken": broken, "events": own})
    assert actions.collect_participation(by=world.SYSTEM, at=made.clock.tick()) == 1
    assert "broken supplied nothing" in caplog.text
    for name in ("staff", "import", "a name that is far too long"):
        with pytest.raises(ValueError, match="cannot name"):
            participation.use(name, own)


# Tables


def sheet(
    made: world.World, *rows: list[str], encoding: str = "utf-8-sig", at: datetime | None = None
) -> ParticipationImport:
    at = at or made.clock.tick()
    content = table(HEADINGS, rows, encoding=encoding)
    return actions.read_participation(name="參與.csv", content=content, by=made.reviewer.subject(at), at=at)


@pytest.mark.django_db
def test_a_table_is_previewed_and_imported_whole_or_not_at_all(made: world.World) -> None:
    number = made.jia.organization.ubn or ""
    day = taipei(made.jia.membership.began_at).date()
    roc = f"{day.year - 1911}/{day.month:02}/{day.day:02}"
    good = [number, "演練", "有參與", day.isoformat(), "社交工程演練", "簽到表"]
    wrong = {
        "member": ["00000000", *good[1:]], "kind": [number, "聚餐", *good[2:]],
        "outcome": [*good[:2], "也許", *good[3:]],
        "day": [*good[:3], "26/11/23", *good[4:]], "future": [*good[:3], "2099-01-01", *good[4:]],
        "evidence": [*good[:5], ""], "text": [*good[:4], "", "簽到表"], "twice": good,
        "identity": [*good[:4], "出席者A123456789", "簽到表"], "formula": [*good[:5], "=1+1"],
    }  # fmt: skip
    kept = sheet(made, good, *wrong.values(), at=utcnow())  # its page goes by the clock of the database
    assert [line for line, *_ in kept.faults] == list(range(3, 3 + len(wrong))), "each by its line"
    assert (
        field_of(lambda: actions.import_participation(read=kept, by=made.reviewer.subject(), at=made.clock.tick()))
        == "participation-import"
    )
    assert not ParticipationFact.objects.exists()
    page = made.client(made.reviewer).get(f"/staff/participation/import/{kept.pk}").content.decode()
    assert "沒有這個統一編號的有效會員" in page
    assert '<button class="btn btn-primary" type="submit">匯入' not in page
    kept = sheet(made, good, [*good[:2], "缺席", roc, "第二場", "簽到表2"], encoding="cp950")
    assert kept.faults == []
    assert actions.import_participation(read=kept, by=made.reviewer.subject(), at=made.clock.tick()) == 2
    assert (record(made).counts.took_part, record(made).counts.absent) == (1, 1)
    assert {one.occurred_on for one in ParticipationFact.objects.all()} == {day}
    with pytest.raises(Refusal):
        actions.import_participation(read=kept, by=made.reviewer.subject(), at=made.clock.tick())
    again = sheet(made, good, [*good[:4], "第三場", "簽到表3"])
    assert actions.import_participation(read=again, by=made.reviewer.subject(), at=made.clock.tick()) == 1
    with pytest.raises(Refusal) as refused:
        actions.read_participation(
            name="x.csv", content=table(("名稱", "日期"), [["甲", "2026-01-01"]]), by=made.reviewer.subject(),
            at=made.clock.tick(),
        )  # fmt: skip
    assert refused.value.field == "file"


@pytest.mark.django_db
def test_a_table_that_nobody_imports_is_erased_within_a_day(made: world.World) -> None:
    kept = sheet(made, ["00000000", "演練", "有參與", "2026-11-01", "演練", "簽到表"])
    key, at = kept.vault_key_id, made.clock.at
    assert actions.forget_old_participation(by=world.SYSTEM, at=at + timedelta(hours=23)) == 0
    assert actions.forget_old_participation(by=world.SYSTEM, at=at + timedelta(hours=25)) == 1
    assert not ParticipationImport.objects.exists()
    assert SubjectKey.objects.get(pk=key).wrapped is None


# Pages


@pytest.mark.django_db
def test_the_whole_path_by_its_pages(made: world.World) -> None:
    staff, member = made.client(made.reviewer), made.client(made.jia.admin)
    held, day = made.jia.membership, taipei(made.jia.membership.began_at).date().isoformat()
    listing = staff.get("/staff/participation?view=none").content.decode()
    assert made.jia.organization.name_zh in listing
    own = member.get("/member/organisation/participation").content.decode()
    assert "尚無紀錄" in own
    assert "0次" not in own, "nothing recorded is not shown as zero"
    given = {"kind": "meeting", "outcome": "absent", "occurred_on": day, "text": "第三季會議", "evidence": ""}
    answer = staff.post(f"/staff/participation/{held.pk}/enter", given)
    assert answer.status_code == 422
    assert 'href="#id_evidence"' in answer.content.decode()
    given["file"] = SimpleUploadedFile("簽到表.pdf", PDF, "application/pdf")  # type: ignore[assignment]
    assert staff.post(f"/staff/participation/{held.pk}/enter", given).status_code == 302
    fact = ParticipationFact.objects.get()
    file = staff.get(f"/staff/participation/facts/{fact.pk}/file")
    assert b"".join(file.streaming_content) == PDF  # type: ignore[attr-defined]
    own = member.get("/member/organisation/participation").content.decode()
    assert "第三季會議" in own
    assert f"/staff/participation/facts/{fact.pk}/file" not in own, "a list of attendance names others"
    assert member.get(f"/staff/participation/facts/{fact.pk}/file").status_code in (302, 403, 404)
    yi = made.client(made.yi.admin)
    assert yi.get(f"/member/organisation/participation/{fact.pk}").status_code == 404
    assert "第三季會議" not in yi.get("/member/organisation/participation").content.decode()
    assert made.client(made.jia.member).get("/member/organisation/participation").status_code in (403, 404)
    assert made.client(made.wu).get("/member/organisation/participation").status_code in (403, 404)
    objecting = f"/member/organisation/participation/{fact.pk}"
    assert member.post(objecting, {"text": ""}).status_code == 422
    assert member.post(objecting, {"text": "我們有出席。"}).status_code == 302
    waiting = staff.get("/staff/participation").content.decode()
    assert "等待回覆的異議" in waiting
    objection = ParticipationObjection.objects.get()
    answering = f"/staff/participation/objections/{objection.pk}/answer"
    assert "我們有出席。" in staff.get(answering).content.decode()
    assert staff.post(answering, {"text": "查證屬實，已更正。"}).status_code == 302
    corrected = {**given, "outcome": "took_part", "evidence": "會議紀錄", "why": "簽到表漏列"}
    corrected.pop("file")
    assert staff.post(f"/staff/participation/facts/{fact.pk}/correct", corrected).status_code == 302
    page = staff.get(f"/staff/participation/{held.pk}").content.decode()
    for said in ("簽到表漏列", "查證屬實，已更正。", "後已更正", "colchart", "沒有紀錄"):
        assert said in page, said
    review = f"/staff/participation/{held.pk}/review"
    assert staff.post(review, {"facts": ""}).status_code == 422
    opened = staff.post(review, {"facts": "多次邀請均未回覆。"})
    assert opened.status_code == 302
    case = Revocation.objects.get(membership=held)
    assert opened["Location"].endswith(case.number)
    upload = SimpleUploadedFile(
        "參與.csv", table(HEADINGS, [[made.jia.organization.ubn or "", "drill", "yes", day, "演練", "表"]])
    )
    answer = staff.post("/staff/participation/import", {"file": upload})
    assert answer.status_code == 302
    assert "1列，其中1列是新的" in staff.get(answer["Location"]).content.decode()
    assert staff.post(answer["Location"]).status_code == 302
    assert ParticipationFact.objects.filter(source="import").count() == 1
