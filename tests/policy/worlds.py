"""Worlds: people, labels that hang together, and items under them, as an exchange would hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Duty,
    Kind,
    Label,
    NameSource,
    NarrowedKind,
    NarrowedTo,
    Publication,
    Request,
    Right,
    Source,
    State,
    Subject,
    Tlp,
)
from tests.policy import ground as g
from tests.policy.generate import freeze
from tests.policy.troubles import OF_SUBJECT, t_gap

SUBJECTS, LABELS, ITEMS = 10, 30, 50
MACHINES = (Channel.TAXII, Channel.FEED, Channel.API)


@dataclass(frozen=True)
class World:
    """Subjects with how they ask, labels by id, and for each item the id of its label."""

    asking: list[tuple[Subject, Right, Request]]
    labels: dict[int, Label]
    items: list[int]


def world(seed: int) -> World:
    """The world of this seed: at least ten subjects, thirty labels and fifty items."""
    rng = Random(seed)
    labels = [_plain(rng) for _ in range(14)]
    labels += [_container(rng, labels) for _ in range(5)]
    labels += [_derived(rng, labels) for _ in range(3)]
    # Entries appended for somebody, beside the entry of the source's own that stays.
    labels += [_appended(rng, rng.choice(labels)) for _ in range(LABELS - len(labels))]
    numbered = dict(enumerate(dict.fromkeys(labels), 1))
    while len(numbered) < LABELS:
        numbered[len(numbered) + 1] = replace(_plain(rng), shared_at=g.SHARED + len(numbered) * g.TICK)
    asking = [(_subject(rng), *_way(rng)) for _ in range(SUBJECTS)]
    return World(asking, numbered, rng.choices(list(numbered), k=ITEMS))


def _subject(rng: Random) -> Subject:
    draft = g.Draft(rng, Right.READ)
    draft.subject = rng.choice(
        (
            g.member(rng), g.member(rng), g.member(rng), g.constituent(rng), g.constituent(rng),
            g.staff(rng, Duty.ANALYST), g.staff(rng, Duty.LEGAL) | {"cases": frozenset({g.CASES[0]})},
            {"kind": Kind.PUBLIC},
        )
    )  # fmt: skip
    if "pair" in draft.subject:
        draft.subject["sharing_groups"] = frozenset(rng.sample(g.SHARING, rng.randrange(2)))
    if draft.subject.get("is_constituent"):
        draft.subject["relays"] = rng.choice((frozenset(), frozenset({Tlp.AMBER})))
    if rng.random() < 0.25 and draft.subject["kind"] is Kind.PERSON:
        draft.token = {"rights": frozenset({Right.READ, Right.EXPORT}), "expires_at": _instant(rng)}
    if rng.random() < 0.2:
        rng.choice(OF_SUBJECT)(draft)
    if rng.random() < 0.1:
        t_gap(draft)
    return freeze(draft).subject


def _way(rng: Random) -> tuple[Right, Request]:
    right = rng.choice((Right.READ, Right.READ, Right.EXPORT, Right.READ_SOURCE))
    channel = rng.choice(MACHINES) if right is Right.EXPORT else rng.choice((Channel.PAGE, Channel.LIST, Channel.TAXII))
    return right, Request(channel=channel, stop=rng.random() < 0.05, by_source=rng.random() < 0.05)


def _instant(rng: Random) -> Any:
    return g.AT + rng.choice((-1, 0, 1, 2)) * g.TICK if rng.random() < 0.6 else g.AT + timedelta(days=1)


def _plain(rng: Random) -> Label:
    facts = g.a_label(rng, audience=g.any_audience(rng), name_source=rng.choice(list(NameSource)))
    if facts["audience"].kind is AudienceKind.PERSONS:
        facts["tlp"] = Tlp.RED
    extra: list[dict[str, Any]] = [
        {}, {}, {}, {"not_before": _instant(rng)}, {"upstream": g.any_upstream(rng, _instant(rng))},
        {"state": rng.choice(list(State))}, {"tlp": Tlp.CLEAR, "publication": Publication(_instant(rng))},
        {"cases": frozenset({g.CASES[0]})}, {"relayed_by": frozenset(rng.sample(g.GROUPS, 1))},
    ]  # fmt: skip
    return g.make_label(facts | rng.choice(extra))


def _container(rng: Random, labels: list[Label]) -> Label:
    """A report that binds items of its own source."""
    bound = rng.sample(labels[:14], rng.choice((1, 2, 3)))
    first = bound[0]
    plain = frozenset(replace(label, requires=frozenset()) for label in bound)
    audience = rng.choice((first.audience, Audience.alliance()))
    return replace(first, tlp=max(label.tlp for label in bound), requires=plain, audience=audience)


def _derived(rng: Random, labels: list[Label]) -> Label:
    parents = rng.sample(labels[:14], 2)
    sources = frozenset[Source]().union(*(parent.sources for parent in parents))
    return replace(parents[0], sources=sources, parents=frozenset(parents), tlp=max(parent.tlp for parent in parents))


def _appended(rng: Random, label: Label) -> Label:
    """An entry for a gained reader: relay, late gain, or the source's own under embargo."""
    group = rng.choice(g.GROUPS)
    match rng.randrange(3):
        case 0:
            narrowed = NarrowedTo(NarrowedKind.CONSTITUENTS_OF, group)
            return replace(label, narrowed_to=narrowed, relayed_by=label.relayed_by | {group})
        case 1:
            return replace(label, narrowed_to=NarrowedTo(NarrowedKind.GROUP, group))
        case _:
            return replace(label, narrowed_to=NarrowedTo(NarrowedKind.SOURCE), not_before=_instant(rng))
