"""Faults planted in the product, one at a time: each breaks a property of `life_truths`, and is to be caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from lianfang.accounts.models import Person, Token
from lianfang.charter import actions as charter_actions
from lianfang.kernel.deadlines import Calendar, Deadline
from lianfang.kernel.machine import Machine
from lianfang.members import standing, subjects
from lianfang.members.actions import appealing, ending, lapsing_changes, limits, revoking, screening, terminating
from lianfang.members.lifecycle import APPLICATION, CHANGE, MEMBERSHIP, TERMINATION
from lianfang.members.models import Revocation
from lianfang.notices import actions as notices

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """A mistake of the product, the property that it breaks, the beginnings nearest to it, and how it is planted."""

    name: str
    breaks: str
    near: tuple[str, ...]
    plant: Plant


FAULTS: list[Fault] = []


def fault(breaks: str, *near: str) -> Callable[[Plant], Plant]:
    def keep(plant: Plant) -> Plant:
        FAULTS.append(Fault(plant.__name__, breaks, near, plant))
        return plant

    return keep


def without(patch: pytest.MonkeyPatch, machine: Machine, moves: Iterable[str], *guards: str) -> None:
    """Let moves forget to ask some of their guards."""
    for name in moves:
        move = machine[name]
        kept = tuple(guard for guard in move.guards if guard.__name__ not in guards)
        assert len(kept) < len(move.guards), (name, guards)
        patch.setitem(machine._by_name, name, replace(move, guards=kept))


# Invariant 2

_READS = "invariant_2_who_left_reads_nothing_and_may_still_appeal"
_OUTLIVES = "invariant_2_no_session_and_no_key_outlives_a_membership"


@fault(_OUTLIVES, "proposed", "leaving")
def sessions_go_on_after_the_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "end_sessions", lambda **_: 0)


@fault(_OUTLIVES, "proposed", "leaving")
def keys_are_not_revoked_at_the_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "Token", SimpleNamespace(objects=Token.objects.none()))


@fault(_READS, "proposed", "leaving")
def the_effective_second_still_counts_as_before(patch: pytest.MonkeyPatch) -> None:
    def holds(spell: standing.Spell, at: datetime) -> bool:
        return spell.began_at <= at and (spell.ended_at is None or at <= spell.ended_at)

    patch.setattr(standing.Spell, "holds", holds)


@fault(_READS, "proposed", "leaving")
def access_ends_a_microsecond_early(patch: pytest.MonkeyPatch) -> None:
    def holds(spell: standing.Spell, at: datetime) -> bool:
        return spell.began_at <= at and (spell.ended_at is None or at < spell.ended_at - timedelta(microseconds=1))

    patch.setattr(standing.Spell, "holds", holds)


# Invariant 3

_UNPROVED = "invariant_3_nobody_is_admitted_unproved"


@fault(_UNPROVED, "sent")
def a_hit_does_not_block(patch: pytest.MonkeyPatch) -> None:
    without(patch, APPLICATION, ("recommend_approval", "approve"), "no_hit")


@fault(_UNPROVED, "sent")
def lists_may_be_of_any_age(patch: pytest.MonkeyPatch) -> None:
    without(patch, APPLICATION, ("recommend_approval", "approve"), "screened")


# Invariant 4

_OPENS = "invariant_4_a_row_of_a_roster_opens_only_by_a_check"
_EDITION = "invariant_4_an_edition_opens_cases_and_removes_nobody"


@fault(_OPENS, "appealed")
def a_row_that_waits_for_its_check_has_access(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subjects, "SCREENED", frozenset({"clear", "other_entity", "pending"}))


@fault(_OPENS, "appealed")
def a_restoration_brings_constituents_back_unscreened(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appealing, "_screen_again", lambda case: 0)


@fault(_OPENS, "reviewed", "member")
def a_change_adds_rows_unscreened(patch: pytest.MonkeyPatch) -> None:
    without(patch, CHANGE, ("recommend_applying", "apply"), "no_hit")


@fault(_EDITION, "member", "restored")
def a_new_edition_opens_no_case(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(screening, "_open", lambda *_: 0)


@fault(_EDITION, "member", "restored")
def a_new_edition_takes_no_access_away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(screening, "_place", lambda *_: False)


# Invariant 8

_DUTY = "invariant_8_the_duty_of_confidentiality_never_ends"


@fault(_DUTY, "member", "restored")
def the_duty_begins_with_its_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(charter_actions, "min", max, raising=False)


@fault(_DUTY, "member", "restored")
def who_acknowledges_is_not_kept(patch: pytest.MonkeyPatch) -> None:
    kept: Any = charter_actions.ConfidentialityDuty.objects

    def forgetting(**given: Any) -> tuple[Any, bool]:
        given.pop("defaults")
        return kept.first(), False

    patch.setattr(
        charter_actions, "ConfidentialityDuty", SimpleNamespace(objects=SimpleNamespace(get_or_create=forgetting))
    )


# Invariant 10

_TOLD = "invariant_10_nobody_hears_anything_before_the_privacy_notice"


@fault(_TOLD, "recommended", "member")
def the_first_mail_lacks_the_privacy_notice(patch: pytest.MonkeyPatch) -> None:
    compose = notices.compose
    patch.setattr(notices, "compose", lambda **given: compose(**{**given, "first_contact": False}))


@fault(_TOLD, "recommended", "member")
def nobody_notes_that_somebody_was_told(patch: pytest.MonkeyPatch) -> None:
    save = Person.save

    def forgetting(person: Person, *args: Any, **given: Any) -> None:
        if given.get("update_fields") != ["first_contact_at"]:
            save(person, *args, **given)

    patch.setattr(Person, "save", forgetting)


# Invariant 12

_FOUND_AGAIN = "invariant_12_a_limit_is_found_again_from_what_was_kept_and_never_shrinks"


@fault(_FOUND_AGAIN, "revoked", "proposed")
def a_new_calendar_shortens_what_was_notified(patch: pytest.MonkeyPatch) -> None:
    def any_other(calendar: Calendar, at: datetime) -> list[tuple[Revocation, str, Deadline, Deadline]]:
        found = []
        for case in Revocation.objects.filter(state__in=["under_review", "proposed", "revoked"]):
            decided = case.state == "revoked"
            limit = case.deadline if decided else case.notice
            if limit is not None and not limit.is_late(at):
                again = Deadline.count(event=limit.event, rule=limit.rule, days=limit.days, calendar=calendar)
                found.append((case, case.number if decided else f"{case.number} notice", limit, again))
        return found

    patch.setattr(limits, "_longer", any_other)


@fault("invariant_12_a_day_that_begins_to_rest_lengthens_what_runs", "revoked", "proposed")
def a_new_calendar_lengthens_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(limits, "_longer", lambda calendar, at: [])


@fault(_FOUND_AGAIN, "proposed", "revoked")
def the_days_run_from_the_earlier_of_effect_and_arrival(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appealing, "max", min, raising=False)


@fault(_FOUND_AGAIN, "proposed")
def the_first_day_is_counted(patch: pytest.MonkeyPatch) -> None:
    count = Deadline.count.__func__  # type: ignore[attr-defined]

    def early(cls: type[Deadline], *, event: datetime, **given: Any) -> Deadline:
        found: Deadline = count(cls, event=event - timedelta(days=1), **given)
        return replace(found, event=event)

    for module in (revoking, appealing):
        patch.setattr(module, "Deadline", SimpleNamespace(count=lambda **given: early(Deadline, **given)))


# Invariant 14

_MIDNIGHT = "invariant_14_the_last_second_is_in_time_and_midnight_is_late"


@fault(_MIDNIGHT, "revoked", "proposed")
def midnight_is_still_in_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Deadline, "is_late", lambda limit, at: at > limit.ends_at)


@fault(_MIDNIGHT, "revoked", "proposed")
def the_last_second_is_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Deadline, "is_late", lambda limit, at: at >= limit.ends_at - timedelta(seconds=1))


@fault(_MIDNIGHT, "revoked", "proposed")
def the_last_microsecond_is_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Deadline, "is_late", lambda limit, at: at >= limit.ends_at - timedelta(microseconds=1))


@fault(_MIDNIGHT, "revoked", "proposed")
def days_end_at_midnight_in_greenwich(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Deadline, "is_late", lambda limit, at: at.date() > limit.last_day)


# The races of docs/adr/0024

_LEAVING = "race_a_request_to_leave_waits_for_a_review_and_lapses_with_a_revocation"


@fault(_LEAVING, "leaving", "proposed", "reviewed")
def a_closed_review_forgets_the_request_to_leave(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(revoking, "resume_after_review", lambda **_: None)


@fault(_LEAVING, "leaving", "proposed", "reviewed")
def a_request_to_leave_outlives_a_revocation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "_AT_END", [do for do in ending._AT_END if do is not terminating.lapse_open])


@fault(_LEAVING, "leaving", "proposed", "reviewed")
def a_member_escapes_a_review_by_leaving(patch: pytest.MonkeyPatch) -> None:
    without(patch, TERMINATION, ("grant",), "_no_review_open")
    terminate = MEMBERSHIP["terminate"]
    patch.setitem(
        MEMBERSHIP._by_name, "terminate", replace(terminate, sources=("termination_requested", "revocation_review"))
    )


@fault("race_a_change_that_is_pending_lapses_with_its_membership", "proposed", "reviewed")
def a_pending_change_outlives_its_membership(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "_AT_END", [do for do in ending._AT_END if do is not lapsing_changes.lapse_changes])


@fault("race_nobody_appeals_but_against_a_revocation_that_stands", "left")
def a_member_that_left_appeals_against_what_was_taken_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appealing, "_check_appeal", lambda *_: None)
