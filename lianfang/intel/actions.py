"""What is done to intelligence that is already here: relay, quarantine, recall, embargo, and the stop of disclosure.

Whoever gains, gains by a further line of the log; whoever loses, loses it on every line. Each action is five steps:
lock, check, change, record, queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from lianfang.accounts.doors import refusal
from lianfang.audit.actions import action, record
from lianfang.audit.failpoints import failpoint
from lianfang.audit.tags import Tag
from lianfang.intel import log, telling
from lianfang.intel.models import Binding, Embargo, Recall, Relay, Stop, Version
from lianfang.intel.queries import label_of
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy import store
from lianfang.policy.compare import is_wider
from lianfang.policy.decide import decide
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Label,
    NarrowedKind,
    NarrowedTo,
    Request,
    Right,
    State,
    Subject,
    Tlp,
)

_PAGE = Request(channel=Channel.PAGE)


def _require(by: Subject, right: Right, label: Label | None, at: datetime, request: Request = _PAGE) -> None:
    decision = decide(subject=by, right=right, target=label, at=at, request=request)
    if not decision.allowed:
        raise refusal(right=right, decision=decision)


def _locked(version: Version) -> Version:
    return Version.objects.select_for_update(of=("self",)).select_related("item").get(pk=version.pk)


def _person(by: Subject) -> UUID:
    if by.person is None:
        raise Refusal(Bilingual(zh="這一步要由人來做。", en="A person has to do this."), rule="person")
    return by.person


# -- relay -----------------------------------------------------------------------------------------------------------


@action(Tag.INTEL_ITEM_RELAY)
def relay(*, by: Subject, at: datetime, version: Version, stop: bool = False) -> Relay:
    """Pass one version on to the constituents of the group that `by` administers, by a line narrowed to them.

    Raises Refusal unless the policy gives `by` the right, or when it is relayed already.
    """
    version = _locked(version)
    label = label_of(version)
    _require(by, Right.RELAY_TO_CONSTITUENTS, label, at, replace(_PAGE, stop=stop))
    if by.pair is None:
        raise refusal(
            right=Right.RELAY_TO_CONSTITUENTS,
            decision=decide(subject=by, right=Right.RELAY_TO_CONSTITUENTS, target=label, at=at, request=_PAGE),
        )
    if Relay.objects.filter(version=version, group=by.pair.group, withdrawn_at=None).exists():
        raise Refusal(
            Bilingual(zh="這一則已經轉送。", en="This item is relayed already."), rule="U-relay", clause="TLP"
        )
    made = Relay.objects.create(version=version, group_id=by.pair.group, decided_by_id=_person(by), at=at)
    record(by=by, at=at, about=made, detail={"version": version.pk, "group": str(by.pair.group)})
    narrowed = NarrowedTo(NarrowedKind.CONSTITUENTS_OF, by.pair.group)
    passed_on = replace(label, relayed_by=frozenset({by.pair.group}), narrowed_to=narrowed)
    log.append([log.line(version, passed_on)])
    return made


@action(Tag.INTEL_ITEM_UNRELAY)
def withdraw_relay(*, by: Subject, at: datetime, relay: Relay) -> None:
    """End a relay: the narrowed line stays in the log, and nobody reads it any more."""
    relay = Relay.objects.select_for_update().select_related("version").get(pk=relay.pk)
    version = _locked(relay.version)
    _require(by, Right.RELAY_TO_CONSTITUENTS, label_of(version), at)
    if relay.withdrawn_at is not None or by.pair is None or relay.group_id != by.pair.group:
        raise Refusal(
            Bilingual(zh="沒有可以撤回的轉送。", en="There is no relay to withdraw."), rule="U-relay", clause="TLP"
        )
    relay.withdrawn_at = at
    relay.save(update_fields=["withdrawn_at"])
    group = relay.group_id
    log.relabel(version, lambda label: replace(label, relayed_by=label.relayed_by - {group}))
    record(by=by, at=at, about=relay, detail={"version": version.pk})
    store.bump_policy()


# -- quarantine and label --------------------------------------------------------------------------------------------


@action(Tag.INTEL_ITEM_RELEASE)
def release_from_quarantine(
    *, by: Subject, at: datetime, version: Version, tlp: Tlp | None = None, audience: Audience | None = None
) -> None:
    """Publish a quarantined version: an analyst validates it as it is labelled, or its submitter sets the label.

    Readers get a further line; the first one stays with those who had it. Raises Refusal when it is not quarantined,
    and where the policy denies.
    """
    version = _locked(version)
    label = label_of(version)
    if label.state is not State.QUARANTINED:
        raise Refusal(
            Bilingual(zh="這一則不在隔離區。", en="This item is not in quarantine."), rule="F-quarantine", clause="3.1"
        )
    new = _relabelled(
        label, tlp if tlp is not None else label.tlp, audience if audience is not None else label.audience
    )
    if new == label:
        _require(by, Right.VALIDATE, label, at)
    else:
        _require(by, Right.RELABEL, label, at, replace(_PAGE, becomes=new))
    published = replace(new, state=State.PUBLISHED)
    if published.not_before is not None and published.not_before <= at:
        published = replace(published, not_before=None)
    version.label_id = store.intern(published)
    version.save(update_fields=["label"])
    record(by=by, at=at, about=version, detail={"tlp": published.tlp.label, "from": label.tlp.label})
    log.leave_collections(version, but=published.tlp)
    shown = published
    if published.not_before is not None:
        shown = replace(published, narrowed_to=NarrowedTo(NarrowedKind.SOURCE))
    log.append([log.line(version, shown), *_opened_containers(version, at)])
    store.bump_policy()


def _opened_containers(version: Version, at: datetime) -> Sequence[log.Line]:
    """Ask anew what the containers of this version require; whoever gains one gets a further line of it."""
    lines: list[log.Line] = []
    for container in _containers([version.pk]):
        label = label_of(container)
        new = log.with_requires(label, log.required_labels(container))
        if new == label:
            continue
        container.label_id = store.intern(new)
        container.save(update_fields=["label"])
        if _is_open(new, at):
            lines.append(log.line(container, new))
    return lines


def _containers(versions: Sequence[int]) -> Iterator[Version]:
    """Yield every version that requires one of these, however far, nearest first."""
    done = set(versions)
    pending = list(versions)
    while pending:
        bindings = Binding.objects.filter(bound__in=pending).select_related("container__item").order_by("container_id")
        found = {binding.container_id: binding.container for binding in bindings if binding.container_id not in done}
        done.update(found)
        pending = list(found)
        yield from found.values()


def _is_open(label: Label, at: datetime) -> bool:
    """Whether nothing of its own holds it back: quarantine and recall end by their own acts, an embargo by its own."""
    return label.state is State.PUBLISHED and (label.not_before is None or label.not_before <= at)


@action(Tag.INTEL_ITEM_RELABEL)
def tighten(*, by: Subject, at: datetime, version: Version, tlp: Tlp, audience: Audience | None = None) -> None:
    """Put a version under a stricter label, at once and on every line of the log; relays above AMBER end with it.

    Raises Refusal for a label that somebody would gain by, and where the policy denies.
    """
    version = _locked(version)
    label = label_of(version)
    new = tightened(label, tlp=tlp, audience=audience)
    if new == label:
        raise Refusal(
            Bilingual(zh="標示和對象都沒有變。", en="Neither label nor audience has changed."),
            rule="G-relabel",
            clause="2.1",
            field="tlp",
        )
    if is_wider(old=label, new=new):
        raise Refusal(
            Bilingual(
                zh="這裡只能改得更嚴；改得更寬要每一個來源同意。",
                en="Only a stricter label can be set here; a wider one needs each source.",
            ),
            rule="G-relabel",
            clause="2.1",
            field="tlp",
        )
    _require(by, Right.RELABEL, label, at, replace(_PAGE, becomes=new))
    log.relabel(version, lambda each: _relabelled(each, new.tlp, new.audience))
    if new.tlp > Tlp.AMBER:
        Relay.objects.filter(version=version, withdrawn_at=None).update(withdrawn_at=at)
    record(by=by, at=at, about=version, detail={"tlp": new.tlp.label, "from": label.tlp.label})
    telling.of_tightening(version=version, by=by, at=at)
    store.bump_policy()


def tightened(label: Label, *, tlp: Tlp, audience: Audience | None = None) -> Label:
    """Return the label that `tighten` would give. Raises Refusal for parts that do not go together."""
    return _relabelled(label, tlp, audience if audience is not None else label.audience)


def _relabelled(label: Label, tlp: Tlp, audience: Audience) -> Label:
    named = audience.kind is AudienceKind.PERSONS
    if named and tlp is not Tlp.RED:
        raise Refusal(
            Bilingual(zh="指名的人只能搭配TLP:RED。", en="Named persons go with TLP:RED alone."),
            rule="label-named-red",
            clause="TLP",
            field="audience",
        )
    if tlp is Tlp.RED and not named:
        audience = Audience.persons()
    return label.relabelled(tlp=tlp, audience=audience)


# -- recall ----------------------------------------------------------------------------------------------------------


@action(Tag.INTEL_ITEM_RECALL)
def recall(*, by: Subject, at: datetime, version: Version, reason: str, request: Request = _PAGE) -> Recall:
    """Take a version out of every channel at once. Those who received it find a notice in its place, without content.

    `request` says how it is asked for, where a key is limited to networks or collections.

    Raises Refusal without a reason, when it is recalled already, and where the policy denies.
    """
    version = _locked(version)
    label = label_of(version)
    _require(by, Right.RECALL, label, at, request)
    if label.state is State.RECALLED:
        raise Refusal(
            Bilingual(zh="這一則已經召回。", en="This item is recalled already."), rule="F-recalled", clause="2.3"
        )
    if not reason.strip():
        raise Refusal(
            Bilingual(zh="請寫下召回的理由。", en="State the reason for the recall."),
            rule="D-recall",
            clause="2.3",
            field="reason",
        )
    made = Recall.objects.create(version=version, reason=reason.strip(), recalled_by_id=_person(by), at=at)
    log.relabel(version, lambda each: replace(each, state=State.RECALLED))
    record(by=by, at=at, about=made, detail={"version": version.pk}, text=reason.strip())
    store.bump_policy()
    return made


# -- embargo ---------------------------------------------------------------------------------------------------------


def open_due_embargoes(*, at: datetime) -> int:
    """Append the open lines of every submission whose embargo has ended; return how many submissions that were."""
    due = list(Embargo.objects.filter(not_before__lte=at, opened_at=None).order_by("not_before"))
    return sum(_open(embargo=embargo, at=at) for embargo in due)


@action(Tag.INTEL_EMBARGO_OPEN)
def _open(*, embargo: Embargo, at: datetime) -> bool:
    by = Subject.system("intel.open_embargoes")
    locked = Embargo.objects.select_for_update().get(pk=embargo.pk)
    opened = locked.opened_at is None
    if opened:
        locked.opened_at = at
        locked.save(update_fields=["opened_at"])
    own, others = _due(locked) if opened else ([], [])
    record(by=by, at=at, about=("intel.embargo", str(locked.pk)), detail={"lines": len(own) + len(others)})
    log.narrow_to_source(others)
    log.append([
        log.Line(version.pk, version.label_id, version.item.type, version.item.stix_id) for version in (*own, *others)
    ])  # fmt: skip
    if others:
        store.bump_policy()
    failpoint("intel.embargo.before-commit")
    return opened


def _due(embargo: Embargo) -> tuple[list[Version], list[Version]]:
    """Return the versions that the embargo held back, and those of other submissions that require one of them."""
    versions = Version.objects.filter(submission_id=embargo.pk).select_related("item").order_by("id")
    known = store.labels({version.label_id for version in versions})
    # A quarantined or recalled version waits for its own act.
    own = [version for version in versions if known[version.label_id].state is State.PUBLISHED]
    # What came without an embargo of its own, but requires one of these, is seen from now on too.
    others = [
        container
        for container in _containers([version.pk for version in own])
        if container.submission_id != embargo.pk and _is_open(label_of(container), embargo.not_before)
    ]
    return own, others


# -- the stop of disclosure ------------------------------------------------------------------------------------------


@action(Tag.INTEL_STOP_START)
def start_stop(*, by: Subject, at: datetime, reason: str, drill: bool = False) -> Stop:
    """Stop all disclosure above CLEAR at once. A second person confirms within the hour, or an alarm goes out."""
    _require(by, Right.START_STOP, None, at)
    if not reason.strip():
        raise Refusal(Bilingual(zh="請寫下理由。", en="State the reason."), rule="F-stop", clause="2.3", field="reason")
    # A drill never stands in the way of a real stop.
    if Stop.objects.select_for_update().filter(ended_at=None).filter(Q(drill=False) | Q(drill=drill)).exists():
        raise Refusal(
            Bilingual(zh="停止揭露已經啟動。", en="The stop of disclosure is on already."), rule="F-stop", clause="2.3"
        )
    stop = Stop.objects.create(reason=reason.strip(), drill=drill, started_by_id=_person(by), started_at=at)
    record(by=by, at=at, about=stop, detail={"drill": drill}, text=stop.reason)
    store.bump_policy()
    return stop


@action(Tag.INTEL_STOP_CONFIRM)
def confirm_stop(*, by: Subject, at: datetime, stop: Stop) -> None:
    """Confirm a stop as a second person."""
    stop = Stop.objects.select_for_update().get(pk=stop.pk)
    _require(by, Right.START_STOP, None, at)
    _other_than(stop.started_by_id, by)
    if stop.ended_at is not None or stop.confirmed_at is not None:
        raise Refusal(
            Bilingual(zh="沒有等待確認的停止。", en="No stop waits for confirmation."), rule="F-stop", clause="2.3"
        )
    stop.confirmed_by_id, stop.confirmed_at = _person(by), at
    stop.save(update_fields=["confirmed_by", "confirmed_at"])
    record(by=by, at=at, about=stop)


@action(Tag.INTEL_STOP_ASK)
def ask_to_end_stop(*, by: Subject, at: datetime, stop: Stop) -> None:
    """Ask, as the first of two, to end the stop."""
    stop = Stop.objects.select_for_update().get(pk=stop.pk)
    _require(by, Right.END_STOP, None, at)
    if stop.ended_at is not None or stop.end_asked_at is not None:
        raise Refusal(
            Bilingual(zh="已有人提議，或已結束。", en="Somebody asked already, or it has ended."),
            rule="F-stop",
            clause="2.3",
        )
    stop.end_asked_by_id, stop.end_asked_at = _person(by), at
    stop.save(update_fields=["end_asked_by", "end_asked_at"])
    record(by=by, at=at, about=stop)


@action(Tag.INTEL_STOP_END)
def end_stop(*, by: Subject, at: datetime, stop: Stop) -> None:
    """End the stop as the second of two."""
    stop = Stop.objects.select_for_update().get(pk=stop.pk)
    _require(by, Right.END_STOP, None, at)
    if stop.ended_at is not None or stop.end_asked_by_id is None:
        raise Refusal(
            Bilingual(zh="還沒有人提議結束。", en="Nobody has asked to end it yet."), rule="F-stop", clause="2.3"
        )
    _other_than(stop.end_asked_by_id, by)
    stop.ended_by_id, stop.ended_at = _person(by), at
    stop.save(update_fields=["ended_by", "ended_at"])
    record(by=by, at=at, about=stop)
    store.bump_policy()


@action(Tag.INTEL_STOP_ALARM)
def alarm_unconfirmed(*, stop: Stop, at: datetime) -> None:
    """Mark a stop that nobody confirmed in time and write to the staff; the bar on every page says so."""
    by = Subject.system("intel.stop")
    stop = Stop.objects.select_for_update().get(pk=stop.pk)
    if stop.confirmed_at is None and stop.alarmed_at is None:
        stop.alarmed_at = at
        stop.save(update_fields=["alarmed_at"])
        telling.of_unconfirmed_stop(stop=stop, by=by, at=at)
    record(by=by, at=at, about=stop)


def _other_than(first: UUID, by: Subject) -> None:
    if by.person == first:
        raise Refusal(
            Bilingual(zh="要由另一個人來做（四眼原則）。", en="Another person has to do this (four eyes)."),
            rule="four-eyes",
            clause="2.3",
        )


__all__ = [
    "alarm_unconfirmed",
    "ask_to_end_stop",
    "confirm_stop",
    "end_stop",
    "open_due_embargoes",
    "recall",
    "relay",
    "release_from_quarantine",
    "start_stop",
    "tighten",
    "tightened",
    "withdraw_relay",
]
