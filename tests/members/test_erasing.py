"""A draft whose time is over is erased, whole, at its instant and not before; its link says what was kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, tasks
from lianfang.members.models import Application
from lianfang.outbox.actions import claim
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from lianfang.vault.models import StoredFile
from lianfang.vault.sealing import Shredded
from tests import world

pytestmark = pytest.mark.django_db
JOB = Subject.system("members.erase_drafts")
MICROSECOND = timedelta(microseconds=1)
TYPED = "許擬名", "林樣本", "02-0000-0000#12", "董事長", "apply@old.example"


@pytest.fixture
def made() -> world.World:
    return world.build()


def old_draft(*, before: timedelta = timedelta(days=60)) -> Application:
    """A draft of long ago, by any clock: complete, with a file."""
    pages = world.answers(name="癸示範股份有限公司", place=22, people="old.example")
    return world.draft(world.Clock(world.BEGIN - before), pages)


def test_erased_at_its_instant_and_not_before(made: world.World) -> None:
    first, second, third = (old_draft() for _ in range(3))
    for application, moved in ((first, -MICROSECOND), (second, timedelta(0)), (third, MICROSECOND)):
        at = application.expires_at + moved
        if moved < timedelta(0):
            actions.save_step(application=application, step="people", values={}, by=Subject.public(), at=at)
            at = world.reread(application).expires_at - MICROSECOND
            with pytest.raises(Refusal, match="kept for some time"):
                actions.erase_draft(application_id=application.pk, by=JOB, at=at)
            continue
        with pytest.raises(Refusal, match="past the time"):
            actions.save_step(application=application, step="people", values={}, by=Subject.public(), at=at)
        with pytest.raises(Refusal, match="past the time"):
            actions.prove_email(application=application, by=Subject.public(), at=at)
        actions.erase_draft(application_id=application.pk, by=JOB, at=at)
    assert [world.reread(one).state for one in (first, second, third)] == ["draft", "expired", "expired"]


def test_the_job_takes_what_is_due_and_nothing_else(made: world.World) -> None:
    due, saved, sent = old_draft(), old_draft(), made.applicant
    actions.save_step(
        application=saved, step="people", values={}, by=Subject.public(), at=saved.expires_at - MICROSECOND
    )
    at = due.expires_at
    assert actions.erase_expired_drafts(by=JOB, at=at - MICROSECOND) == 0
    assert actions.erase_expired_drafts(by=JOB, at=at) == 1
    assert actions.erase_expired_drafts(by=JOB, at=at + MICROSECOND) == 0
    assert [world.reread(one).state for one in (due, saved, sent)] == ["expired", "draft", "submitted"]
    with pytest.raises(Refusal):
        actions.erase_draft(application_id=sent.pk, by=JOB, at=made.clock.tick(days=400))
    entry = Entry.objects.get(about_id=str(due.pk), tag="members:application:erase")
    assert (entry.actor, entry.detail) == ("system:members.erase_drafts", {"files": 1, "pages": 5})


def test_nothing_that_was_typed_is_left(made: world.World) -> None:
    application = old_draft()
    held = [(each.pk, Path(each.file.path)) for each in application.attachments.select_related("file")]
    assert all(path.exists() for _, path in held)
    mail = Delivery.objects.get(kind="email_proof", vault_key=application.vault_key)
    tasks.erase_drafts(0)
    after = Application.objects.select_related("vault_key").get(pk=application.pk)
    assert (after.state, after.name_zh, after.name_en, after.ubn, after.kind) == ("expired", "", "", None, "")
    with pytest.raises(Shredded, match="destroyed"):
        after.vault_key.open()
    assert not after.attachments.exists()
    assert not StoredFile.objects.filter(vault_key=after.vault_key).exists()
    assert not any(path.exists() for _, path in held)
    reread = Delivery.objects.select_related("vault_key").get(pk=mail.pk)
    assert not any(word in reread.to + reread.body_text for word in (*TYPED, application.secret))
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM members_application a WHERE id = %s", [after.pk])
        (row,) = cursor.fetchone()
    assert not any(word in row for word in ("癸示範", *TYPED))


def test_a_mail_that_still_waits_is_not_sent(made: world.World) -> None:
    application = old_draft()
    actions.erase_draft(application_id=application.pk, by=JOB, at=application.expires_at)
    Delivery.objects.exclude(vault_key=application.vault_key).filter(state="queued").delete()
    assert claim(at=application.expires_at).state == "withheld"


def test_the_link_says_what_was_kept_and_until_when(made: world.World) -> None:
    application = old_draft()
    words = {
        "zh-hant": ("保留到", "保存了7頁中的5頁，以及1個檔案", "很快就會刪除", "全部刪除"),
        "en": ("kept until", "5 of 7 pages and 1 files", "is erased shortly", "was erased on"),
    }
    link = f"/apply/resume/{application.secret}"
    for erased in (False, True):
        for language, (until, kept, soon, gone) in words.items():
            browser = Client(HTTP_HOST="localhost")
            browser.cookies["language"] = language
            for answer in (browser.get(link), browser.post(link)):
                page = " ".join(answer.content.decode().split())
                assert answer.status_code == 410
                assert until in page
                assert kept in page
                assert (gone if erased else soon) in page
                assert (soon if erased else gone) not in page
                assert not any(word in page for word in ("癸示範", *TYPED))
            assert browser.get("/apply/step/people")["Location"] == "/apply"
            assert browser.get(f"/apply/case/{application.secret}").status_code == 404
        tasks.erase_drafts(0)
