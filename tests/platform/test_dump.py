"""Whoever steals tables, data files, uploaded files or logs learns no name, title, phone or address of anybody.

Hundreds of people are entered by the product's own doors, each with a mark in every value; then everything that the
product left behind is searched for the marks, in the forms in which text is written down. What is known to stand in
clear is listed here with its reason, and nothing else may.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Account, Invitation
from lianfang.kernel.clock import utcnow
from lianfang.members import actions, queries
from lianfang.members.models import Application
from lianfang.members.tasks import erase_drafts
from lianfang.members.uploads import read as read_upload
from lianfang.outbox import sender
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Duty, Role, Subject
from tests import world
from tests.database import CLUSTER
from tests.outbox.conftest import MailServer, mail_server  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

NAME, TITLE, PHONE, MAIL = "隱名", "密職", "0987-6543-", "@plant.example"
MARKS = (NAME, TITLE, PHONE, MAIL)
IN_CLEAR = {
    # The one address by which a person signs in has to be found by it, before any key is at hand; the privacy notice
    # says so. allauth keeps it in its own table and, with the time of each sign-in, in the session.
    Account._meta.db_table: {MAIL},
    "account_emailaddress": {MAIL},
    "django_session": {MAIL},
}
"""Table -> the marks that may stand in it."""
PEOPLE, MAILS = 200, 30


@dataclass
class Plants:
    """Gives out values that exist nowhere else, and counts them."""

    given: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MARKS, 0))

    def _next(self, mark: str) -> int:
        self.given[mark] += 1
        return self.given[mark]

    def name(self) -> str:
        return f"{NAME}{self._next(NAME):04d}號"

    def title(self) -> str:
        return f"{TITLE}{self._next(TITLE):04d}長"

    def phone(self) -> str:
        return f"{PHONE}{self._next(PHONE):04d}"

    def mail(self) -> str:
        return f"p{self._next(MAIL):04d}{MAIL}"

    def text(self) -> str:
        """What people write about people."""
        return f"{self.title()}{self.name()}來電（{self.phone()}），並寄信至{self.mail()}說明。"

    def pages(self, number: int) -> dict[str, dict[str, Any]]:
        """What one applicant types."""
        pages = world.answers(name=f"午示範{number}股份有限公司", place=300 + number, people="x.example")
        pages["eligibility"]["email"] = self.mail()
        pages["organization"]["responsible"] = self.name()
        for prefix in ("admin1", "admin2", "contact"):
            pages["people"] |= {
                f"{prefix}_name": self.name(), f"{prefix}_title": self.title(), f"{prefix}_email": self.mail(),
                f"{prefix}_phone": self.phone(),
            }  # fmt: skip
        pages["attestation"] |= {"attester_name": self.name(), "attester_title": self.title()}
        return pages

    def file(self) -> tuple[str, bytes]:
        """A document named after a person, with people in it."""
        people = "".join(self.text() for _ in range(8))
        return f"{self.name()}之證明.pdf", world.PDF.replace(b"<<>>endobj", f"<</T({people})>>endobj".encode())


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What web and worker write to their log, by the product's own handler, from INFO on, which is more than usual."""
    root, written = logging.getLogger(), io.StringIO()
    (console,) = (one for one in root.handlers if type(one) is logging.StreamHandler)
    # Not by setStream, which flushes the stream of before: that may be a test's own, closed since.
    before, level = console.stream, root.level
    console.stream = written
    root.setLevel(logging.INFO)
    # The mail server of this test runs in the same process; it is none of the product's.
    logging.getLogger("mail.log").propagate = False
    yield written
    logging.getLogger("mail.log").propagate = True
    root.setLevel(level)
    console.stream = before


def test_nothing_personal_stands_in_clear(
    transactional_db: None,
    mail_server: MailServer,  # noqa: F811
    logged: io.StringIO,
) -> None:
    cast, plants = world.build(), Plants()
    enter_people(cast, plants)
    kept = apply(cast, plants)
    review(cast, plants, kept)
    revoke(cast, plants)
    govern(cast, plants)
    secrets = browse(cast, plants, kept)
    work(plants, mail_server)
    assert min(plants.given.values()) >= PEOPLE, plants.given
    tables_hold_nothing()
    data_files_hold_nothing()
    lines = logged.getvalue().splitlines()
    assert [line for line in lines if marks_in(line.encode())] == []
    # Nor what opens a case with all its people: the secrets of mailed links, which stand in the addresses asked for.
    assert any("/apply/case/…" in line for line in lines)
    assert any("/invite/…" in line for line in lines)
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


# -- the doors -------------------------------------------------------------------------------------------------------


def enter_people(cast: world.World, plants: Plants) -> None:
    """People by the dozen, each with an invitation in the mail; some sign up, some by the page itself."""
    inviter = cast.jia.admin
    for _ in range(PEOPLE * 3 // 10):
        accounts.invite_colleague(
            name=plants.name(), email=plants.mail(), title=plants.title(), phone=plants.phone(),
            organization=inviter.organization, group=inviter.organization, role=Role.MEMBER, by=inviter.subject(),
            at=cast.clock.tick(),
        )  # fmt: skip
    joined = world.invite(
        cast.clock, inviter, email=plants.mail(), name=plants.name(), organization=inviter.organization,
        role=Role.SECURITY_CONTACT,
    )  # fmt: skip
    assert cast.client(joined).get("/member").status_code == 200
    browser = cast.client(inviter)
    form = {
        "organization": str(inviter.organization.pk), "name": plants.name(), "title": plants.title(),
        "email": plants.mail(), "phone": plants.phone(), "role": "member",
    }  # fmt: skip
    assert browser.post("/member/organisation/people/invite", form).status_code == 302
    assert NAME in browser.get("/member/organisation/people").content.decode()
    # What is typed wrong comes back on the page, and must not stay behind it.
    assert browser.post("/member/organisation/people/invite", {**form, "email": "?"}).status_code == 422
    assert cast.client(None).post("/account/login/", {"login": plants.mail(), "password": "x"}).status_code == 200


def apply(cast: world.World, plants: Plants) -> list[Application]:
    """Drafts with files (one by the pages), sent applications, and a draft whose time is over."""
    drafts = []
    for number in range(10):
        application = world.draft(cast.clock, plants.pages(number))
        name, content = plants.file()
        upload = read_upload(name=name, content=content, field="registration")
        actions.add_attachment(
            application=application, proof="registration", upload=upload, by=Subject.public(), at=cast.clock.tick()
        )
        drafts.append(world.reread(application))
    old = world.draft(world.Clock(world.BEGIN - timedelta(days=60)), plants.pages(10))
    assert old.state == "draft"
    browser = cast.client(None)
    pages = plants.pages(11)
    assert browser.post("/apply", pages["eligibility"]).status_code == 302
    assert browser.post("/apply/step/organization", pages["organization"]).status_code == 302
    assert browser.post("/apply/step/people", pages["people"]).status_code == 302
    name, content = plants.file()
    file = SimpleUploadedFile(name, content, content_type="application/pdf")
    assert browser.post("/apply/step/attachments", {"registration": file}).status_code in (302, 422)
    assert NAME in browser.get("/apply/step/review").content.decode()
    return [world.send(cast.clock, draft) for draft in drafts[:5]]


def review(cast: world.World, plants: Plants, sent: list[Application]) -> None:
    """Everything that the staff writes about a case, and what applicants write back."""
    reviewer, approver, clock = cast.reviewer, cast.approver, cast.clock
    by = reviewer.subject()
    corrected, rejected, approved, withdrawn = sent[:4]
    for application in sent[:4]:
        actions.declare_conflict(case=application, conflict=False, reason=plants.text(), by=by, at=clock.tick())
        actions.declare_conflict(
            case=application, conflict=True, reason=plants.text(), by=cast.approver2.subject(), at=clock.tick()
        )
    actions.withdraw(application=withdrawn, by=Subject.public(), at=clock.tick())
    for application in (corrected, rejected, approved):
        actions.take_up(application=application, by=by, at=clock.tick())
        actions.add_note(case=application, text=plants.text(), by=by, at=clock.tick())
        actions.add_note(case=application, text=plants.text(), to_applicant=True, by=by, at=clock.tick())
        actions.write_to_staff(application=application, text=plants.text(), by=Subject.public(), at=clock.tick())
        findings = [
            actions.Finding(row.key, "name_hit", world.LIST, world.LIST_DATE, plants.text(), other_entity=True)
            for row in queries.all_rows(application)
        ]
        actions.record_findings(application=application, findings=findings, by=by, at=clock.tick())
        actions.check_authority(application=application, method="registry", note=plants.text(), by=by, at=clock.tick())
    items = [{"step": "people", "field": "admin1_name", "message": plants.text()}]
    (item,) = actions.request_correction(application=corrected, items=items, by=by, at=clock.tick())
    actions.answer_corrections(
        application=corrected, answers={item.pk: plants.text()}, changes={"people": {"admin1_name": plants.name()}},
        by=Subject.public(), at=clock.tick(),
    )  # fmt: skip
    for application, what, reason in ((rejected, "reject", "other"), (approved, "approve", "eligible")):
        actions.recommend(
            application=application, what=what, reasons=[reason], text=plants.text(), by=by, at=clock.tick()
        )
        actions.declare_conflict(case=application, conflict=False, by=approver.subject(), at=clock.tick())
        decide = actions.approve if what == "approve" else actions.reject
        decide(application=application, reasons=[reason], text=plants.text(), by=approver.subject(), at=clock.tick())


def revoke(cast: world.World, plants: Plants) -> None:
    """A revocation with facts, decided with reasons; an appeal with its file, and what was decided about it."""
    clock, reviewer, approver, second = cast.clock, cast.reviewer, cast.approver, cast.approver2
    for member, what in ((cast.bing, "revoke"), (cast.yi, "close")):
        case = actions.open_revocation(
            membership=member.membership, ground="1.4b", facts=plants.text(), by=reviewer.subject(), at=clock.tick()
        )
        for actor in (reviewer, approver):
            actions.declare_conflict(
                case=case, conflict=False, reason=plants.text(), by=actor.subject(), at=clock.tick()
            )
        actions.add_note(case=case, text=plants.text(), by=reviewer.subject(), at=clock.tick())
        world.hear(clock, case, reviewer, member.admin)
        actions.propose(case=case, ground="1.4b", facts=plants.text(), by=reviewer.subject(), at=clock.tick())
        decide = actions.revoke if what == "revoke" else actions.close_case
        decide(case=case, text=plants.text(), by=approver.subject(), at=clock.tick())
    revoked = queries.last_revocation(cast.bing.organization.pk)
    assert revoked is not None
    name, content = plants.file()
    appeal = actions.file_appeal(
        case=revoked, text=plants.text(), files=[read_upload(name=name, content=content, field="files")], key="k" * 43,
        by=cast.bing.admin.subject(), at=clock.tick(),
    )  # fmt: skip
    actions.declare_conflict(case=appeal, conflict=False, reason=plants.text(), by=second.subject(), at=clock.tick())
    actions.decide_appeal(appeal=appeal, grant=False, text=plants.text(), by=second.subject(), at=clock.tick())


def govern(cast: world.World, plants: Plants) -> None:
    """A colleague of the staff, a duty with its reason, a person who leaves."""
    by = cast.granter1.subject()
    accounts.invite_staff(name=plants.name(), email=plants.mail(), title=plants.title(), by=by, at=cast.clock.tick())
    accounts.propose_duty(
        person=cast.analyst.person, duty=Duty.LEGAL, reason=plants.text(), by=by, at=cast.clock.tick()
    )
    accounts.leave(affiliation=cast.jia.member.affiliation, by=cast.jia.admin.subject(), at=cast.clock.tick())


def browse(cast: world.World, plants: Plants, sent: list[Application]) -> list[str]:
    """The pages that show it all, and searches for a name, by signed-in people whose sessions stay; and pages behind
    mailed links, with mistakes. Return the secrets of those links."""
    staff = cast.client(cast.reviewer)
    for application in sent[:4]:
        page = staff.get(f"/staff/cases/{application.number}")
        assert page.status_code == 200
        assert NAME in page.content.decode()
    assert staff.get("/staff/applications", {"q": plants.name(), "words": plants.name()}).status_code == 200
    note = {"text": plants.text()}
    assert staff.post(f"/staff/cases/{sent[0].number}/note", note).status_code == 302
    assert cast.client(cast.bing.admin).get("/exit").status_code == 200
    waiting = Invitation.objects.select_related("affiliation__person").filter(accepted_at=None).first()
    assert waiting is not None
    _, path = accounts.resend(invitation=waiting, by=world.SYSTEM, at=utcnow())
    stranger = cast.client(None)
    assert stranger.post(path, {"password": "short"}).status_code == 422
    case = sent[4].secret
    assert stranger.post(f"/apply/case/{case}", {"text": ""}).status_code == 422
    return [case, path.rsplit("/", 1)[-1]]


def work(plants: Plants, server: MailServer) -> None:
    """The worker: mails leave, some are refused by a server that repeats names; drafts expire."""
    server.refuse_rcpt = [f"550 5.1.1 <p{number:04d}{MAIL}>: {plants.name()} unknown" for number in range(1, 4)]
    long_ago = world.BEGIN - timedelta(days=365)
    # Nothing is due any more once enough have left: what waits is sealed as well.
    sender.drain(clock=lambda: utcnow() if len(server.taken) < MAILS else long_ago)
    erase_drafts(0)
    assert len(server.taken) == MAILS
    assert Application.objects.filter(state="expired").exists()
    assert Delivery.objects.filter(state="failed").count() == 3


# -- what is looked at -----------------------------------------------------------------------------------------------


def tables_hold_nothing() -> None:
    """Every row of every table of every schema, as text; bytes, sessions and pickles opened."""
    with psycopg.connect(CLUSTER.url("postgres"), connect_timeout=10) as server:
        tables = server.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 60
        seen = set()
        for schema, table in tables:
            rows = server.execute(f'SELECT t::text FROM "{schema}"."{table}" t')  # type: ignore[arg-type]
            found = set().union(*(marks_in(opened(row)) for (row,) in rows))
            assert found <= IN_CLEAR.get(table, set()), f"{table} holds {found}"
            seen |= {table} if found else set()
    for session in Session.objects.all():
        assert marks_in(json.dumps(session.get_decoded(), ensure_ascii=False).encode()) <= {MAIL}
    # An exception that is no longer needed must go; and that these are found shows that the search finds.
    assert seen == set(IN_CLEAR)


def opened(row: str) -> bytes:
    """A row as PostgreSQL prints it, followed by what its binary columns hold."""
    parts = [row.encode()]
    parts += [bytes.fromhex(run) for run in re.findall(r"\\x((?:[0-9a-f]{2})+)", row)]
    for run in re.findall(r"[A-Za-z0-9+/_-]{40,}={0,2}", row):
        raw = _unpacked(run)
        parts += [raw] if raw is not None else []
    return b"\n".join(parts)


def _unpacked(run: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(run.replace("+", "-").replace("/", "_") + "=" * (-len(run.rstrip("=")) % 4))
    except ValueError:
        return None
    try:
        return zlib.decompress(raw)
    except zlib.error:
        return raw


def data_files_hold_nothing() -> None:
    """The cluster's own files after a checkpoint, with its log of writes and its messages; and all uploaded files."""
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True, connect_timeout=10) as server:
        server.execute("ANALYZE")
        server.execute("CHECKPOINT")
        # The planner keeps samples of columns: of the listed tables they may be read, of no other.
        for table, sample in server.execute("SELECT tablename, s::text FROM pg_stats s").fetchall():
            assert marks_in(sample.encode()) <= IN_CLEAR.get(table, set()), f"samples of {table}"
        allowed = {
            path
            for table in (*IN_CLEAR, *_indexes(server), "pg_statistic", "pg_toast.pg_toast_2619")
            for (path,) in server.execute("SELECT pg_relation_filepath(%s)", [table]).fetchall()
        }
    # A positive control: the names of organisations are public and stand in clear, so this search does find.
    control = "午示範3股份有限公司".encode()
    hits = 0
    for path in CLUSTER.data.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        hits += control in content
        # The log of writes holds the listed tables as well as all others.
        may = {MAIL} if str(path.relative_to(CLUSTER.data)) in allowed or path.parent.name == "pg_wal" else set()
        assert marks_in(content) <= may, path
    assert hits
    assert marks_in(CLUSTER.log.read_bytes()) == set()
    files = [path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file()]
    assert sum(path.parent.parent.name == "files" for path in files) > 10
    for path in files:
        assert marks_in(path.read_bytes() + str(path).encode()) == set(), path


def _indexes(server: psycopg.Connection[Any]) -> list[str]:
    """The indexes of the listed tables hold the same addresses."""
    rows = server.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = ANY(%s::regclass[])", [list(IN_CLEAR)]
    )
    return [name for (name,) in rows]


def marks_in(content: bytes) -> set[str]:
    """The marks that are to be found in it, in whatever form text is commonly written down."""
    return {mark for mark in MARKS if any(form in content for form in FORMS[mark])}


def _forms(mark: str) -> list[bytes]:
    escaped = json.dumps(mark)[1:-1].encode()
    return [mark.encode(), escaped, quote(mark).encode()]


FORMS = {mark: _forms(mark) for mark in MARKS}
