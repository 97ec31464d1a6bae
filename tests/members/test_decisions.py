"""Approval, rejection, revocation and appeal: who may, what must stand, what follows at that very instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from lianfang.accounts.models import Affiliation, Organization, Token
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.models import Constituent, Decision, Membership, MembershipInterval, Revocation
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Gap, Standing, Tlp
from tests import world
from tests.members.cases import (
    FACTS,
    Ledger,
    again,
    appealed,
    decision,
    declare,
    draft,
    mails,
    opened,
    proposed,
    recommended,
    revoked,
    taken_up,
)

TICK = timedelta(microseconds=1)
WU, JI = ("戊示範資訊有限公司", world.business_number(41)), ("己示範網路有限公司", world.business_number(42))


def approve(made: world.World, application: Any, by: world.Actor | None = None, **more: Any) -> Membership:
    actor = by or made.approver
    given = {"reasons": ["eligible"], **more}
    return actions.approve(application=application, by=actor.subject(), at=made.clock.tick(), **given)


def reject(made: world.World, application: Any, by: world.Actor | None = None, **more: Any) -> Decision:
    actor = by or made.approver
    given = {"reasons": ["not_willing"], **more}
    return actions.reject(application=application, by=actor.subject(), at=made.clock.tick(), **given)


def decide(
    made: world.World, appeal: Any, *, grant: bool, by: world.Actor | None = None, text: str = "說明合理。"
) -> Decision:
    actor = by or made.approver2
    return actions.decide_appeal(
        appeal=appeal,
        grant=grant,
        because="explanation" if grant else "",
        text=text,
        by=actor.subject(),
        at=made.clock.tick(),
    )


def rule(caught: pytest.ExceptionInfo[Refusal]) -> str:
    return str(caught.value.rule)


# Approval


def test_the_membership_holds_from_the_instant_of_the_approval_on(made: world.World) -> None:
    case = recommended(made, 51)
    declare(made, case, made.approver)
    with Ledger() as ledger:
        membership = approve(made, case)
    at, organization = made.clock.at, membership.organization_id
    assert [queries.standing(organization, when) for when in (at - TICK, at, at + TICK)] == [
        Standing.NONE, Standing.ACTIVE, Standing.ACTIVE,
    ]  # fmt: skip
    assert queries.gaps(organization) == frozenset()
    assert membership.organization in queries.members_in_force(at=at)
    assert membership.organization not in queries.members_in_force(at=at - TICK)
    kept = world.reread(case)
    assert (kept.state, kept.decided_at, kept.organization_id) == ("approved", at, organization)
    (entry,) = ledger.entries("members:application:approve")
    told = decision(application=case)
    assert entry.detail["letter"] == told.text_sha256.hex()
    assert entry.detail["membership"] == str(membership.pk)
    assert entry.detail["reviewed_by"] == str(made.reviewer.person.pk)
    assert entry.actor.endswith(str(made.approver.person.pk)) or str(made.approver.person.pk) in entry.actor


def test_the_letter_says_what_was_decided_and_is_the_one_that_was_signed(made: world.World) -> None:
    case = recommended(made, 52)
    declare(made, case, made.approver)
    preview = actions.preview_letter(
        application=case, what="approve", reasons=["eligible"], text="歡迎加入。", at=made.clock.at
    )
    approve(made, case, text="歡迎加入。")
    told = decision(application=case)
    assert told.number.startswith("D-2026-")
    assert told.effective_at == told.decided_at == made.clock.at
    assert told.text_sha256 == digest(f"{told.letter_zh}\n{told.letter_en}")
    for part in ("歡迎加入。", case.name_zh, told.number, "規章1.3", "保密義務"):
        assert part in told.letter_zh
    assert "survives" in told.letter_en
    assert "歡迎加入。" in preview.zh
    assert told.number not in preview.zh
    (mail,) = mails("apply@a52.example", "N3")
    assert "歡迎加入。" in mail.body_text


def test_approved_people_are_invited_once_each_in_their_roles_with_the_notice_first(made: world.World) -> None:
    case = recommended(made, 53)
    declare(made, case, made.approver)
    membership = approve(made, case)
    rows = Affiliation.objects.filter(organization=membership.organization).select_related("person__vault_key")
    roles = {row.person.email: row.role for row in rows}
    assert roles == {
        "admin1@a53.example": "member_admin", "admin2@a53.example": "member_admin",
        "contact@a53.example": "security_contact",
    }  # fmt: skip
    for row in rows:
        assert row.started_at is None, "nobody has begun before he accepts"
        (mail,) = mails(row.person.email)
        assert mail.kind == "invitation"
        assert "個人資料" in mail.body_text


def test_an_applicant_who_is_an_administrator_gave_his_data_himself(made: world.World) -> None:
    application = draft(made, 54)
    people = {**application.answers["people"], "admin1_email": "Apply@a54.example"}
    actions.save_step(
        application=application, step="people", values=people, by=world.Subject.public(), at=made.clock.tick()
    )
    case = world.review(made.clock, world.send(made.clock, world.reread(application)), made.reviewer)
    declare(made, case, made.approver)
    membership = approve(made, case)
    by_mail = {
        row.person.email: row.person.entered_by_other
        for row in Affiliation.objects.filter(organization=membership.organization).select_related("person__vault_key")
    }
    assert by_mail == {"apply@a54.example": False, "admin2@a54.example": True, "contact@a54.example": True}


def test_screening_decides_whether_a_constituents_people_get_in(made: world.World) -> None:
    rows = (("戊四資訊", world.business_number(401)), ("同名公司", ""), ("查無此人", ""))
    case = taken_up(made, 55, constituents=rows)
    world.screen(made.clock, case, made.reviewer, {"查無此人": "unverifiable"})
    row = queries.all_rows(case)[2]
    judged = actions.Finding(row.key, "name_hit", world.LIST, world.LIST_DATE, "地址不同", other_entity=True)
    actions.record_findings(application=case, findings=[judged], by=made.reviewer.subject(), at=made.clock.tick())
    actions.recommend(
        application=case, what="approve", reasons=["eligible"], by=made.reviewer.subject(), at=made.clock.tick()
    )
    declare(made, case, made.approver)
    membership = approve(made, world.reread(case))
    found = {row.organization.name_zh: row.screening for row in queries.roster_of(membership.organization_id)}
    assert found == {"戊四資訊": "clear", "同名公司": "other_entity", "查無此人": "unverifiable"}
    for one in queries.roster_of(membership.organization_id):
        assert (one.list_source, one.list_date) == (world.LIST, world.LIST_DATE)


def test_a_constituent_that_is_known_already_is_the_same_organisation(made: world.World) -> None:
    case = recommended(made, 56, constituents=(WU, (made.yi.organization.name_zh, made.yi.organization.ubn)))
    declare(made, case, made.approver)
    membership = approve(made, case)
    found = {row.organization for row in queries.roster_of(membership.organization_id)}
    assert found == {Organization.objects.get(ubn=WU[1]), made.yi.organization}


def test_a_thousand_constituents_are_entered_by_few_statements(
    made: world.World, django_assert_max_num_queries: Any
) -> None:
    rows = tuple((f"示範第{place}公司", "") for place in range(600))
    case = recommended(made, 57, constituents=rows)
    declare(made, case, made.approver)
    with django_assert_max_num_queries(160):
        membership = approve(made, case)
    assert queries.roster_of(membership.organization_id).count() == 600


@pytest.mark.parametrize(
    ("reasons", "rule_"), [([], "reason-coded"), (["not_willing"], "reason-coded"), (["eligible", "x"], "reason-coded")]
)
def test_an_approval_has_a_reason_of_the_procedure(made: world.World, reasons: list[str], rule_: str) -> None:
    case = recommended(made, 58)
    declare(made, case, made.approver)
    with pytest.raises(Refusal) as caught:
        approve(made, case, reasons=reasons)
    assert rule(caught) == rule_
    assert world.reread(case).state == "recommended"


def test_a_finding_that_came_between_recommendation_and_decision_is_seen(made: world.World) -> None:
    """What was ready when it was recommended is asked again when it is decided."""
    case = recommended(made, 59)
    declare(made, case, made.approver)
    made.clock.tick(days=91)
    with pytest.raises(Refusal, match="too old"):
        approve(made, case)
    assert Membership.objects.filter(application=case).count() == 0
    assert mails("apply@a59.example", "N3") == []


def test_the_database_itself_holds_one_live_membership_per_number(made: world.World) -> None:
    held = made.jia.membership
    other = recommended(made, 60)
    with pytest.raises(IntegrityError, match="membership_one_live_per_ubn"), transaction.atomic():
        Membership.objects.create(
            organization=made.former.organization, application=other, ubn=held.ubn, began_at=made.clock.at
        )
    with pytest.raises(IntegrityError, match="membership_one_live_per_organization"), transaction.atomic():
        Membership.objects.create(organization=held.organization, application=other, ubn=None, began_at=made.clock.at)
    with pytest.raises(IntegrityError, match="membership_ended_has_instant"), transaction.atomic():
        Membership.objects.filter(pk=held.pk).update(state="revoked")
    with pytest.raises(IntegrityError, match="membership_state_known"), transaction.atomic():
        Membership.objects.filter(pk=held.pk).update(state="suspended", ended_at=made.clock.tick())
    with pytest.raises(IntegrityError, match="interval_one_open"), transaction.atomic():
        MembershipInterval.objects.create(membership=held, began_at=made.clock.at)
    with pytest.raises(IntegrityError, match="interval_forward"), transaction.atomic():
        MembershipInterval.objects.filter(membership=held).update(ended_at=held.began_at)


def test_the_database_itself_holds_four_eyes(made: world.World) -> None:
    told = Decision.objects.filter(kind="approve").first()
    assert told is not None
    told.pk, told.number = None, "D-2026-9999"
    told.decided_by_id = told.reviewed_by_id
    with pytest.raises(IntegrityError, match="decision_four_eyes"), transaction.atomic():
        Decision.objects.create(
            vault_key=told.vault_key, number="D-2026-9999", kind="approve", clause="1.3", reasons=[],
            reviewed_by_id=made.approver.person.pk, decided_by_id=made.approver.person.pk, decided_at=made.clock.at,
            effective_at=made.clock.at, letter_zh="", letter_en="", text_sha256=b"x",
        )  # fmt: skip


# Rejection


def test_a_rejection_names_every_reason_and_begins_nothing(made: world.World) -> None:
    case = recommended(made, 61)
    declare(made, case, made.approver)
    with Ledger() as ledger:
        told = reject(made, case, reasons=["not_eligible", "other"], text="尚未上市。")
    assert ledger.entries("members:application:reject")
    kept = world.reread(case)
    assert (kept.state, kept.decided_at, kept.organization) == ("rejected", made.clock.at, None)
    assert (told.clause, told.membership) == ("1.1", None)
    assert told.letter_zh.index("一、") < told.letter_zh.index("二、") < told.letter_zh.index("尚未上市")
    (mail,) = mails("apply@a61.example", "N4")
    assert "尚未上市" in mail.body_text
    assert mails("admin1@a61.example") == [], "people whom nobody will invite are not written to"


def test_a_decided_application_is_decided_once(made: world.World) -> None:
    case = recommended(made, 62)
    declare(made, case, made.approver, made.approver2)
    reject(made, case)
    for act in (approve, reject):
        for by in (made.approver, made.approver2):
            with pytest.raises(Refusal, match="not possible"):
                act(made, case, by)
    assert Decision.objects.filter(application=case).count() == 1


def test_against_a_recommended_rejection_no_approval_passes_and_the_other_way_it_does(made: world.World) -> None:
    against = taken_up(made, 63)
    world.screen(made.clock, against, made.reviewer)
    actions.recommend(
        application=against, what="reject", reasons=["not_willing"], by=made.reviewer.subject(), at=made.clock.tick()
    )
    for_it = recommended(made, 64)
    declare(made, against, made.approver)
    declare(made, for_it, made.approver)
    with pytest.raises(Refusal, match="recommends rejection"):
        approve(made, against)
    assert reject(made, for_it).kind == "reject"


# Coming back


def test_an_association_that_was_revoked_comes_back_with_its_roster_screened_anew(made: world.World) -> None:
    """The constituents of the earlier membership do not stand in the way, nor do they slip back in."""
    revoked(made, made.ding)
    case = recommended(
        made, 4, people="m4.example", name=made.ding.organization.name_zh, kind="association",
        constituents=(WU, ("庚新成員", "")), results={"庚新成員": "unverifiable"},
    )  # fmt: skip
    declare(made, case, made.approver)
    membership = approve(made, case)
    assert membership.organization == made.ding.organization
    found = {row.organization.name_zh: row.screening for row in queries.roster_of(membership.organization_id)}
    assert found == {WU[0]: "clear", "庚新成員": "unverifiable"}
    assert Constituent.objects.filter(group=membership.organization, removed_at=made.clock.at).count() == 2
    assert made.wu.subject().constituent_ok
    assert not made.ji.subject().constituent_ok, "no longer on the roster"
    assert made.ding.admin.subject().standing is Standing.ACTIVE
    assert mails("admin1@m4.example", "invitation")[-1].created_at < made.clock.at, (
        "who signs in already is not invited"
    )


# Revocation


def test_opening_a_review_changes_no_access_and_tells_nobody(made: world.World) -> None:
    before = len(mails())
    with Ledger() as ledger:
        case = actions.open_revocation(
            membership=made.jia.membership, ground="2.3", facts=f" {FACTS} ", by=made.reviewer.subject(),
            at=made.clock.tick(),
        )  # fmt: skip
    assert ledger.tags() == ["members:revocation:open"]
    assert FACTS not in str(ledger.entries()[0].detail)
    assert case.number.startswith("R-2026-")
    assert case.facts == FACTS
    made.jia.membership.refresh_from_db()
    assert made.jia.membership.state == "revocation_review"
    subject = made.jia.member.subject()
    assert subject.standing is Standing.UNDER_REVIEW
    assert made.client(made.jia.member).get("/member").status_code == 200
    assert len(mails()) == before
    with pytest.raises(Refusal, match="not possible"):
        opened(made)


@pytest.mark.parametrize(
    ("ground", "facts", "field"), [("1.3", FACTS, "ground"), ("", FACTS, "ground"), ("2.3", " \n", "facts")]
)
def test_a_review_has_a_ground_of_the_charter_and_facts(made: world.World, ground: str, facts: str, field: str) -> None:
    with pytest.raises(Refusal) as caught:
        actions.open_revocation(
            membership=made.jia.membership, ground=ground, facts=facts, by=made.reviewer.subject(), at=made.clock.tick()
        )
    assert caught.value.field == field
    case = opened(made)
    with pytest.raises(Refusal) as caught:
        actions.propose(case=case, ground=ground, facts=facts, by=made.reviewer.subject(), at=made.clock.tick())
    assert caught.value.field == field
    assert again(case).state == "under_review"


def test_a_membership_that_has_ended_is_not_reviewed_again(made: world.World) -> None:
    with pytest.raises(Refusal, match="not possible"):
        opened(made, made.former)
    assert Revocation.objects.filter(membership=made.former.membership).count() == 1


@pytest.mark.parametrize("who", ["approver", "auditor", "analyst", "operator"])
def test_only_a_reviewer_opens_and_proposes(made: world.World, who: str) -> None:
    by = getattr(made, who).subject()
    with pytest.raises(Refusal):
        actions.open_revocation(membership=made.jia.membership, ground="2.3", facts=FACTS, by=by, at=made.clock.tick())
    case = opened(made)
    with pytest.raises(Refusal):
        actions.propose(case=case, ground="2.3", facts=FACTS, by=by, at=made.clock.tick())


@pytest.mark.parametrize("act", ["revoke", "close", "send_back"])
def test_who_reviewed_who_has_a_conflict_and_who_has_not_declared_decides_nothing(made: world.World, act: str) -> None:
    case = proposed(made)

    def decide_(by: world.Actor) -> None:
        given: dict[str, Any] = {"case": case, "by": by.subject(), "at": made.clock.tick()}
        if act == "revoke":
            actions.revoke(**given)
        elif act == "close":
            actions.close_case(**given, text="維持。")
        else:
            actions.send_back(**given)

    for actor in (made.reviewer, made.auditor, made.analyst, made.jia.admin):
        with pytest.raises(Refusal):
            decide_(actor)
    declare(made, case, made.approver, conflict=True)
    with pytest.raises(Refusal, match="conflict of interest"):
        decide_(made.approver)
    assert again(case).state == "proposed"
    decide_(made.approver2)
    assert again(case).state == {"revoke": "revoked", "close": "closed", "send_back": "under_review"}[act]


def test_a_case_that_is_not_proposed_is_not_decided(made: world.World) -> None:
    case = opened(made)
    for act in (
        lambda: actions.revoke(case=case, by=made.approver.subject(), at=made.clock.tick()),
        lambda: actions.close_case(case=case, text="x", by=made.approver.subject(), at=made.clock.tick()),
        lambda: actions.send_back(case=case, by=made.approver.subject(), at=made.clock.tick()),
    ):
        with pytest.raises(Refusal, match="not possible"):
            act()


def test_sent_back_and_proposed_anew_with_another_ground(made: world.World) -> None:
    case = proposed(made)
    actions.send_back(case=case, by=made.approver.subject(), at=made.clock.tick())
    with pytest.raises(Refusal) as caught:
        actions.propose(case=case, ground="5.3", facts="地址不實。", by=made.reviewer.subject(), at=made.clock.tick())
    assert "N8" in caught.value.reason.en, "the member was told of another ground"
    world.hear(made.clock, case, made.reviewer, made.jia.admin, "5.3")
    actions.propose(case=case, ground="5.3", facts="地址不實。", by=made.reviewer.subject(), at=made.clock.tick())
    kept = again(case)
    assert (kept.state, kept.ground, kept.facts, kept.proposed_at) == ("proposed", "5.3", "地址不實。", made.clock.at)
    assert [event.event for event in queries.events(case.number) if event.event != "conflict_none"] == [
        "opened", "notified", "stated", "proposed", "returned", "notified", "stated", "proposed",
    ]  # fmt: skip


def test_a_closed_case_leaves_the_membership_as_if_nothing_had_been(made: world.World) -> None:
    case = proposed(made)
    with pytest.raises(Refusal) as caught:
        actions.close_case(case=case, text=" ", by=made.approver.subject(), at=made.clock.tick())
    assert caught.value.field == "text"
    told = actions.close_case(case=case, text="已恢復參與。", by=made.approver.subject(), at=made.clock.tick())
    made.jia.membership.refresh_from_db()
    assert (made.jia.membership.state, made.jia.membership.ended_at, told.kind) == ("active", None, "keep")
    assert queries.gaps(made.jia.organization.pk) == frozenset()
    assert queries.last_revocation(made.jia.organization.pk) is None
    assert opened(made).number != case.number, "another review can be opened later"


def test_a_revocation_takes_effect_at_its_instant(made: world.World) -> None:
    case = proposed(made)
    client, other = made.client(made.jia.member), made.client(made.yi.member)
    assert client.get("/member").status_code == 200
    with Ledger() as ledger:
        actions.revoke(case=case, text="經查屬實。", by=made.approver.subject(), at=made.clock.tick())
    at, organization = made.clock.at, made.jia.organization.pk
    assert [queries.standing(organization, when) for when in (at - TICK, at, at + TICK)] == [
        Standing.ACTIVE, Standing.REVOKED, Standing.REVOKED,
    ]  # fmt: skip
    assert queries.gaps(organization) == {Gap(at)}
    assert client.get("/member").status_code == 302, "the session has ended"
    assert other.get("/member").status_code == 200, "nobody else's"
    tags = ledger.tags()
    assert tags[0] == "members:revocation:decide" or "members:revocation:decide" in tags
    assert "accounts:token:revoke" in tags
    live = Token.objects.filter(affiliation__group=organization, revoked_at__isnull=True)
    assert live.count() == 0
    assert Token.objects.filter(affiliation__group=made.yi.organization, revoked_at__isnull=True).count() == 1
    for actor in (made.jia.admin, made.jia.deputy, made.jia.contact, made.jia.member):
        assert actor.subject(at).standing is Standing.REVOKED
        assert actor.subject(at - TICK).standing is Standing.ACTIVE
    told = decision(revocation=case)
    assert (told.effective_at, told.clause) == (at, "1.4b")
    for part in (FACTS, "經查屬實。", "規章3.3", told.number):
        assert part in told.letter_zh


def test_a_groups_constituents_lose_access_with_it(made: world.World) -> None:
    client = made.client(made.wu)
    assert client.get("/member").status_code == 200
    revoked(made, made.ding)
    assert client.get("/member").status_code == 302
    assert made.wu.subject().standing is Standing.REVOKED
    assert made.client(made.wu).get("/member")["Location"] == "/exit"


def test_its_administrators_are_told_and_nobody_else(made: world.World) -> None:
    case = revoked(made)
    told = sorted(mail.to for mail in mails(kind="N9") if case.number in mail.body_text)
    assert told == ["admin1@m1.example", "admin2@m1.example"]
    (mail,) = mails("admin1@m1.example", "N9")
    assert "/exit" in mail.body_text
    assert FACTS in mail.body_text


def test_the_last_day_of_appeal_is_counted_stored_and_written(made: world.World) -> None:
    case = revoked(made)
    deadline = case.deadline
    assert deadline is not None
    assert (deadline.days, deadline.rule, deadline.event) == (30, "D1", made.clock.at)
    assert deadline.edition
    # 30 days from the day after; the last second of that day in Taipei is in time.
    assert deadline.last_day.isoformat() == "2026-12-02"
    assert deadline.ends_at == datetime(2026, 12, 2, 16, 0, tzinfo=UTC)
    assert not deadline.is_late(deadline.ends_at - TICK)
    assert deadline.is_late(deadline.ends_at)
    assert "12月2日" in decision(revocation=case).letter_zh
    preview = actions.preview_revocation(case=case, text="試", at=made.clock.at)
    assert "試" in preview.zh


# Appeal


def test_an_appeal_is_stamped_numbered_receipted_and_kept_sealed(made: world.World) -> None:
    case = revoked(made)
    upload = read_upload(name="說明.pdf", content=world.PDF, field="files")
    with Ledger() as ledger:
        appeal = appealed(made, case, made.jia.admin, text="  我們當時正在搬遷。 ", files=[upload])
    assert appeal.number.startswith("P-2026-")
    assert (appeal.state, appeal.late, appeal.filed_at) == ("filed", False, made.clock.at)
    assert appeal.text == "我們當時正在搬遷。"
    assert appeal.text_sha256 == digest(appeal.text)
    assert [file.filename for file in appeal.files.all()] == ["說明.pdf"]
    (entry,) = ledger.entries("members:appeal:file")
    assert entry.detail["files"] == [upload.sha256.hex()]
    assert "搬遷" not in str(entry.detail)
    (receipt,) = mails("admin1@m1.example", "N10")
    assert appeal.number in receipt.body_text
    made.jia.membership.refresh_from_db()
    assert made.jia.membership.state == "revoked", "an appeal suspends nothing"


@pytest.mark.parametrize(("before", "late"), [(TICK, False), (timedelta(0), True)])
def test_in_time_to_the_last_microsecond_and_late_is_taken_in_and_marked(
    made: world.World, before: timedelta, late: bool
) -> None:
    case = revoked(made)
    actions.open_letter(case=case, by=made.jia.admin.subject(), at=made.clock.tick())
    case = again(case)
    assert case.appeal_ends_at
    appeal = appealed(made, case, made.jia.admin, at=case.appeal_ends_at - before)
    assert appeal.late is late
    assert [event.event for event in queries.events(case.number)][-1] == ("appealed_late" if late else "appealed")


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"text": " \n"}, "text"), ({"text": "字" * 20_001}, "text"), ({"files": "eleven"}, "files")],
)
def test_an_appeal_says_why_and_is_of_bounded_size(made: world.World, changed: dict[str, Any], field: str) -> None:
    case = revoked(made)
    if "files" in changed:
        changed = {"files": [read_upload(name="x.pdf", content=world.PDF, field="files")] * 11}
    with pytest.raises(Refusal) as caught:
        appealed(made, case, made.jia.admin, **changed)
    assert caught.value.field == field
    assert queries.appeals([case]) == {}


def test_one_form_is_one_appeal_and_its_key_is_nobody_elses(made: world.World) -> None:
    case, other = revoked(made), revoked(made, made.yi)
    first = appealed(made, case, made.jia.admin, key="same")
    assert appealed(made, case, made.jia.admin, key="same", text="別的理由").pk == first.pk
    with pytest.raises(Refusal) as caught:
        appealed(made, other, made.yi.admin, key="same")
    assert rule(caught) == "appeal-key"
    second = appealed(made, case, made.jia.admin, key="next")
    assert second.number != first.number
    assert len(mails("admin1@m1.example", "N10")) == 2


@pytest.mark.parametrize("who", ["member", "contact"])
def test_only_an_administrator_of_the_organisation_appeals(made: world.World, who: str) -> None:
    case = revoked(made)
    for actor in (getattr(made.jia, who), made.former.admin, made.yi.admin, made.reviewer):
        with pytest.raises(Refusal):
            appealed(made, case, actor, key=f"k{actor.person.pk}")
    with pytest.raises(Refusal):
        actions.file_appeal(
            case=case, text="x", files=[], key="k", by=made.jia.admin.subject(mfa=False), at=made.clock.tick()
        )
    assert appealed(made, case, made.jia.deputy).filed_by_id == made.jia.deputy.person.pk


def test_while_a_membership_stands_nothing_is_there_to_appeal(made: world.World) -> None:
    with pytest.raises(Refusal):
        appealed(made, proposed(made), made.jia.admin)


@pytest.mark.parametrize("ground", ["1.4a", "1.4b", "2.3", "5.3"])
def test_every_ground_can_be_appealed_as_the_settings_stand(made: world.World, ground: str) -> None:
    case = revoked(made, ground=ground)
    assert appealed(made, case, made.jia.admin).state == "filed"
    assert decision(revocation=case, kind="revoke").letter_en.count(ground.rstrip("ab")) >= 1


def test_neither_reviewer_nor_decider_nor_a_conflicted_one_decides_the_appeal(made: world.World) -> None:
    case = revoked(made)
    appeal = appealed(made, case, made.jia.admin)
    declare(made, appeal, made.approver, made.reviewer)
    for by, expected in ((made.approver, "S-appeal"), (made.reviewer, "S-review"), (made.auditor, "G-decide_appeal")):
        with pytest.raises(Refusal) as caught:
            decide(made, appeal, grant=True, by=by)
        assert rule(caught) == expected
    with pytest.raises(Refusal, match="Declare first"):
        decide(made, appeal, grant=True)
    declare(made, appeal, made.approver2, conflict=True)
    with pytest.raises(Refusal):
        decide(made, appeal, grant=False)
    declare(made, appeal, made.approver2)
    with pytest.raises(Refusal) as caught:
        decide(made, appeal, grant=False, text=" ")
    assert caught.value.field == "text"
    assert decide(made, appeal, grant=False).kind == "denied"


def test_a_granted_appeal_restores_the_same_membership_and_leaves_the_gap(made: world.World) -> None:
    case = revoked(made)
    ended = made.clock.at
    appeal = appealed(made, case, made.jia.admin)
    declare(made, appeal, made.approver2)
    with Ledger() as ledger:
        told = decide(made, appeal, grant=True)
    at, organization = made.clock.at, made.jia.organization.pk
    assert "members:appeal:grant" in ledger.tags()
    made.jia.membership.refresh_from_db()
    assert (made.jia.membership.state, made.jia.membership.ended_at) == ("active", None)
    assert Membership.objects.filter(organization=organization).count() == 1
    assert queries.gaps(organization) == {Gap(ended, at)}
    assert [queries.standing(organization, when) for when in (ended - TICK, ended, at - TICK, at)] == [
        Standing.ACTIVE, Standing.REVOKED, Standing.REVOKED, Standing.ACTIVE,
    ]  # fmt: skip
    assert made.jia.admin.subject().gaps == {Gap(ended, at)}
    assert Token.objects.filter(affiliation__group=organization, revoked_at__isnull=True).count() == 0, "keys stay dead"
    assert "恢復" in told.letter_zh
    assert len(mails("admin1@m1.example", "N11")) == 1
    with pytest.raises(Refusal):
        decide(made, appeal, grant=False)


def test_a_denied_appeal_changes_nothing_but_is_told(made: world.World) -> None:
    case = revoked(made)
    appeal = appealed(made, case, made.jia.admin)
    declare(made, appeal, made.approver2)
    told = decide(made, appeal, grant=False, text="未說明原因。")
    made.jia.membership.refresh_from_db()
    assert made.jia.membership.state == "revoked"
    assert "未說明原因" in told.letter_zh
    assert len(mails("admin2@m1.example", "N11")) == 1
    later = appealed(made, case, made.jia.admin, key="second")
    assert later.state == "filed", "the charter is silent on a second appeal; it is taken in"


def test_restoring_beside_a_new_membership_is_refused_by_the_database(made: world.World) -> None:
    appeal = appealed(made, made.revocation, made.former.admin)
    case = recommended(made, 5, people="m5.example", name=made.former.organization.name_zh)
    declare(made, case, made.approver)
    approve(made, case)
    declare(made, appeal, made.approver2)
    with pytest.raises(Refusal) as caught:
        decide(made, appeal, grant=True)
    assert rule(caught) == "membership-once"
    assert queries.appeal(appeal.number).state == "filed"  # type: ignore[union-attr]
    assert decide(made, appeal, grant=False).kind == "denied"


def test_opening_a_file_of_an_appeal_stands_in_the_ledger(made: world.World) -> None:
    case = revoked(made)
    upload = read_upload(name="說明.pdf", content=world.PDF, field="files")
    appeal = appealed(made, case, made.jia.admin, files=[upload])
    file = appeal.files.get()
    with Ledger() as ledger:
        found = actions.read_appeal_file(
            appeal=appeal, file_id=file.pk, by=made.approver2.subject(), at=made.clock.tick()
        )
    assert found == file
    assert b"".join(file.file.open()) == world.PDF
    assert ledger.tags() == ["members:attachment:read"]
    with pytest.raises(Refusal):
        actions.read_appeal_file(appeal=appeal, file_id=file.pk, by=made.yi.admin.subject(), at=made.clock.tick())


# Relay


def test_rules_of_relay_are_made_and_ended_by_an_administrator_in_person(made: world.World) -> None:
    group = made.ding.organization
    start: dict[str, Any] = {"group": group, "tlp": Tlp.AMBER}
    for actor in (made.ding.member, made.ding.contact, made.jia.admin, made.wu, made.reviewer):
        with pytest.raises(Refusal):
            actions.start_relay(**start, by=actor.subject(), at=made.clock.tick())
    for tlp in (Tlp.AMBER_STRICT, Tlp.RED):
        with pytest.raises(Refusal) as caught:
            actions.start_relay(group=group, tlp=tlp, by=made.ding.admin.subject(), at=made.clock.tick())
        assert rule(caught) == "U-relay"
    with Ledger() as ledger:
        first = actions.start_relay(**start, by=made.ding.admin.subject(), at=made.clock.tick())
        began = made.clock.at
        assert actions.start_relay(**start, by=made.ding.deputy.subject(), at=made.clock.tick()).pk == first.pk
        actions.end_relay(**start, by=made.ding.admin.subject(), at=made.clock.tick())
        ended = made.clock.at
        actions.end_relay(**start, by=made.ding.admin.subject(), at=made.clock.tick())
    assert ledger.tags() == ["members:relay:start"] * 2 + ["members:relay:end"] * 2
    assert [made.wu.subject(at).relays for at in (began - TICK, began, ended - TICK, ended)] == [
        frozenset(), {Tlp.AMBER}, {Tlp.AMBER}, frozenset(),
    ]  # fmt: skip
