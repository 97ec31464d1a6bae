"""From a person and the pair it acts for to the frozen facts that every decision is made on.

All that is known about a person's affiliations is read by one statement; what holds at an instant is then worked out
here, so that the same reading answers for any instant asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connections
from django.db.models import DateTimeField, Exists, Func, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from lianfang.accounts import registry
from lianfang.accounts.models import (
    Affiliation,
    DutyGrant,
    IdentityProvider,
    Organization,
    Person,
    SettingDecision,
    Token,
)
from lianfang.accounts.queries import in_networks
from lianfang.charter.models import ConfidentialityDuty, DocumentVersion
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members.models import Constituent, MembershipInterval, RelayRule
from lianfang.members.standing import Spell, gaps_of, standing_of
from lianfang.policy.facts import Caveats, Duty, Kind, Pair, Right, Role, Standing, Subject, Terms, Tlp

SCREENED = frozenset({"clear", "other_entity"})
_DECIDING = (
    "acknowledge_again_after_amendment",
    "automatic_relay",
    "encrypted_mail",
    "former_may_recall",
    "gap_between_memberships",
    "staff_tokens",
)


class ClockTimestamp(Func):
    """PostgreSQL's wall clock, which goes on within a transaction."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def facts_of(affiliation: UUID) -> Affiliation:
    """Return an affiliation with all that `subject_of` reads, and `now`, the database clock: one statement.

    Raises Affiliation.DoesNotExist.
    """
    found = _statement("pk").ask(affiliation)
    if not found:
        raise Affiliation.DoesNotExist
    return found[0]


def facts_of_person(person: UUID) -> list[Affiliation]:
    """Return a person's affiliations as `facts_of` does, the oldest first; still one statement."""
    return _statement("person").ask(person)


class _Statement:
    """The query for the facts, by one field. Django writes its SQL once a process.

    It is part of every request, and writing it took three times as long as asking it.
    """

    def __init__(self, by: str) -> None:
        somebody = UUID(int=0)
        self.query = _annotated().filter(**{by: somebody}).order_by("started_at", "id")
        self.written = self.query.query.get_compiler(self.query.db)
        self.sql, params = self.written.as_sql()
        self.before, self.after = params[: params.index(somebody)], params[params.index(somebody) + 1 :]
        assert somebody not in self.after

    def ask(self, value: UUID) -> list[Affiliation]:
        # A compiler keeps what it wrote, and belongs to the connection of one thread: each question has its own copy.
        compiler: Any = copy(self.written)
        compiler.connection = connections[self.query.db]
        compiler.as_sql = lambda: (self.sql, (*self.before, value, *self.after))
        question: Any = self.query.all()
        question.query.get_compiler = lambda **_: compiler
        return list(question)


@cache
def _statement(by: str) -> _Statement:
    return _Statement(by)


def _annotated() -> QuerySet[Affiliation]:
    of_group = OuterRef("group")
    spells = (
        MembershipInterval.objects.filter(membership__organization=of_group)
        .order_by("began_at")
        .values(
            json=JSONObject(
                membership="membership_id", state="membership__state", began_at="began_at", ended_at="ended_at"
            )
        )
    )
    duties = DutyGrant.objects.filter(person=OuterRef("person"), granted_at__isnull=False)
    relays = RelayRule.objects.filter(group=of_group)
    settings = SettingDecision.objects.filter(name__in=_DECIDING, state="approved").order_by(
        "effective_at", "decided_at"
    )
    acknowledged = ConfidentialityDuty.objects.filter(
        person=OuterRef("person"), organization=OuterRef("organization"), group=of_group
    )
    charters = DocumentVersion.objects.filter(document="charter").order_by("effective_at")
    listed = Constituent.objects.filter(group=of_group, organization=OuterRef("organization"))
    factors = Authenticator.objects.filter(user__person=OuterRef("person")).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    asking = IdentityProvider.objects.filter(IdentityProvider.ASKS, organization=OuterRef("organization"))
    return Affiliation.objects.select_related("person", "organization", "group").annotate(
        now=ClockTimestamp(),
        f_spells=ArraySubquery(spells),
        f_duties=ArraySubquery(duties.values(json=JSONObject(duty="duty", start="granted_at", end="ended_at"))),
        f_relays=ArraySubquery(relays.values(json=JSONObject(tlp="tlp", start="started_at", end="ended_at"))),
        f_settings=ArraySubquery(settings.values(json=JSONObject(name="name", value="value", start="effective_at"))),
        f_acknowledged=ArraySubquery(
            acknowledged.values(json=JSONObject(version="document_version_id", start="acknowledged_at"))
        ),
        f_charters=ArraySubquery(charters.values(json=JSONObject(version="id", start="effective_at"))),
        f_listed=ArraySubquery(
            listed.values(json=JSONObject(screening="screening", start="added_at", end="removed_at"))
        ),
        f_factor=Exists(factors),
        f_asks=Exists(asking),
        f_membership=Subquery(
            MembershipInterval.objects.filter(membership__organization=of_group)
            .order_by("-began_at")
            .values("membership_id")[:1]
        ),
    )


def spells_of(rows: Sequence[dict[str, Any]]) -> list[Spell]:
    """Return stored intervals, as JSON rows sorted by beginning, as spells."""
    return [
        Spell(row["membership"], row["state"], _instant(row["began_at"]), _instant_or_none(row["ended_at"]))
        for row in rows
    ]


def subject_of(affiliation: Affiliation, *, at: datetime, mfa: bool) -> Subject:
    """Return the person of an affiliation read by `facts_of` as a subject, at that instant."""
    facts: Any = affiliation
    settings = _settings(facts.f_settings, at)
    coordinator = affiliation.organization.kind == Organization.Kind.COORDINATOR
    spells = spells_of(facts.f_spells)
    return Subject(
        kind=Kind.PERSON,
        person=affiliation.person_id,
        pair=Pair(affiliation.organization_id, affiliation.group_id),
        is_constituent=affiliation.organization_id != affiliation.group_id,
        standing=Standing.ACTIVE if coordinator else standing_of(spells, at),
        constituent_ok=any(row["screening"] in SCREENED for row in facts.f_listed if _in_force(row, at)),
        is_coordinator=coordinator,
        gaps=gaps_of(spells, between_memberships=settings["gap_between_memberships"]),
        acknowledged=_acknowledged(facts, at, again=settings["acknowledge_again_after_amendment"]),
        left_at=affiliation.left_at,
        mfa=mfa,
        role=Role(affiliation.role),
        duties=frozenset(Duty(row["duty"]) for row in facts.f_duties if _in_force(row, at))
        if coordinator
        else frozenset(),
        relays=frozenset(Tlp(row["tlp"]) for row in facts.f_relays if _in_force(row, at)),
        terms=Terms(
            automatic_relay=frozenset(Tlp[name] for name in settings["automatic_relay"]),
            staff_tokens=settings["staff_tokens"],
            encrypted_mail=settings["encrypted_mail"],
            former_may_recall=settings["former_may_recall"],
        ),
    )


def subject_for(*, person: Person | UUID, affiliation: Affiliation, at: datetime, mfa: bool) -> Subject:
    """Return the facts about a person acting for the pair of its affiliation. Raises Refusal when it is not its own."""
    if affiliation.person_id != (person.pk if isinstance(person, Person) else person):
        raise Refusal(
            Bilingual(zh="這個隸屬關係不是您的。", en="This affiliation is not yours."), rule="affiliation-own"
        )
    return subject_of(facts_of(affiliation.pk), at=at, mfa=mfa)


def subject_for_token(*, token: Token, at: datetime, network: str | None) -> Subject:
    """Return a token as a subject: its owner as the owner would act now, within the token's caveats.

    `network` is the address it is used from. Raises Refusal when the token is over, revoked, or used from a network
    that it does not name: the machine doors answer 401 to all three alike.
    """
    return subject_of_token(token=token, affiliation=facts_of(token.affiliation_id), at=at, network=network)


def subject_of_token(*, token: Token, affiliation: Affiliation, at: datetime, network: str | None) -> Subject:
    """As `subject_for_token`, from the owner's affiliation as `facts_of` read it; no database is asked."""
    if not token.is_live(at) or not in_networks(network, token.networks):
        raise Refusal(Bilingual(zh="這把金鑰不能使用。", en="This token does not work."), rule="token-dead")
    owner = subject_of(affiliation, at=at, mfa=bool(getattr(affiliation, "f_factor", False)))
    caveats = Caveats(
        rights=frozenset(Right(right) for right in token.rights),
        max_tlp=Tlp[token.max_tlp.replace("+", "_")],
        views=frozenset(token.views) or None,
        networks=tuple(token.networks),
        expires_at=token.expires_at,
        purpose=token.purpose,
    )
    return Subject.of_token(token=token.pk, owner=owner, caveats=caveats)


def _settings(rows: Sequence[dict[str, Any]], at: datetime) -> dict[str, Any]:
    decided = {row["name"]: row["value"] for row in rows if _instant(row["start"]) <= at}
    return {name: decided.get(name, registry.setting(name).default) for name in _DECIDING}


def _acknowledged(facts: Any, at: datetime, *, again: bool) -> bool:
    known = {row["version"] for row in facts.f_acknowledged if _instant(row["start"]) <= at}
    if not again:
        return bool(known)
    current = [row["version"] for row in facts.f_charters if _instant(row["start"]) <= at]
    return bool(current) and current[-1] in known


def _in_force(row: dict[str, Any], at: datetime) -> bool:
    end = _instant_or_none(row["end"])
    return _instant(row["start"]) <= at and (end is None or at < end)


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _instant_or_none(written: str | None) -> datetime | None:
    return None if written is None else _instant(written)
