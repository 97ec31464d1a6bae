"""A world with something of everything in it, at once: what the observer sees and brought, and every kind of secret."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lianfang.intel.models import Version
from lianfang.policy.facts import Right
from tests import world as cast
from tests.exchange.stage import ALL
from tests.secrecy import acts
from tests.secrecy.play import OBSERVERS, Ask, Stagehand
from tests.secrecy.twins import Twins

_OBJECTS = f"/taxii2/alliance/collections/{ALL}/objects/"


@dataclass
class Furnished:
    """The hand that plays this world, and ids to ask for by what they are."""

    hand: Stagehand
    at: datetime
    ids: dict[str, str] = field(default_factory=dict)

    def later(self) -> datetime:
        """The instant of the next step."""
        self.at = acts.later(self.at)
        return self.at


def furnish(twins: Twins, database: str, *, secrets: bool = True, twice: bool = False, seed: int = 7) -> Furnished:
    """Make a copy of the beginning and fill it; without `secrets` only with what the observer may see.

    `twice`: every kind of secret twice, and some more often, so that there are as many as a play needs.
    """
    twins.make(database)
    twins.enter(database)
    hand = Stagehand(twins, OBSERVERS["member"], seed)
    found = Furnished(hand, acts.START)
    for place in range(4):
        hand.act(place, found.later(), "shown_share")
    found.ids["visible"] = hand.back.shown[0].stix_id
    _bring(found, seed)
    _hide(found, secrets=secrets, twice=twice)
    return found


def _bring(found: Furnished, seed: int) -> None:
    """The observer's own: an object for all, read by one member; and a relation that names something hidden."""
    back, rng = found.hand.back, random.Random(f"{seed} own")
    back.rng = rng
    at = found.later()
    found.hand.twins.given.step(at=at, who="own")
    own = back.indicator(name="自有")
    back.share(found.hand.actor, at, own)
    at = found.later()
    found.hand.twins.given.step(at=at, who="reads own")
    back.browser(back.world.yi.admin, at).get(f"/member/intel/{own['id']}")
    found.ids["own"] = own["id"]
    found.ids["later_hidden"] = f"indicator--{UUID(int=rng.getrandbits(128), version=4)}"
    number = UUID(int=rng.getrandbits(128), version=4)
    relation = {
        "type": "relationship", "spec_version": "2.1", "id": f"relationship--{number}",
        "created": acts.STAMP, "modified": acts.STAMP, "relationship_type": "related-to", "source_ref": own["id"],
        "target_ref": found.ids["later_hidden"],
    }  # fmt: skip
    found.ids["naming"] = str(relation["id"])
    at = found.later()
    found.hand.twins.given.step(at=at, who="own relation")
    back.share(found.hand.actor, at, relation)


def _hide(found: Furnished, *, secrets: bool, twice: bool) -> None:
    hand, back, place = found.hand, found.hand.back, 100
    for name in [*dict.fromkeys(acts.SECRETS), *(acts.SECRETS if twice else ())]:
        at, place = found.later(), place + 1
        if secrets:
            hand.act_in_secret(place, at, name)
    for act in (_name_what_the_observer_named, _read_what_the_observer_brought, _admit):
        at = found.later()
        if secrets:
            hand.twins.given.step(at=at, who=act.__name__)
            back.rng = random.Random(act.__name__)
            act(found, at)
    if secrets:
        found.ids |= {one.state: one.stix_id for one in back.hidden if one.stix_id.startswith("indicator--")}
        found.ids["hidden"] = found.ids["published"]
        found.ids["submission"] = back.known.secret["submission"][0]
        found.ids["word"] = _title_of(found.ids["hidden"]).split()[-1]
        found.ids["spoken_of"] = back.spoken_of


def _title_of(stix_id: str) -> str:
    version = Version.objects.filter(item__stix_id=stix_id).latest("id")
    return str(json.loads(bytes(version.original))["name"])


def _name_what_the_observer_named(found: Furnished, at: datetime) -> None:
    """Somebody brings, for others, the very object that the observer's relation names."""
    back = found.hand.back
    thing = back.indicator(id=found.ids["later_hidden"], name="密題")
    made = back.share(back.world.jia.admin, at, thing, audience=acts.Audience.groups(back.world.yi.organization.pk))
    back.require_hidden(made.versions.values_list("pk", flat=True), at)


def _read_what_the_observer_brought(found: Furnished, at: datetime) -> None:
    """A second reader: below the floor of counts, the source is told the same of one and of two."""
    back = found.hand.back
    back.browser(back.world.ding.admin, at).get(f"/member/intel/{found.ids['own']}")


def _admit(found: Furnished, at: datetime) -> None:
    """A member more. Who is a member is nobody's to know but the centre's."""
    back = found.hand.back
    clock = acts.slow(back.world, at)
    cast.admit(clock, back.world.reviewer, back.world.approver, name="密示範銀行股份有限公司", place=77)
    back.require_unseen(Right.ENTER_STAFF_PLANE, None, at)


def body(template: bytes | None, ids: dict[str, str], number: int) -> bytes | None:
    """What the observer posts, for a template by name."""
    if template is None:
        return None
    base: dict[str, Any] = {"spec_version": "2.1", "created": acts.STAMP, "modified": acts.STAMP}
    mark = {"object_marking_refs": [f"marking-definition--{acts.TLPS[acts.Tlp.AMBER]}"]}
    own = UUID(int=number, version=4)
    if template == b"{own_copy}":
        thing = base | mark | {
            "type": "indicator", "id": ids["held"], "name": f"自有 {number}", "pattern_type": "stix",
            "indicator_types": ["malicious-activity"], "pattern": "[domain-name:value = 'own.example']",
            "valid_from": "2026-11-01T00:00:00Z",
        }  # fmt: skip
    else:
        thing = base | mark | {
            "type": "relationship", "id": f"relationship--{own}", "relationship_type": "related-to",
            "source_ref": ids["own"], "target_ref": ids["red"],
        }  # fmt: skip
    return json.dumps({"objects": [thing]}).encode()


def filled(ask: Ask, ids: dict[str, str], number: int) -> Ask:
    """The question with ids of this world put in."""
    path = ask.path.format(**ids) if "{" in ask.path else ask.path
    return Ask(ask.who, ask.method, path, ask.form, body(ask.body, ids, number))


__all__ = ["Furnished", "body", "filled", "furnish"]
