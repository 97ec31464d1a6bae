"""Application, review and decision, invitation and sign-in, submission, reading: with the keyboard alone.

No mouse, and no field that is filled without having been reached. At each stop of Tab the focus must be visible and
lie above the bar of decisions.
"""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.story.keys import Keys
from tests.story.teller import PASSWORD, Authenticator, Site, link
from tests.story.test_story import _bundle, _business_number

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def _keys(site: Site) -> Keys:
    return Keys(site.someone().page)


def _signed_in(site: Site, account: dict[str, Any]) -> tuple[Keys, Authenticator]:
    """Sign in as somebody of the demonstration would who has no mouse."""
    keys = _keys(site)
    app = site.apps.setdefault(account["totp_secret"], Authenticator(account["totp_secret"]))
    keys.page.goto("/")
    keys.press("a.signin")
    keys.write("input[name=login]", account["email"])
    keys.write("input[name=password]", account["password"])
    keys.enter()
    keys.write("input[name=code]", app.code())
    keys.enter()
    assert re.search(r"/(member|staff|exit)", keys.page.url)
    return keys, app


def _submit(keys: Keys, tmp_path: Path) -> str:
    """Share one indicator with the alliance; return its id."""
    identity = f"indicator--{uuid.uuid4()}"
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(_bundle(identity, "只用鍵盤分享的指標")), encoding="utf-8")
    keys.press("nav a[href='/member/submit']")
    keys.attach("input[type=file]", file)
    keys.press("main form button.btn-primary")
    keys.choose("tlp", "GREEN")
    keys.choose("audience", "alliance")
    keys.choose("upstream", "none")
    keys.choose("name_source", "coordinator")
    keys.reach("aside button.btn-primary")
    with keys.page.expect_navigation(url="**/member/submissions/**"):
        keys.page.keyboard.press("Space")
    return identity


def _begin(site: Site, email: str) -> Keys:
    keys = _keys(site)
    keys.page.goto("/")
    keys.press("main a[href='/apply']")
    keys.choose("kind", "tpex")
    keys.write("input[name=email]", email)
    keys.press("button[name=next]")
    keys.write("input[name=name_zh]", "鍵盤示範股份有限公司")
    return keys


def test_sign_in_submit_and_read_and_the_first_steps_of_an_application(site: Site, tmp_path: Path) -> None:
    keys, _ = _signed_in(site, site.account("security_contact", "第九象限"))
    # The first stop of every page leads past everything that stands on each of them.
    keys.page.goto("/member/intel")
    keys.reach("a.skip")
    keys.page.keyboard.press("Enter")
    assert keys.page.evaluate("document.activeElement.id") == "main"
    identity = _submit(keys, tmp_path)
    keys.press("nav a[href='/member/intel']")
    keys.press(f"main a[href='/member/intel/{identity}']")
    keys.press("main a[href$='/why']")
    assert "P-own" in keys.page.inner_text("main")
    # Backwards, too.
    keys.reach("nav a[href='/member/intel']", back=True)
    assert not keys.faults, "\n".join(keys.faults)

    applicant = _begin(site, f"k{uuid.uuid4().hex[:6]}@key.example")
    assert applicant.page.url.endswith("/apply/step/organization")
    # An error takes the focus; its link leads to the field.
    applicant.press("button[name=next]")
    assert "errsum" in applicant.page.evaluate("document.activeElement.className")
    applicant.reach(".errsum a")
    target = applicant.page.evaluate("document.activeElement.hash.slice(1)")
    applicant.page.keyboard.press("Enter")
    assert applicant.page.evaluate("id => location.hash === '#' + id", target)
    assert not applicant.faults, "\n".join(applicant.faults)


@pytest.mark.long
def test_from_application_to_the_first_item_with_the_keyboard_alone(site: Site, tmp_path: Path) -> None:
    telling = uuid.uuid4().hex[:8]
    domain = f"k{telling}.example"
    applicant = _begin(site, f"apply@{domain}")
    proof = link(site.mail(to=f"apply@{domain}", holding="/apply/resume/"), "/apply/resume/")
    applicant.page.goto(proof)
    applicant.press("main form button.btn-primary")
    applicant.write("input[name=name_zh]", f"鍵盤{telling}股份有限公司")
    for name, text in (
        ("name_en", "Keyboard"),
        ("ubn", _business_number()),
        ("stock_code", "9976"),
        ("address", "示範市測試路3號"),
        ("responsible", "許擬名"),
    ):
        applicant.write(f"input[name={name}]", text)
    applicant.select("select[name=sector]", "telecom")
    applicant.choose("csma_regime", "none")
    applicant.press("button[name=next]")
    applicant.press("button[name=next]")
    for prefix, name in (("admin1", "柯鍵一"), ("admin2", "游鍵二"), ("contact", "海鍵三")):
        applicant.write(f"input[name={prefix}_name]", name)
        applicant.write(f"input[name={prefix}_title]", "經理")
        applicant.write(f"input[name={prefix}_email]", f"{prefix}@{domain}")
        applicant.write(f"input[name={prefix}_phone]", "02-0000-0000")
    applicant.press("button[name=next]")
    applicant.tick("willing")
    applicant.write("input[name=attester_name]", "許擬名")
    applicant.write("input[name=attester_title]", "董事長")
    applicant.choose("attester_ground", "responsible_person")
    applicant.tick("confirmed")
    applicant.press("button[name=next]")
    card = tmp_path / "身分證.png"
    Image.new("RGB", (400, 250), "white").save(card)
    applicant.attach("input[name=registration]", card)
    applicant.press("button[name=upload]")
    applicant.press("main a[href$='/mask']")
    for side, percent in (("left", "10"), ("top", "60"), ("width", "80"), ("height", "20")):
        applicant.write(f"input[name={side}1]", percent)
    applicant.press("button[name=burn]")
    applicant.press("main a[href='/apply/step/attachments']")
    paper = tmp_path / "登記證明.pdf"
    paper.write_bytes(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
    applicant.attach("input[name=registration]", paper)
    applicant.press("button[name=next]")
    applicant.tick("accept_charter")
    applicant.tick("accept_privacy")
    applicant.choose("electronic", "agree")
    applicant.press("main form button.btn-primary")
    number = applicant.page.inner_text("#receipt-number").strip()

    reviewer, _ = _signed_in(site, site.account("reviewer"))
    case = f"/staff/cases/{number}"
    reviewer.press("nav a[href='/staff/applications']")
    _declare_none(reviewer, case)
    reviewer.press(f"form[action='{case}/take-up'] button")
    reviewer.press(f"main a[href='{case}/screening']")
    reviewer.write("input[name=source]", "陸資來臺投資事業名錄")
    reviewer.write("input[name=list_date]", "2026-11-01")
    reviewer.tick("rest_clear")
    reviewer.press("main form button.btn-primary")
    reviewer.press(f"main a[href='{case}/authority']")
    reviewer.choose("method", "registry")
    reviewer.press("main form button.btn-primary")
    reviewer.press(f"a[href='{case}/recommend/approve']")
    reviewer.tick_value("reasons", "eligible")
    reviewer.press("main form button.btn-primary")

    approver, app = _signed_in(site, site.account("approver"))
    approver.press("nav a[href='/staff/applications']")
    _declare_none(approver, case)
    approver.press(f"a[href='{case}/decide/approve']")
    approver.tick_value("reasons", "eligible")
    approver.press("button[name=preview]")
    approver.write("#second_factor_code", app.code())
    approver.press("button[name=sign]")
    assert "已核准" in approver.page.inner_text("main")

    admin = _keys(site)
    admin.page.goto(link(site.mail(to=f"admin1@{domain}", holding="/invite/"), "/invite/"))
    admin.write("input[name=password]", PASSWORD)
    admin.enter()
    admin.page.goto("/account/2fa/totp/activate/")
    secret = re.search(r"\b[A-Z2-7]{32}\b", admin.page.inner_text("body"))
    assert secret
    admin.write("#id_code", Authenticator(secret.group(0)).code())
    admin.enter()
    admin.page.goto("/member")
    admin.tick("agree")
    admin.press("main form button.btn-primary")
    identity = _submit(admin, tmp_path)
    admin.press("nav a[href='/member/intel']")
    admin.press(f"main a[href='/member/intel/{identity}']")
    for keys in (applicant, reviewer, approver, admin):
        assert not keys.faults, "\n".join(keys.faults)


def _declare_none(keys: Keys, case: str) -> None:
    keys.press(f"main a[href='{case}']")
    keys.press(f"main a[href='{case}/conflict']")
    keys.choose("conflict", "no")
    keys.press("main form button.btn-primary")
