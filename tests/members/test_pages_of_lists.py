"""The pages of official lists, of a hit, and of holdings, as the reviewer uses them."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianfang.members import actions, queries
from lianfang.members.models import Application, ListCase, ListEdition, OwnershipStatement
from tests.members.lists import MAINLAND, bring, table
from tests.world import SYSTEM, World, answers, build, business_number, draft, reread, send

pytestmark = pytest.mark.django_db
NAME = "臺灣大樣本創新科技股份有限公司"


def upload(client: Client, content: bytes, *, kind: str = "mainland", on: str = "2026-11-01") -> str:
    file = SimpleUploadedFile("名錄 2026.csv", content)
    given = {"kind": kind, "list_date": on, "source": "經濟部投資審議司", "file": file}
    answer = client.post("/staff/lists/new", given)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def test_a_list_goes_from_a_file_through_its_difference_to_the_checks() -> None:
    world = build()
    reviewer, approver = world.client(world.reviewer), world.client(world.approver)
    empty = reviewer.get("/staff/lists").content.decode()
    assert "還沒有版次" in empty
    assert "/staff/lists/new" in empty
    assert "/staff/lists/new" not in approver.get("/staff/lists").content.decode()
    assert approver.get("/staff/lists/new").status_code in (403, 404)

    place = upload(reviewer, table(MAINLAND, [[business_number(929), NAME], ["12345", "短號"]]))
    page = reviewer.get(place).content.decode()
    assert "有1列要修正" in page
    assert "吃掉開頭的0" in page
    assert f"{place}/import" not in page
    assert reviewer.post(f"{place}/import").status_code == 409
    assert reviewer.post(f"{place}/discard").status_code == 302

    place = upload(reviewer, table(MAINLAND, [[business_number(929), NAME]]))
    page = reviewer.get(f"{place}?part=new").content.decode()
    assert "匯入1列" in page
    assert NAME in page
    assert "名錄 2026.csv" in page
    assert "匯入1列" not in approver.get(place).content.decode()
    assert approver.post(f"{place}/import").status_code in (403, 404)
    assert reviewer.post(f"{place}/import").status_code == 302
    assert "已匯入" in reviewer.get(place).content.decode()
    # Twice is told, not done.
    assert reviewer.post(f"{place}/import").status_code == 409
    assert b"".join(reviewer.get(f"{place}/file")) == table(MAINLAND, [[business_number(929), NAME]])  # type: ignore[arg-type]

    second = upload(reviewer, table(MAINLAND, [[business_number(929), "改名公司"]]), on="2026-11-02")
    page = reviewer.get(second).content.decode()
    assert f"<del>{NAME}</del>" in page
    assert "<ins>改名公司</ins>" in page


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"list_date": "115/11/01"}, "看不出是民國還是西元"),
        ({"list_date": "2036-11-01"}, "不能晚於今天"),
        ({"kind": "other"}, "errsum"),
        ({"file": SimpleUploadedFile("a.xls", b"\xd0\xcf\x11\xe0old")}, ".xls"),
        ({"file": SimpleUploadedFile("a.csv", "甲,乙\n1,2\n".encode())}, "找不到標題列"),
    ],
)
def test_what_is_no_list_is_said_at_its_field_and_kept_nowhere(given: dict[str, object], word: str) -> None:
    world = build()
    file = SimpleUploadedFile("a.csv", table(MAINLAND, [[business_number(929), NAME]]))
    posted = {"kind": "mainland", "list_date": "2026-11-01", "source": "來源", "file": file, **given}
    answer = world.client(world.reviewer).post("/staff/lists/new", posted)
    assert answer.status_code == 422
    assert word in answer.content.decode()
    assert not ListEdition.objects.exists()


def hit(world: World) -> Application:
    """An application in review with a name that is like one on the list but for two characters."""
    clock = world.clock
    constituents = (("台灣大樣本創薪科技有限公司", ""),)
    pages = answers(name="癸示範股份有限公司", place=64, people="m64.example", constituents=constituents)
    bring(clock, world.reviewer, [[business_number(929), NAME]])
    application = send(clock, draft(clock, pages))
    actions.screen_due(by=SYSTEM, at=clock.tick())
    actions.declare_conflict(case=application, conflict=False, by=world.reviewer.subject(), at=clock.tick())
    actions.take_up(application=application, by=world.reviewer.subject(), at=clock.tick())
    return reread(application)


def test_a_name_hit_is_shown_character_by_character_and_judged_in_writing() -> None:
    world = build()
    application = hit(world)
    client = world.client(world.reviewer)
    row = queries.all_rows(application)[1]
    place = f"/staff/cases/{application.number}/rows/{row.key}"
    assert place in client.get(f"/staff/cases/{application.number}").content.decode()
    page = client.get(place).content.decode()
    for cell in ('<td class="folded">台</td>', '<td class="folded">臺</td>', '<td class="different">薪</td>',
                 '<td class="different">新</td>'):  # fmt: skip
        assert cell in page
    assert "2026-11-01" in page
    assert "相似度" in page
    assert client.post(place, {"judged": "other", "note": " "}).status_code == 422
    assert world.client(world.approver).get(place).status_code in (403, 404)
    assert client.get(f"/staff/cases/{application.number}/rows/{'0' * 64}").status_code == 404

    assert client.post(place, {"judged": "other", "note": "負責人與地址不同。"}).status_code == 302
    finding = queries.findings(application)[row.key]
    assert (finding.result, finding.other_entity, finding.note) == ("name_hit", True, "負責人與地址不同。")
    assert finding.edition_id
    assert finding.matches

    # The enterprise itself blocks, as its number would.
    assert client.post(place, {"judged": "same", "note": "就是同一家。"}).status_code == 302
    assert queries.readiness(application, world.clock.at).id_hits == 1


def test_holdings_are_entered_drawn_and_stand_in_the_way_of_an_approval() -> None:
    world = build()
    application = hit(world)
    client = world.client(world.reviewer)
    row = queries.all_rows(application)[0]
    place = f"/staff/cases/{application.number}/rows/{row.key}"
    form = client.get(f"{place}/holdings").content.decode()
    assert row.name in form

    def post(*rows: tuple[str, str, str, bool], **more: str) -> int:
        given = {"note": "股東名簿", **more}
        for n, (owner, owned, share, mainland) in enumerate(rows):
            given |= {f"{n}-owner": owner, f"{n}-owned": owned, f"{n}-share": share}
            given |= {f"{n}-mainland": "on"} if mainland else {}
        return client.post(f"{place}/holdings", given).status_code

    assert post(("甲控股", "別家公司", "40", False)) == 422
    assert post(("甲控股", row.name, "四成", False)) == 422
    assert not OwnershipStatement.objects.exists()
    assert post(("大陸投資人", "甲控股", "40", True), ("甲控股", row.name, "30.0001", False)) == 302
    page = client.get(place).content.decode()
    assert "<svg" in page
    assert '<g class="yes">' in page
    assert "30.0001" in page
    reason = queries.readiness(application, world.clock.at).ownership
    assert reason is not None
    assert row.name in reason.zh

    assert post(("大陸投資人", "甲控股", "30", True), ("甲控股", row.name, "100", False)) == 302
    assert queries.readiness(application, world.clock.at).ownership is None

    circle = (("甲控股", row.name, "60", False), (row.name, "甲控股", "60", False))
    assert post(*circle) == 422
    assert post(*circle, judged="no") == 302
    assert "互相持股成循環" in client.get(place).content.decode()
    assert queries.readiness(application, world.clock.at).ownership is None
    assert post(*circle, judged="yes") == 302
    assert queries.readiness(application, world.clock.at).ownership is not None


def test_cases_that_a_list_opened_are_listed_read_and_judged() -> None:
    world = build()
    clock, client = world.clock, world.client(world.reviewer)
    assert "沒有待判斷的案件" in client.get("/staff/list-cases").content.decode()
    wu = world.wu.organization
    bring(clock, world.reviewer, [[wu.ubn or "", "名錄上的戊"], [business_number(951), world.jia.organization.name_zh]])
    actions.screen_due(by=SYSTEM, at=clock.tick())
    number, name = (ListCase.objects.get(organization=one).number for one in (wu, world.jia.organization))
    listed = client.get("/staff/list-cases").content.decode()
    assert number in listed
    assert name in listed
    page = client.get(f"/staff/list-cases/{number}").content.decode()
    assert wu.name_zh in page
    assert "仍是如此" in page
    assert client.get("/staff/list-cases/L-2026-9999").status_code == 404
    assert "您尚未聲明" in page or "尚未聲明" in page
    assert f"/staff/list-cases/{number}/judge" not in page, "first whoever judges says whether he may"
    assert client.post(f"/staff/list-cases/{name}/judge", {"outcome": "other", "note": "統編不同。"}).status_code == 422
    for one in (number, name):
        declared = client.post(f"/staff/list-cases/{one}/conflict", {"conflict": "no", "reason": ""})
        assert declared.status_code == 302
    assert f"/staff/list-cases/{number}/judge" in client.get(f"/staff/list-cases/{number}").content.decode()
    # By number there is no "somebody else".
    assert 'value="other"' not in client.get(f"/staff/list-cases/{number}/judge").content.decode()
    assert client.post(f"/staff/list-cases/{number}/judge", {"outcome": "settled", "note": "更正"}).status_code == 422
    assert world.client(world.approver).get(f"/staff/list-cases/{number}").status_code == 200
    assert world.client(world.approver).get(f"/staff/list-cases/{number}/judge").status_code in (403, 404)
    judged = client.post(f"/staff/list-cases/{name}/judge", {"outcome": "other", "note": "統編不同。"})
    assert judged.status_code == 302
    assert "統編不同。" in client.get(f"/staff/list-cases/{name}").content.decode()
    assert name in client.get("/staff/list-cases?view=all").content.decode()


def test_the_case_page_names_the_edition_on_which_eligibility_rests() -> None:
    world = build()
    clock = world.clock
    application = reread(world.applicant)
    organization = application.answers["organization"]
    listed = [organization["stock_code"], organization["name_zh"], organization["ubn"]]
    client = world.client(world.reviewer)
    assert "申請人填寫" in client.get(f"/staff/cases/{application.number}").content.decode()
    bring(clock, world.reviewer, [listed], kind=application.kind, on=date(2026, 11, 1))
    page = client.get(f"/staff/cases/{application.number}").content.decode()
    assert "（2026-11-01版）" in page
    bring(clock, world.reviewer, [["1101", "別家", business_number(970)]], kind=application.kind, on=date(2026, 11, 2))
    assert "不在" in client.get(f"/staff/cases/{application.number}").content.decode()
