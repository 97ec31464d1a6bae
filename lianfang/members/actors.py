"""Who acts, where only a person can."""

from __future__ import annotations

from uuid import UUID

from lianfang.policy.facts import Subject


def person_of(by: Subject) -> UUID:
    """Return the person behind a subject. Raises ValueError for the system, a link or the public: a door stood open."""
    if by.person is None:
        raise ValueError(f"{by.actor_id} is no person")
    return by.person
