"""What this app writes about machines: their tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import cast

from django.db import connection
from django.urls import reverse

from lianfang.accounts import doors, letters, queries, registry
from lianfang.accounts.actions.people import person_of, require_managed
from lianfang.accounts.models import TLPS, Affiliation, Token, TokenWarning
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Pair, Right, Subject

TOKEN_RIGHTS = (Right.READ, Right.READ_SOURCE, Right.EXPORT, Right.SUBMIT, Right.RECALL)
"""What a machine can be given; everything else is decided by people."""

_RIGHTS = Bilingual(zh="請至少選一項，且不能超過您自己的權利。", en="Choose at least one, none beyond your own rights.")
_TLP = Bilingual(
    zh="金鑰最高只能到AMBER+STRICT：RED只能在網頁上看。", en="AMBER+STRICT at most: RED stays on the page."
)
_NETWORK = Bilingual(
    zh="看不懂這個網路：{network}。請寫成203.0.113.0/24的樣子。",
    en="Not a network: {network}. Write it like 203.0.113.0/24.",
)
_PURPOSE = Bilingual(zh="請寫這個連線的用途。", en="Say what this connection is for.")
_NAME = Bilingual(zh="請為這個連線取名。", en="Give this connection a name.")
_DAYS = Bilingual(zh="有效天數是1到{most}天。", en="From 1 to {most} days.")
_DEAD = Bilingual(zh="這把金鑰已經不能用了。", en="This token no longer works.")
_REPLACED = Bilingual(
    zh="這把金鑰已經更換過一次。請建立新的連線。", en="This key was replaced once already. Make a new connection."
)
_TWO_LIVE = Bilingual(
    zh="新舊兩把已經同時有效。請先撤銷舊的一把。",
    en="Two keys of this connection work already. Revoke the old one first.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a token is made for, as typed; `make_token` checks it. `days` is its life from now."""

    name: str
    purpose: str
    max_tlp: str
    rights: frozenset[Right]
    days: int
    networks: tuple[str, ...] = ()
    views: tuple[str, ...] = field(default=())


@action(Tag.ACCOUNTS_TOKEN_MAKE)
def make_token(*, affiliation: Affiliation, scope: Scope, by: Subject, at: datetime) -> tuple[Token, str]:
    """Make a token for an affiliation of one's own organisation; return it with its secret, which is never kept.

    Raises Refusal naming the field, or the rule when `by` may not make tokens or not with these rights.
    """
    doors.require(subject=by, right=Right.MAKE_TOKEN, at=at)
    locked = Affiliation.objects.select_for_update().get(pk=affiliation.pk)
    require_managed(affiliation=locked, by=by)
    _check(scope, by, at)
    token, secret = _create(locked, scope, at, replaces=None)
    record(by=by, at=at, about=token, detail=_detail(token))
    return token, secret


@action(Tag.ACCOUNTS_TOKEN_ROTATE)
def rotate_token(*, token: Token, by: Subject, at: datetime) -> tuple[Token, str]:
    """Make a successor with the same scope; both work until the old one is revoked or expires, never three at once.

    The successor belongs to `by`, so that a colleague takes over what somebody leaves behind: a secret is never passed
    on. Raises Refusal for a dead token, or when two of the connection work already.
    """
    doors.require(subject=by, right=Right.MAKE_TOKEN, at=at)
    locked = Token.objects.select_for_update(of=("self",)).select_related("affiliation", "replaces").get(pk=token.pk)
    require_managed(affiliation=locked.affiliation, by=by)
    if not locked.is_live(at):
        raise Refusal(_DEAD, rule="token-live")
    successor = Token.objects.filter(replaces=locked).first()
    if (successor and successor.is_live(at)) or (locked.replaces and locked.replaces.is_live(at)):
        raise Refusal(_TWO_LIVE, rule="token-two-live")
    if successor is not None:
        raise Refusal(_REPLACED, rule="token-replaced-once")
    days = (locked.expires_at - locked.created_at).days
    scope = Scope(
        name=locked.name,
        purpose=locked.purpose,
        max_tlp=locked.max_tlp,
        rights=frozenset(Right(right) for right in locked.rights),
        days=max(1, min(days, registry.value("token_max_days", at))),
        networks=tuple(locked.networks),
        views=tuple(locked.views),
    )
    owner = _own_affiliation(by, at)
    fresh, secret = _create(owner, scope, at, replaces=locked)
    record(by=by, at=at, about=fresh, detail={**_detail(fresh), "replaces": str(locked.pk)})
    return fresh, secret


@action(Tag.ACCOUNTS_TOKEN_REVOKE)
def revoke_token(*, token: Token, by: Subject, at: datetime) -> None:
    """End a token at this instant. Raises Refusal when it has ended already."""
    doors.require(subject=by, right=Right.MAKE_TOKEN, at=at)
    locked = Token.objects.select_for_update(of=("self",)).select_related("affiliation").get(pk=token.pk)
    require_managed(affiliation=locked.affiliation, by=by)
    # A key on hold can be ended, too.
    if locked.revoked_at is not None or at >= locked.expires_at:
        raise Refusal(_DEAD, rule="token-live")
    locked.revoked_at = at
    locked.save(update_fields=["revoked_at"])
    record(by=by, at=at, about=locked)


def note_token_use(*, token: Token, at: datetime) -> None:
    """Keep when a token was last seen, to the minute; one statement, which mostly changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_tokenuse (token_id, last_used_at) VALUES (%s, %s) ON CONFLICT (token_id) DO UPDATE"
            " SET last_used_at = excluded.last_used_at"
            " WHERE accounts_tokenuse.last_used_at < excluded.last_used_at - interval '1 minute'",
            [token.pk, at],
        )


@action(Tag.ACCOUNTS_TOKEN_WARN)
def warn_owner(*, token: Token, days_before: int, by: Subject, at: datetime) -> None:
    """Mail the owner that a token ends soon; once for each number of days."""
    locked = Token.objects.select_for_update(of=("self",)).select_related("affiliation__person").get(pk=token.pk)
    _, fresh = TokenWarning.objects.get_or_create(token=locked, days_before=days_before, defaults={"sent_at": at})
    record(by=by, at=at, about=locked, detail={"days_before": days_before, "sent": fresh})
    if fresh:
        context = {
            "token": locked.name,
            "expires_at": locked.expires_at,
            "link": letters.link(reverse("connections")),
        }
        letters.send(notice="token_expiry", to_person=locked.affiliation.person, context=context, by=by, at=at)


def warn_all(*, by: Subject, at: datetime) -> int:
    """Warn the owners of all tokens that end within one of the set numbers of days; return how many were warned."""
    warned = 0
    for days in registry.value("token_warning_days", at):
        due = Token.objects.filter(
            revoked_at__isnull=True,
            expires_at__gt=at,
            expires_at__lte=at + timedelta(days=days),
            affiliation__left_at__isnull=True,
        ).exclude(warnings__days_before__lte=days)
        for token in due:
            warn_owner(token=token, days_before=days, by=by, at=at)
            warned += 1
    return warned


def _own_affiliation(by: Subject, at: datetime) -> Affiliation:
    # Whoever may make tokens acts for a pair: the caller has asked.
    pair = cast(Pair, by.pair)
    own = Affiliation.objects.live(at).filter(person_id=person_of(by))
    return own.get(organization_id=pair.organization, group_id=pair.group)


def _create(affiliation: Affiliation, scope: Scope, at: datetime, *, replaces: Token | None) -> tuple[Token, str]:
    secret = new_secret()
    token = Token.objects.create(
        affiliation=affiliation,
        name=scope.name.strip(),
        secret_digest=queries.keyed_digest(secret),
        max_tlp=scope.max_tlp,
        rights=sorted(right.value for right in scope.rights),
        views=list(scope.views),
        networks=_networks(scope.networks),
        purpose=scope.purpose.strip(),
        created_at=at,
        expires_at=at + timedelta(days=scope.days),
        replaces=replaces,
    )
    return token, secret


def _check(scope: Scope, by: Subject, at: datetime) -> None:
    most = registry.value("token_max_days", at)
    if not scope.name.strip() or len(scope.name) > 80:
        raise Refusal(_NAME, field="name")
    if not scope.purpose.strip() or len(scope.purpose) > 200:
        raise Refusal(_PURPOSE, rule="U-purpose", clause="2.2", field="purpose")
    if scope.max_tlp not in TLPS or scope.max_tlp == "RED":
        raise Refusal(_TLP, rule="F-red-channel", clause="TLP 2.0", field="max_tlp")
    if not 1 <= scope.days <= most:
        raise Refusal(_DAYS.format(most=most), field="days")
    if not scope.rights or not scope.rights <= set(TOKEN_RIGHTS):
        raise Refusal(_RIGHTS, rule="F-token", clause="2.3", field="rights")
    if Right.SUBMIT in scope.rights and not doors.may(subject=by, right=Right.SUBMIT, at=at):
        raise Refusal(_RIGHTS, rule="F-token", clause="2.3", field="rights")
    _networks(scope.networks)


def _networks(typed: Iterable[str]) -> list[str]:
    found = []
    for network in typed:
        try:
            found.append(str(ip_network(network.strip(), strict=False)))
        except ValueError:
            raise Refusal(_NETWORK.format(network=network.strip()[:60]), field="networks") from None
    return found


def _detail(token: Token) -> dict[str, str | list[str]]:
    return {
        "max_tlp": token.max_tlp,
        "rights": list(token.rights),
        "collections": list(token.views),
        "expires": token.expires_at.isoformat(),
    }
