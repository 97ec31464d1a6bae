"""Web, worker and PostgreSQL are killed at every named place, in any order: nothing lost, nothing twice, all in order.

PostgreSQL is a private one as it is set in production; it dies with all its processes, recovers from its log of
writes, and the web process goes on without being started again.
"""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from lianfang.accounts.models import Organization
from lianfang.audit import sequencer
from lianfang.audit.failpoints import NAMES
from lianfang.audit.models import BatchedReceipt, Entry, Leaf
from lianfang.audit.verify import verify
from lianfang.exchange.models import Reach
from lianfang.intel import queries
from lianfang.intel.models import Embargo, LogEntry, Receipt, SearchRow, Submission, Version
from lianfang.intel.positions import INDEX
from lianfang.intel.receipts import versions_of
from lianfang.kernel.clock import utcnow
from lianfang.mailroom.models import Mail
from lianfang.members.models import Application, Attestation, Decision, Membership
from lianfang.outbox import sender
from lianfang.outbox.actions import LEASE
from lianfang.outbox.models import Delivery
from lianfang.policy import sql
from lianfang.policy.facts import Channel, Request
from tests.database import PLACE
from tests.faults.durable import durable
from tests.faults.storm import WEB, Storm, word
from tests.goals import goal
from tests.mailroom.conftest import Box, box, imap_server  # noqa: F401 - fixtures
from tests.outbox.conftest import Folder, folder_server  # noqa: F401 - a fixture
from tests.world import build

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
WORKER = sorted(set(NAMES) - set(WEB))


@pytest.fixture
def storm(
    transactional_db: None,
    folder_server: Folder,  # noqa: F811
    box: Box,  # noqa: F811
    tmp_path: Path,
    settings: Any,
) -> Iterator[Storm]:
    """A site, a worker's work and a durable database."""
    settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", folder_server.port
    INDEX.clear()
    sql.forget()
    # What this process knows of the ledger of another database: numbers of transactions begin anew in this one.
    sequencer._horizon.tx = 0
    below = PLACE / f"storm-{tmp_path.name}"
    below.mkdir()
    below.chmod(0o711)
    with durable(below) as cluster:
        (tmp_path / "marks").mkdir()
        made = Storm(build(), cluster, box, tmp_path / "marks", random.Random(0))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            assert cursor.fetchone() == ("on", "on")
        try:
            yield made
        finally:
            made.stop()
            connections.close_all()
            sequencer._horizon.tx = 0
    shutil.rmtree(below, ignore_errors=True)


def rounds(web: int, worker: int, dice: random.Random) -> list[tuple[str, str]]:
    """Every place with whatever can be killed there, so often, in any order."""
    made = [(victim, place) for place in WEB for victim in ("web", "database")] * web
    made += [(victim, place) for place in WORKER for victim in ("worker", "database")] * worker
    dice.shuffle(made)
    return made


def weather(storm: Storm, mail: Folder, *, web: int, worker: int, seed: int) -> None:
    """The rounds, then a second worker, then the accounts."""
    storm.dice.seed(seed)
    planned = rounds(web, worker, storm.dice)
    with goal("kills at every failpoint", seed=seed) as counted:
        for victim, place in planned:
            storm.round(victim, place)
            counted.count += 1
        _accounts(storm, mail, planned)


def _accounts(storm: Storm, mail: Folder, planned: list[tuple[str, str]]) -> None:
    assert storm.kills == Counter(planned)
    assert {place for _, place in storm.kills} == set(NAMES), "a failpoint at which nothing was ever killed"
    assert storm.web_starts == 1 + sum(1 for victim, _ in planned if victim == "web")
    storm.finish()
    until(_settled)
    # What was being sent when its sender died is of unknown fate as soon as its lease has run out.
    sender.sweep(at=utcnow() + LEASE + timedelta(seconds=1))
    submissions_are_there_once(storm)
    cases_are_there_once(storm)
    mails_left_once(storm, mail)
    mails_came_in_once(storm)
    reads_are_covered(storm)
    the_ledger_is_whole()


def until(so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for the worker."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "the second worker did not finish"
        time.sleep(0.05)


def _settled() -> bool:
    waiting = Delivery.objects.filter(state="queued").exists()
    unopened = Embargo.objects.filter(opened_at=None).exists()
    drafts = Application.objects.filter(state="draft", expires_at__lte=utcnow()).exists()
    return not (waiting or unopened or drafts or Version.objects.filter(search=None).exists() or _unnumbered())


def _unnumbered() -> bool:
    return Entry.objects.filter(leaf=None).exists()


def submissions_are_there_once(storm: Storm) -> None:
    """Every object has one version, one submission, its lines, and is found by the reader's search."""
    all_ = storm.log.taken + storm.log.embargoed
    assert sorted(Version.objects.values_list("item__stix_id", flat=True)) == sorted(all_)
    assert Submission.objects.count() == len(all_)
    lines = Counter(LogEntry.objects.values_list("version__item__stix_id", flat=True))
    # Under an embargo a line for the source alone comes first; the open one follows once.
    assert lines == {**dict.fromkeys(storm.log.taken, 1), **dict.fromkeys(storm.log.embargoed, 2)}
    assert SearchRow.objects.count() == len(all_)
    INDEX.clear()
    reader, at = storm.world.yi.admin, utcnow()
    for identity in all_:
        found = queries.search(
            subject=reader.subject(at), at=at, request=Request(channel=Channel.PAGE), text=word(identity)
        )
        assert [item.stix_id for item in found.items] == [identity]


def cases_are_there_once(storm: Storm) -> None:
    """A receipt number is one case; an approval is one organisation, membership, decision, and one invitation each."""
    sent, approved = storm.log.receipts, storm.log.approved
    found = Application.objects.filter(pk__in=sent)
    assert {str(one.pk): one.number for one in found} == sent
    assert set(found.values_list("state", flat=True)) == {"submitted"}
    assert len(set(sent.values())) == len(sent)
    for case in [*sent, *approved]:
        assert Attestation.objects.filter(application=case).count() == 1
    assert set(Application.objects.filter(pk__in=approved).values_list("state", flat=True)) <= {"approved"}
    for model in (Membership, Decision):
        assert model.objects.filter(application__in=approved).count() == len(approved)
    joined = Organization.objects.filter(memberships__application__in=approved)
    assert joined.count() == joined.distinct().count() == len(approved)
    kinds = Counter(Delivery.objects.filter(created_at__gt=storm.began).values_list("kind", flat=True))
    erased = Application.objects.filter(pk__in=storm.log.expired, state="expired", vault_key__wrapped=None)
    assert erased.count() == len(storm.log.expired)
    assert kinds["N1"] == len(sent) + len(approved)
    assert kinds["N3"] == len(approved)
    assert kinds["invitation"] == 3 * len(approved)


def mails_left_once(storm: Storm, mail: Folder) -> None:
    """Each mail arrived once, or is said to be unknown; only what a draft held that expired meanwhile stays here."""
    withheld = Delivery.objects.filter(state="withheld")
    assert not withheld.exclude(vault_key__wrapped=None).exists()
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"sent", "unknown", "withheld"}
    arrived = Counter(str(one["Message-ID"]) for one in mail.mails())
    assert max(arrived.values()) == 1, "a mail was sent twice"
    sent = {one.message_id for one in Delivery.objects.filter(state="sent")}
    unknown = {one.message_id for one in Delivery.objects.filter(state="unknown")}
    assert sent <= set(arrived) <= sent | unknown
    # Only where a worker, or its database, died over a mail can nobody know.
    assert len(unknown) <= sum(times for (victim, place), times in storm.kills.items() if place in WORKER)


def mails_came_in_once(storm: Storm) -> None:
    """Every mail of the mailbox is there, once, and has been moved away."""
    until(lambda: not storm.box.holds())
    assert Mail.objects.count() == storm.log.written == len(storm.box.holds("Lianfang-taken"))


def reads_are_covered(storm: Storm) -> None:
    """What a reader was given is in a receipt, or under the durable row that says how far it may have read."""
    token = storm.world.tokens["yi"][0].pk
    exact = {
        stix_id
        for receipt in Receipt.objects.filter(token=token)
        for stix_id in versions_of(receipt).values_list("item__stix_id", flat=True)
    }
    reach = Reach.objects.get(token=token)
    under = LogEntry.objects.filter(position__lte=reach.head).values_list("version__item__stix_id", flat=True)
    assert storm.log.read
    assert storm.log.read <= exact | set(under)
    placed = BatchedReceipt.objects.values_list("receipt", flat=True)
    assert len(placed) == len(set(placed))


def the_ledger_is_whole() -> None:
    """Each entry is one leaf, and everything that was ever signed still holds."""
    until(lambda: not _unnumbered())
    assert Leaf.objects.count() == Leaf.objects.values("entry").distinct().count()
    report = verify()
    assert report.ok, [problem.words.en for problem in report.problems]


def test_whatever_is_killed_wherever(storm: Storm, folder_server: Folder) -> None:  # noqa: F811
    weather(storm, folder_server, web=2, worker=1, seed=20261124)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(1, 14))
def test_whatever_is_killed_wherever_hundreds_of_times(storm: Storm, folder_server: Folder, seed: int) -> None:  # noqa: F811
    weather(storm, folder_server, web=6, worker=6, seed=seed)
