"""The cast: the people and organisations of the tests, made by the real actions at fixed times.

    world = build()                     # everybody; about a second
    world.jia.admin.subject()           # facts of a person acting now, with second factor
    world.client(world.reviewer)        # a signed-in browser, second factor confirmed
    world.approver.code()               # a code that signs one decision

甲 `jia` is the source, 乙 `yi` reads, 丙 `bing` is left out of the audiences, 丁 `ding` is an association with the
constituents 戊 `wu` (clear) and 己 `ji` (not verifiable, so without access), `former` was revoked, `applicant` waits.
Each group member has an administrator, a second one, a security contact, and a member.
"""

from __future__ import annotations

import itertools
import pickle
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection, transaction
from django.test import Client

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Account, Affiliation, Organization, Person, Token
from lianfang.accounts.queries import coordinator, invitation_by_secret
from lianfang.charter.actions import acknowledge, load_models
from lianfang.charter.queries import in_force
from lianfang.kernel import ubn
from lianfang.members import actions, queries
from lianfang.members.models import Application, Membership, Revocation
from lianfang.members.subjects import subject_for
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Duty, Right, Role, Subject
from lianfang.policy.store import bump_policy

BEGIN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
LIST_DATE = date(2026, 11, 1)
LIST = "陸資來臺投資事業名錄"
PASSWORD = "Zhuque-4417-Lantern"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
SYSTEM = Subject.system("world")
NAMES = {
    "reviewer": "周範例", "approver": "鄭比方", "approver2": "謝示意", "analyst": "羅假定", "publisher": "方舉例",
    "legal": "蘇擬定", "auditor": "魏樣張", "privacy_officer": "田虛構", "operator": "江模擬",
}  # fmt: skip
READING = frozenset({Right.READ, Right.READ_SOURCE, Right.EXPORT, Right.SUBMIT})


@dataclass
class Clock:
    """The time of the tests: a second passes with each deed."""

    at: datetime = BEGIN

    def tick(self, **step: float) -> datetime:
        """Let time pass (a second unless said otherwise) and return the new instant."""
        self.at += timedelta(**step) if step else timedelta(seconds=1)
        return self.at


@dataclass
class Actor:
    """A person acting for one pair."""

    affiliation: Affiliation
    account: Account
    clock: Clock
    codes: list[str] = field(default_factory=list)

    @property
    def person(self) -> Person:
        """Who."""
        return self.affiliation.person

    @property
    def organization(self) -> Organization:
        """For whom."""
        return self.affiliation.organization

    def subject(self, at: datetime | None = None, *, mfa: bool = True) -> Subject:
        """The facts of this person at that instant (now, by the clock of the tests)."""
        return subject_for(
            person=self.affiliation.person_id, affiliation=self.affiliation, at=at or self.clock.at, mfa=mfa
        )

    def code(self) -> str:
        """A code that signs one decision: each works once."""
        return self.codes.pop()


@dataclass
class Member:
    """A group member with its people."""

    organization: Organization
    membership: Membership
    admin: Actor
    deputy: Actor
    contact: Actor
    member: Actor


@dataclass
class World:
    """Everybody."""

    clock: Clock
    centre: Organization
    granter1: Actor
    granter2: Actor
    reviewer: Actor
    approver: Actor
    approver2: Actor
    analyst: Actor
    publisher: Actor
    legal: Actor
    auditor: Actor
    privacy_officer: Actor
    operator: Actor
    jia: Member
    yi: Member
    bing: Member
    ding: Member
    former: Member
    wu: Actor
    ji: Actor
    applicant: Application
    revocation: Revocation
    tokens: dict[str, tuple[Token, str]]

    @property
    def staff(self) -> dict[str, Actor]:
        """The coordinator's people by the name of their duty."""
        names = "granter1 granter2 reviewer approver approver2 analyst publisher legal auditor privacy_officer operator"
        return {name: getattr(self, name) for name in names.split()}

    @property
    def members(self) -> dict[str, Member]:
        """The group members by name, the former one included."""
        return {name: getattr(self, name) for name in ("jia", "yi", "bing", "ding", "former")}

    def client(self, actor: Actor | None, *, mfa: bool = True, language: str = "zh-hant") -> Client:
        """A browser: signed in as `actor` with the second factor confirmed, or of a stranger (None)."""
        client = Client(HTTP_HOST="localhost")
        client.cookies["language"] = language
        if actor is not None:
            client.force_login(actor.account, backend="allauth.account.auth_backends.AuthenticationBackend")
            confirm_factor(client, actor.account, mfa=mfa)
        return client


def confirm_factor(client: Client, account: Account, *, mfa: bool = True) -> None:
    """Write into the session what allauth writes at sign-in: by password, then (with `mfa`) by the second factor."""
    session = client.session
    now = datetime.now(UTC).timestamp()
    records: list[dict[str, Any]] = [{"method": "password", "at": now, "email": account.email}]
    session["account_authentication_methods"] = records + (
        [{"method": "mfa", "at": now, "type": "totp"}] if mfa else []
    )
    session["account_authentication_methods_user"] = str(account.pk)
    session.save()


def business_number(place: int) -> str:
    """A Unified Business Number of nobody in particular, with a right check digit."""
    found = (f"9{number:07d}" for number in itertools.count(place * 1000))
    return next(number for number in found if ubn.is_valid(number))


def answers(
    *,
    name: str,
    place: int,
    kind: str = "twse",
    people: str,
    constituents: tuple[tuple[str, str], ...] = (),
) -> dict[str, dict[str, Any]]:
    """What an applicant types, page by page; `people` is the domain of their addresses."""
    association = kind == "association"
    return {
        "eligibility": {"kind": kind, "email": f"apply@{people}"},
        "organization": {
            "name_zh": name,
            "name_en": f"Example {place}",
            "ubn": business_number(place),
            "ubn_absent_reason": "",
            "stock_code": "" if association else f"{9900 + place}",
            "certificate_number": "示社字第1150000號" if association else "",
            "authority": "示範市政府" if association else "",
            "address": "示範市測試路1號",
            "responsible": "許擬名",
            "sector": "manufacturing",
            "csma_regime": "none",
            "csma_authority": "",
        },
        "roster": {"typed": "", "rows": [{"name": one, "ubn": number} for one, number in constituents]},
        "people": {
            f"{prefix}_{part}": value
            for prefix, given in (("admin1", "林樣本"), ("admin2", "陳示範"), ("contact", "王測試"))
            for part, value in (
                ("name", given), ("title", "經理"), ("email", f"{prefix}@{people}"), ("phone", "02-0000-0000#12"),
            )
        },
        "attestation": {
            "willing": True,
            "attester_name": "許擬名",
            "attester_title": "董事長",
            "attester_ground": "responsible_person",
            "confirmed": True,
        },
    }  # fmt: skip


REVIEW = {"accept_charter": True, "accept_privacy": True, "electronic": "agree"}


def draft(clock: Clock, pages: dict[str, dict[str, Any]], *, by: Subject | None = None) -> Application:
    """A draft in which everything but the last page is filled in, its address proved."""
    by = by or Subject.public()
    application = actions.start(values=pages["eligibility"], language="zh-hant", by=by, at=clock.tick())
    actions.prove_email(application=application, by=by, at=clock.tick())
    for step in ("organization", "roster", "people", "attestation"):
        actions.save_step(application=application, step=step, values=pages[step], by=by, at=clock.tick())
    upload = read_upload(name="證明.pdf", content=PDF, field="registration")
    actions.add_attachment(application=application, proof="registration", upload=upload, by=by, at=clock.tick())
    return reread(application)


def send(clock: Clock, application: Application, *, key: str = "") -> Application:
    """Send a draft, accepting what is in force."""
    at = clock.tick()
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    assert charter is not None
    assert privacy is not None
    return actions.submit(
        application=application,
        key=key or f"key-{application.pk}",
        values=REVIEW,
        charter_id=charter.pk,
        privacy_id=privacy.pk,
        by=Subject.public(),
        at=at,
    )


def reread(application: Application) -> Application:
    """The row as it is now."""
    found = queries.application_by_id(str(application.pk))
    assert found is not None
    return found


def screen(clock: Clock, application: Application, reviewer: Actor, results: dict[str, str] | None = None) -> None:
    """Record a finding for every row (clear unless `results` says otherwise by name) and how authority was checked."""
    findings = [
        actions.Finding(row.key, (results or {}).get(row.name, "clear"), LIST, LIST_DATE)
        for row in queries.all_rows(application)
    ]
    actions.record_findings(application=application, findings=findings, by=reviewer.subject(), at=clock.tick())
    actions.check_authority(application=application, method="registry", by=reviewer.subject(), at=clock.tick())


def review(
    clock: Clock, application: Application, reviewer: Actor, results: dict[str, str] | None = None
) -> Application:
    """Take a sent application up to the recommendation to approve it."""
    application = reread(application)
    actions.declare_conflict(case=application, conflict=False, by=reviewer.subject(), at=clock.tick())
    actions.take_up(application=application, by=reviewer.subject(), at=clock.tick())
    screen(clock, application, reviewer, results)
    actions.recommend(
        application=application, what="approve", reasons=["eligible"], by=reviewer.subject(), at=clock.tick()
    )
    return reread(application)


def decide(clock: Clock, application: Application, approver: Actor) -> Membership:
    """Approve a recommended application."""
    actions.declare_conflict(case=application, conflict=False, by=approver.subject(), at=clock.tick())
    return actions.approve(application=application, reasons=["eligible"], by=approver.subject(), at=clock.tick())


def join(clock: Clock, path: str) -> Actor:
    """Follow a mailed invitation: password, second factor, recovery codes, duty of confidentiality."""
    invitation = invitation_by_secret(path.rsplit("/", 1)[-1])
    assert invitation is not None
    account = accounts.accept_invitation(invitation=invitation, password=PASSWORD, at=clock.tick())
    TOTP.activate(account, generate_totp_secret())
    codes = RecoveryCodes.activate(account)
    affiliation = Affiliation.objects.select_related("person__vault_key", "organization", "group").get(
        pk=invitation.affiliation_id
    )
    actor = Actor(affiliation, account, clock, list(codes.get_unused_codes()))
    acknowledge(affiliation=affiliation, by=actor.subject(), at=clock.tick())
    return actor


def invite(clock: Clock, inviter: Actor, *, email: str, name: str, organization: Organization, role: Role) -> Actor:
    """Enter and invite a person to an organisation of the inviter's group, who then joins."""
    group = inviter.affiliation.group
    person = accounts.person_enter(name=name, email=email, by=inviter.subject(), at=clock.tick())
    _, path = accounts.invite(
        person=person, organization=organization, group=group, role=role, by=inviter.subject(), at=clock.tick()
    )
    return join(clock, path)


def join_again(clock: Clock, organization: Organization, email: str) -> Actor:
    """Let somebody whom an approval invited join: the invitation is sent again, since its link was only mailed."""
    affiliation = next(
        one
        for one in Affiliation.objects.filter(organization=organization).select_related("person__vault_key")
        if one.person.email == email
    )
    invitation = affiliation.invitations.get()
    _, path = accounts.resend(invitation=invitation, by=SYSTEM, at=clock.tick())
    return join(clock, path)


def admit(
    clock: Clock,
    reviewer: Actor,
    approver: Actor,
    *,
    name: str,
    place: int,
    kind: str = "twse",
    constituents: tuple[tuple[str, str], ...] = (),
    results: dict[str, str] | None = None,
) -> Member:
    """Bring an organisation from its first page to people who work."""
    people = f"m{place}.example"
    pages = answers(name=name, place=place, kind=kind, people=people, constituents=constituents)
    application = review(clock, send(clock, draft(clock, pages)), reviewer, results)
    membership = decide(clock, application, approver)
    organization = membership.organization
    admin, deputy, contact = (
        join_again(clock, organization, f"{prefix}@{people}") for prefix in ("admin1", "admin2", "contact")
    )
    member = invite(clock, admin, email=f"member@{people}", name="張假設", organization=organization, role=Role.MEMBER)
    return Member(organization, membership, admin, deputy, contact, member)


def revoke(clock: Clock, member: Member, reviewer: Actor, approver: Actor) -> Revocation:
    """Revoke a membership by two of the staff."""
    facts = "自2026年6月起未回覆三次演練通知。"
    case = actions.open_revocation(
        membership=member.membership, ground="1.4b", facts=facts, by=reviewer.subject(), at=clock.tick()
    )
    for actor in (reviewer, approver):
        actions.declare_conflict(case=case, conflict=False, by=actor.subject(), at=clock.tick())
    hear(clock, case, reviewer, member.admin)
    actions.propose(case=case, ground="1.4b", facts=facts, by=reviewer.subject(), at=clock.tick())
    actions.revoke(case=case, by=approver.subject(), at=clock.tick())
    member.membership.refresh_from_db()
    found = queries.revocation(case.number)
    assert found is not None
    return found


def hear(clock: Clock, case: Revocation, reviewer: Actor, admin: Actor | Subject, ground: str = "1.4b") -> None:
    """Tell a member of the intent to revoke; it answers at once, so that the case may go on."""
    by = reviewer.subject()
    actions.give_notice(case=case, ground=ground, text="請於期限前陳述。", by=by, at=clock.tick())
    says = admin if isinstance(admin, Subject) else admin.subject()
    at = clock.tick()
    actions.file_statement(case=case, text="沒有意見。", files=[], key=f"s-{case.pk}-{at}"[:64], by=says, at=at)


def staff(clock: Clock) -> dict[str, Actor]:
    """The coordinator with its people, from an empty database: two granters first, the others by both of them."""
    load_models(by=SYSTEM, at=clock.tick())
    paths = accounts.bootstrap(emails=("granter1@centre.example", "granter2@centre.example"), at=clock.tick())
    first, second = (join(clock, path) for path in paths)
    found = {"granter1": first, "granter2": second}
    centre = coordinator()
    assert centre is not None
    duties = {
        "reviewer": Duty.REVIEWER, "approver": Duty.APPROVER, "approver2": Duty.APPROVER, "analyst": Duty.ANALYST,
        "publisher": Duty.PUBLISHER, "legal": Duty.LEGAL, "auditor": Duty.AUDITOR,
        "privacy_officer": Duty.PRIVACY_OFFICER, "operator": Duty.OPERATOR,
    }  # fmt: skip
    for name, duty in duties.items():
        found[name] = invite(
            clock, first, email=f"{name}@centre.example", name=NAMES[name], organization=centre, role=Role.MEMBER
        )
        grant = accounts.propose_duty(
            person=found[name].person, duty=duty, reason="到職", by=first.subject(), at=clock.tick()
        )
        accounts.grant_duty(grant=grant, by=second.subject(), at=clock.tick())
    return found


def token(
    clock: Clock, owner: Actor, *, max_tlp: str = "AMBER+STRICT", rights: frozenset[Right] = READING
) -> tuple[Token, str]:
    """A token of an administrator's own connection, with its secret."""
    scope = accounts.Scope(name="SIEM", purpose="偵測", max_tlp=max_tlp, rights=rights, days=180)
    return accounts.make_token(affiliation=owner.affiliation, scope=scope, by=owner.subject(), at=clock.tick())


@transaction.atomic
def build() -> World:
    """Make everybody; within a test's transaction they are gone after the test.

    The first call of a process makes them by the real actions. Later ones put the very same rows in again, which takes
    a tenth of the time; whoever wants the actions themselves calls `make`.
    """
    if not _kept:
        before = _marks()
        made = make()
        _kept.append(_Kept(_dump(before), pickle.dumps(made)))
    else:
        _restore(_kept[0].rows)
    again: World = pickle.loads(_kept[0].world)
    return again


def make() -> World:
    """Make everybody by the real actions."""
    clock = Clock()
    crew = staff(clock)
    reviewer, approver = crew["reviewer"], crew["approver"]
    jia = admit(clock, reviewer, approver, name="甲示範電子股份有限公司", place=1)
    yi = admit(clock, reviewer, approver, name="乙示範精密股份有限公司", place=2, kind="tpex")
    bing = admit(clock, reviewer, approver, name="丙示範電信股份有限公司", place=3)
    wu, ji = ("戊示範資訊有限公司", business_number(41)), ("己示範網路有限公司", business_number(42))
    ding = admit(
        clock, reviewer, approver, name="丁示範資安協會", place=4, kind="association",
        constituents=(wu, ji), results={ji[0]: "unverifiable"},
    )  # fmt: skip
    former = admit(clock, reviewer, approver, name="庚示範零售股份有限公司", place=5)
    wu_actor, ji_actor = (
        invite(
            clock, ding.admin, email=f"{name}@m4.example", name="吳舉例", role=Role.MEMBER,
            organization=Organization.objects.get(ubn=number),
        )
        for name, number in (("wu", wu[1]), ("ji", ji[1]))
    )  # fmt: skip
    tokens = {
        name: token(clock, member.admin)
        for name, member in (("jia", jia), ("yi", yi), ("bing", bing), ("former", former))
    }
    revocation = revoke(clock, former, reviewer, approver)
    applicant = send(clock, draft(clock, answers(name="辛示範製藥股份有限公司", place=6, people="m6.example")))
    centre = coordinator()
    assert centre is not None
    return World(
        clock=clock, centre=centre, **crew, jia=jia, yi=yi, bing=bing, ding=ding, former=former, wu=wu_actor,
        ji=ji_actor, applicant=reread(applicant), revocation=revocation, tokens=tokens,
    )  # fmt: skip


# Putting the same rows in again


@dataclass
class _Kept:
    """What the first build of this process wrote."""

    rows: list[_Rows]
    world: bytes


@dataclass
class _Rows:
    """Of one table: its columns, the rows as COPY writes them, and the counter of its ids where it has one."""

    table: str
    columns: str
    content: bytes
    counter: str | None


_kept: list[_Kept] = []
# The guard's own note, written by its triggers for whatever is put in.
_OWN = frozenset({"audit_due"})


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    return sorted(set(names) - _OWN)


def _marks() -> dict[str, list[str]]:
    """Where the rows lie that migrations, or the test before us, brought in."""
    found = {}
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f'SELECT ctid::text FROM "{table}"')
            found[table] = [place for (place,) in cursor.fetchall()]
    return found


def _dump(before: dict[str, list[str]]) -> list[_Rows]:
    """Every row that came since."""
    found = []
    with connection.cursor() as cursor:
        for table in _tables():
            if table == "policy_epoch":
                continue
            described = connection.introspection.get_table_description(cursor, table)
            columns = ", ".join(f'"{column.name}"' for column in described)
            fresh = f'SELECT {columns} FROM "{table}" WHERE ctid::text <> ALL(%s)'
            with cursor.copy(f"COPY ({fresh}) TO STDOUT", [before[table]]) as stream:
                rows = b"".join(bytes(part) for part in stream)
            if rows:
                found.append(_Rows(table, columns, rows, _counter(cursor, table)))
    return found


def _counter(cursor: Any, table: str) -> str | None:
    cursor.execute("SELECT pg_get_serial_sequence(%s, 'id') FROM information_schema.columns"
                   " WHERE table_name = %s AND column_name = 'id'", [table, table])  # fmt: skip
    row = cursor.fetchone()
    return None if row is None else row[0]


def _restore(kept: list[_Rows]) -> None:
    with connection.cursor() as cursor:
        for each in kept:
            with cursor.copy(f'COPY "{each.table}" ({each.columns}) FROM STDIN') as stream:
                stream.write(each.content)
            if each.counter is not None:
                _advance(cursor, each.table, each.counter)
    bump_policy()


def _advance(cursor: Any, table: str, counter: str) -> None:
    """Move a table's counter past the rows put in: a cluster that was reset counts from the beginning again."""
    cursor.execute(f'SELECT max(id) - nextval(%s) FROM "{table}"', [counter])
    behind = cursor.fetchone()[0] or 0
    if behind > 0:
        cursor.execute("SELECT max(nextval(%s)) FROM generate_series(1, %s)", [counter, behind])
