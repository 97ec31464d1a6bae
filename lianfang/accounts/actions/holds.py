"""Security holds: an account, a key or a provider that must not be used for now. Placed by one, lifted by another."""

from __future__ import annotations

from datetime import date, datetime

from django.urls import reverse

from lianfang.accounts import doors, letters, queries
from lianfang.accounts.actions.people import end_sessions, person_of
from lianfang.accounts.models import Account, Affiliation, DutyGrant, IdentityProvider, Person, SecurityHold, Token
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Case, Duty, Right, Role, Subject

_REASON = Bilingual(zh="請寫理由。", en="Give a reason.")
_REVIEW = Bilingual(zh="檢視日期要在今天以後，一年以內。", en="The day of review is after today, within a year.")
_HELD = Bilingual(zh="已經在保全中。", en="There is a hold on it already.")
_LIFTED = Bilingual(zh="這項保全已經解除。", en="This hold was lifted already.")
_ONESELF = Bilingual(zh="不能對自己的帳號設下保全。", en="Nobody places a hold on his own account.")
_LAST_APPROVER = Bilingual(
    zh="除您以外要留有一位核准人，否則沒有人能解除保全。",
    en="An approver other than you must remain, or nobody could lift the hold.",
)
_ACCOUNT = Bilingual(zh="一個帳號", en="an account")
_TOKEN = Bilingual(zh="一把連線金鑰", en="a connection key")
_PROVIDER = Bilingual(zh="身分提供者", en="the identity provider")


@action(Tag.ACCOUNTS_HOLD_PLACE)
def place_hold(
    *, thing: Account | Token | IdentityProvider, reason: str, review_on: date, by: Subject, at: datetime
) -> SecurityHold:
    """Stop an account, a key or a provider at this instant: sessions end, nobody signs in, its keys open nothing.

    Everything else stays: roles, duties, and the membership, which no hold can suspend. The organisation's other
    administrators are told. Raises Refusal.
    """
    doors.require(subject=by, right=Right.PLACE_HOLD, at=at)
    if not reason.strip():
        raise Refusal(_REASON, rule="hold-reason", field="reason")
    if not 0 < (review_on - taipei(at).date()).days <= 366:
        raise Refusal(_REVIEW, rule="hold-review", field="review_on")
    person = None if isinstance(thing, IdentityProvider) else _person(thing)
    if isinstance(thing, Account):
        _stop_account(thing, by, at)
    else:
        _stop(thing, at)
    hold = SecurityHold.objects.create(
        vault_key=thing.vault_key if isinstance(thing, IdentityProvider) else _person(thing).vault_key,
        account=thing if isinstance(thing, Account) else None,
        token=thing if isinstance(thing, Token) else None,
        provider=thing if isinstance(thing, IdentityProvider) else None,
        reason=reason.strip()[:1000],
        review_on=review_on,
        placed_by_id=person_of(by),
        placed_at=at,
    )
    detail = {"person": str(person.pk) if person else None, "review": review_on.isoformat(), "kind": _kind(hold)}
    record(by=by, at=at, about=hold, detail=detail, text=hold.reason)
    _tell(hold, person, "security_hold", by, at)
    return hold


def _stop_account(account: Account, by: Subject, at: datetime) -> None:
    if account.person_id == by.person:
        raise Refusal(_ONESELF, rule="hold-oneself")
    # In one order, so that two who hold each other's account at once take turns.
    approvers = list(DutyGrant.objects.select_for_update().filter(duty=Duty.APPROVER, state="granted").order_by("pk"))
    locked = Account.objects.select_for_update().get(pk=account.pk)
    if not locked.is_active:
        raise Refusal(_HELD, rule="hold-once")
    left = {grant.person_id for grant in approvers} - {locked.person_id, by.person}
    stands = Account.objects.filter(person_id__in=left, is_active=True).exists()
    if any(grant.person_id == locked.person_id for grant in approvers) and not stands:
        raise Refusal(_LAST_APPROVER, rule="hold-last-approver")
    locked.is_active = False
    locked.save(update_fields=["is_active"])
    # Ended, not paused: what somebody else opened must not come back when the hold is lifted.
    end_sessions(person=locked.person, by=by, at=at)


def _person(thing: Account | Token) -> Person:
    return thing.person if isinstance(thing, Account) else thing.affiliation.person


def _stop(thing: Token | IdentityProvider, at: datetime) -> None:
    locked: Token | IdentityProvider
    if isinstance(thing, Token):
        locked = Token.objects.select_for_update(of=("self",)).get(pk=thing.pk)
    else:
        locked = IdentityProvider.objects.select_for_update(of=("self",)).get(pk=thing.pk)
    if locked.held_at is not None:
        raise Refusal(_HELD, rule="hold-once")
    locked.held_at = at
    locked.save(update_fields=["held_at"])


@action(Tag.ACCOUNTS_HOLD_LIFT)
def lift_hold(*, hold: SecurityHold, reason: str, by: Subject, at: datetime) -> None:
    """Let an account, a key or a provider work again; by an approver who did not place the hold. Raises Refusal."""
    locked = SecurityHold.objects.select_for_update(of=("self",)).select_related("vault_key").get(pk=hold.pk)
    case = Case(kind="hold", id=str(locked.pk), decided_by=frozenset({locked.placed_by_id}))
    doors.require(subject=by, right=Right.LIFT_HOLD, target=case, at=at)
    if locked.lifted_at is not None:
        raise Refusal(_LIFTED, rule="hold-lifted")
    if not reason.strip():
        raise Refusal(_REASON, rule="hold-reason", field="reason")
    if locked.account_id is not None:
        account = Account.objects.select_for_update().get(pk=locked.account_id)
        account.is_active = True
        account.save(update_fields=["is_active"])
        person: Person | None = account.person
    elif locked.provider_id is not None:
        provider = IdentityProvider.objects.select_for_update(of=("self",)).get(pk=locked.provider_id)
        provider.held_at = None
        provider.save(update_fields=["held_at"])
        person = None
    else:
        token = Token.objects.select_for_update(of=("self",)).get(holds=locked)
        token.held_at = None
        token.save(update_fields=["held_at"])
        person = token.affiliation.person
    locked.lifted_by_id, locked.lifted_at, locked.lift_reason = person_of(by), at, reason.strip()[:1000]
    locked.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    record(by=by, at=at, about=locked, detail={"kind": _kind(locked)}, text=locked.lift_reason)
    _tell(locked, person, "security_hold_ended", by, at)


def _kind(hold: SecurityHold) -> str:
    return "account" if hold.account_id else "token" if hold.token_id else "provider"


_WHAT = {"account": _ACCOUNT, "token": _TOKEN, "provider": _PROVIDER}


def _tell(hold: SecurityHold, person: Person | None, notice: str, by: Subject, at: datetime) -> None:
    """Mail the organisation's administrators; of a key its owner too, but not whoever may have been robbed."""
    if hold.provider is not None:
        people = queries.administrators_of(organization=hold.provider.organization_id, at=at)
    else:
        pairs = Affiliation.objects.live(at).filter(person=person)
        if hold.token is not None:
            pairs = pairs.filter(pk=hold.token.affiliation_id)
        admins = Affiliation.objects.live(at).filter(
            organization__in=pairs.values("organization"), group__in=pairs.values("group"), role=Role.MEMBER_ADMIN
        )
        people = [one for one in queries.each_person(admins) if one != person]
        if hold.token is not None and person is not None:
            people.append(person)
    context = {"what": _WHAT[_kind(hold)], "at": at, "link": letters.link(reverse("own_plane"))}
    for one in people:
        letters.send(notice=notice, to_person=one, context=context, by=by, at=at)
