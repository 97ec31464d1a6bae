"""What the pages about new administrators show, put together before the template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from lianfang.accounts import registry
from lianfang.accounts.doors import may
from lianfang.accounts.views.asked import asked
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, recovery_queries, shown, shown_changes, shown_staff, words
from lianfang.members.lifecycle import IN_FORCE, RECOVERY
from lianfang.members.models import Recovery
from lianfang.members.shown_staff import Button, Tab
from lianfang.outbox.lifecycle import DELIVERY
from lianfang.policy.facts import Right, Subject

CONFLICT = (
    Bilingual(zh="利害關係", en="Conflict of interest"),
    Bilingual(zh="送出聲明", en="Declare"),
    Bilingual(
        zh="您、家人或雇主會因本案得利或受損，或您三年內曾任職於這個會員，就是有利害關係。",
        en="You have one if you, your family or your employer gain or lose by this case, or if you worked for this"
        " member in the last three years.",
    ),
)
RECOMMEND = (
    Bilingual(zh="建議", en="Recommendation"),
    Bilingual(zh="送交決定", en="Send for decision"),
    Bilingual(zh="由另一位核准人依您寫的內容決定。", en="Somebody else decides on what you write here."),
)
RECOMMENDED = {
    "grant": Bilingual(zh="審查人建議同意", en="The reviewer recommends to approve"),
    "refuse": Bilingual(zh="審查人建議不同意", en="The reviewer recommends to refuse"),
}
_PAGES = {
    "recommend": ("recovery_recommend", (), "primary"),
    "send_back": ("recovery_return", (), "quiet"),
    "refuse": ("recovery_decide", ("refuse",), "danger-l"),
    "approve": ("recovery_decide", ("approve",), "primary"),
}


def state_of(case: Recovery) -> tuple[Bilingual, str]:
    """Return the words and the tone of a case's state."""
    return RECOVERY.states[case.state], words.STATE_TONES[case.state]


def tabs(everything: bool, path: str) -> list[Tab]:
    """Return the two views of the list."""
    return shown_staff.revocation_tabs(everything, path)


def buttons(case: Recovery, subject: Subject, at: datetime) -> list[Button]:
    """Return the moves of the staff in this state, as the table has them, with what stands against each."""
    context = {
        "conflict": queries.conflict_of(case.number, subject.person),
        "reviewer": queries.reviewer_beside(case, subject.person),
        "decider": subject.person,
        "recommendation": case.recommendation,
        "in_force": case.membership.state in IN_FORCE,
        # The findings are written on the next page.
        "findings": case.findings or "-",
        "evidence": len(recovery_queries.files(case)),
    }
    found = []
    for move in RECOVERY.available(case.state):
        page = _PAGES.get(move.name)
        if page is None or move.right is None or not may(subject=subject, right=Right(move.right), at=at):
            continue
        off = RECOVERY.why_not(case, move.name, **context)
        url = reverse(page[0], args=[case.number, *page[1]])
        found.append(Button(move.name, move.words, url, off, page[2], move.name == "send_back"))
    return found


def recovery(case: Recovery, subject: Subject, at: datetime, *, people: bool) -> dict[str, Any]:
    """Return one case on one screen, with its people or without."""
    conflict, made = queries.conflict_of(case.number, subject.person), buttons(case, subject, at)
    ends = {row.pk: row for row in recovery_queries.administrators(case, at)}
    return {
        "case": case,
        "state": state_of(case),
        "origin": shown_changes.ORIGINS[case.origin],
        "recommendation": RECOMMENDED.get(case.recommendation),
        "conflict": conflict,
        "buttons": made,
        "sentence": words.SENTENCE_CLOSED
        if case.state in RECOVERY.final
        else shown_staff.sentence_of(case.reviewer_id, subject, made, conflict),
        "files": recovery_queries.files(case),
        "people": people,
        "former": [(row, str(row.pk) in case.ends) for row in ends.values()] if people else [],
        "told": [(one, DELIVERY.states[one.delivery.state]) for one in recovery_queries.notices(case)]
        if people
        else [],
        "timeline": shown.timeline(queries.events(case.number), queries.notes(case.number), names=True),
    }


def decision(case: Recovery, what: str, request: HttpRequest) -> dict[str, Any]:
    """Return the page of a decision: what stands against it, and for how long contacts may object."""
    subject, at = asked(request).subject, asked(request).at
    made = {button.name: button for button in buttons(case, subject, at)}
    button = made.get(what)
    return {
        "off": button.off if button else words.not_in_state(RECOVERY.states[case.state]),
        "days": int(registry.value("recovery_wait_days", at)),
        "told": len(recovery_queries.told(case, at)),
        "recommendation": RECOMMENDED.get(case.recommendation),
    }
