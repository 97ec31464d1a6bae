"""Texts that would run, load or deceive if any page took them for more than text, in every field that people fill in.

Each text carries the number of its field, so that a walk can say which fields it met.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from lianfang.accounts import actions as accounts
from lianfang.intel import actions as intel
from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Version
from lianfang.members import actions as members
from lianfang.members import queries
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import Audience, Channel, Duty, NameSource, Tlp
from tests import world
from tests.faults.fuzz import seeds
from tests.world import PDF, World

PAYLOADS = (
    "qz{n}z<script>canary({n})</script>",
    'qz{n}z"><img src=x onerror=canary({n})>',
    "qz{n}z'><svg onload=canary({n})>",
    "qz{n}z{{{{7*1337}}}}{{% debug %}}${{7*1337}}",
    "javascript:canary({n})//qz{n}z",
    '=HYPERLINK("https://canary.example/{n}")qz{n}z',
    "qz{n}z\u202etxt.exe\u2066",
    "qz{n}z" + "長" * 60,
    "qz{n}z<img src=https://canary.example/{n}>",
    "qz{n}z<a href=javascript:canary({n})>x</a>",
    "qz{n}z</title></textarea></script><script>canary({n})</script>",
    "qz{n}z<iframe srcdoc='<script>parent.canary({n})</script>'>",
    'qz{n}z" onmouseover=canary({n}) autofocus onfocus=canary({n}) x="',
)
_NEVER = {
    "id", "type", "spec_version", "created", "modified", "pattern", "pattern_type", "valid_from", "valid_until",
    "published",
}  # fmt: skip

_TYPED = (
    ("organization", "name_zh"), ("organization", "name_en"), ("organization", "address"),
    ("organization", "responsible"), ("people", "admin1_name"), ("people", "admin1_title"), ("people", "admin2_name"),
    ("people", "admin2_title"), ("people", "contact_name"), ("people", "contact_title"),
    ("attestation", "attester_name"), ("attestation", "attester_title"),
)  # fmt: skip


class Canary:
    """Gives each field its text; `shift` chooses another text for each of them."""

    def __init__(self, shift: int) -> None:
        self.shift = shift
        self._numbers = itertools.count(1)
        self.fields: dict[int, str] = {}
        """Number -> which field."""

    def __call__(self, field: str, limit: int = 100) -> str:
        """Return the text for one field."""
        number = next(self._numbers)
        self.fields[number] = field
        return PAYLOADS[(number + self.shift) % len(PAYLOADS)].format(n=number)[:limit]


def hostile(canary: Canary) -> tuple[World, list[str]]:
    """The cast, with such a text wherever its people could type one, and the ids of the intelligence it shared."""
    with _typed(canary):
        made = world.make()
    _cases(made, canary)
    _accounts(made, canary)
    return made, _intelligence(made, canary)


@contextmanager
def _typed(canary: Canary) -> Iterator[None]:
    """While the cast is made, what it types is replaced."""
    plain, invite, revoke, draft = world.answers, world.invite, members.propose, world.draft
    typed: dict[int, dict[str, dict[str, Any]]] = {}

    def answers(**given: Any) -> dict[str, dict[str, Any]]:
        pages = plain(**given)
        typed[id(pages)] = copy.deepcopy(pages)
        for step, name in _TYPED:
            if pages[step][name]:
                pages[step][name] = canary(f"application {name}")
        return pages

    def drafting(clock: Any, pages: dict[str, dict[str, Any]], **given: Any) -> Any:
        """What the form refuses (too long, characters that show nothing) is typed as usual."""
        made = draft(clock, pages, **given)
        for wrong in (one for one in queries.missing_of(made) if one.step in typed[id(pages)]):
            pages[wrong.step][wrong.field] = typed[id(pages)][wrong.step][wrong.field]
        for step in ("organization", "people", "attestation"):
            members.save_step(
                application=made, step=step, values=pages[step], by=world.Subject.public(), at=clock.tick()
            )
        return world.reread(made)

    def inviting(clock: Any, inviter: Any, **given: Any) -> Any:
        return invite(clock, inviter, **given | {"name": canary("person name")})

    def proposing(**given: Any) -> Any:
        return revoke(**given | {"facts": canary("facts of a revocation")})

    with (
        mock.patch.object(world, "answers", answers),
        mock.patch.object(world, "draft", drafting),
        mock.patch.object(world, "invite", inviting),
        mock.patch.object(world.actions, "propose", proposing),
    ):
        yield


def _cases(made: World, canary: Canary) -> None:
    clock, reviewer = made.clock, made.reviewer
    case, by = made.applicant, reviewer.subject
    members.declare_conflict(case=case, conflict=False, by=by(), at=clock.tick())
    members.take_up(application=case, by=by(), at=clock.tick())
    members.add_note(case=case, text=canary("note"), by=by(), at=clock.tick())
    members.add_note(case=case, text=canary("message to the applicant"), to_applicant=True, by=by(), at=clock.tick())
    members.check_authority(application=case, method="registry", note=canary("authority"), by=by(), at=clock.tick())
    text = canary("text of an appeal")
    upload = read_upload(name=canary("name of a file of an appeal", 60) + ".pdf", content=PDF, field="files")
    members.file_appeal(
        case=made.revocation, text=text, files=[upload], key="canary", by=made.former.admin.subject(), at=clock.tick()
    )
    draft = world.draft(clock, world.answers(name="壬示範股份有限公司", place=77, people="canary.example"))
    upload = read_upload(name=canary("name of an attachment", 60) + ".pdf", content=PDF, field="registration")
    members.add_attachment(
        application=draft, proof="registration", upload=upload, by=world.Subject.public(), at=clock.tick()
    )


def _accounts(made: World, canary: Canary) -> None:
    clock = made.clock
    scope = accounts.Scope(
        name=canary("name of a connection", 60), purpose=canary("purpose of a connection"), max_tlp="AMBER",
        rights=world.READING, days=90,
    )  # fmt: skip
    admin = made.jia.admin
    accounts.make_token(affiliation=admin.affiliation, scope=scope, by=admin.subject(), at=clock.tick())
    accounts.propose_duty(
        person=made.reviewer.person, duty=Duty.AUDITOR, reason=canary("reason for a duty"), by=made.granter1.subject(),
        at=clock.tick(),
    )  # fmt: skip
    proposal = accounts.propose_setting(
        name="collecting_entity", value={"zh": canary("a setting"), "en": canary("a setting, English")},
        effective_at=clock.at, reason=canary("reason for a setting"), by=made.approver.subject(), at=clock.at,
    )  # fmt: skip
    accounts.approve_setting(proposal=proposal, by=made.approver2.subject(), at=clock.tick())


def bodies(canary: Canary) -> Iterator[dict[str, Any]]:
    """One object of each type, with such a text in each field in which the intake takes it."""
    seen: set[str] = set()
    for objects in reversed(seeds()):
        for plain in objects:
            kind = plain["type"]
            if kind in seen or not _taken(plain):
                continue
            seen.add(kind)
            yield _filled(json.loads(json.dumps(plain)), canary)


def _filled(made: dict[str, Any], canary: Canary) -> dict[str, Any]:
    for extra in ({"labels": ["x"]}, {"external_references": [{"source_name": "x", "description": "x", "url": "x"}]},
                  {"x_note": "x"}, {"name": "x"}, {"description": "x"}):  # fmt: skip
        if _taken(made | extra):
            made |= json.loads(json.dumps(extra))
    for node, key in list(_texts(made)):
        before = node[key]
        node[key] = canary(f"{made['type']} {key}")
        if not _taken(made):
            node[key] = before
            canary.fields.popitem()
    return made


def _texts(node: Any) -> Iterator[tuple[Any, Any]]:
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
    for key, child in pairs:
        if isinstance(child, dict | list):
            yield from _texts(child)
        elif (
            isinstance(child, str)
            and key not in _NEVER
            and not str(key).endswith(("_ref", "_refs"))
            and "--" not in child
        ):
            yield node, key


def _taken(made: dict[str, Any]) -> bool:
    candidates, _ = intake.examine(json.dumps({"objects": [made]}).encode())
    return bool(candidates)


def _intelligence(made: World, canary: Canary) -> list[str]:
    clock, admin = made.clock, made.jia.admin
    form = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
    for one in bodies(canary):
        intake.submit(
            by=admin.subject(),
            at=clock.tick(),
            body=json.dumps({"objects": [one]}).encode(),
            form=form,
            channel=Channel.PAGE,
        )
    wrong = {"type": canary("type that is refused"), "id": canary("id that is refused"), "name": canary("refused name")}
    intake.submit(
        by=admin.subject(),
        at=clock.tick(),
        body=json.dumps({"objects": [wrong]}).encode(),
        form=form,
        channel=Channel.PAGE,
    )
    for version in Version.objects.filter(item__type__in=("campaign", "malware"))[:1]:
        intel.recall(by=admin.subject(), at=clock.tick(), version=version, reason=canary("reason of a recall"))
    intel.start_stop(by=made.analyst.subject(), at=clock.tick(), reason=canary("reason of a drill"), drill=True)
    return list(Version.objects.values_list("item__stix_id", flat=True))


__all__ = ["PAYLOADS", "Canary", "hostile"]
