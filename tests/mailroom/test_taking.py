"""A mail is taken once, sealed, laid where it belongs, and decides nothing."""

from __future__ import annotations

import pytest
from django.db import connection

from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.mailroom import actions, queries
from lianfang.mailroom.models import Mail, Placement
from lianfang.members import actions as members
from lianfang.members import contact_queries
from lianfang.members.models import CaseEvent, Decision
from lianfang.outbox.lifecycle import DELIVERY
from lianfang.outbox.models import Delivery
from lianfang.outbox.reply import case_address
from lianfang.vault.models import StoredFile
from tests import world
from tests.mailroom import mails

pytestmark = pytest.mark.django_db


def take(made: world.World, raw: bytes) -> Mail:
    return actions.take(raw=raw, at=made.clock.tick())


def again(mail: Mail) -> Mail:
    found = queries.mail(mail.pk)
    assert found is not None
    return found


def test_a_mail_to_a_case_is_sealed_lies_with_it_and_changes_nothing_else(made: world.World) -> None:
    case = made.revocation
    before = (case.state, Decision.objects.count(), CaseEvent.objects.filter(case=case.number).count())
    raw = mails.mail(to=case_address(case.number), sender=made.former.admin.person.email, text="我同意，請撤案。",
                     files=(("函.pdf", mails.PDF),))  # fmt: skip
    mail = again(take(made, raw))
    assert (mail.state, mail.kind, mail.route) == ("placed", "mail", "case")
    assert mail.known_person_id == made.former.admin.person.pk
    (placed,) = queries.of_case(case.number)
    assert placed.by_id is None
    assert [one.case for one in queries.unread()] == [case.number]
    assert mail.raw is not None
    assert mail.raw.open().read() == raw
    (file,) = mail.files.all()
    assert (file.filename, file.media_type, file.file.open().read()) == ("函.pdf", "application/pdf", mails.PDF)
    case.refresh_from_db()
    assert (case.state, Decision.objects.count(), CaseEvent.objects.filter(case=case.number).count()) == before
    # Nothing of what its sender wrote stands in the database or on the disk in clear.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(m)::text || coalesce((SELECT row_to_json(f)::text FROM mailroom_mailfile f"
            " WHERE f.mail_id = m.id LIMIT 1), '') FROM mailroom_mail m WHERE m.id = %s",
            [mail.pk],
        )
        (row,) = cursor.fetchone()
    for said in ("請撤案", "請教一件事", made.former.admin.person.email, "函.pdf"):
        assert said not in row
        assert said.encode().hex() not in row
    with open(mail.raw.path, "rb") as sealed:
        assert b"From:" not in sealed.read()
    entry = Entry.objects.filter(tag="mailroom:mail:take").order_by("-id")[0]
    assert entry.detail["cases"] == [case.number]
    assert entry.actor == "system:mailroom"


def test_the_same_mail_is_one_however_often_and_by_whatever_way_it_comes(made: world.World) -> None:
    first, second = made.revocation.number, made.applicant.number or ""
    raw = mails.mail(to=case_address(first))
    mail = take(made, raw)
    for copy in (raw, mails.copied(raw), mails.copied(raw, "elsewhere.example")):
        assert take(made, copy).pk == mail.pk
    assert (Mail.objects.count(), Placement.objects.count()) == (1, 1)
    # A blind copy to another case comes as the same mail by another address.
    take(made, f"Delivered-To: {case_address(second)}\r\n".encode() + raw)
    assert Mail.objects.count() == 1
    assert {one.case for one in again(mail).placements.all()} == {first, second}
    # The same Message-ID over other words is another mail: nobody hides one by naming the other.
    assert take(made, mails.mail(to=case_address(first), text="別的內容")).pk != mail.pk


def test_strangers_and_unreadable_mails_wait_for_people_and_keep_every_byte(made: world.World) -> None:
    stranger = take(made, mails.mail())
    assert (stranger.state, stranger.route, stranger.known_person_id) == ("triage", "", None)
    for raw in (b"", b"\x00" * 500, b"\xff\xfe" * 100, mails.nested(400), b"To: " + b"a" * 300_000):
        kept = again(take(made, raw))
        assert kept.state == "triage"
        assert kept.raw is not None
        assert kept.raw.open().read() == raw
    large = actions.take_head(head=b"Subject: huge\r\nFrom: a@b.example\r\n\r\n", size=70_000_000, at=made.clock.tick())
    assert (large.kind, large.state, large.subject, large.raw_id) == ("raw", "triage", "huge", None)
    assert queries.waiting_count() == 7


def test_a_case_gets_no_flood(made: world.World) -> None:
    number = made.revocation.number
    for count in range(31):
        last = take(made, mails.mail(to=case_address(number), message_id=f"<{count}@x.example>"))
    assert len(queries.of_case(number)) == 30
    assert (last.state, last.faults) == ("triage", ["case_full"])
    made.clock.tick(days=1, seconds=1)
    assert take(made, mails.mail(to=case_address(number), message_id="<late@x.example>")).state == "placed"


def test_a_program_that_answers_and_our_own_mail_are_kept_and_wake_nobody(made: world.World) -> None:
    number = made.revocation.number
    auto = take(made, mails.mail(to=case_address(number), Auto_Submitted="auto-replied"))
    assert (auto.kind, auto.state) == ("auto", "noted")
    assert [one.case for one in again(auto).placements.all()] == [number]
    assert queries.unread() == []
    own = Delivery.objects.filter(kind="N9")[0]
    loop = take(made, mails.mail(to=case_address(number), message_id=own.message_id, sender="x@outside.example"))
    forged = take(made, mails.mail(sender="notice@lianfang.example", message_id="<f@x.example>"))
    assert [(one.kind, one.state) for one in (loop, forged)] == [("loop", "noted")] * 2
    assert queries.waiting_count() == 0


def sent(kind: str) -> Delivery:
    found = Delivery.objects.select_related("vault_key").filter(kind=kind)[0]
    if found.state == "queued":
        DELIVERY.move(found, "claim")
        DELIVERY.move(found, "send")
        Delivery.objects.filter(pk=found.pk).update(state="sent")
    return found


def test_a_mail_that_came_back_marks_the_address_and_makes_a_task(made: world.World) -> None:
    delivery = sent("N9")
    identity = delivery.message_id.strip("<>")
    # What a stranger makes up, or says of somebody else's address, changes nothing.
    for forged in (
        mails.bounce(
            message_id="8a5b8d1e-0000-4000-8000-000000000000@lianfang.example", recipient=delivery.to, own="a"
        ),
        mails.bounce(message_id=identity, recipient="other@outside.example", own="b"),
        mails.bounce(message_id=identity.replace("lianfang", "evil"), recipient=delivery.to, own="c"),
    ):
        assert take(made, forged).bounced_id is None
    late = take(
        made, mails.bounce(message_id=identity, recipient=delivery.to, status="4.4.7", action="delayed", own="d")
    )
    assert late.state == "noted"
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    mail = take(made, mails.bounce(message_id=identity, recipient=delivery.to.upper(), own="e"))
    delivery.refresh_from_db()
    assert (mail.kind, mail.state, mail.bounced_id, delivery.state) == ("bounce", "triage", delivery.pk, "failed")
    assert [one.bounced_person_id for one in queries.bounced()] == [delivery.person_id]
    page = made.client(made.auditor).get("/staff/contacts").content.decode()
    assert "信件退回的地址" in page
    assert delivery.to in page
    # A second report of the same changes nothing, and settling it takes the mark away.
    take(made, mails.bounce(message_id=identity, recipient=delivery.to, own="f"))
    for one in Mail.objects.filter(bounced=delivery, state="triage"):
        actions.settle(mail=one, why="已電話更正", by=made.reviewer.subject(), at=made.clock.tick())
    assert queries.bounced() == []
    assert "信件退回的地址" not in made.client(made.auditor).get("/staff/contacts").content.decode()


def test_a_question_to_a_contact_that_came_back_becomes_its_task(made: world.World) -> None:
    check = members.ask_contact(person=made.jia.admin.person, by=world.SYSTEM, at=made.clock.tick())
    assert check is not None
    delivery = sent("N21")
    take(made, mails.bounce(message_id=delivery.message_id.strip("<>"), recipient=delivery.to))
    assert members.look_after_contacts(by=world.SYSTEM, at=made.clock.tick()) == 1
    assert [one.state for one, _ in contact_queries.tasks()] == ["bounced"]


def test_who_sorts_places_rejects_with_a_reason_and_takes_it_back(made: world.World) -> None:
    mail, by = take(made, mails.mail()), made.reviewer.subject
    number = made.revocation.number
    for act in (
        lambda: actions.place(mail=mail, case="R-2031-0001", by=by(), at=made.clock.tick()),
        lambda: actions.reject(mail=mail, why=" ", by=by(), at=made.clock.tick()),
        lambda: actions.place(mail=mail, case=number, by=made.auditor.subject(), at=made.clock.tick()),
        lambda: actions.reject(mail=mail, why="x", by=made.jia.admin.subject(), at=made.clock.tick()),
        lambda: actions.read_file(mail=mail, file_id=None, by=made.auditor.subject(), at=made.clock.tick()),
    ):
        with pytest.raises(Refusal):
            act()
    actions.reject(mail=mail, why="廣告", by=by(), at=made.clock.tick())
    assert (again(mail).state, again(mail).why) == ("rejected", "廣告")
    actions.reopen(mail=mail, by=by(), at=made.clock.tick())
    assert again(mail).state == "triage"
    actions.place(mail=mail, case=f" {number.lower()} ", by=by(), at=made.clock.tick())
    (placed,) = queries.of_case(number)
    assert (placed.by_id, placed.read_by_id) == (made.reviewer.person.pk, made.reviewer.person.pk)
    # Now all of the staff may open it, and each opening stands in the ledger.
    stored = actions.read_file(mail=again(mail), file_id=None, by=made.auditor.subject(), at=made.clock.tick())
    assert isinstance(stored, StoredFile)
    assert Entry.objects.filter(tag="mailroom:mail:read").count() == 1


def test_what_was_rejected_is_destroyed_after_its_time_and_that_it_came_stays(made: world.World) -> None:
    spam, kept = take(made, mails.mail()), take(made, mails.mail(message_id="<2@x.example>"))
    actions.reject(mail=spam, why="廣告", by=made.reviewer.subject(), at=made.clock.tick())
    assert actions.forget_rejected(by=world.SYSTEM, at=made.clock.tick(days=29)) == 0
    assert actions.forget_rejected(by=world.SYSTEM, at=made.clock.tick(days=2)) == 1
    assert "erased" in again(spam).subject
    assert again(kept).subject == "請教一件事"
    assert actions.forget_rejected(by=world.SYSTEM, at=made.clock.tick()) == 0


def test_reading_the_mails_of_a_case_takes_them_out_of_the_inbox(made: world.World) -> None:
    number = made.revocation.number
    take(made, mails.mail(to=case_address(number)))
    with pytest.raises(Refusal):
        actions.mark_read(case=number, by=made.auditor.subject(), at=made.clock.tick())
    assert actions.mark_read(case=number, by=made.reviewer.subject(), at=made.clock.tick()) == 1
    assert queries.unread() == []
