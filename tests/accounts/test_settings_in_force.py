"""Every setting: what it means, what it may be, who changes it, and from which microsecond it is read."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from lianfang.accounts import actions, registry
from lianfang.accounts.models import SettingDecision
from lianfang.audit.models import Entry
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Tlp
from tests.accounts.cast import Few
from tests.accounts.test_pages import browser

ROOT = Path(registry.__file__).resolve().parents[1]
NAMES = sorted(registry.SETTINGS)
TICK = timedelta(microseconds=1)
AROUND = (-TICK, 0 * TICK, TICK)

# Another value for each, written by hand as an approver would type it.
OTHER: dict[str, str] = {
    "acknowledge_again_after_amendment": "yes", "appeal_days": "45", "appeal_start": "effect",
    "appeal_for_all_grounds": "no", "audience_floor": "8", "automatic_relay": "CLEAR",
    "collecting_entity": "示範基金會\nExample Foundation", "default_tlp": "RED", "draft_days": "60",
    "encrypted_mail": "yes", "former_may_recall": "no", "gap_between_memberships": "no", "invitation_days": "3",
    "monthly_audience_figure": "120", "new_member_sees_earlier": "no", "recipients": "主管機關\nThe authority",
    "screening_list_max_age_days": "30", "staff_tokens": "yes", "stop_confirm_minutes": "30", "token_max_days": "90",
    "token_warning_days": "30, 7", "change_confirm_days": "20", "contact_answer_days": "20",
    "contact_check_days": "90", "company_alone": "no", "eligible_associations": "occupational",
    "eligible_kinds": "twse", "hearing_days": "10", "rereview_days": "20", "revocation_hearing": "no",
    "provider_factor": "yes", "recovery_wait_days": "9", "rescreen_days": "10", "screening_unrelated_hits": "6",
    "inbound_case_day": "5", "inbound_rejected_days": "10",
    "participation_absences": "5", "participation_least": "2", "participation_months": "6",
}  # fmt: skip
CHANGED = sorted(name for name in NAMES if registry.setting(name).read)
# Values at which nothing may be set, besides those that no type takes.
BAD: dict[str, list[str]] = {
    "appeal_days": ["29", "0", "366"], "default_tlp": ["CLEAR", "amber", "PURPLE"], "automatic_relay": ["AMBER", "RED"],
    "invitation_days": ["0", "31"], "audience_floor": ["1", "101"], "token_max_days": ["0", "731"],
    "token_warning_days": ["0", "91", ""], "stop_confirm_minutes": ["4", "241"], "encrypted_mail": ["maybe", "1"],
    "appeal_start": ["delivery"], "draft_days": ["6"], "collecting_entity": ["只有中文", "\nonly English", ""],
}  # fmt: skip


# What stands in the registry


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_says_what_it_means_in_both_languages_and_where_it_comes_from(name: str) -> None:
    known = registry.setting(name)
    assert re.search(r"[\u4e00-\u9fff]", known.meaning.zh)
    assert not re.search(r"[\u4e00-\u9fff]", known.meaning.en)
    assert len(known.meaning.en) > 10
    assert re.fullmatch(r"\d(\.\d(-\d(\.\d)?)?)?|TLP 2\.0", known.clause), known.clause
    assert known.type.hint.zh
    assert known.type.hint.en
    for said in (known.type.say(known.default), known.type.say(known.parse(OTHER.get(name, "withheld")))):
        assert said.zh
        assert said.en


def test_every_setting_has_another_value_and_every_name_is_ordered_and_known() -> None:
    assert set(NAMES) - set(OTHER) == {"gap_release"}, "of which there is one value only"
    for name, typed in OTHER.items():
        known = registry.setting(name)
        assert not registry.same(known.parse(typed), known.default), name


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_can_be_changed_is_read_by_the_code_that_it_governs(name: str) -> None:
    own = Path(registry.__file__)
    readers = [path for path in ROOT.rglob("*.py") if path != own and f'"{name}"' in path.read_text(encoding="utf-8")]
    assert bool(readers) is registry.setting(name).read


@pytest.mark.django_db
def test_a_setting_that_nothing_reads_yet_is_not_changed_and_says_so(cast: Few) -> None:
    waiting = [name for name in NAMES if not registry.setting(name).read]
    client = browser(cast.staff["approver"])
    for name in waiting:
        at = cast.clock.tick()
        with pytest.raises(Refusal) as refused:
            actions.propose_setting(
                name=name, value=registry.setting(name).parse(OTHER.get(name, "withheld")), effective_at=at,
                reason="檢討", by=cast.staff["approver"].subject(), at=at,
            )  # fmt: skip
        assert (refused.value.rule, refused.value.field) == ("setting-read", "value")
        typed = {"value": OTHER.get(name, "withheld"), "reason": "檢討", "effective_at": ""}
        answer = client.post(reverse("setting", args=[name]), typed)
        assert answer.status_code == 422
        assert "還不能變更" in answer.content.decode()
    assert not SettingDecision.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_can_be_typed_again(name: str) -> None:
    known = registry.setting(name)
    for value in (known.default, known.parse(OTHER.get(name, "withheld"))):
        assert registry.same(known.parse(known.type.show(value)), value)
        assert registry.same(known.parse(f"  {known.type.show(value)}\n"), value)
        assert registry.same(known.checked(value), value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, [], {}, {"zh": "x"}, object(), -1, "no such value", [[]]])
def test_no_value_of_another_kind_gets_in(name: str, value: Any) -> None:
    known = registry.setting(name)
    try:
        taken = known.checked(value)
    except Refusal as refusal:
        assert (refusal.rule, refusal.field) == ("setting-value", "value")  # noqa: PT017 - nearly all are refused
    else:
        assert registry.same(known.parse(known.type.show(taken)), taken), "an empty list may be a value"


@pytest.mark.parametrize(("name", "typed"), [(name, typed) for name, bad in BAD.items() for typed in bad])
def test_a_value_outside_its_bounds_is_told_with_the_bounds(name: str, typed: str) -> None:
    known = registry.setting(name)
    with pytest.raises(Refusal) as refused:
        known.parse(typed)
    assert refused.value.reason == known.type.hint


@pytest.mark.parametrize("typed", ["7.5", "seven", "七", "", "1e2", "0x7", "--7", "7 days", "9" * 5000, "\x00"])
def test_what_is_no_number_is_no_number(typed: str) -> None:
    with pytest.raises(Refusal):
        registry.setting("invitation_days").parse(typed)


# Changing


def decide(cast: Few, name: str, *, hours: int = 1, proposer: str = "approver", typed: str = "") -> SettingDecision:
    """Propose the other value of a setting and have it approved, to take effect later."""
    at = cast.clock.tick()
    proposal = actions.propose_setting(
        name=name, value=registry.setting(name).parse(typed or OTHER[name]), effective_at=at + timedelta(hours=hours),
        reason="檢討", by=cast.staff[proposer].subject(), at=at,
    )  # fmt: skip
    second = "approver2" if proposer == "approver" else "approver"
    actions.approve_setting(proposal=proposal, by=cast.staff[second].subject(), at=cast.clock.tick())
    proposal.refresh_from_db()
    return proposal


@pytest.mark.django_db
def test_every_setting_is_what_it_was_until_its_instant_and_what_was_decided_from_it(cast: Few) -> None:
    for name in CHANGED:
        known, decision = registry.setting(name), decide(cast, name)
        wanted = [known.default, known.parse(OTHER[name]), known.parse(OTHER[name])]
        for step, value in zip(AROUND, wanted, strict=True):
            assert registry.same(registry.value(name, decision.effective_at + step), value), name
        assert registry.same(registry.value(name, cast.clock.at - timedelta(days=400)), known.default)


@pytest.mark.django_db
def test_the_policy_reads_its_settings_at_the_same_instants(cast: Few) -> None:
    read = {
        "staff_tokens": lambda terms: terms.staff_tokens, "encrypted_mail": lambda terms: terms.encrypted_mail,
        "former_may_recall": lambda terms: terms.former_may_recall,
        "automatic_relay": lambda terms: sorted(tlp.label for tlp in terms.automatic_relay),
    }  # fmt: skip
    for name, of in read.items():
        decision = decide(cast, name)
        before, at, after = (of(cast.admin.subject(decision.effective_at + step).terms) for step in AROUND)
        assert before != at == after, name
    assert cast.admin.subject(cast.clock.at + timedelta(hours=2)).terms.automatic_relay == {Tlp.CLEAR}


@pytest.mark.django_db
def test_later_decisions_prevail_from_their_instants_and_history_stays(cast: Few) -> None:
    first = decide(cast, "invitation_days", hours=2, typed="3")
    second = decide(cast, "invitation_days", hours=5, typed="9")
    third = decide(cast, "invitation_days", hours=3, typed="5")
    told = [
        registry.value("invitation_days", instant + step)
        for instant in (first.effective_at, third.effective_at, second.effective_at)
        for step in (-TICK, 0 * TICK)
    ]
    assert told == [7, 3, 3, 5, 5, 9]
    history = browser(cast.staff["approver"]).get(reverse("setting", args=["invitation_days"])).context["history"]
    assert [said.en for _, said in history] == ["5", "9", "3"]


@pytest.mark.django_db
def test_of_two_for_one_instant_the_later_decision_counts(cast: Few) -> None:
    at = cast.clock.tick()
    effective = at + timedelta(days=1)
    for value in (3, 9):
        proposal = actions.propose_setting(
            name="invitation_days", value=value, effective_at=effective, reason="x",
            by=cast.staff["approver"].subject(), at=cast.clock.tick(),
        )  # fmt: skip
        actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    assert registry.value("invitation_days", effective) == 9


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["reviewer", "operator", "granter1", "publisher", "admin"])
def test_only_approvers_propose_and_approve(cast: Few, who: str) -> None:
    actor = cast.staff.get(who) or cast.admin
    at = cast.clock.tick()
    facts = {"name": "invitation_days", "value": 3, "effective_at": at, "reason": "x"}
    with pytest.raises(Refusal) as refused:
        actions.propose_setting(**facts, by=actor.subject(), at=at)
    assert refused.value.rule == "G-change_setting"
    proposal = actions.propose_setting(**facts, by=cast.staff["approver"].subject(), at=at)
    for deed in (actions.approve_setting, actions.decline_setting):
        with pytest.raises(Refusal) as refused:
            deed(proposal=proposal, by=actor.subject(), at=cast.clock.tick())
        assert refused.value.rule == "G-change_setting"
    assert registry.value("invitation_days", cast.clock.at) == 7


@pytest.mark.django_db
def test_one_proposal_waits_at_a_time_and_one_decision_is_made_of_it(cast: Few) -> None:
    at = cast.clock.tick()
    facts = {"name": "invitation_days", "effective_at": at + timedelta(hours=1), "reason": "x"}
    first, second = cast.staff["approver"], cast.staff["approver2"]
    proposal = actions.propose_setting(**facts, value=3, by=first.subject(), at=at)
    with pytest.raises(Refusal) as refused:
        actions.propose_setting(**facts, value=4, by=second.subject(), at=at)
    assert refused.value.rule == "setting-open"
    actions.decline_setting(proposal=proposal, by=first.subject(), at=cast.clock.tick())
    for deed in (actions.approve_setting, actions.decline_setting):
        with pytest.raises(Refusal):
            deed(proposal=proposal, by=second.subject(), at=cast.clock.tick())
    assert registry.value("invitation_days", at + timedelta(hours=2)) == 7
    again = actions.propose_setting(**facts, value=4, by=second.subject(), at=cast.clock.tick())
    with pytest.raises(Refusal):
        actions.approve_setting(proposal=again, by=second.subject(), at=cast.clock.tick())
    actions.approve_setting(proposal=again, by=first.subject(), at=cast.clock.tick())
    assert registry.value("invitation_days", at + timedelta(hours=2)) == 4
    tags = Entry.objects.filter(tag__startswith="accounts:setting:").order_by("pk").values_list("tag", flat=True)
    assert [tag.rsplit(":", 1)[1] for tag in tags] == ["propose", "decline", "propose", "approve"]


@pytest.mark.django_db
def test_the_page_shows_every_setting_with_its_meaning_its_clause_and_what_it_is_now(cast: Few) -> None:
    for language in ("zh-hant", "en"):
        page = browser(cast.staff["approver"], language=language).get(reverse("settings"))
        text = page.content.decode()
        assert [row["setting"].name for row in page.context["rows"]] == list(registry.SETTINGS)
        for known in registry.SETTINGS.values():
            assert known.meaning.in_language(language).replace("'", "&#x27;")[:20] in text, known.name
    decide(cast, "invitation_days", hours=0)
    changed = {row["setting"].name: row for row in page.context["rows"]}["invitation_days"]
    assert changed["default"].en == "7"


@pytest.mark.django_db
def test_a_proposal_says_beside_each_other_what_is_and_what_would_be(cast: Few) -> None:
    at = cast.clock.tick()
    proposal = actions.propose_setting(
        name="encrypted_mail", value=True, effective_at=at, reason="<b>重要</b>",
        by=cast.staff["approver"].subject(), at=at,
    )  # fmt: skip
    page = browser(cast.staff["approver2"]).get(reverse("decide_setting", args=[proposal.pk]))
    assert (page.context["value"], page.context["proposed"]) == ("no", "yes")
    assert "<b>重要</b>" not in page.content.decode()
    own = browser(cast.staff["approver"]).get(reverse("decide_setting", args=[proposal.pk]))
    assert own.context["mine"]
    actions.approve_setting(proposal=proposal, by=cast.staff["approver2"].subject(), at=cast.clock.tick())
    assert browser(cast.staff["approver2"]).get(reverse("decide_setting", args=[proposal.pk])).status_code == 404
