"""The body that is served where the source stays unnamed (policy.md, "Names of sources").

Made once, at intake. The creator becomes one neutral id, the same for every unnamed source, so that it ties nothing
together; the source's own ids become ids that only this installation can make, the same for the same object for ever,
so that versions and references still fit. Custom properties are left out: nobody can say what they tell. Identities
that stand as creator get no served body at all: their dates alone would tell whose they are, so intake keeps them to
the source and the analysts.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from lianfang.intel import markings, stix
from lianfang.intel.fold import words_of
from lianfang.policy.facts import Pair
from lianfang.vault import blind

Json = dict[str, Any]

NEUTRAL = "identity--5f5c3c5c-58b5-4b6e-9a1a-0d7b6c2f3e41"
"""What stands as creator wherever the source stays unnamed."""

_KEPT_EXTENSIONS = re.compile(r"[a-z0-9-]+-ext|" + re.escape(markings.TLP_2_EXTENSION))


@dataclass(frozen=True, slots=True)
class Served:
    """The body for readers who may not know the source, and codes of what was noticed while making it.

    `custom-left-out` informs; `names-itself` (a text holds the organisation's name, or the type is unknown) and
    `names-by-reference` (it names an own object whose source is shown) quarantine.
    """

    body: bytes
    findings: tuple[str, ...]


def key_of(pair: Pair) -> bytes:
    """Return the key by which this source's ids are replaced; it follows from the installation's master key."""
    return blind.index("intel.served-id", f"{pair.organization}/{pair.group}")


def served_id(key: bytes, stix_id: str) -> str:
    """Return the id under which an unnamed source's object is served: a version 4 UUID by keyed hash.

    Observables keep theirs (they follow from content), and so do the TLP markings everybody shares.
    """
    kind = stix.type_of(stix_id)
    if stix_id in markings.KNOWN or kind in stix.OBSERVABLES or kind == "extension-definition":
        return stix_id
    return f"{kind}--{UUID(bytes=hmac.digest(key, stix_id.encode(), 'sha256')[:16], version=4)}"


class Namer:
    """Makes the served bodies of one submission."""

    def __init__(
        self, *, pair: Pair, own: Iterable[str], creators: Iterable[str], shown: Iterable[str], names: Iterable[str]
    ) -> None:
        """`own`: ids of the source's objects, in this submission or held unnamed; `creators`: identities that stand as
        creator in it; `shown`: ids of own objects held with the name shown; `names`: what the organisation is called,
        folded."""
        key = key_of(pair)
        self._ids = {stix_id: served_id(key, stix_id) for stix_id in own} | dict.fromkeys(creators, NEUTRAL)
        self._shown = frozenset(shown)
        self._names = tuple(name for name in names if len(name) >= 2)

    def serve(self, value: Json) -> Served:
        """Return the served body of one object."""
        findings: list[str] = []
        kept = _without_custom(value)
        if kept != value:
            findings.append("custom-left-out")
        body = self._replaced(kept)
        words = words_of(body)
        if not stix.properties(value["type"]) or any(name in words for name in self._names):
            findings.append("names-itself")
        if self._shown and any(ref in self._shown for _, ref in stix.references(body)):
            findings.append("names-by-reference")
        return Served(orjson.dumps(body), tuple(findings))

    def _replaced(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {name: self._replaced(child) for name, child in node.items()}
        if isinstance(node, list):
            return [self._replaced(child) for child in node]
        return self._ids.get(node, node) if isinstance(node, str) else node


def _without_custom(value: Json) -> Json:
    known = stix.properties(value["type"])
    kept = {name: child for name, child in value.items() if not name.startswith("x_") and (not known or name in known)}
    extensions = kept.pop("extensions", None)
    if isinstance(extensions, Mapping):
        plain = {key: child for key, child in extensions.items() if _KEPT_EXTENSIONS.fullmatch(key)}
        if plain:
            kept["extensions"] = plain
    # Properties come in the producer's order.
    return {name: kept[name] for name in value if name in kept}
