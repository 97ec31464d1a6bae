"""What the staff's pages show, put together before the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import get_language

from lianfang.accounts import registry
from lianfang.accounts.doors import may, require
from lianfang.kernel.deadlines import Deadline
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, queries_lists, roster, shown, words
from lianfang.members.calendars import calendar_at
from lianfang.members.lifecycle import APPEAL, APPLICATION, MEMBERSHIP, REVOCATION, Readiness
from lianfang.members.models import Appeal, Application, Membership, Revocation, ScreeningFinding
from lianfang.members.procedure import words as spec_words
from lianfang.policy.facts import Right, Subject

_VIEWS = {
    "mine": Bilingual(zh="指派給我", en="Mine"),
    "unassigned": Bilingual(zh="尚未指派", en="Unassigned"),
    "today": Bilingual(zh="今天到期", en="Due today"),
    "late": Bilingual(zh="逾期", en="Late"),
    "correction": Bilingual(zh="等對方補正", en="Waiting for applicant"),
    "decision": Bilingual(zh="等核准", en="Awaiting decision"),
    "open": Bilingual(zh="全部未結", en="All open"),
    "closed": Bilingual(zh="已結案", en="Closed"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A saved view."""

    label: Bilingual
    url: str
    current: bool
    count: str


def tabs(views: Sequence[queries.View], current: queries.View, path: str) -> list[Tab]:
    """Return the saved views with their counts; above 10,000 a count says `10,000+`."""
    return [
        Tab(_VIEWS[view.name], f"{path}?view={view.name}", view is current, count_words(queries.capped(view.rows)))
        for view in views
    ]


def searched(typed: str | None) -> str:
    """Return what was typed into a search box or chosen in a filter, as a query can take it."""
    return (typed or "").replace("\x00", "").strip()[:80]


def count_words(count: tuple[int, bool]) -> str:
    """Return a capped count as text."""
    return f"{count[0]:,}+" if count[1] else f"{count[0]:,}"


def states() -> dict[str, Bilingual]:
    """Return the states that a submitted case can have."""
    return {name: text for name, text in APPLICATION.states.items() if name not in ("draft", "expired")}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, with the address without it."""

    text: Bilingual
    url: str


def chips(wanted: Mapping[str, str], kept: Mapping[str, str], path: str) -> list[Chip]:
    """Return the filters that are on."""
    said = {"kind": words.KINDS, "state": APPLICATION.states}
    found = []
    for name, value in wanted.items():
        if value:
            text = said.get(name, {}).get(value) or Bilingual(zh=f"「{value}」", en=f"“{value}”")
            rest = {key: each for key, each in kept.items() if key != name}
            found.append(Chip(text, f"{path}?{urlencode(rest)}"))
    return found


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One row of the queue."""

    application: Application
    kind: Bilingual
    state: Bilingual
    tone: str
    check: Bilingual
    check_tone: str
    days: int


def rows(applications: Sequence[Application], at: datetime) -> list[QueueRow]:
    """Return the rows of a page of the queue, with the state of their checks."""
    found = []
    for application in applications:
        check, tone = check_words(queries.readiness(application, at, whole=False))
        found.append(
            QueueRow(
                application, words.KINDS[application.kind], APPLICATION.states[application.state],
                words.STATE_TONES[application.state], check, tone,
                (at - application.submitted_at).days if application.submitted_at else 0,
            )
        )  # fmt: skip
    return found


def check_words(readiness: Readiness) -> tuple[Bilingual, str]:
    """Return the worst thing that the checks say, and its tone."""
    if readiness.live_membership:
        return Bilingual(zh="統編已有會籍", en="Number has a membership"), "bad"
    if readiness.id_hits:
        return Bilingual(zh="統編相符{n}", en="Number match {n}").format(n=readiness.id_hits), "bad"
    if readiness.unjudged_name_hits:
        return Bilingual(zh="名稱相符{n}", en="Name match {n}").format(n=readiness.unjudged_name_hits), "bad"
    if readiness.screened < readiness.rows:
        text = Bilingual(zh="檢核{n}／{m}", en="Checked {n}/{m}")
        return text.format(n=readiness.screened, m=readiness.rows), "warn"
    return Bilingual(zh="檢核完成", en="Checked"), "good"


def state_of(application: Application) -> tuple[Bilingual, str]:
    """Return the words and the tone of a case's state."""
    return APPLICATION.states[application.state], words.STATE_TONES[application.state]


def screened(
    application: Application, listed: Sequence[roster.Row]
) -> list[tuple[roster.Row, ScreeningFinding | None]]:
    """Return each row with its latest finding."""
    found = queries.findings(application)
    return [(row, found.get(row.key)) for row in listed]


def fields(application: Application) -> list[tuple[Bilingual, list[tuple[str, Bilingual]]]]:
    """Return every question that can be asked to be corrected, by step."""
    spec = queries.spec_of(application)
    return [
        (step.title, [(f"{step.id}.{field.name}", _cut(step.named(field))) for field in step.fields])
        for step in spec.steps
        if step.id not in ("eligibility", "review")
    ]


def _cut(label: Bilingual) -> Bilingual:
    return Bilingual(zh=label.zh[:40], en=label.en[:60])


@dataclass(frozen=True, slots=True)
class Button:
    """A move of the machine as a button: its page, its words, and why it cannot be pressed now."""

    name: str
    words: Bilingual
    url: str
    off: Bilingual | None
    style: str
    post: bool


# The way on stands at the right, where the eye ends.
_ORDER = {"quiet": 0, "danger-l": 1, "primary": 2}
_PAGES = {
    "take_up": ("case_take_up", (), "primary"),
    "request_correction": ("case_correct", (), "quiet"),
    "recommend_approval": ("case_recommend", ("approve",), "primary"),
    "recommend_rejection": ("case_recommend", ("reject",), "danger-l"),
    "return_to_review": ("case_return", (), "quiet"),
    "approve": ("case_decide", ("approve",), "primary"),
    "reject": ("case_decide", ("reject",), "danger-l"),
}


def buttons(application: Application, subject: Subject, at: datetime) -> list[Button]:
    """Return the moves that leave the case's state and that this subject has the duty for, as the table has them."""
    context = {
        "conflict": queries.conflict_of(application.number or "", subject.person),
        "readiness": queries.readiness(application, at),
        "attested": queries.attested_hash(application),
        "roster": application.roster_hash,
        "reviewer": queries.reviewer_beside(application, subject.person),
        "decider": subject.person,
        "recommendation": application.recommendation,
        # The page of the decision takes the first of two approvals, too: only who gave it waits for another.
        "approvers": 1,
        "first": first.by_id if (first := queries.first_approval(application)) else None,
    }
    found = []
    for move in APPLICATION.available(application.state):
        page = _PAGES.get(move.name)
        # The duty alone decides whether the button is there; what stands against it in this case is its reason.
        if page is None or move.right is None or not may(subject=subject, right=Right(move.right), at=at):
            continue
        url = reverse(page[0], args=[application.number, *page[1]])
        off = APPLICATION.why_not(application, move.name, **context)
        found.append(Button(move.name, move.words, url, off, page[2], move.name == "take_up"))
    return sorted(found, key=lambda button: _ORDER[button.style])


def case(application: Application, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return one case on one screen."""
    number = application.number or ""
    spec, readiness = queries.spec_of(application), queries.readiness(application, at)
    made = buttons(application, subject, at)
    conflict = queries.conflict_of(number, subject.person)
    listed = queries.all_rows(application)
    return {
        "application": application,
        "state": state_of(application),
        "kind": words.KINDS[application.kind],
        "buttons": made,
        "sentence": sentence(application, subject, made, conflict),
        "conflict": conflict,
        "readiness": readiness,
        "checks": checks(application, readiness, at),
        "screened": [(row, one, result_words(one)) for row, one in screened(application, listed[: shown.ROWS_SHOWN])],
        "counts": _counts(application, listed),
        "row_total": len(listed),
        "sections": [one for one in shown.sections(spec, application) if one.step.id != "roster"],
        "files": queries.files(application),
        "attestation": queries.attestation(application),
        "authority": _authority(application),
        "corrections": queries.corrections(application),
        "labels": shown.correction_labels(application),
        "decisions": queries.decisions(application=application),
        "timeline": shown.timeline(queries.events(number), queries.notes(number), names=True),
        "may_review": application.state == "under_review" and may(subject=subject, right=Right.REVIEW, at=at),
        "may_see_rows": may(subject=subject, right=Right.REVIEW, at=at),
        "twins": queries.twins(application),
        "earlier": [(one, MEMBERSHIP.states[one.state]) for one in queries.earlier_memberships(application)],
    }


def result_words(finding: ScreeningFinding | None) -> tuple[Bilingual, str]:
    """Return what a row's latest finding says, and its tone."""
    name = "pending" if finding is None else "other_entity" if finding.other_entity else finding.result
    return words.SCREENING[name], words.SCREENING_TONES[name]


def _counts(application: Application, listed: Sequence[roster.Row]) -> list[tuple[Bilingual, int]]:
    found = queries.findings(application)
    results = [found[row.key].result if row.key in found else "pending" for row in listed]
    return [
        (words.SCREENING[name], results.count(name))
        for name in ("clear", "name_hit", "id_hit", "unverifiable", "pending")
    ]


def _authority(application: Application) -> list[tuple[Bilingual, Any]]:
    labels = {option["value"]: spec_words(option["label"]) for option in queries.spec_of(application).authority_methods}
    rows = application.authority_checks.select_related("by__vault_key", "vault_key").order_by("-at")
    return [(labels[row.method], row) for row in rows]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table of checks."""

    title: Bilingual
    result: Bilingual
    tone: str
    basis: Bilingual
    url: str
    act: Bilingual | None


def checks(application: Application, readiness: Readiness, at: datetime) -> list[Check]:
    """Return what was checked, what it gave, and where to go on."""
    number = application.number
    covered = queries.attested_hash(application) == application.roster_hash
    rows_ = words.BASIS_ROWS.format(n=readiness.rows)
    attested = words.ATTESTED if covered else words.NOT_ATTESTED
    checked = words.AUTHORITY_CHECKED if readiness.authority_checked else words.AUTHORITY_NOT_CHECKED
    screening, authority = (reverse(name, args=[number]) for name in ("case_screening", "case_authority"))
    return [
        Check(words.CHECK_ELIGIBILITY, *_eligibility(application, at), "#files", words.SEE_PROOF),
        Check(words.CHECK_UBN, *_ubn(application, readiness), "", None),
        Check(words.CHECK_SCREENING, *check_words(readiness), rows_, screening, words.ACT_SCREEN),
        Check(words.CHECK_ATTESTATION, *attested, "#attestation", words.SEE_ATTESTATION),
        Check(words.CHECK_AUTHORITY, *checked, words.BASIS_AUTHORITY, authority, words.ACT_AUTHORITY),
    ]


def _eligibility(application: Application, at: datetime) -> tuple[Bilingual, str, Bilingual]:
    kind = words.KINDS[application.kind]
    answer = queries_lists.eligibility_of(application, at)
    if answer.edition is None and not answer.blocks:
        return words.AS_STATED, "", words.BASIS_ELIGIBILITY.format(kind=kind)
    result, tone = words.NOT_ELIGIBLE if answer.blocks else words.ELIGIBLE
    if answer.edition is None:
        return result, tone, answer.words
    return result, tone, words.BASIS_LIST.format(words=answer.words, date=answer.edition.isoformat())


def _ubn(application: Application, readiness: Readiness) -> tuple[Bilingual, str, Bilingual]:
    if not application.ubn:
        return words.UBN_NONE
    result, tone, basis = words.UBN_TAKEN if readiness.live_membership else words.UBN_RIGHT
    return result, tone, basis.format(n=application.ubn)


def sentence(
    application: Application, subject: Subject, made: Sequence[Button], conflict: bool | None
) -> tuple[Bilingual, Bilingual]:
    """Return who the reader is in this case, and what is missing."""
    if application.state in APPLICATION.final:
        return words.SENTENCE_CLOSED
    return _sentence(_role(application.reviewer_id, subject), made, conflict)


def sentence_of(
    reviewer_id: Any, subject: Subject, made: Sequence[Button], conflict: bool | None
) -> tuple[Bilingual, Bilingual]:
    """Return who the reader is in a case of that reviewer, and what is missing."""
    return _sentence(_role(reviewer_id, subject), made, conflict)


def _sentence(role: Bilingual, made: Sequence[Button], conflict: bool | None) -> tuple[Bilingual, Bilingual]:
    if conflict:
        return words.SENTENCE_CONFLICT
    if conflict is None and made:
        return role, words.SENTENCE_DECLARE
    off = next((button.off for button in reversed(made) if button.off is not None), None)
    return role, off or (words.SENTENCE_READY if made else words.SENTENCE_WAITING)


def _role(reviewer_id: Any, subject: Subject) -> Bilingual:
    if reviewer_id is not None and reviewer_id == subject.person:
        return words.YOU_REVIEW
    return words.YOU_DECIDE if may_decide(subject) else words.YOU_READ


def may_decide(subject: Subject) -> bool:
    """Return whether the reader holds the duty of an approver."""
    return "approver" in subject.duties


def decision(application: Application, what: str, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return the page of a decision: what stands against it, and what follows from it."""
    made = {button.name: button for button in buttons(application, subject, at)}
    button = made.get("approve" if what == "approve" else "reject")
    constituents = len(queries.all_rows(application)) - 1
    return {
        "what": what,
        "off": button.off if button else words.not_in_state(APPLICATION.states[application.state]),
        "effects": words.effects_of_approval(constituents) if what == "approve" else words.EFFECTS_OF_REJECTION,
        "reviewer": application.reviewer,
        "first_of_two": what == "approve" and queries.wants_first_approval(application),
        "first": queries.first_approval(application) if what == "approve" else None,
    }


# Revocations


_REVOCATION_PAGES = {
    "notify": ("revocation_notice", (), "quiet"),
    "propose": ("revocation_propose", (), "primary"),
    "send_back": ("revocation_return", (), "quiet"),
    "revoke": ("revocation_decide", ("revoke",), "danger-l"),
    "close": ("revocation_decide", ("close",), "primary"),
}


def revocation_buttons(case_: Revocation, subject: Subject, at: datetime) -> list[Button]:
    """Return the moves of a revocation case, as its table has them."""
    context = {
        "conflict": queries.conflict_of(case_.number, subject.person),
        "reviewer": queries.reviewer_beside(case_, subject.person),
        "decider": subject.person,
        "facts": case_.facts,
        "hearing": queries.hearing(case_, case_.ground, at),
    }
    found = []
    for move in REVOCATION.available(case_.state):
        page = _REVOCATION_PAGES[move.name]
        if move.right is None or not may(subject=subject, right=Right(move.right), at=at):
            continue
        url = reverse(page[0], args=[case_.number, *page[1]])
        off = REVOCATION.why_not(case_, move.name, **context)
        found.append(Button(move.name, move.words, url, off, page[2], move.name == "send_back"))
    return found


def revocation(case_: Revocation, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return one revocation case on one screen."""
    conflict = queries.conflict_of(case_.number, subject.person)
    made = revocation_buttons(case_, subject, at)
    return {
        "case": case_,
        "state": revocation_state(case_),
        "ground": words.GROUNDS[case_.ground],
        "conflict": conflict,
        "buttons": made,
        "sentence": sentence_of(case_.reviewer_id, subject, made, conflict)
        if case_.state not in REVOCATION.final
        else words.SENTENCE_CLOSED,
        "decisions": queries.decisions(revocation=case_),
        "appeals": queries.appeals([case_]).get(case_.pk, []),
        "timeline": shown.timeline(queries.events(case_.number), queries.notes(case_.number), names=True),
        "losses": losses(case_.membership, at),
        "notice_ground": words.GROUNDS.get(case_.notice_ground),
        "statements": queries.statements(case_),
        "arrivals": [(one, words.EVENTS[f"arrived_{one.how}"]) for one in case_.arrivals.order_by("at")],
        "may_enter": case_.state == "revoked" and may_review(subject, at),
        "may_decide_appeal": may(subject=subject, right=Right.DECIDE_APPEAL, at=at),
    }


def revocation_state(case_: Revocation) -> tuple[Bilingual, str]:
    """Return the words and the tone of a revocation's state."""
    return REVOCATION.states[case_.state], words.STATE_TONES[case_.state]


def revocation_tabs(everything: bool, path: str) -> list[Tab]:
    """Return the two views of the list of revocations."""
    return [
        Tab(Bilingual(zh="未結", en="Open"), path, not everything, ""),
        Tab(Bilingual(zh="全部", en="All"), f"{path}?view=all", everything, ""),
    ]


def revocation_decision(case_: Revocation, what: str, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return the page of a decision on a revocation: what stands against it, and what it takes away."""
    made = {button.name: button for button in revocation_buttons(case_, subject, at)}
    button = made.get(what)
    return {
        "off": button.off if button else words.not_in_state(REVOCATION.states[case_.state]),
        "ground": words.GROUNDS[case_.ground],
        "losses": losses(case_.membership, at),
    }


def notice_limit(at: datetime) -> Deadline:
    """Return the limit that a notice of intent would have now."""
    days = int(registry.value("hearing_days", at))
    return Deadline.count(event=at, rule="D8", days=days, calendar=calendar_at(at))


def timeline_of(number: str) -> list[dict[str, Any]]:
    """Return the steps and notes of a case."""
    return shown.timeline(queries.events(number), queries.notes(number), names=True)


def may_review(subject: Subject, at: datetime) -> bool:
    """Return whether the reader holds the duty of a reviewer."""
    return may(subject=subject, right=Right.REVIEW, at=at)


def re_review(appeal: Appeal, subject: Subject, at: datetime) -> dict[str, bool]:
    """Return whether this reader may review the appeal, or may not because he took part in the revocation."""
    open_ = appeal.state == APPEAL.initial and may_review(subject, at)
    case = queries.case_of(appeal) if open_ else None
    took_part = case is not None and subject.person in case.decided_by | case.reviewed_by
    return {"may_recommend": open_ and not took_part, "took_part": took_part}


def appeal_off(appeal: Appeal, subject: Subject, at: datetime) -> Bilingual | None:
    """Return why this reader cannot decide an appeal, or None; the policy's own sentence where a rule speaks."""
    if appeal.state in APPEAL.final:
        return words.not_in_state(APPEAL.states[appeal.state])
    try:
        require(subject=subject, right=Right.DECIDE_APPEAL, target=queries.case_of(appeal), at=at)
    except Refusal as refusal:
        return refusal.reason
    if queries.conflict_of(appeal.number, subject.person) is None:
        return words.SENTENCE_DECLARE
    return None


def losses(membership: Membership, at: datetime) -> list[tuple[Bilingual, int]]:
    """Return what ends with a membership, in numbers."""
    counted = queries.reach(membership.organization_id, at)
    return [(words.LOSSES[name], counted[name]) for name in ("people", "tokens", "constituents")]


_AGES = (
    Bilingual(zh="7天內", en="Up to 7 days"),
    Bilingual(zh="8至14天", en="8 to 14 days"),
    Bilingual(zh="15至30天", en="15 to 30 days"),
    Bilingual(zh="超過30天", en="More than 30 days"),
)


def ageing(at: datetime) -> list[tuple[str, int]]:
    """Return the ages of the open cases as rows of a chart."""
    language = get_language() or "zh-hant"
    return [(age.in_language(language), n) for age, n in zip(_AGES, queries.ageing(at=at), strict=True)]
