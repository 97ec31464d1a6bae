"""Reading who is who."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest

from lianfang.accounts import providers
from lianfang.accounts.federation.answers import Rejected
from lianfang.accounts.models import (
    Account,
    Affiliation,
    DutyGrant,
    EmergencyAccess,
    FactorReset,
    IdentityProvider,
    Invitation,
    Organization,
    Person,
    ProviderLink,
    SecurityHold,
    SettingDecision,
    SignIn,
    Token,
)
from lianfang.accounts.words import ROLE_NAMES
from lianfang.kernel.clock import require_aware
from lianfang.kernel.text import Bilingual
from lianfang.outbox.lifecycle import FAILED
from lianfang.outbox.models import Delivery
from lianfang.policy.decide import decide
from lianfang.policy.facts import Channel, Duty, Request, Right, Role, Subject
from lianfang.vault import blind

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

LEAST_EMERGENCY = 2
"""How many administrators must be able to sign in without the organisation's provider."""
ALL_DUTIES: frozenset[Duty] = frozenset(Duty)
_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def keyed_digest(secret: str) -> bytes:
    """Return the 32 bytes under which a secret is stored: HMAC-SHA-256 keyed by the installation's secret key.

    Secrets have 256 bits of their own, so a slow password hash would only cost every poll; the key keeps a stolen
    table from confirming a guessed secret.
    """
    return hmac.new(
        settings.SECRET_KEY.encode(), b"lianfang.secret:" + secret.encode(errors="replace"), sha256
    ).digest()


# Sessions and second factors


def has_second_factor(*, account: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether the account has a confirmed app or passkey now; recovery codes alone are none."""
    confirmed: bool = Authenticator.objects.filter(user_id=account.pk, type__in=_FACTORS).exists()
    return confirmed


def session_has_second_factor(request: HttpRequest) -> bool:
    """Return whether this session was opened, or later confirmed, with a second factor that the account still has."""
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    confirmed = any(record.get("method") == "mfa" for record in records)
    return confirmed and has_second_factor(account=request.user)


def as_account(user: AbstractBaseUser | AnonymousUser) -> Account:
    """Return Django's user as what it is here. Raises TypeError for anything else."""
    # `request.user` is a lazy stand-in whose class only says so when asked.
    if not isinstance(user, Account):
        raise TypeError(f"{type(user).__name__} is no account")
    return user


# Persons and organisations


def canonical_address(typed: str) -> str:
    """Return the one form of an e-mail address, by which it is kept, looked for and counted at sign-in."""
    return unicodedata.normalize("NFKC", typed).strip().lower()


def coordinator() -> Organization | None:
    """Return the organisation that runs the alliance, None on an empty database."""
    return Organization.objects.filter(kind=Organization.Kind.COORDINATOR).first()


def person_by_email(email: str) -> Person | None:
    """Return the person of that address, however it is capitalised."""
    return Person.objects.filter(email_index=blind.index("person.email", email)).first()


def pairs_by_email(*, emails: Iterable[str], at: datetime) -> dict[str, set[tuple[UUID, UUID]]]:
    """Return by address (person, organisation) of whoever has it and acts at that instant; nothing for an unknown one.

    One statement, whether an address is known or not.
    """
    addresses = {blind.index("person.email", email): email for email in emails}
    found: dict[str, set[tuple[UUID, UUID]]] = {email: set() for email in addresses.values()}
    rows = Affiliation.objects.live(at).filter(person__email_index__in=list(addresses))
    for index, person, organization in rows.values_list("person__email_index", "person_id", "organization_id"):
        found[addresses[bytes(index or b"")]].add((person, organization))
    return found


def live_affiliations(*, person: Person, at: datetime) -> list[Affiliation]:
    """Return the pairs the person acts for at that instant, oldest first."""
    found = Affiliation.objects.live(at).filter(person=person).select_related("organization", "group")
    return list(found.order_by("started_at", "id"))


def duties_of(*, person_id: UUID, at: datetime) -> frozenset[Duty]:
    """Return the duties that the person holds at that instant."""
    return duties_by_person(people=[person_id], at=at)[person_id]


def duties_by_person(*, people: Collection[UUID], at: datetime) -> dict[UUID, frozenset[Duty]]:
    """Return the duties that each of these persons holds at that instant, in one statement."""
    grants = DutyGrant.objects.filter(person_id__in=people, granted_at__lte=require_aware(at)).exclude(ended_at__lte=at)
    found: dict[UUID, set[Duty]] = {person: set() for person in people}
    for person, name in grants.values_list("person_id", "duty"):
        found[person].add(Duty(name))
    return {person: frozenset(duties) for person, duties in found.items()}


def holders(*, subject: Subject, right: Right, at: datetime) -> list[str]:
    """Return the names of the colleagues of the subject's pair who could use the right now: whom to ask."""
    if subject.pair is None:
        return []
    pair = subject.pair
    live = Affiliation.objects.live(at).filter(organization=pair.organization, group=pair.group)
    colleagues = list(live.select_related("person__vault_key").order_by("started_at"))
    duties = duties_by_person(people=[colleague.person_id for colleague in colleagues], at=at)
    return [
        colleague.person.name
        for colleague in colleagues
        if decide(
            subject=_as_colleague(subject, colleague, duties[colleague.person_id]),
            right=right, target=None, at=at, request=Request(channel=Channel.PAGE),
        ).allowed
    ]  # fmt: skip


def _as_colleague(subject: Subject, colleague: Affiliation, duties: frozenset[Duty]) -> Subject:
    """The subject's own pair with the colleague's role and duties; both steps taken: only the role is asked about."""
    role = Role(colleague.role)
    return replace(subject, person=colleague.person_id, role=role, duties=duties, acknowledged=True, mfa=True)


# People page


_STATUS = {
    "active": Bilingual(zh="使用中", en="Active"),
    "invited": Bilingual(zh="已邀請", en="Invited"),
    "expired": Bilingual(zh="邀請已過期", en="Invitation has expired"),
    "bounced": Bilingual(zh="邀請信退回", en="Invitation came back"),
    "held": Bilingual(zh="安全保全中", en="On security hold"),
    "leaving": Bilingual(zh="即將離開", en="Leaving"),
    "contact": Bilingual(zh="沒有帳號", en="No account"),
}
WITHOUT_ACCOUNT = _STATUS["contact"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the people page."""

    affiliation: Affiliation
    account: Account | None
    invitation: Invitation | None
    second_factor: bool
    last_sign_in: datetime | None
    acknowledged: bool
    at: datetime
    held: bool = False
    """A security hold keeps the account from being used."""
    bounced: bool = False
    """The invitation could not be delivered."""
    purposes: tuple[Bilingual, ...] = ()
    """For what the organisation names the person beside the role."""

    @property
    def status(self) -> tuple[Bilingual, str]:
        """How it stands with this person's way in, with its tone: the gravest first."""
        if self.affiliation.started_at is None:
            if self.bounced:
                return _STATUS["bounced"], "bad"
            open_ = self.invitation is not None and self.invitation.is_open(self.at)
            return (_STATUS["invited"], "info") if open_ else (_STATUS["expired"], "warn")
        if self.held:
            return _STATUS["held"], "bad"
        return (_STATUS["leaving"], "warn") if self.affiliation.left_at is not None else (_STATUS["active"], "good")

    @property
    def role(self) -> StrOrPromise:
        """The role in words."""
        return ROLE_NAMES[Role(self.affiliation.role)]


def people(*, organizations: Iterable[UUID], group: UUID, at: datetime) -> list[Row]:
    """Return the people who act for these organisations within the group, by organisation and age."""
    found = list(
        Affiliation.objects.filter(
            Q(left_at__isnull=True) | Q(left_at__gt=at), organization_id__in=list(organizations), group_id=group
        )
        .select_related("person", "organization")
        .order_by("organization_id", "started_at", "id")
    )
    # Of somebody who was merely invited nothing is told: whether the address has an account elsewhere would be.
    persons = [affiliation.person_id for affiliation in found if affiliation.started_at is not None]
    accounts = {account.person_id: account for account in Account.objects.filter(person_id__in=persons)}
    ids = [account.pk for account in accounts.values()]
    secured = set(Authenticator.objects.filter(user_id__in=ids, type__in=_FACTORS).values_list("user_id", flat=True))
    seen = dict(SignIn.objects.filter(account_id__in=ids).values_list("account_id").annotate(Max("at")))
    open_ = open_invitations(found)
    duty = providers.acknowledged(found)
    held = set(SecurityHold.objects.filter(account__in=ids, lifted_at=None).values_list("account__person", flat=True))
    back = _came_back(open_.values())
    named = {(group, one.person): one.purposes for one in providers.named(group, at)}
    return [
        replace(
            _row(affiliation, accounts, secured, seen, open_, affiliation.pk in duty, at),
            held=affiliation.started_at is not None and affiliation.person_id in held,
            bounced=affiliation.pk in back,
            purposes=named.get((affiliation.organization_id, affiliation.person_id), ()),
        )
        for affiliation in found
    ]


def named_only(rows: Iterable[Row], *, organization: UUID, at: datetime) -> list[providers.Named]:
    """Return whom an organisation names for a purpose and who neither acts for it nor is invited to."""
    there = {row.affiliation.person_id for row in rows if row.affiliation.organization_id == organization}
    return [one for one in providers.named(organization, at) if one.person not in there]


def mail_of(invitation: Invitation) -> str:
    """Return by what the mail of an invitation is found in the outbox; sent again it is another mail."""
    return f"invitation {invitation.pk} {invitation.sent_count}"


def _came_back(invitations: Iterable[Invitation]) -> set[UUID]:
    """Of which affiliations the invitation's own mail could not be delivered: others' mails tell nothing here."""
    keys = {mail_of(one): one.affiliation_id for one in invitations}
    failed = Delivery.objects.filter(dedupe__in=list(keys), state=FAILED).values_list("dedupe", flat=True)
    return {keys[str(one)] for one in failed}


def open_invitations(affiliations: Iterable[Affiliation]) -> dict[UUID, Invitation]:
    """Return the invitation of each affiliation that has one which was neither accepted nor withdrawn."""
    found = Invitation.objects.filter(
        affiliation__in=list(affiliations), accepted_at__isnull=True, withdrawn_at__isnull=True
    )
    return {invitation.affiliation_id: invitation for invitation in found}


def _row(
    affiliation: Affiliation,
    accounts: dict[UUID, Account],
    secured: set[UUID],
    seen: dict[UUID, datetime],
    invitations: dict[UUID, Invitation],
    acknowledged: bool,
    at: datetime,
) -> Row:
    account = accounts.get(affiliation.person_id) if affiliation.started_at is not None else None
    return Row(
        affiliation=affiliation,
        account=account,
        invitation=invitations.get(affiliation.pk),
        second_factor=account is not None and account.pk in secured,
        last_sign_in=seen.get(account.pk) if account else None,
        acknowledged=acknowledged,
        at=at,
    )


def administrators(*, organization: UUID, group: UUID, at: datetime) -> int:
    """Return how many administrators with an account act for the pair."""
    live = Affiliation.objects.live(at).filter(organization=organization, group=group, role=Role.MEMBER_ADMIN)
    return live.filter(person__account__isnull=False).count()


def managed(*, by: Subject, prefix: str = "") -> Q:
    """Match the affiliations that an administrator manages; `prefix` is the way to them from what is asked for.

    These are of its own organisation, and for a group member of its constituents too. As a condition of the very
    look-up, what is somebody else's is never loaded and takes no longer than what does not exist.
    """
    if by.pair is None:
        return Q(**{f"{prefix}pk__in": ()})
    whole = Q(**{f"{prefix}group": by.pair.group})
    if by.pair.organization == by.pair.group:
        return whole
    return whole & Q(**{f"{prefix}organization": by.pair.organization})


# Invitations and resets


def invitation_by_secret(secret: str) -> Invitation | None:
    """Return the invitation of that link, open or not."""
    return (
        Invitation.objects.filter(secret_digest=keyed_digest(secret))
        .select_related("affiliation__person", "affiliation__organization", "affiliation__group")
        .first()
    )


def open_resets(*, organizations: Iterable[UUID] | None = None) -> list[FactorReset]:
    """Return the resets that wait, of the people of these organisations; None = of everybody."""
    found = FactorReset.objects.filter(state__in=["asked", "vouched"]).select_related("account__person", "vouched_by")
    if organizations is not None:
        found = found.filter(account__person__affiliations__organization_id__in=list(organizations)).distinct()
    return list(found.order_by("asked_at"))


# Tokens


def live_tokens(*, affiliation: Affiliation, at: datetime) -> list[Token]:
    """Return the affiliation's tokens that work at that instant, oldest first."""
    found = Token.objects.filter(affiliation=affiliation, expires_at__gt=require_aware(at), revoked_at__isnull=True)
    return list(found.select_related("use", "replaces").order_by("created_at"))


def tokens_of(*, organization: UUID, group: UUID, at: datetime) -> list[Token]:
    """Return the tokens of everybody who acts for the pair, newest first; dead ones of the last 30 days too."""
    recent = at - timedelta(days=30)
    found = Token.objects.filter(
        Q(revoked_at__isnull=True) | Q(revoked_at__gt=recent),
        affiliation__organization=organization,
        affiliation__group=group,
        expires_at__gt=recent,
    )
    return list(found.select_related("affiliation__person", "use", "replaces").order_by("-created_at"))


def authenticate_token(*, user: str = "", secret: str, at: datetime, network: str | None) -> Token | None:
    """Return the live token of that secret, or None: unknown, expired, revoked, its owner gone, or a wrong network.

    One look-up by keyed digest, the same work for a right and a wrong secret. `network` is the client's address.
    """
    token = token_of_digest(keyed_digest(secret))
    return token if token is not None and lets_in(token, user=user, at=at, network=network) else None


def token_of_digest(digest: bytes) -> Token | None:
    """Return the token of this `keyed_digest`, live or not, with all that `lets_in` looks at."""
    token = (
        Token.objects.filter(secret_digest=digest)
        .select_related("affiliation__person__account", "affiliation__organization", "affiliation__group")
        .first()
    )
    return token if token is not None and hmac.compare_digest(bytes(token.secret_digest), digest) else None


def lets_in(token: Token, *, user: str, at: datetime, network: str | None) -> bool:
    """Return whether a token from `token_of_digest` works at that instant from this address; no database is asked.

    For HTTP Basic `user` is the token's id, or empty, or anything that is not the id of another token; for Bearer it is
    empty.
    """
    if _names_another(user, token) or not token.is_live(at) or not _is_there(token.affiliation, at):
        return False
    return in_networks(network, token.networks)


def _names_another(user: str, token: Token) -> bool:
    try:
        return UUID(user) != token.pk
    except ValueError:
        return False


def _is_there(affiliation: Affiliation, at: datetime) -> bool:
    account = getattr(affiliation.person, "account", None)
    gone = affiliation.left_at is not None and affiliation.left_at <= at
    return account is not None and account.is_active and not gone


def in_networks(address: str | None, networks: Iterable[str]) -> bool:
    """Return whether the address lies in one of the networks; no networks = anywhere; an unreadable address nowhere."""
    listed = list(networks)
    if not listed:
        return True
    try:
        client = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(client, IPv6Address) and client.ipv4_mapped is not None:
        # What a socket for both families says of a client that came by IPv4.
        client = client.ipv4_mapped
    return any(client in ip_network(network) for network in listed)


# Duties and settings


def duty_grants() -> list[DutyGrant]:
    """Return every duty that is proposed or held, by person."""
    return list(
        DutyGrant.objects.filter(state__in=["proposed", "granted"])
        .select_related("person", "proposed_by", "granted_by")
        .order_by("person_id", "duty")
    )


def staff(*, at: datetime, invited: bool = False) -> list[Affiliation]:
    """Return the coordinator's people; with `invited` also those who have not accepted yet."""
    live = Affiliation.objects.live(at)
    if invited:
        live = Affiliation.objects.filter(Q(left_at__isnull=True) | Q(left_at__gt=at))
    found = live.filter(organization__kind=Organization.Kind.COORDINATOR)
    return list(found.select_related("person").order_by("started_at", "id"))


def setting_history(name: str) -> list[SettingDecision]:
    """Return every decision on a setting, newest first, open proposals among them."""
    return list(
        SettingDecision.objects.filter(name=name).select_related("proposed_by", "approved_by").order_by("-proposed_at")
    )


# Security holds


def token_by_id(typed: str) -> Token | None:
    """Return the key of that number, live or not."""
    try:
        key = UUID(typed.strip())
    except ValueError:
        return None
    return Token.objects.select_related("affiliation__person__vault_key").filter(pk=key).first()


def thing_to_hold(typed: str) -> Account | Token | IdentityProvider | None:
    """Return the account of an address, the key or the provider of a number, as one of the staff typed it."""
    account = Account.objects.select_related("person__vault_key").filter(email__iexact=canonical_address(typed))
    return account.first() or token_by_id(typed) or _provider_by_id(typed)


def _provider_by_id(typed: str) -> IdentityProvider | None:
    try:
        return provider(UUID(typed.strip()))
    except ValueError:
        return None


def holds(*, open_only: bool) -> list[SecurityHold]:
    """Return security holds: the open ones by day of review, or all, newest first."""
    found = SecurityHold.objects.select_related(
        "vault_key", "placed_by__vault_key", "lifted_by__vault_key", "account__person__vault_key",
        "token__affiliation__person__vault_key", "token__affiliation__organization", "provider__organization",
    )  # fmt: skip
    if open_only:
        return list(found.filter(lifted_at__isnull=True).order_by("review_on", "placed_at"))
    return list(found.order_by("-placed_at")[:200])


# Identity providers


def provider(provider_id: UUID) -> IdentityProvider | None:
    """Return a provider with its organisation."""
    return IdentityProvider.objects.select_related("organization", "vault_key").filter(pk=provider_id).first()


def provider_of(*, organization: UUID) -> IdentityProvider | None:
    """Return the provider of an organisation, on or off."""
    found = IdentityProvider.objects.select_related("organization", "vault_key", "set_by__vault_key")
    return found.filter(organization_id=organization).first()


def provider_by_address(address: str) -> IdentityProvider | None:
    """Return the provider of a sign-in address, on or off."""
    return IdentityProvider.objects.select_related("organization", "vault_key").filter(address=address).first()


def providers_set_up() -> list[IdentityProvider]:
    """Return every provider that was set up, by organisation."""
    return list(IdentityProvider.objects.select_related("organization").order_by("organization__name_zh", "pk"))


def links_of(*, provider: IdentityProvider) -> list[ProviderLink]:
    """Return whose accounts are linked with an identity of the provider."""
    found = ProviderLink.objects.filter(provider=provider, ended_at__isnull=True)
    return list(found.select_related("account__person__vault_key").order_by("linked_at", "pk"))


def administrators_of(*, organization: UUID, at: datetime) -> list[Person]:
    """Return the administrators of an organisation and of all its parts, each once."""
    return each_person(Affiliation.objects.live(at).filter(organization=organization, role=Role.MEMBER_ADMIN))


def each_person(affiliations: QuerySet[Affiliation]) -> list[Person]:
    """Return whose affiliations these are, each person once."""
    rows = affiliations.select_related("person__vault_key").order_by("pk")
    return list({one.person_id: one.person for one in rows}.values())


def emergency_of(*, provider: IdentityProvider, at: datetime) -> list[Affiliation]:
    """Return the administrators named for emergencies who can sign in here at that instant."""
    named = EmergencyAccess.objects.filter(provider=provider).values("affiliation")
    return able_to_sign_in_here(Affiliation.objects.filter(pk__in=named), at=at)


def administrators_able(*, organization: UUID, group: UUID, at: datetime) -> list[Affiliation]:
    """Return the administrators of a pair who can sign in here, and so can be named for emergencies."""
    return able_to_sign_in_here(Affiliation.objects.filter(organization=organization, group=group), at=at)


def able_to_sign_in_here(affiliations: QuerySet[Affiliation], *, at: datetime) -> list[Affiliation]:
    """Return those of them who are administrators with a second factor, and a passkey or a password, in use."""
    live = Affiliation.objects.live(at).filter(
        pk__in=affiliations.values("pk"), role=Role.MEMBER_ADMIN, person__account__is_active=True
    )
    found = list(live.select_related("person__account", "person__vault_key").order_by("started_at", "pk"))
    factors: dict[UUID, set[str]] = {}
    accounts = [one.person.account.pk for one in found]
    for user, kind in Authenticator.objects.filter(user_id__in=accounts).values_list("user_id", "type"):
        factors.setdefault(user, set()).add(kind)
    return [one for one in found if _has_both(one.person.account, factors.get(one.person.account.pk, set()))]


def _has_both(account: Account, factors: set[str]) -> bool:
    first = account.has_usable_password() or Authenticator.Type.WEBAUTHN in factors
    return first and not factors.isdisjoint(_FACTORS)


def asks_for_provider(affiliations: Iterable[Affiliation]) -> list[Affiliation]:
    """Return those whose organisation asks its people to come by its provider, which works."""
    found = list(affiliations)
    asking = IdentityProvider.objects.filter(
        IdentityProvider.ASKS, organization__in=[one.organization_id for one in found]
    )
    organizations = set(asking.values_list("organization_id", flat=True))
    return [one for one in found if one.organization_id in organizations]


def closed_to_local(affiliations: Iterable[Affiliation], *, at: datetime) -> set[UUID]:
    """Return the ids of those of `asks_for_provider` for which a sign-in here does not do.

    Whoever is named for emergencies is always let in. And where fewer than two of these could sign in now, nobody is
    kept out: an organisation cannot lock itself out by its own provider.
    """
    closed: set[UUID] = set()
    by_organization: dict[UUID, set[UUID]] = {}
    for one in affiliations:
        by_organization.setdefault(one.organization_id, set()).add(one.pk)
    for provider in IdentityProvider.objects.filter(organization__in=list(by_organization), only=True):
        named = emergency_of(provider=provider, at=at)
        if len({one.person_id for one in named}) >= LEAST_EMERGENCY:
            closed |= by_organization[provider.organization_id] - {one.pk for one in named}
    return closed


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a provider's answer means: a linked account, one to be linked, or an invitation to be accepted by it."""

    account: Account | None
    invitation: Invitation | None = None
    linked: bool = False


def match(*, provider: IdentityProvider, digest: bytes, email: str, at: datetime) -> Match:
    """Return who is meant, always somebody of the provider's own organisation. Raises Rejected."""
    link = (
        ProviderLink.objects.filter(provider=provider, subject_digest=digest, ended_at__isnull=True)
        .select_related("account__person__vault_key")
        .first()
    )
    if link is not None:
        _require_theirs(link.account.person, provider, at)
        return Match(_usable(link.account), linked=True)
    if not email:
        raise Rejected("unverified")
    person = person_by_email(canonical_address(email))
    if person is None:
        raise Rejected("nobody")
    invitation = _require_theirs(person, provider, at)
    account = Account.objects.select_related("person__vault_key").filter(person=person).first()
    if account is None:
        if invitation is None:
            raise Rejected("nobody")
        return Match(None, invitation)
    if ProviderLink.objects.filter(provider=provider, account=account, ended_at__isnull=True).exists():
        raise Rejected("other_subject")
    return Match(_usable(account), invitation)


def _require_theirs(person: Person, provider: IdentityProvider, at: datetime) -> Invitation | None:
    """Return the open invitation of a person who does not act for the organisation yet. Raises Rejected."""
    pairs = Affiliation.objects.filter(Q(left_at__isnull=True) | Q(left_at__gt=at), person=person)
    if pairs.filter(organization__kind=Organization.Kind.COORDINATOR).exists():
        raise Rejected("centre")
    theirs = pairs.filter(organization=provider.organization_id)
    if theirs.filter(started_at__lte=at).exists():
        return None
    invitations = Invitation.objects.filter(
        affiliation__in=theirs.values("pk"), kind=Invitation.Kind.JOIN, accepted_at__isnull=True,
        withdrawn_at__isnull=True, expires_at__gt=at,
    )  # fmt: skip
    found = invitations.select_related("affiliation__person", "affiliation__organization").order_by("created_at")
    if (invitation := found.first()) is None:
        raise Rejected("nobody")
    return invitation


def _usable(account: Account) -> Account:
    if not account.is_active:
        raise Rejected("inactive")
    return account
