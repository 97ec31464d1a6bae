"""The people of these tests, as facts: organisations and persons are rows, their standing is given.

Intelligence is decided on frozen facts, so these tests make the facts by hand and need no application, review or
session; how facts come from rows is tested where they are made.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from lianfang.accounts.models import Organization, Person
from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.intel import intake, queries
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Submission
from lianfang.policy.facts import (
    Audience,
    Caveats,
    Channel,
    Duty,
    Kind,
    NameSource,
    Pair,
    Request,
    Right,
    Role,
    Standing,
    Subject,
    Tlp,
)

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
BUNDLES = "schemas-2.1/examples/threat-reports"
EVERYONE = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
_made: dict[str, int] = {}


def organisation(name: str, kind: str = "twse") -> UUID:
    """Make an organisation and return its id."""
    with transaction.atomic():
        made = Organization.objects.create(kind=kind, name_zh=name, name_en=f"{name} Ltd", created_at=AT)
        record(by=Subject.system("test"), at=AT, about=made, tag=Tag.AUDIT_LEDGER_VERIFY)
    return made.pk


def person() -> UUID:
    """Make a person and return its id."""
    with transaction.atomic():
        made = Person.objects.create(name="林樣本", email=f"{uuid4()}@example.test", created_at=AT)
        record(by=Subject.system("test"), at=AT, about=made, tag=Tag.AUDIT_LEDGER_VERIFY)
    return made.pk


def member(name: str, **facts: Any) -> Subject:
    """Make a group member in force with one administrator, and return that person as subject."""
    return of(Pair(group := organisation(name), group), **facts)


def of(pair: Pair, **facts: Any) -> Subject:
    """Make one more person who acts for this pair."""
    plain: dict[str, Any] = {
        "kind": Kind.PERSON,
        "person": person(),
        "pair": pair,
        "standing": Standing.ACTIVE,
        "acknowledged": True,
        "mfa": True,
        "role": Role.MEMBER_ADMIN,
    }
    return Subject(**plain | facts)


def constituent(of_group: Subject, name: str, **facts: Any) -> Subject:
    """Make a screened constituent of a member, with one person."""
    assert of_group.pair is not None
    pair = Pair(organisation(name, "constituent"), of_group.pair.group)
    return of(pair, is_constituent=True, constituent_ok=True, **facts)


def analyst(**facts: Any) -> Subject:
    """Make the coordinator (once a test) and an analyst."""
    found = Organization.objects.filter(kind="coordinator").first()
    own = found.pk if found else organisation("協調中心", "coordinator")
    return of(Pair(own, own), **{"is_coordinator": True, "duties": frozenset({Duty.ANALYST})} | facts)


def token(owner: Subject, *rights: Right) -> Subject:
    """A token of this person with these rights, else all that a token may have."""
    given = frozenset(rights or (Right.READ, Right.READ_SOURCE, Right.EXPORT, Right.SUBMIT))
    return Subject.of_token(token=uuid4(), owner=owner, caveats=Caveats(rights=given))


def indicator(**properties: Any) -> dict[str, Any]:
    """A plain indicator, always another one unless `id` is given."""
    number = _made["n"] = _made.get("n", 0) + 1
    plain = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "name": f"壞網域{number}",
        "indicator_types": ["malicious-activity"],
        "pattern": f"[domain-name:value = 'h{number}.example']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
    }
    return {name: value for name, value in (plain | properties).items() if value is not None}


def malware(**properties: Any) -> dict[str, Any]:
    """A plain malware object."""
    plain = {
        "type": "malware",
        "spec_version": "2.1",
        "id": f"malware--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "name": "紙鎮",
        "is_family": True,
    }
    return plain | properties


def relationship(source: str, target: str, verb: str = "indicates", **properties: Any) -> dict[str, Any]:
    """A relationship between two objects."""
    plain = {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "relationship_type": verb,
        "source_ref": source,
        "target_ref": target,
    }
    return plain | properties


def bundle(*objects: dict[str, Any]) -> bytes:
    """A STIX bundle of these objects."""
    return json.dumps({"type": "bundle", "id": f"bundle--{uuid4()}", "objects": list(objects)}).encode()


def submit(by: Subject, *objects: dict[str, Any], form: LabelForm = EVERYONE, at: datetime = AT) -> Submission:
    """Submit these objects."""
    return intake.submit(by=by, at=at, body=bundle(*objects), form=form, channel=Channel.PAGE)


def outcomes(submission: Submission) -> list[str]:
    """The outcome of each object."""
    return [result["outcome"] for result in submission.results]


def taxii(subject: Subject, at: datetime = AT, **wanted: Any) -> queries.Page:
    """A page of the exchange log, as a machine gets it."""
    return queries.page(subject=subject, at=at, request=Request(channel=Channel.TAXII), **wanted)


def ids(page: queries.Page) -> list[str]:
    """The ids on a page, in order."""
    return [found.stix_id for found in page.items]


def later(seconds: float = 60) -> datetime:
    """An instant after AT."""
    return AT + timedelta(seconds=seconds)


def without_factor(subject: Subject) -> Subject:
    """The same person without a second factor."""
    return replace(subject, mfa=False)
