"""Every page of the app by every one of the cast, in both languages: the right people get in, and nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests import world

STAFF = [
    ("inbox", []), ("applications", []), ("case", ["A"]), ("case_conflict", ["A"]), ("member_directory", []),
    ("membership", ["M"]), ("revocations", []), ("revocation", ["R"]), ("revocation_conflict", ["R"]),
]  # fmt: skip
REVIEWERS = [
    ("case_authority", ["A"]), ("case_screening", ["A"]), ("case_correct", ["A"]),
    ("case_recommend", ["A", "approve"]), ("case_recommend", ["A", "reject"]), ("revocation_start", ["M"]),
    ("revocation_propose", ["R"]),
]  # fmt: skip
APPROVERS = [
    ("case_decide", ["A", "approve"]), ("case_decide", ["A", "reject"]), ("case_return", ["A"]),
    ("revocation_decide", ["R", "revoke"]), ("revocation_decide", ["R", "close"]),
]  # fmt: skip
MEMBERS = [("overview", []), ("roster", [])]


def path(made: world.World, name: str, args: list[str]) -> str:
    names = {"A": made.applicant.number, "R": made.revocation.number, "M": str(made.jia.membership.pk)}
    return reverse(name, args=[names.get(arg, arg) for arg in args])


@pytest.mark.parametrize("language", ["zh-hant", "en"])
@pytest.mark.parametrize(("who", "pages"), [
    ("operator", STAFF), ("reviewer", STAFF + REVIEWERS), ("approver", STAFF + APPROVERS), ("auditor", STAFF),
])  # fmt: skip
def test_the_staff_sees_its_pages(made: world.World, who: str, pages: Any, language: str) -> None:
    client = made.client(getattr(made, who), language=language)
    for name, args in pages:
        answer = client.get(path(made, name, args))
        assert answer.status_code == 200, (name, answer.status_code)
        assert b"{%" not in answer.content
