"""Rules about several versions of one thing: those that come in one body, and those that its source holds (§3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.intel.stix.ids import TIMELESS
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

NEW, NEXT, SAME = "accepted", "new_version", "duplicate"
"""What a version is beside those that are known: the first of its id, one more, or one that is known already."""


@dataclass(slots=True)
class Known:
    """What is known of one id."""

    created: datetime | None
    creator: str
    latest: datetime
    revoked: datetime | None = None
    """The version that revoked it."""


class Versions:
    """All versions known of the ids of one body: those held before, then those of the body in the order they came."""

    def __init__(
        self, held: dict[str, Known] | None = None, exact: dict[tuple[str, datetime], bytes] | None = None
    ) -> None:
        """`held`: what the source holds by id; `exact`: the digest of each (id, version) held."""
        self._known = dict(held or {})
        self._held = exact or {}
        self._came: dict[tuple[str, datetime], bytes] = {}

    def add(
        self,
        *,
        stix_id: str,
        modified: datetime,
        digest: bytes,
        created: datetime | None,
        creator: str,
        revoked: bool,
    ) -> str:
        """Return NEW, NEXT or SAME, and know this version from now on.

        Raises Refusal for one that cannot be: other content under the same version, what no version may change, and a
        version on the wrong side of a revocation.
        """
        key = (stix_id, modified)
        before = self._held.get(key) or self._came.get(key)
        if before is not None:
            if before != digest:
                raise _other_content(held=key in self._held, observable=modified == TIMELESS)
            return SAME
        known = self._known.get(stix_id)
        if known is None:
            outcome = NEW
            self._known[stix_id] = Known(created, creator, modified, modified if revoked else None)
        else:
            outcome = NEXT
            _fits(known, modified=modified, created=created, creator=creator, revoked=revoked)
            ended = modified if revoked else known.revoked
            self._known[stix_id] = Known(created, creator, max(known.latest, modified), ended)
        self._came[key] = digest
        return outcome


def _fits(known: Known, *, modified: datetime, created: datetime | None, creator: str, revoked: bool) -> None:
    if known.created != created:
        raise _refusal(
            "created-changed",
            "created與您先前的版本不同；同一物件的各版本不得更改created。",
            "`created` differs from your earlier version, and no version of an object may change it.",
            "created",
        )
    if known.creator != creator:
        raise _refusal(
            "creator-changed",
            "created_by_ref與您先前的版本不同；只有原建立者能發布新版本。",
            "`created_by_ref` differs from your earlier version; only its creator makes versions of an object.",
            "created_by_ref",
        )
    if known.revoked is not None and modified > known.revoked:
        raise _refusal(
            "after-revoked",
            "您已撤銷（revoked）這個物件，不能再有新版本。",
            "You revoked this object; no version can follow.",
            "modified",
        )
    if revoked and modified < known.latest:
        raise _refusal(
            "revoked-older",
            "撤銷（revoked）必須是最新的版本；請更新modified後再送。",
            "A version that revokes must be the newest of all; send it with a newer `modified`.",
            "modified",
        )


def _other_content(*, held: bool, observable: bool) -> Refusal:
    if observable:
        return _refusal(
            "different-content",
            "同一id的觀測物件已有不同內容；觀測物件沒有版本，內容不同就要另用id。",
            "There is other content under the id of this observable; observables have no versions, so other content"
            " needs another id.",
            "id",
        )
    if held:
        return _refusal(
            "different-content",
            "您先前提交過同一版本，但內容不同；請更新modified後再送。",
            "You submitted this very version before with different content; send it with a newer `modified`.",
            "modified",
        )
    return _refusal(
        "twice",
        "同一檔案裡，這個id與modified出現兩次且內容不同。",
        "This id and `modified` stand twice in the file with different content.",
        "modified",
    )


def _refusal(rule: str, zh: str, en: str, where: str) -> Refusal:
    return Refusal(Bilingual(zh=zh, en=en), rule=f"stix-{rule}", clause="STIX 2.1 §3.6", field=where)
