"""Fields that a form does not ask for change nothing, whatever a model calls its columns."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django import forms
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

import lianfang
from lianfang.audit.exempt import EXEMPT
from lianfang.intel.models import Draft
from lianfang.members import actions
from tests.intel.cast import bundle, indicator
from tests.world import World, answers, draft

# Made anew by each run of the same deed.
PASSING = set(EXEMPT) - {"intel_draft"}
FRESH = {
    "id", "secret", "secret_digest", "number", "vault_key_id", "key", "sha256", "path", "salt", "digest", "tx", "at",
    "hash", "message_id", "stored_at", "created_at", "wrapped", "master_id", "email_index", "stix_id", "served_id",
}  # fmt: skip


def planted() -> dict[str, str]:
    """Every column name of every model of ours, with values that would open or close something."""
    values = {}
    for model in apps.get_models():
        if model.__module__.startswith("lianfang."):
            for field in model._meta.get_fields():
                kind = type(field).__name__
                value = "approved" if field.name == "state" else "2020-01-01T00:00:00Z" if "Date" in kind else "1"
                values[field.name] = value
                if hasattr(field, "attname"):
                    values[field.attname] = str(uuid4()) if "Foreign" in kind else value
    return values | {"is_superuser": "on", "is_staff": "on", "state": "approved", "role": "member_admin"}


def plain(value: object) -> object:
    """Sealed bytes differ each time, instants by the clock."""
    if isinstance(value, bytes | memoryview):
        return "sealed"
    return "an instant" if hasattr(value, "tzinfo") else value


def state() -> dict[str, list[str]]:
    """Every row that matters, without what each run makes anew."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for name in sorted(set(connection.introspection.table_names(cursor)) - PASSING):
            cursor.execute(f'SELECT * FROM "{name}"')
            columns = [one[0] for one in cursor.description]
            rows = (
                repr([(c, plain(v)) for c, v in zip(columns, row, strict=True) if c not in FRESH and c[-3:] != "_id"])
                for row in cursor.fetchall()
            )
            found[name] = sorted(rows)
    return found


def fields(page: HttpResponse) -> set[str]:
    """What a page asks for, its buttons too."""
    return set(re.findall(r'name="([^"]+)"', page.content.decode()))


def after(act: Callable[[dict[str, str]], HttpResponse], more: dict[str, str]) -> tuple[int, dict[str, list[str]]]:
    with transaction.atomic():
        status = act(more).status_code
        found = state()
        transaction.set_rollback(True)
    return status, found


def deeds(world: World) -> dict[str, Callable[[dict[str, str]], HttpResponse]]:
    """Forms of applying, reviewing, revoking, sharing, filled in rightly; what is typed wins over what is planted."""
    pages = answers(name="癸示範股份有限公司", place=63, people="m63.example")
    mine = draft(world.clock, pages)
    applicant = Client()
    applicant.post(f"/apply/resume/{mine.secret}")
    number = world.applicant.number
    if not world.applicant.reviewer_id:
        reviewer = world.reviewer.subject()
        actions.declare_conflict(case=world.applicant, conflict=False, by=reviewer, at=world.clock.tick())
        actions.take_up(application=world.applicant, by=reviewer, at=world.clock.tick())
    reviewer, approver = world.client(world.reviewer), world.client(world.approver)
    source, former = world.client(world.jia.admin), world.client(world.former.admin)

    def posting(
        client: Client, path: str, typed: dict[str, Any], *, page: str = ""
    ) -> Callable[[dict[str, str]], HttpResponse]:
        asked = fields(client.get(page or path))
        assert typed.keys() & asked, f"{page or path} asks for {sorted(asked)}"
        return lambda more: client.post(path, {name: more[name] for name in more.keys() - asked} | typed)

    body = bundle(indicator())

    def share(more: dict[str, str]) -> HttpResponse:
        file = SimpleUploadedFile("x.json", body, "application/json")
        source.post("/member/submit", {**more, "file": file})
        kept = Draft.objects.latest("created_at")
        typed = {"tlp": "GREEN", "audience": "alliance", "name_source": "everyone", "upstream": "none"}
        asked = fields(source.get(f"/member/submit/{kept.pk}"))
        return source.post(f"/member/submit/{kept.pk}", {name: more[name] for name in more.keys() - asked} | typed)

    return {
        "begin an application": posting(Client(), "/apply", {"kind": "twse", "email": "one@m64.example"}),
        "the organisation": posting(applicant, "/apply/step/organization", pages["organization"]),
        "the people": posting(applicant, "/apply/step/people", pages["people"]),
        "a note": posting(reviewer, f"/staff/cases/{number}/note", {"text": "看過了", "note": "1"},
                          page=f"/staff/cases/{number}"),
        "how authority was checked": posting(reviewer, f"/staff/cases/{number}/authority", {"method": "registry"}),
        "open a review": posting(
            reviewer, f"/staff/members/{world.jia.membership.pk}/revoke", {"ground": "1.4b", "facts": "未回覆通知。"}
        ),
        "declare": posting(approver, f"/staff/cases/{number}/conflict", {"conflict": "no", "reason": ""}),
        "share a file": share,
        "the profile of machines": posting(
            source, "/member/connections/profile/all",
            {"audience": "alliance", "name_source": "coordinator", "warranty": "free"},
        ),
        "relay": posting(world.client(world.ding.admin), "/member/organisation/roster/relay", {"start": "1"},
                         page="/member/organisation/roster"),
        "appeal": posting(former, "/exit/appeal", {"text": "我們不同意。", "key": "k" * 43}),
    }  # fmt: skip


def test_what_a_form_does_not_ask_for_changes_nothing(world: World) -> None:
    more = planted()
    assert {
        "state",
        "role",
        "reviewer_id",
        "tlp",
        "max_tlp",
        "is_active",
        "effective_at",
        "granted_by_id",
    } <= more.keys()
    changed, done = [], 0
    before = state()
    for name, act in deeds(world).items():
        status, as_typed = after(act, {})
        again, with_more = after(act, more)
        different = [table for table in as_typed if as_typed[table] != with_more[table]]
        if (status, as_typed) != (again, with_more):
            changed.append(f"{name}: {status} and {again}, {different}")
        done += as_typed != before
    assert not changed, "\n".join(changed)
    assert done >= 8, "most of these forms do something"


def test_no_form_is_made_from_a_model() -> None:
    found = []
    for module in pkgutil.walk_packages(lianfang.__path__, "lianfang."):
        if module.name.rpartition(".")[2].endswith("forms") or ".forms." in module.name:
            loaded = importlib.import_module(module.name)
            found += [one for one in vars(loaded).values() if isinstance(one, type) and issubclass(one, forms.BaseForm)]
    assert len(found) >= 20
    assert not [one.__name__ for one in found if issubclass(one, forms.BaseModelForm)]
