"""The staff sorts mails on pages; one on a case shows there and in the inbox; a change by mail is entered from it."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.mailroom import actions, queries
from lianfang.mailroom.models import Mail
from lianfang.members import changes
from lianfang.members.models import ChangeRequest
from lianfang.outbox.reply import case_address
from tests import world
from tests.mailroom import mails

pytestmark = pytest.mark.django_db


def take(made: world.World, **given: object) -> Mail:
    found = queries.mail(actions.take(raw=mails.mail(**given), at=made.clock.tick()).pk)  # type: ignore[arg-type]
    assert found is not None
    return found


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


def test_a_mail_on_a_case_shows_there_and_in_the_inbox_until_it_is_read(made: world.World) -> None:
    number = made.revocation.number
    mail = take(made, to=case_address(number), text="<script>alert(1)</script>請查收", files=(("函.pdf", mails.PDF),))
    reviewer, auditor = made.client(made.reviewer), made.client(made.auditor)
    inbox = reviewer.get("/staff/inbox").content.decode()
    assert "案件的新來信" in inbox
    assert number in inbox
    for client in (reviewer, auditor):
        page = client.get(f"/staff/revocations/{number}").content.decode()
        assert "來自電子郵件，寄件人未經查證，未檢查DKIM" in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;請查收" in page
        assert case_address(number) in page
    answer = auditor.get(f"/staff/mail/{mail.pk}/files/{mail.files.get().pk}")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content) == mails.PDF  # type: ignore[attr-defined]
    assert auditor.get(f"/staff/mail/{mail.pk}/original").status_code == 200
    assert auditor.post(f"/staff/mail/cases/{number}/read").status_code in (403, 404)
    assert reviewer.post(f"/staff/mail/cases/{number}/read").status_code == 302
    assert "案件的新來信" not in reviewer.get("/staff/inbox").content.decode()


def test_what_still_waits_is_for_those_who_sort_alone(made: world.World) -> None:
    mail = take(made, files=(("a.pdf", mails.PDF),))
    for client in (made.client(made.auditor), made.client(made.jia.admin), made.client(None)):
        for path in ("", f"/{mail.pk}", f"/{mail.pk}/original", f"/{mail.pk}/files/{mail.files.get().pk}",
                     f"/{mail.pk}/change"):  # fmt: skip
            assert client.get(f"/staff/mail{path}").status_code in (302, 403, 404), path
    assert made.client(made.auditor).get(f"/staff/mail/{mail.pk}/original").status_code == 404
    reviewer = made.client(made.reviewer)
    assert "請教一件事" in reviewer.get("/staff/mail").content.decode()
    assert reviewer.get("/staff/mail?view=nonsense&before=x").status_code == 200
    assert "請教一件事" not in reviewer.get("/staff/mail?view=placed").content.decode()


def test_a_mail_is_sorted_on_its_page(made: world.World) -> None:
    mail, reviewer, number = take(made), made.client(made.reviewer), made.revocation.number
    path = f"/staff/mail/{mail.pk}"
    assert reviewer.post(path, {"place": "1", "case": "C-2031-0001"}).status_code == 422
    assert reviewer.post(path, {"place": "1", "case": ""}).status_code == 422
    assert reviewer.post(path, {"reject": "1", "why": " "}).status_code == 422
    assert reviewer.post(path, {}).status_code == 422
    assert reviewer.post(path, {"reject": "1", "why": "廣告"}).status_code == 302
    assert "廣告" in reviewer.get(path).content.decode()
    assert reviewer.post(path, {"reopen": "1"}).status_code == 302
    assert reviewer.post(path, {"place": "1", "case": number}).status_code == 302
    assert "請教一件事" in reviewer.get(f"/staff/revocations/{number}").content.decode()
    assert reviewer.get(path, headers={"accept-language": "en"}).status_code == 200


def test_a_bounce_is_a_task_with_the_mail_and_the_address(made: world.World) -> None:
    from lianfang.outbox.models import Delivery

    delivery = Delivery.objects.select_related("vault_key").filter(kind="N9")[0]
    raw = mails.bounce(message_id=delivery.message_id.strip("<>"), recipient=delivery.to)
    mail = actions.take(raw=raw, at=made.clock.tick())
    page = made.client(made.reviewer).get(f"/staff/mail/{mail.pk}").content.decode()
    assert "被退回的信" in page
    assert delivery.to in page


def test_a_change_by_mail_is_entered_as_a_case_with_the_files_of_the_mail_as_its_scan(made: world.World) -> None:
    """Issue: changes by mail are entered as the same case with scan."""
    yi, reviewer = made.yi, made.client(made.reviewer)
    mail = take(
        made, to="centre+changes@lianfang.example", sender=yi.admin.person.email, subject="變更地址",
        files=(("表.exe", b"MZ"), ("登記表.pdf", mails.PDF)),
    )  # fmt: skip
    page = reviewer.get(f"/staff/mail/{mail.pk}").content.decode()
    entry = f"/staff/members/{yi.membership.pk}/change?mail={mail.pk}"
    assert entry in page.replace("&amp;", "&"), "the member of this address is offered"
    assert (
        yi.organization.name_zh
        in reviewer.get(f"/staff/mail/{mail.pk}/change?q={yi.organization.ubn}").content.decode()
    )
    form = reviewer.get(entry).content.decode()
    assert "變更地址" in form
    kept = {**changes.facts_at(yi.membership, made.clock.at), "address": "示範市新址路9號", "review": "1"}
    second = reviewer.post(entry, kept)
    assert second.status_code == 200, second.content.decode()[-3000:]
    text = second.content.decode()
    wrong, right = mail.files.get(place=0), mail.files.get(place=1)
    assert str(wrong.pk) in text
    assert str(right.pk) in text
    sent = {
        **hidden(text), "send": "1", "origin": "mail", "received_on": "2026-11-02", "accept_charter": "on",
        "accept_privacy": "on",
    }  # fmt: skip
    sent.pop("csrfmiddlewaretoken", None)
    assert reviewer.post(entry, {**sent, "mail_file": str(wrong.pk)}).status_code == 422, "judged by what it is inside"
    answer = reviewer.post(entry, {**sent, "mail_file": str(right.pk)})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    case = ChangeRequest.objects.get(membership=yi.membership)
    assert (case.origin, [one.kind for one in case.files.all()]) == ("mail", ["scan"])
    assert case.files.get().file.open().read() == mails.PDF
    assert [one.case for one in queries.of_case(case.number)] == [case.number]
    placed = queries.mail(mail.pk)
    assert placed is not None
    assert placed.state == "placed"


def test_the_demonstration_writes_mails_that_come_in_as_from_outside(made: world.World, settings: object) -> None:
    number, anybody = made.revocation.number, made.client(None)
    assert "centre@lianfang.example" in anybody.get("/demo/mailbox/write").content.decode()
    given = {"sender": "lin@outside.example", "to": case_address(number), "subject": "補件\r\nBcc: x", "text": "如附件"}
    file = SimpleUploadedFile("函.pdf", mails.PDF)
    assert anybody.post("/demo/mailbox/write", {**given, "file": file}).status_code == 302
    (placed,) = queries.of_case(number)
    assert placed.mail.subject == "補件 Bcc: x"
    assert [one.filename for one in placed.mail.files.all()] == ["函.pdf"]
    assert anybody.post("/demo/mailbox/write", {**given, "sender": "no address"}).status_code == 422
    settings.DEMO = False  # type: ignore[attr-defined]
    assert anybody.get("/demo/mailbox/write").status_code == 404
