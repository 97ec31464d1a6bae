"""What a form does not ask for changes nothing; what it asks for may be anything: told at its field, never a 500."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse

from lianfang.accounts.models import (
    Account,
    Affiliation,
    DutyGrant,
    FactorReset,
    Invitation,
    Organization,
    Person,
    SettingDecision,
    Token,
)
from lianfang.charter.models import ConfidentialityDuty
from lianfang.outbox.models import Delivery
from tests.accounts.cast import Few, member_organization
from tests.accounts.forms_of_pages import Filled, filled

pytestmark = pytest.mark.django_db

# What differs between two runs of the same deed and tells nothing.
PASSING = {
    "id", "secret_digest", "created_at", "expires_at", "started_at", "left_at", "accepted_at", "withdrawn_at", "at",
    "proposed_at", "granted_at", "ended_at", "decided_at", "effective_at", "asked_at", "vouched_at", "acknowledged_at",
    "starts_at", "revoked_at", "first_contact_at", "vault_key_id", "password", "email_index", "replaces_id",
    "affiliation_id", "person_id",
}  # fmt: skip
KEPT = [
    Account, Affiliation, ConfidentialityDuty, DutyGrant, FactorReset, Invitation, Organization, Person,
    SettingDecision, Token,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


def state() -> dict[str, list[str]]:
    """All rows of the app as text, without what differs between two runs; instants only by whether they are there."""
    found: dict[str, list[str]] = {}
    joined = {str(one) for one in Account.objects.values_list("person_id", flat=True)}
    for model in KEPT:
        rows = []
        for row in model._default_manager.values():
            told = {name: value for name, value in row.items() if name not in PASSING and not _sealed(value)}
            told |= {name: row[name] is not None for name in row if name.endswith("_at")}
            if model is not ConfidentialityDuty and "person_id" in row:
                told["person_id"] = str(row["person_id"]) if str(row["person_id"]) in joined else "somebody new"
            rows.append(repr(sorted(told.items(), key=str)))
        found[model.__name__] = sorted(rows)
    return found


def _sealed(value: object) -> bool:
    return isinstance(value, bytes | memoryview)


def after(form: Filled, changed: dict[str, Any]) -> tuple[int, dict[str, list[str]]]:
    """What the answer is and how things stand after posting, which is then undone."""
    kept = copy.deepcopy(form.client.cookies)
    with transaction.atomic():
        answer = form.post(changed)
        found = state()
        transaction.set_rollback(True)
    # A signed deed gives the session another name, which is undone with it.
    form.client.cookies = kept
    assert isinstance(answer, HttpResponse)
    return answer.status_code, found


def planted(cast: Few, form: Filled) -> dict[str, Any]:
    """Every field name of every model of the product that the form does not ask for, each with a wish."""
    other = member_organization(cast.clock, place=7, name="庚示範")
    wishes = {
        "role": "member_admin", "state": "granted", "duty": "approver", "kind": "coordinator", "is_active": "",
        "person": str(cast.staff["approver"].person.pk), "account": str(cast.admin.account.pk),
        "organization": str(other.pk), "group": str(other.pk), "affiliation": str(cast.deputy.affiliation.pk),
        "granted_by": str(cast.staff["granter2"].person.pk), "approved_by": str(cast.staff["approver2"].person.pk),
        "proposed_by": str(cast.admin.person.pk), "left_at": "2020-01-01T00:00", "revoked_at": "",
        "expires_at": "2999-01-01T00:00", "entered_by_other": "", "first_contact_at": "2020-01-01T00:00",
        "email": "owner@evil.example", "max_tlp": "RED", "rights": ["read", "approve"], "views": ["*"], "days": "9999",
    }  # fmt: skip
    names = {field.name for model in apps.get_models() for field in model._meta.get_fields()}
    names |= {f"{name}_id" for name in names} | {"is_staff", "is_superuser", "user_permissions", "pk", "id", "mfa"}
    # `lang` and `theme` in an address are links of every page; in a form they are nothing.
    return {name: wishes.get(name, "1") for name in names if name not in form.typed and name != "credential"}


def test_every_form_is_accepted_as_it_stands(cast: Few) -> None:
    forms = filled(cast)
    assert len(forms) > 20
    for form in forms:
        status, _ = after(form, {})
        assert status == form.status, form.name


def test_no_field_of_a_model_is_written_by_a_form_that_does_not_ask_for_it(cast: Few) -> None:
    forms = filled(cast)
    other = planted(cast, forms[0])
    assert len(other) > 150
    for form in forms:
        wished = {**other, "email": "x@evil.example"}
        wished = {name: value for name, value in wished.items() if name not in form.typed}
        if form.name == "join":
            wished.pop("password", None)
        plain, dirty = after(form, {}), after(form, wished)
        assert plain[0] == dirty[0], form.name
        for table, rows in plain[1].items():
            assert dirty[1][table] == rows, f"{form.name}: {table}"


def test_what_is_asked_for_in_the_address_is_asked_for_nowhere(cast: Few) -> None:
    for form in filled(cast):
        with transaction.atomic():
            before = state()
            question = urlencode(form.typed, doseq=True)
            answer = form.client.post(f"{form.path}?{question}", {})
            if form.typed and form.name not in ("let go",):
                assert answer.status_code in (200, 422), form.name
                assert state() == before, form.name
            transaction.set_rollback(True)


# Anything in any field

SCRIPT = "<script>alert(7)</script>"
HOSTILE = {
    "markup": f"{SCRIPT}\"><img src=x onerror=alert(7)>{{{{ 7|add:7 }}}}{{% debug %}}' OR 1=1; --\u202egnp.exe",
    "nul": "a\x00b",
    "line breaks": "a\r\nBcc: x@evil.example\r\n\r\nb",
    "100,000 characters": "長" * 100_000,
    "nothing": "",
}


def post_raw(form: Filled, name: str, raw: bytes) -> HttpResponse:
    """Post a field with these very bytes, percent-encoded, which need not be text."""
    pairs = [
        (key, quote(one, safe=""))
        for key, value in form.typed.items()
        if key != name
        for one in (value if isinstance(value, list) else [value])
    ]
    body = "&".join(f"{key}={value}" for key, value in [*pairs, (name, quote(raw, safe=""))])
    answer: HttpResponse = form.client.post(form.path, body, content_type="application/x-www-form-urlencoded")
    return answer


def told_at(answer: HttpResponse) -> set[str]:
    """The fields at which the answer says that something is wrong."""
    context = getattr(answer, "context", None)
    if context is None:
        return set()
    found = set()
    form, refusal = context.get("form"), context.get("refusal")
    if form is not None and form.is_bound:
        found |= set(form.errors)
    if refusal is not None:
        found.add(refusal.field)
    return found


def judge(form: Filled, name: str, why: str, answer: HttpResponse) -> str:
    """What is wrong with an answer; nothing when it is as it should be."""
    if answer.status_code >= 500:
        return "it broke"
    page = answer.content.decode()
    if "alert(7)>" in page.replace("&gt;", "") and "<img src=x" in page:
        return "markup came through"
    if SCRIPT in page:
        return "a script came through"
    if answer.status_code == form.status and form.status == 302:
        return (
            ""
            if name not in form.fixed or why in ("nothing", "blanks")
            else "accepted, though it is none of the choices"
        )
    if answer.status_code in (200, 422) and form.status == 302:
        named = told_at(answer)
        # A page that answers the same whatever is typed names nothing, and neither does the choice of a pair.
        return "" if named & {name, "password1", "password2"} or form.name in ("switch",) else f"told at {named}"
    return ""


def headers(answer: HttpResponse) -> str:
    """What got into a header of the answer, or of the mail that was queued."""
    mails = Delivery.objects.order_by("-created_at")[:2]
    written = "".join([answer.headers.get("Location", ""), *(mail.subject + mail.to for mail in mails)])
    return "a line break came through" if "\n" in written or "evil" in written else ""


def test_anything_in_any_field_is_escaped_or_told_at_its_field(cast: Few) -> None:
    wrong = []
    for form in filled(cast):
        for name in form.typed:
            if name in ("act", "next"):
                continue
            for why, value in HOSTILE.items():
                cache.clear()
                with transaction.atomic():
                    answer = form.post({name: value})
                    assert isinstance(answer, HttpResponse)
                    fault = judge(form, name, why, answer) or headers(answer)
                    if not fault and answer.status_code == form.status and form.shown_on:
                        page = form.client.get(form.shown_on)
                        fault = "shown unescaped" if SCRIPT in page.content.decode() else ""
                        fault = fault or ("the list broke" if page.status_code != 200 else "")
                    transaction.set_rollback(True)
                if fault:
                    wrong.append(f"{form.name}, {name} = {why}: {fault}")
    assert wrong == []


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"a\xff\xfe\xc0\xaf"])
def test_bytes_that_are_no_text_are_met_in_every_field(cast: Few, raw: bytes) -> None:
    for form in filled(cast):
        for name in form.typed:
            cache.clear()
            with transaction.atomic():
                answer = post_raw(form, name, raw)
                assert answer.status_code < 500, (form.name, name)
                transaction.set_rollback(True)


DEEP = [
    "[" * 50_000, '{"a":' * 50_000, "[]", "7", '"x"', "{}", "null", "NaN", "1" * 5000, '{"id":"a"}', "\x00",
    '{"id":"\\ud800","rawId":"\\ud800","type":"public-key","response":{"clientDataJSON":"\\u0000"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"YQ","authenticatorData":"YQ",'
    '"signature":"YQ","userHandle":"YQ"}}',
]  # fmt: skip


@pytest.mark.parametrize("answered", DEEP, ids=lambda text: text[:12])
def test_no_answer_of_a_passkey_breaks_a_page(cast: Few, answered: str) -> None:
    from django.urls import reverse

    from tests.accounts.test_pages import browser

    forms = {form.name: form for form in filled(cast)}
    signing = forms["let go"]
    visits = [
        (browser(None), reverse("mfa_login_webauthn"), "credential"),
        (forms["join"].client, forms["join"].path, "credential"),
        (signing.client, signing.path, "second_factor_credential"),
        (signing.client, reverse("mfa_add_webauthn"), "credential"),
        (signing.client, reverse("mfa_reauthenticate_webauthn"), "credential"),
    ]
    half = browser(None)
    from tests.world import PASSWORD

    half.post(reverse("account_login"), {"login": "admin@m1.example", "password": PASSWORD})
    visits.append((half, reverse("mfa_authenticate"), "credential"))
    forms["join"].client.get(forms["join"].path)
    for client, path, name in visits:
        answer = client.post(path, {name: answered})
        assert answer.status_code in (200, 302, 422), path
        if answer.status_code == 302:
            assert answer["Location"].startswith("/account/"), path
    assert half.get("/me").status_code == 302
    cast.member.affiliation.refresh_from_db()
    assert cast.member.affiliation.left_at is None


@pytest.mark.parametrize(
    "path",
    ["/invite/%00", "/invite/%ED%A0%80", "/invite/" + "x" * 9000, "/invite/..%2F..%2Fetc", "/member/connections/x",
     "/member/organisation/people/0/role", "/staff/settings/%00", "/staff/settings/__class__", "/staff/settings/%F0%9F",
     "/account/lost-factor/%00", "/account/lost-factor/a:b:c", "/account/2fa/webauthn/keys/99999999999999999999/edit/",
     "/charter/99999999999999999999", "/charter/versions/99999999999999999999", "/charter/-1", "/account/helping/x"],
)  # fmt: skip
def test_anything_in_an_address_is_not_found_or_led_to_sign_in(cast: Few, path: str) -> None:
    from tests.accounts.test_pages import browser

    for client in (browser(None), browser(cast.admin), browser(cast.staff["approver"])):
        answer = client.get(path)
        assert answer.status_code in (302, 403, 404), path
        assert "Traceback" not in answer.content.decode()
