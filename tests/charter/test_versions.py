"""Versions of the charter: which binds at an instant, what its fingerprint proves, where each clause is found."""

from __future__ import annotations

import copy
import json
import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions as accounts
from lianfang.audit.models import Entry
from lianfang.charter import actions, queries
from lianfang.charter.models import Acceptance, ConfidentialityDuty, DocumentVersion
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Role
from tests.accounts.cast import Few, enter, member_organization
from tests.accounts.test_pages import browser
from tests.charter.test_charter import amended
from tests.world import SYSTEM, Actor

TICK = timedelta(microseconds=1)
calm = settings(deadline=None, max_examples=100)
KINDS = actions.MODEL_KINDS


@pytest.fixture
def second(cast: Few) -> DocumentVersion:
    """A second version, in force a month from now."""
    at = cast.clock.tick()
    return actions.load_document(text=amended(), effective_at=at + timedelta(days=30), by=SYSTEM, at=at)


@pytest.fixture
def asked_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pages are asked for at the instant that the test says."""
    from lianfang.members import middleware

    def say(at: datetime) -> None:
        monkeypatch.setattr(middleware, "utcnow", lambda: at)
        monkeypatch.setattr(middleware, "database_clock", lambda: at)

    return say


def anchors(client: Client, path: str) -> list[str]:
    """The clauses on a page, in order."""
    return re.findall(r'id="c([0-9.-]+)"', client.get(path).content.decode())


# The text


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_text_is_whole(kind: str) -> None:
    text = actions.model_text(kind)
    ids = [clause["id"] for clause in text["clauses"]]
    assert text["kind"] == kind
    assert len(set(ids)) == len(ids)
    assert set(text) == {"kind", "title_zh", "title_en", "clauses"}
    for clause in text["clauses"]:
        assert set(clause) == {"id", "zh", "en"}
        assert clause["zh"] == clause["zh"].strip()
        assert clause["en"] == clause["en"].strip()
        assert not re.search(r"[\u4e00-\u9fff]", clause["en"]), clause["id"]
        assert not re.search(r"[<>\x00-\x09]", clause["zh"] + clause["en"]), clause["id"]


def test_every_clause_stands_below_its_article() -> None:
    ids = [clause["id"] for clause in actions.model_text("charter")["clauses"]]
    articles = [one for one in ids if one.isdigit()]
    assert articles == [str(number) for number in range(7)]
    for one in ids:
        article = one.partition(".")[0]
        assert article in articles
        assert ids.index(article) <= ids.index(one)


@pytest.mark.django_db
def test_what_is_filled_in_is_named_by_a_setting_or_the_service(cast: Few) -> None:
    places = {
        place
        for kind in KINDS
        for clause in actions.model_text(kind)["clauses"]
        for place in re.findall(r"\{(\w+)\}", clause["zh"] + clause["en"])
    }
    assert places <= {"collecting_entity", "recipients", "service_mailbox"}
    version = queries.in_force(kind="privacy", at=cast.clock.at)
    assert version is not None
    for clause in queries.clauses(version, at=cast.clock.at):
        assert "{" not in clause.text.zh + clause.text.en


@calm
@given(
    which=st.integers(0, 30),
    language=st.sampled_from(["zh", "en", "id"]),
    more=st.text("一a ,;", min_size=1, max_size=3),
)
def test_any_change_of_a_text_is_another_fingerprint(which: int, language: str, more: str) -> None:
    text = actions.model_text("charter")
    first = actions.text_digest(text)
    changed = copy.deepcopy(text)
    clause = changed["clauses"][which % len(changed["clauses"])]
    clause[language] += more
    assert actions.text_digest(changed) != first
    assert actions.text_digest(copy.deepcopy(text)) == first
    swapped = copy.deepcopy(text)
    swapped["clauses"].reverse()
    assert actions.text_digest(swapped) != first


def test_the_fingerprint_is_that_of_the_text_and_of_nothing_else() -> None:
    text = actions.model_text("charter")
    again = {name: text[name] for name in reversed(text)} | {"approved_by": "somebody"}
    assert actions.text_digest(again) == actions.text_digest(text)
    # RFC 8785 by hand: sorted names, no blanks, UTF-8.
    plain = {name: text[name] for name in ("kind", "title_zh", "title_en", "clauses")}
    written = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert sha256(written).digest() == actions.text_digest(text)


# Versions


@pytest.mark.django_db
@pytest.mark.parametrize(("step", "number"), [(-TICK, 1), (0 * TICK, 2), (TICK, 2)])
def test_pages_turn_to_the_new_version_at_its_instant(
    cast: Few, second: DocumentVersion, asked_at: Any, step: timedelta, number: int
) -> None:
    asked_at(second.effective_at + step)
    client = browser(None)
    page = client.get(reverse("charter"))
    assert page.context["version"].number == number
    assert ("至少每年確認一次" in page.content.decode()) is (number == 2)
    # Whoever was told of it reads it before it binds.
    assert client.get(reverse("charter_version", args=[2])).status_code == 200
    assert client.get(reverse("charter_version", args=[1])).status_code == 200
    assert len(page.context["versions"]) == number


@pytest.mark.django_db
def test_an_earlier_version_says_that_it_is_not_in_force(cast: Few, second: DocumentVersion, asked_at: Any) -> None:
    asked_at(second.effective_at)
    client = browser(None, language="en")
    first, current = (client.get(reverse("charter_version", args=[number])) for number in (1, 2))
    assert (first.context["current"], current.context["current"]) == (False, True)
    assert "至少每年確認一次" not in browser(None).get(reverse("charter_version", args=[1])).content.decode()
    assert bytes(second.sha256).hex() in current.content.decode()
    assert bytes(second.sha256).hex() not in first.content.decode()


@pytest.mark.django_db
def test_before_the_first_version_there_is_no_charter(cast: Few, asked_at: Any) -> None:
    first = DocumentVersion.objects.get(document="charter")
    assert queries.in_force(kind="charter", at=first.effective_at - TICK) is None
    assert queries.versions(kind="charter", at=first.effective_at - TICK) == []
    asked_at(first.effective_at - TICK)
    client = browser(None)
    for path in (reverse("charter"), reverse("charter_article", args=[2]), reverse("charter_version", args=[1]),
                 reverse("privacy_notice")):  # fmt: skip
        assert client.get(path).status_code == 404
    with pytest.raises(LookupError, match="privacy notice"):
        queries.privacy_notice(first.effective_at - TICK)
    with pytest.raises(Refusal) as refused:
        actions.acknowledge(affiliation=cast.admin.affiliation, by=cast.admin.subject(), at=first.effective_at - TICK)
    assert refused.value.clause == "4.1"


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 2, 3, 99, 10**18, 10**30])
def test_a_version_that_is_not_there_is_not_found(cast: Few, number: int) -> None:
    client = browser(None)
    answer = client.get(reverse("charter_version", args=[number]))
    assert answer.status_code == 404
    assert answer.content == client.get("/charter/versions/nothing").content


@pytest.mark.django_db
@pytest.mark.parametrize("article", [0, 1, 2, 3, 4, 5, 6])
def test_an_article_has_an_address_with_its_clauses_and_no_others(cast: Few, article: int) -> None:
    client = browser(None)
    whole, part = anchors(client, reverse("charter")), anchors(client, reverse("charter_article", args=[article]))
    assert part == [one for one in whole if one.partition(".")[0] == str(article)]
    assert part
    assert client.get(reverse("charter_article", args=[7])).status_code == 404


@pytest.mark.django_db
def test_addresses_of_clauses_stay_from_version_to_version(cast: Few, second: DocumentVersion, asked_at: Any) -> None:
    client = browser(None)
    before = anchors(client, reverse("charter"))
    asked_at(second.effective_at)
    assert anchors(client, reverse("charter")) == before
    assert [f"c{one}" for one in before] == [
        clause.anchor for clause in queries.clauses(second, at=second.effective_at)
    ]


@pytest.mark.django_db
def test_the_text_on_the_page_is_the_text_under_the_fingerprint(cast: Few) -> None:
    version = queries.in_force(kind="charter", at=cast.clock.at)
    assert version is not None
    text = {
        "kind": "charter", "title_zh": version.title_zh, "title_en": version.title_en, "clauses": version.clauses,
    }  # fmt: skip
    assert actions.text_digest(text) == bytes(version.sha256)
    for language, name in (("zh-hant", "zh"), ("en", "en")):
        page = browser(None, language=language).get(reverse("charter"))
        shown = [clause.text.in_language(language) for clause in page.context["clauses"]]
        assert shown == [clause[name] for clause in version.clauses]


@pytest.mark.django_db
def test_a_hostile_clause_is_shown_as_text(cast: Few, asked_at: Any) -> None:
    text = amended()
    text["clauses"][3]["zh"] += "<script>alert(1)</script>{{ 7 }}{collecting_entity}"  # type: ignore[index]
    at = cast.clock.tick()
    made = actions.load_document(text=text, effective_at=at, by=SYSTEM, at=at)
    asked_at(made.effective_at)
    page = browser(None).get(reverse("charter")).content.decode()
    assert "<script>alert(1)" not in page
    assert "{{ 7 }}{collecting_entity}" in page, "only the privacy notice is filled in"


@pytest.mark.django_db
def test_no_version_reaches_back_and_none_is_changed(cast: Few, second: DocumentVersion) -> None:
    at = cast.clock.tick()
    later = amended("2.3")
    for effective, rule in (
        (second.effective_at, "charter-order"), (second.effective_at - TICK, "charter-order"),
        (at - timedelta(days=1), "charter-order"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            actions.load_document(text=later, effective_at=effective, by=SYSTEM, at=at)
        assert (refused.value.rule, refused.value.field) == (rule, "effective_at")
    after = second.effective_at + timedelta(days=2)
    with pytest.raises(Refusal) as refused:
        actions.load_document(text=later, effective_at=after - timedelta(days=1), by=SYSTEM, at=after)
    assert refused.value.rule == "charter-past"
    for broken in ({"number": 2}, {"effective_at": second.effective_at}):
        facts = {
            "document_id": "charter", "number": 9, "title_zh": "x", "title_en": "x", "clauses": [], "sha256": b"x",
            "approved_at": at, "effective_at": after, "published_platform_at": at, **broken,
        }  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            DocumentVersion.objects.create(**facts)


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["admin", "reviewer", "approver", "operator", "publisher"])
def test_nobody_brings_a_text_into_force_alone_and_the_ledger_names_its_fingerprint(cast: Few, who: str) -> None:
    actor = cast.staff.get(who) or cast.admin
    at = cast.clock.tick()
    with pytest.raises(Refusal) as refused:
        actions.load_document(text=amended(), effective_at=at, by=actor.subject(), at=at)
    assert refused.value.rule == "charter-by-two"
    made = actions.load_document(text=amended(), effective_at=at, by=SYSTEM, at=at)
    entry = Entry.objects.filter(tag="charter:document:load").latest("pk")
    assert entry.detail == {"number": 2, "sha256": bytes(made.sha256).hex()}


# Acceptance and the duty


@pytest.mark.django_db
def test_an_acceptance_keeps_the_fingerprint_of_what_was_accepted(cast: Few, second: DocumentVersion) -> None:
    first = DocumentVersion.objects.get(document="charter", number=1)
    kept = actions.accept(
        version=first, organization=cast.organization, person=cast.admin.person, context="application A-2026-0001",
        by=cast.admin.subject(), at=cast.clock.tick(),
    )  # fmt: skip
    entry = Entry.objects.get(tag="charter:acceptance:give", about_id=str(kept.pk))
    assert entry.detail["sha256"] == bytes(first.sha256).hex() != bytes(second.sha256).hex()
    for deed in (
        lambda: Acceptance.objects.update(document_version=second), lambda: Acceptance.objects.all().delete(),
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()


@pytest.mark.django_db
def test_the_duty_is_acknowledged_once_for_each_pair_and_version(cast: Few, second: DocumentVersion) -> None:
    other = member_organization(cast.clock, place=2, name="乙示範精密股份有限公司")
    elsewhere = enter(cast.clock, other, email="a@m2.example", name="外人", role=Role.MEMBER)
    mine = ConfidentialityDuty.objects.filter(person=cast.admin.person)
    assert mine.count() == 1
    for _ in range(2):
        actions.acknowledge(affiliation=cast.admin.affiliation, by=cast.admin.subject(), at=cast.clock.tick())
    assert mine.count() == 1
    at = second.effective_at
    for _ in range(2):
        actions.acknowledge(affiliation=cast.admin.affiliation, by=cast.admin.subject(at), at=at)
    assert set(mine.values_list("document_version__number", flat=True)) == {1, 2}
    firsts = Entry.objects.filter(tag="charter:duty:acknowledge", actor__contains=str(cast.admin.person.pk))
    assert [entry.detail["first"] for entry in firsts.order_by("pk")] == [True, False, False, True, False]
    with pytest.raises(Refusal):
        actions.acknowledge(affiliation=elsewhere.affiliation, by=cast.admin.subject(), at=cast.clock.tick())


def again(cast: Few, value: bool) -> None:
    """Let two approvers decide whether an amended charter must be acknowledged again."""
    at = cast.clock.tick()
    proposal = accounts.propose_setting(
        name="acknowledge_again_after_amendment", value=value, effective_at=at, reason="修訂",
        by=cast.staff["approver"].subject(), at=at,
    )  # fmt: skip
    accounts.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())


@pytest.mark.django_db
@pytest.mark.parametrize("asked_again", [False, True])
def test_the_setting_says_whether_an_amendment_is_acknowledged_again(
    cast: Few, second: DocumentVersion, asked_again: bool
) -> None:
    if asked_again:
        again(cast, True)
    for step, known in ((-TICK, True), (0 * TICK, not asked_again), (TICK, not asked_again)):
        assert cast.admin.subject(second.effective_at + step).acknowledged is known
    at = second.effective_at + timedelta(hours=1)
    actions.acknowledge(affiliation=cast.admin.affiliation, by=cast.admin.subject(at), at=at)
    for step, known in ((-TICK, not asked_again), (0 * TICK, True)):
        assert cast.admin.subject(at + step).acknowledged is known


@pytest.mark.django_db
def test_who_must_acknowledge_again_is_led_there_and_back(cast: Few, asked_at: Any) -> None:
    again(cast, True)
    at = max(cast.clock.tick(), utcnow() - timedelta(hours=1))
    actions.load_document(text=amended(), effective_at=at, by=SYSTEM, at=at)
    client = browser(cast.admin)
    step = client.get(reverse("connections"))["Location"]
    assert step == "/member/confidentiality?next=%2Fmember%2Fconnections"
    page = client.get(step)
    assert page.context["done"] is False
    assert [clause.id for clause in page.context["clauses"]] == ["3.1", "3.2", "3.3"]
    assert "checked" not in page.content.decode()
    answer = client.post(step, {"agree": "on", "next": "/member/connections"})
    assert answer["Location"] == "/member/connections"
    assert client.get(reverse("connections")).status_code == 200
    assert client.get(step).context["done"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [{}, {"agree": ""}, {"agree": "no"}, {"agree": "false"}])
def test_without_the_tick_nothing_is_acknowledged(cast: Few, typed: dict[str, str]) -> None:
    again(cast, True)
    at = max(cast.clock.tick(), utcnow() - timedelta(hours=1))
    actions.load_document(text=amended(), effective_at=at, by=SYSTEM, at=at)
    before = ConfidentialityDuty.objects.count()
    answer = browser(cast.admin).post(reverse("confidentiality"), typed)
    if typed.get("agree") == "no":
        assert answer.status_code == 302, "a box that is sent at all is ticked"
        return
    assert answer.status_code == 422
    assert "agree" in answer.context["form"].errors
    assert ConfidentialityDuty.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["admin", "reviewer"])
def test_a_person_of_no_pair_has_no_duty_to_acknowledge(cast: Few, who: str) -> None:
    actor: Actor = cast.staff.get(who) or cast.admin
    assert browser(actor).get(reverse("confidentiality")).status_code == 200
    from lianfang.accounts.models import Account, Person

    person = Person.objects.create(name="無", email="none@x.example", created_at=cast.clock.at)
    account = Account.objects.create(person=person, email="none@x.example", created_at=cast.clock.at)
    client = browser(None)
    client.force_login(account, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("confidentiality")).status_code == 404
    assert client.post(reverse("confidentiality"), {"agree": "on"}).status_code == 404
    assert client.get("/me").status_code == 200
