"""A member changes its data: filed, checked, applied, and the former data still there (charter 2.4, 5.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from lianfang.accounts.models import Affiliation, Organization
from lianfang.accounts.queries import person_by_email
from lianfang.audit.models import Entry
from lianfang.charter.models import Acceptance
from lianfang.members import actions, changes, queries
from lianfang.members.models import ChangeConfirmation, ChangeRequest, Constituent, Decision, FactChange
from lianfang.members.subjects import subject_for
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Role
from tests import world
from tests.members import cases
from tests.members.change_cases import ATTESTATION, apply, checked, file, refused, taken_up

pytestmark = pytest.mark.django_db


def test_an_address_is_applied_by_one_reviewer_and_the_former_stays(made: world.World) -> None:
    jia, clock = made.jia, made.clock
    before = changes.facts_at(jia.membership, clock.at)
    with cases.Ledger() as ledger:
        case = file(made, jia, organization={"address": "示範市新址路9號"})
    assert (case.state, case.risks, case.number) == ("submitted", ["contact"], "C-2026-0001")
    assert "members:change:file" in ledger.tags()
    assert case.values == {"organization": {"address": [before["address"], "示範市新址路9號"]}}
    at = clock.at
    accepted = Acceptance.objects.filter(context=f"change {case.number}")
    assert {one.document_version_id for one in accepted} == {case.charter_id, case.privacy_notice_id}, "5.2"
    told = cases.mails(kind="change_filed")
    assert {one.to for one in told} == {"admin1@m1.example", "admin2@m1.example"}

    case = taken_up(made, case)
    decision = apply(made, case, by=made.reviewer)
    assert (decision.kind, decision.reviewed_by_id) == ("apply_alone", made.reviewer.person.pk)
    case.refresh_from_db()
    assert case.state == "applied"
    assert Organization.objects.get(pk=jia.organization.pk).address == "示範市新址路9號"
    assert len(cases.mails(kind="N6")) == 2
    # The old value is evidence, and every instant can be asked about.
    moment = decision.decided_at
    tick = timedelta(microseconds=1)
    for instant, wanted in ((at, before["address"]), (moment - tick, before["address"]),
                            (moment, "示範市新址路9號"), (moment + tick, "示範市新址路9號")):  # fmt: skip
        assert changes.facts_at(jia.membership, instant)["address"] == wanted
    row = FactChange.objects.get()
    assert (row.old, row.new, row.at) == (before["address"], "示範市新址路9號", moment)


def test_what_cannot_be_filed(made: world.World) -> None:
    jia = made.jia
    facts = changes.facts_at(jia.membership, made.clock.at)
    assert refused(lambda: file(made, jia, organization=facts)).rule == "change-nothing"
    assert refused(lambda: file(made, jia, organization={"address": ""})).field == "address"
    assert refused(lambda: file(made, jia, organization={"ubn": "12345678"})).field == "ubn"
    assert refused(lambda: file(made, jia, organization={"address": "A123456789"})).rule == "change-field"
    contact = {"name": "新窗口", "title": "工程師", "email": "no address", "phone": "02-0000-0000"}
    assert refused(lambda: file(made, jia, people=[(jia.contact, contact)])).field == "new_email"
    assert refused(lambda: file(made, jia, people=[(made.yi.contact, contact)])).rule == "change-person"
    assert refused(lambda: file(made, jia, organization={"address": "x"}, by=jia.member)).rule == "G-file_change"
    assert refused(lambda: file(made, jia, organization={"address": "x"}, by=made.yi.admin)).rule == "G-file_change"
    # A constituent's people file nothing for their group; a heavy change without attestation neither.
    assert refused(lambda: file(made, made.ding, organization={"address": "x"}, by=made.wu)).rule == "G-file_change"
    missing = refused(lambda: file(made, jia, organization={"name_zh": "新名稱"}, attestation={}))
    assert (missing.rule, missing.clause) == ("change-attestation", "1.3")
    assert not ChangeRequest.objects.exists(), "nothing half-filed"


def test_one_at_a_time_and_the_database_holds_it(made: world.World) -> None:
    case = file(made, made.jia, organization={"address": "一"}, key="k1")
    again = file(made, made.jia, organization={"address": "一"}, key="k1")
    assert again.pk == case.pk, "the same form twice is one request"
    second = refused(lambda: file(made, made.jia, organization={"address": "二"}, key="k2"))
    assert second.rule == "change-one-open"
    assert refused(lambda: file(made, made.yi, organization={"address": "二"}, key="k1")).rule == "change-key"
    copy = ChangeRequest.objects.get(pk=case.pk)
    values = copy.values
    with pytest.raises(IntegrityError), transaction.atomic():
        ChangeRequest.objects.create(
            **{name: getattr(copy, name) for name in (
                "membership", "risks", "charter", "privacy_notice", "filed_by", "submitted_at", "due_at")},
            number="C-2026-9999", values=values, key="other",
        )  # fmt: skip
    actions.withdraw_change(case=case, by=made.jia.deputy.subject(), at=made.clock.tick())
    assert file(made, made.jia, organization={"address": "二"}, key="k2").number == "C-2026-0002"
    assert refused(lambda: actions.withdraw_change(case=case, by=made.jia.admin.subject(), at=made.clock.tick()))


def test_a_new_legal_name_is_checked_anew_by_two_people(made: world.World) -> None:
    jia = made.jia
    old = jia.organization.name_zh
    case = taken_up(made, file(made, jia, organization={"name_zh": "甲新示範股份有限公司"}))
    assert case.risks == ["identity"]
    assert refused(lambda: apply(made, case, by=made.reviewer)).rule == "S-review", "one person alone does not"
    recommend = lambda: actions.recommend_change(  # noqa: E731
        case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick()
    )
    assert "檢核" in refused(recommend).reason.zh
    checked(made, case, authority=False)
    assert "代表權限" in refused(recommend).reason.zh
    actions.check_change_authority(case=case, method="registry", by=made.reviewer.subject(), at=made.clock.tick())
    recommend()
    cases.declare(made, case, made.approver)
    assert changes.attestation_stands(jia.membership, made.clock.at)
    decision = apply(made, case, by=made.approver)
    assert decision.reviewed_by_id == made.reviewer.person.pk
    jia.organization.refresh_from_db()
    assert jia.organization.name_zh == "甲新示範股份有限公司"
    assert changes.facts_at(jia.membership, decision.decided_at - timedelta(seconds=1))["name_zh"] == old
    assert changes.attestation_stands(jia.membership, made.clock.at), "the new attestation covers the new name"


def test_an_id_hit_blocks_and_a_name_hit_needs_a_written_judgement(made: world.World) -> None:
    case = taken_up(made, file(made, made.jia, organization={"name_zh": "甲新示範股份有限公司"}))
    send = lambda: actions.recommend_change(  # noqa: E731
        case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick()
    )
    for result, word in (("id_hit", "統一編號"), ("name_hit", "書面判斷")):
        checked(made, case, result=result)
        assert word in refused(send).reason.zh
    checked(made, case, result="name_hit", note="地址與負責人都不同。", other=True)
    send()
    case.refresh_from_db()
    assert case.recommendation == "approve"
    # The approver did not review; who reviewed does not approve, whatever his duties.
    cases.give(made, made.reviewer, world.Duty.APPROVER)
    assert refused(lambda: actions.apply_change(case=case, by=made.reviewer.subject(), at=made.clock.tick()))


def test_a_business_number_has_one_member(made: world.World) -> None:
    taken = made.yi.organization.ubn or ""
    case = taken_up(made, file(made, made.jia, organization={"ubn": taken}))
    checked(made, case)
    send = refused(
        lambda: actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    )
    assert "已有有效會籍" in send.reason.zh
    # Of an organisation that is no member but known here, the database says no, and nothing is half-applied.
    other = Organization.objects.get(pk=made.wu.organization.pk)
    actions.reject_change(
        case=_recommended(made, case, "reject"), text="重複。", by=made.approver.subject(), at=made.clock.tick()
    )
    case = taken_up(made, file(made, made.jia, organization={"ubn": other.ubn or "", "address": "新址"}))
    checked(made, case)
    _recommended(made, case, "approve")
    assert refused(lambda: apply(made, case, by=made.approver)).rule == "membership-once"
    made.jia.organization.refresh_from_db()
    assert made.jia.organization.address != "新址"
    assert not FactChange.objects.exists()


def _recommended(made: world.World, case: ChangeRequest, what: str) -> ChangeRequest:
    actions.recommend_change(case=case, what=what, text="理由", by=made.reviewer.subject(), at=made.clock.tick())
    cases.declare(made, case, made.approver, made.approver2)
    found = changes.change(case.number)
    assert found is not None
    return found


NEW = {"name": "周新任", "title": "資安長", "email": "new@m1.example", "phone": "02-0000-0000#9"}


def test_an_administrator_changes_once_both_mailboxes_say_yes(made: world.World) -> None:
    jia = made.jia
    case = taken_up(made, file(made, jia, people=[(jia.admin, NEW)], by=jia.deputy))
    assert case.risks == ["administrators"]
    mails = {one.to: one for one in cases.mails(kind="change_confirm")}
    assert set(mails) == {"admin1@m1.example", "new@m1.example"}
    assert "個人資料" in mails["new@m1.example"].body_text, "told where the data came from before anything else (N5)"
    assert refused(lambda: apply(made, case, by=made.reviewer)), "nobody has confirmed yet"
    secrets = [mail.body_text.split("/changes/confirm/")[1].split()[0] for mail in mails.values()]
    for place, secret in enumerate(secrets):
        found = changes.confirmation(secret)
        assert found is not None
        actions.answer_confirmation(confirmation=found, yes=True, by=cases.PUBLIC, at=made.clock.tick())
        twice = refused(
            lambda one=found: actions.answer_confirmation(
                confirmation=one, yes=False, by=cases.PUBLIC, at=made.clock.tick()
            )
        )
        assert twice.rule == "change-link", "each link works once"
        if place == 0:
            assert refused(lambda: apply(made, case, by=made.reviewer))
    apply(made, case, by=made.reviewer)
    former = Affiliation.objects.get(pk=jia.admin.affiliation.pk)
    assert former.left_at is not None
    person = person_by_email("new@m1.example")
    assert person is not None
    invited = Affiliation.objects.get(person=person)
    assert (invited.role, invited.started_at) == (Role.MEMBER_ADMIN, None), "invited, not yet acting"
    # Who was our administrator then? And the names lie under the keys of the people, not of the case.
    rows = {(row.vault_key_id == person.vault_key_id): (row.old, row.new) for row in FactChange.objects.all()}
    assert rows[True][1]["name"] == "周新任"
    assert rows[False][0]["name"] == "林樣本"
    then = changes.people_at(jia.organization.pk, former.left_at - timedelta(microseconds=1))
    assert jia.admin.affiliation.pk in {one.pk for one in then}
    assert jia.admin.affiliation.pk not in {one.pk for one in changes.people_at(jia.organization.pk, former.left_at)}


def test_a_mailbox_that_says_no_stops_it_and_a_silent_one_takes_two_people(made: world.World) -> None:
    jia = made.jia
    case = taken_up(made, file(made, jia, people=[(jia.admin, NEW)], by=jia.deputy))
    asked = {one.of: one for one in ChangeConfirmation.objects.all()}
    clock, tick = made.clock, timedelta(microseconds=1)
    limit = asked["new"].expires_at
    assert limit == asked["new"].sent_at + timedelta(days=14)
    for at, ends in ((limit, True), (limit + tick, True)):
        late = refused(
            lambda at=at: actions.answer_confirmation(confirmation=asked["new"], yes=True, by=cases.PUBLIC, at=at)
        )
        assert (late.rule == "change-link") is ends
    actions.ask_again(confirmation=asked["new"], by=made.reviewer.subject(), at=clock.tick())
    assert len(cases.mails("new@m1.example", "change_confirm")) == 2
    fresh = ChangeConfirmation.objects.get(pk=asked["new"].pk)
    actions.answer_confirmation(confirmation=fresh, yes=True, by=cases.PUBLIC, at=fresh.expires_at - tick)
    # The old mailbox is silent: a reviewer says how he verified it, an approver decides.
    unsaid = refused(
        lambda: actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=clock.tick())
    )
    assert "如何查證" in unsaid.reason.zh
    case = _recommended(made, case, "approve")
    apply(made, case, by=made.approver)
    # Another one, which its old mailbox disowns, cannot be applied by anybody.
    case = taken_up(
        made, file(made, made.yi, people=[(made.yi.admin, {**NEW, "email": "n2@m2.example"})], by=made.yi.deputy)
    )
    old = ChangeConfirmation.objects.get(change=case, of="old")
    actions.answer_confirmation(confirmation=old, yes=False, by=cases.PUBLIC, at=clock.tick())
    no = refused(
        lambda: actions.recommend_change(
            case=case, what="approve", text="查證", by=made.reviewer.subject(), at=clock.tick()
        )
    )
    assert "表示這項異動不對" in no.reason.zh


def test_a_security_contact_is_replaced_and_may_stay_as_a_member(made: world.World) -> None:
    jia = made.jia
    case = file(
        made, jia, people=[(jia.contact, {**NEW, "email": jia.member.person.email, "name": "張假設"})], stays=True
    )
    assert case.risks == ["contact"], "light: no mailbox is asked"
    assert not ChangeConfirmation.objects.exists()
    decision = apply(made, taken_up(made, case), by=made.reviewer)
    roles = dict(Affiliation.objects.filter(organization=jia.organization).values_list("pk", "role"))
    assert roles[jia.contact.affiliation.pk] == Role.MEMBER
    assert roles[jia.member.affiliation.pk] == Role.SECURITY_CONTACT, (
        "somebody of ours takes the role, nobody is invited"
    )
    third = datetime(2026, 3, 3, tzinfo=UTC)
    assert changes.people_at(jia.organization.pk, third) == [], "before the membership there was nobody"
    assert [row.at for row in FactChange.objects.filter(field="person.security_contact")] == [decision.decided_at] * 2


def test_the_staff_enters_what_came_by_letter_with_its_scan(made: world.World) -> None:
    scan = read_upload(name="來函.pdf", content=world.PDF, field="scan")
    today = date(2026, 11, 2)
    letter = actions.Letter(origin="stamped", received_on=today, scan=scan)
    case = file(made, made.jia, organization={"address": "新址"}, by=made.reviewer, letter=letter)
    assert (case.origin, case.received_on) == ("stamped", today)
    (kept,) = changes.files(case)
    assert (kept.kind, kept.filename) == ("scan", "來函.pdf")
    apply(made, taken_up(made, case), by=made.reviewer)
    future = actions.Letter(origin="paper", received_on=today + timedelta(days=400), scan=scan)
    case_ = refused(lambda: file(made, made.yi, organization={"address": "新址"}, by=made.reviewer, letter=future))
    assert case_.rule == "change-received"
    assert refused(lambda: file(made, made.yi, organization={"address": "x"}, by=made.analyst, letter=letter))


def test_a_revoked_member_files_nothing_and_nothing_is_applied_to_it(made: world.World) -> None:
    case = taken_up(made, file(made, made.jia, organization={"address": "新址"}))
    cases.revoked(made, made.jia)
    assert refused(lambda: apply(made, case, by=made.reviewer)).rule == "change:apply_alone"
    made.jia.organization.refresh_from_db()
    assert made.jia.organization.address != "新址"
    assert refused(lambda: file(made, made.jia, organization={"address": "新址"})).rule == "F-standing"


def test_conflict_and_duty(made: world.World) -> None:
    case = file(made, made.jia, organization={"address": "新址"})
    take = lambda who: actions.take_up_change(case=case, by=who.subject(), at=made.clock.tick())  # noqa: E731
    assert "聲明" in refused(lambda: take(made.reviewer)).reason.zh
    cases.declare(made, case, made.reviewer, conflict=True)
    assert refused(lambda: take(made.reviewer)).rule == "S-conflict"
    assert refused(lambda: take(made.approver)).rule == "G-take_up"
    assert ATTESTATION
    assert queries.case_of(case).kind == "change"
    assert Entry.objects.filter(tag="members:change:file").count() == 1
    assert not Decision.objects.filter(change=case).exists()
    assert not Constituent.objects.filter(group=made.jia.organization).exists()
    assert subject_for(person=made.jia.admin.person, affiliation=made.jia.admin.affiliation, at=made.clock.at, mfa=True)
