"""The primary is killed under load and the standby promoted: what was acknowledged is there, and work goes on.

The product runs as it does at an operator's: `./run --no-demo` with both hosts in DATABASE_URL, gunicorn and the
worker in processes of their own. The clients' own log is the truth.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections, transaction

from config.postgresql.base import NotReplicated
from lianfang import deploy, health
from lianfang.accounts.actions import Scope, make_token
from lianfang.audit import sequencer
from lianfang.audit.models import Entry
from lianfang.audit.verify import verify
from lianfang.exchange.actions import set_profile
from lianfang.intel.models import Version
from lianfang.intel.positions import INDEX
from lianfang.members.models import Application, Membership
from lianfang.outbox.models import Delivery
from lianfang.policy import sql
from lianfang.policy.facts import AudienceKind, NameSource
from lianfang.policy.store import bump_policy
from tests.faults.storm import OBJECTS, TAXII, bundle
from tests.goals import goal
from tests.outbox.conftest import Folder, folder_server  # noqa: F401 - a fixture
from tests.platform.pair import Pair, until
from tests.platform.running import Run
from tests.world import READING, World, answers, build, draft, review, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]


@dataclass
class Clients:
    """Machines that share and read, and a person who decides; each notes what was acknowledged, and when."""

    url: str
    secret: str
    session: str
    cases: list[str]
    codes: list[str]
    taken: list[tuple[str, float]] = field(default_factory=list)
    decided: list[tuple[str, float]] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for body in (self._share, self._share, self._read, self._decide):
            thread = threading.Thread(target=body, daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def _key(self) -> dict[str, str]:
        return TAXII | {"Authorization": f"Bearer {self.secret}"}

    def _share(self) -> None:
        """One object after another; the same again until it is acknowledged."""
        with requests.Session() as http:
            while not self.ended.is_set():
                identity = f"indicator--{uuid4()}"
                body = bundle(identity)
                while not self.ended.is_set():
                    try:
                        answer = http.post(self.url + OBJECTS, data=body, headers=self._key(), timeout=30)
                    except requests.RequestException as error:
                        self._note(self.refused, type(error).__name__)
                    else:
                        if answer.status_code == 202 and answer.json()["success_count"] == 1:
                            self._note(self.taken, (identity, time.monotonic()))
                            break
                        self._note(self.refused, f"{answer.status_code} {answer.text[:200]}")
                    time.sleep(0.05)

    def _read(self) -> None:
        """Pages of what was shared in the last minutes: nothing may be shown that is lost afterwards."""
        with requests.Session() as http:
            since = (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
            query = f"?added_after={since}&limit=1000"
            while not self.ended.is_set():
                try:
                    answer = http.get(self.url + OBJECTS + query, headers=self._key(), timeout=30)
                    if answer.status_code == 200:
                        found = {one["id"] for one in answer.json().get("objects", [])}
                        # Definitions of markings come with each collection and are nobody's items.
                        self.read |= {one for one in found if one.startswith("indicator--")}
                except requests.RequestException:
                    pass
                time.sleep(0.05)

    def _decide(self) -> None:
        """Approvals, each signed with a code of its own; one whose answer was lost is not signed again."""
        with requests.Session() as http:
            http.cookies.set("session", self.session)
            http.cookies.set("csrftoken", "c" * 32)
            for number in self.cases:
                if self.ended.is_set():
                    return
                form = {"reasons": "eligible", "sign": "1", "second_factor_code": self.codes.pop()}
                try:
                    answer = http.post(
                        f"{self.url}/staff/cases/{number}/decide/approve",
                        data=form, headers={"X-CSRFToken": "c" * 32}, timeout=30, allow_redirects=False,
                    )  # fmt: skip
                except requests.RequestException as error:
                    self._note(self.refused, type(error).__name__)
                else:
                    if answer.status_code == 302 and number in answer.headers["Location"]:
                        self._note(self.decided, (number, time.monotonic()))
                    else:
                        told = re.findall(r'class="errmsg"[^>]*>([^<]*)', answer.text)
                        self._note(self.refused, f"decision {answer.status_code} {told}")
                time.sleep(0.3)

    def _note(self, where: list[Any], what: Any) -> None:
        with self.lock:
            where.append(what)


@dataclass
class Site:
    """The pair, the product on it, and a world within."""

    pair: Pair
    run: Run
    world: World
    secret: str
    mail: Folder
    cases: int = 0

    def clients(self, *, decisions: int) -> Clients:
        cases = [self._case() for _ in range(decisions)]
        from allauth.mfa.models import Authenticator
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        # A signature whose answer the kill took away counts as a wrong one; a few of them would close the question.
        cache.clear()
        account = self.world.approver.account
        Authenticator.objects.filter(user=account, type=Authenticator.Type.RECOVERY_CODES).delete()
        codes = list(RecoveryCodes.activate(account).get_unused_codes())
        browser = self.world.client(self.world.approver)
        session = browser.cookies[settings.SESSION_COOKIE_NAME].value
        return Clients(f"http://localhost:{self.run.port}", self.secret, session, cases, codes)

    def _case(self) -> str:
        """An application that waits for its decision."""
        from lianfang.members import actions

        self.cases += 1
        world = self.world
        pages = answers(name=f"丑示範{self.cases}股份有限公司", place=200 + self.cases, people=f"t{self.cases}.example")
        application = review(world.clock, send(world.clock, draft(world.clock, pages)), world.reviewer)
        by = world.approver.subject()
        actions.declare_conflict(case=application, conflict=False, by=by, at=world.clock.tick())
        return str(application.number)


@pytest.fixture
def site(
    transactional_db: None,
    base: Path,
    folder_server: Folder,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Site]:
    pair = Pair(base)
    kept = connections["default"].settings_dict["HOST"], dict(connections["default"].settings_dict["OPTIONS"])
    _forget()
    try:
        pair.begin()
        ours = connections["default"].settings_dict
        ours["HOST"] = ",".join(str(one.sockets) for one in pair.both)
        ours["OPTIONS"] = {**kept[1], "target_session_attrs": "read-write"}
        world = build()
        world.clock.at = datetime.now(UTC) - timedelta(hours=1)
        jia = world.jia.admin
        set_profile(
            by=jia.subject(), at=world.clock.tick(), audience=AudienceKind.ALLIANCE,
            name_source=NameSource.EVERYONE, warranted=True,
        )  # fmt: skip
        scope = Scope(name="SIEM", purpose="偵測", max_tlp="AMBER+STRICT", rights=READING, days=180)
        _, secret = make_token(affiliation=jia.affiliation, scope=scope, by=jia.subject(), at=world.clock.tick())
        run = Run(
            tmp_path / "data", "--no-demo", DATABASE_URL=pair.url("lf_app"), DATABASE_OWNER_URL=pair.url("lf_owner"),
            LIANFANG_KEY_FILE=str(settings.KEY_FILE), LIANFANG_SECRET_KEY=settings.SECRET_KEY,
            EMAIL_URL=f"smtp://127.0.0.1:{folder_server.port}",
        )  # fmt: skip
        try:
            run.ready()
            yield Site(pair, run, world, secret, folder_server)
        finally:
            run.stop()
    finally:
        connections.close_all()
        connections["default"].settings_dict["HOST"], connections["default"].settings_dict["OPTIONS"] = kept
        pair.stop()
        _forget()


def _forget() -> None:
    """What this process knows of another database."""
    connections.close_all()
    INDEX.clear()
    sql.forget()
    sequencer._horizon.tx = 0


def fail_over(site: Site, *, decisions: int, seconds: float) -> tuple[float, Clients]:
    """Load, kill, promote, load; return the seconds from the kill to the next acknowledged submission."""
    clients = site.clients(decisions=decisions)
    clients.start()
    try:
        until(lambda: len(clients.taken) >= 5 and bool(clients.decided), "no load", 90)
    except AssertionError:
        with site.pair.primary.connect() as admin:
            asked = "SELECT usename, state, wait_event_type, wait_event, left(query, 60) FROM pg_stat_activity"
            doing = admin.execute(f"{asked} WHERE usename = 'lf_app' AND state <> 'idle'").fetchall()
        raise AssertionError(
            f"{len(clients.taken)} shared, {len(clients.decided)} decided, {clients.refused[-3:]}, {doing}"
        ) from None
    time.sleep(seconds)
    killed = time.monotonic()
    site.pair.kill()
    site.pair.promote()
    connections.close_all()
    until(lambda: any(at > killed for _, at in clients.taken), f"no work after it: {clients.refused[-3:]}", 60)
    back = min(at for _, at in clients.taken if at > killed) - killed
    until(lambda: sum(at > killed for _, at in clients.taken) >= 5, "work stopped again")
    clients.stop()
    return back, clients


def accounts_agree(clients: Clients) -> None:
    """What was acknowledged, or shown to a reader, is there once."""
    there = {stix_id: 0 for stix_id, _ in clients.taken}
    for stix_id in Version.objects.filter(item__stix_id__in=there).values_list("item__stix_id", flat=True):
        there[stix_id] += 1
    assert {stix_id: n for stix_id, n in there.items() if n != 1} == {}, "lost or twice"
    ours = set(Version.objects.values_list("item__stix_id", flat=True))
    assert clients.read <= ours, "shown to a reader, and lost"
    for number, _ in clients.decided:
        application = Application.objects.get(number=number)
        assert application.state == "approved", number
        assert Membership.objects.filter(application=application, state="active").count() == 1


def the_worker_works(site: Site) -> None:
    """Mails leave, entries get their place, by the worker that was there before or the one that came after."""
    until(lambda: not Entry.objects.filter(leaf=None).exists(), "the sequencer stands still", 90)
    until(lambda: not Delivery.objects.filter(state="queued").exists(), "the outbox stands still", 90)
    until(lambda: json.loads(site.run.get("/readyz")[1])["ready"], site.run.get("/readyz")[1], 90)


def test_a_failover_under_load_loses_nothing_and_needs_nobody(site: Site) -> None:
    assert health.synchronous() == "FIRST 1 (b)"
    back, clients = fail_over(site, decisions=3, seconds=1.0)
    accounts_agree(clients)
    assert back < 30

    # Alone and unprotected, which is said where operators look.
    assert "warning" in json.loads(site.run.get("/readyz")[1])["checks"]["replication"]["said"]
    (found,) = (check for check in deploy.findings() if check.name == "standby")
    assert not found.ok
    assert "2 hosts" in found.said

    site.pair.rejoin()
    assert all(check.ok for check in deploy.findings() if check.name in ("standby", "way to the server"))
    assert "FIRST 1 (a)" in json.loads(site.run.get("/readyz")[1])["checks"]["replication"]["said"]
    the_worker_works(site)
    assert verify().ok
    a_wait_that_is_broken_off_is_no_success(site)


def a_wait_that_is_broken_off_is_no_success(site: Site) -> None:
    """The standby goes away, the wait is cancelled; PostgreSQL says that it committed, and we say that it failed."""
    site.pair.standby.stop()
    raised: list[BaseException] = []

    def write() -> None:
        try:
            with transaction.atomic():
                bump_policy()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    def post() -> None:
        clients = Clients(f"http://localhost:{site.run.port}", site.secret, "", [], [])
        body = bundle(f"indicator--{uuid4()}")
        answer = requests.post(clients.url + OBJECTS, data=body, headers=clients._key(), timeout=60)
        raised.append(RuntimeError(str(answer.status_code)))

    asked = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'lf_app'"
    with site.pair.primary.connect() as admin:
        for act in (write, post):
            thread = threading.Thread(target=act)
            thread.start()
            until(lambda: admin.execute(asked).fetchone() is not None, "nothing waits")
            while thread.is_alive():
                for (pid,) in admin.execute(asked).fetchall():
                    admin.execute("SELECT pg_cancel_backend(%s)", [pid])
                time.sleep(0.05)
        # As the handbook says: going on alone is a decision, and what waits goes on with it.
        admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
        admin.execute("SELECT pg_reload_conf()")
    assert isinstance(raised[0], NotReplicated), raised
    assert str(raised[1]) == "500", "a 202 for what one server alone holds"
    connections.close_all()


@pytest.mark.long
def test_twenty_failovers(site: Site) -> None:
    waits: list[float] = []
    shared = decided = 0
    with goal("failovers under load, nothing acknowledged lost") as counted:
        for _ in range(20):
            back, clients = fail_over(site, decisions=2, seconds=0.5)
            accounts_agree(clients)
            waits.append(back)
            shared, decided = shared + len(clients.taken), decided + len(clients.decided)
            site.pair.rejoin()
            counted.count += 1
        the_worker_works(site)
        assert verify().ok
        waits.sort()
        counted.also = (
            f"{shared} submissions and {decided} decisions acknowledged, "
            f"back after {waits[10]:.1f} s (median), {waits[-1]:.1f} s (longest)"
        )
    assert waits[18] < 30
