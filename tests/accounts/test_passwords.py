"""Passwords that anybody would try here, and the fields in which passwords are typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client, override_settings

from lianfang.accounts.password_words import WORDS
from tests.database import ROOT
from tests.world import PASSWORD, build


@pytest.mark.parametrize(
    "password",
    [
        "lianfang-2026!", "LianFang123456", "Lianfang-Alliance-1", "member.admin.2026", "ｌｉａｎｆａｎｇ-1234",
        "聯防聯盟會員密碼2026!", "taiwantaipei11", "Welcome2Taiwan!", "password-lianfang", "twcertstixtaxii",
        "sanbao-lianfang1",
    ],
)  # fmt: skip
def test_words_of_the_context_make_no_password(password: str) -> None:
    with override_settings(BASE_URL="https://sanbao.example.org"), pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert "password_of_words" in [error.code for error in refused.value.error_list]


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "correct horse battery", "我家的貓不喜歡聯防的會議", "the alliance met on a rainy night"],
)
def test_other_passwords_are_taken_also_with_such_a_word_in_a_sentence(password: str) -> None:
    validate_password(password)


def test_the_list_is_the_one_that_is_documented() -> None:
    page = Path(ROOT / "docs/security/design.md").read_text(encoding="utf-8")
    section = page.split("## Words refused in passwords")[1].split("##")[0]
    assert all(word in section for word in WORDS)


@pytest.mark.django_db
def test_fields_of_passwords_are_masked_and_open_to_managers() -> None:
    world = build()
    world.client(world.jia.admin)
    pages = {
        "/account/login/": (Client(), {"password": "current-password"}),
        "/account/password/change/": (
            world.client(world.jia.admin),
            {"oldpassword": "current-password", "password1": "new-password", "password2": "new-password"},
        ),
        "/account/reauthenticate/": (world.client(world.jia.admin), {"password": "current-password"}),
    }
    for path, (client, wanted) in pages.items():
        page = client.get(path).content.decode()
        found = {}
        for tag in re.findall(r"<input[^>]*>", page):
            name = re.search(r'name="([^"]+)"', tag)
            if name and "password" in name[1]:
                assert 'type="password"' in tag, path
                told = re.search(r'autocomplete="([^"]+)"', tag)
                found[name[1]] = told[1] if told else ""
        assert found == wanted, path
        typed = set(re.findall(r'<(?:input|select|textarea)[^>]*name="([^"]+)"', page))
        assert typed - found.keys() <= {"csrfmiddlewaretoken", "login", "next", "credential"}, "no secret questions"
