"""Names for the ledger's pages. Entries hold ids alone; who bears them is known to an app above this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lianfang.kernel.text import Bilingual

Names = Callable[[set[tuple[str, str]]], Mapping[tuple[str, str], str]]

_names: list[Names] = []

_KINDS = {
    "person": Bilingual(zh="使用者", en="Person"),
    "token": Bilingual(zh="連線金鑰", en="Connection key"),
    "link": Bilingual(zh="案件連結", en="Link of case"),
    "system": Bilingual(zh="系統", en="System"),
    "public": Bilingual(zh="未登入的人", en="Somebody not signed in"),
}

_SYSTEM = {
    "audit": Bilingual(zh="系統：驗證", en="System: verification"),
    "audit.receipts": Bilingual(zh="系統：收件紀錄", en="System: receipts"),
    "outbox": Bilingual(zh="系統：寄信", en="System: mail"),
}


def use(provider: Names) -> None:
    """Make `provider` the source of names: given (kind, id) pairs, kind `person` or `organization`, those it knows."""
    _names[:] = [provider]


def names_of(actors: Iterable[str], acting_for: Iterable[str]) -> dict[str, Bilingual]:
    """Return how to call each actor and each organisation, by the text that stands in the entry."""
    actors, pairs = set(actors), {pair for pair in acting_for if pair}
    wanted = {("person", actor.removeprefix("person:")) for actor in actors if actor.startswith("person:")}
    wanted |= {("organization", part) for pair in pairs for part in pair.split("/")}
    known = _names[0](wanted) if _names else {}
    said = {actor: _actor(actor, known) for actor in actors}
    return said | {pair: _organisations(pair, known) for pair in pairs}


def _actor(actor: str, known: Mapping[tuple[str, str], str]) -> Bilingual:
    kind, _, rest = actor.partition(":")
    if name := known.get((kind, rest)):
        return Bilingual(zh=name, en=name)
    if kind == "system" and rest in _SYSTEM:
        return _SYSTEM[rest]
    words = _KINDS.get(kind, Bilingual(zh=kind or "—", en=kind))
    short = rest if kind in ("system", "link") else rest[:8]
    return Bilingual(zh=f"{words.zh}{short}", en=f"{words.en} {short}".strip())


def _organisations(pair: str, known: Mapping[tuple[str, str], str]) -> Bilingual:
    """The organisation, and its group behind it where that is another."""
    parts = list(dict.fromkeys(pair.split("/")))
    said = [known.get(("organization", part), part[:8]) for part in parts]
    if len(said) == 1:
        return Bilingual(zh=said[0], en=said[0])
    return Bilingual(zh=f"{said[0]}（{said[1]}）", en=f"{said[0]} ({said[1]})")
