"""The model text, its versions, and the duty that never ends."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from lianfang.accounts import actions as accounts
from lianfang.accounts import registry
from lianfang.accounts.models import Affiliation
from lianfang.charter import actions, queries
from lianfang.charter.models import Acceptance, ConfidentialityDuty, DocumentVersion
from lianfang.kernel.refusal import Refusal
from lianfang.notices.providers import privacy_notice
from lianfang.policy.facts import Role
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser
from tests.world import SYSTEM, confirm_factor

pytestmark = pytest.mark.django_db

# Articles and paragraphs of the charter, as everything that quotes one counts on them.
NUMBERS = [
    "0", "1", "1.1", "1.2", "1.3", "1.4", "2", "2.1", "2.2", "2.3", "2.4", "2.5", "3", "3.1", "3.2", "3.3", "4",
    "4.1", "4.2", "4.3", "5", "5.1", "5.1-1.1", "5.1-1.2", "5.1-1.3", "5.1-1.3.1", "5.1-1.3.2", "5.1-1.3.3",
    "5.1-1.4", "5.1-1.4.1", "5.1-1.4.2", "5.1-1.4.3", "5.1-1.4.4", "5.1-1.4.5", "5.1-1.5", "5.1-1.5.1",
    "5.1-1.5.2", "5.1-1.6", "5.2", "5.3", "6", "6.1",
]  # fmt: skip


def test_the_model_charter_has_every_clause_in_both_languages() -> None:
    text = actions.model_text("charter")
    assert [clause["id"] for clause in text["clauses"]] == NUMBERS
    assert all(clause["zh"].strip() and clause["en"].strip() for clause in text["clauses"])


@pytest.mark.parametrize("kind", actions.MODEL_KINDS)
def test_chinese_texts_hold_no_space_beside_latin(kind: str) -> None:
    for clause in actions.model_text(kind)["clauses"]:
        assert " " not in clause["zh"], clause["id"]


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("1.3", ["附件1", "第三條", "內部成員", "審核通過"]), ("1.4", ["30天", "特殊情況", "恢復"]),
        ("2.1", ["謀取利益", "保密約定"]), ("2.2", ["同意", "註明來源", "主管機關"]), ("2.3", ["善良管理人", "賠償"]),
        ("3.1", ["離職", "書面同意", "代理人"]), ("3.2", ["檢察機關", "刑事警察局", "法律明文授權"]),
        ("3.3", ["特定資料", "終止", "取消"]), ("4.1", ["平台", "網站", "電子郵件"]), ("4.3", ["臺灣臺北地方法院"]),
        ("5.1-1.3.2", ["臺灣", "澎湖", "金門", "馬祖"]), ("5.3", ["錯誤", "不實", "過時", "誤導", "誤解"][:3]),
        ("6.1", ["法令", "習慣", "誠實信用"]),
    ],
)  # fmt: skip
def test_what_each_clause_must_say(clause: str, words: list[str]) -> None:
    (found,) = (one["zh"] for one in actions.model_text("charter")["clauses"] if one["id"] == clause)
    assert [word for word in words if word not in found] == []


def test_the_privacy_notice_says_what_the_law_asks_for(cast: Few) -> None:
    notice = privacy_notice(cast.clock.at)
    for words in ("蒐集機關", "目的", "類別", "期間", "地區", "對象", "方式", "權利", "不提供的影響", "反對"):
        assert words in notice.zh
    assert "{" not in notice.zh + notice.en


def test_the_operator_names_who_collects(cast: Few) -> None:
    at = cast.clock.tick()
    proposal = accounts.propose_setting(
        name="collecting_entity", value={"zh": "示範基金會", "en": "Example Foundation"}, effective_at=at, reason="x",
        by=cast.staff["approver"].subject(), at=at,
    )  # fmt: skip
    accounts.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    assert "蒐集機關：示範基金會" in privacy_notice(cast.clock.at).zh
    assert registry.bilingual("collecting_entity", at - timedelta(days=1)).en.startswith("(to be filled")


def amended(number: str = "2.4") -> dict[str, object]:
    text = copy.deepcopy(actions.model_text("charter"))
    for clause in text["clauses"]:
        if clause["id"] == number:
            clause["zh"] += "至少每年確認一次。"
    return text


def test_a_version_is_in_force_from_its_instant(cast: Few) -> None:
    at = cast.clock.tick()
    effective = at + timedelta(days=30)
    second = actions.load_document(text=amended(), effective_at=effective, by=SYSTEM, at=at)
    assert second.number == 2
    for step, number in ((-1, 1), (0, 2), (1, 2)):
        found = queries.in_force(kind="charter", at=effective + timedelta(microseconds=step))
        assert found is not None
        assert found.number == number
    assert queries.in_force(kind="procedure", at=effective) is None
    assert [one.number for one in queries.versions(kind="charter", at=effective)] == [2, 1]


def test_an_unchanged_text_stays_the_version_that_it_is(cast: Few) -> None:
    text = actions.model_text("charter")
    again = actions.load_document(text=text, effective_at=cast.clock.at, by=SYSTEM, at=cast.clock.tick())
    assert (again.number, DocumentVersion.objects.filter(document="charter").count()) == (1, 1)
    assert actions.load_models(by=SYSTEM, at=cast.clock.tick()) == []


def test_who_may_bring_a_text_into_force(cast: Few) -> None:
    at = cast.clock.tick()
    for actor in (cast.admin, cast.staff["publisher"]):
        with pytest.raises(Refusal, match="two approvers"):
            actions.load_document(text=amended(), effective_at=at, by=actor.subject(), at=at)
    first = queries.in_force(kind="charter", at=at)
    assert first is not None
    with pytest.raises(Refusal, match="later"):
        actions.load_document(text=amended(), effective_at=first.effective_at, by=SYSTEM, at=at)


def test_the_duty_is_acknowledged_once_a_version_and_for_oneself(cast: Few) -> None:
    affiliation = cast.admin.affiliation
    again = actions.acknowledge(affiliation=affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    assert ConfidentialityDuty.objects.filter(person=cast.admin.person).count() == 1
    assert again.starts_at == affiliation.started_at
    with pytest.raises(Refusal):
        actions.acknowledge(affiliation=affiliation, by=cast.member.subject(), at=cast.clock.tick())
    assert queries.acknowledged(affiliation=affiliation)
    assert queries.acknowledged_among([affiliation]) == {affiliation.pk}


@pytest.mark.parametrize("deed", ["update", "delete"])
def test_nothing_ends_or_deletes_the_duty(cast: Few, deed: str) -> None:
    rows = ConfidentialityDuty.objects.filter(person=cast.admin.person)
    assert "ends_at" not in {field.name for field in ConfidentialityDuty._meta.get_fields()}
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(starts_at=cast.clock.at) if deed == "update" else rows.delete()


def test_an_acceptance_names_exactly_one_version(cast: Few) -> None:
    version = queries.in_force(kind="charter", at=cast.clock.at)
    assert version is not None
    actions.accept(
        version=version, organization=cast.organization, person=cast.admin.person, context="application A-2026-0001",
        by=cast.admin.subject(), at=cast.clock.tick(),
    )  # fmt: skip
    assert Acceptance.objects.get().document_version == version


@pytest.mark.parametrize("language", ["zh-hant", "en"])
def test_the_step_asks_with_an_empty_box_and_leads_back(cast: Few, language: str) -> None:
    person = accounts.person_enter(name="吳新人", email="wu@m1.example", by=SYSTEM, at=cast.clock.tick())
    invitation, _ = accounts.invite(
        person=person, organization=cast.organization, group=cast.organization, role=Role.MEMBER_ADMIN, by=SYSTEM,
        at=cast.clock.tick(),
    )  # fmt: skip
    account = accounts.accept_invitation(invitation=invitation, password="a long sentence here", at=cast.clock.tick())
    client = browser(None, language=language)
    client.force_login(account, backend="allauth.account.auth_backends.AuthenticationBackend")
    confirm_factor(client, account)
    step = client.get(reverse("people"))["Location"]
    assert step == "/member/confidentiality?next=%2Fmember%2Forganisation%2Fpeople"
    page = client.get(step).content.decode()
    assert " checked" not in page
    assert client.post(step, {"next": "/member/organisation/people"}).status_code == 422
    answer = client.post(step, {"agree": "on", "next": "/member/organisation/people"})
    assert answer["Location"] == "/member/organisation/people"
    assert queries.acknowledged(affiliation=Affiliation.objects.get(person=person))


def test_clauses_are_addressable_and_the_text_has_its_fingerprint(cast: Few) -> None:
    client = browser(None)
    page = client.get(reverse("charter")).content.decode()
    for number in ("c1.4", "c2.2", "c3.1", "c5.1-1.3.2"):
        assert f'id="{number}"' in page
    version = queries.in_force(kind="charter", at=cast.clock.at)
    assert version is not None
    assert bytes(version.sha256).hex() in page
    article = client.get(reverse("charter_article", args=[2])).content.decode()
    assert 'id="c2.2"' in article
    assert 'id="c3.1"' not in article


def test_depth_and_number_of_clauses(cast: Few) -> None:
    version = queries.in_force(kind="charter", at=cast.clock.at)
    assert version is not None
    found = {one.id: one for one in queries.clauses(version, at=cast.clock.at)}
    assert (found["2"].depth, found["2.2"].depth, found["2.2"].article, found["2.2"].number) == (0, 1, "2", "2.2")
    assert found["5.1-1.3.1"].number == "1.3.1"
