"""What the pages about the end of a membership show, put together before the template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from lianfang.accounts.doors import may
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, shown, shown_staff, words
from lianfang.members.lifecycle import TERMINATION
from lianfang.members.models import Termination
from lianfang.members.shown_staff import Button, Tab
from lianfang.policy.facts import Right, Subject

_PAGES = {
    "recommend": ("termination_recommend", (), "primary"),
    "send_back": ("termination_return", (), "quiet"),
    "refuse": ("termination_decide", ("refuse",), "danger-l"),
    "grant": ("termination_decide", ("grant",), "primary"),
}


def state_of(case: Termination) -> tuple[Bilingual, str]:
    """Return the words and the tone of a request's state."""
    tone = "" if case.state == "granted" else words.STATE_TONES[case.state]
    return TERMINATION.states[case.state], tone


def tabs(everything: bool, path: str) -> list[Tab]:
    """Return the two views of the list."""
    return shown_staff.revocation_tabs(everything, path)


def buttons(case: Termination, subject: Subject, at: datetime) -> list[Button]:
    """Return the moves of the staff in this state, as the table has them, with what stands against each."""
    context = {
        "conflict": queries.conflict_of(case.number, subject.person),
        "reviewer": queries.reviewer_beside(case, subject.person),
        "decider": subject.person,
        "membership": case.membership.state,
        # The findings are written on the next page.
        "findings": case.findings or "-",
    }
    found = []
    for move in TERMINATION.available(case.state):
        page = _PAGES.get(move.name)
        if page is None or move.right is None or not may(subject=subject, right=Right(move.right), at=at):
            continue
        off = TERMINATION.why_not(case, move.name, **context)
        url = reverse(page[0], args=[case.number, *page[1]])
        found.append(Button(move.name, move.words, url, off, page[2], move.name == "send_back"))
    return found


def termination(case: Termination, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return one request on one screen."""
    conflict, made = queries.conflict_of(case.number, subject.person), buttons(case, subject, at)
    return {
        "case": case,
        "state": state_of(case),
        "handling": words.HANDLING[case.handling],
        "recommendation": words.TERMINATION_RECOMMENDED.get(case.recommendation),
        "conflict": conflict,
        "buttons": made,
        "sentence": words.SENTENCE_CLOSED
        if case.state in TERMINATION.final
        else shown_staff.sentence_of(case.reviewer_id, subject, made, conflict),
        "decisions": queries.decisions(termination=case),
        "timeline": shown.timeline(queries.events(case.number), queries.notes(case.number), names=True),
        "losses": shown_staff.losses(case.membership, at),
        "waits": case.membership.state == "revocation_review" and case.state not in TERMINATION.final,
    }


def decision(case: Termination, what: str, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return the page of a decision: what stands against it, and what it takes away."""
    made = {button.name: button for button in buttons(case, subject, at)}
    button = made.get(what)
    return {
        "off": button.off if button else words.not_in_state(TERMINATION.states[case.state]),
        "losses": shown_staff.losses(case.membership, at),
        "recommendation": words.TERMINATION_RECOMMENDED.get(case.recommendation),
    }


def of_member(organization_id: Any) -> list[tuple[Termination, tuple[Bilingual, str]]]:
    """Return a member's own requests with their states, the latest first."""
    return [(case, state_of(case)) for case in queries.terminations_of(organization_id)]
