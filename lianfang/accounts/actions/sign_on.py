"""What this app writes about organisations' identity providers: setting one up, and what it says of people.

A provider says who somebody is. Nothing here makes an organisation, moves a person or gives a role or a duty.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from lianfang.accounts import doors, letters, queries, sign_on
from lianfang.accounts.actions.people import accept_invitation, acting, person_of
from lianfang.accounts.federation.answers import REASONS, Asserted, Rejected
from lianfang.accounts.federation.fetch import usable
from lianfang.accounts.models import (
    Account,
    EmergencyAccess,
    IdentityProvider,
    Invitation,
    Organization,
    ProviderLink,
)
from lianfang.audit.actions import JSON, action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Pair, Right, Subject

_CENTRE = Bilingual(
    zh="協調中心的人員在本站登入，不使用身分提供者。",
    en="The coordination centre's people sign in here, not by an identity provider.",
)
_NONE = Bilingual(zh="貴組織還沒有設定身分提供者。", en="Your organisation has not set up a provider yet.")
_SECRET = Bilingual(zh="請填應用程式密碼（client secret）。", en="Give the client secret.")
_CLIENT = Bilingual(zh="請填應用程式識別碼（client ID）。", en="Give the client id.")
_TRY_FIRST = Bilingual(
    zh="請先以目前的設定試登入一次，成功後再啟用。",
    en="Try it first as it is set up now; then it can be switched on.",
)
_HELD = Bilingual(
    zh="協調中心已對這個身分提供者設下安全保全。",
    en="The coordination centre has placed a security hold on this provider.",
)
_EMERGENCY = Bilingual(
    zh="至少要指定兩位管理員可在本站登入，各有密碼或通行金鑰，以及第二道驗證。",
    en="Name at least two administrators who can sign in here, each with a password or passkey and a second factor.",
)
_LINK = Bilingual(
    zh="帳號已與貴組織身分提供者的身分連結", en="It was linked with your organisation's identity provider"
)
_UNLINK = Bilingual(
    zh="帳號與貴組織身分提供者的連結已解除", en="Its link with your organisation's identity provider was ended"
)
_SET = Bilingual(zh="已變更設定，並停用至試登入成功", en="set up anew, and off until it was tried")
_ON = Bilingual(zh="已啟用", en="switched on")
_OFF = Bilingual(zh="已停用", en="switched off")
_NAMED = Bilingual(zh="已變更緊急登入的管理員", en="other administrators for emergencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a provider is reached, as an administrator typed it; an empty secret leaves the one that is kept."""

    protocol: str
    issuer: str
    client_id: str = ""
    client_secret: str = ""
    sso_url: str = ""
    certificates: tuple[str, ...] = ()
    factor_values: tuple[str, ...] = ()


@action(Tag.ACCOUNTS_PROVIDER_SET)
def set_up_provider(*, given: Connection, by: Subject, at: datetime) -> IdentityProvider:
    """Set up the provider of one's own organisation, or change it; it is off until it was tried.

    Another issuer is another provider: its subjects are others, so all links end. Raises Refusal.
    """
    pair = _pair(by, at)
    organization = Organization.objects.select_for_update(no_key=True).get(pk=pair.organization)
    if organization.kind == Organization.Kind.COORDINATOR:
        raise Refusal(_CENTRE, rule="provider-centre")
    found = IdentityProvider.objects.select_for_update(of=("self",)).filter(organization=organization).first()
    _check(given, found)
    fresh = found is None
    if found is None:
        found = IdentityProvider(organization=organization, address=new_secret()[:43])
    other = fresh or (found.protocol, found.issuer) != (given.protocol, given.issuer)
    kept = found.client_secret if not fresh and not given.client_secret else given.client_secret
    found.protocol, found.issuer = given.protocol, given.issuer
    found.client_id, found.client_secret, found.sso_url = given.client_id, kept, given.sso_url
    found.certificates, found.factor_values = list(given.certificates), list(given.factor_values)
    found.set_by_id, found.set_at = person_of(by), at
    found.tried_at = found.on_at = None
    found.save()
    ended = 0
    if other and not fresh:
        ended = ProviderLink.objects.filter(provider=found, ended_at__isnull=True).update(ended_at=at)
    detail: dict[str, JSON] = {
        "protocol": found.protocol,
        "first": fresh,
        "links_ended": ended,
        "secret": bool(given.client_secret),
    }
    record(by=by, at=at, about=found, detail=detail, text=found.issuer)
    _tell(found, _SET, by, at)
    return found


def _check(given: Connection, found: IdentityProvider | None) -> None:
    field = "issuer"
    try:
        if given.protocol == IdentityProvider.Protocol.SAML:
            field = "metadata"
            usable(given.sso_url)
        else:
            usable(given.issuer)
    except Rejected as rejected:
        raise Refusal(rejected.reason, rule="provider-address", field=field) from None
    if given.protocol == IdentityProvider.Protocol.OIDC:
        if not given.client_id:
            raise Refusal(_CLIENT, field="client_id")
        had = found is not None and found.protocol == given.protocol and found.issuer == given.issuer
        # A secret is for whom it was given to: another issuer must not be handed the former one's.
        if not given.client_secret and not (had and found is not None and found.client_secret):
            raise Refusal(_SECRET, field="client_secret")


@action(Tag.ACCOUNTS_PROVIDER_TRY)
def record_trial(*, provider: IdentityProvider, set_at: datetime, by: Subject, at: datetime) -> None:
    """Keep that an administrator of the organisation got in by the provider as it was set up at `set_at`."""
    pair = _pair(by, at)
    locked = _locked(provider)
    if locked.organization_id != pair.organization or locked.set_at != set_at:
        raise Refusal(_TRY_FIRST, rule="provider-tried")
    locked.tried_at = at
    locked.save(update_fields=["tried_at"])
    record(by=by, at=at, about=locked)


@action(Tag.ACCOUNTS_PROVIDER_TURN_ON)
def turn_provider_on(*, by: Subject, at: datetime) -> None:
    """Let the organisation's people sign in by its provider. Raises Refusal: not tried, held, too few named."""
    locked = _own(by, at)
    if locked.held_at is not None:
        raise Refusal(_HELD, rule="provider-held")
    if locked.tried_at is None:
        raise Refusal(_TRY_FIRST, rule="provider-tried")
    if len(queries.emergency_of(provider=locked, at=at)) < queries.LEAST_EMERGENCY:
        raise Refusal(_EMERGENCY, rule="provider-emergency")
    locked.on_at = at
    locked.save(update_fields=["on_at"])
    record(by=by, at=at, about=locked)
    _tell(locked, _ON, by, at)


@action(Tag.ACCOUNTS_PROVIDER_TURN_OFF)
def turn_provider_off(*, by: Subject, at: datetime) -> None:
    """Let nobody sign in by it from this instant on; sessions that it opened end at their next request."""
    locked = _own(by, at)
    locked.on_at = None
    locked.save(update_fields=["on_at"])
    record(by=by, at=at, about=locked)
    _tell(locked, _OFF, by, at)


@action(Tag.ACCOUNTS_PROVIDER_EMERGENCY)
def name_emergency(*, affiliations: Iterable[UUID], only: bool, by: Subject, at: datetime) -> None:
    """Say which administrators can always sign in here, and whether everybody else must come by the provider.

    Raises Refusal for fewer than two who are able to.
    """
    locked = _own(by, at)
    pair = _pair(by, at)
    able = queries.administrators_able(organization=pair.organization, group=pair.group, at=at)
    wanted = set(affiliations)
    named = [one for one in able if one.pk in wanted]
    if len(named) < queries.LEAST_EMERGENCY or len(named) < len(wanted):
        raise Refusal(_EMERGENCY, rule="provider-emergency", field="affiliations")
    EmergencyAccess.objects.filter(provider=locked).exclude(affiliation__in=named).delete()
    for one in named:
        EmergencyAccess.objects.get_or_create(provider=locked, affiliation=one, defaults={"named_at": at})
    locked.only = only
    locked.save(update_fields=["only"])
    record(by=by, at=at, about=locked, detail={"named": sorted(str(one.pk) for one in named), "only": only})
    _tell(locked, _NAMED, by, at)


# What a provider says of people


@action(Tag.ACCOUNTS_PROVIDER_LINK)
def link_account(*, provider: IdentityProvider, account: Account, digest: bytes, at: datetime) -> ProviderLink:
    """Keep that a subject of the provider is this account, after its owner has confirmed and signed in by it.

    Raises Refusal when either is linked otherwise already.
    """
    locked = _locked(provider)
    live = ProviderLink.objects.filter(provider=locked, ended_at__isnull=True)
    if live.filter(account=account).exists() or live.filter(subject_digest=digest).exists():
        raise Refusal(REASONS["other_subject"], rule="provider-link")
    link = ProviderLink.objects.create(provider=locked, account=account, subject_digest=digest, linked_at=at)
    record(by=acting(account), at=at, about=link, detail={"provider": str(locked.pk), "account": str(account.pk)})
    context = {"what": _LINK, "at": at}
    letters.send(notice="account_changed", to_person=account.person, context=context, by=acting(account), at=at)
    return link


@action(Tag.ACCOUNTS_PROVIDER_LINK)
def join_by_provider(*, provider: IdentityProvider, invitation: Invitation, digest: bytes, at: datetime) -> Account:
    """Accept an invitation to the provider's organisation by its word, without a password. Raises Refusal."""
    account = accept_invitation(invitation=invitation, provider=provider, at=at)
    link = link_account(provider=provider, account=account, digest=digest, at=at)
    record(by=acting(account), at=at, about=link, detail={"invitation": str(invitation.pk)})
    return account


@action(Tag.ACCOUNTS_PROVIDER_UNLINK)
def end_link(*, link: ProviderLink, by: Subject, at: datetime) -> None:
    """End a link of one's own organisation's provider: the next sign-in by it asks for a confirmation again."""
    locked = _own(by, at)
    ended = ProviderLink.objects.filter(pk=link.pk, provider=locked, ended_at__isnull=True).update(ended_at=at)
    if not ended:
        raise Refusal(_NONE, rule="provider-link")
    account = link.account
    record(by=by, at=at, about=link, detail={"provider": str(locked.pk), "account": str(account.pk)})
    context = {"what": _UNLINK, "at": at}
    letters.send(notice="account_changed", to_person=account.person, context=context, by=by, at=at)


@action(Tag.ACCOUNTS_PROVIDER_REFUSE)
def record_refused(*, provider: IdentityProvider, code: str, said: Asserted | None, at: datetime) -> None:
    """Keep that an answer of a provider was refused and why; of whom it spoke only as a keyed digest."""
    digest = None if said is None else sign_on.subject_digest(issuer=said.issuer, subject=said.subject).hex()[:16]
    record(by=Subject.public(), at=at, about=provider, detail={"reason": code, "subject": digest})


def _pair(by: Subject, at: datetime) -> Pair:
    doors.require(subject=by, right=Right.MANAGE_PEOPLE, at=at)
    if by.pair is None:
        raise Refusal(_NONE, rule="provider-own")
    return by.pair


def _own(by: Subject, at: datetime) -> IdentityProvider:
    pair = _pair(by, at)
    rows = IdentityProvider.objects.select_for_update(of=("self",)).select_related("organization", "vault_key")
    found = rows.filter(organization=pair.organization).first()
    if found is None:
        raise Refusal(_NONE, rule="provider-own")
    return found


def _locked(provider: IdentityProvider) -> IdentityProvider:
    return IdentityProvider.objects.select_for_update(of=("self",)).get(pk=provider.pk)


def _tell(provider: IdentityProvider, what: Bilingual, by: Subject, at: datetime) -> None:
    """Mail all administrators of the organisation: who sets up its provider could sign in as anybody of it."""
    context = {"what": what, "at": at, "link": letters.link(reverse("sign_on"))}
    for one in queries.administrators_of(organization=provider.organization_id, at=at):
        letters.send(notice="provider_changed", to_person=one, context=context, by=by, at=at)
