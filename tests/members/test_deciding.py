"""Approval and rejection: by somebody else, with nothing missing, and everything that follows in one transaction."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from lianfang.accounts.models import Affiliation, Person
from lianfang.charter.models import Acceptance
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.models import Application, Constituent, Decision, Membership
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Standing
from tests import world


def ready(
    made: world.World, place: int, *, people: str = "", results: dict[str, str] | None = None, **more: Any
) -> Application:
    """An application that waits for its decision."""
    pages = world.answers(name="癸示範股份有限公司", place=place, people=people or f"d{place}.example", **more)
    application = world.send(made.clock, world.draft(made.clock, pages))
    return world.review(made.clock, application, made.reviewer, results)


def approve(made: world.World, application: Application, actor: world.Actor) -> Membership:
    return actions.approve(application=application, reasons=["eligible"], by=actor.subject(), at=made.clock.tick())


@pytest.mark.django_db
def test_the_approval_is_the_beginning_of_the_membership() -> None:
    made = world.build()
    rows = (("戊一資訊", world.business_number(201)), ("沒有統編的協會", ""))
    application = ready(made, 22, constituents=rows, results={"沒有統編的協會": "unverifiable"})
    membership = world.decide(made.clock, application, made.approver)
    at = made.clock.at
    organization = membership.organization
    assert membership.began_at == at
    assert queries.standing(organization.pk, at) is Standing.ACTIVE
    assert queries.standing(organization.pk, at.replace(year=2025)) is Standing.NONE
    assert dict(Constituent.objects.filter(group=organization).values_list("organization__name_zh", "screening")) == {
        "戊一資訊": "clear", "沒有統編的協會": "unverifiable",
    }  # fmt: skip
    assert Acceptance.objects.filter(organization=organization).count() == 2
    decision = Decision.objects.get(application=application)
    assert decision.reviewed_by_id == made.reviewer.person.pk
    assert decision.decided_by_id == made.approver.person.pk
    assert organization.name_zh in decision.letter_zh
    kinds = sorted(Delivery.objects.filter(created_at=at).values_list("kind", flat=True))
    assert kinds == ["N3", "invitation", "invitation", "invitation"]
    people = Person.objects.filter(affiliations__organization=organization)
    assert all(person.first_contact_at == at for person in people), "the first mail held the privacy notice"
    assert all(affiliation.started_at is None for affiliation in Affiliation.objects.filter(organization=organization))


@pytest.mark.django_db
def test_the_reviewer_a_conflicted_person_and_one_without_the_duty_cannot_approve() -> None:
    made = world.build()
    application = ready(made, 23)
    for actor in (made.reviewer, made.approver, made.analyst, made.jia.admin):
        with pytest.raises(Refusal):
            approve(made, application, actor)
    actions.declare_conflict(
        case=application, conflict=True, reason="前雇主", by=made.approver.subject(), at=made.clock.tick()
    )
    with pytest.raises(Refusal):
        approve(made, application, made.approver)
    assert world.reread(application).state == "recommended"
    assert world.decide(made.clock, application, made.approver2).state == "active"


@pytest.mark.django_db
@pytest.mark.parametrize("result", ["id_hit", "name_hit"])
def test_a_hit_stands_against_it_until_a_person_has_judged(result: str) -> None:
    made = world.build()
    pages = world.answers(name="癸示範股份有限公司", place=24, people="d24.example", constituents=(("紙船網路", ""),))
    application = world.reread(world.send(made.clock, world.draft(made.clock, pages)))
    by = made.reviewer.subject()
    actions.declare_conflict(case=application, conflict=False, by=by, at=made.clock.tick())
    actions.take_up(application=application, by=by, at=made.clock.tick())
    world.screen(made.clock, application, made.reviewer, {"紙船網路": result})

    def recommend() -> None:
        actions.recommend(application=application, what="approve", reasons=["eligible"], by=by, at=made.clock.tick())

    with pytest.raises(Refusal):
        recommend()
    row = queries.all_rows(application)[1]
    judged = actions.Finding(row.key, result, world.LIST, world.LIST_DATE, "", other_entity=True)
    with pytest.raises(Refusal, match="reason"):
        actions.record_findings(application=application, findings=[judged], by=by, at=made.clock.tick())
    judged = actions.Finding(row.key, result, world.LIST, world.LIST_DATE, "地址與負責人皆不同", other_entity=True)
    actions.record_findings(application=application, findings=[judged], by=by, at=made.clock.tick())
    if result == "name_hit":
        recommend()
    else:
        with pytest.raises(Refusal):
            recommend()


@pytest.mark.django_db
def test_a_list_that_is_too_old_does_not_count() -> None:
    made = world.build()
    application = ready(made, 25)
    made.clock.tick(days=100)
    with pytest.raises(Refusal, match="too old"):
        world.decide(made.clock, application, made.approver)


@pytest.mark.django_db
def test_a_number_with_a_membership_is_refused_and_said_in_the_queue() -> None:
    made = world.build()
    pages = world.answers(name="甲示範電子股份有限公司", place=1, people="again.example")
    application = world.send(made.clock, world.draft(made.clock, pages))
    with pytest.raises(Refusal, match="already has a membership"):
        world.review(made.clock, application, made.reviewer)
    assert "統編已有會籍" in made.client(made.reviewer).get("/staff/inbox?view=open").content.decode()


@pytest.mark.django_db
def test_after_a_revocation_the_organisation_can_come_back_and_the_gap_is_on_record() -> None:
    made = world.build()
    application = ready(made, 5, people="m5.example")
    membership = world.decide(made.clock, application, made.approver)
    assert membership.organization == made.former.organization
    assert membership.pk != made.former.membership.pk
    assert len(queries.gaps(membership.organization_id)) == 1
    assert made.former.admin.subject().standing is Standing.ACTIVE


@pytest.mark.django_db
def test_a_rejection_needs_a_coded_reason_and_a_word_for_other() -> None:
    made = world.build()
    application = ready(made, 26)
    by = made.approver.subject()
    actions.declare_conflict(case=application, conflict=False, by=by, at=made.clock.tick())
    for reasons in ([], ["nonsense"], ["other"]):
        with pytest.raises(Refusal):
            actions.reject(application=application, reasons=reasons, by=by, at=made.clock.tick())
    decision = actions.reject(
        application=application, reasons=["not_eligible"], text="尚未上市。", by=by, at=made.clock.tick()
    )
    assert "尚未上市" in decision.letter_zh
    assert Membership.objects.filter(application=application).count() == 0
    with pytest.raises(Refusal):
        approve(made, application, made.approver2)


def together(*works: Any) -> list[Any]:
    """Do these at the same time, each on a connection of its own; return results or what they raised."""
    found: list[Any] = [None] * len(works)
    barrier = threading.Barrier(len(works))

    def run(place: int) -> None:
        barrier.wait()
        try:
            found[place] = works[place]()
        except Exception as problem:
            found[place] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_membership() -> None:
    """Two approvers of one case; then two applications of one business number; then one form sent twice."""
    made = world.build()
    application = ready(made, 27)
    for actor in (made.approver, made.approver2):
        actions.declare_conflict(case=application, conflict=False, by=actor.subject(), at=made.clock.tick())
    first, second = made.approver.subject(), made.approver2.subject()
    at = made.clock.tick()

    def decide(case: Application, by: Any) -> Any:
        return lambda: actions.approve(application=case, reasons=["eligible"], by=by, at=at)

    found = together(decide(application, first), decide(application, second))
    assert sorted(type(one).__name__ for one in found) == ["Membership", "Refusal"]

    twins = [ready(made, 28, people=f"twin{n}.example") for n in (1, 2)]
    for twin, actor in zip(twins, (made.approver, made.approver2), strict=True):
        actions.declare_conflict(case=twin, conflict=False, by=actor.subject(), at=made.clock.tick())
    at = made.clock.tick()
    found = together(decide(twins[0], first), decide(twins[1], second))
    assert sorted(type(one).__name__ for one in found) == ["Membership", "Refusal"]
    assert Membership.objects.filter(ubn=world.business_number(28)).count() == 1

    pages = world.answers(name="子示範股份有限公司", place=29, people="d29.example")
    waiting = world.draft(made.clock, pages)
    found = together(*[lambda: world.send(made.clock, waiting, key="k" * 64)] * 3)
    assert {one.number for one in found} == {found[0].number}
