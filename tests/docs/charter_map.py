"""Each clause of the charter with what it demands, the rule that holds it, and the test that fails without it.

    python -m tests.docs.charter_map > docs/charter-map.md

What a clause demands is said in our own words. A clause that nothing holds yet names the app it will live in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Clause:
    """One clause: rules are ids of the policy or moves `MACHINE.move`; tests are `file::name` below tests/."""

    number: str
    demand: str
    rules: tuple[str, ...] = ()
    held_by: str = ""
    tests: tuple[str, ...] = ()
    not_yet: str = ""


CLAUSES = (
    Clause(
        "1.1",
        "Listed companies and civil associations may join.",
        held_by="the application's procedure asks for kind and proof and refuses emerging-board companies; code and "
        "number are compared with dated editions of the boards' lists; one that a new edition no longer has is a case, "
        "never a loss by itself; where the charter is unclear, settings",
        tests=(
            "members/test_story.py::test_from_the_first_page_to_the_exit",
            "members/test_lists.py::test_a_board_decides_by_code_and_number_whether_a_company_is_eligible",
            "members/test_lists.py::test_a_company_that_a_board_no_longer_has_opens_a_case_and_keeps_its_membership",
        ),
    ),
    Clause(
        "1.2",
        "A member is willing to take part and helps its constituents.",
        held_by="declared with the application; nothing is pre-ticked; a record of participation, fact by fact with "
        "its evidence, in which nothing recorded is never zero",
        tests=(
            "members/test_story.py::test_from_the_first_page_to_the_exit",
            "members/test_participation.py::test_nothing_recorded_is_never_judged",
            "members/test_participation.py::test_a_fact_needs_evidence_a_day_of_membership_and_a_reviewer",
        ),
    ),
    Clause(
        "1.3",
        "Applying accepts the charter and attests that no constituent is mainland capital; approval makes the member.",
        rules=("G-apply", "G-take_up", "G-review", "G-approve", "S-review", "F-constituent", "APPLICATION.approve"),
        held_by="attestation bound to charter version and roster; every row compared with the newest edition of the "
        "published list, after each change and on schedule; declared holdings judged layer by layer; approval itself "
        "begins the membership",
        tests=(
            "members/test_story.py::test_from_the_first_page_to_the_exit",
            "story/test_story.py::test_02_one_reviews_and_another_approves",
            "members/test_screening.py::test_every_disguise_of_every_kind_is_found",
            "members/test_lists.py::test_an_application_is_compared_with_the_applicant_and_a_hit_stands_in_its_way",
            "members/test_lists.py::test_a_new_edition_compares_members_in_force_opens_cases_and_removes_nobody",
            "members/test_holdings.py::test_the_answer_is_that_of_a_solver_that_tries_all",
        ),
    ),
    Clause(
        "1.4",
        "The alliance may revoke after review; an appeal within 30 days is reviewed again and may restore.",
        rules=("F-standing", "F-gap", "G-revoke", "G-decide_appeal", "S-appeal", "REVOCATION.revoke", "APPEAL.grant"),
        held_by="two people; effect at the instant of the decision; the last day of appeal is counted by the Civil "
        "Code with its calendar edition; facts of participation list a member and open nothing by themselves",
        tests=(
            "kernel/test_deadlines.py::*",
            "members/test_participation.py::test_a_threshold_lists_a_member_and_changes_nothing",
            "members/test_participation.py::test_a_review_is_opened_by_hand_with_the_record_as_it_stood",
            "story/test_story.py::test_06_a_revocation_bites_the_next_request",
            "story/test_story.py::test_07_the_former_member_appeals",
            "members/test_hearing.py::*",
            "members/test_histories.py::test_three_hundred_histories",
            "browser/test_life_play.py::test_a_membership_is_lived_through",
        ),
    ),
    Clause(
        "2.1",
        "Sharing respects earlier agreements and is never for profit.",
        rules=("F-upstream", "U-purpose", "P-own", "P-alliance", "G-submit"),
        held_by="asked at every submission without a default; `hold` reaches nobody",
        tests=("policy/test_rules.py::test_deny", "story/test_story.py::test_04_it_shares_for_one_member"),
    ),
    Clause(
        "2.2",
        "Use for research and warning; disclosure needs the source's consent and attribution; the coordinator "
        "may tell the authority.",
        rules=(
            "F-embargo",
            "F-container",
            "P-analyst",
            "U-export",
            "D-consent",
            "D-publish",
            "D-authority",
            "D-derived",
            "D-ledger",
        ),
        held_by="sources stay unnamed unless they choose otherwise; every delivery has a receipt; everything that "
        "goes outside is refused until its procedure exists",
        tests=(
            "intel/test_intake.py::test_a_source_that_stays_unnamed",
            "intel/test_intake.py::test_a_container_is_at_least_as_strict_as_what_it_binds",
            "policy/test_rules.py::test_deny",
        ),
        not_yet="consent, attribution, releases and the ledger of disclosures: `disclosure`",
    ),
    Clause(
        "2.3",
        "Care of a good administrator; a breach may end the membership.",
        rules=("F-mfa", "F-token", "F-recalled", "F-stop", "G-recall", "G-start_stop", "G-end_stop", "S-second"),
        held_by="second factor, keys with caveats, recall, stop of disclosure, receipts",
        tests=(
            "accounts/test_tokens.py::test_the_instant_of_expiry",
            "policy/test_properties.py::test_a_token_never_exceeds_its_person",
        ),
        not_yet="cases of breach: `disclosure`",
    ),
    Clause(
        "2.4",
        "A member reports changes of its data.",
        rules=("G-file_change", "G-manage_people"),
        held_by="one change request at a time, checked by its class; the former data are kept; rosters by import",
        tests=(
            "members/test_changes.py::test_an_address_is_applied_by_one_reviewer_and_the_former_stays",
            "members/test_changes.py::test_one_at_a_time_and_the_database_holds_it",
            "members/test_roster_changes.py::test_a_row_is_screened_before_its_people_get_access",
            "accounts/test_people.py::test_leaving_ends_everything_but_the_duty",
        ),
    ),
    Clause(
        "2.5",
        "A member that cannot perform applies for termination, which is reviewed.",
        rules=("F-standing", "MEMBERSHIP.request_termination", "MEMBERSHIP.terminate"),
        held_by="asked for on a page, reviewed by one and decided by another; access ends at the decision, the duty of "
        "confidentiality does not; ends that cross have rules (ADR 0024)",
        tests=(
            "policy/test_rules.py::test_deny",
            "members/test_terminating.py::*",
            "members/test_histories.py::test_three_hundred_histories",
            "browser/test_life_play.py::test_a_membership_is_lived_through",
        ),
    ),
    Clause(
        "3.1",
        "Everything learnt is confidential, marked or not, for everybody who learns it.",
        rules=("F-duty", "F-left", "F-quarantine"),
        held_by="unmarked input is AMBER+STRICT for the coordinator; nobody reads before acknowledging",
        tests=(
            "intel/test_intake.py::test_no_label_anywhere_goes_to_the_coordinator",
            "charter/test_charter.py::test_the_duty_is_acknowledged_once_a_version_and_for_oneself",
        ),
        not_yet="register of attendance: `disclosure`",
    ),
    Clause(
        "3.2",
        "Investigators of a closed list may be told within express law.",
        rules=("D-enforcement", "G-release_to_law_enforcement"),
        held_by="refused until its procedure exists",
        tests=("policy/test_rules.py::test_deny",),
        not_yet="releases by law: `disclosure`",
    ),
    Clause(
        "3.3",
        "The duty begins with membership and never ends; a waiver names its data.",
        rules=("F-left", "D-former"),
        held_by="the row of the duty has no end and cannot be changed or deleted",
        tests=(
            "charter/test_charter.py::test_nothing_ends_or_deletes_the_duty",
            "accounts/test_people.py::test_leaving_ends_everything_but_the_duty",
        ),
        not_yet="waivers: `disclosure`",
    ),
    Clause(
        "4.1",
        "The coordinator approves the charter, publishes it in two places and mails every member.",
        rules=("G-edit_charter", "G-change_setting"),
        held_by="an amended version is made in the transaction that queues its mails; any version stays readable",
        tests=(
            "charter/test_charter.py::test_a_version_is_in_force_from_its_instant",
            "charter/test_amending.py::test_a_version_comes_into_force_at_its_instant_and_not_before",
            "charter/test_amending.py::test_every_member_in_force_is_told_and_none_that_left_whatever_its_addresses",
            "charter/test_amending.py::test_the_database_holds_no_amended_version_without_both_publications_and_the_mail",
        ),
        not_yet="annex 1 by the same mail: `members`",
    ),
    Clause("4.2", "Disputes are settled in good faith.", not_yet="cases of dispute: `privacy`"),
    Clause(
        "4.3",
        "Taipei District Court has jurisdiction.",
        held_by="stated in the model charter",
        tests=("charter/test_charter.py::test_what_each_clause_must_say",),
        not_yet="legal hold: `privacy`",
    ),
    Clause(
        "5.1",
        "Personal data: purpose, categories, period, area, five rights.",
        rules=("G-handle_privacy_case",),
        held_by="sealed under a key a person; the privacy notice is versioned with the charter",
        tests=(
            "charter/test_charter.py::test_the_privacy_notice_says_what_the_law_asks_for",
            "accounts/test_dump.py::test_no_personal_value_stands_in_clear",
        ),
        not_yet="the five rights: `privacy`",
    ),
    Clause(
        "5.2",
        "Applying accepts the charter and privacy notice as they are then.",
        held_by="an acceptance names exactly one version; the first mail to whom somebody else entered is the notice",
        tests=(
            "charter/test_charter.py::test_an_acceptance_names_exactly_one_version",
            "accounts/test_people.py::test_the_first_mail_is_the_privacy_notice_with_the_invitation_in_it",
        ),
    ),
    Clause(
        "5.3",
        "Wrong or misleading data may end the membership.",
        rules=("F-standing", "REVOCATION.revoke"),
        held_by="a ground of revocation",
        tests=("members/test_story.py::test_from_the_first_page_to_the_exit",),
    ),
    Clause(
        "6.1",
        "What is not ruled follows law, custom and good faith.",
        held_by="every decision takes reasons in words beside its codes, and what else it rests on",
        tests=(
            "charter/test_charter.py::test_what_each_clause_must_say",
            "members/test_basis.py::test_every_kind_of_decision_keeps_and_prints_what_else_it_rests_on",
        ),
    ),
)


def printed() -> str:
    """Return the map as Markdown."""
    lines = [
        "# Charter map",
        "",
        "Printed by `python -m tests.docs.charter_map`. Rules: [policy.md](policy.md). Tests lie below `tests/`.",
        "",
        "| clause | demands | rules and moves | held by | tests | not yet, and where it will live |",
        "|---|---|---|---|---|---|",
    ]
    for one in CLAUSES:
        rules = ", ".join(f"`{rule}`" for rule in one.rules)
        tests = "<br>".join(f"`{test}`" for test in one.tests)
        lines.append(f"| {one.number} | {one.demand} | {rules} | {one.held_by} | {tests} | {one.not_yet} |")
    return "\n".join(lines) + "\n"


def missing_tests() -> list[str]:
    """Return the named tests that do not exist."""
    gone = []
    for one in CLAUSES:
        for test in one.tests:
            file, _, name = test.partition("::")
            path = ROOT / "tests" / file
            if not path.is_file() or (name != "*" and not re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE)):
                gone.append(test)
    return gone


if __name__ == "__main__":
    print(printed(), end="")
