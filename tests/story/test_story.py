"""From application to exchanged intelligence, revocation and proof: one story, told once, in its order."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from requests.exceptions import HTTPError
from taxii2client.v21 import Server, as_pages

from tests.story.teller import PASSWORD, Authenticator, Site, Someone, link

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

TELLING = uuid.uuid4().hex[:8]
NAME = f"漂流瓶{TELLING}通訊股份有限公司"
DOMAIN = f"d{TELLING}.example"
SECRET_NAME = f"漂流瓶回報的控制站 {uuid.uuid4().hex[:6]}"


class Told:
    """What one chapter leaves for the next."""

    number = ""
    admin: Someone
    indicator = f"indicator--{uuid.uuid4()}"
    secret: Any = None


def test_01_an_organisation_applies(site: Site, tmp_path: Path) -> None:
    applicant = site.someone()
    page = applicant.go("/apply")
    page.check("input[name=kind][value=tpex]")
    page.fill("input[name=email]", f"apply@{DOMAIN}")
    applicant.press("button[name=next]")
    proof = link(site.mail(to=f"apply@{DOMAIN}", holding="/apply/resume/"), "/apply/resume/")
    applicant.go(proof)
    applicant.submit()
    _fill_organisation(applicant)
    page.fill("textarea[name=rows]", "浮標倉儲股份有限公司\t90000500\n")
    applicant.press("button[name=next]")
    _fill_people(applicant)
    page.check("input[name=willing]")
    page.fill("input[name=attester_name]", "許擬名")
    page.fill("input[name=attester_title]", "董事長")
    page.check("input[name=attester_ground][value=responsible_person]")
    page.check("input[name=confirmed]")
    applicant.press("button[name=next]")
    proof_file = tmp_path / "登記證明.pdf"
    proof_file.write_bytes(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
    page.set_input_files("input[name=registration]", str(proof_file))
    applicant.press("button[name=next]")
    page.check("input[name=accept_charter]")
    page.check("input[name=accept_privacy]")
    page.check("input[name=electronic][value=agree]")
    applicant.submit()
    Told.number = page.inner_text("#receipt-number").strip()
    assert re.fullmatch(r"A-\d{4}-\d{4}", Told.number)
    page.go_back()
    assert Told.number in site.mail(to=f"apply@{DOMAIN}", holding=Told.number)


def _fill_organisation(applicant: Someone) -> None:
    page = applicant.page
    page.fill("input[name=name_zh]", NAME)
    page.fill("input[name=name_en]", "Drifting Bottle Communications")
    page.fill("input[name=ubn]", _business_number())
    page.fill("input[name=stock_code]", "9977")
    page.fill("input[name=address]", "示範市測試路2號")
    page.fill("input[name=responsible]", "許擬名")
    page.select_option("select[name=sector]", "telecom")
    page.check("input[name=csma_regime][value=none]")
    applicant.press("button[name=next]")


def _business_number() -> str:
    """Any number with a right check digit (2023 rule), another one at each telling."""
    number = uuid.uuid4().int % 900_000 + 91_000_000
    while True:
        digits = [int(digit) for digit in str(number)]
        products = [digit * weight for digit, weight in zip(digits, (1, 2, 1, 2, 1, 2, 4, 1), strict=True)]
        if digits[6] != 7 and sum(product // 10 + product % 10 for product in products) % 5 == 0:
            return str(number)
        number += 1


def _fill_people(applicant: Someone) -> None:
    page = applicant.page
    for prefix, name in (("admin1", "柯漂流"), ("admin2", "游瓶子"), ("contact", "海星星")):
        page.fill(f"input[name={prefix}_name]", name)
        page.fill(f"input[name={prefix}_title]", "經理")
        page.fill(f"input[name={prefix}_email]", f"{prefix}@{DOMAIN}")
        page.fill(f"input[name={prefix}_phone]", "02-0000-0000")
    applicant.press("button[name=next]")


def test_02_one_reviews_and_another_approves(site: Site) -> None:
    reviewer = site.signed_in(site.account("reviewer"))
    case = f"/staff/cases/{Told.number}"
    _declare_none(reviewer, case)
    reviewer.go(case)
    reviewer.press(f"form[action='{case}/take-up'] button")
    reviewer.go(f"{case}/screening")
    reviewer.page.fill("input[name=source]", "陸資來臺投資事業名錄")
    reviewer.page.fill("input[name=list_date]", "2026-11-01")
    reviewer.page.check("input[name=rest_clear]")
    reviewer.submit()
    reviewer.go(f"{case}/authority")
    reviewer.page.check("input[name=method][value=registry]")
    reviewer.submit()
    reviewer.go(f"{case}/recommend/approve")
    reviewer.page.check("input[name=reasons][value=eligible]")
    reviewer.submit()
    reviewer.go(f"{case}/decide/approve")
    assert reviewer.page.locator("button[name=sign]").count() == 0, "who reviewed does not approve"

    approver = site.signed_in(site.account("approver"))
    _declare_none(approver, case)
    approver.go(f"{case}/decide/approve")
    approver.page.check("input[name=reasons][value=eligible]")
    approver.press("button[name=preview]")
    approver.sign()
    approver.press("button[name=sign]")
    assert "已核准" in approver.go(case).inner_text("main")


def _declare_none(person: Someone, case: str) -> None:
    person.go(f"{case}/conflict")
    person.page.locator("input[name=conflict]").first.check()
    person.submit()


def test_03_its_administrator_joins(site: Site) -> None:
    admin = Told.admin = site.someone()
    mail = site.mail(to=f"admin1@{DOMAIN}", holding="/invite/")
    assert "個人資料" in mail, "the first mail carries the whole privacy notice"
    admin.go(link(mail, "/invite/"))
    admin.page.fill("input[name=password]", PASSWORD)
    admin.press("form:has(input[name=password]) button[type=submit]")
    admin.go("/account/2fa/totp/activate/")
    secret = re.search(r"\b[A-Z2-7]{32}\b", admin.text())
    assert secret, "the key of the app is shown"
    admin.app = Authenticator(secret.group(0))
    admin.page.fill("#id_code", admin.app.code())
    admin.submit()
    admin.go("/member")
    assert "/member/confidentiality" in admin.page.url, "nobody enters before the duty"
    admin.page.check("input[name=agree]")
    admin.submit()
    admin.go("/member")
    assert NAME in admin.text()


def test_04_it_shares_for_one_member(site: Site, tmp_path: Path) -> None:
    admin = Told.admin
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(_bundle(Told.indicator)), encoding="utf-8")
    page = admin.go("/member/submit")
    page.set_input_files("input[name=file]", str(file))
    admin.submit()
    page.check("input[name=tlp][value=AMBER]")
    page.check("input[name=audience][value=alliance]")
    page.check("input[name=upstream][value=permitted]")
    page.fill("textarea[name=upstream_members]", "90000049")
    page.check("input[name=name_source][value=coordinator]")
    page.wait_for_timeout(700)
    admin.press("aside button.btn-primary[type=submit]")
    assert "/member/submissions/" in page.url
    assert SECRET_NAME in admin.text()


def _bundle(identity: str, name: str = SECRET_NAME) -> dict[str, Any]:
    made = {
        "type": "indicator", "spec_version": "2.1", "id": identity, "created": "2026-11-20T02:00:00.000Z",
        "modified": "2026-11-20T02:00:00.000Z", "name": name, "indicator_types": ["malicious-activity"],
        "pattern": "[ipv4-addr:value = '198.51.100.77']", "pattern_type": "stix", "valid_from": "2026-11-20T02:00:00Z",
    }  # fmt: skip
    return {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [made]}


def _machine(site: Site, place: int) -> Any:
    """The readable collection, as an unmodified client finds it."""
    machine = site.told["machines"][place]
    server = Server(machine["url"], user=machine["user"], password=machine["secret"])
    return next(one for one in server.default.collections if one.can_read)


def _names(collection: Any) -> set[str]:
    found: set[str] = set()
    for page in as_pages(collection.get_objects, per_request=20):
        found |= {made.get("name", "") for made in page.get("objects", [])}
    return found


def test_05_the_permitted_machine_receives_and_the_third_finds_nothing(site: Site) -> None:
    assert SECRET_NAME in _names(_machine(site, 1)), "海底天文台 is permitted"
    third = _machine(site, 2)
    assert SECRET_NAME not in _names(third)
    for absent in (Told.indicator, f"indicator--{uuid.uuid4()}"):
        with pytest.raises(HTTPError) as refused:
            third.get_object(absent)
        assert refused.value.response.status_code == 404

    outsider = site.signed_in(site.account("member_admin", "摺紙能源"))
    outsider.go(f"/member/intel?q={SECRET_NAME}")
    assert "198.51.100.77" not in outsider.text()
    answer = outsider.page.goto(f"/member/intel/{Told.indicator}")
    assert answer is not None
    assert answer.status == 404
    reader = site.signed_in(site.account("security_contact", "海底天文台"))
    reader.go(f"/member/intel?q={SECRET_NAME}")
    assert SECRET_NAME in reader.text()
    assert NAME not in reader.text(), "the source asked not to be named"


def test_06_a_revocation_bites_the_next_request(site: Site) -> None:
    page = Told.admin.go("/member/connections/new")
    page.fill("input[name=name]", "漂流瓶SIEM")
    page.fill("[name=purpose]", "偵測")
    for right in ("read", "export"):
        page.check(f"input[name=rights][value={right}]")
    Told.admin.submit()
    secret = re.search(r"(?m)^[A-Za-z0-9_-]{43,}$", Told.admin.text())
    assert secret, "the key is shown once"
    server = Server(f"{site.url}/taxii2/", user="siem", password=secret.group(0))
    collection = next(one for one in server.default.collections if one.can_read)
    assert _names(collection)

    reviewer = site.signed_in(site.account("reviewer"))
    reviewer.go("/staff/members")
    reviewer.press(f"a:has-text('{NAME}')")
    reviewer.press("main a[href$='/revoke']")
    reviewer.page.check("input[name=ground][value='2.3']")
    reviewer.page.fill("textarea[name=facts]", "將會員情資轉貼到公開論壇。")
    reviewer.submit()
    case = re.search(r"/staff/revocations/[^/]+", reviewer.page.url)
    assert case, reviewer.page.url
    _declare_none(reviewer, case.group(0))
    reviewer.go(f"{case.group(0)}/notice")
    reviewer.page.fill("textarea[name=text]", "將會員情資轉貼到公開論壇，請於期限前陳述。")
    reviewer.submit()
    Told.admin.go("/member/organisation/hearing")
    Told.admin.page.fill("textarea[name=text]", "是離職同仁所為。")
    Told.admin.submit()
    reviewer.go(f"{case.group(0)}/propose")
    reviewer.submit()
    approver = site.signed_in(site.account("approver", number=1))
    _declare_none(approver, case.group(0))
    approver.go(f"{case.group(0)}/decide/revoke")
    approver.press("button[name=preview]")
    approver.sign()
    approver.press("button[name=sign]")

    with pytest.raises(HTTPError) as refused:
        collection.get_objects()
    assert refused.value.response.status_code in (401, 404)
    Told.admin.go("/member/intel")
    assert SECRET_NAME not in Told.admin.text()


def test_07_the_former_member_appeals(site: Site) -> None:
    admin = Told.admin
    admin.go("/account/login/")
    admin.page.fill("input[name=login]", f"admin1@{DOMAIN}")
    admin.page.fill("input[name=password]", PASSWORD)
    admin.page.press("input[name=password]", "Enter")
    assert admin.app is not None
    admin.page.wait_for_selector("input[name=code]")
    admin.page.fill("input[name=code]", admin.app.code())
    admin.page.press("input[name=code]", "Enter")
    admin.page.wait_for_url(re.compile(r"/exit"))
    admin.go("/exit/appeal")
    admin.page.fill("textarea[name=text]", "轉貼者已非本公司員工，附上調查。")
    admin.submit()
    assert "/exit/appeals/" in admin.page.url


def test_08_every_step_is_in_the_ledger(site: Site) -> None:
    auditor = site.signed_in(site.account("auditor"))
    auditor.go("/staff/audit")
    auditor.press("main form[method=post] button")
    assert "相符" in auditor.text() or "沒有" in auditor.text()
