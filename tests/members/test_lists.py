"""Official lists: read, shown with what is new, imported whole or not at all; every roster compared, cases opened."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from django.db import ProgrammingError, transaction

from lianfang.kernel import ubn
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries, queries_lists
from lianfang.members.models import Constituent, ListCase, ListEdition, ListRow, Membership, ScreeningRun
from lianfang.members.subjects import subject_for
from tests.members.cases import browser, declare
from tests.members.lists import BOARD, MAINLAND, bring, read, table
from tests.world import SYSTEM, World, answers, build, business_number, draft, reread, send

pytestmark = pytest.mark.django_db


def sweep(world: World) -> int:
    # A day is enough for the next edition, and too little for the schedule.
    world.clock.tick(days=1)
    return actions.screen_due(by=SYSTEM, at=world.clock.tick())


def test_a_list_is_read_shown_and_imported_whole_or_not_at_all() -> None:
    world = build()
    rows = [[business_number(900 + n), f"樣本{one}投資有限公司"] for n, one in enumerate("甲乙丙丁戊己")]
    first = bring(world.clock, world.reviewer, rows[:5])
    assert (first.state, first.row_count, first.difference["counts"]["new"]) == ("imported", 5, 5)
    assert queries_lists.newest("mainland", world.clock.at) == first

    changed = [rows[0], [rows[1][0], "改名投資有限公司"], *rows[2:4], rows[5]]
    second = read(world.clock, world.reviewer, table(MAINLAND, changed, encoding="big5"), on=date(2026, 11, 2))
    assert second.encoding == "cp950"
    assert second.difference["counts"] == {"new": 1, "gone": 1, "changed": 1, "same": 3}
    assert second.difference["changed"][0][0][1] == rows[1][1]
    # Until somebody imports it, every check rests on the first.
    assert queries_lists.newest("mainland", world.clock.at) == first
    assert ListRow.objects.filter(edition=second).count() == 0

    wrong = read(world.clock, world.reviewer, table(MAINLAND, [*rows, ["1234567", "丙"]]), on=date(2026, 11, 2))
    at = world.clock.tick()
    with pytest.raises(Refusal, match=r"none is imported|不匯入任何一列"):
        actions.import_list(edition=wrong, by=world.reviewer.subject(at), at=at)
    assert ListRow.objects.filter(edition=wrong).count() == 0
    actions.discard_list(edition=wrong, by=world.reviewer.subject(at), at=at)

    actions.import_list(edition=second, by=world.reviewer.subject(at), at=at)
    assert [row.name for row in queries_lists.listed(second)] == [row[1] for row in changed]
    # Asked of an earlier instant, the earlier edition answers.
    assert queries_lists.newest("mainland", at - timedelta(seconds=1)) == first


def test_who_may_import_and_what_is_refused_by_name() -> None:
    world = build()
    content = table(MAINLAND, [[business_number(900), "樣本投資"]])
    for actor in (world.approver, world.analyst, world.auditor, world.jia.admin):
        with pytest.raises(Refusal) as refused:
            read(world.clock, actor, content)
        assert refused.value.clause in ("1.3", "")
    first = read(world.clock, world.reviewer, content)
    other = read(world.clock, world.reviewer, table(MAINLAND, [[business_number(901), "他人投資"]]))
    at = world.clock.tick()
    actions.import_list(edition=first, by=world.reviewer.subject(at), at=at)
    # The difference that was shown is no longer true.
    with pytest.raises(Refusal, match=r"另一版|Another edition"):
        actions.import_list(edition=other, by=world.reviewer.subject(at), at=at)
    for on, field in ((date(2026, 10, 31), "list_date"), (date(2027, 1, 1), "list_date"), (date(2026, 11, 1), "file")):
        with pytest.raises(Refusal) as refused:
            read(world.clock, world.reviewer, content, on=on)
        assert refused.value.field == field
    # Rows of an imported edition never change, whoever asks the database.
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        ListRow.objects.filter(edition=first).update(name="x")


def test_an_application_is_compared_with_the_applicant_and_a_hit_stands_in_its_way() -> None:
    world = build()
    clock = world.clock
    listed = business_number(930)
    constituents = (
        ("台湾大樣本創新科技(股)公司", ""),
        ("清白工業股份有限公司", business_number(931)),
        ("同號公司", listed),
        ("無號協會", ""),
    )
    bring(clock, world.reviewer, [[business_number(929), "臺灣大樣本創新科技股份有限公司"], [listed, "名錄第二公司"]])
    pages = answers(name="癸示範股份有限公司", place=62, people="m62.example", constituents=constituents)
    application = send(clock, draft(clock, pages))
    assert sweep(world) >= 1
    application = reread(application)
    found = queries.findings(application)
    results = [found[row.key].result for row in queries.all_rows(application)]
    assert results == ["clear", "name_hit", "clear", "id_hit", "unverifiable"]
    hit = found[queries.all_rows(application)[1].key]
    assert hit.by is None
    assert hit.edition is not None
    assert hit.matches == [[business_number(929), "臺灣大樣本創新科技股份有限公司", 100, "name"]]
    # Nothing is due any more; a second job writes nothing.
    assert sweep(world) == 0
    assert len(queries.events(application.number or "")) == 2

    by = world.reviewer
    actions.declare_conflict(case=application, conflict=False, by=by.subject(), at=clock.tick())
    actions.take_up(application=application, by=by.subject(), at=clock.tick())
    actions.check_authority(application=application, method="registry", by=by.subject(), at=clock.tick())
    ready = queries.readiness(application, clock.at)
    assert (ready.screened, ready.id_hits, ready.unjudged_name_hits, ready.unverifiable) == (5, 1, 1, 1)

    # The reviewer judges the name hit; the number blocks all the same.
    judged = actions.Finding(hit.row_key, "name_hit", hit.source, hit.list_date, "地址與負責人都不同。", True)
    actions.record_findings(application=application, findings=[judged], by=by.subject(), at=clock.tick())
    assert queries.readiness(application, clock.at).unjudged_name_hits == 0
    with pytest.raises(Refusal, match=r"match the mainland list|與陸資名單相符"):
        actions.recommend(
            application=application, what="approve", reasons=["eligible"], by=by.subject(), at=clock.tick()
        )

    # A new edition that names the same enterprise carries the judgement on; one that names another does not.
    bring(clock, by, [[business_number(929), "臺灣大樣本創新科技股份有限公司"]], on=date(2026, 11, 2))
    sweep(world)
    now = queries.findings(reread(application))[hit.row_key]
    assert (now.other_entity, now.note, now.by_id, str(now.list_date)) == (
        True, "地址與負責人都不同。", by.person.pk, "2026-11-02",
    )  # fmt: skip
    assert queries.readiness(application, clock.at).id_hits == 0
    bring(clock, by, [[business_number(935), "台灣大樣本創新科技有限公司"]], on=date(2026, 11, 2))
    sweep(world)
    assert not queries.findings(reread(application))[hit.row_key].other_entity
    assert queries.readiness(application, clock.at).unjudged_name_hits == 1


def test_what_a_person_found_is_not_made_weaker_by_a_comparison() -> None:
    world = build()
    clock, by = world.clock, world.reviewer
    application = reread(world.applicant)
    assert application.state == "submitted"
    actions.declare_conflict(case=application, conflict=False, by=by.subject(), at=clock.tick())
    actions.take_up(application=application, by=by.subject(), at=clock.tick())
    row = queries.all_rows(application)[0]
    finding = actions.Finding(row.key, "id_hit", "他處查得", date(2026, 11, 1))
    actions.record_findings(application=application, findings=[finding], by=by.subject(), at=clock.tick())
    bring(clock, by, [[business_number(940), "無關企業"]])
    sweep(world)
    assert queries.findings(reread(application))[row.key].result == "id_hit"


def test_a_new_edition_compares_members_in_force_opens_cases_and_removes_nobody() -> None:
    world = build()
    clock, by = world.clock, world.reviewer
    ding, wu, ji = world.ding, world.wu.organization, world.ji.organization
    before = list(Membership.objects.order_by("pk").values_list("pk", "state", "ended_at"))
    assert world.wu.subject().constituent_ok

    bring(clock, by, [[business_number(950), "無關企業股份有限公司"]])
    assert sweep(world) >= 5
    assert ListCase.objects.count() == 0
    progress = queries_lists.progress(ListEdition.objects.get(), clock.at)
    assert progress.done == progress.whole > 0

    bring(
        clock,
        by,
        [[wu.ubn or "", "名錄上的戊"], [business_number(951), ding.organization.name_zh]],
        on=date(2026, 11, 2),
    )
    sweep(world)
    cases = {case.organization_id: case for case in ListCase.objects.all()}
    assert {pk: case.result for pk, case in cases.items()} == {wu.pk: "id_hit", ding.organization.pk: "name_hit"}
    # Nobody left the roster, no membership moved; whoever has an open hit has no access meanwhile (F-constituent).
    assert list(Membership.objects.order_by("pk").values_list("pk", "state", "ended_at")) == before
    assert Constituent.objects.filter(group=ding.organization, removed_at__isnull=True).count() == 2
    assert not world.wu.subject().constituent_ok
    assert ding.admin.subject().standing == "active"
    assert Constituent.objects.get(organization=ji).screening == "unverifiable"
    assert sweep(world) == 0

    at = clock.tick()
    with pytest.raises(Refusal, match=r"先聲明|Declare first"):
        actions.close_list_case(case=cases[wu.pk], outcome="other", note="不是", by=by.subject(at), at=at)
    declare(world, cases[wu.pk], by, conflict=True)
    with pytest.raises(Refusal, match=r"已聲明有利害關係|declared a conflict"):
        actions.close_list_case(case=cases[wu.pk], outcome="other", note="不是", by=by.subject(at), at=at)
    for one in (wu.pk, ding.organization.pk):
        declare(world, cases[one], by)
    at = clock.tick()
    with pytest.raises(Refusal, match=r"統一編號相符|number matches"):
        actions.close_list_case(case=cases[wu.pk], outcome="other", note="不是", by=by.subject(at), at=at)
    with pytest.raises(Refusal, match=r"仍是如此|still so"):
        actions.close_list_case(case=cases[wu.pk], outcome="settled", note="更正", by=by.subject(at), at=at)
    with pytest.raises(Refusal, match=r"理由|reasons"):
        actions.close_list_case(case=cases[ding.organization.pk], outcome="other", note=" ", by=by.subject(at), at=at)
    with pytest.raises(Refusal):
        actions.close_list_case(
            case=cases[ding.organization.pk], outcome="other", note="x", by=world.analyst.subject(at), at=at
        )
    actions.close_list_case(
        case=cases[ding.organization.pk], outcome="other", note="統編不同。", by=by.subject(at), at=at
    )

    # The next edition no longer has the number: a person closes the case, then the row is compared and may read again.
    bring(clock, by, [[business_number(951), ding.organization.name_zh]], on=date(2026, 11, 3))
    sweep(world)
    assert Constituent.objects.get(organization=wu).screening == "id_hit"
    at = clock.tick()
    actions.close_list_case(case=cases[wu.pk], outcome="settled", note="新版已刪除。", by=by.subject(at), at=at)
    sweep(world)
    assert Constituent.objects.get(organization=wu).screening == "clear"
    assert subject_for(
        person=world.wu.person.pk, affiliation=world.wu.affiliation, at=clock.at, mfa=True
    ).constituent_ok
    # What was judged about the very same enterprise is not asked again.
    assert not ListCase.objects.filter(state="open").exists()


def test_a_row_added_to_a_roster_is_compared_before_its_people_get_access() -> None:
    world = build()
    clock = world.clock
    bring(clock, world.reviewer, [[business_number(955), "庚樣本企業股份有限公司"]])
    sweep(world)
    row = Constituent.objects.get(organization=world.ji.organization)
    ScreeningRun.objects.filter(membership=world.ding.membership).get()
    # As the roster's page adds one: it waits, and nothing is open to it.
    Constituent.objects.filter(pk=row.pk).update(screening="pending")
    assert not world.ji.subject().constituent_ok
    assert sweep(world) == 1
    row.refresh_from_db()
    assert row.screening == "clear"
    assert world.ji.subject().constituent_ok


def test_rosters_are_compared_again_on_schedule_without_a_new_edition() -> None:
    world = build()
    bring(world.clock, world.reviewer, [[business_number(956), "無關企業"]])
    first = sweep(world)
    assert first >= 5
    world.clock.tick(days=28)
    assert sweep(world) == 0
    assert sweep(world) == ScreeningRun.objects.filter(membership__isnull=False).count() // 2 > 0


def test_a_company_that_a_board_no_longer_has_opens_a_case_and_keeps_its_membership() -> None:
    world = build()
    clock, by = world.clock, world.reviewer
    jia, yi, bing = (
        [one.organization.stock_code, one.organization.name_zh, one.organization.ubn or ""]
        for one in (world.jia, world.yi, world.bing)
    )
    stranger = ["1101", "別家股份有限公司", business_number(960)]
    bring(clock, by, [jia, bing], kind="twse")
    assert sweep(world) == 0
    bring(clock, by, [stranger], kind="twse", on=date(2026, 11, 2))
    bring(clock, by, [yi, bing], kind="tpex", on=date(2026, 11, 2))
    assert sweep(world) == 2
    cases = {case.organization_id: case for case in ListCase.objects.filter(kind="listing")}
    assert {pk: case.result for pk, case in cases.items()} == {
        world.jia.organization.pk: "gone",
        world.bing.organization.pk: "moved",
    }
    assert not Membership.objects.filter(state="active").exclude(ended_at__isnull=True).exists()
    assert world.jia.admin.subject().standing == "active"
    assert sweep(world) == 0
    # A code that went to another company is not this one's.
    bring(clock, by, [[yi[0], *stranger[1:]], bing], kind="tpex", on=date(2026, 11, 3))
    assert sweep(world) == 1
    declare(world, cases[world.jia.organization.pk], by)
    at = clock.tick()
    actions.close_list_case(
        case=cases[world.jia.organization.pk], outcome="confirmed", note="已開始審查。", by=by.subject(at), at=at
    )
    assert sweep(world) == 0


@pytest.mark.parametrize(
    ("kind", "board", "listed", "code"),
    [
        ("twse", "twse", "own", "right"),
        ("twse", "twse", "other number", "other_number"),
        ("twse", "twse", "other code", "other_code"),
        ("tpex", "twse", "own", "other_board"),
        ("tpex", "emerging", "own", "emerging"),
        ("twse", "twse", "none", "nowhere"),
    ],
)
def test_a_board_decides_by_code_and_number_whether_a_company_is_eligible(
    kind: str, board: str, listed: str, code: str
) -> None:
    world = build()
    clock, by = world.clock, world.reviewer
    pages = answers(name="癸示範股份有限公司", place=63, people="m63.example", kind=kind)
    own = [pages["organization"]["stock_code"], "癸示範股份有限公司", pages["organization"]["ubn"]]
    rows = {
        "own": [own], "other number": [[own[0], "別家", business_number(970)]],
        "none": [["1101", "別家", business_number(970)]],
        "other code": [["1101", own[1], own[2]]],
    }[listed]  # fmt: skip
    bring(clock, by, rows, kind=board)
    if board != kind:
        bring(clock, by, [["1102", "第三家", business_number(971)]], kind=kind)
    kept = draft(clock, pages)
    form = browser("zh-hant")
    assert form.post(f"/apply/resume/{kept.secret}").status_code == 302
    before = [form.get(f"/apply/step/{step}").content.decode() for step in ("organization", "attachments", "review")]
    application = send(clock, kept)
    answer = queries_lists.eligibility_of(application, clock.tick())
    for page in before:
        assert (answer.words.zh in page) is answer.blocks, "the applicant reads it before sending, with the list's date"
        assert ("依2026-11-01的名單" in page) is answer.blocks
    assert (answer.code, answer.blocks) == (code, code != "right")
    assert answer.edition == date(2026, 11, 1)
    if answer.blocks:
        actions.declare_conflict(case=application, conflict=False, by=by.subject(), at=clock.tick())
        actions.take_up(application=application, by=by.subject(), at=clock.tick())
        with pytest.raises(Refusal) as refused:
            actions.recommend(
                application=application, what="approve", reasons=["eligible"], by=by.subject(), at=clock.tick()
            )
        assert refused.value.reason == answer.words


def test_fifty_thousand_rows_are_read_and_imported() -> None:
    world = build()
    numbers = (f"{n:08d}" for n in range(10_000_000, 99_999_999) if ubn.is_valid(f"{n:08d}"))
    rows = [[number, f"大量樣本{number}有限公司"] for number in itertools.islice(numbers, 50_000)]
    edition = bring(world.clock, world.reviewer, rows)
    assert edition.row_count == ListRow.objects.filter(edition=edition).count() == 50_000


def test_a_board_without_numbers_is_refused_at_reading() -> None:
    world = build()
    with pytest.raises(Refusal) as refused:
        read(world.clock, world.reviewer, table(BOARD[1:], [["甲", "22099131"]]), kind="twse")
    assert refused.value.field == "file"
