"""What happens backstage: acts that the observer may not see, and acts of others that it may.

Each act is by the product's own actions. An act of intelligence says which versions it touched: the second evaluation
of the policy then says that the observer holds no right on any of them, before and after. Any other act says by which
right one would see it, and of which organisation; the observer must lack the right or belong elsewhere.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Token
from lianfang.exchange.actions import set_profile
from lianfang.intel import actions as intelligence
from lianfang.intel import drafts, intake
from lianfang.intel.labelling import LabelForm, hold
from lianfang.intel.models import LogEntry, Submission, Version
from lianfang.intel.tasks import write_search_rows
from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions as members
from lianfang.policy import store
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Duty,
    Label,
    Named,
    NameSource,
    Request,
    Right,
    Role,
    Subject,
    Tlp,
)
from tests import world as cast
from tests.policy import oracle
from tests.secrecy.doors import Known
from tests.secrecy.twins import BEGIN
from tests.world import Actor, Member, World

ON_ITEMS = (
    Right.READ, Right.READ_SOURCE, Right.EXPORT, Right.MAIL_BODY, Right.SEE_RECEIPTS, Right.SEE_LEDGER, Right.RECALL,
    Right.REDACT, Right.RELAY_TO_CONSTITUENTS, Right.DECIDE_CONSENT,
)  # fmt: skip
READING = {Right.READ, Right.EXPORT}
CHANNELS = (Channel.PAGE, Channel.LIST, Channel.TAXII, Channel.FILE, Channel.MAIL)
TLPS = {Tlp.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421"}
STAMP = "2026-11-01T00:00:00.000Z"
START = BEGIN


def later(at: datetime) -> datetime:
    """The instant of the next step."""
    return at + timedelta(seconds=2)


class Visible(AssertionError):
    """An act that was to be hidden is not: the harness itself is wrong."""


@dataclass
class Item:
    """An object that was shared backstage."""

    stix_id: str
    by: Actor
    version: int
    number: int = 0
    state: str = "published"


@dataclass
class Backstage:
    """Everybody but the observer, at work. `apart` are the members among whom secrets are kept."""

    world: World
    tokens: dict[str, tuple[Token, str]]
    rng: random.Random
    apart: list[Member]
    faces: Callable[[datetime], list[Subject]]
    """The observer as subjects: person, token, public."""
    wide: bool = False
    """Whether even what all members see is hidden from the observer."""
    staff: bool = False
    """Whether the observer works at the coordinator: what its colleagues do with members is no secret there."""
    known: Known = field(default_factory=Known)
    hidden: list[Item] = field(default_factory=list)
    shown: list[Item] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    count: int = 0
    extra: list[Any] = field(default_factory=list)
    spoken_of: str = ""
    """The last visible object about which something hidden was said."""

    # -- objects ---------------------------------------------------------------------------------------------------

    def _id(self, kind: str) -> str:
        return f"{kind}--{UUID(int=self.rng.getrandbits(128), version=4)}"

    def indicator(self, **more: Any) -> dict[str, Any]:
        self.count += 1
        word = f"密{self.rng.randrange(10**6):06d}"
        self.words.append(word)
        return {
            "type": "indicator", "spec_version": "2.1", "id": self._id("indicator"), "created": STAMP,
            "modified": STAMP, "name": f"壞網域 {word}", "indicator_types": ["malicious-activity"],
            "pattern": f"[domain-name:value = 'h{self.rng.randrange(10**6)}.example']", "pattern_type": "stix",
            "valid_from": "2026-11-01T00:00:00Z",
        } | more  # fmt: skip

    def share(self, by: Actor, at: datetime, *objects: dict[str, Any], **form: Any) -> Submission:
        """Submit, and write the search rows as the worker does a moment later."""
        plain: dict[str, Any] = {
            "tlp": Tlp.GREEN, "audience": Audience.alliance(), "name_source": NameSource.EVERYONE,
        }  # fmt: skip
        body = json.dumps({"objects": objects}).encode()
        made = intake.submit(by=by.subject(at), at=at, body=body, form=LabelForm(**plain | form), channel=Channel.PAGE)
        write_search_rows(Version.objects.filter(submission=made))
        return made

    def _keep(self, where: list[Item], by: Actor, made: Submission, state: str = "published") -> list[int]:
        versions = list(Version.objects.filter(submission=made).select_related("item").order_by("id"))
        for version in versions:
            where.append(Item(version.item.stix_id, by, version.pk, state=state))
            names = {version.item.stix_id, version.item.served_id}
            if where is self.hidden:
                self.known.hidden += sorted(names)
        if where is self.hidden:
            self.known.secret.setdefault("submission", []).append(str(made.pk))
            self.known.secret.setdefault("status_id", []).append(str(made.pk))
        return [version.pk for version in versions]

    def _narrow(self, by: Member) -> Audience:
        if self.wide and self.rng.random() < 0.7:
            return Audience.alliance()
        others = [one for one in self.apart if one is not by]
        return Audience.groups(*[one.organization.pk for one in self.rng.sample(others, 1)])

    def _source(self) -> Member:
        return self.rng.choice(self.apart)

    def _person(self, member: Member) -> Actor:
        return self.rng.choice([member.admin, member.contact, member.deputy])

    # -- hidden acts on intelligence: each returns the versions that it touched -------------------------------------

    def share_narrow(self, at: datetime) -> list[int]:
        by = self._source()
        form = {
            "audience": self._narrow(by), "tlp": self.rng.choice([Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT]),
            "name_source": self.rng.choice(list(NameSource)),
        }  # fmt: skip
        actor = self._person(by)
        objects = [self.indicator() for _ in range(self.rng.randrange(1, 4))]
        return self._keep(self.hidden, actor, self.share(actor, at, *objects, **form))

    def share_with_the_centre(self, at: datetime) -> list[int]:
        actor = self._person(self._source())
        made = self.share(actor, at, self.indicator(), audience=Audience.coordinator_only())
        return self._keep(self.hidden, actor, made)

    def share_embargoed(self, at: datetime) -> list[int]:
        actor = self._person(self._source())
        made = self.share(actor, at, self.indicator(), not_before=at + timedelta(days=30))
        return self._keep(self.hidden, actor, made, "embargoed")

    def share_quarantined(self, at: datetime) -> list[int]:
        actor = self._person(self._source())
        made = self.share(actor, at, self.indicator(labels=["tlp:purple"]))
        return self._keep(self.hidden, actor, made, "quarantined")

    def share_held(self, at: datetime) -> list[int]:
        actor = self._person(self._source())
        return self._keep(self.hidden, actor, self.share(actor, at, self.indicator(), upstream=hold()), "held")

    def share_red(self, at: datetime) -> list[int]:
        by = self._source()
        to = self._person(self.rng.choice([one for one in self.apart if one is not by])).affiliation
        audience = Audience.persons(Named(to.person_id, to.organization_id))
        actor = self._person(by)
        made = self.share(actor, at, self.indicator(), tlp=Tlp.RED, audience=audience)
        return self._keep(self.hidden, actor, made, "red")

    def share_a_copy_of_what_is_shown(self, at: datetime) -> list[int]:
        """The very id that the observer reads, brought by somebody else for others."""
        by = self._source()
        mine = [one for one in self.shown if one.by.organization != by.organization]
        if not mine:
            return []
        copied = self.rng.choice(mine)
        thing = self.indicator(id=copied.stix_id) if copied.stix_id.startswith("indicator") else None
        if thing is None:
            return []
        actor = self._person(by)
        made = self.share(actor, at, thing, audience=self._narrow(by))
        versions = list(Version.objects.filter(submission=made).values_list("pk", flat=True))
        self.hidden += [Item(f"copy of {copied.stix_id}", actor, pk, state="copy") for pk in versions]
        return versions

    def speak_of_what_is_shown(self, at: datetime) -> list[int]:
        """A report, a relation and a sighting for others, about what the observer reads and what it does not."""
        by = self._source()
        if not self.shown or not self.hidden:
            return []
        one = self.spoken_of = self.rng.choice(self.shown).stix_id
        other = self.rng.choice([item for item in self.hidden if "--" in item.stix_id[:40]]).stix_id
        if other.startswith("copy"):
            return []
        base = {"spec_version": "2.1", "created": STAMP, "modified": STAMP}
        report = base | {
            "type": "report", "id": self._id("report"), "name": f"密報 {self.rng.randrange(10**6)}",
            "published": "2026-11-01T00:00:00Z", "object_refs": [one, other],
        }  # fmt: skip
        relation = base | {
            "type": "relationship", "id": self._id("relationship"), "relationship_type": "related-to",
            "source_ref": one, "target_ref": other,
        }  # fmt: skip
        sighting = base | {"type": "sighting", "id": self._id("sighting"), "sighting_of_ref": one, "count": 3}
        actor = self._person(by)
        made = self.share(actor, at, report, relation, sighting, audience=self._narrow(by))
        return self._keep(self.hidden, actor, made)

    def _plain_hidden(self) -> list[Item]:
        return [one for one in self.hidden if one.state == "published" and one.stix_id.startswith("indicator--")]

    def next_version(self, at: datetime) -> list[int]:
        found = self._plain_hidden()
        if not found:
            return []
        item = self.rng.choice(found)
        item.number += 1
        thing = self.indicator(id=item.stix_id, modified=f"2026-11-02T00:00:{item.number:02d}.000Z")
        label = store.label(Version.objects.get(pk=item.version).label_id)
        made = self.share(item.by, at, thing, tlp=label.tlp, audience=label.audience, name_source=label.name_source)
        versions = list(Version.objects.filter(submission=made).values_list("pk", flat=True))
        item.version = versions[-1] if versions else item.version
        return versions

    def the_same_again(self, at: datetime) -> list[int]:
        found = self._plain_hidden()
        if not found:
            return []
        item = self.rng.choice(found)
        version = Version.objects.get(pk=item.version)
        self.share(item.by, at, json.loads(bytes(version.original)), tlp=Tlp.AMBER)
        return [version.pk]

    def tighten(self, at: datetime) -> list[int]:
        found = self._plain_hidden()
        if not found:
            return []
        item = self.rng.choice(found)
        version = Version.objects.get(pk=item.version)
        label = store.label(version.label_id)
        if label.tlp >= Tlp.AMBER_STRICT:
            return []
        by = self.world.analyst if self.rng.random() < 0.5 else item.by
        intelligence.tighten(by=by.subject(at), at=at, version=version, tlp=Tlp(label.tlp + 1))
        return [version.pk]

    def recall(self, at: datetime) -> list[int]:
        found = self._plain_hidden()
        if len(found) < 3:
            return []
        item = self.rng.choice(found)
        version = Version.objects.get(pk=item.version)
        intelligence.recall(by=item.by.subject(at), at=at, version=version, reason="誤報")
        item.state = "recalled"
        return [version.pk]

    def release(self, at: datetime) -> list[int]:
        """Out of quarantine, but for the coordinator alone."""
        found = [one for one in self.hidden if one.state == "quarantined"]
        if not found:
            return []
        item = self.rng.choice(found)
        version = Version.objects.get(pk=item.version)
        intelligence.release_from_quarantine(
            by=item.by.subject(at), at=at, version=version, tlp=Tlp.AMBER_STRICT,
            audience=Audience.coordinator_only(),
        )  # fmt: skip
        item.state = "released"
        return [version.pk]

    def relay(self, at: datetime) -> list[int]:
        """An association passes something on to its own constituents."""
        if self.world.ding not in self.apart:
            return []
        source = self.rng.choice([one for one in self.apart if one is not self.world.ding])
        actor = self._person(source)
        made = self.share(
            actor, at, self.indicator(), tlp=Tlp.AMBER, audience=Audience.groups(self.world.ding.organization.pk)
        )
        versions = self._keep(self.hidden, actor, made)
        version = Version.objects.get(pk=versions[0])
        intelligence.relay(by=self.world.ding.admin.subject(at), at=at, version=version)
        return versions

    def read_what_is_hidden(self, at: datetime) -> list[int]:
        """Its receipt is nobody's but its source's."""
        found = self._plain_hidden()
        if not found:
            return []
        item = self.rng.choice(found)
        client = self.browser(item.by, at)
        client.get(f"/member/intel/{item.stix_id}")
        client.get("/member/intel?q=" + self.rng.choice(self.words))
        return [item.version]

    # -- hidden acts of other kinds: each returns (right, organisation) by which one would see it ---------------------

    def person_joins(self, at: datetime) -> tuple[Right, UUID]:
        member = self._source()
        self.count += 1
        admin = member.admin
        person = accounts.person_enter(
            name="密名員", email=f"secret{self.count}@{admin.person.email.partition('@')[2]}",
            by=admin.subject(at), at=at,
        )  # fmt: skip
        invitation, _ = accounts.invite(
            person=person, organization=member.organization, group=member.organization, role=Role.MEMBER,
            by=admin.subject(at), at=at,
        )  # fmt: skip
        self.extra.append((member, invitation))
        self.known.secret.setdefault("invitation_id", []).append(str(invitation.pk))
        self.known.secret.setdefault("affiliation_id", []).append(str(invitation.affiliation_id))
        return Right.MANAGE_PEOPLE, member.organization.pk

    def person_accepts(self, at: datetime) -> tuple[Right, UUID] | None:
        if not self.extra:
            return None
        member, invitation = self.extra.pop()
        accounts.accept_invitation(invitation=invitation, password=cast.PASSWORD, at=at)
        return Right.MANAGE_PEOPLE, member.organization.pk

    def role_changes(self, at: datetime) -> tuple[Right, UUID] | None:
        if self.staff:
            return None  # who is a contact is the staff's to see
        member = self._source()
        affiliation = member.member.affiliation
        affiliation.refresh_from_db()
        role = Role.MEMBER if affiliation.role == Role.SECURITY_CONTACT else Role.SECURITY_CONTACT
        accounts.change_role(affiliation=affiliation, role=role, by=member.admin.subject(at), at=at)
        return Right.MANAGE_PEOPLE, member.organization.pk

    def key_made(self, at: datetime) -> tuple[Right, UUID]:
        member = self._source()
        scope = accounts.Scope(
            name="密SIEM", purpose="偵測", max_tlp="AMBER", rights=cast.READING, days=self.rng.randrange(2, 90)
        )
        token, secret = accounts.make_token(
            affiliation=member.admin.affiliation, scope=scope, by=member.admin.subject(at), at=at
        )
        self.known.secret.setdefault("token_id", []).append(str(token.pk))
        self.extra_keys.append((member, token, secret))
        return Right.MAKE_TOKEN, member.organization.pk

    extra_keys: list[tuple[Member, Token, str]] = field(default_factory=list)

    def key_revoked(self, at: datetime) -> tuple[Right, UUID] | None:
        if not self.extra_keys:
            return None
        member, token, _ = self.extra_keys.pop()
        accounts.revoke_token(token=token, by=member.admin.subject(at), at=at)
        return Right.MAKE_TOKEN, member.organization.pk

    def draft_kept(self, at: datetime) -> tuple[Right, UUID]:
        """A file between two steps of the form, which only its own organisation finds again."""
        member = self._source()
        kept = drafts.keep(
            by=member.contact.subject(at),
            at=at,
            name="密.json",
            body=json.dumps({"objects": [self.indicator()]}).encode(),
        )
        self.known.secret.setdefault("draft", []).append(str(kept.pk))
        return Right.SUBMIT, member.organization.pk

    def profile_set(self, at: datetime) -> tuple[Right, UUID]:
        member = self._source()
        set_profile(
            by=member.admin.subject(at), at=at, audience=self.rng.choice(
                [AudienceKind.ALLIANCE, AudienceKind.COORDINATOR_ONLY]
            ), name_source=self.rng.choice(list(NameSource)), warranted=self.rng.random() < 0.5,
        )  # fmt: skip
        return Right.MAKE_TOKEN, member.organization.pk

    def application_begun(self, at: datetime) -> tuple[Right, UUID | None] | None:
        if self.staff:
            return None
        self.count += 1
        self.world.clock.at = at
        pages = cast.answers(
            name=f"密{self.count}股份有限公司", place=100 + self.count, people=f"s{self.count}.example"
        )
        members.start(values=pages["eligibility"], language="zh-hant", by=Subject.public(), at=at)
        return Right.ENTER_STAFF_PLANE, None

    def application_sent(self, at: datetime) -> tuple[Right, UUID | None] | None:
        if self.staff:
            return None
        self.count += 1
        self.world.clock.at = at - timedelta(milliseconds=500)
        pages = cast.answers(
            name=f"密{self.count}股份有限公司", place=100 + self.count, people=f"s{self.count}.example"
        )
        made = cast.send(_Slow(self.world.clock), cast.draft(_Slow(self.world.clock), pages))
        self.known.secret.setdefault("number", []).append(str(made.number))
        return Right.ENTER_STAFF_PLANE, None

    def participation_entered(self, at: datetime) -> tuple[Right, UUID | None] | None:
        """A fact about another member: nobody's but its administrators' and the centre's to know."""
        if self.staff:
            return None
        member = self._source()
        self.count += 1
        fact = members.enter_fact(
            membership=member.membership, kind="drill", outcome=self.rng.choice(["took_part", "absent"]),
            occurred_on=taipei(at).date(), text=f"密演練{self.count}", evidence="密簽到表",
            by=self.world.reviewer.subject(at), at=at,
        )  # fmt: skip
        self.known.secret.setdefault("fact_id", []).append(str(fact.pk))
        return Right.MANAGE_PEOPLE, member.organization.pk

    def duty_proposed(self, at: datetime) -> tuple[Right, UUID | None] | None:
        self.count += 1
        person = self.rng.choice([self.world.legal, self.world.auditor, self.world.operator]).person
        duty = self.rng.choice([Duty.ANALYST, Duty.REVIEWER, Duty.APPROVER])
        try:
            grant = accounts.propose_duty(
                person=person, duty=duty, reason="輪替", by=self.world.granter1.subject(at), at=at
            )
        except Refusal:
            return None
        self.known.secret.setdefault("grant_id", []).append(str(grant.pk))
        return Right.GRANT_DUTY, None

    def sign_in_fails(self, at: datetime) -> tuple[Right, UUID | None]:
        member = self._source()
        client = Client(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.9")
        client.post("/account/login/", {"login": member.contact.person.email, "password": "wrong"})
        return Right.MANAGE_PEOPLE, member.organization.pk

    def link_asked(self, at: datetime) -> tuple[Right, UUID | None]:
        member = self._source()
        client = Client(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.9")
        path = self.rng.choice(["/account/password/reset/", "/account/lost-factor"])
        client.post(path, {"email": member.deputy.person.email})
        return Right.MANAGE_PEOPLE, member.organization.pk

    def relay_rule(self, at: datetime) -> tuple[Right, UUID | None] | None:
        if self.world.ding not in self.apart:
            return None
        group = self.world.ding.organization
        act = members.end_relay if self.rule_on else members.start_relay
        self.rule_on = not self.rule_on
        act(group=group, tlp=Tlp.AMBER, by=self.world.ding.admin.subject(at), at=at)
        return Right.MANAGE_PEOPLE, group.pk

    rule_on: bool = False

    def directory_chosen(self, at: datetime) -> tuple[Right, UUID | None]:
        """A member lets itself be seen, or no more: of those who chose so too, and the observer did not."""
        member = self._source()
        members.choose_directory(
            membership=member.membership, listed=not self.chosen_once or self.rng.random() < 0.7,
            sector=self.rng.random() < 0.5, security=self.rng.random() < 0.5, by=member.admin.subject(at), at=at,
        )  # fmt: skip
        self.chosen_once = True
        return Right.MANAGE_PEOPLE, member.organization.pk

    chosen_once: bool = False

    # -- acts that the observer may see: the same in both worlds -----------------------------------------------------

    def shown_share(self, at: datetime) -> None:
        actor = self._person(self._source())
        name = self.rng.choice(list(NameSource))
        objects = [self.indicator(name=f"公開 {self.rng.randrange(10**6)}") for _ in range(2)]
        objects.append({
            "type": "relationship", "spec_version": "2.1", "id": self._id("relationship"), "created": STAMP,
            "modified": STAMP, "relationship_type": "related-to", "source_ref": objects[0]["id"],
            "target_ref": objects[1]["id"],
        })  # fmt: skip
        made = self.share(actor, at, *objects, name_source=name, tlp=self.rng.choice([Tlp.GREEN, Tlp.CLEAR]))
        versions = Version.objects.filter(submission=made).select_related("item").order_by("id")
        for version in versions:
            self.known.visible.append(version.item.stix_id if name is NameSource.EVERYONE else version.item.served_id)
            if version.item.type != "relationship" and name is NameSource.EVERYONE:
                self.shown.append(Item(version.item.stix_id, actor, version.pk))

    def shown_embargo(self, at: datetime) -> None:
        actor = self._person(self._source())
        thing = self.indicator(name="延後")
        self.share(actor, at, thing, not_before=at + timedelta(seconds=30))
        self.known.visible.append(thing["id"])

    def shown_change(self, at: datetime) -> None:
        """A new version of what is shown, a recall, or a label by which the observer loses it."""
        if len(self.shown) < 4:
            return self.shown_share(at)
        item = self.shown.pop(self.rng.randrange(len(self.shown)))
        version = Version.objects.get(pk=item.version)
        match self.rng.randrange(3):
            case 0:
                thing = self.indicator(id=item.stix_id, name="公開 改", modified=at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
                made = self.share(item.by, at, thing)
                item.version = Version.objects.get(submission=made).pk
                self.shown.append(item)
            case 1:
                intelligence.recall(by=item.by.subject(at), at=at, version=version, reason="誤報")
            case 2:
                intelligence.tighten(
                    by=item.by.subject(at), at=at, version=version, tlp=Tlp.AMBER_STRICT,
                    audience=Audience.coordinator_only(),
                )  # fmt: skip
        return None

    def jobs(self, at: datetime) -> None:
        """What the worker does by the clock."""
        from lianfang.intel import telling

        write_search_rows(Version.objects.all())
        intelligence.open_due_embargoes(at=at)
        telling.tell(at=at)

    # -- who may see -------------------------------------------------------------------------------------------------

    def browser(self, actor: Actor, at: datetime) -> Client:
        """A browser of somebody backstage, from elsewhere than the observer's."""
        client = Client(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.9")
        client.raise_request_exception = False
        return sign_in(client, actor, at)

    def require_hidden(self, versions: Iterable[int], at: datetime) -> None:
        """Raise Visible where the observer holds any right on one of these, by the second evaluation."""
        for label in labels_of(versions):
            for face in self.faces(at):
                for right in ON_ITEMS:
                    for channel in CHANNELS if right in READING else CHANNELS[:1]:
                        asking = Request(channel=channel, purpose="research")
                        if oracle.evaluate(face, right, label, at, asking).allowed:
                            raise Visible(f"{face.kind} holds {right} on {label}")

    def require_unseen(self, right: Right, organization: UUID | None, at: datetime) -> None:
        """Raise Visible where the observer holds the right by which this act is seen, in this organisation."""
        for face in self.faces(at):
            elsewhere = organization is not None and (face.pair is None or face.pair.organization != organization)
            asking = Request(channel=Channel.PAGE)
            if not elsewhere and oracle.evaluate(face, right, None, at, asking).allowed:
                raise Visible(f"{face.kind} holds {right}")


@dataclass
class _Slow:
    """A clock for many deeds within a step."""

    clock: cast.Clock

    @property
    def at(self) -> datetime:
        return self.clock.at

    def tick(self, **_step: float) -> datetime:
        self.clock.at += timedelta(milliseconds=1)
        return self.clock.at


def slow(world: World, at: datetime) -> Any:
    """A clock by which many deeds fit between this instant and the next step."""
    world.clock.at = at
    return _Slow(world.clock)


def labels_of(versions: Iterable[int]) -> list[Label]:
    """Every label under which these versions, or lines of theirs, stand."""
    wanted = list(versions)
    numbers = set(Version.objects.filter(pk__in=wanted).values_list("label_id", flat=True))
    numbers |= set(LogEntry.objects.filter(version__in=wanted).values_list("label_id", flat=True))
    return list(store.labels(numbers).values())


def sign_in(client: Client, actor: Actor, at: datetime) -> Client:
    """As the sign-in pages leave it: password, then second factor, at this instant."""
    client.force_login(actor.account, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    records = [
        {"method": "password", "at": at.timestamp(), "email": actor.account.email},
        {"method": "mfa", "at": at.timestamp(), "type": "totp"},
    ]
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(actor.account.pk)
    session.save()
    return client


SECRETS = (
    "share_narrow", "share_narrow", "share_narrow", "share_with_the_centre", "share_embargoed", "share_quarantined",
    "share_held", "share_red", "share_a_copy_of_what_is_shown", "speak_of_what_is_shown", "next_version",
    "the_same_again", "tighten", "recall", "release", "relay", "read_what_is_hidden", "person_joins", "person_accepts",
    "role_changes", "key_made", "key_revoked", "draft_kept", "profile_set", "application_begun", "application_sent",
    "duty_proposed", "sign_in_fails", "link_asked", "relay_rule", "participation_entered",
    "directory_chosen",
)  # fmt: skip
SHOWN = ("shown_share", "shown_embargo", "shown_change", "jobs")
__all__ = ["SECRETS", "SHOWN", "START", "Backstage", "Visible", "labels_of", "later", "sign_in", "slow"]
