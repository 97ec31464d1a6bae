"""A membership from its application to its end, played in a browser over nine months by people who know labels alone.

Application with a correction, a change of the roster with a name hit, revocation with a hearing, appeal at 23:59:59 of
the last day, restoration, termination. Its pictures are those of the handbooks:

    LIANFANG_PICTURES=docs/images ./test long membership_is_lived_through

`LIANFANG_LOOK` names a folder for the same pages at 1440 and 390 px, to be looked at.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from lianfang.members import tasks
from lianfang.members.models import Membership, Revocation
from lianfang.policy.facts import Duty
from tests.browser.life_play import Play, Reader, hour
from tests.members import cases, lists
from tests.world import PASSWORD, PDF, World, build, business_number

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900), pytest.mark.long]

NAME, DOMAIN = "漂流瓶資安協會", "bottle.example"
BRANCHES = ("浮標倉儲股份有限公司", "燈塔保險股份有限公司")
ADDED, LISTED = "海市蜃樓投資有限公司", "海市蜃樓投資股份有限公司"


def test_a_membership_is_lived_through(chromium: Browser, live_server: Any) -> None:
    world = build()
    with hour(world.clock.tick(hours=1)) as now:
        cases.give(world, world.analyst, Duty.REVIEWER)
        play = Life(Play(chromium, live_server.url, now), world)
        play.applies()
        play.is_corrected_and_admitted()
        play.joins()
        play.changes_its_roster()
        play.is_revoked()
        play.appeals_in_the_last_second()
        play.is_restored()
        play.leaves()


class Life:
    """One membership."""

    admin: Reader
    number = ""
    case = ""

    def __init__(self, play: Play, world: World) -> None:
        self.play, self.world = play, world

    def applies(self) -> None:
        """An association fills in the seven steps."""
        one = self.applicant = self.play.someone("申請人")
        one.go("/")
        one.press("申請入會")
        one.tick("人民團體")
        one.fill("您的電子郵件", f"apply@{DOMAIN}")
        one.press("儲存並繼續")
        one.go(self.play.mail(f"apply@{DOMAIN}", "/apply/resume/"))
        one.press("確認信箱並繼續")
        self._writes_about_itself(one)
        rows = [f"{name}\t{business_number(700 + place)}" for place, name in enumerate(BRANCHES)]
        one.fill("名冊", "\n".join(rows))
        one.press("儲存並繼續")
        for place, (name, letter_box) in enumerate((("柯漂流", "admin1"), ("游瓶子", "admin2"), ("海星星", "contact"))):
            one.fill("姓名", name, place)
            one.fill("職稱", "經理", place)
            one.fill("電子郵件", f"{letter_box}@{DOMAIN}", place)
            one.fill("電話", "02-0000-0000", place)
        one.press("儲存並繼續")
        one.tick("本組織願意參與")
        self._attests(one)
        one.press("儲存並繼續")
        one.attach("登記或立案證明", "立案證書.pdf", PDF)
        one.press("儲存並繼續")
        one.tick("我已閱讀、瞭解並同意", "我已閱讀上述版本的個人資料", "同意使用電子形式")
        one.press("送出申請")
        self.number = one.page.inner_text("#receipt-number").strip()

    def _writes_about_itself(self, one: Reader) -> None:
        one.fill("組織名稱（中文全名）", NAME)
        one.fill("組織名稱（英文）", "Drifting Bottle Security Association")
        one.fill("統一編號", business_number(600))
        one.fill("立案或法人登記字號", "示社字第1150600號")
        one.fill("主管機關", "示範市政府")
        one.fill("登記地址", "示範市測試路2號")
        one.fill("負責人姓名", "許擬名")
        one.choose("產業別", "金融")
        one.tick("否")
        one.press("儲存並繼續")

    def _attests(self, one: Reader) -> None:
        one.fill("切結人姓名", "許擬名")
        one.fill("職稱", "理事長")
        one.tick("負責人本人", "我確認")

    def is_corrected_and_admitted(self) -> None:
        """A reviewer asks for the floor of the address, a list is imported, another person approves."""
        reviewer = self.play.staff(self.world.reviewer)
        reviewer.go("/staff/inbox")
        reviewer.press("看尚未指派")
        reviewer.press(self.number)
        self._declares(reviewer)
        reviewer.press("開始審查")
        reviewer.press("要求補正")
        reviewer.choose("申請表欄位", "登記地址")
        reviewer.fill("要補正什麼", "地址請依立案證書填寫，並加上樓層。")
        reviewer.press("送出補正要求")
        reviewer.sees("等補正", "剩14天")

        self.applicant.go(self.play.mail(f"apply@{DOMAIN}", "/apply/case/"))
        self.applicant.press("回覆補正")
        self.applicant.fill("登記地址", "示範市測試路2號3樓")
        self.applicant.press("送出補正")
        self.applicant.sees("補正已送交審查人")

        self._imports_a_list(reviewer)
        reviewer.go("/staff/applications")
        reviewer.press(self.number)
        reviewer.sees("補正後更新", "檢核完成")
        self._recommends(reviewer, "建議核准", "符合資格")
        approver = self.play.staff(self.world.approver)
        approver.go("/staff/inbox")
        approver.press("等核准")
        approver.press(self.number)
        self._declares(approver)
        approver.press("核准")
        approver.tick("符合資格")
        approver.press("顯示信函")
        approver.sign(self.world.approver)
        approver.press("核准並開始會籍")
        approver.sees("已核准，會籍已開始")

    def _declares(self, one: Reader) -> None:
        """Nobody acts in a case before he said whether he has an interest in it."""
        one.press("聲明")
        one.tick("沒有")
        one.press("聲明")

    def _imports_a_list(self, reviewer: Reader) -> None:
        reviewer.go("/staff/lists")
        reviewer.press("讀取新版名單")
        reviewer.tick("陸資投資事業名錄")
        reviewer.fill("名單日期", "2026-11-01")
        reviewer.fill("來源", lists.SOURCE)
        listed = lists.table(lists.MAINLAND, [("", LISTED), ("", "紙飛機控股有限公司")])
        reviewer.attach("檔案", "mainland.csv", listed, "text/csv")
        reviewer.press("讀取並比對")
        reviewer.sees("還沒有匯入任何資料")
        reviewer.press("匯入2列")
        tasks.screen(0)

    def _recommends(self, reviewer: Reader, words: str, reason: str) -> None:
        reviewer.press("記下查證")
        reviewer.tick("登記資料與負責人相符")
        reviewer.press("記下查證")
        reviewer.press(words)
        if reason:
            reviewer.tick(reason)
        reviewer.press(words)

    def joins(self) -> None:
        """Its administrator follows the invitation: password, app, recovery codes, duty of confidentiality."""
        admin = self.admin = self.play.someone("柯漂流")
        admin.go(self.play.mail(f"admin1@{DOMAIN}", "/invite/"))
        admin.fill("新密碼", PASSWORD)
        admin.press("設定密碼並繼續")
        admin.press("設定App")
        secret = re.search(r"\b[A-Z2-7]{32}\b", admin.text())
        assert secret, "the key of the app is shown"
        admin.app = secret[0]
        admin.fill("6位數字", admin.code())
        admin.press("確認")
        admin.press("我已收好")
        admin.go("/member")
        admin.tick("我已閱讀並遵守")
        admin.press("確認並繼續")
        admin.sees("等您處理", "補上副管理員")
        admin.shot("life-overview")

    def _comes_back(self, **later: float) -> Reader:
        """Days later the administrator signs in again."""
        self.play.hour.tick(**later)
        admin = self.admin
        admin.page.context.clear_cookies()
        admin.speak("zh-hant")
        admin.go("/account/login/")
        admin.page.fill("input[name=login]", f"admin1@{DOMAIN}")
        admin.page.fill("input[name=password]", PASSWORD)
        admin.page.press("input[name=password]", "Enter")
        admin.page.wait_for_selector("input[name=code]")
        admin.page.fill("input[name=code]", admin.code())
        admin.page.press("input[name=code]", "Enter")
        admin.page.wait_for_url(re.compile(r"/(member|exit)"))
        return admin

    def changes_its_roster(self) -> None:
        """A new constituent has nearly the name of a mainland enterprise: a person judges, another one applies it."""
        admin = self._comes_back(days=28)
        admin.press("本組織")
        admin.press("名冊")
        admin.shot("life-roster")
        admin.press("新增一個")
        admin.fill("組織名稱", ADDED)
        admin.fill("統一編號", business_number(760))
        admin.fill("事由", "新會員入會。")
        admin.press("看異動內容")
        self._attests(admin)
        admin.tick("我已閱讀並了解施行中的規章", "我已閱讀個人資料告知事項")
        admin.press("送出異動")
        admin.sees("已送出", "剩30天")
        self.case = admin.page.url.rsplit("/", 1)[1]
        admin.shot("life-change")
        tasks.screen(0)

        reviewer = self.play.staff(self.world.reviewer)
        reviewer.go("/staff/changes")
        reviewer.press(self.case)
        self._declares(reviewer)
        reviewer.press("開始審查")
        reviewer.sees("名稱相符1", "還沒有書面判斷")
        reviewer.shot("life-change-staff")
        reviewer.press("記下檢核結果")
        reviewer.sees(LISTED)
        reviewer.shot("life-change-screening")
        reviewer.choose(f"結果 {ADDED}", "名稱相符")
        reviewer.tick(f"判斷為他人 {ADDED}")
        reviewer.fill(f"說明 {ADDED}", "統一編號不同，負責人與地址都不同。")
        reviewer.press("記下檢核結果")
        self._recommends(reviewer, "建議套用", "")
        approver = self.play.staff(self.world.approver)
        approver.go("/staff/changes")
        approver.sees("等核准")
        approver.press(self.case)
        self._declares(approver)
        approver.press("核准並套用")
        approver.sign(self.world.approver)
        approver.press("簽署並套用")
        approver.sees("已套用", "切結涵蓋的名冊")

    def is_revoked(self) -> None:
        """A review with facts, the notice of intent, the member's word, the decision of somebody else."""
        self.play.hour.tick(days=60)
        reviewer = self.play.staff(self.world.reviewer)
        reviewer.go("/staff/members")
        reviewer.press(NAME)
        reviewer.press("開始取消審查")
        reviewer.tick("未積極參與資安聯防")
        reviewer.fill("事實", "自2026年12月起未回覆三次演練通知，也未指派新的資安聯絡窗口。")
        reviewer.press("開始審查")
        self.case = reviewer.page.url.rsplit("/", 1)[1]
        self._declares(reviewer)
        reviewer.press("通知取消意向")
        reviewer.fill("事實", "自2026年12月起未回覆三次演練通知。請說明原因，並指派資安聯絡窗口。")
        reviewer.press("寄出通知")
        reviewer.sees("會員陳述的期限還沒到")

        admin = self._comes_back(days=3)
        admin.press("陳述")
        admin.shot("life-hearing")
        admin.fill("陳述", "我們正在改組，新的聯絡窗口下月到任。")
        admin.press("送出陳述")
        admin.sees("在期限內")

        reviewer = self.play.staff(self.world.reviewer)
        reviewer.go("/staff/revocations")
        reviewer.press(self.case)
        reviewer.shot("life-revocation")
        reviewer.press("送交決定")
        reviewer.press("送交決定")
        approver = self.play.staff(self.world.approver)
        approver.go("/staff/revocations")
        approver.press(self.case)
        self._declares(approver)
        approver.press("取消會籍")
        approver.press("顯示信函")
        approver.sign(self.world.approver)
        approver.press("取消會籍")
        approver.sees("已取消會籍，即刻生效", "尚未證明送達")

    def appeals_in_the_last_second(self) -> None:
        """The letter is opened two days later, from which the time runs; the appeal arrives at 23:59:59 of its end."""
        admin = self._comes_back(days=2)
        admin.sees("貴組織的會籍已取消", "至少可以申訴到")
        admin.press("看取消的理由與事實")
        admin.press("開啟信函")
        admin.go("/exit")
        case = Revocation.objects.get(number=self.case)
        assert case.appeal_ends_at is not None
        admin.shot("life-exit")
        self.play.hour.put(case.appeal_ends_at - timedelta(minutes=5))
        admin = self._comes_back()
        admin.press("提出申訴")
        admin.fill("申訴理由", "聯絡窗口已到任，並補辦三次演練。")
        self.play.hour.put(case.appeal_ends_at - timedelta(seconds=2))
        admin.press("現在提出申訴")
        admin.sees("23:59", "在期限內")
        self.appeal = admin.page.url.rsplit("/", 1)[1]
        filed = case.appeals.get()
        assert case.appeal_ends_at - filed.filed_at == timedelta(seconds=1)
        assert not filed.late

    def is_restored(self) -> None:
        """Somebody who took no part reviews again, and an approver who took none restores the same membership."""
        self.play.hour.tick(days=2)
        who = self.play.staff(self.world.reviewer)
        who.go(f"/staff/appeals/{self.appeal}")
        who.sees("您參與過取消會籍的審查或決定")
        reviewer = self.play.staff(self.world.analyst)
        reviewer.go("/staff/revocations")
        reviewer.sees("等待中")
        reviewer.shot("life-revocations")
        reviewer.press(self.appeal)
        self._declares(reviewer)
        reviewer.press("再次審查並送交決定")
        reviewer.tick("建議成立")
        reviewer.fill("再次審查的結果", "聯絡窗口已到任，三次演練已補辦。")
        reviewer.press("送交決定")
        approver = self.play.staff(self.world.approver2)
        approver.go("/staff/revocations")
        approver.press(self.appeal)
        self._declares(approver)
        approver.shot("life-appeal")
        approver.tick("合理解釋")
        approver.fill("決定的理由", "聯絡窗口已到任，三次演練已補辦。")
        approver.sign(self.world.approver2)
        approver.press("申訴成立")
        approver.sees("成立")
        tasks.screen(0)
        admin = self._comes_back(days=1)
        admin.sees("有效")
        held = Membership.objects.get(organization__name_zh=NAME)
        assert held.intervals.count() == 2, "the same membership, with its gap"

    def leaves(self) -> None:
        """The member asks, one reviews, another decides; the letter and what remains are on the exit page."""
        admin = self._comes_back(days=90)
        admin.press("本組織")
        admin.press("終止會籍")
        admin.shot("life-leave")
        admin.fill("不能繼續履行的原因", "協會將於年底解散。")
        admin.tick("銷毀，並確認已銷毀")
        admin.press("申請終止會籍")
        admin.sees("協調中心審查中", "剩30天")
        self.case = Membership.objects.get(organization__name_zh=NAME).terminations.get().number

        reviewer = self.play.staff(self.world.reviewer)
        reviewer.go("/staff/deadlines")
        reviewer.page.locator("main details summary").first.click()
        reviewer.shot("life-deadlines")
        reviewer.go("/staff/terminations")
        reviewer.shot("life-terminations")
        reviewer.press(self.case)
        self._declares(reviewer)
        reviewer.press("送交決定")
        reviewer.tick("建議同意")
        reviewer.fill("審查結果", "已確認申請人的權限，沒有未結的案件。")
        reviewer.press("送交決定")
        approver = self.play.staff(self.world.approver)
        approver.go("/staff/terminations")
        approver.press(self.case)
        self._declares(approver)
        approver.shot("life-termination")
        approver.press("同意終止會籍")
        approver.press("顯示信函")
        approver.sign(self.world.approver)
        approver.press("同意，終止會籍")
        approver.sees("會籍自此刻終止")

        admin = self._comes_back(hours=1)
        admin.sees("會籍")
        admin.shot("life-ended")
        admin.press("信函")
        admin.sees("同意貴組織終止團體會員資格")
        left = self.play.staff(self.world.reviewer)
        for path in ("/staff/holds", "/staff/contacts", "/staff/procedures", "/staff/changes?view=all"):
            left.go(path)
            left.shot("life-" + re.sub(r"\W.*", "", path.removeprefix("/staff/")))
