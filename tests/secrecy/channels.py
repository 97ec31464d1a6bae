"""The channels by which something hidden could show, by number, and what watches each of them.

The numbers are those of the project's list of side channels (NI-01 to NI-36). A channel names the tests that fail when
it leaks, or says why no door of today has it. A door belongs to a kind; a kind names its channels. A route that belongs
to no kind fails `test_channels.py`: whoever adds a door says here what could leak through it.
"""

from __future__ import annotations

from dataclasses import dataclass

WORLDS = "secrecy/test_worlds.py::test_worlds"
LEAKS = "secrecy/test_leaks.py::test_without_a_leak_both_worlds_answer_alike"
COST = "secrecy/test_cost.py::test_cost_is_the_same_in_statements"
RACES = "secrecy/test_races.py::test_races"
PROBES = "secrecy/test_probes.py::"


@dataclass(frozen=True)
class Channel:
    """What may leak, and the tests that watch it; `none` says why nothing does."""

    title: str
    tests: tuple[str, ...] = ()
    none: str = ""


CHANNELS: dict[int, Channel] = {
    1: Channel(
        "direct fetch: hidden or absent",
        (WORLDS, COST, "exchange/test_readers.py::test_the_hidden_is_as_if_it_did_not_exist"),
    ),
    2: Channel("totals, `more`, cursors, short pages", (WORLDS, LEAKS, "exchange/test_cursors.py")),
    3: Channel("facets, dashboards, distributions", (WORLDS, LEAKS)),
    4: Channel("rank, scores, suggestions, snippets", (WORLDS, LEAKS)),
    5: Channel("correlation and similarity", (WORLDS, LEAKS)),
    6: Channel("references inside visible objects", (WORLDS, LEAKS)),
    7: Channel("history, versions, differences", (WORLDS, COST)),
    8: Channel(
        "rows of changed labels", (WORLDS, PROBES + "test_a_changed_label_is_seen_by_nobody_who_sees_neither_side")
    ),
    9: Channel("created first, restricted later", (PROBES + "test_nothing_is_open_between_its_coming_and_its_label",)),
    10: Channel(
        "streams, webhooks, deltas",
        (WORLDS, "exchange/test_pagers.py"),
    ),
    11: Channel(
        "mails, digests, subjects",
        (WORLDS, "secrecy/test_leaks.py::test_a_planted_leak_is_caught", "notices/test_every_notice.py"),
    ),
    12: Channel("exports, attachments, files of jobs", (WORLDS, PROBES + "test_a_file_holds_what_its_page_shows")),
    13: Channel(
        "caches, ETag, 304, archives",
        (PROBES + "test_nothing_closed_is_kept_by_a_cache", "exchange/test_pages_kept.py", LEAKS),
    ),
    14: Channel(
        "uniqueness on write",
        (WORLDS, PROBES + "test_what_one_brings_is_judged_by_ones_own_alone", "accounts/test_enumeration.py"),
    ),
    15: Channel("errors of references", (WORLDS, PROBES + "test_what_one_brings_is_judged_by_ones_own_alone")),
    16: Channel("numbers in sequence, gaps", (PROBES + "test_no_address_of_a_member_counts", WORLDS)),
    17: Channel("Last-Modified, dates of addition, last active", (WORLDS, LEAKS)),
    18: Channel(
        "tombstones and lists of what is refused", (COST, PROBES + "test_what_was_recalled_can_be_brought_by_others")
    ),
    19: Channel("results of many at once", (PROBES + "test_of_many_only_the_visible_count",)),
    20: Channel(
        "lists of audiences, members of groups",
        (PROBES + "test_the_size_of_an_audience_stands_still_for_a_month", LEAKS),
    ),
    21: Channel(
        "requests for consent and refusals", none="there is no procedure of consent yet (disclosure is not built)"
    ),
    22: Channel(
        "countdowns and calendars of embargoes", (WORLDS, PROBES + "test_an_embargo_says_nothing_before_its_instant")
    ),
    23: Channel(
        "sign-in, reset, invitation",
        ("accounts/test_enumeration.py", PROBES + "test_who_asks_for_a_link_waits_for_nothing_that_tells"),
    ),
    24: Channel("sorting and filtering on hidden fields", (PROBES + "test_only_known_filters_are_heard", LEAKS)),
    25: Channel("completion of tags and labels", (LEAKS,)),
    26: Channel("texts of errors, 500 or 400", (PROBES + "test_no_error_speaks_of_the_inside", WORLDS)),
    27: Channel("time, number of statements", (COST, "secrecy/test_cost.py::test_timing_of_hidden_and_absent")),
    28: Channel("shared quotas, place in a queue", (WORLDS, PROBES + "test_quotas_are_each_ones_own")),
    29: Channel(
        "other sites: load or error, size, frames",
        (PROBES + "test_another_sites_page_learns_nothing", "web/test_headers.py"),
    ),
    30: Channel("fetches by the server", (PROBES + "test_nothing_is_fetched_for_what_is_shared",)),
    31: Channel("re-sharing at the next hop", ("intel/test_tighten.py", "policy/test_properties.py")),
    32: Channel("statistics, lists of contributors", (WORLDS, LEAKS)),
    33: Channel("the same act by another channel", (COST, WORLDS)),
    34: Channel("after revocation: keys, queued mail, links", (RACES, "exchange/test_next_request.py")),
    35: Channel(
        "temporary files, index, replica, backup",
        ("platform/test_backup.py", PROBES + "test_an_index_made_anew_is_the_same"),
    ),
    36: Channel("rendered copies", (PROBES + "test_a_file_holds_what_its_page_shows", WORLDS)),
}

EVERYWHERE = (13, 26, 29)
KINDS: dict[str, tuple[int, ...]] = {
    "list of intelligence": (2, 3, 4, 5, 9, 16, 17, 22, 24, 25, 32, 34, 35),
    "object": (1, 5, 6, 7, 8, 18, 20, 22, 27, 33, 34),
    "act on an object": (1, 14, 18, 27, 33, 34),
    "file of an object": (1, 12, 27, 31, 34, 36),
    "machine's list": (2, 9, 10, 16, 17, 19, 22, 24, 28, 34, 35),
    "machine's object": (1, 7, 10, 17, 18, 27, 33, 34),
    "what one brings": (14, 15, 19, 20, 28, 30, 33),
    "overview": (2, 3, 17, 32),
    "people and keys of one's own": (1, 11, 14, 16, 20, 23, 27, 34),
    "way in": (11, 23, 27, 28),
    "own account": (16, 17, 23, 28, 34),
    "application": (1, 11, 12, 14, 16, 23, 28, 36),
    "directory of members": (2, 3, 4, 17, 20, 24, 27, 32, 34),
    "staff's case": (1, 12, 16, 20, 36),
    "staff's list": (2, 3, 11, 16, 32),
    "exit": (1, 12, 16, 18, 34, 36),
    "ledger": (1, 2, 16, 36),
    "public words": (17, 32),
    "machine's table of contents": (2, 20, 24),
}
"""What of all channels a kind of door has, beside those that every answer has."""

DOORS: dict[str, str] = {
    **dict.fromkeys(("intel", "staff_intel"), "list of intelligence"),
    **dict.fromkeys(("intel_item", "staff_intel_item", "intel_why", "staff_intel_why", "quarantine"), "object"),
    **dict.fromkeys(
        ("intel_label", "intel_recall", "intel_relay", "intel_release", "staff_intel_label", "staff_intel_recall",
         "staff_intel_release", "stop"), "act on an object",
    ),
    **dict.fromkeys(("intel_download", "staff_intel_download"), "file of an object"),
    **dict.fromkeys(("taxii_objects", "taxii_manifest"), "machine's list"),
    **dict.fromkeys(("taxii_object", "taxii_versions", "taxii_status"), "machine's object"),
    **dict.fromkeys(
        ("taxii_discovery", "taxii_api_root", "taxii_collections", "taxii_collection", "taxii_elsewhere"),
        "machine's table of contents",
    ),
    **dict.fromkeys(
        ("submit", "submit_who", "submit_preview", "submission", "check", "staff_check", "write_profile",
         "write_profiles"), "what one brings",
    ),
    **dict.fromkeys(("overview", "own_plane"), "overview"),
    **dict.fromkeys(
        ("people", "sign_out_person", "person_leaves", "sign_on", "sign_on_set_up", "sign_on_try", "sign_on_switch",
         "sign_on_emergency", "sign_on_unlink",
         "change_role", "invite_again", "invite", "roster", "roster_relay", "leave_alliance",
         "leave_alliance_withdraw", "hearing", "own_participation", "own_participation_object", "connections",
         "connection", "new_connection", "revoke_connection", "rotate_connection", "switch", "accounts_helping",
         "accounts_help_one"), "people and keys of one's own",
    ),
    **dict.fromkeys(
        ("account_login", "account_logout", "account_inactive", "accounts_lost_factor", "accounts_lost_factor_proof",
         "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
         "account_reset_password_from_key_done", "accounts_invitation", "sign_in_org", "sign_in_back", "sign_in_answer",
         "sign_in_metadata",
         "sign_in_confirm", "sign_in_organisation",
         "contact_check", "recovery_object", "mfa_authenticate", "mfa_login_webauthn"),
        "way in",
    ),
    **dict.fromkeys(
        ("account_change_password", "account_set_password", "account_reauthenticate", "accounts_factor_setup",
         "accounts_sign_options", "usersessions_list", "my_account", "confidentiality", "mfa_index",
         "mfa_reauthenticate", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_activate_totp",
         "mfa_deactivate_totp", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn",
         "mfa_reauthenticate_webauthn"), "own account",
    ),
    **dict.fromkeys(
        ("apply", "apply_step", "apply_mask", "apply_picture", "apply_case_mask", "apply_case_picture", "apply_link",
         "apply_resume", "apply_receipt", "deadline_feed", "apply_case", "apply_correct"), "application",
    ),
    **dict.fromkeys(
        ("case", "case_note", "case_read_out", "case_file", "case_conflict", "case_take_up", "case_authority",
         "case_screening",
         "case_correct", "case_recommend", "case_decide", "case_return", "letter", "membership", "revocation_start",
         "revocation", "revocation_conflict", "revocation_propose", "revocation_return", "revocation_decide", "appeal",
         "appeal_file", "termination", "termination_note", "termination_conflict", "termination_recommend",
         "termination_return", "termination_decide", "revocation_notice", "revocation_arrival", "statement_file",
         "appeal_recommend", "deadline_feed_change", "office_calendar", "hold_lift",
         "decide_duty", "leave_duty", "add_colleague", "colleague_leaves",
         "invite_colleague_again", "setting", "decide_setting", "procedure", "procedure_preview", "procedure_begin",
         "procedure_draft", "procedure_general", "procedure_step_new", "procedure_step", "procedure_field_new",
         "procedure_field", "procedure_change", "procedure_draft_preview", "procedure_propose", "procedure_discard",
         "procedure_decide", "contact_settle", "mail", "mail_original", "mail_file",
         "mail_read", "mail_change", "security_hold_new", "security_hold_lift", "recovery",
         "recovery_conflict", "recovery_recommend", "recovery_return", "recovery_decide", "recovery_file",
         "recovery_entry", "amendment", "amendment_begin", "amendment_compare", "amendment_title", "amendment_clause",
         "amendment_clause_new", "amendment_import", "amendment_propose", "amendment_decide", "amendment_website",
         "amendment_issue", "amendment_discard", "version_told", "version_told_member", "version_tell", "version_post",
         "version_resend"), "staff's case",
    ),
    **dict.fromkeys(
        ("inbox", "applications", "member_directory", "revocations", "terminations", "deadlines", "holds",
         "duties", "settings", "procedures", "contacts", "mailroom", "security_holds", "staff_sign_on",
         "recoveries", "staff_charter"), "staff's list",
    ),
    **dict.fromkeys(
        ("change", "change_message", "change_withdraw", "own_case_read_out", "changes_filed", "history",
         "new_change", "roster_add",
         "roster_import", "roster_import_one", "roster_remove", "roster_transfer",
         "recovery_ask", "directory_choose"), "people and keys of one's own",
    ),
    **dict.fromkeys(
        ("change_ask_again", "change_authority", "change_case", "change_conflict", "change_decide", "change_entry",
         "change_holdings",
         "change_file", "change_note", "change_recommend", "change_return", "change_screening", "change_take_up",
         "membership_history"), "staff's case",
    ),
    **dict.fromkeys(
        ("participation_record", "participation_enter", "participation_correct", "participation_file",
         "participation_answer", "participation_import_one", "participation_review"), "staff's case",
    ),
    **dict.fromkeys(("participation", "participation_import"), "staff's list"),
    "directory": "directory of members",
    "changes": "staff's list",
    "change_confirm": "way in",
    **dict.fromkeys(
        ("case_row", "case_holdings", "list_edition", "list_import", "list_discard", "list_file", "list_case",
         "list_case_judge", "list_case_conflict"), "staff's case",
    ),
    **dict.fromkeys(("lists", "list_new", "list_cases"), "staff's list"),
    **dict.fromkeys(("exit", "exit_appeal", "exit_appeal_receipt", "exit_letter"), "exit"),
    **dict.fromkeys(
        ("audit", "audit_entry", "audit_entry_proof", "audit_verify", "audit_acknowledge", "audit_checkpoint",
         "audit_consistency", "audit_key"), "ledger",
    ),
    **dict.fromkeys(
        ("home", "about", "policy", "accessibility", "sitemap", "help", "styleguide", "security_txt", "charter",
         "charter_article", "charter_version", "charter_compare", "privacy_notice", "privacy_version",
         "privacy_compare", "healthz"), "public words",
    ),
}  # fmt: skip
"""Every route by name. How the harness asks it stands in `doors.py`: parameters run through visible, hidden, absent."""

UNWATCHED: dict[str, str] = {
    "readyz": "says how the machine is by the machine's own clock, in words without a number (platform/test_health.py)",
    "demo_mailbox": "exists in the demonstration alone, and shows everybody's mail on purpose",
    "demo_mailbox_json": "the same for programs",
    "demo_mail": "the same, one mail",
    "demo_write": "takes what anybody writes, as the centre's mailbox does, and answers always alike",
}
"""Routes that are no door of the product, each with its reason."""
