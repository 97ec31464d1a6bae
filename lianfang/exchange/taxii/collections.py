"""The collections of the one API root: fixed ids, aliases and titles, since clients keep them for years."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lianfang.exchange.taxii.media import STIX
from lianfang.intel.definitions import PURPOSE
from lianfang.intel.parts import WHOLE, Part, Whose
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Right, Subject, Tlp

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Collection:
    """A fixed view of the exchange log. `part` and `writable` are what it is for; the subject decides the rest."""

    id: str
    alias: str
    title: str
    name: Bilingual
    """The title on pages."""
    description: Bilingual
    part: Part | None
    """What it shows of all that its reader may have; None = it is not for reading."""
    writable: bool
    tlp: Tlp | None = None
    """Under which label what is added stands; an object's own stricter one counts. None = its own, or the default."""


def _by_tlp(tlp: Tlp, *, number: str) -> Collection:
    return Collection(
        id=number,
        alias=tlp.name.lower().replace("_", "-"),
        title=tlp.label,
        name=Bilingual(zh=tlp.label, en=tlp.label),
        description=Bilingual(
            zh=f"您可以取得的{tlp.label}情資；寫入者以{tlp.label}標示，物件本身的標示較嚴時從嚴。",
            en=f"{tlp.label} intelligence that you may receive; what you add stands under {tlp.label}, or under its own"
            " stricter label.",
        ),
        part=Part(tlp=tlp),
        writable=True,
        tlp=tlp,
    )


COLLECTIONS = (
    Collection(
        id="5b7c1f0a-6f2e-4d0b-9a57-0d6b6f3a9e01",
        alias="all",
        title="Everything this key may see",
        name=Bilingual(zh="這把金鑰看得到的全部", en="Everything this key may see"),
        description=Bilingual(
            zh="您可以取得的全部情資，並可寫入；寫入者依貴組織的寫入設定標示。",
            en="All intelligence that you may receive; what you add stands under your organisation's write profile.",
        ),
        part=WHOLE,
        writable=True,
    ),
    Collection(
        id="86ea5b28-675b-4ba6-905e-94f1bbff6f9e",
        alias="mine",
        title="Our own items",
        name=Bilingual(zh="我們自己的情資", en="Our own items"),
        description=Bilingual(zh="貴組織自己提供的情資。", en="What your own organisation shared."),
        part=Part(Whose.MINE),
        writable=False,
    ),
    Collection(
        id="61496de5-059b-435a-9f6d-3bc4938ba80e",
        alias="group",
        title="Our group's items",
        name=Bilingual(zh="我們團體的情資", en="Our group's items"),
        description=Bilingual(
            zh="貴團體會員與其內部成員提供的情資中，您看得到、也可以知道來源的。",
            en="What your group member and its constituents shared, as far as you may read it and know its source.",
        ),
        part=Part(Whose.OUR_GROUP),
        writable=False,
    ),
    Collection(
        id="c2a8a3de-4a55-4f0c-8c39-7f1b0a4be902",
        alias="inbox",
        title="Inbox (write only)",
        name=Bilingual(zh="收件匣（只供寫入）", en="Inbox (write only)"),
        description=Bilingual(
            zh="只供寫入；標示依貴組織的寫入設定。",
            en="For adding only; labelled by your organisation's write profile.",
        ),
        part=None,
        writable=True,
    ),
    _by_tlp(Tlp.CLEAR, number="e85a06f5-d738-40af-96b7-8b4c2b6afd8e"),
    _by_tlp(Tlp.GREEN, number="e63d8843-84cc-4c17-9caf-b20bcd667fb2"),
    _by_tlp(Tlp.AMBER, number="b14839e9-fbe9-4dcc-b57e-d5616b733e90"),
    _by_tlp(Tlp.AMBER_STRICT, number="f1f6319d-5b36-4ad1-8b08-5c865b08e2ba"),
)
WRITABLE = tuple(one for one in COLLECTIONS if one.writable)
_BY_NAME = {name: one for one in COLLECTIONS for name in (one.id, one.alias)}


def find(name: str) -> Collection | None:
    """Return the collection of this id or alias."""
    return _BY_NAME.get(name)


def by_ids(subject: Subject) -> Subject:
    """Return the subject with the collections that its token names given by their ids, whichever way they are named."""
    caveats = subject.caveats
    if caveats is None or caveats.views is None:
        return subject
    views = frozenset(one.id if (one := find(name)) is not None else name for name in caveats.views)
    return replace(subject, caveats=replace(caveats, views=views))


def offered(subject: Subject) -> list[Collection]:
    """Return the collections that this token was made for."""
    views = subject.caveats.views if subject.caveats else None
    return [one for one in COLLECTIONS if views is None or one.id in views]


def can_read(collection: Collection, subject: Subject) -> bool:
    """Return whether this subject may fetch from the collection at all; each object is decided again."""
    return collection.part is not None and _holds(subject, Right.READ) and _holds(subject, Right.EXPORT)


def can_write(collection: Collection, subject: Subject) -> bool:
    """Return whether this subject may add to the collection."""
    return collection.writable and _holds(subject, Right.SUBMIT)


def resource(collection: Collection, subject: Subject) -> Json:
    """Return the collection as the standard writes it (TAXII 2.1 §5.2.1)."""
    described = collection.description
    return {
        "id": collection.id,
        "title": collection.title,
        "description": f"{described.zh} {described.en} {PURPOSE.zh} {PURPOSE.en}",
        "alias": collection.alias,
        "can_read": can_read(collection, subject),
        "can_write": can_write(collection, subject),
        "media_types": [STIX],
    }


def _holds(subject: Subject, right: Right) -> bool:
    return subject.caveats is not None and right in subject.caveats.rights
