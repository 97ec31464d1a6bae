"""The walk of the contact sheet: codes, kinds of page, names of files, whom it picks."""

from __future__ import annotations

import pytest

from tests.browser.contact_sheet import AVOIDED, chosen, code, kind_of, name_of


@pytest.mark.parametrize(
    ("at", "digits"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(at: int, digits: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at=at) == digits


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/", "/", "root"),
        ("/member/intel?q=1", "/member/intel", "member_intel"),
        (
            "/member/intel/indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f/why",
            "/member/intel/*/why",
            "member_intel_one_why",
        ),
        ("/staff/cases/A-2026-0187", "/staff/cases/*", "staff_cases_one"),
        ("/charter/2", "/charter/*", "charter_one"),
        ("/apply/resume/aB3_dE6-hI9kL2nO5qR8tU1w", "/apply/resume/*", "apply_resume_one"),
    ],
)
def test_one_page_of_each_kind(path: str, kind: str, name: str) -> None:
    assert (kind_of(path), name_of(path)) == (kind, name)


def test_it_never_signs_out_or_fetches_files() -> None:
    assert all(AVOIDED.search(path) for path in ("/account/logout/", "/x/download", "/staff/cases/A/files/1", "/a.pdf"))
    assert not AVOIDED.search("/member/intel")


def test_one_reader_of_each_role_and_organisation() -> None:
    accounts = [
        {"role": role, "organisation": organisation, "email": f"{role}@{organisation}"}
        for role, organisation in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"))
    ]
    assert [account["email"] for account in chosen(accounts)] == ["a@x", "b@x", "a@y"]
