"""What waits for a member stands first, by its limit; what one cannot do is not there; numbers are one's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from lianfang.accounts import actions as accounts
from lianfang.accounts.doors import may
from lianfang.accounts.models import Token
from lianfang.policy.facts import Duty, Kind, Role, Standing
from lianfang.web import context, counts
from lianfang.web.navigation import NAVIGATION, STAFF_WORDS
from lianfang.web.overview import _LEAST_ADMINISTRATORS, _SOON
from tests.web.test_pages import request_of, somebody
from tests.world import World, build, token

TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def _made(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def world(_made: World, db: None) -> Iterator[World]:
    """The world of the module; what a test does is undone."""
    with transaction.atomic():
        yield _made
        transaction.set_rollback(True)


@pytest.fixture
def asked_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pages are asked for at the instant that the test says."""
    from lianfang.members import middleware

    real = middleware._signed_in

    def say(at: Any) -> None:
        def signed_in(request: Any) -> None:
            real(request)
            request.at = at

        monkeypatch.setattr(middleware, "_signed_in", signed_in)

    return say


def tasks(client: Any) -> list[str]:
    """The titles of what waits, in order."""
    answer = client.get("/member")
    assert answer.status_code == 200
    return [task.title.en for task in answer.context["tasks"]]


def expiring(world: World, name: str, days: float) -> Token:
    """A key of 甲 that ends so many days after now by the clock of the tests."""
    made, _ = token(world.clock, world.jia.admin)
    made.name, made.expires_at = name, world.clock.at + timedelta(days=days)
    made.save(update_fields=["name", "expires_at"])
    return made


def test_what_has_a_limit_stands_first_the_nearest_on_top(world: World, asked_at: Any) -> None:
    for name, days in (("late", 9), ("soon", 2), ("middle", 5), ("far", 60)):
        expiring(world, name, days)
    accounts.leave(affiliation=world.jia.deputy.affiliation, by=world.jia.admin.subject(), at=world.clock.tick())
    accounts.ask_factor_reset(account=world.jia.member.account, at=world.clock.tick())
    asked_at(world.clock.at)
    found = tasks(world.client(world.jia.admin))
    assert found[:3] == [f"Replace the connection key “{name}”" for name in ("soon", "middle", "late")]
    assert set(found[3:]) == {"Add a second administrator", "Vouch for a colleague"}
    answer = world.client(world.jia.admin).get("/member")
    limits = [task.due for task in answer.context["tasks"] if task.due]
    assert limits == sorted(limits)


@pytest.mark.parametrize(("step", "shown"), [(-TICK, False), (0 * TICK, True), (TICK, True)])
def test_a_key_is_a_task_from_a_fortnight_before_its_end(
    world: World, asked_at: Any, step: timedelta, shown: bool
) -> None:
    made = expiring(world, "edge", 30)
    asked_at(made.expires_at - _SOON + step)
    assert any("edge" in title for title in tasks(world.client(world.jia.admin))) is shown
    asked_at(made.expires_at)
    assert not any("edge" in title for title in tasks(world.client(world.jia.admin))), "it has ended"


def test_without_a_key_the_first_one_is_proposed_and_with_one_it_is_not(world: World, asked_at: Any) -> None:
    asked_at(world.clock.at)
    assert "Connect your first system" not in tasks(world.client(world.jia.admin))
    for made in Token.objects.filter(affiliation__organization=world.jia.organization, revoked_at__isnull=True):
        accounts.revoke_token(token=made, by=world.jia.admin.subject(), at=world.clock.tick())
    assert "Connect your first system" in tasks(world.client(world.jia.admin))


@pytest.mark.parametrize("who", ["contact", "member"])
def test_who_cannot_do_it_is_not_asked_to(world: World, asked_at: Any, who: str) -> None:
    expiring(world, "soon", 2)
    accounts.ask_factor_reset(account=world.jia.deputy.account, at=world.clock.tick())
    asked_at(world.clock.at)
    answer = world.client(getattr(world.jia, who)).get("/member")
    assert answer.context["tasks"] == []
    assert answer.context["tokens"] == []
    assert not answer.context["may_connect"]
    assert "soon" not in answer.content.decode()


def test_nobody_is_asked_to_vouch_for_himself_or_for_strangers(world: World, asked_at: Any) -> None:
    accounts.ask_factor_reset(account=world.jia.admin.account, at=world.clock.tick())
    asked_at(world.clock.at)
    assert "Vouch for a colleague" not in tasks(world.client(world.jia.admin))
    assert "Vouch for a colleague" in tasks(world.client(world.jia.deputy))
    assert "Vouch for a colleague" not in tasks(world.client(world.yi.admin))


def test_a_member_sees_its_own_keys_people_and_standing_and_nobody_elses(world: World, asked_at: Any) -> None:
    expiring(world, "only for 甲", 3)
    asked_at(world.clock.at)
    for member in (world.yi, world.bing, world.ding):
        answer = world.client(member.admin).get("/member")
        page = answer.content.decode()
        assert "only for 甲" not in page
        assert world.jia.organization.name_zh not in page
        assert answer.context["membership"].pk == member.membership.pk
        assert answer.context["administrators"] == _LEAST_ADMINISTRATORS
        assert {one.affiliation.organization_id for one in answer.context["tokens"]} <= {member.organization.pk}


def test_a_constituent_counts_itself_alone(world: World, asked_at: Any) -> None:
    asked_at(world.clock.at)
    group = world.client(world.ding.admin).get("/member").context["roster"]
    assert (group["whole"], group["passed"], group["open"]) == (2, 1, 1)
    own = world.client(world.wu).get("/member").context["roster"]
    assert own == {"whole": 1, "passed": 1, "open": 0}
    assert "Add a second administrator" not in tasks(world.client(world.wu))


@pytest.mark.parametrize("who", ["former", "ji", "reviewer", "stranger"])
def test_the_overview_is_for_members_in_force(world: World, who: str) -> None:
    actor = {
        "former": world.former.admin, "ji": world.ji, "reviewer": world.reviewer, "stranger": None,
    }[who]  # fmt: skip
    answer = world.client(actor).get("/member")
    assert answer.status_code in (302, 404)
    if answer.status_code == 302:
        assert not answer["Location"].startswith("/member")


# Navigation


def names(shell: context.Shell) -> set[str]:
    return {entry.name for group in shell.staff for entry in group.entries}


@pytest.mark.parametrize("duty", sorted(Duty))
def test_each_item_of_the_staff_is_there_for_exactly_those_whom_its_door_lets_in(duty: Duty) -> None:
    from django.urls import resolve

    subject = somebody(is_coordinator=True, duties=frozenset({duty}), role=Role.MEMBER)
    request = request_of(subject, "/staff/inbox")
    shown = names(context.Shell(request))
    for section in NAVIGATION["staff"]:
        for item in section.items:
            path = context.path_of(item.name)
            if not path:
                assert item.name not in shown
                continue
            door = resolve(path).func.lianfang_door  # type: ignore[attr-defined]
            open_ = door.right is None or may(subject=subject, right=door.right, at=request.at)
            assert (item.name in shown) is open_, item.name


@pytest.mark.parametrize(
    ("duty", "has", "has_not"),
    [
        (Duty.DUTY_GRANTER, {"duties"}, {"settings", "audit", "quarantine"}),
        (Duty.APPROVER, {"settings"}, {"duties", "audit", "quarantine"}),
        (Duty.AUDITOR, {"audit"}, {"duties", "settings", "quarantine"}),
        (Duty.ANALYST, {"quarantine"}, {"duties", "settings", "audit"}),
        (Duty.OPERATOR, set(), {"duties", "settings", "audit", "quarantine"}),
    ],
)
def test_items_follow_the_duty_that_is_held(duty: Duty, has: set[str], has_not: set[str]) -> None:
    shown = names(context.Shell(request_of(somebody(is_coordinator=True, duties=frozenset({duty})))))
    assert has <= shown
    assert not has_not & shown


@pytest.mark.parametrize("role", sorted(Role))
def test_tabs_of_a_member_follow_the_role(role: Role) -> None:
    shown = {entry.name for entry in context.Shell(request_of(somebody(role=role))).member}
    managed = {"people", "connections"}
    assert (managed <= shown) is (role is Role.MEMBER_ADMIN)
    assert {"overview", "intel", "submit"} <= shown


def test_pages_about_the_organisation_lead_to_each_other() -> None:
    def tabs(role: Role, path: str) -> list[tuple[str, bool]]:
        made = context.Shell(request_of(somebody(role=role), path))
        return [(entry.name, entry.current) for entry in made.organisation]

    assert tabs(Role.MEMBER_ADMIN, "/member/organisation/change") == [
        ("people", False), ("roster", False), ("changes_filed", True), ("leave_alliance", False),
    ]  # fmt: skip
    assert ("roster", True) in tabs(Role.MEMBER_ADMIN, "/member/organisation/roster/import")
    assert tabs(Role.MEMBER, "/member/organisation/roster") == [("roster", True)]
    assert tabs(Role.MEMBER_ADMIN, "/member/intel") == []


def test_nobody_sees_the_navigation_of_another_plane() -> None:
    member = context.Shell(request_of(somebody()))
    staff = context.Shell(request_of(somebody(is_coordinator=True, role=Role.MEMBER)))
    public = context.Shell(request_of(somebody(kind=Kind.PUBLIC, person=None, pair=None, standing=Standing.NONE)))
    assert member.staff == []
    assert not {"overview", "people", "connections"} & {entry.name for entry in staff.member}
    assert public.staff == []
    assert public.member == []


def test_every_item_has_words_in_both_languages_and_every_duty_is_told() -> None:
    for plane, sections in NAVIGATION.items():
        for section in sections:
            for item in section.items:
                assert item.words.zh, (plane, item.name)
                assert item.words.en, (plane, item.name)
                assert not any("\u4e00" <= letter <= "\u9fff" for letter in item.words.en)
    assert set(STAFF_WORDS) == set(Duty)
    assert len({words.zh for words in STAFF_WORDS.values()}) == len(Duty)


def test_numbers_are_asked_only_for_who_sees_the_item(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(context, "_COUNTS", {})
    for section in NAVIGATION["staff"]:
        for item in section.items:
            context.count(item.name, lambda request, name=item.name: asked.append(name) or 3)
    page = world.client(world.operator).get("/me")
    assert page.status_code == 200
    seen = {entry.name for group in context.Shell(page.wsgi_request).staff for entry in group.entries}
    assert set(asked) == seen
    asked.clear()
    world.client(world.jia.admin).get("/me")
    assert asked == []


def test_counts_are_registered_once_and_count_what_is_waiting(world: World) -> None:
    counts.register()
    assert {"inbox", "applications", "revocations", "quarantine"} <= set(context._COUNTS)
    page = world.client(world.reviewer).get("/me")
    shell = context.Shell(page.wsgi_request)
    told = {entry.name: entry.count for group in shell.staff for entry in group.entries}
    assert told["applications"] == 1
    assert reverse("inbox") == "/staff/inbox"
