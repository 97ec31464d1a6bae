"""A play in two worlds: the observer asks the same of both; backstage, in the second alone, others act.

The second world is played first: what the observer asks is drawn there, also with ids and words that exist in it alone
(anybody may ask for anything), and written down. The first world is then asked exactly the same at the same instants.
Every byte of every answer must be the same. Nothing is normalised but `next`, which is encrypted: its length stays.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.test import Client, RequestFactory

from lianfang.accounts.models import Affiliation
from lianfang.exchange.middleware import MachineMiddleware
from lianfang.exchange.taxii.collections import COLLECTIONS
from lianfang.members.subjects import subject_for, subject_for_token
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Subject
from lianfang.web.middleware import HeadersMiddleware
from tests.exchange.stage import ALL, TAXII
from tests.secrecy import acts, doors
from tests.secrecy.acts import Backstage, sign_in
from tests.secrecy.channels import UNWATCHED
from tests.secrecy.doors import Known
from tests.secrecy.twins import BEGIN, Twins, fetch
from tests.world import Actor, World

LEAST_SECRETS = 50
_NEXT = re.compile(rb'"next":"([A-Za-z0-9_=-]{32})"')


@dataclass(frozen=True)
class Observer:
    """Who looks: a browser of this person, the stranger's beside it, and a machine with this member's key."""

    name: str
    actor: Callable[[World], Actor]
    apart: tuple[str, ...]
    """Members that are strangers to the observer: among them secrets are kept."""
    token: str = ""
    wide: bool = False
    staff: bool = False
    planes: tuple[str, ...] = ()
    """Beginnings of the addresses that this observer's walk goes through."""


OBSERVERS = {
    one.name: one
    for one in (
        Observer("member", lambda w: w.bing.admin, ("jia", "yi", "ding"), token="bing",
                 planes=("/member", "/taxii2", "/home", "/invite")),
        Observer("constituent", lambda w: w.wu, ("jia", "yi", "bing"), token="ding",
                 planes=("/account", "/me", "/member/intel", "/member/submi", "/member/org")),
        Observer("former", lambda w: w.former.admin, ("jia", "yi", "ding"), wide=True,
                 planes=("/exit", "/apply", "/audit", "/charter", "/p", "/a", "/s", "/h", "/.well")),
        Observer("staff", lambda w: w.publisher, ("jia", "yi", "ding"), wide=True, staff=True, planes=("/staff",)),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One request: by `browser`, `stranger` or `machine`."""

    who: str
    method: str
    path: str
    form: tuple[tuple[str, Any], ...] | None = None
    body: bytes | None = None

    def __str__(self) -> str:
        return f"{self.who} {self.method} {self.path}" + (f" {dict(self.form)}" if self.form else "")


@dataclass(frozen=True)
class Answer:
    """Everything that leaves."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def plain(self) -> Answer:
        """With the letters of the encrypted cursor made dumb."""
        return Answer(self.status, self.headers, _NEXT.sub(lambda f: b'"next":"' + b"~" * len(f[1]) + b'"', self.body))


@dataclass(frozen=True)
class Event:
    """One step of a play."""

    at: datetime
    kind: str
    what: Any


@dataclass
class Played:
    """What one world answered."""

    answers: list[tuple[int, Ask, Answer]] = field(default_factory=list)
    mails: list[tuple[str, ...]] = field(default_factory=list)
    secrets: Counter[str] = field(default_factory=Counter)
    """Hidden acts that changed the database, by name."""
    routes: Counter[str] = field(default_factory=Counter)

    @property
    def effective(self) -> int:
        return sum(self.secrets.values())


class Stagehand:
    """One world being played."""

    def __init__(self, twins: Twins, observer: Observer, seed: int) -> None:
        self.twins, self.observer, self.seed = twins, observer, seed
        self.world = twins.world
        self.actor = observer.actor(self.world)
        self.token = twins.tokens.get(observer.token)
        self.played = Played()
        self.back = Backstage(
            self.world, twins.tokens, random.Random(seed), [getattr(self.world, name) for name in observer.apart],
            self.faces, wide=observer.wide, staff=observer.staff,
        )  # fmt: skip
        self.last_next = ""
        self.at = BEGIN
        """When the next step can be."""
        self._machine = HeadersMiddleware(MachineMiddleware(_nothing_else))
        self.stranger = Client(HTTP_HOST="localhost")
        self.stranger.raise_request_exception = False
        self.twins.given.step(at=BEGIN, who="signing in")
        self.browser = sign_in(Client(HTTP_HOST="localhost"), self.actor, BEGIN)
        self.browser.raise_request_exception = False
        self._know()

    def _know(self) -> None:
        """What the observer, and what others, have from the beginning."""
        w, known = self.world, self.back.known
        mine = Affiliation.objects.filter(organization=self.actor.organization).order_by("pk")
        known.own = {"affiliation_id": [str(one.pk) for one in mine], "number": [str(w.revocation.number)]}
        if self.token is not None and self.observer.name == "member":
            known.own["token_id"] = [str(self.token[0].pk)]
        known.secret = {
            "token_id": [str(w.tokens["yi"][0].pk)], "affiliation_id": [str(w.yi.contact.affiliation.pk)],
            "membership_id": [str(w.yi.membership.pk)], "number": [str(w.applicant.number)],
        }  # fmt: skip

    def faces(self, at: datetime) -> list[Subject]:
        """The observer as the policy sees it."""
        found = [subject_for(person=self.actor.person, affiliation=self.actor.affiliation, at=at, mfa=True)]
        if self.token is not None:
            found.append(subject_for_token(token=self.token[0], at=at, network="127.0.0.1"))
        return [*found, Subject.public()]

    # -- steps -------------------------------------------------------------------------------------------------------

    def ask(self, place: int, at: datetime, ask: Ask) -> Answer:
        """Send one request and keep the answer."""
        self.twins.given.step(at=at, who=ask.who)
        answer = self.answered(ask)
        self.played.answers.append((place, ask, answer))
        return answer

    def answered(self, ask: Ask) -> Answer:
        """Send one request at the instant that stands."""
        if ask.who == "machine":
            return self._of_machine(ask)
        client = self.browser if ask.who == "browser" else self.stranger
        if ask.method == "POST":
            response = client.post(ask.path, dict(ask.form or ()))
        else:
            response = client.generic(ask.method, ask.path)
        if response.resolver_match is not None and response.status_code < 400:
            self.played.routes[str(response.resolver_match.url_name)] += 1
        headers = [*response.items(), *(("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values())]
        return Answer(response.status_code, tuple(headers), bytes(response.content))

    def _of_machine(self, ask: Ask) -> Answer:
        assert self.token is not None
        key = base64.b64encode(f"{self.token[0].pk}:{self.token[1]}".encode()).decode()
        request = RequestFactory(HTTP_HOST="localhost").generic(
            ask.method, ask.path.replace("{next}", self.last_next), ask.body or b"", content_type=TAXII,
            HTTP_ACCEPT=TAXII, HTTP_AUTHORIZATION=f"Basic {key}",
        )  # fmt: skip
        response = self._machine(request)
        found = _NEXT.search(response.content)
        self.last_next = found[1].decode() if found else self.last_next
        match = getattr(request, "resolver_match", None)
        if match is not None and response.status_code < 400:
            self.played.routes[str(match.url_name)] += 1
        return Answer(response.status_code, tuple(response.items()), bytes(response.content))

    def act(self, place: int, at: datetime, name: str) -> None:
        """Let somebody else do what the observer may see."""
        self.twins.given.step(at=at, who=f"shown {name}")
        self.back.rng = random.Random(f"{self.seed} {place}")
        getattr(self.back, name)(at)

    def act_in_secret(self, place: int, at: datetime, name: str) -> None:
        """Let somebody act backstage; count it where it changed the database and the observer holds no right on it."""
        self.twins.given.step(at=at, who=f"secret {name}")
        self.back.rng = random.Random(f"{self.seed} {place} secret")
        before = _fingerprint()
        found = getattr(self.back, name)(at)
        if isinstance(found, tuple):
            self.back.require_unseen(*found, at)
        elif found:
            self.back.require_hidden(found, at)
        if found and _fingerprint() != before:
            self.played.secrets[name] += 1

    def end(self, at: datetime) -> Played:
        """Gather the mails to the observer."""
        self.twins.given.step(at=at, who="end")
        people = [self.actor.person.pk]
        rows = Delivery.objects.filter(person_id__in=people).select_related("vault_key").order_by("created_at", "pk")
        self.played.mails = [
            (one.kind, one.to, one.subject, one.body_text, one.body_html, one.state, one.created_at.isoformat())
            for one in rows
        ]
        hidden = [item.version for item in self.back.hidden]
        self.back.require_hidden(hidden, at)
        return self.played


def _nothing_else(request: Any) -> Any:
    raise LookupError(request.path)


def _fingerprint() -> tuple[Any, ...]:
    return (
        fetch("SELECT max(id) FROM audit_entry"), fetch("SELECT max(id) FROM intel_receipt"),
        fetch("SELECT count(*) FROM web_cache"),
    )  # fmt: skip


# -- drawing what is asked -------------------------------------------------------------------------------------------


def _walk(observer: Observer, known: Known, rng: random.Random, *, thorough: bool) -> Iterator[Ask]:
    """Every door of the observer's planes, and some of all others; with every kind of value where `thorough`."""
    for pattern in doors.patterns():
        machine = pattern.door == "machine"
        if pattern.name in UNWATCHED or (machine and not observer.token):
            continue
        mine = pattern.path.startswith(observer.planes)
        if not mine and rng.random() > (0.3 if thorough else 0.02):
            continue
        paths = doors.addresses(pattern, known)
        who = "machine" if machine else "browser"
        for path in paths if thorough or machine else rng.sample(paths, 1):
            yield Ask(who, "GET" if rng.random() < 0.9 else "HEAD", path)
        path = rng.choice(paths)
        if not machine and pattern.name not in doors.QUIET and rng.random() < (0.8 if thorough else 0.1):
            yield Ask("browser", "POST", path, ())
        if not machine and rng.random() < (0.3 if thorough else 0.02):
            yield Ask("stranger", "GET", path)


def _question(observer: Observer, back: Backstage, rng: random.Random, machine_date: str) -> Ask:
    known = back.known
    filled = {
        "visible": rng.choice(known.visible or [doors.ABSENT_STIX]),
        "hidden": rng.choice([*known.hidden[-12:], doors.ABSENT_STIX]),
        "word": quote(rng.choice(back.words or ["密"])),
        "date": machine_date,
        "next": "{next}",
    }
    kind = rng.random()
    if observer.token and kind < 0.8:
        return _question_of_machine(rng, filled, back)
    if kind < 0.84:
        path, form = rng.choice(doors.STRANGERS_FORMS)
        address = "contact@m2.example" if rng.random() < 0.5 else "nobody@nowhere.example"
        return Ask("stranger", "POST", path, tuple((k, v.format(address=address)) for k, v in form.items()))
    if kind < 0.9 and not observer.staff:
        path, form = rng.choice(doors.FORMS)
        return Ask("browser", "POST", path.format(**filled), tuple(form.items()))
    questions = doors.STAFF_QUESTIONS if observer.staff else doors.QUESTIONS
    return Ask("browser", "GET", rng.choice(questions).format(**filled))


def _question_of_machine(rng: random.Random, filled: dict[str, str], back: Backstage) -> Ask:
    one = f"/taxii2/alliance/collections/{ALL}/"
    kind = rng.random()
    if kind < 0.3:
        other = rng.choice([each.id for each in COLLECTIONS if each.part is not None])
        path = rng.choice(doors.MACHINE_QUESTIONS).format(**filled)
        return Ask("machine", "GET", f"/taxii2/alliance/collections/{other}/{path}")
    if kind < 0.8:
        return Ask(
            "machine",
            rng.choice(["GET", "GET", "GET", "HEAD"]),
            one + rng.choice(doors.MACHINE_QUESTIONS).format(**filled),
        )
    if kind < 0.87:
        return Ask("machine", "DELETE", f"{one}objects/{filled['hidden']}/")
    # What it brings itself: an id that is hidden from it, a reference to something hidden.
    other = filled["hidden"] if "--" in filled["hidden"] else doors.ABSENT_STIX
    own = back.indicator(
        name=f"自有 {rng.randrange(10**6)}", object_marking_refs=[f"marking-definition--{acts.TLPS[acts.Tlp.AMBER]}"]
    )
    if kind < 0.93 and other.startswith("indicator--"):
        own["id"] = other
    relation = {
        "type": "relationship", "spec_version": "2.1", "id": f"relationship--{rng.getrandbits(128):032x}",
        "created": acts.STAMP, "modified": acts.STAMP, "relationship_type": "related-to", "source_ref": own["id"],
        "target_ref": other,
    }  # fmt: skip
    number = str(acts.UUID(int=rng.getrandbits(128), version=4))
    relation["id"] = f"relationship--{number}"
    body = json.dumps({"objects": [own, relation]}).encode()
    return Ask("machine", "POST", f"{one}objects/", body=body)


# -- the two worlds --------------------------------------------------------------------------------------------------


@dataclass
class Comparison:
    """What two worlds answered, and where they differ."""

    first: Played
    second: Played
    differences: list[str]

    @property
    def steps(self) -> int:
        return len(self.second.answers)


def compare(
    twins: Twins, *, observer: str, seed: int, steps: int, secrets: int = 60, thorough: bool = False
) -> Comparison:
    """Play both worlds; `steps` requests at least, the walk through the doors among them."""
    who = OBSERVERS[observer]
    twins.make("second")
    twins.enter("second")
    script, second = _record(Stagehand(twins, who, seed), steps=steps, secrets=secrets, thorough=thorough)
    twins.make("first")
    twins.enter("first")
    first = _replay(Stagehand(twins, who, seed), script)
    return Comparison(first, second, list(differences(first, second)))


def _record(hand: Stagehand, *, steps: int, secrets: int, thorough: bool) -> tuple[list[Event], Played]:
    rng = random.Random(f"{hand.seed} script")
    script: list[Event] = []
    at = BEGIN

    def happen(kind: str, what: Any) -> None:
        nonlocal at
        at += timedelta(seconds=rng.randrange(1, 3))
        place = len(script)
        script.append(Event(at, kind, what))
        _step(hand, place, script[-1])

    for _ in range(3):
        happen("shown", "shown_share")
    # Some secrets first, so that there is something hidden to ask for.
    for name in ("share_narrow", "share_quarantined", "share_with_the_centre"):
        happen("secret", name)
    walking = list(_walk(hand.observer, hand.back.known, rng, thorough=thorough))
    rng.shuffle(walking)
    asks = max(steps, len(walking))
    order = ["walk"] * len(walking) + ["question"] * (asks - len(walking)) + ["shown"] * (6 + asks // 40)
    rng.shuffle(order)
    pause = max(1, len(order) // max(secrets, 1))
    for number, kind in enumerate(order):
        if kind == "walk":
            happen("ask", walking.pop())
        elif kind == "question":
            date = (BEGIN + timedelta(seconds=rng.randrange(600))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            happen("ask", _question(hand.observer, hand.back, rng, date))
        else:
            happen("shown", rng.choice(acts.SHOWN))
        if number % pause == 0 or hand.played.effective + (len(order) - number) < LEAST_SECRETS:
            happen("secret", rng.choice(acts.SECRETS))
    while hand.played.effective < LEAST_SECRETS:
        happen("secret", rng.choice(acts.SECRETS))
    for ask in _last(hand):
        happen("ask", ask)
    return script, hand.end(at + timedelta(seconds=1))


def _last(hand: Stagehand) -> list[Ask]:
    """After everything: the pages that show most at once."""
    one = f"/taxii2/alliance/collections/{ALL}/"
    paths = (
        ["/staff/inbox", "/staff/members"]
        if hand.observer.staff
        else ["/member", "/member/intel", "/member/intel?all=1"]
    )
    machine = [Ask("machine", "GET", one + path) for path in ("objects/", "manifest/?match[version]=all")]
    return [*(Ask("browser", "GET", path) for path in paths), *(machine if hand.token else [])]


def _replay(hand: Stagehand, script: Sequence[Event]) -> Played:
    for place, event in enumerate(script):
        if event.kind != "secret":
            _step(hand, place, event)
    return hand.end(script[-1].at + timedelta(seconds=1))


def _step(hand: Stagehand, place: int, event: Event) -> None:
    match event.kind:
        case "ask":
            hand.ask(place, event.at, event.what)
        case "shown":
            hand.act(place, event.at, event.what)
        case "secret":
            hand.act_in_secret(place, event.at, event.what)


def differences(first: Played, second: Played) -> Iterator[str]:
    """Each difference in words."""
    if len(first.answers) != len(second.answers):
        yield f"{len(first.answers)} answers and {len(second.answers)}"
    for (place, ask, one), (_, _, other) in zip(first.answers, second.answers, strict=False):
        if one.plain != other.plain:
            yield f"step {place}, {ask}: {_how(one.plain, other.plain)}"
    if first.mails != second.mails:
        yield f"mails: {len(first.mails)} and {len(second.mails)}"


def _how(one: Answer, other: Answer) -> str:
    if one.status != other.status:
        return f"status {one.status} and {other.status}"
    place = next(
        (n for n, (a, b) in enumerate(zip(one.body, other.body, strict=False)) if a != b),
        min(len(one.body), len(other.body)),
    )
    around = slice(max(place - 60, 0), place + 160)
    headers = sorted(set(one.headers) ^ set(other.headers))
    bodies = [body[around].decode(errors="replace") for body in (one.body, other.body)]
    return f"headers {headers}, from byte {place} {bodies[0]!r} and {bodies[1]!r}"
