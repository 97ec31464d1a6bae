"""Members submit, organisations apply, staff approve, the worker works; and something is killed at a named place.

The client's log is the truth: it holds what was acknowledged (the 202, the receipt number, the page that follows a
decision) and what a reader was given. What was not acknowledged is asked for again, with the same body or key.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from typing import Any

import requests
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection, transaction
from procrastinate.exceptions import AlreadyEnqueued

from lianfang.audit.tasks import batch_receipts
from lianfang.embedded import Cluster
from lianfang.exchange.actions import set_profile
from lianfang.intel import intake, wake
from lianfang.intel import tasks as intel_tasks
from lianfang.intel.labelling import LabelForm
from lianfang.mailroom import tasks as mailroom_tasks
from lianfang.members.models import Application
from lianfang.members.tasks import erase_drafts
from lianfang.outbox import tasks as outbox_tasks
from lianfang.policy.facts import Audience, AudienceKind, Channel, NameSource, Tlp
from tests.faults import durable
from tests.faults.site import Site, browser, reached, send, worker
from tests.mailroom import mails
from tests.mailroom.conftest import Box
from tests.world import BEGIN, Actor, Clock, World, answers, draft, reread, review
from tests.world import send as send_application

TAXII = {"Content-Type": "application/taxii+json;version=2.1", "Accept": "application/taxii+json;version=2.1"}
OBJECTS = "/taxii2/alliance/collections/all/objects/"
INTEL = ("intel.submit.before-commit", "intel.submit.after-commit")
APPLY = ("members.submit.before-commit", "members.submit.after-commit")
APPROVE = ("members.approve.before-commit", "members.approve.after-commit")
WEB = INTEL + APPLY + APPROVE


def bundle(identity: str) -> bytes:
    """A body with one indicator."""
    made = {
        "type": "indicator", "spec_version": "2.1", "id": identity, "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z", "name": word(identity), "indicator_types": ["malicious-activity"],
        "pattern": "[ipv4-addr:value = '198.51.100.1']", "pattern_type": "stix", "valid_from": "2026-11-01T00:00:00Z",
    }  # fmt: skip
    return json.dumps({"objects": [made]}).encode()


def word(identity: str) -> str:
    """The one word by which a search finds an object."""
    return f"storm{identity[-12:]}"


@dataclass
class Log:
    """What the clients know."""

    taken: list[str] = field(default_factory=list)
    """Objects for which a 202 came."""
    embargoed: list[str] = field(default_factory=list)
    receipts: dict[str, str] = field(default_factory=dict)
    """Application -> the number that its applicant was told."""
    approved: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    """Drafts whose time was over when they were made."""
    written: int = 0
    """Mails that lay in the centre's mailbox."""
    read: set[str] = field(default_factory=set)
    """Objects that the reader was given."""
    again: Counter[str] = field(default_factory=Counter)
    """What had to be asked for once more, by place."""


@dataclass
class Storm:
    """One world, its processes, and what was done to them."""

    world: World
    cluster: Cluster
    box: Box
    folder: Path
    dice: random.Random
    site: Site = field(init=False)
    worker: BaseProcess | None = None
    log: Log = field(default_factory=Log)
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(what was killed, at which place) -> how often."""
    web_starts: int = 0
    began: datetime = field(init=False)
    """Before anything of the storm, by the clock of the cast."""
    _count: int = 0

    def __post_init__(self) -> None:
        self.site = Site(arms=self.folder / "arms")
        world = self.world
        self.began = world.clock.at
        set_profile(
            by=world.jia.admin.subject(), at=world.clock.tick(), audience=AudienceKind.ALLIANCE,
            name_source=NameSource.EVERYONE, warranted=True,
        )  # fmt: skip
        self._start_web()

    def round(self, victim: str, place: str) -> None:
        """Kill `victim` (web, worker or database) at `place` while the deed that leads there is done."""
        deed = {INTEL: self._submit, APPLY: self._apply, APPROVE: self._approve}
        done = next((act for places, act in deed.items() if place in places), None)
        if done is not None:
            done(victim, place)
        else:
            self._work(victim, place)
        self.kills[victim, place] += 1

    # -- what clients do ---------------------------------------------------------------------------------------------

    def _submit(self, victim: str = "", place: str = "") -> None:
        token, secret = self.world.tokens["jia"]
        identity = self._identity()

        def hand_in() -> requests.Response:
            body, auth = bundle(identity), (str(token.pk), secret)
            return requests.post(self.site.url + OBJECTS, data=body, headers=TAXII, auth=auth, timeout=60)

        if victim == "database":
            self._read()
        answer = self._struck(victim, place, hand_in)
        if answer is None or answer.status_code != 202:
            self.log.again[place] += 1
            answer = send(hand_in)
            assert answer is not None
            assert answer.status_code == 202, answer.text
        assert answer.json()["failure_count"] == 0
        self.log.taken.append(identity)

    def _identity(self) -> str:
        return f"indicator--{uuid.UUID(int=self.dice.getrandbits(128), version=4)}"

    def _read(self) -> None:
        token, secret = self.world.tokens["yi"]
        answer = requests.get(self.site.url + OBJECTS, headers=TAXII, auth=(str(token.pk), secret), timeout=60)
        assert answer.status_code == 200
        given = answer.json().get("objects", [])
        # The standard's own definitions of markings come along with what they mark: they are public and in no line.
        self.log.read |= {each["id"] for each in given if each["type"] != "marking-definition"}

    def _apply(self, victim: str = "", place: str = "") -> None:
        application = self._draft()
        client = self.world.client(None)
        session = client.session
        session["application"] = str(application.pk)
        session.save()
        applicant = browser(client.cookies["session"].value)
        form = review_form(applicant.get(f"{self.site.url}/apply/step/review", timeout=60).text)

        def ask() -> requests.Response:
            return applicant.post(f"{self.site.url}/apply/step/review", data=form, timeout=60)

        number = _receipt(self._struck(victim, place, ask))
        if number is None:
            self.log.again[place] += 1
            answer = send(ask)
            assert answer is not None
            number = _receipt(answer)
            if number is None:
                # Sent before the answer broke off: the receipt is there for this browser.
                number = reread(application).number
                answer = applicant.get(f"{self.site.url}/apply/receipt/{number}", timeout=60)
                assert str(number) in answer.text
            assert answer.status_code == 200
        self.log.receipts[str(application.pk)] = str(number)

    def _approve(self, victim: str = "", place: str = "") -> None:
        world, approver = self.world, self.dice.choice([self.world.approver, self.world.approver2])
        application = review(world.clock, send_application(world.clock, self._draft()), world.reviewer)
        signed_in = browser(world.client(approver).cookies["session"].value)
        case = f"{self.site.url}/staff/cases/{application.number}"
        signed_in.post(f"{case}/conflict", data={"conflict": "no", "reason": ""}, timeout=60)

        def ask() -> requests.Response:
            form: dict[str, Any] = {"reasons": "eligible", "sign": "1", "second_factor_code": _code(approver)}
            return signed_in.post(f"{case}/decide/approve", data=form, timeout=60)

        answer = self._struck(victim, place, ask)
        if answer is None or not answer.history:
            self.log.again[place] += 1
            again = send(ask)
            assert again is not None
            assert again.history or reread(application).state == "approved", again.text[:3000]
        self.log.approved.append(str(application.pk))

    def _draft(self, clock: Clock | None = None) -> Application:
        self._count += 1
        name, people = f"子示範{self._count}股份有限公司", f"s{self._count}.example"
        return draft(clock or self.world.clock, answers(name=name, place=100 + self._count, people=people))

    # -- the worker --------------------------------------------------------------------------------------------------

    def _work(self, victim: str, place: str) -> None:
        """A worker begins what waits, and dies at it, or loses its database; meanwhile the clients go on."""
        work = {
            "audit.after-leaves": self._submit, "audit.receipts.before-commit": self._receipt,
            "intel.embargo.before-commit": self._embargo, "intel.index.before-commit": self._submit,
            "mailroom.take.after-commit": self._mail, "mailroom.take.before-commit": self._mail,
            "members.erase.before-commit": self._old_draft,
        }  # fmt: skip
        work.get(place, self._apply)()
        environment, marker = self._armed(victim, place, own="worker")
        self.worker = worker(**environment)
        # Held there, it holds the locks of the exchange log and of the epoch: who writes there waits.
        locked = place == "intel.embargo.before-commit"
        self.dice.choice([self._apply] if locked else [self._submit, self._apply, self._approve])()
        signal = reached(self.worker, place)
        assert marker.exists(), f"the worker ended elsewhere than at {place}"
        if signal == SIGSTOP:
            durable.kill(self.cluster)
            _signal(self.worker, SIGCONT)
            durable.restart(self.cluster)
        self._end_worker()

    def _embargo(self) -> None:
        """An object whose embargo ended before the machine's present."""
        world = self.world
        identity = self._identity()
        form = LabelForm(
            tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=NameSource.EVERYONE,
            not_before=world.clock.at + timedelta(minutes=1),
        )  # fmt: skip
        by, at = world.jia.admin.subject(), world.clock.tick()
        intake.submit(by=by, at=at, body=bundle(identity), form=form, channel=Channel.PAGE)
        self.log.embargoed.append(identity)
        wake.open_embargoes()

    def _old_draft(self) -> None:
        self.log.expired.append(str(self._draft(Clock(BEGIN - timedelta(days=60))).pk))
        _ask(erase_drafts)

    def _mail(self) -> None:
        self.log.written += 1
        self.box.put(mails.mail(message_id=f"<{self.log.written}@storm.example>"))
        _ask(mailroom_tasks.fetch_mail)

    def _receipt(self) -> None:
        self._submit()
        self._read()
        _ask(batch_receipts)

    def _end_worker(self) -> None:
        """Whatever it was doing it leaves as it is; the queue hears no more of it."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.join(20)
        self.worker = None

    def finish(self) -> None:
        """A second worker does what was left behind: what the schedule would bring within minutes is asked for now."""
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
        for task in (outbox_tasks.revive_stalled, outbox_tasks.sweep, intel_tasks.sweep, mailroom_tasks.fetch_mail):
            _ask(task)
        self.worker = worker()

    def stop(self) -> None:
        """End what still runs."""
        self.site.stop()
        if self.worker is not None:
            _signal(self.worker, SIGTERM)
            self.worker.join(30)
            self.worker.kill()

    # -- killing -----------------------------------------------------------------------------------------------------

    def _struck(self, victim: str, place: str, ask: Callable[[], requests.Response]) -> requests.Response | None:
        """Ask while the web is armed; return the answer, None where it broke off."""
        if not victim:
            return send(ask)
        environment, marker = self._armed(victim, place, own="web")
        self.site.arm(**environment)
        answers: list[requests.Response | None] = []
        asking = threading.Thread(target=lambda: answers.append(send(ask)), daemon=True)
        asking.start()
        assert self.site.child is not None
        signal = reached(self.site.child, place)
        assert marker.exists(), f"the web ended elsewhere than at {place}"
        self.site.arm()
        if signal == SIGKILL:
            assert self.site.died()
            asking.join(30)
            self._start_web()
        else:
            durable.kill(self.cluster)
            _signal(self.site.child, SIGCONT)
            # The answer leaves while there is no database: what it says must be true all the same.
            asking.join(30)
            durable.restart(self.cluster)
            assert self.site.child.is_alive(), "the web went down with its database"
        assert len(answers) == 1
        return answers[0]

    def _armed(self, victim: str, place: str, *, own: str) -> tuple[dict[str, str], Path]:
        folder = self.folder / f"{sum(self.kills.values())}"
        folder.mkdir()
        signal = "KILL" if victim == own else "STOP"
        environment = {"LIANFANG_FAILPOINT": place, "LIANFANG_FAILPOINT_DIR": str(folder)}
        return environment | {"LIANFANG_FAILPOINT_SIGNAL": signal}, folder / f"lianfang-failpoint-{place}"

    def _start_web(self) -> None:
        self.site.start()
        self.web_starts += 1


def _ask(task: Any) -> None:
    """Have the worker do now what its schedule would bring, unless it is asked already."""
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        task.defer(timestamp=0)


def review_form(page: str) -> dict[str, str]:
    """What the last page of an application sends."""
    hidden = {
        name: re.search(rf'name="{name}" value="([^"]+)"', page).group(1)  # type: ignore[union-attr]
        for name in ("key", "charter", "privacy")
    }
    return {**hidden, "accept_charter": "on", "accept_privacy": "on", "electronic": "agree"}


def _receipt(answer: requests.Response | None) -> str | None:
    """The number that the answer led to, even where the page behind it could not be shown."""
    led = re.search(r"/apply/receipt/([^/?]+)", answer.url) if answer is not None else None
    return led.group(1) if led else None


def _code(actor: Actor) -> str:
    """A code that signs; a new set of them where the last was used."""
    if not actor.codes:
        Authenticator.objects.filter(user=actor.account, type=Authenticator.Type.RECOVERY_CODES).delete()
        actor.codes += RecoveryCodes.activate(actor.account).get_unused_codes()
    return actor.code()


def _signal(child: BaseProcess, number: int) -> None:
    if child.pid is not None and child.is_alive():
        os.kill(child.pid, number)
