"""What was read about a key, kept for as long as the policy's epoch stands still.

Only rows are kept, never an answer: whether the key works and what its owner is at this instant is worked out anew for
each request. Every write that changes one of these rows moves the epoch in its own transaction (migration 0002), so a
key that was revoked, or whose owner left, is read again by the next request.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from uuid import UUID

from django.db import connection

from lianfang.accounts.actions.tokens import note_token_use
from lianfang.accounts.models import Affiliation, Token
from lianfang.accounts.queries import keyed_digest, lets_in, token_of_digest
from lianfang.exchange.taxii.collections import by_ids
from lianfang.members.subjects import facts_of, subject_of_token
from lianfang.policy.facts import Subject

_KEPT = 5000


@dataclass(frozen=True, slots=True)
class _Known:
    policy: int
    token: Token
    owner: Affiliation


class _Keys:
    """The keys this process has read, by digest of their secrets, and the minute in which each was last noted."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.known: OrderedDict[bytes, _Known] = OrderedDict()
        self.noted: dict[UUID, datetime] = {}
        """When each was last noted, to the minute."""


_keys = _Keys()


def subject_of(*, user: str, secret: str, at: datetime, network: str | None, policy: int) -> Subject | None:
    """Return who asks with this key at this instant, or None for a key that does not work; `policy` is the epoch now.

    `user` is the name given beside the secret, `network` the client's address.
    """
    known = _known(keyed_digest(secret), policy)
    if known is None or not lets_in(known.token, user=user, at=at, network=network):
        return None
    _note(known.token, at)
    return by_ids(subject_of_token(token=known.token, affiliation=known.owner, at=at, network=network))


def forget() -> None:
    """Drop what this process remembers: a new connection may lead to a restored database, where epochs return."""
    with _keys.lock:
        _keys.known.clear()
        _keys.noted.clear()


def _known(digest: bytes, policy: int) -> _Known | None:
    # Within a transaction the epoch has not moved yet, and may never: there, nothing is taken from memory or kept.
    lasting = not connection.in_atomic_block
    with _keys.lock:
        found = _keys.known.get(digest) if lasting else None
    if found is not None and found.policy == policy:
        return found
    token = token_of_digest(digest)
    if token is None:
        return None
    fresh = _Known(policy, token, facts_of(token.affiliation_id))
    if lasting:
        with _keys.lock:
            _keys.known[digest] = fresh
            _keys.known.move_to_end(digest)
            if len(_keys.known) > _KEPT:
                _keys.known.popitem(last=False)
    return fresh


def _note(token: Token, at: datetime) -> None:
    """Keep that the key was used, once a minute."""
    minute = at.replace(second=0, microsecond=0)
    if _keys.noted.get(token.pk) == minute:
        return
    note_token_use(token=token, at=at)
    if not connection.in_atomic_block:
        with _keys.lock:
            _keys.noted[token.pk] = minute
