"""What the monitor and the operator are told: which part is late and by how much, and nothing of whom it concerns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from lianfang import deploy, health
from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Account
from lianfang.audit import guard
from lianfang.health import Check, HealthMiddleware
from lianfang.kernel.clock import utcnow
from lianfang.notices.actions import send
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from tests.accounts.cast import few
from tests.world import SYSTEM

pytestmark = pytest.mark.django_db
BY = Subject.system("test")
NAMES = ["database", "migrations", "worker", "sequencer", "outbox"]


def told() -> dict[str, Check]:
    """Every check by its name."""
    return {check.name: check for check in health.checks()}


def heard_of_worker(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))", [seconds]
        )


def waiting_mail(seconds: int) -> Delivery:
    """A mail that has been due for so many seconds."""
    person = accounts.person_enter(
        name="林樣本", email="lin@member.example", entered_by_other=False, by=BY, at=utcnow()
    )
    made = send(notice="password_reset", to_person=person, context={"link": "http://localhost/x"}, by=BY, at=utcnow())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbox_delivery SET not_before = now() - make_interval(secs => %s) WHERE id = %s",
            [seconds, made.pk],
        )
    return made


def test_checks_stand_in_one_order_and_each_says_something() -> None:
    found = health.checks()
    assert [check.name for check in found] == NAMES
    assert all(check.said for check in found)


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (59, True), (62, False), (4000, False)])
def test_a_worker_is_missed_after_a_minute(seconds: int, ok: bool) -> None:
    heard_of_worker(seconds)
    found = told()["worker"]
    assert found.ok is ok
    assert found.said.startswith(f"{seconds} s (limit 60 s)")


def test_no_worker_at_all_is_worse_than_a_late_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
    found = told()["worker"]
    assert (found.ok, found.said) == (False, "none was ever heard of")


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (599, True), (602, False)])
def test_mail_that_waits_too_long_is_told_in_seconds(seconds: int, ok: bool) -> None:
    waiting_mail(seconds)
    found = told()["outbox"]
    assert found.ok is ok
    assert found.said == f"{seconds} s (limit 600 s)"


def test_mail_that_is_not_due_yet_or_was_sent_does_not_wait() -> None:
    made = waiting_mail(-3600)
    assert told()["outbox"].said == "nothing waits"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbox_delivery SET not_before = now() - interval '1 day', state = 'sent' WHERE id = %s", [made.pk]
        )
    assert told()["outbox"].said == "nothing waits"


def test_an_entry_without_its_place_in_the_tree_is_told_by_age() -> None:
    few()
    found = told()["sequencer"]
    assert found.ok
    assert found.said.endswith("(limit 120 s)")


def test_readyz_is_the_sum_of_its_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    for answers in ([True] * 5, [True, True, False, True, True]):
        made = [Check(name, ok=ok, said="said") for name, ok in zip(NAMES, answers, strict=True)]
        monkeypatch.setattr(health, "checks", lambda made=made: made)
        answer = client.get("/readyz")
        assert answer.status_code == (200 if all(answers) else 503)
        body = answer.json()
        assert body["ready"] is all(answers)
        assert list(body["checks"]) == NAMES
        assert [body["checks"][name]["ok"] for name in NAMES] == answers


def test_readyz_names_no_person_no_organisation_and_no_address() -> None:
    cast = few()
    waiting_mail(700)
    heard_of_worker(700)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    said = answer.content.decode()
    hidden = [cast.organization.name_zh, cast.organization.name_en, "林樣本", "example", "@", "lf_app", "postgresql"]
    hidden += [account.email for account in Account.objects.all()]
    assert [one for one in hidden if one and one in said] == []
    words = {name: check["said"] for name, check in json.loads(said)["checks"].items()}
    assert words["outbox"] == "more than 600 s"
    assert words["worker"] == "more than 60 s"


def test_readyz_does_not_tell_how_long_ago_somebody_did_something() -> None:
    """The operator's own command counts seconds; the public hears whether a limit is kept, busy or idle alike."""
    idle = Client().get("/readyz").json()["checks"]
    waiting_mail(3)
    accounts.create_organization(kind="twse", name_zh="忙", name_en="", ubn="04595257", by=SYSTEM, at=utcnow())
    busy = Client().get("/readyz").json()["checks"]
    for name in ("outbox", "sequencer"):
        assert idle[name] == busy[name] == {"ok": True, "said": f"within {600 if name == 'outbox' else 120} s"}
    assert told()["outbox"].said == "3 s (limit 600 s)"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_they_answer_before_sessions_languages_and_hosts(path: str, method: str) -> None:
    client = Client(HTTP_HOST="anything.example")
    client.cookies["session"] = "x" * 32
    answer = getattr(client, method)(f"{path}?lang=en")
    assert answer.status_code in (200, 503)
    assert not answer.cookies
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nothing_else_is_answered_there(path: str) -> None:
    reached: list[str] = []

    def beyond(request: Any) -> Any:
        reached.append(request.path)
        from django.http import HttpResponse

        return HttpResponse("beyond")

    middleware = HealthMiddleware(beyond)
    for other in (f"{path}/", f"{path}x", f"/x{path}", path.upper()):
        assert middleware(RequestFactory().get(other)).status_code == 200
    middleware(RequestFactory().post(path))
    assert len(reached) == 5


def test_a_migration_that_is_missing_is_named_and_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.executor import MigrationExecutor

    class Late:
        app_label, name = "accounts", "0002_more"

    health._unapplied.cache_clear()
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [(Late, False)])
    found = health.checks()
    assert [check.name for check in found] == ["database", "migrations"], "what stands on it was not asked"
    assert found[1].said == "not applied: accounts.0002_more"
    monkeypatch.undo()
    assert told()["migrations"].said == "all applied"


# Fit for use


@pytest.fixture
def fit(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Settings with which nothing of them is found wanting."""
    key = tmp_path / "master.key"
    key.write_text("a" * 64)
    key.chmod(0o600)
    settings.DEMO, settings.SECURE, settings.BASE_URL = False, True, "https://lianfang.example.org"
    settings.SECRET_KEY, settings.KEY_FILE = "x" * 50, key
    return settings


def found() -> dict[str, Check]:
    """Every finding by its name."""
    return {check.name: check for check in deploy.findings()}


def test_every_finding_of_a_fit_installation_passes_but_for_the_worker(fit: Any) -> None:
    all_ = found()
    wanting = {name for name, check in all_.items() if not check.ok}
    assert wanting - {"fsync", "full_page_writes"} == {"worker"}, "the server of the tests writes carelessly"
    assert "client_max_body_size 11m" in all_["body size"].said, "one more than what is taken: we refuse, not the proxy"
    for name in ("demo", "https", "master key", "secret key", "body size", "server", "encoding", "standby", "clock",
                 "log-in", "ownership", "truncate", "audit guard", "append-only"):  # fmt: skip
        assert all_[name].ok, all_[name]


@pytest.mark.parametrize(
    ("name", "value", "wanting"),
    [
        ("DEMO", True, "demo"), ("SECURE", False, "https"), ("SECRET_KEY", "x" * 49, "secret key"),
        ("KEY_FILE", Path("/nowhere/master.key"), "master key"),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", 2_500_000, "body size"),
    ],
)  # fmt: skip
def test_each_setting_that_is_unfit_is_named(fit: Any, name: str, value: object, wanting: str) -> None:
    setattr(fit, name, value)
    check = found()[wanting]
    assert not check.ok
    assert "x" * 49 not in check.said


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_master_key_that_others_reach_is_found(fit: Any, mode: int) -> None:
    fit.KEY_FILE.chmod(mode)
    check = found()["master key"]
    assert not check.ok
    assert "a" * 64 not in check.said


def test_a_table_without_its_guard_is_named(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = guard.installed

    def without(cursor: Any) -> dict[str, set[str]]:
        have = real(cursor)
        have.pop("accounts_affiliation")
        return have

    monkeypatch.setattr(guard, "installed", without)
    check = found()["audit guard"]
    assert (check.ok, check.said) == (False, "missing on accounts_affiliation")


def test_a_log_in_that_may_change_what_is_append_only_is_told(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "append_only_tables", lambda: {"accounts_affiliation"})
    check = found()["append-only"]
    assert (check.ok, check.said) == (False, "may be changed: accounts_affiliation")


def test_a_clock_that_is_off_is_told_in_seconds(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr(deploy, "utcnow", lambda: utcnow() - timedelta(seconds=5))
    check = found()["clock"]
    assert not check.ok
    assert check.said.startswith("5.")


def test_without_a_database_the_rest_is_not_asked(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Check("database", ok=False, said="does not answer (OperationalError)")
    monkeypatch.setattr(health, "checks", lambda: [away])
    assert deploy.findings() == [away]


def test_the_system_itself_is_no_person_in_the_ledger() -> None:
    assert SYSTEM.person is None
