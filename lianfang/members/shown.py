"""What the pages of this app show, put together before the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from lianfang.charter.models import DocumentVersion
from lianfang.charter.queries import in_force
from lianfang.kernel.clock import weekday_zh
from lianfang.kernel.deadlines import TAIWAN_OFFICE, last_day
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries, roster, words
from lianfang.members.checking import check, roster_rows
from lianfang.members.forms import StepForm, initial_of
from lianfang.members.lifecycle import APPLICATION
from lianfang.members.models import Application, Attachment, CaseEvent, CaseNote, CorrectionItem
from lianfang.members.procedure import Field, Spec, Step
from lianfang.members.procedure import words as spec_words

NONE = Bilingual(zh="無", en="None")
YES = Bilingual(zh="是", en="Yes")
NO = Bilingual(zh="否", en="No")
ROWS_SHOWN = 200


def short_date(day: date) -> Bilingual:
    """Return a calendar day as `12月23日（三）` and `Wed 23 Dec`."""
    return Bilingual(zh=f"{day.month}月{day.day}日（{weekday_zh(day)[-1]}）", en=f"{day:%a} {day.day} {day:%b}")


@dataclass(frozen=True, slots=True)
class Mark:
    """A step in the list at the left."""

    label: Bilingual
    state: str
    url: str


def steps(spec: Spec, application: Application | None, current: str) -> list[Mark]:
    """Return the list of steps; those of a draft can be opened in any order."""
    done = application.steps_done if application else []
    return [
        Mark(
            step.title,
            "current" if step.id == current else "done" if step.id in done else "",
            reverse("apply_step", args=[step.id]) if application and step.id != "eligibility" else "",
        )
        for step in spec.steps
    ]


def draft_number(application: Application) -> str:
    """Return a short name of a draft for the telephone."""
    letters = application.pk.hex.upper()
    return f"D-{letters[:4]}-{letters[4:6]}"


def expired(application: Application) -> dict[str, Any]:
    """Return what the page of a draft says whose time is over: what was kept, until when, and whether it is erased."""
    erased = application.erased_at is not None
    return {
        "application": application,
        "done": len(application.steps_done),
        "steps": len(queries.spec_of(application).steps),
        "files": application.erased_files if erased else len(queries.files(application)),
    }


@dataclass(frozen=True, slots=True)
class Group:
    """Questions under one heading."""

    title: Bilingual | None
    fields: list[Any]


def groups(form: StepForm) -> list[Group]:
    """Return the form's fields by the headings of the specification."""
    found: list[Group] = []
    for question in form.questions:
        title = question.heading
        if title is not None or not found:
            found.append(Group(title, []))
        found[-1].fields.append(form[question.name])
    return found


def roster_faults(form: StepForm) -> tuple[roster.Fault, ...]:
    """Return what is wrong with which row of the roster in this form, the first 200."""
    for question in form.questions:
        if question.type == "roster":
            text = str(form.data.get(question.name) or form.initial.get(question.name) or "")
            return form.reading(question, text).faults[:ROWS_SHOWN]
    return ()


def kept_rows(application: Application) -> list[roster.Row]:
    """Return the constituents as they are kept, the first 200."""
    return roster_rows(application.answers)[:ROWS_SHOWN]


def first_fault(spec: Spec, page: Step, application: Application) -> Refusal | None:
    """Return the first thing that a page of attachments lacks."""
    faults = check(page, application.answers, {}, queries.file_counts(application))
    for name, reason in faults.items():
        label = spec.field(page.id, name).label
        text = Bilingual(zh="{label}：{reason}", en="{label}: {reason}").format(label=label, reason=reason)
        return Refusal(text, rule="attachment-missing", field=name)
    return None


@dataclass(frozen=True, slots=True)
class Proof:
    """One kind of attachment with what is there."""

    field: Field
    required: bool
    files: list[Attachment]


def proofs(page: Step, application: Application, only: frozenset[str] | None = None) -> list[Proof]:
    """Return the kinds of attachments that are asked for, with their files."""
    files = queries.files(application)
    return [
        Proof(field, field.required(application.answers), [file for file in files if file.proof == field.name])
        for field in page.fields
        if field.type == "file" and (only is None or field.name in only)
    ]


def asked_proofs(application: Application, items: Sequence[CorrectionItem]) -> list[Proof]:
    """Return the kinds of attachments that a correction asks for."""
    wanted = frozenset(item.field for item in items if item.step == "attachments")
    page = queries.spec_of(application).step("attachments")
    return proofs(page, application, wanted) if wanted else []


@dataclass(frozen=True, slots=True)
class Line:
    """One answered question."""

    name: str
    label: Bilingual
    value: Any
    lang: str
    old: Any = None
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """The answers of one step."""

    step: Step
    lines: list[Line]
    files: list[Attachment]
    rows: list[roster.Row]
    url: str


def sections(spec: Spec, application: Application) -> list[Section]:
    """Return every step but the last as it was answered, with the old value where a correction changed it."""
    answers, corrected = application.answers, _corrected(application)
    files = queries.files(application)
    return [
        Section(
            step,
            _lines(step, answers, corrected),
            files if step.id == "attachments" else [],
            roster_rows(answers)[:ROWS_SHOWN] if step.id == "roster" else [],
            reverse("apply_step", args=[step.id]) if step.id != "eligibility" else "",
        )
        for step in spec.steps
        if step.id != "review"
    ]


def _corrected(application: Application) -> dict[tuple[str, str], CorrectionItem]:
    return {(item.step, item.field): item for item in queries.corrections(application) if item.answered_at}


def _lines(step: Step, answers: Mapping[str, Any], corrected: Mapping[tuple[str, str], CorrectionItem]) -> list[Line]:
    given = answers.get(step.id, {})
    found: list[Line] = []
    for field in step.fields:
        if field.type in ("file", "roster") or not field.applies(answers):
            continue
        value, item = given.get(field.name), corrected.get((step.id, field.name))
        if value in ("", None) and item is None:
            continue
        changed = item is not None and item.old_value != value
        found.append(
            Line(
                field.name, step.named(field), answer_words(field, value), str(field.raw.get("lang", "")),
                answer_words(field, item.old_value) if item is not None and changed else None, item is not None,
            )
        )  # fmt: skip
    return found


def answer_words(field: Field, value: Any) -> Any:
    """Return an answer as people read it."""
    if field.type == "tick":
        return YES if value is True else NO
    if field.type in ("radio", "choice"):
        option = field.option(str(value or ""))
        return spec_words(option["label"]) if option else NONE
    return value or NONE


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as it stands beside its tick."""

    title: Bilingual
    version: DocumentVersion
    sha: str
    clauses: list[dict[str, Any]]


def documents(at: datetime) -> list[Shown]:
    """Return charter and privacy notice in force, whole: what is accepted stands above the tick."""
    found = [in_force(kind=kind, at=at) for kind in ("charter", "privacy")]
    return [
        Shown(
            Bilingual(zh=version.title_zh, en=version.title_en),
            version,
            bytes(version.sha256).hex()[:12],
            [{"id": clause["id"], "text": Bilingual(zh=clause["zh"], en=clause["en"])} for clause in version.clauses],
        )
        for version in found
        if version is not None
    ]


def receipt(application: Application) -> dict[str, Any]:
    """Return what the receipt says."""
    spec = queries.spec_of(application)
    sent = application.submitted_form or {}
    return {
        "application": application,
        "attestation": application.attestations.order_by("at").first(),
        "form_sha256": bytes(application.submitted_sha256 or b"").hex(),
        "charter_sha256": bytes(application.charter.sha256).hex() if application.charter else "",
        "privacy_sha256": bytes(application.privacy_notice.sha256).hex() if application.privacy_notice else "",
        "files": sent.get("files", []),
        "rows": len(sent.get("answers", {}).get("roster", {}).get("rows", [])),
        "kind": words.KINDS[application.kind],
        "review_until": last_day(application.submitted_at or application.saved_at, spec.review_days, TAIWAN_OFFICE),
        "case_url": reverse("apply_case", args=[application.secret]),
    }


def applicants_case(application: Application) -> dict[str, Any]:
    """Return the applicant's page: state, clock, items, letters, messages."""
    number = application.number or ""
    return {
        "application": application,
        "state": APPLICATION.states[application.state],
        "tone": words.STATE_TONES[application.state],
        "open_items": queries.open_corrections(application),
        "items": queries.corrections(application),
        "labels": correction_labels(application),
        "decisions": queries.decisions(application=application),
        "timeline": timeline(
            [event for event in queries.events(number) if event.event in _SHOWN_TO_APPLICANTS],
            queries.notes(number, to_applicant=True),
            names=False,
        ),
        "may_withdraw": application.state in APPLICATION["withdraw"].sources,
    }


_SHOWN_TO_APPLICANTS = frozenset(
    {"submitted", "taken_up", "correction_requested", "correction_answered", "approved", "rejected", "withdrawn"}
)


def correction_labels(application: Application) -> dict[str, Bilingual]:
    """Return the question that each correction is about, by the item's id."""
    spec = queries.spec_of(application)
    return {
        str(item.pk): spec.step(item.step).named(spec.field(item.step, item.field))
        for item in queries.corrections(application)
    }


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """The form of one step with the asked-for fields, and the items it answers."""

    step: Step
    form: StepForm
    items: list[CorrectionItem]


def correction_pages(application: Application, items: Sequence[CorrectionItem], data: Any) -> list[CorrectionPage]:
    """Return the forms in which corrections are answered.

    A correction of the roster, or of what the attestation covers, asks for the attestation again.
    """
    spec = queries.spec_of(application)
    wanted: dict[str, list[CorrectionItem]] = {}
    for item in items:
        wanted.setdefault(item.step, []).append(item)
    if "roster" in wanted or any(item.field in ("name_zh", "ubn") for item in wanted.get("organization", [])):
        wanted.setdefault("attestation", [])
    answers, files = application.answers, queries.file_counts(application)
    pages = []
    for step in spec.steps:
        if step.id not in wanted or step.id == "attachments":
            continue
        asked = wanted[step.id]
        fields = {item.field for item in asked} | ({"confirmed"} if step.id == "attestation" else set())
        initial = initial_of(step, answers)
        if step.id == "attestation":
            initial["confirmed"] = False
        form = StepForm(data, step=step, answers=answers, files=files, only=fields, initial=initial)
        pages.append(CorrectionPage(step, form, asked))
        # Later pages are judged by what earlier ones of the same answer say.
        if data is not None:
            answers = {**answers, step.id: form.raw}
    return pages


def timeline(events: Sequence[CaseEvent], notes: Sequence[CaseNote], *, names: bool) -> list[dict[str, Any]]:
    """Return a case's steps and notes as one line of time, newest first."""
    entries = [
        {
            "title": words.EVENTS[event.event],
            "at": event.at,
            "by": (event.by.name if event.by and names else ""),
            "kind": "key" if event.event in words.KEY_EVENTS else "",
            "quote": "",
        }
        for event in events
    ]
    for note in notes:
        title = words.NOTE_INTERNAL
        if note.to_applicant:
            title = words.NOTE_TO_APPLICANT if note.by_id else words.NOTE_FROM_APPLICANT
        by = note.by.name if note.by and names else ""
        entries.append({"title": title, "at": note.at, "by": by, "kind": "", "quote": note.text})
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)
