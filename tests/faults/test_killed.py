"""The web process is killed while it takes in intelligence, applications and approvals: nothing lost, nothing twice.

Acknowledged is what the client was told: the 202, the receipt number, the page after the decision. The client asks
again after a broken answer, with the same body or the same one-use key; its own log is the truth.
`test_storm` kills the worker and the database as well, and in any order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connections

from lianfang.intel.models import Version
from lianfang.intel.positions import INDEX
from lianfang.members.models import Application, Decision, Membership
from lianfang.policy import sql
from tests.faults.site import Site, browser, send
from tests.faults.storm import OBJECTS, TAXII, bundle, review_form
from tests.goals import goal
from tests.world import World, answers, build, draft, reread, review
from tests.world import send as send_application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def world(transactional_db: None) -> World:
    """The cast, committed."""
    return build()


@pytest.fixture
def site() -> Iterator[Site]:
    """A site without a process yet."""
    INDEX.clear()
    sql.forget()
    made = Site()
    yield made
    made.stop()
    connections.close_all()


def submit_killed(site: Site, world: World, rounds: int, folder: Path) -> list[str]:
    """Hand in one object a round, each time killing the process that takes it; return what was acknowledged."""
    token, secret = world.tokens["jia"]
    acknowledged = []
    for number in range(rounds):
        place = f"intel.submit.{('before', 'after')[number % 2]}-commit"
        identity = f"indicator--{uuid.uuid4()}"

        def hand_in(body: bytes = bundle(identity)) -> requests.Response:
            return requests.post(site.url + OBJECTS, data=body, headers=TAXII, auth=(str(token.pk), secret), timeout=60)

        marks = folder / str(number)
        marks.mkdir()
        site.start(LIANFANG_FAILPOINT=place, LIANFANG_FAILPOINT_DIR=str(marks))
        assert send(hand_in) is None
        assert site.died()
        site.start()
        answer = send(hand_in)
        assert answer is not None
        assert answer.status_code == 202, answer.text
        assert answer.json()["failure_count"] == 0
        acknowledged.append(identity)
        site.stop()
    return acknowledged


def each_once(identities: list[str]) -> None:
    """Every acknowledged object is there, in one version."""
    found = list(Version.objects.filter(item__stix_id__in=identities).values_list("item__stix_id", flat=True))
    assert sorted(found) == sorted(identities)


def test_intelligence_is_taken_once(world: World, site: Site, tmp_path: Path) -> None:
    with goal("kills of the web while it takes a submission") as counted:
        each_once(submit_killed(site, world, 10, tmp_path))
        counted.count = site.kills
    assert site.kills == 10


@pytest.mark.long
@pytest.mark.timeout(7000)
def test_intelligence_is_taken_once_two_thousand_times(world: World, site: Site, tmp_path: Path) -> None:
    with goal("kills of the web while it takes a submission") as counted:
        each_once(submit_killed(site, world, 2000, tmp_path))
        counted.count = site.kills
    assert site.kills == 2000


def test_an_application_is_one_case(world: World, site: Site, tmp_path: Path) -> None:
    receipts: dict[str, str] = {}
    for number in range(4):
        place = f"members.submit.{('before', 'after')[number % 2]}-commit"
        pages = answers(name=f"壬示範{number}股份有限公司", place=70 + number, people=f"f{number}.example")
        application = draft(world.clock, pages)
        applicant = _applicant(world, application)
        site.start()
        form = review_form(applicant.get(f"{site.url}/apply/step/review", timeout=60).text)
        site.stop()

        def ask(applicant: requests.Session = applicant, form: dict[str, str] = form) -> requests.Response:
            return applicant.post(f"{site.url}/apply/step/review", data=form, timeout=60)

        marks = tmp_path / str(number)
        marks.mkdir()
        site.start(LIANFANG_FAILPOINT=place, LIANFANG_FAILPOINT_DIR=str(marks))
        assert send(ask) is None
        assert site.died()
        site.start()
        answer = send(ask)
        assert answer is not None
        sent = reread(application)
        if "/apply/receipt/" not in answer.url:
            # Sent before the answer broke off: the draft's page leads on, and the receipt is there for this browser.
            answer = applicant.get(f"{site.url}/apply/receipt/{sent.number}", timeout=60)
        assert answer.status_code == 200
        assert str(sent.number) in answer.text
        receipts[str(application.pk)] = str(sent.number)
        site.stop()
    assert site.kills == 4
    assert len(set(receipts.values())) == 4
    assert Application.objects.filter(pk__in=receipts, state="submitted").count() == 4


def _applicant(world: World, application: Application) -> requests.Session:
    client = world.client(None)
    session = client.session
    session["application"] = str(application.pk)
    session.save()
    return browser(client.cookies["session"].value)


def test_an_approval_is_one_membership(world: World, site: Site, tmp_path: Path) -> None:
    for number in range(2):
        place = f"members.approve.{('before', 'after')[number % 2]}-commit"
        pages = answers(name=f"癸示範{number}股份有限公司", place=90 + number, people=f"g{number}.example")
        application = review(world.clock, send_application(world.clock, draft(world.clock, pages)), world.reviewer)
        approver = browser(world.client(world.approver).cookies["session"].value)
        case = f"{site.url}/staff/cases/{application.number}"
        site.start()
        approver.post(f"{case}/conflict", data={"conflict": "no", "reason": ""}, timeout=60)
        site.stop()

        def ask(approver: requests.Session = approver, case: str = case) -> requests.Response:
            form: dict[str, Any] = {"reasons": "eligible", "sign": "1", "second_factor_code": world.approver.code()}
            return approver.post(f"{case}/decide/approve", data=form, timeout=60)

        marks = tmp_path / str(number)
        marks.mkdir()
        site.start(LIANFANG_FAILPOINT=place, LIANFANG_FAILPOINT_DIR=str(marks))
        assert send(ask) is None
        assert site.died(), f"{place} was not reached"
        site.start()
        assert send(ask) is not None
        site.stop()
        assert reread(application).state == "approved"
        assert Membership.objects.filter(application=application).count() == 1
        assert Decision.objects.filter(application=application).count() == 1
    assert site.kills == 2
