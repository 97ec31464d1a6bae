"""Doors: who passes, who is led to a step, who is told, and for whom the page does not exist."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import given, settings
from hypothesis import strategies as st

from lianfang.accounts import doors
from lianfang.accounts.doors import Door, door, may, require
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Duty, Kind, Pair, Right, Role, Standing, Subject

AT = datetime(2026, 11, 23, tzinfo=UTC)
PERSON = UUID("00000000-0000-4000-8000-000000000001")
OURS = Pair(*[UUID("00000000-0000-4000-8000-0000000000aa")] * 2)
calm = settings(deadline=None, max_examples=300)
SIGNED_IN = [Right.REVIEW, Right.GRANT_DUTY, Right.MANAGE_PEOPLE, Right.MAKE_TOKEN, Right.CHANGE_SETTING]
DOORS: dict[str, Any] = {
    "public": door.public, "signed_in": door.signed_in, "member": door.member, "staff": door.staff,
    **{right.value: door(right) for right in SIGNED_IN},
}  # fmt: skip


@st.composite
def people(draw: st.DrawFn) -> Subject:
    """Anybody who has signed in: member, constituent, staff, former, or of no organisation."""
    coordinator = draw(st.booleans())
    return Subject(
        kind=Kind.PERSON,
        person=PERSON,
        pair=draw(st.sampled_from([OURS, OURS, None])),
        is_coordinator=coordinator,
        standing=Standing.ACTIVE if coordinator else draw(st.sampled_from(Standing)),
        acknowledged=draw(st.booleans()),
        mfa=draw(st.booleans()),
        role=draw(st.sampled_from(Role)),
        duties=draw(st.frozensets(st.sampled_from(Duty))) if coordinator else frozenset(),
    )


@pytest.fixture(autouse=True)
def without_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors.queries, "has_second_factor", lambda *, account: False)
    monkeypatch.setattr(doors.queries, "holders", lambda **_: ["林樣本"])
    monkeypatch.setattr(doors, "render", lambda request, name, context, status: HttpResponse(name, status=status))


def ask(name: str, subject: Subject, *, signed_in: bool = True, method: str = "get") -> HttpResponse | None:
    """What the door answers; None for the 404."""
    request: Any = getattr(RequestFactory(), method)("/member/thing?x=1")
    request.user = SimpleNamespace(is_authenticated=signed_in, pk=PERSON)
    request.subject, request.at = subject, AT
    try:
        return DOORS[name](lambda request: HttpResponse("in"))(request)
    except Http404:
        return None


@calm
@given(subject=people(), name=st.sampled_from(list(DOORS)))
def test_nobody_passes_a_door_whose_right_the_policy_denies(subject: Subject, name: str) -> None:
    answer = ask(name, subject)
    needs: Door = DOORS[name](lambda request: HttpResponse("in")).lianfang_door
    if needs.right is None:
        assert answer is not None
        assert answer.status_code == 200
    elif answer is not None and answer.status_code == 200:
        assert may(subject=subject, right=needs.right, at=AT)
        assert subject.acknowledged
        assert subject.mfa


@calm
@given(subject=people(), name=st.sampled_from(list(DOORS)))
def test_a_step_leads_back_to_the_same_address_and_only_where_it_helps(subject: Subject, name: str) -> None:
    answer = ask(name, subject)
    if answer is None or answer.status_code != 302 or answer["Location"] == doors.EXIT:
        return
    where = urlsplit(answer["Location"])
    assert parse_qs(where.query)["next"] == ["/member/thing?x=1"]
    # The duty is asked before the second factor.
    assert (where.path == doors.CONFIDENTIALITY) is not subject.acknowledged
    whole = Subject(**{**_facts(subject), "acknowledged": True, "mfa": True})
    assert ask(name, whole).content == b"in"  # type: ignore[union-attr]


@calm
@given(subject=people(), name=st.sampled_from(list(DOORS)))
def test_staff_pages_do_not_exist_for_members_nor_members_pages_for_staff(subject: Subject, name: str) -> None:
    right = DOORS[name](lambda request: HttpResponse()).lianfang_door.right
    for_staff = right in (Right.REVIEW, Right.GRANT_DUTY, Right.CHANGE_SETTING, Right.ENTER_STAFF_PLANE)
    answer = ask(name, subject)
    if for_staff and not subject.is_coordinator:
        assert answer is None or answer["Location"] == doors.EXIT
    if right is Right.ENTER_MEMBERS_PLANE and subject.is_coordinator:
        assert answer is None


@calm
@given(name=st.sampled_from(list(DOORS)), method=st.sampled_from(["get", "post"]))
def test_a_stranger_is_led_to_sign_in(name: str, method: str) -> None:
    answer = ask(name, Subject.public(), signed_in=False, method=method)
    assert answer is not None
    if name == "public":
        assert answer.content == b"in"
    else:
        where = urlsplit(answer["Location"])
        assert where.path == "/account/login/"
        # What was posted is not posted again by coming back.
        assert parse_qs(where.query)["next"] == ["/member/thing?x=1" if method == "get" else "/home"]


def test_a_revoked_member_is_led_to_the_exit() -> None:
    gone = Subject(kind=Kind.PERSON, person=PERSON, pair=OURS, standing=Standing.REVOKED, acknowledged=True, mfa=True)
    answer = ask("member", gone)
    assert answer is not None
    assert answer["Location"] == "/exit"


@pytest.mark.parametrize("standing", [Standing.REVOKED, Standing.TERMINATED])
@pytest.mark.parametrize("name", list(DOORS))
def test_who_left_is_led_to_the_exit_from_pages_of_members_alone(standing: Standing, name: str) -> None:
    gone = Subject(kind=Kind.PERSON, person=PERSON, pair=OURS, standing=standing, acknowledged=True, mfa=True)
    answer = ask(name, gone)
    if name in ("public", "signed_in"):
        assert answer is not None
        assert answer.status_code == 200
    elif name in ("member", "manage_people", "make_token"):
        assert answer is not None
        assert answer["Location"] == "/exit"
    else:
        assert answer is None, "pages of the staff do not exist for him"


def test_a_member_without_the_role_is_told() -> None:
    plain = Subject(kind=Kind.PERSON, person=PERSON, pair=OURS, standing=Standing.ACTIVE, acknowledged=True, mfa=True)
    answer = ask("manage_people", plain)
    assert answer is not None
    assert (answer.status_code, answer.content) == (403, b"web/no_role.html")


def test_require_names_the_rule_that_speaks() -> None:
    with pytest.raises(Refusal) as refused:
        require(subject=Subject.public(), right=Right.REVIEW, at=AT)
    assert refused.value.rule == "G-review"
    assert refused.value.clause


def test_every_view_of_this_app_and_of_the_charter_has_a_door() -> None:
    found = list(_views(get_resolver()))
    ours = [view for view in found if view.__module__.startswith(("lianfang.accounts", "lianfang.charter", "allauth"))]
    assert len(ours) > 40
    assert [view for view in ours if not isinstance(getattr(view, "lianfang_door", None), Door)] == []


def _views(resolver: URLResolver) -> Any:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one.callback
        else:
            yield from _views(one)


def _facts(subject: Subject) -> dict[str, Any]:
    return {name: getattr(subject, name) for name in Subject.__dataclass_fields__}
