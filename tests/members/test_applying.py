"""Drafts, sending, corrections: nothing typed is lost, nothing is taken half, a retry is the same application."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from lianfang.audit.models import Entry
from lianfang.charter.queries import in_force
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, queries
from lianfang.members.models import Application
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Right, Subject
from tests import world

pytestmark = pytest.mark.django_db
PUBLIC = Subject.public()


def draft(made: world.World, place: int = 21, **more: Any) -> Application:
    pages = world.answers(name="癸示範股份有限公司", place=place, people=f"a{place}.example", **more)
    return world.draft(made.clock, pages)


def save(made: world.World, application: Application, step: str, **values: Any) -> bool:
    given = {**application.answers.get(step, {}), **values}
    return actions.save_step(application=application, step=step, values=given, by=PUBLIC, at=made.clock.tick())


def test_what_is_wrong_is_kept_as_it_was_typed(made: world.World) -> None:
    application = draft(made)
    assert not save(made, application, "organization", ubn="88117126")
    kept = world.reread(application)
    assert kept.answers["organization"]["ubn"] == "88117126"
    assert "organization" not in kept.steps_done
    with pytest.raises(Refusal, match="missing"):
        world.send(made.clock, kept)


def test_a_changed_roster_voids_the_attestation(made: world.World) -> None:
    application = draft(made)
    assert "attestation" in application.steps_done
    save(made, application, "roster", rows=[{"name": "新成員", "ubn": ""}])
    assert "attestation" not in world.reread(application).steps_done
    with pytest.raises(Refusal):
        world.send(made.clock, world.reread(application))
    save(made, world.reread(application), "attestation", confirmed=True)
    assert world.send(made.clock, world.reread(application)).number


def test_the_same_form_sent_twice_is_one_application(made: world.World) -> None:
    application = draft(made)
    first = world.send(made.clock, application, key="k" * 64)
    again = world.send(made.clock, application, key="k" * 64)
    assert first.number == again.number
    assert Application.objects.filter(submission_key="k" * 64).count() == 1
    with pytest.raises(Refusal, match="was sent"):
        world.send(made.clock, application, key="l" * 64)


def test_exactly_the_charter_that_was_shown_must_be_in_force(made: world.World) -> None:
    application = draft(made)
    at = made.clock.tick()
    privacy = in_force(kind="privacy", at=at)
    assert privacy is not None
    with pytest.raises(Refusal) as caught:
        actions.submit(
            application=application, key="k", values=world.REVIEW, charter_id=uuid4(), privacy_id=privacy.pk,
            by=PUBLIC, at=at,
        )  # fmt: skip
    assert caught.value.rule == "charter-version"


def test_an_unproved_address_an_unticked_box_and_an_expired_draft_are_refused(made: world.World) -> None:
    application = draft(made)
    Application.objects.filter(pk=application.pk).update(email_proved_at=None)
    with pytest.raises(Refusal, match="proves your e-mail"):
        world.send(made.clock, world.reread(application))
    actions.prove_email(application=application, by=PUBLIC, at=made.clock.tick())
    save(made, world.reread(application), "attestation", willing=False)
    with pytest.raises(Refusal, match="missing"):
        world.send(made.clock, world.reread(application))
    save(made, world.reread(application), "attestation", willing=True)
    made.clock.tick(days=31)
    with pytest.raises(Refusal, match="past the time"):
        world.send(made.clock, world.reread(application))


def test_what_people_typed_stands_sealed_in_the_database(made: world.World) -> None:
    application = world.send(made.clock, draft(made))
    with connection.cursor() as cursor:
        cursor.execute("SELECT members_application::text FROM members_application WHERE id = %s", [application.pk])
        stored = cursor.fetchone()[0]
    assert "林樣本" not in stored
    assert "a21.example" not in stored
    for entry in Entry.objects.filter(about_id=str(application.pk)):
        assert "林樣本" not in str(entry.detail)


def test_a_foreign_issuer_without_a_number_says_why(made: world.World) -> None:
    application = draft(made)
    assert not save(made, application, "organization", ubn="", ubn_absent_reason="foreign_issuer")
    ky = {"name_zh": "壬示範-KY股份有限公司", "ubn": "", "ubn_absent_reason": "foreign_issuer"}
    assert save(made, application, "organization", **ky)
    assert world.reread(application).ubn is None


def test_two_administrators_and_the_contact_are_three_people(made: world.World) -> None:
    application = draft(made)
    assert not save(made, application, "people", admin2_email="ADMIN1@a21.example")


def test_an_identity_number_is_refused_wherever_it_is_typed(made: world.World) -> None:
    application = draft(made)
    assert not save(made, application, "organization", responsible="許擬名A123456789")


def test_corrections_change_what_was_asked_for_and_nothing_else(made: world.World) -> None:
    application = world.send(made.clock, draft(made))
    by = made.reviewer.subject()
    actions.declare_conflict(case=application, conflict=False, by=by, at=made.clock.tick())
    actions.take_up(application=application, by=by, at=made.clock.tick())
    items = [{"step": "organization", "field": "address", "message": "樓層"}]
    (item,) = actions.request_correction(application=application, items=items, by=by, at=made.clock.tick())
    link = Subject.link(
        case=application.number or "", rights=frozenset({Right.ANSWER_CORRECTION}), expires_at=made.clock.tick(days=1)
    )

    def answer(changes: dict[str, dict[str, Any]], words: str = "") -> None:
        actions.answer_corrections(
            application=application, answers={item.pk: words}, changes=changes, by=link, at=made.clock.tick()
        )

    with pytest.raises(Refusal, match="No correction was asked"):
        answer({"organization": {"name_zh": "別人"}}, "好")
    with pytest.raises(Refusal, match="not answered"):
        answer({})
    upload = read_upload(name="x.pdf", content=world.PDF, field="registration")
    with pytest.raises(Refusal, match="No correction was asked"):
        actions.add_attachment(
            application=application, proof="registration", upload=upload, by=link, at=made.clock.tick()
        )
    answer({"organization": {"address": "示範市測試路1號9樓"}})
    kept = world.reread(application)
    assert kept.state == "under_review"
    assert kept.answers["organization"]["address"].endswith("9樓")
    assert kept.submitted_form["answers"]["organization"]["address"] == "示範市測試路1號"
    assert queries.corrections(kept)[0].old_value == "示範市測試路1號"


def test_a_corrected_roster_has_to_be_attested_and_screened_again(made: world.World) -> None:
    application = world.send(made.clock, draft(made))
    by = made.reviewer.subject()
    actions.declare_conflict(case=application, conflict=False, by=by, at=made.clock.tick())
    actions.take_up(application=application, by=by, at=made.clock.tick())
    world.screen(made.clock, application, made.reviewer)
    items = [{"step": "roster", "field": "rows", "message": "補列子公司"}]
    actions.request_correction(application=application, items=items, by=by, at=made.clock.tick())
    browser = Client(HTTP_HOST="localhost")
    page = f"/apply/case/{application.secret}/corrections"
    assert browser.post(page, {"rows": "新成員\n"}).status_code == 422, "the attestation is missing"
    assert browser.post(page, {"rows": "新成員\n", "confirmed": "on"}).status_code == 302
    kept = world.reread(application)
    assert kept.attestations.count() == 2
    assert queries.readiness(kept, made.clock.at).screened == 1
    with pytest.raises(Refusal, match="no screening finding"):
        actions.recommend(application=kept, what="approve", reasons=["eligible"], by=by, at=made.clock.tick())


def test_a_draft_is_nobody_elses(made: world.World) -> None:
    application = draft(made)
    stranger = Client(HTTP_HOST="localhost")
    assert stranger.get("/apply/step/people")["Location"] == "/apply"
    assert stranger.get(f"/apply/resume/{'x' * 43}").status_code == 404
    assert stranger.get(f"/apply/case/{application.secret}").status_code == 404
    sent = world.send(made.clock, application)
    assert stranger.get(f"/apply/receipt/{sent.number}").status_code == 404
    assert stranger.get(f"/apply/resume/{sent.secret}")["Location"].startswith("/apply/case/")


def test_one_address_does_not_get_many_mails(made: world.World) -> None:
    browser = Client(HTTP_HOST="localhost")
    answers = []
    for _turn in range(8):
        browser.cookies.clear()
        answers.append(browser.post("/apply", {"kind": "twse", "email": "victim@v.example"}).status_code)
    assert answers.count(302) == 6
    assert answers[-1] == 422


def test_hostile_posts_are_refused_and_never_an_error(made: world.World) -> None:
    application = draft(made)
    browser = Client(HTTP_HOST="localhost")
    browser.post(f"/apply/resume/{application.secret}")
    for step in ("organization", "roster", "people", "attestation", "attachments", "review"):
        junk = dict.fromkeys(("name_zh", "rows", "admin1_email", "key", "remove", "x"), "\x00'\"<script>\ud7ff" * 50)
        answer = browser.post(f"/apply/step/{step}", junk)
        assert answer.status_code in (302, 422), step
        assert b"<script>\xed" not in answer.content
    assert browser.post("/apply/step/nothing").status_code == 404
