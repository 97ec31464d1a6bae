"""A whole case as one signed file: everything for staff, what it may see for the member, verified by anybody."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lianfang.audit import bundle, signing
from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.mailroom.actions import take
from lianfang.members import actions, case_file, case_kinds, case_parts
from lianfang.members.models import ListCase
from lianfang.members.uploads import read as read_upload
from lianfang.outbox.reply import case_address
from tests import world
from tests.mailroom import mails
from tests.members import cases, change_cases, lists, test_recovery
from tests.members.test_lists import sweep

pytestmark = pytest.mark.django_db
WHY = "訴訟，交付律師"


def read_out(made: world.World, number: str, actor: world.Actor, *, audience: str = "staff", at: Any = None) -> bytes:
    case = case_file.find(number)
    assert case is not None
    target = io.BytesIO()
    at = at or made.clock.tick()
    gather = partial(case_parts.gathered, case, audience=audience, by=actor.person.name, why=WHY, at=at)
    actions.read_out(case=case, why=WHY, audience=audience, gather=gather, target=target, by=actor.subject(at), at=at)
    return target.getvalue()


def opened(data: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    key = signing.signing_key(may_create=False).public
    seen = bundle.verify(io.BytesIO(data), key=key)
    assert seen.fault is None, seen.fault
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, json.loads(files["case.json"])


def appealed(made: world.World) -> tuple[str, str]:
    """甲's revocation and its appeal, with a file, a mail and a hold."""
    case = cases.revoked(made)
    actions.open_letter(case=case, by=made.jia.admin.subject(), at=made.clock.tick())
    upload = read_upload(name="申訴書.pdf", content=world.PDF, field="files")
    appeal = cases.appealed(made, cases.again(case), made.jia.admin, text='=HYPERLINK("x")<script>', files=[upload])
    actions.place_hold(case=case.number, reason="訴訟中", by=made.legal.subject(), at=made.clock.tick())
    take(raw=mails.mail(to=case_address(case.number), text="<b>補充</b>", files=(("函.pdf", mails.PDF),)),
         at=made.clock.tick())  # fmt: skip
    return case.number, appeal.number


def test_of_every_kind_of_case_the_staff_reads_out_everything(made: world.World) -> None:
    revoked, appeal = appealed(made)
    leaving = actions.request_termination(
        membership=made.bing.membership, reason="改組", handling="destroy", by=made.bing.admin.subject(),
        at=made.clock.tick(),
    )  # fmt: skip
    change = change_cases.file(made, made.yi, organization={"address": "示範市新址路9號"})
    case = change_cases.taken_up(made, change)
    actions.apply_change(case=case, basis="誠信原則", by=made.reviewer.subject(), at=made.clock.tick())
    actions.add_note(case=case, text="=1+1 內部", by=made.reviewer.subject(), at=made.clock.tick())
    application = made.jia.membership.application.number or ""
    for number in (revoked, appeal, leaving.number, change.number, application):
        with cases.Ledger() as ledger:
            files, data = opened(read_out(made, number, made.legal))
        (entry,) = ledger.entries("members:case:read_out")
        assert entry.detail["case"] == number
        assert data["case"] == number
        assert data["read_out"] == {"by": made.legal.person.name, "why": WHY}
        assert data["timeline"], number
        listed = json.loads(files["ledger/entries.json"])["entries"]
        proved = [one for one in listed if one["seq"] is not None]
        assert proved, "what happened a moment ago has its proof"
        page = files["index.html"].decode()
        assert "<script" not in page.lower()
        assert "src=" not in page
        assert number in page
    files, data = opened(read_out(made, revoked, made.legal))
    assert data["holds"][0]["reason"] == "訴訟中"
    assert "訴訟中" in files["index.html"].decode()
    (limit, *_) = [one for one in data["limits"] if one["rule"] == "D1"]
    assert limit["days"] == 30
    assert [one["code"] for one in limit["steps"]][:3] == ["event", "first", "counted"]
    (decision,) = data["decisions"]
    letter = files[f"letters/{decision['number']}.zh.txt"].decode()
    assert "取消貴組織的團體會員資格" in letter
    assert data["mails_out"], "the mails that left about it"
    assert any(one["kind"] == "N9" for one in data["mails_out"])
    (mail,) = data["mails_in"]
    assert mail["verified"] is False
    assert files[mail["files"][0]["path"]] == mails.PDF
    assert "&lt;b&gt;補充" in files["index.html"].decode()
    files, data = opened(read_out(made, appeal, made.legal))
    assert [one["name"] for one in data["files"]] == ["申訴書.pdf"]
    assert files[data["files"][0]["path"]] == world.PDF
    assert "=HYPERLINK(" in files["case.json"].decode()
    files, data = opened(read_out(made, change.number, made.legal))
    assert data["decisions"][0]["basis"] == "誠信原則"
    assert "'=1+1 內部" in files["timeline.csv"].decode("utf-8-sig")


def test_a_recovery_and_a_case_of_a_list_are_held_answered_by_mail_and_read_out_like_any_other(
    made: world.World,
) -> None:
    recovery = test_recovery.recommended(made, test_recovery.asked(made))
    wu = made.wu.organization
    lists.bring(made.clock, made.reviewer, [[wu.ubn or "", "名錄上的戊"]])
    sweep(made)
    (listed,) = ListCase.objects.all()
    staff = made.client(made.legal)
    for case, part in ((recovery, "以登記電話回撥代表人確認。"), (listed, "名錄上的戊")):
        number = case.number
        actions.place_hold(case=number, reason="訴訟中", by=made.legal.subject(), at=made.clock.tick())
        mail = take(raw=mails.mail(to=case_address(number), text="補充說明"), at=made.clock.tick())
        assert [one.case for one in mail.placements.all()] == [number]
        files, data = opened(read_out(made, number, made.legal))
        assert data["holds"][0]["reason"] == "訴訟中"
        assert len(data["mails_in"]) == 1
        assert part in files["index.html"].decode()
        page = staff.get(case_kinds.staff_page(number)).content.decode()
        assert f"/staff/case-files/{number}" in page
        assert "補充說明" in made.client(made.reviewer).get(f"/staff/mail/{mail.pk}").content.decode()
        held = staff.get("/staff/holds").content.decode()
        assert f'href="{case_kinds.staff_page(number)}"' in held
    files, data = opened(read_out(made, recovery.number, made.legal))
    assert [one["name"] for one in data["files"]] == ["letter.pdf"]
    # The member reads its own recovery without the findings; what a list gave is no member's to read.
    files, data = opened(read_out(made, recovery.number, made.jia.admin, audience="member"))
    whole = b"\n".join(files.values()).decode("utf-8", "replace")
    assert "兩位管理員都離職了。" in whole
    for hidden in ("以登記電話回撥", "訴訟中", "補充說明", made.reviewer.person.name):
        assert hidden not in whole, hidden
    with pytest.raises(Refusal):
        read_out(made, listed.number, made.ding.admin, audience="member")
    assert made.client(made.ding.admin).get(f"/case-files/{listed.number}").status_code == 404


def test_the_same_instant_gives_the_same_bytes_and_nothing_of_later(made: world.World) -> None:
    case = cases.proposed(made)
    at = made.clock.tick()
    first = read_out(made, case.number, made.legal, at=at)
    actions.revoke(case=case, by=made.approver.subject(), at=made.clock.tick())
    _, before = opened(first)
    again, data = opened(read_out(made, case.number, made.legal, at=at))
    assert data["decisions"] == before["decisions"] == []
    assert data["timeline"] == before["timeline"]
    assert data["limits"] == before["limits"]
    assert data["state"] is None, "a state of then is not guessed"
    entries = json.loads(again["ledger/entries.json"])["entries"]
    assert not [one for one in entries if one["entry"]["tag"] in ("members:revocation:decide", "members:case:read_out")]
    twice = [read_out(made, case.number, made.legal, at=at) for _ in range(2)]
    assert twice[0] == twice[1]


def test_a_member_reads_out_what_it_may_see_of_its_own_and_nothing_else(made: world.World) -> None:
    change = change_cases.taken_up(made, change_cases.file(made, made.yi, organization={"address": "示範市新址路9號"}))
    actions.add_note(case=change, text="內部看法", by=made.reviewer.subject(), at=made.clock.tick())
    actions.add_note(case=change, text="請補件", to_applicant=True, by=made.reviewer.subject(), at=made.clock.tick())
    actions.apply_change(case=change, by=made.reviewer.subject(), at=made.clock.tick())
    actions.place_hold(case=change.number, reason="保全原因", by=made.legal.subject(), at=made.clock.tick())
    take(raw=mails.mail(to=case_address(change.number), text="第三人來信"), at=made.clock.tick())
    files, data = opened(read_out(made, change.number, made.yi.admin, audience="member"))
    whole = b"\n".join(files.values()).decode("utf-8", "replace")
    assert "請補件" in whole
    assert "示範市新址路9號" in whole
    for hidden in ("內部看法", "保全原因", "第三人來信", made.reviewer.person.name):
        assert hidden not in whole, hidden
    assert data["decisions"][0]["decided_by"] == ""
    for actor in (made.yi.member, made.jia.admin, made.former.admin, made.wu):
        with pytest.raises(Refusal):
            read_out(made, change.number, actor, audience="member")
    with pytest.raises(Refusal):
        read_out(made, change.number, made.yi.admin)


def test_a_letter_whose_arrival_is_not_proven_does_not_leave_by_the_file(made: world.World) -> None:
    case = cases.revoked(made)
    with pytest.raises(Refusal) as early:
        read_out(made, case.number, made.jia.admin, audience="member")
    assert early.value.rule == "read-out-arrival"
    actions.open_letter(case=case, by=made.jia.admin.subject(), at=made.clock.tick())
    files, data = opened(read_out(made, case.number, made.jia.admin, audience="member"))
    assert f"letters/{data['decisions'][0]['number']}.zh.txt" in files
    assert cases.FACTS not in json.dumps(data["sections"], ensure_ascii=False)


def test_it_is_signed_on_the_page_and_comes_as_a_download(made: world.World) -> None:
    case = cases.proposed(made)
    staff, path = made.client(made.legal), f"/staff/case-files/{case.number}"
    assert path in staff.get(f"/staff/revocations/{case.number}").content.decode()
    assert staff.get(path).status_code == 200
    before = Entry.objects.filter(tag="members:case:read_out").count()
    assert staff.post(path, {"why": WHY}).status_code == 422, "without a code"
    assert staff.post(path, {"why": " ", "second_factor_code": made.legal.code()}).status_code == 422
    assert Entry.objects.filter(tag="members:case:read_out").count() == before
    answer = staff.post(path, {"why": WHY, "second_factor_code": made.legal.code()})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == f'attachment; filename="{case.number}.zip"'
    assert "no-store" in answer["Cache-Control"]
    opened(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    for number in ("R-2031-0001", "X-2026-0001", "nothing"):
        assert staff.get(f"/staff/case-files/{number}").status_code == 404
    change = change_cases.file(made, made.yi, organization={"address": "示範市新址路9號"})
    own = f"/case-files/{change.number}"
    assert own in made.client(made.yi.admin).get(f"/member/organisation/changes/{change.number}").content.decode()
    answer = made.client(made.yi.admin).post(own, {"why": WHY, "second_factor_code": made.yi.admin.code()})
    assert answer.status_code == 200
    for actor in (made.yi.member, made.jia.admin, made.wu, made.former.admin, made.legal):
        assert made.client(actor).get(own).status_code == 404
    assert made.client(None).get(own).status_code in (302, 404)


def test_the_command_verifies_without_a_database_and_names_the_first_bad_file(
    made: world.World, tmp_path: Path
) -> None:
    data = read_out(made, cases.proposed(made).number, made.legal)
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(data)
    place = data.index(b"case.json") + 40
    bad.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    key = signing.signing_key(may_create=False).public.vkey

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lianfang", "case", "verify", *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": "/usr/bin", "PYTHONPATH": "."},
        )

    found = run(str(good), "--key", key)
    assert found.returncode == 0, found.stderr
    assert "GOOD" in found.stdout
    found = run(str(bad), "--key", key)
    assert (found.returncode, "case.json" in found.stderr) == (1, True)
    assert run(str(tmp_path / "none.zip")).returncode == 2
    assert run(str(good), "--key", "nonsense").returncode == 2


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "＝1", "\r=1"])
def test_no_spreadsheet_takes_a_text_for_a_formula(value: str) -> None:
    assert case_parts.cell(value).startswith("'")
    assert case_parts.cell("甲") == "甲"
