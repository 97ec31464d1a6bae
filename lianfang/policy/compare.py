"""Whether one label is wider than another: whether anybody could read more, at any instant."""

from __future__ import annotations

from datetime import datetime

from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Label,
    NameSource,
    NarrowedKind,
    Publication,
    State,
    Tlp,
    Upstream,
    UpstreamKind,
)


def is_wider(*, old: Label, new: Label) -> bool:
    """Whether some subject may gain by the new label at some instant.

    Compared part by part, so the answer is on the safe side: where nobody gains only because two parts happen to
    balance each other, it is still called wider and needs each source (charter 2.1, 2.2).
    """
    return not (
        new.tlp >= old.tlp
        and (old.sources, old.owner, old.submitted_by, old.shared_at)
        == (new.sources, new.owner, new.submitted_by, new.shared_at)
        and _audience_within(old, new)
        and _narrowing_within(old, new)
        and old.requires <= new.requires
        and old.parents <= new.parents
        and (bool(old.parents) or not new.parents)
        and _upstream_within(old.upstream, new.upstream)
        and new.named_analysts <= old.named_analysts
        and _not_before_within(old.not_before, new.not_before)
        and (new.state is old.state or old.state is State.PUBLISHED)
        and _publication_within(old.publication, new.publication)
        and (new.name_source is old.name_source or new.name_source is NameSource.COORDINATOR)
        and new.relayed_by <= old.relayed_by
        and new.once_above_amber >= old.once_above_amber
        and new.cases <= old.cases
    )


def _audience_within(old: Label, new: Label) -> bool:
    before, after = old.audience, new.audience
    if after.kind is AudienceKind.PERSONS and after.members:
        # Named persons count in RED alone, so those of any other label are not readers who could be kept.
        return old.tlp is Tlp.RED and after.members <= before.members
    return _groups_within(before, after)


def _groups_within(before: Audience, after: Audience) -> bool:
    if after.kind is AudienceKind.COORDINATOR_ONLY or after.kind is AudienceKind.PERSONS:
        return True
    if before.kind is AudienceKind.ALLIANCE:
        return True
    return before.kind is after.kind and after.members <= before.members


def _narrowing_within(old: Label, new: Label) -> bool:
    if new.narrowed_to == old.narrowed_to:
        return True
    # Narrowing to a group is how a withheld item is released to it, so it can add readers.
    return old.narrowed_to.kind is NarrowedKind.NONE and new.narrowed_to.kind is not NarrowedKind.GROUP


def _upstream_within(old: Upstream, new: Upstream) -> bool:
    if old.kind is UpstreamKind.NONE:
        return True
    if old.kind is UpstreamKind.HOLD:
        return new.kind is UpstreamKind.HOLD
    if new.kind is UpstreamKind.HOLD:
        return True
    return (
        new.kind is UpstreamKind.PERMITTED
        and new.groups <= old.groups
        and new.sharing_groups <= old.sharing_groups
        and _ends_no_later(old.until, new.until)
    )


def _ends_no_later(old: datetime | None, new: datetime | None) -> bool:
    return old is None or (new is not None and new <= old)


def _not_before_within(old: datetime | None, new: datetime | None) -> bool:
    return old is None or (new is not None and new >= old)


def _publication_within(old: Publication | None, new: Publication | None) -> bool:
    if new is None:
        return True
    return old is not None and new.start >= old.start and _ends_no_later(old.until, new.until)
