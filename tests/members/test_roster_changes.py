"""The roster changes by request: screened before access, removed from an instant, moved once the receiver agrees."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.accounts.models import Affiliation, Organization
from lianfang.kernel.clock import TAIPEI, utcnow
from lianfang.members import actions, changes
from lianfang.members.models import ChangeConfirmation, ChangeRequest, Constituent, RosterDraft
from lianfang.members.subjects import facts_of, subject_of
from lianfang.members.views.changes import removal_instant
from lianfang.policy.facts import Role
from tests import world
from tests.members import cases, lists
from tests.members.change_cases import again, apply, checked, decided, file, refused, taken_up
from tests.members.test_pages_of_changes import ACCEPT, ATTEST, inputs

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
NEW = {"name": "庚示範有限公司", "ubn": world.business_number(91)}


def held(made: world.World, name: str = "") -> dict[str, Constituent]:
    rows = Constituent.objects.filter(group=made.ding.organization).select_related("organization").order_by("id")
    return {row.name: row for row in rows}


def row_of(made: world.World, actor: world.Actor) -> Constituent:
    return Constituent.objects.select_related("organization").get(
        group=made.ding.organization, organization=actor.organization, removed_at__isnull=True
    )


def op(row: Constituent, **more: str) -> dict[str, str]:
    return {"id": str(row.pk), "name": row.name, "ubn": row.organization.ubn or "", **more}


def ok(actor: world.Actor, at: datetime) -> bool:
    return subject_of(facts_of(actor.affiliation.pk), at=at, mfa=True).constituent_ok


def test_a_row_is_screened_before_its_people_get_access(made: world.World) -> None:
    ding = made.ding
    assert changes.attestation_stands(ding.membership, made.clock.at)
    case = taken_up(made, file(made, ding, roster={"add": [NEW]}))
    assert case.risks == ["roster"]
    send = lambda: actions.recommend_change(  # noqa: E731
        case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick()
    )
    assert "1列沒有陸資檢核" in refused(send).reason.zh
    checked(made, case, result="unverifiable")
    send()
    cases.declare(made, case, made.approver)
    apply(made, case, by=made.approver)
    row = held(made)[NEW["name"]]
    assert (row.screening, row.organization.kind) == ("unverifiable", "constituent")
    person = world.invite(
        made.clock, ding.admin, email="p@geng.example", name="許測試", organization=row.organization, role=Role.MEMBER
    )
    assert not ok(person, made.clock.at), "on the roster, and without access: it is not clear"
    assert changes.attestation_stands(ding.membership, made.clock.at), "the new attestation covers the new roster"
    assert refused(lambda: decided(made, file(made, ding, roster={"add": [NEW]}))).rule == "roster-row", "twice"


def test_rows_are_judged_by_whoever_takes_them_in(made: world.World) -> None:
    """Not by the page alone: a number that is none, our own organisation, one that is there already."""
    wu = row_of(made, made.wu)
    own = made.ding.organization
    for row in (
        {"name": "壞列", "ubn": "12345678"}, {"name": " 空白 ", "ubn": ""}, {"name": "A123456789", "ubn": ""},
        {"name": own.name_zh, "ubn": own.ubn or ""}, {"name": wu.name, "ubn": wu.organization.ubn or ""},
    ):  # fmt: skip
        refusal = refused(lambda row=row: file(made, made.ding, roster={"add": [NEW, row]}))
        assert refusal.rule in ("roster-row", "") or "ubn" in refusal.rule, row
    # Ids of others' rows are no rows of ours.
    gone = refused(lambda: file(made, made.yi, roster={"remove": [op(wu)]}))
    assert gone.rule == "roster-row-gone"
    assert not ChangeRequest.objects.exists()


def test_a_row_without_a_finding_gives_no_access(made: world.World) -> None:
    """Whatever way it came onto the roster (invariant 4)."""
    row = row_of(made, made.wu)
    assert ok(made.wu, made.clock.at)
    Constituent.objects.filter(pk=row.pk).update(screening="pending")
    assert not ok(made.wu, made.clock.at)


def test_the_system_compares_the_new_rows_of_an_open_change(made: world.World) -> None:
    """A number of the list blocks it, whoever says what; a person's page shows the finding of the system."""
    listed = world.business_number(95)
    lists.bring(made.clock, made.reviewer, [[listed, "樣本投資有限公司"]])
    filed = file(made, made.ding, roster={"add": [NEW, {"name": "隨便有限公司", "ubn": listed}]})
    assert actions.screen_due(by=world.SYSTEM, at=made.clock.tick()) >= 1
    assert changes.readiness(filed, made.clock.at).id_hits == 1, "when it is filed"
    # The list that holds when it is taken up is another one, and names another row.
    later = world.business_number(94)
    lists.bring(
        made.clock, made.reviewer, [[later, "樣本投資有限公司"], [NEW["ubn"], "新列公司"]], on=date(2026, 11, 2)
    )
    case = taken_up(made, filed)
    found = changes.findings(case.membership, changes.rows_to_screen(case, made.clock.at)).values()
    assert [(one.list_date.day, one.result) for one in found].count((2, "id_hit")) == 1, "when it is taken up"
    assert {one.list_date.day for one in found} == {2}, "by the newest list"
    ready = changes.readiness(again(case), made.clock.at)
    assert (ready.rows, ready.screened, ready.id_hits) == (2, 2, 1)
    no = refused(
        lambda: actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    )
    assert "統一編號" in no.reason.zh
    assert changes.unscreened(made.clock.at) == [], "what was compared is not compared again and again"
    page = made.client(made.reviewer).get(f"/staff/changes/{case.number}").content.decode()
    assert "統編相符" in page


def test_a_removal_holds_from_its_very_instant(made: world.World) -> None:
    row = row_of(made, made.wu)
    at = (made.clock.at + timedelta(days=3)).replace(microsecond=0)
    decision = decided(made, file(made, made.ding, roster={"remove": [op(row, at=at.isoformat())]}))
    row.refresh_from_db()
    assert row.removed_at == at
    for instant, wanted in ((at - TICK, True), (at, False), (at + TICK, False)):
        assert ok(made.wu, instant) is wanted
        subject = made.wu.subject(instant)
        assert (subject.left_at is not None and subject.left_at <= instant) is not wanted
        assert (row in changes.roster_at(made.ding.organization.pk, instant)) is wanted
    assert decision.decided_at < at
    # One whose day has passed by the time of the decision ends with the decision, never before it.
    late = row_of(made, made.ji)
    decision = decided(made, file(made, made.ding, roster={"remove": [op(late, at="2026-01-01T00:00:00+08:00")]}))
    late.refresh_from_db()
    assert late.removed_at == decision.decided_at
    person = Affiliation.objects.get(pk=made.ji.affiliation.pk)
    assert person.left_at == decision.decided_at


def test_a_renamed_row_ends_and_another_begins(made: world.World) -> None:
    row = row_of(made, made.wu)
    new = {"id": str(row.pk), "old": row.name, "name": "戊新名有限公司", "ubn": row.organization.ubn or ""}
    decision = decided(made, file(made, made.ding, roster={"rename": [new]}))
    row.refresh_from_db()
    fresh = row_of(made, made.wu)
    assert (row.removed_at, fresh.added_at) == (decision.decided_at, decision.decided_at)
    assert (fresh.name, fresh.screening, fresh.organization.name_zh) == ("戊新名有限公司", "clear", "戊新名有限公司")
    assert ok(made.wu, decision.decided_at), "its people go on: the same organisation, screened under its new name"
    before = [one.name for one in changes.roster_at(made.ding.organization.pk, decision.decided_at - TICK)]
    assert row.listed_name in before


def test_a_transfer_waits_for_the_receiver(made: world.World) -> None:
    row = row_of(made, made.wu)
    receiver = made.yi
    ops = {"transfer": [op(row, to_ubn=receiver.organization.ubn or "")]}
    case = checked(made, taken_up(made, file(made, made.ding, roster=ops)))
    assert {one.of for one in changes.confirmations(case)} == {"receiver"}
    actions.recommend_change(
        case=case, what="approve", text="電話查證", by=made.reviewer.subject(), at=made.clock.tick()
    )
    cases.declare(made, case, made.approver)
    assert refused(lambda: apply(made, case, by=made.approver)).rule == "transfer-receiver"
    one = ChangeConfirmation.objects.filter(change=case).first()
    assert one is not None
    actions.answer_confirmation(confirmation=one, yes=True, by=cases.PUBLIC, at=made.clock.tick())
    decision = apply(made, case, by=made.approver)
    there = Constituent.objects.get(group=receiver.organization, organization=row.organization)
    assert (there.added_at, there.screening, there.removed_at) == (decision.decided_at, "clear", None)
    row.refresh_from_db()
    assert row.removed_at == decision.decided_at
    assert not ok(made.wu, decision.decided_at), "its people acted for it within the former group"
    assert not changes.attestation_stands(receiver.membership, made.clock.at), "void: the receiver's roster changed"
    # Who is a member is told to nobody: a number of nobody is taken in like any other.
    other = row_of(made, made.ji)
    quiet = file(made, made.ding, roster={"transfer": [op(other, to_ubn=world.business_number(77))]})
    assert quiet.state == "submitted"
    assert not changes.confirmations(quiet)


def test_a_roster_that_moved_on_meanwhile_is_not_half_changed(made: world.World) -> None:
    wu, ji = row_of(made, made.wu), row_of(made, made.ji)
    case = taken_up(made, file(made, made.ding, roster={"remove": [op(wu)], "add": [NEW]}))
    checked(made, case)
    actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    cases.declare(made, case, made.approver)
    Constituent.objects.filter(pk=ji.pk).update(removed_at=made.clock.tick())
    stale = refused(lambda: apply(made, case, by=made.approver))
    assert "切結" in stale.reason.zh, "the attestation does not cover what the roster would be"
    wu.refresh_from_db()
    assert wu.removed_at is None
    assert NEW["name"] not in held(made)


def test_pages_of_the_roster(made: world.World) -> None:
    admin = made.client(made.ding.admin)
    wu = row_of(made, made.wu)
    page = admin.get("/member/organisation/roster").content.decode()
    assert wu.name in page
    found = admin.get("/member/organisation/roster", {"q": wu.organization.ubn or ""}).content.decode()
    assert wu.name in found
    assert row_of(made, made.ji).name not in found
    assert admin.get("/member/organisation/roster", {"screening": "unverifiable"}).status_code == 200
    for odd in ({"after": "x"}, {"after": "999999999"}, {"q": "\x00"}, {"before": str(wu.pk)}):
        assert admin.get("/member/organisation/roster", odd).status_code == 200
    mine = made.client(made.wu).get("/member/organisation/roster").content.decode()
    assert row_of(made, made.ji).name not in mine, "a constituent sees itself alone"
    # Add one, with what is wrong at its field; then the file ends in one change request.
    add = "/member/organisation/roster/add"
    assert admin.post(add, {"name": "", "ubn": "", "review": "1"}).status_code == 422
    assert admin.post(add, {"name": wu.name, "ubn": wu.organization.ubn, "review": "1"}).status_code == 422
    ticked = admin.post("/member/organisation/roster/remove", {"chosen": "1", "row": [wu.pk]})
    assert ticked.status_code == 200
    assert wu.name in ticked.content.decode()
    others = admin.post("/member/organisation/roster/remove", {"chosen": "1", "row": ["123456789"]}).content.decode()
    assert wu.name not in others
    past = {"row": [wu.pk], "on": "2026-01-01", "review": "1"}
    assert admin.post("/member/organisation/roster/remove", past).status_code == 422
    assert admin.post("/member/organisation/roster/remove", {**past, "on": "115/12/1"}).status_code == 422
    assert admin.post("/member/organisation/roster/remove", {"on": "", "review": "1"}).status_code == 422
    assert (
        admin.post("/member/organisation/roster/transfer", {"row": [wu.pk], "to_ubn": "1", "review": "1"}).status_code
        == 422
    )
    review = admin.post("/member/organisation/roster/remove", {"row": [wu.pk], "on": "", "review": "1"})
    assert review.status_code == 200
    kept = inputs(review.content.decode())
    sent = admin.post("/member/organisation/roster/remove", {**kept, **ACCEPT, **ATTEST})
    case = ChangeRequest.objects.get()
    assert sent.headers["Location"].endswith(case.number)
    assert admin.get(add).headers["Location"].endswith(case.number), "one at a time"


def test_the_day_of_a_removal_begins_at_midnight_in_taipei() -> None:
    at = datetime(2026, 11, 30, 15, 59, 59, 999999, tzinfo=utcnow().tzinfo)
    day = at.astimezone(TAIPEI).date()
    assert removal_instant(day, at) == "2026-11-30T00:00:00+08:00"
    assert removal_instant(None, at) == ""
    after = at + TICK
    assert refused(lambda: removal_instant(day, after)).rule == "roster-past"


def test_an_import_becomes_one_request_and_leaves_nothing_behind(made: world.World) -> None:
    made.clock.at = utcnow()
    admin = made.client(made.ding.admin)
    wu, ji = row_of(made, made.wu), row_of(made, made.ji)
    text = f"公司名稱,統一編號\n{wu.name},{wu.organization.ubn}\n{NEW['name']},{NEW['ubn']}\n壞列,12345678\n"
    start = "/member/organisation/roster/import"
    assert admin.get(start).status_code == 200
    assert admin.post(start, {"pasted": ""}).status_code == 422
    for bad in (b"\xd0\xcf\x11\xe0old", b"", b"PK\x03\x04broken"):
        assert admin.post(start, {"file": SimpleUploadedFile("x.xlsx", bad)}).status_code == 422
    sent = admin.post(start, {"file": SimpleUploadedFile("名冊.csv", text.encode("cp950"))})
    address = sent.headers["Location"]
    page = admin.get(address).content.decode()
    for words in ("要修正", "新增", "變更", "移除", "不變", "匯入之後", "原切結書失效"):
        assert words in page
    assert not ChangeRequest.objects.exists()
    draft = RosterDraft.objects.get()
    assert draft.columns == {"name": 0, "ubn": 1}
    assert made.client(made.ding.deputy).get(address).status_code == 404, "a file is its bringer's alone"
    assert made.client(made.yi.admin).get(address).status_code == 404
    assert admin.post(address, {"review": "1"}).status_code == 422, "rows are still to be corrected"
    twice = {"map": "1", "column-name": "0", "column-ubn": "0", "heading": "on", "whole": "no"}
    assert admin.post(address, twice).status_code == 422
    mapped = {**twice, "column-ubn": "1", "whole": "yes"}
    assert admin.post(address, mapped).status_code == 302
    assert ji.name in admin.get(address, {"tab": "remove"}).content.decode()
    assert admin.post(f"{address}?tab=fix", {"fix": "1", "name-4": "壞列", "ubn-4": "87654321"}).status_code == 302
    assert "要修正" in admin.get(address).content.decode()
    assert admin.post(address, {"leave_out": "1"}).status_code == 302
    for tab in ("fix", "add", "change", "remove", "same", "x"):
        assert admin.get(address, {"tab": tab, "from": "0"}).status_code == 200
    review = admin.post(address, {"review": "1", "reason": "年度更新"})
    assert review.status_code == 200
    kept = inputs(review.content.decode())
    filed = admin.post(address, {**kept, **ACCEPT, **ATTEST})
    assert filed.status_code == 302, filed.content.decode()[:3000]
    case = ChangeRequest.objects.get()
    ops = case.values["roster"]
    assert [one["name"] for one in ops["add"]] == [NEW["name"]]
    assert [one["name"] for one in ops["remove"]] == [ji.name]
    assert not RosterDraft.objects.exists(), "the file is gone once it became a request"
    assert not Organization.objects.filter(ubn=NEW["ubn"]).exists(), "nothing is on the roster before the decision"
    case = changes.change(case.number)
    assert case is not None
    decided(made, case)
    assert set(changes.roster_at(made.ding.organization.pk, made.clock.at).values_list("listed_name", flat=True)) == {
        wu.name, NEW["name"],
    }  # fmt: skip


def test_a_file_that_became_nothing_is_erased_within_a_day(made: world.World) -> None:
    by = made.ding.admin.subject()
    at = made.clock.tick()
    draft = actions.keep_roster(membership=made.ding.membership, name="x.csv", content="甲,\n".encode(), by=by, at=at)
    limit = draft.expires_at
    assert limit == at + timedelta(days=1)
    system = world.SYSTEM
    for instant, left in ((limit - TICK, 1), (limit, 0)):
        seen = changes.roster_draft(draft.pk, membership_id=made.ding.membership.pk, person_id=by.person, at=instant)
        assert (seen is not None) is bool(left)
        actions.forget_old_rosters(by=system, at=instant)
        assert RosterDraft.objects.count() == left
    assert refused(
        lambda: actions.keep_roster(
            membership=made.ding.membership, name="x", content=b"a,b", by=made.ding.member.subject(), at=at
        )
    )


def test_holdings_of_a_row_that_a_change_adds_are_entered_and_judged(made: world.World) -> None:
    """The second test of 1.3 goes on after the admission: over 30 % layer by layer, and no approval stands."""
    case = checked(made, taken_up(made, file(made, made.ding, roster={"add": [NEW]})))
    row = changes.rows_to_screen(case, made.clock.at)[0]
    client = made.client(made.reviewer)
    where = f"/staff/changes/{case.number}/rows/{row.key}/holdings"
    assert where in client.get(f"/staff/changes/{case.number}").content.decode()

    def post(*held: tuple[str, str, str, bool]) -> int:
        data: dict[str, str] = {"judged": "", "note": ""}
        for place, (owner, owned, share, mainland) in enumerate(held):
            data |= {f"{place}-owner": owner, f"{place}-owned": owned, f"{place}-share": share}
            data |= {f"{place}-mainland": "on"} if mainland else {}
        return int(client.post(where, data).status_code)

    assert post(("陸資控股", "別家", "80", True)) == 422, "it says nothing about the row"
    assert post(("陸資控股", row.name, "30.01", True)) == 302
    assert changes.readiness(case, made.clock.at).ownership is not None
    no = refused(
        lambda: actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    )
    assert "陸資" in no.reason.zh
    assert post(("陸資控股", row.name, "30", True)) == 302
    assert changes.readiness(case, made.clock.at).ownership is None, "30 is not more than 30"
    actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    assert client.get(f"/staff/changes/{case.number}/rows/nothing/holdings").status_code == 404
    assert made.client(made.approver).get(where).status_code in (403, 404)
    withdrawn = file(made, made.yi, organization={"address": "新址"})
    stated = lambda: actions.state_change_ownership(  # noqa: E731
        case=withdrawn, row_key=row.key, rows=[], by=made.reviewer.subject(), at=made.clock.tick()
    )
    assert refused(stated).rule == "change-state", "under review alone"
