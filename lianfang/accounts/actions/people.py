"""Everything this app writes about people: who they are, whom they act for, how they sign in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.urls import reverse

from lianfang.accounts import doors, letters, providers, queries, registry
from lianfang.accounts.lifecycle import FACTOR_RESET
from lianfang.accounts.models import (
    Account,
    Affiliation,
    FactorReset,
    IdentityProvider,
    Invitation,
    Organization,
    Person,
    SignIn,
    Token,
)
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.outbox.actions import deliverable
from lianfang.policy.facts import Kind, Right, Role, Subject
from lianfang.vault import blind

_EMAIL = Bilingual(zh="請寫完整的電子郵件地址。", en="Write a complete e-mail address.")
_NAME = Bilingual(zh="請寫姓名。", en="Write a name.")
_ALREADY = Bilingual(zh="這個人已經代表這個組織。", en="This person already acts for this organisation.")
_CLOSED = Bilingual(zh="這個邀請連結已經用過或過期。", en="This invitation was used already or has expired.")
_LEFT = Bilingual(zh="這個人已經離開組織。", en="This person has left the organisation.")
_ONE_MEANS = Bilingual(zh="請設定密碼，或建立通行金鑰。", en="Set a password or create a passkey.")
_NOT_YOURS = Bilingual(zh="這個人不屬於您可管理的組織。", en="This person is not of an organisation that you manage.")
_PERSON = Bilingual(zh="這個動作要由本人做。", en="Only a person can do this.")
_LAST_ADMIN = Bilingual(
    zh="貴組織只剩這位管理員。請先邀請另一位管理員。",
    en="This is the last administrator. Invite another one first.",
)
_NOT_A_VOUCHER = Bilingual(
    zh="只有同組織的管理員或協調中心人員可以作保。",
    en="Only an administrator of the same organisation or the coordination centre may vouch.",
)


# Organisations and persons


@action(Tag.ACCOUNTS_ORGANIZATION_CREATE)
def create_organization(*, by: Subject, at: datetime, **fields: Any) -> Organization:
    """Enter an organisation; `fields` are the model's. The one that has this UBN already is returned as it is."""
    ubn = fields.get("ubn") or None
    known = Organization.objects.select_for_update().filter(ubn=ubn).first() if ubn else None
    organization = known or Organization.objects.create(created_at=at, **{**fields, "ubn": ubn})
    record(by=by, at=at, about=organization, detail={"kind": organization.kind, "known": known is not None})
    return organization


@action(Tag.ACCOUNTS_PERSON_ENTER)
def person_enter(
    *,
    name: str,
    email: str,
    title: str = "",
    phone: str = "",
    language: str = "zh-hant",
    entered_by_other: bool = True,
    by: Subject,
    at: datetime,
) -> Person:
    """Enter a person, or return the one whose address this is, unchanged.

    Whoever enters somebody cannot overwrite what that person said of himself. Raises Refusal naming the field.
    """
    address = _address(email)
    if not name.strip():
        raise Refusal(_NAME, field="name")
    index = blind.index("person.email", address)
    person = Person.objects.select_for_update().filter(email_index=index).first()
    known = person is not None
    if person is None:
        person = Person.objects.create(
            name=name.strip(),
            title=title.strip(),
            email=address,
            phone=phone.strip(),
            email_index=index,
            language=language,
            entered_by_other=entered_by_other,
            created_at=at,
        )
    record(by=by, at=at, about=person, detail={"known": known, "entered_by_other": entered_by_other})
    return person


def _address(email: str) -> str:
    """The one form in which an address is kept. Raises Refusal for one to which no mail could be sent."""
    address = queries.canonical_address(email)
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal(_EMAIL, field="email") from None
    # Django lets letters pass that only look like others; an international domain is written in its ASCII form.
    if not deliverable(address):
        raise Refusal(_EMAIL, field="email")
    return address


@action(Tag.ACCOUNTS_AFFILIATION_START)
def affiliate(
    *,
    person: Person,
    organization: Organization,
    group: Organization,
    role: Role,
    by: Subject,
    at: datetime,
    agreed: bool = True,
) -> Affiliation:
    """Record that a person acts for an organisation within a group.

    With `agreed` False he does so only once the invitation is accepted. Raises Refusal when he already does.
    """
    existing = Affiliation.objects.select_for_update().filter(
        person=person, organization=organization, group=group, left_at__isnull=True
    )
    if existing.exists():
        raise Refusal(_ALREADY, rule="affiliation-once", field="email")
    affiliation = Affiliation.objects.create(
        person=person,
        organization=organization,
        group=group,
        role=Role(role).value,
        started_at=at if agreed else None,
    )
    detail = {"organization": str(organization.pk), "group": str(group.pk), "role": affiliation.role}
    record(by=by, at=at, about=affiliation, detail=detail)
    return affiliation


@action(Tag.ACCOUNTS_AFFILIATION_CHANGE_ROLE)
def change_role(*, affiliation: Affiliation, role: Role, by: Subject, at: datetime) -> None:
    """Give a person another role. Raises Refusal for the last administrator and for somebody who left."""
    _require_administrator(affiliation, by, at)
    locked = _locked(affiliation)
    _require_present(locked, at)
    if locked.role == Role.MEMBER_ADMIN != role:
        _require_another_admin(locked, at)
    before, locked.role = locked.role, Role(role).value
    locked.save(update_fields=["role"])
    record(by=by, at=at, about=locked, detail={"from": before, "to": locked.role})


@action(Tag.ACCOUNTS_AFFILIATION_LEAVE)
def leave(*, affiliation: Affiliation, by: Subject, at: datetime) -> None:
    """Record that a person left the organisation, at this instant.

    Tokens, sessions and open invitations of the pair end; the duty of confidentiality remains on record without end
    (charter 3.1, 3.3). Who leaves the centre does so by `let_go`. Raises Refusal for the last administrator and for
    somebody who left already.
    """
    _require_administrator(affiliation, by, at)
    tokens = depart(affiliation=affiliation, by=by, at=at)
    record(by=by, at=at, about=affiliation, detail={"tokens_ended": tokens})


def depart(*, affiliation: Affiliation, by: Subject, at: datetime, last: bool = False) -> int:
    """End an affiliation with its tokens, open invitations and sessions; return how many tokens ended.

    The caller has asked for the right, and records. `last` lets the last administrator go, where others are invited in
    the same act. Raises Refusal for the last administrator else, and for who left already.
    """
    locked = _locked(affiliation)
    _require_present(locked, at)
    if locked.role == Role.MEMBER_ADMIN and locked.started_at is not None and not last:
        _require_another_admin(locked, at)
    locked.left_at = at
    locked.save(update_fields=["left_at"])
    tokens = Token.objects.filter(affiliation=locked, revoked_at__isnull=True).update(revoked_at=at)
    Invitation.objects.filter(_open(), affiliation=locked).update(withdrawn_at=at)
    end_sessions(person=locked.person, by=by, at=at)
    providers.departed(locked, by, at)
    return tokens


def _locked(affiliation: Affiliation) -> Affiliation:
    """Lock the organisation, then the affiliation: of two who let each other go, one must see the other gone."""
    Organization.objects.select_for_update(no_key=True).get(pk=affiliation.organization_id)
    return Affiliation.objects.select_for_update().get(pk=affiliation.pk)


def _require_administrator(affiliation: Affiliation, by: Subject, at: datetime) -> None:
    doors.require(subject=by, right=Right.MANAGE_PEOPLE, at=at)
    require_managed(affiliation=affiliation, by=by)


def _require_keeper(affiliation: Affiliation, by: Subject, at: datetime) -> None:
    """Who invites is who lets go: at the centre a duty granter, elsewhere an administrator of the person's own."""
    if affiliation.organization.kind == Organization.Kind.COORDINATOR:
        doors.require(subject=by, right=Right.GRANT_DUTY, at=at)
    else:
        _require_administrator(affiliation, by, at)


def _require_present(affiliation: Affiliation, at: datetime) -> None:
    if affiliation.left_at is not None and affiliation.left_at <= at:
        raise Refusal(_LEFT, rule="left")


def _require_another_admin(affiliation: Affiliation, at: datetime) -> None:
    """A group member without an administrator could not manage anybody; the coordinator is managed by duties."""
    if affiliation.organization.kind == Organization.Kind.COORDINATOR:
        return
    others = Affiliation.objects.live(at).filter(
        organization=affiliation.organization_id, group=affiliation.group_id, role=Role.MEMBER_ADMIN
    )
    if affiliation.organization_id == affiliation.group_id and not others.exclude(pk=affiliation.pk).exists():
        raise Refusal(_LAST_ADMIN, rule="last-administrator")


# Invitations


def _open() -> Q:
    return Q(accepted_at__isnull=True, withdrawn_at__isnull=True)


@action(Tag.ACCOUNTS_INVITATION_SEND)
def invite(
    *,
    person: Person,
    organization: Organization,
    group: Organization,
    role: Role,
    by: Subject,
    at: datetime,
) -> tuple[Invitation, str]:
    """Invite a person to act for an organisation; return the invitation and its path, which was mailed.

    The caller has asked for the right. Raises Refusal when the person already acts for it.
    """
    affiliation = affiliate(
        person=person, organization=organization, group=group, role=role, by=by, at=at, agreed=False
    )
    invitation, path = _new_invitation(affiliation, Invitation.Kind.JOIN, by, at)
    record(by=by, at=at, about=invitation, detail={"expires": invitation.expires_at.isoformat()})
    _mail_invitation(invitation, path, by, at)
    return invitation, path


@action(Tag.ACCOUNTS_INVITATION_RESEND)
def resend(*, invitation: Invitation, by: Subject, at: datetime) -> tuple[Invitation, str]:
    """Send an invitation again under a new link; the earlier link ends. Raises Refusal once it was accepted."""
    locked = Invitation.objects.select_for_update().select_related("affiliation__person").get(pk=invitation.pk)
    if by.kind is not Kind.SYSTEM:
        _require_keeper(locked.affiliation, by, at)
    _require_present(locked.affiliation, at)
    if locked.accepted_at is not None or locked.withdrawn_at is not None:
        raise Refusal(_CLOSED, rule="invitation-open")
    secret = new_secret()
    locked.secret_digest = queries.keyed_digest(secret)
    locked.expires_at = _expiry(at)
    locked.sent_count += 1
    locked.save(update_fields=["secret_digest", "expires_at", "sent_count"])
    record(by=by, at=at, about=locked, detail={"times": locked.sent_count})
    path = reverse("accounts_invitation", args=[secret])
    _mail_invitation(locked, path, by, at)
    return locked, path


@action(Tag.ACCOUNTS_INVITATION_SEND)
def invite_colleague(
    *,
    name: str,
    email: str,
    title: str,
    phone: str,
    organization: Organization,
    group: Organization,
    role: Role,
    by: Subject,
    at: datetime,
) -> Invitation:
    """Let an administrator enter and invite a person of his own organisation or of a constituent. Raises Refusal."""
    doors.require(subject=by, right=Right.MANAGE_PEOPLE, at=at)
    require_managed(affiliation=Affiliation(organization=organization, group=group), by=by)
    person = person_enter(name=name, email=email, title=title, phone=phone, by=by, at=at)
    invitation, _ = invite(person=person, organization=organization, group=group, role=role, by=by, at=at)
    record(by=by, at=at, about=invitation, detail={"role": role.value})
    return invitation


@action(Tag.ACCOUNTS_INVITATION_SEND)
def invite_staff(*, name: str, email: str, title: str, by: Subject, at: datetime) -> Invitation:
    """Let a duty granter enter and invite a person of the coordinator, who holds no duty yet. Raises Refusal."""
    doors.require(subject=by, right=Right.GRANT_DUTY, at=at)
    centre = Organization.objects.get(kind=Organization.Kind.COORDINATOR)
    person = person_enter(name=name, email=email, title=title, by=by, at=at)
    invitation, _ = invite(person=person, organization=centre, group=centre, role=Role.MEMBER, by=by, at=at)
    record(by=by, at=at, about=invitation)
    return invitation


def _new_invitation(affiliation: Affiliation, kind: str, by: Subject, at: datetime) -> tuple[Invitation, str]:
    secret = new_secret()
    invitation = Invitation.objects.create(
        affiliation=affiliation,
        kind=kind,
        secret_digest=queries.keyed_digest(secret),
        invited_by_id=by.person,
        created_at=at,
        expires_at=_expiry(at),
    )
    return invitation, reverse("accounts_invitation", args=[secret])


def _expiry(at: datetime) -> datetime:
    return at + timedelta(days=registry.value("invitation_days", at))


def _mail_invitation(invitation: Invitation, path: str, by: Subject, at: datetime) -> None:
    affiliation = invitation.affiliation
    letters.send(
        notice="reenrol" if invitation.kind == Invitation.Kind.REENROL else "invitation",
        to_person=affiliation.person,
        context={
            "link": letters.link(path),
            "organization_zh": affiliation.organization.name_zh,
            "organization_en": affiliation.organization.name_en or affiliation.organization.name_zh,
            "expires_at": invitation.expires_at,
        },
        by=by,
        at=at,
        dedupe=queries.mail_of(invitation),
    )


@action(Tag.ACCOUNTS_INVITATION_ACCEPT)
def accept_invitation(
    *,
    invitation: Invitation,
    password: str | None = None,
    credential: Mapping[str, Any] | None = None,
    account_id: UUID | None = None,
    provider: IdentityProvider | None = None,
    at: datetime,
) -> Account:
    """Accept an invitation with a password, with a verified passkey, or (neither) with the account one has.

    The person's own mailbox was proved by the link, so the address counts as verified. `account_id` is the id under
    which the passkey was made. Of an invitation to an organisation its own `provider` may vouch instead of all that.
    Raises Refusal when the link is closed or no means of signing in was given.
    """
    locked = Invitation.objects.select_for_update().select_related("affiliation__person").get(pk=invitation.pk)
    if not locked.is_open(at):
        raise Refusal(_CLOSED, rule="invitation-open")
    _require_present(locked.affiliation, at)
    person = locked.affiliation.person
    account = Account.objects.select_for_update().filter(person=person).first()
    vouched = provider is not None and provider.works and provider.organization_id == locked.affiliation.organization_id
    anew = locked.kind == Invitation.Kind.REENROL or (account is None and not vouched)
    if anew and not (password or credential):
        raise Refusal(_ONE_MEANS, rule="invitation-means", field="password")
    account = account or _new_account(person, account_id, at)
    _set_means(account, password, credential)
    locked.accepted_at = at
    locked.save(update_fields=["accepted_at"])
    if locked.affiliation.started_at is None:
        locked.affiliation.started_at = at
        locked.affiliation.save(update_fields=["started_at"])
    means = "passkey" if credential else "password" if password else "provider" if vouched else "account"
    record(by=acting(account), at=at, about=locked, detail={"kind": locked.kind, "means": means})
    return account


def _new_account(person: Person, account_id: UUID | None, at: datetime) -> Account:
    account = Account(person=person, email=person.email, language=person.language, created_at=at)
    if account_id is not None:
        account.pk = account_id
    account.set_unusable_password()
    account.save(force_insert=True)
    EmailAddress.objects.create(user=account, email=account.email, verified=True, primary=True)
    return account


def _set_means(account: Account, password: str | None, credential: Mapping[str, Any] | None) -> None:
    if password:
        account.set_password(password)
        account.save(update_fields=["password"])
    if credential:
        WebAuthn.add(account, "Passkey", dict(credential))
        RecoveryCodes.activate(account)


# Signing in


def acting(account: Account) -> Subject:
    """Return the account's person as one who acts, for deeds that need no standing: signing in, changing a password."""
    return Subject(kind=Kind.PERSON, person=account.person_id)


@action(Tag.ACCOUNTS_SESSION_OPEN)
def record_sign_in(*, account: Account, second_factor: bool, provider: UUID | None = None, at: datetime) -> None:
    """Keep that somebody signed in, when, whether with a second factor, and by which provider if not here."""
    SignIn.objects.create(account=account, at=at, second_factor=second_factor)
    detail = {"second_factor": second_factor} | ({"provider": str(provider)} if provider else {})
    record(by=acting(account), at=at, about=account, detail=detail)


@action(Tag.ACCOUNTS_SESSION_END)
def end_sessions(
    *, person: Person | None = None, organization: Organization | None = None, by: Subject, at: datetime
) -> int:
    """End every session of a person, or of all people who act for an organisation or within its group.

    Returns how many ended. Raises ValueError unless exactly one of the two is given.
    """
    if (person is None) == (organization is None):
        raise ValueError("end_sessions: give a person or an organisation")
    about = person or organization
    if person is not None:
        accounts = Account.objects.filter(person=person)
    else:
        theirs = Affiliation.objects.filter(Q(organization=organization) | Q(group=organization))
        accounts = Account.objects.filter(person__in=theirs.values("person"))
    sessions = list(UserSession.objects.filter(user__in=accounts))
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for session in sessions:
        store.delete(session.session_key)
    UserSession.objects.filter(pk__in=[session.pk for session in sessions]).delete()
    record(by=by, at=at, about=about, detail={"ended": len(sessions)})  # type: ignore[arg-type]
    return len(sessions)


@action(Tag.ACCOUNTS_PASSWORD_CHANGE)
def change_password(*, account: Account, password: str, by: Subject, at: datetime) -> None:
    """Set a new password. The caller has proved who it is, by the old one or by the mailed link."""
    account.set_password(password)
    account.save(update_fields=["password"])
    record(by=by, at=at, about=account)


@action(Tag.ACCOUNTS_FACTOR_ADD)
def record_factor_added(*, account: Account, kind: str, by: Subject, at: datetime) -> None:
    """Keep that a second factor was added; allauth says so right after it has committed."""
    record(by=by, at=at, about=account, detail={"kind": kind})


@action(Tag.ACCOUNTS_FACTOR_REMOVE)
def record_factor_removed(*, account: Account, kind: str, by: Subject, at: datetime) -> None:
    """Keep that a second factor was removed."""
    record(by=by, at=at, about=account, detail={"kind": kind})


@action(Tag.ACCOUNTS_FACTOR_CONFIRM)
def confirm_factor(*, account: Account, by: Subject, at: datetime) -> None:
    """Keep that a decision is being signed."""
    record(by=by, at=at, about=account)


# Lost second factor


@action(Tag.ACCOUNTS_FACTOR_RESET_ASK)
def ask_factor_reset(*, account: Account, at: datetime) -> FactorReset:
    """Open a request, or return the one that is open; the caller has proved that the mailbox is the account's."""
    Account.objects.select_for_update().get(pk=account.pk)
    reset = FactorReset.objects.filter(account=account, state__in=["asked", "vouched"]).first()
    if reset is None:
        reset = FactorReset.objects.create(account=account, asked_at=at)
    record(by=acting(account), at=at, about=reset)
    return reset


@action(Tag.ACCOUNTS_FACTOR_RESET_VOUCH)
def vouch(*, reset: FactorReset, how: str, by: Subject, at: datetime) -> None:
    """Vouch that the person was met, seen on a video call or called back; never for oneself."""
    locked = _locked_reset(reset, by, at)
    _acts_for(locked.account.person, at)
    FACTOR_RESET.move(locked, "vouch", actor=by.person, beneficiary=locked.account.person_id)
    locked.vouched_by_id, locked.vouched_at, locked.how = by.person, at, how
    locked.save(update_fields=["state", "vouched_by", "vouched_at", "how"])
    record(by=by, at=at, about=locked, detail={"how": how})


@action(Tag.ACCOUNTS_FACTOR_RESET_CONFIRM)
def confirm_factor_reset(*, reset: FactorReset, by: Subject, at: datetime) -> str:
    """Let a second person confirm: factors go, sessions end, a link to set new means is mailed; return its path."""
    locked = _locked_reset(reset, by, at)
    person = locked.account.person
    affiliation = _acts_for(person, at)
    FACTOR_RESET.move(locked, "confirm", actor=by.person, beneficiary=person.pk, first=locked.vouched_by_id)
    locked.decided_by_id, locked.decided_at = by.person, at
    locked.save(update_fields=["state", "decided_by", "decided_at"])
    removed, _ = Authenticator.objects.filter(user=locked.account).delete()
    record(by=by, at=at, about=locked, detail={"factors_removed": removed})
    end_sessions(person=person, by=by, at=at)
    Invitation.objects.filter(_open(), affiliation=affiliation).update(withdrawn_at=at)
    invitation, path = _new_invitation(affiliation, Invitation.Kind.REENROL, by, at)
    _mail_invitation(invitation, path, by, at)
    return path


@action(Tag.ACCOUNTS_FACTOR_RESET_DECLINE)
def decline_factor_reset(*, reset: FactorReset, by: Subject, at: datetime) -> None:
    """Close a request without resetting anything."""
    locked = _locked_reset(reset, by, at)
    FACTOR_RESET.move(locked, "decline")
    locked.decided_by_id, locked.decided_at = by.person, at
    locked.save(update_fields=["state", "decided_by", "decided_at"])
    record(by=by, at=at, about=locked)


def _locked_reset(reset: FactorReset, by: Subject, at: datetime) -> FactorReset:
    """Lock the request; raises Refusal unless `by` may speak for this person."""
    locked = FactorReset.objects.select_for_update(of=("self",)).select_related("account__person").get(pk=reset.pk)
    if not may_vouch(by=by, person=locked.account.person, at=at):
        raise Refusal(_NOT_A_VOUCHER, rule="factor-reset-voucher", clause="2.3")
    return locked


def _acts_for(person: Person, at: datetime) -> Affiliation:
    """Return the oldest pair that the person still acts for. Raises Refusal: who left gets no new way in."""
    live = queries.live_affiliations(person=person, at=at)
    if not live:
        raise Refusal(_LEFT, rule="left")
    return live[0]


def may_vouch(*, by: Subject, person: Person, at: datetime) -> bool:
    """Return whether `by` belongs to the staff, or administers an organisation or group that the person acts for."""
    if by.kind is not Kind.PERSON or not by.mfa:
        return False
    if doors.may(subject=by, right=Right.ENTER_STAFF_PLANE, at=at):
        return True
    if not doors.may(subject=by, right=Right.MANAGE_PEOPLE, at=at):
        return False
    return any(_administers(by, pair) for pair in queries.live_affiliations(person=person, at=at))


def _administers(by: Subject, affiliation: Affiliation) -> bool:
    """An administrator's own organisation, and for a group member its constituents too."""
    if by.pair is None or affiliation.group_id != by.pair.group:
        return False
    return affiliation.organization_id == by.pair.organization or by.pair.organization == by.pair.group


def person_of(by: Subject) -> UUID:
    """Return who acts, for deeds that only a person can do. Raises Refusal for anybody else."""
    if by.person is None:
        raise Refusal(_PERSON, rule="in-person", clause="2.3")
    return by.person


def require_managed(*, affiliation: Affiliation, by: Subject) -> None:
    """Raise Refusal unless the affiliation is of the administrator's own organisation or his group's constituent."""
    if not _administers(by, affiliation):
        raise Refusal(_NOT_YOURS, rule="own-organisation", clause="2.3")
