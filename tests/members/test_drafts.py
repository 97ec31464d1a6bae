"""A draft: begun, saved page by page, proved by mail, changed, sent once; what applicants rely on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.charter.queries import in_force
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, procedure, queries
from lianfang.members.models import Application, Procedure
from lianfang.members.uploads import read as read_upload
from tests import world
from tests.members.cases import PUBLIC, Ledger, draft, mails, sent

FIRST = {"kind": "twse", "email": "apply@begin.example"}


def start(made: world.World, **more: Any) -> Application:
    return actions.start(values={**FIRST, **more}, language="zh-hant", by=PUBLIC, at=made.clock.tick())


def save(made: world.World, application: Application, step: str, **values: Any) -> bool:
    given = {**world.reread(application).answers.get(step, {}), **values}
    return actions.save_step(application=application, step=step, values=given, by=PUBLIC, at=made.clock.tick())


def rule(caught: pytest.ExceptionInfo[Refusal]) -> tuple[str, str]:
    return str(caught.value.rule), str(caught.value.field or "")


# Beginning


def test_the_first_page_begins_a_draft_and_mails_its_link(made: world.World) -> None:
    with Ledger() as ledger:
        application = start(made, email=" Apply@Begin.EXAMPLE ")
    kept = world.reread(application)
    assert (kept.state, kept.number, kept.email) == ("draft", None, "apply@begin.example")
    assert kept.email_proved_at is None
    assert kept.steps_done == ["eligibility"]
    assert kept.expires_at - kept.saved_at == timedelta(days=30)
    assert ledger.tags()[0] == "members:application:start"
    (mail,) = mails("apply@begin.example")
    assert mail.kind == "email_proof"
    assert f"/apply/resume/{kept.secret}" in mail.body_text
    assert kept.secret not in mail.subject


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"kind": "emerging"}, "kind"), ({"kind": ""}, "kind"), ({"email": "nobody"}, "email"), ({"email": ""}, "email")],
)
def test_a_first_page_that_is_wrong_begins_nothing(made: world.World, wrong: dict[str, str], field: str) -> None:
    before = Application.objects.count()
    with pytest.raises(Refusal) as caught:
        start(made, **wrong)
    assert rule(caught) == ("application-field", field)
    assert Application.objects.count() == before
    assert mails("apply@begin.example") == []


def test_two_drafts_of_one_address_are_two_with_secrets_of_their_own(made: world.World) -> None:
    one, two = start(made), start(made)
    assert one.pk != two.pk
    assert one.secret != two.secret
    assert queries.application_by_secret(one.secret) == one
    assert queries.application_by_secret(two.secret + "x") is None
    assert queries.application_by_secret("") is None
    assert queries.application_by_id("no id") is None


def test_a_case_keeps_the_edition_under_which_it_was_begun(made: world.World) -> None:
    old = start(made)
    spec = procedure.shipped(1)
    spec["steps"][1]["fields"] = [*spec["steps"][1]["fields"], {
        "name": "website", "type": "text", "required": True, "label": {"zh": "網站", "en": "Website"},
    }]  # fmt: skip
    at = made.clock.tick()
    with transaction.atomic():

        @action(Tag.MEMBERS_APPLICATION_SAVE)
        def publish() -> None:
            edition = Procedure.objects.create(
                version=2, spec=spec, sha256=procedure.sha256(spec), effective_at=at, created_at=at
            )
            record(by=world.SYSTEM, at=at, about=edition)

        publish()
    new = start(made, email="other@begin.example")
    assert queries.procedure_in_force(at - timedelta(microseconds=1)).version == 1
    assert queries.procedure_in_force(at).version == 2
    assert [world.reread(one).procedure.version for one in (old, new)] == [1, 2]
    given = world.answers(name="癸示範股份有限公司", place=20, people="x.example")["organization"]
    assert save(made, old, "organization", **given)
    assert not save(made, new, "organization", **given), "the new question is not answered"
    assert save(made, new, "organization", **given, website="https://癸.example")


# Saving


def test_a_page_saved_half_is_kept_and_waits(made: world.World) -> None:
    application = start(made)
    assert not save(made, application, "organization", name_zh="只有名稱")
    kept = world.reread(application)
    assert kept.answers["organization"] == {"name_zh": "只有名稱"}
    assert kept.name_zh == "只有名稱"
    assert kept.steps_done == ["eligibility"]
    with pytest.raises(KeyError):
        save(made, application, "nothing")


def test_pages_can_be_filled_in_in_any_order(made: world.World) -> None:
    application = start(made)
    pages = world.answers(name="癸示範股份有限公司", place=22, people="a22.example")
    for step in ("people", "roster", "organization", "attestation"):
        assert save(made, application, step, **pages[step]), step
    assert world.reread(application).steps_done == ["eligibility", "organization", "roster", "people", "attestation"]


def test_an_attestation_given_before_the_organisation_is_named_covers_nothing(made: world.World) -> None:
    application = start(made)
    pages = world.answers(name="癸示範股份有限公司", place=22, people="a22.example")
    save(made, application, "attestation", **pages["attestation"])
    save(made, application, "organization", **pages["organization"])
    assert "attestation" not in world.reread(application).steps_done


def test_every_save_moves_the_day_until_which_a_draft_is_kept(made: world.World) -> None:
    application = draft(made)
    made.clock.tick(days=29)
    save(made, application, "people")
    kept = world.reread(application)
    assert kept.expires_at == kept.saved_at + timedelta(days=30)
    made.clock.at = kept.expires_at - timedelta(seconds=1) - timedelta(microseconds=1)
    save(made, application, "people")
    made.clock.at = world.reread(application).expires_at - timedelta(seconds=1)
    with pytest.raises(Refusal) as caught:
        save(made, application, "people")
    assert rule(caught) == ("application-expired", "")


def test_an_expired_draft_takes_no_file_no_link_and_is_not_sent(made: world.World) -> None:
    application = draft(made)
    made.clock.at = application.expires_at
    upload = read_upload(name="x.pdf", content=world.PDF, field="registration")
    for act in (
        lambda: actions.add_attachment(
            application=application, proof="registration", upload=upload, by=PUBLIC, at=made.clock.at
        ),
        lambda: actions.send_link(application=application, by=PUBLIC, at=made.clock.at),
        lambda: world.send(made.clock, application),
    ):
        with pytest.raises(Refusal, match="past the time"):
            act()


def test_going_back_to_another_kind_voids_the_pages_that_depend_on_it(made: world.World) -> None:
    application = draft(made)
    assert "organization" in application.steps_done
    assert save(made, application, "eligibility", kind="association")
    kept = world.reread(application)
    assert kept.kind == "association"
    assert "organization" not in kept.steps_done
    assert kept.answers["organization"]["stock_code"], "what was typed is kept"
    with pytest.raises(Refusal, match="2 items"):
        world.send(made.clock, kept)
    assert save(made, application, "organization", certificate_number="示社字第1號", authority="示範市政府")
    assert world.send(made.clock, world.reread(application)).kind == "association"


@pytest.mark.parametrize("changed", [{"name_zh": "改名股份有限公司"}, {"ubn": world.business_number(77)}])
def test_another_name_or_number_voids_the_attestation(made: world.World, changed: dict[str, str]) -> None:
    application = draft(made)
    before = application.roster_hash
    save(made, application, "organization", **changed)
    kept = world.reread(application)
    assert kept.roster_hash != before
    assert kept.roster_changed_at == made.clock.at
    assert "attestation" not in kept.steps_done
    assert save(made, application, "attestation")
    assert world.reread(application).answers["attestation"]["roster_hash"] == kept.roster_hash


def test_another_address_of_people_leaves_the_attestation_alone(made: world.World) -> None:
    application = draft(made)
    save(made, application, "people", contact_email="other@a21.example")
    assert "attestation" in world.reread(application).steps_done


def test_the_fingerprint_of_an_attestation_is_ours_and_not_what_was_posted(made: world.World) -> None:
    application = draft(made)
    save(made, application, "attestation", roster_hash="f" * 64)
    assert world.reread(application).answers["attestation"]["roster_hash"] == world.reread(application).roster_hash
    save(made, application, "attestation", confirmed=False, roster_hash=application.roster_hash)
    assert world.reread(application).answers["attestation"]["roster_hash"] == ""


def test_the_applicant_entered_into_its_own_roster_before_it_named_itself_is_found(made: world.World) -> None:
    application = start(made)
    pages = world.answers(name="癸示範股份有限公司", place=23, people="a23.example")
    own = {"name": "癸示範", "ubn": pages["organization"]["ubn"]}
    assert save(made, application, "roster", typed="", rows=[own])
    save(made, application, "organization", **pages["organization"])
    assert "roster" not in world.reread(application).steps_done
    assert [one.step for one in queries.missing_of(world.reread(application)) if one.step == "roster"] == ["roster"]


# The address


def test_another_address_has_to_be_proved_and_the_first_link_opens_nothing(made: world.World) -> None:
    application = draft(made)
    before = application.secret
    assert application.email_proved_at is not None
    assert save(made, application, "eligibility", email="Right@a21.example")
    kept = world.reread(application)
    assert (kept.email, kept.email_proved_at) == ("right@a21.example", None)
    assert queries.application_by_secret(before) is None, "who reads the other mailbox has no way in"
    assert queries.application_by_secret(kept.secret) == application
    (mail,) = mails("right@a21.example")
    assert kept.secret in mail.body_text
    with pytest.raises(Refusal, match="proves your e-mail"):
        world.send(made.clock, kept)
    actions.prove_email(application=kept, by=PUBLIC, at=made.clock.tick())
    assert world.send(made.clock, world.reread(kept)).email == "right@a21.example"


@pytest.mark.parametrize("address", ["APPLY@a21.example ", "nobody", ""])
def test_the_same_address_or_one_that_is_wrong_moves_nothing(made: world.World, address: str) -> None:
    application = draft(made)
    before = len(mails())
    save(made, application, "eligibility", email=address)
    kept = world.reread(application)
    assert (kept.email, kept.secret) == (application.email, application.secret)
    assert kept.email_proved_at == application.email_proved_at
    assert len(mails()) == before


def test_proving_twice_keeps_the_first_instant(made: world.World) -> None:
    application = start(made)
    actions.prove_email(application=application, by=PUBLIC, at=(first := made.clock.tick()))
    actions.prove_email(application=application, by=PUBLIC, at=made.clock.tick())
    assert world.reread(application).email_proved_at == first


def test_the_link_is_mailed_again_to_the_drafts_own_address(made: world.World) -> None:
    application = start(made)
    with Ledger() as ledger:
        actions.send_link(application=application, by=PUBLIC, at=made.clock.tick())
    assert "members:application:link" in ledger.tags()
    assert [application.secret in mail.body_text for mail in mails("apply@begin.example")] == [True, True]


# Files


def attach(made: world.World, application: Application, content: bytes, proof: str = "registration") -> Any:
    upload = read_upload(name="證明.pdf", content=content, field=proof)
    return actions.add_attachment(application=application, proof=proof, upload=upload, by=PUBLIC, at=made.clock.tick())


def test_the_same_content_twice_is_one_file_and_after_removal_a_new_one(made: world.World) -> None:
    application = draft(made)
    (there,) = queries.files(application)
    assert attach(made, application, world.PDF).pk == there.pk
    actions.remove_attachment(application=application, attachment_id=there.pk, by=PUBLIC, at=made.clock.tick())
    actions.remove_attachment(application=application, attachment_id=there.pk, by=PUBLIC, at=made.clock.tick())
    assert queries.files(application) == []
    assert queries.file_counts(application) == {}
    assert attach(made, application, world.PDF).pk != there.pk
    assert application.attachments.count() == 2, "what was taken away stays on record"


def test_more_files_than_the_form_allows_are_refused_and_nothing_is_lost(made: world.World) -> None:
    application = draft(made)
    for turn in range(4):
        attach(made, application, world.PDF + b"\n" * turn + b"%%EOF\n")
    with pytest.raises(Refusal) as caught:
        attach(made, application, world.PDF + b"x%%EOF\n")
    assert rule(caught) == ("attachment-count", "registration")
    assert queries.file_counts(application) == {"registration": 5}
    assert attach(made, application, world.PDF, "other_file").proof == "other_file"


def test_a_proof_that_the_form_does_not_know_is_no_place_for_a_file(made: world.World) -> None:
    with pytest.raises(KeyError):
        attach(made, draft(made), world.PDF, "nothing")


def test_a_file_is_read_back_as_it_was_and_lies_sealed(made: world.World) -> None:
    content = world.PDF + "許擬名的登記".encode() + b"%%EOF\n"
    application = draft(made)
    attachment = attach(made, application, content)
    assert b"".join(attachment.file.open()) == content
    assert bytes(attachment.sha256).hex()
    assert attachment.filename == "證明.pdf"
    assert attachment.size == len(content)


def test_removing_a_file_of_another_draft_does_nothing(made: world.World) -> None:
    mine, other = draft(made), draft(made, 24)
    (there,) = queries.files(other)
    actions.remove_attachment(application=mine, attachment_id=there.pk, by=PUBLIC, at=made.clock.tick())
    assert queries.files(other) == [there]


# Sending


def test_what_is_sent_is_numbered_stamped_and_kept_as_it_was(made: world.World) -> None:
    application = draft(made, constituents=(("戊二資訊", ""),))
    with Ledger() as ledger:
        result = world.reread(world.send(made.clock, application))
    at = made.clock.at
    assert result.number == f"A-2026-{int(made.applicant.number.rsplit('-')[-1]) + 1:04d}"
    assert (result.state, result.submitted_at) == ("submitted", at)
    assert result.submitted_form["answers"]["organization"]["name_zh"] == "癸示範股份有限公司"
    assert [file["proof"] for file in result.submitted_form["files"]] == ["registration"]
    assert result.charter == in_force(kind="charter", at=at)
    assert result.privacy_notice == in_force(kind="privacy", at=at)
    (attestation,) = result.attestations.all()
    assert attestation.roster_hash == result.roster_hash
    assert (attestation.name, attestation.title, attestation.ground) == ("許擬名", "董事長", "responsible_person")
    assert attestation.charter == result.charter
    (entry,) = ledger.entries("members:application:submit")
    assert entry.detail["form"] == bytes(result.submitted_sha256).hex()
    assert entry.detail["roster"] == result.roster_hash
    assert "許擬名" not in str(entry.detail)
    (receipt,) = mails("apply@a21.example", "N1")
    assert result.number in receipt.body_text
    assert f"/apply/case/{result.secret}" in receipt.body_text


def test_the_clock_of_the_review_ends_with_the_last_second_of_a_day_of_taipei(made: world.World) -> None:
    due = sent(made).due_at
    assert due is not None
    assert (due + timedelta(hours=8)).strftime("%H:%M:%S") == "23:59:59"
    assert timedelta(days=30) <= due - made.clock.at <= timedelta(days=40)


def test_numbers_follow_one_another_without_holes(made: world.World) -> None:
    numbers = []
    for place in (25, 26):
        numbers.append(int(sent(made, place).number.rsplit("-")[-1]))
        with pytest.raises(Refusal), transaction.atomic():
            world.send(made.clock, draft(made, place + 50, name=""))
    assert numbers[1] == numbers[0] + 1


def test_the_year_of_a_number_is_that_of_taipei(made: world.World) -> None:
    drafts = [draft(made, place) for place in (27, 28)]
    Application.objects.filter(pk__in=[one.pk for one in drafts]).update(expires_at=made.clock.at + timedelta(days=99))
    made.clock.at = datetime(2026, 12, 31, 15, 59, 58, tzinfo=UTC)
    numbers = [str(world.send(made.clock, world.reread(one)).number) for one in drafts]
    assert made.clock.at == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert numbers[0].startswith("A-2026-")
    assert numbers[1] == "A-2027-0001"


def test_whoever_objects_to_the_electronic_form_is_taken_in_and_marked(made: world.World) -> None:
    application = draft(made)
    at = made.clock.tick()
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    assert charter
    assert privacy
    result = actions.submit(
        application=application, key="object", values={**world.REVIEW, "electronic": "object"}, charter_id=charter.pk,
        privacy_id=privacy.pk, by=PUBLIC, at=at,
    )  # fmt: skip
    assert result.objects_to_electronic_form


@pytest.mark.parametrize("values", [{"accept_charter": False}, {"accept_privacy": False}, {"electronic": ""}])
def test_every_tick_of_the_last_page_is_needed(made: world.World, values: dict[str, Any]) -> None:
    application = draft(made)
    at = made.clock.tick()
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    assert charter
    assert privacy
    with pytest.raises(Refusal, match="1 items"):
        actions.submit(
            application=application, key="k", values={**world.REVIEW, **values}, charter_id=charter.pk,
            privacy_id=privacy.pk, by=PUBLIC, at=at,
        )  # fmt: skip
    assert world.reread(application).state == "draft"
    assert mails("apply@a21.example", "N1") == []


def test_before_any_charter_is_in_force_nothing_can_be_sent(made: world.World) -> None:
    application = draft(made)
    early = made.clock.at.replace(year=2020)
    with pytest.raises(Refusal) as caught:
        actions.submit(
            application=application, key="k", values=world.REVIEW, charter_id=uuid4(), privacy_id=uuid4(), by=PUBLIC,
            at=early,
        )  # fmt: skip
    assert rule(caught) == ("charter-in-force", "")


def test_after_sending_the_form_is_closed(made: world.World) -> None:
    application = sent(made)
    with pytest.raises(Refusal, match="was sent"):
        save(made, application, "organization", address="別處")
    with pytest.raises(Refusal, match="was sent"):
        attach(made, application, world.PDF + b"2%%EOF\n")
    with pytest.raises(Refusal, match="was sent"):
        actions.send_link(application=application, by=PUBLIC, at=made.clock.tick())


def test_one_key_is_one_application_and_never_anothers(made: world.World) -> None:
    one, two = draft(made, 29), draft(made, 30)
    first = world.send(made.clock, one, key="k" * 64)
    with Ledger() as ledger:
        assert world.send(made.clock, one, key="k" * 64).number == first.number
    (entry,) = ledger.entries()
    assert entry.detail == {"again": True}
    assert len(mails("apply@a29.example", "N1")) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        world.send(made.clock, two, key="k" * 64)
    assert world.reread(two).state == "draft"


def test_applications_of_one_number_are_shown_beside_one_another(made: world.World) -> None:
    one, two = sent(made, 31, people="one.example"), sent(made, 31, people="two.example")
    other = sent(made, 32)
    assert queries.twins(one) == [two]
    assert queries.twins(two) == [one]
    assert queries.twins(other) == []
    ky = {"name": "壬示範-KY股份有限公司"}
    for place in (33, 34):
        application = draft(made, place, **ky)
        save(made, application, "organization", ubn="", ubn_absent_reason="foreign_issuer")
        assert queries.twins(world.reread(application)) == [], "without a number nothing is compared"


def test_a_withdrawn_application_is_closed_and_frees_nothing_else(made: world.World) -> None:
    application = sent(made)
    with Ledger() as ledger:
        actions.withdraw(application=application, by=PUBLIC, at=made.clock.tick())
    assert ledger.tags() == ["members:application:withdraw"]
    kept = world.reread(application)
    assert (kept.state, kept.decided_at) == ("withdrawn", made.clock.at)
    with pytest.raises(Refusal, match="not possible"):
        actions.withdraw(application=application, by=PUBLIC, at=made.clock.tick())
    with pytest.raises(Refusal, match="was sent"):
        world.send(made.clock, application, key="another")


def test_a_draft_cannot_be_withdrawn_nor_messages_be_empty(made: world.World) -> None:
    with pytest.raises(Refusal):
        actions.withdraw(application=draft(made), by=PUBLIC, at=made.clock.tick())
    with pytest.raises(Refusal) as caught:
        actions.write_to_staff(application=sent(made, 35), text=" \n", by=PUBLIC, at=made.clock.tick())
    assert rule(caught) == ("note-text", "text")


def test_a_message_of_the_applicant_is_cut_and_kept_sealed(made: world.World) -> None:
    application = sent(made)
    with Ledger() as ledger:
        actions.write_to_staff(application=application, text="字" * 9000, by=PUBLIC, at=made.clock.tick())
    (note,) = queries.notes(application.number or "")
    assert (len(note.text), note.to_applicant, note.by) == (4000, True, None)
    (entry,) = ledger.entries()
    assert "字" not in str(entry.detail)
