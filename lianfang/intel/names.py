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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from lianfang.intel import markings, stix
from lianfang.intel.fold import folded
from lianfang.policy.facts import Pair
from lianfang.vault import blind

Json = dict[str, Any]

NEUTRAL = "identity--5f5c3c5c-58b5-4b6e-9a1a-0d7b6c2f3e41"
"""What stands as creator wherever the source stays unnamed."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_KIND = "abcdefghijklmnopqrstuvwxyz0123456789-"
_KEPT_EXTENSIONS = re.compile(r"[a-z0-9-]+-ext|" + re.escape(markings.TLP_2_EXTENSION))


@dataclass(frozen=True, slots=True)
class Served:
    """The body for readers who may not know the source, and codes of what was noticed while making it.

    `custom-left-out` informs; `names-itself` (a text holds the organisation's name or what is left of an own id, or the
    type is unknown) and `names-by-reference` (it is, or names, an own object whose source is shown) quarantine.
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
        met = frozenset(shown)
        self._shown = frozenset(_uuid(stix_id) for stix_id in met)
        # What readers know under its own id keeps it: another one would be a second name of the same thing.
        served = {stix_id: served_id(key, stix_id) for stix_id in own if stix_id not in met}
        self._ids = served | dict.fromkeys(creators, NEUTRAL)
        self._own = frozenset(_uuid(stix_id) for stix_id, other in self._ids.items() if stix_id != other)
        self._names = tuple(name for name in names if len(name) >= 2)

    def serve(self, value: Json) -> Served:
        """Return the served body of one object."""
        findings: list[str] = []
        kept = _without_custom(value)
        if kept != value:
            findings.append("custom-left-out")
        body = self._replaced(kept)
        # All of it, not only what a search looks at.
        text = folded(" \n ".join(_strings(body)))
        named = set(self._named(text))
        unknown = not stix.properties(value["type"])
        if unknown or any(name in text for name in self._names) or any(_uuid(one) in self._own for one in named):
            findings.append("names-itself")
        if self._shown and any(_uuid(one) in self._shown for one in named):
            findings.append("names-by-reference")
        return Served(orjson.dumps(body), tuple(findings))

    def _replaced(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {self._text(name): self._replaced(child) for name, child in node.items()}
        if isinstance(node, list):
            return [self._replaced(child) for child in node]
        return self._text(node) if isinstance(node, str) else node

    def _text(self, text: str) -> str:
        """Own ids are replaced wherever they stand, in running text too."""
        if len(text) < 36:
            return text
        return self._ids.get(text) or _UUID.sub(lambda found: self._uuid_for(text, found), text)

    def _uuid_for(self, text: str, found: re.Match[str]) -> str:
        stix_id = _id_before(text.lower(), found)
        return _uuid(self._ids[stix_id]) if stix_id in self._ids else found[0]

    @staticmethod
    def _named(text: str) -> Iterator[str]:
        """Yield what the text names by UUID, as an id where it is one; observables keep theirs and say nothing."""
        for found in _UUID.finditer(text):
            stix_id = _id_before(text, found)
            if stix.type_of(stix_id) not in stix.OBSERVABLES:
                yield stix_id


def _uuid(stix_id: str) -> str:
    return stix_id.rpartition("--")[2]


def _id_before(text: str, found: re.Match[str]) -> str:
    """Return the STIX id whose UUID was found in a text in lower case; the UUID alone where no type stands before."""
    uuid = found[0].lower()
    before = text[max(found.start() - 252, 0) : found.start()]
    if not before.endswith("--"):
        return uuid
    kind = before[:-2]
    return f"{kind[len(kind.rstrip(_KIND)) :]}--{uuid}"


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for name, child in node.items():
            yield name
            yield from _strings(child)
    elif isinstance(node, list):
        for child in node:
            yield from _strings(child)


def _without_custom(value: Json) -> Json:
    known = stix.properties(value["type"])
    kept = {name: child for name, child in value.items() if not known or name in known}
    if isinstance(extensions := kept.pop("extensions", None), Mapping):
        kept["extensions"] = {key: child for key, child in extensions.items() if _KEPT_EXTENSIONS.fullmatch(key)}
    plain: Json = _plain({name: kept[name] for name in value if name in kept})  # in the producer's order
    if "granular_markings" in plain:
        plain["granular_markings"] = [marked for one in plain["granular_markings"] if (marked := _pointing(plain, one))]
    return {name: child for name, child in plain.items() if child not in ([], {})}


def _plain(node: Any) -> Any:
    """Without custom properties at any depth, nor what is empty without them."""
    if isinstance(node, dict):
        inner = {name: _plain(child) for name, child in node.items() if not name.startswith("x_")}
        return {name: child for name, child in inner.items() if child not in ([], {})}
    return [_plain(child) for child in node] if isinstance(node, list) else node


def _pointing(value: Json, granular: Json) -> Json | None:
    """A granular marking without the selectors of what was left out: they would tell its name."""
    selectors = [selector for selector in granular["selectors"] if stix.resolves(value, selector)]
    return {**granular, "selectors": selectors} if selectors else None
