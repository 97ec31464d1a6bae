"""The collections of the one API root: fixed ids and titles, since clients keep both for years."""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.exchange.taxii.media import STIX
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right, Subject

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Collection:
    """A fixed view of the exchange log. `readable` and `writable` are what it is for; the subject decides the rest."""

    id: str
    alias: str
    title: str
    description: Bilingual
    readable: bool
    writable: bool


COLLECTIONS = (
    Collection(
        id="5b7c1f0a-6f2e-4d0b-9a57-0d6b6f3a9e01",
        alias="all",
        title="Everything this key may see",
        description=Bilingual(
            zh="您可以取得的全部情資，並可寫入；寫入者依貴組織的寫入設定標示。",
            en="All intelligence that you may receive; what you add stands under your organisation's write profile.",
        ),
        readable=True,
        writable=True,
    ),
    Collection(
        id="c2a8a3de-4a55-4f0c-8c39-7f1b0a4be902",
        alias="inbox",
        title="Inbox (write only)",
        description=Bilingual(
            zh="只供寫入；標示依貴組織的寫入設定。",
            en="For adding only; labelled by your organisation's write profile.",
        ),
        readable=False,
        writable=True,
    ),
)


def find(name: str) -> Collection | None:
    """Return the collection of this id or alias."""
    return next((one for one in COLLECTIONS if name in (one.id, one.alias)), None)


def offered(subject: Subject) -> list[Collection]:
    """Return the collections that this token was made for."""
    views = subject.caveats.views if subject.caveats else None
    return [one for one in COLLECTIONS if views is None or one.id in views or one.alias in views]


def can_read(collection: Collection, subject: Subject) -> bool:
    """Return whether this subject may fetch from the collection at all; each object is decided again."""
    return collection.readable and _holds(subject, Right.READ) and _holds(subject, Right.EXPORT)


def can_write(collection: Collection, subject: Subject) -> bool:
    """Return whether this subject may add to the collection."""
    return collection.writable and _holds(subject, Right.SUBMIT)


def resource(collection: Collection, subject: Subject) -> Json:
    """Return the collection as the standard writes it (TAXII 2.1 §5.2.1)."""
    return {
        "id": collection.id,
        "title": collection.title,
        "description": f"{collection.description.zh} {collection.description.en}",
        "alias": collection.alias,
        "can_read": can_read(collection, subject),
        "can_write": can_write(collection, subject),
        "media_types": [STIX],
    }


def _holds(subject: Subject, right: Right) -> bool:
    return subject.caveats is not None and right in subject.caveats.rights
