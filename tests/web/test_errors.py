"""What went wrong is told in words; what may not be seen is not there."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from lianfang.kernel.text import Bilingual
from lianfang.web import errors


@pytest.mark.parametrize("prefix", ["/", "/member/nothing/", "/staff/nothing/", "/exit/nothing/"])
def test_not_found_is_byte_for_byte_the_same(client: Client, prefix: str) -> None:
    first = client.get(f"{prefix}indicator--00000000-0000-4000-8000-000000000001")
    second = client.get(f"{prefix}a-quite-different-address-of-another-length")
    assert first.status_code == second.status_code == 404
    assert first.content == second.content
    assert first.headers == second.headers


def test_not_found_says_both_possibilities(client: Client) -> None:
    page = client.get("/nowhere").text
    assert "找不到這一頁" in page
    assert "內容不在您可看的範圍" in page


def test_not_found_repeats_nothing_of_the_address(client: Client) -> None:
    assert "a7b3c9" not in client.get("/nowhere/a7b3c9").text


def test_bad_request_and_forbidden() -> None:
    request = RequestFactory().get("/x")
    assert errors.bad_request(request, ValueError("secret")).status_code == 400
    answer = errors.forbidden(request, PermissionDenied("secret"))
    assert answer.status_code == 403
    assert b"secret" not in answer.content


def test_an_event_number_can_be_read_out() -> None:
    numbers = {errors.event_number() for _ in range(200)}
    assert len(numbers) == 200
    assert all(re.fullmatch(r"E-[0-9A-HJKMNP-TV-Z]{6}", number) for number in numbers)


def test_a_server_error_names_its_event(caplog: pytest.LogCaptureFixture) -> None:
    answer = errors.server_error(RequestFactory().get("/x"))
    assert answer.status_code == 500
    event = re.search(r"E-[0-9A-Z]{6}", answer.content.decode())
    assert event is not None
    assert event.group() in caplog.text


def test_a_server_error_has_a_page_even_without_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> str:
        raise OSError("no templates")

    monkeypatch.setattr(errors, "render_to_string", broken)
    answer = errors.server_error(RequestFactory().get("/x"))
    assert answer.status_code == 500
    assert "事件編號 E-" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_told_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/account/login/", {"login": "a@b.example"})
    assert answer.status_code == 403
    assert "請再送一次表單" in answer.text


def test_no_role_says_which_and_who() -> None:
    answer = errors.no_role(
        RequestFactory().get("/x"), role=Bilingual(zh="管理員", en="administrator"), holders=["林樣本", "陳示範"]
    )
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "可以做這件事的是：管理員。" in page
    assert "林樣本、陳示範。" in page
