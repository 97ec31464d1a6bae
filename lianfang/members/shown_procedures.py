"""What the pages of the procedure's editor show: the pages with their questions, what changed, and the preview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from lianfang.accounts.doors import may
from lianfang.charter.queries import in_force
from lianfang.kernel.text import Bilingual
from lianfang.members import procedure_rules as rules
from lianfang.members import procedure_words as words
from lianfang.members import queries, shown
from lianfang.members.forms import StepForm, initial_of
from lianfang.members.models import Application, Procedure, ProcedureDraft
from lianfang.members.procedure import Answers, Spec, Step
from lianfang.members.procedure_forms import pair_words
from lianfang.policy.facts import Right, Subject


def _b(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


# Editions


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition in the list."""

    procedure: Procedure
    state: Bilingual
    tone: str
    drafts: int
    cases: int


def editions(at: datetime) -> list[Edition]:
    """Return every edition, newest first, with the drafts and open cases that keep it."""
    counts, now = queries.cases_by_procedure(), queries.procedure_in_force(at)
    found = []
    for one in queries.procedures():
        state = words.EDITION_NOW if one.pk == now.pk else words.EDITION_OLD
        if one.effective_at > at:
            state = words.EDITION_LATER
        found.append(Edition(one, *state, *counts.get(one.pk, (0, 0))))
    return found


def on_old_editions(at: datetime) -> tuple[int, int]:
    """Return how many drafts and open cases keep an edition that is no longer the one in force."""
    old = [one for one in editions(at) if one.procedure.pk != queries.procedure_in_force(at).pk]
    return sum(one.drafts for one in old), sum(one.cases for one in old)


# The pages of a specification, for the editor and for reading


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question in the list."""

    name: str
    label: Bilingual
    kind: Bilingual
    need: Bilingual
    group: Bilingual | None
    locked: Bilingual | None
    """Why it cannot be removed."""
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """One page in the list."""

    id: str
    title: Bilingual
    number: int
    questions: list[QuestionRow]
    own: bool
    takes: bool
    first: bool
    last: bool
    """Whether it can go no further up or down."""


def pages(raw: rules.Raw) -> list[StepRow]:
    """Return the pages of a specification with their questions."""
    steps = raw["steps"]
    found = []
    for place, step in enumerate(steps):
        ends = place in (0, len(steps) - 1)
        found.append(
            StepRow(
                step["id"], pair_words(step["title"]), place + 1, _questions(raw, step),
                step["id"] not in rules.model_steps(), rules.takes_questions(step["id"]),
                ends or place == 1, ends or place == len(steps) - 2,
            )
        )  # fmt: skip
    return found


def _questions(raw: rules.Raw, step: Mapping[str, Any]) -> list[QuestionRow]:
    fields: Sequence[Mapping[str, Any]] = step["fields"]
    found = []
    for place, field in enumerate(fields):
        need = rules.needed().get((step["id"], field["name"]))
        opens = "group" in field
        next_opens = place + 1 < len(fields) and "group" in fields[place + 1]
        found.append(
            QuestionRow(
                field["name"], pair_words(field["label"]), words.QUESTION_KINDS[field["type"]], _need(raw, field),
                pair_words(field["group"]) if opens else None, need.reason if need else None,
                place == 0 or opens, place == len(fields) - 1 or next_opens,
            )
        )  # fmt: skip
    return found


def _need(raw: rules.Raw, field: Mapping[str, Any]) -> Bilingual:
    rule = field.get("required_if")
    if rule is None:
        return words.NEED_ALWAYS if field.get("required") else words.NEED_OPTIONAL
    asked = _find(raw, rule["step"], rule["field"])
    labels = [pair_words(one["label"]) for one in (asked or {}).get("options", []) if one["value"] in rule["in"]]
    said = _b("、".join(one.zh for one in labels) or "－", ", ".join(one.en for one in labels) or "–")
    return words.NEED_WHEN.format(answers=said)


def _find(raw: rules.Raw, step: str, name: str) -> Mapping[str, Any] | None:
    for one in raw["steps"]:
        if one["id"] == step:
            return next((field for field in one["fields"] if field["name"] == name), None)
    return None


# What changed


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, and the text before and after; an empty side means that it was not there."""

    place: Bilingual
    old: str
    new: str


def changes(old: rules.Raw, new: rules.Raw) -> list[Change]:
    """Return how the second specification differs from the first, in the order of its pages."""
    return [*_head_changes(old, new), *_step_changes(old, new)]


def _head_changes(old: rules.Raw, new: rules.Raw) -> Iterator[Change]:
    for key, place in (("title", words.PLACE_TITLE), ("note", words.PLACE_NOTE)):
        yield from _pair_changes(place, old.get(key), new.get(key))
    for name, place in words.PLACE_PERIODS.items():
        yield from _changed(place, old["periods"].get(name), new["periods"].get(name))
    yield from _changed(words.PLACE_APPROVERS, old.get("approvers", 1), new.get("approvers", 1))


def _step_changes(old: rules.Raw, new: rules.Raw) -> Iterator[Change]:
    before = {step["id"]: step for step in old["steps"]}
    after = {step["id"]: step for step in new["steps"]}
    for name in (name for name in before if name not in after):
        yield Change(words.PLACE_STEP, _both(before[name]["title"]), "")
    kept = [name for name in after if name in before]
    if kept != [name for name in before if name in after]:
        yield Change(
            words.PLACE_ORDER,
            "、".join(step["title"]["zh"] for step in old["steps"]),
            "、".join(step["title"]["zh"] for step in new["steps"]),
        )
    for name, step in after.items():
        title = pair_words(step["title"])
        if name not in before:
            yield Change(words.PLACE_STEP, "", _both(step["title"]))
        first: Mapping[str, Any] = before.get(name, {"title": step["title"], "why": step["why"], "fields": []})
        yield from _pair_changes(title, first["title"], step["title"])
        yield from _changed(_in(title, words.PLACE_WHY), _why(first), _why(step))
        yield from _field_changes(title, first["fields"], step["fields"])


def _why(step: Mapping[str, Any]) -> str:
    return "\n".join(_both(line) for line in step["why"])


def _field_changes(
    title: Bilingual, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    before, after = {one["name"]: one for one in old}, {one["name"]: one for one in new}
    for name in (name for name in before if name not in after):
        yield Change(_in(title, words.PLACE_QUESTION), _both(before[name]["label"]), "")
    if [name for name in after if name in before] != [name for name in before if name in after]:
        yield Change(
            _in(title, words.PLACE_ORDER), "、".join(one["label"]["zh"] for one in old),
            "、".join(one["label"]["zh"] for one in new),
        )  # fmt: skip
    for name, field in after.items():
        if name not in before:
            yield Change(_in(title, words.PLACE_QUESTION), "", _both(field["label"]))
            continue
        first, place = before[name], _in(title, pair_words(field["label"]))
        yield from _pair_changes(place, first["label"], field["label"])
        yield from _pair_changes(_in(place, words.PLACE_HINT), first.get("hint"), field.get("hint"))
        yield from _changed(_in(place, words.PLACE_KIND), first["type"], field["type"])
        yield from _changed(_in(place, words.PLACE_NEED), _need_code(first), _need_code(field))
        yield from _changed(_in(place, words.PLACE_OPTIONS), _options(first), _options(field))
        for key in ("max", "max_files"):
            yield from _changed(_in(place, words.PLACE_MOST), first.get(key), field.get(key))


def _need_code(field: Mapping[str, Any]) -> str:
    rule = field.get("required_if")
    if rule:
        return f"{rule['step']}.{rule['field']} = {', '.join(rule['in'])}"
    return words.NEED_ALWAYS.zh if field.get("required") else words.NEED_OPTIONAL.zh


def _options(field: Mapping[str, Any]) -> str:
    return "、".join(_both(one["label"]) for one in field.get("options", []))


def _both(pair: Mapping[str, str]) -> str:
    return f"{pair.get('zh', '')} / {pair.get('en', '')}"


def _pair_changes(place: Bilingual, old: Any, new: Any) -> Iterator[Change]:
    for language, said in (("zh", words.IN_CHINESE), ("en", words.IN_ENGLISH)):
        yield from _changed(_in(place, said), (old or {}).get(language), (new or {}).get(language))


def _changed(place: Bilingual, old: Any, new: Any) -> Iterator[Change]:
    before, after = ("" if one is None else str(one) for one in (old, new))
    if before != after:
        yield Change(place, before, after)


def _in(place: Bilingual, what: Bilingual) -> Bilingual:
    return _b("{place}：{what}", "{place}: {what}").format(place=place, what=what)


# The draft


@dataclass(frozen=True, slots=True)
class FaultRow:
    """What stands against proposing, and the page where it is cured."""

    reason: Bilingual
    url: str


def fault_rows(raw: rules.Raw) -> list[FaultRow]:
    """Return what stands against proposing a draft, each with the page where it is cured."""
    steps = {step["id"]: {field["name"] for field in step["fields"]} for step in raw["steps"]}
    found = []
    for fault in rules.faults(raw):
        url = ""
        if fault.field in steps.get(fault.step, ()):
            url = reverse("procedure_field", args=[fault.step, fault.field])
        elif fault.step in steps:
            url = reverse("procedure_step", args=[fault.step])
        elif not fault.step and fault.field:
            url = reverse("procedure_general")
        found.append(FaultRow(fault.reason, url))
    return found


def draft_page(draft: ProcedureDraft, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return the draft on one page."""
    edits = may(subject=subject, right=Right.EDIT_CHARTER, at=at)
    approves = may(subject=subject, right=Right.APPROVE, at=at)
    drafts, cases = on_old_editions(at)
    return {
        "draft": draft,
        "state": words.PROCEDURE_STATES[draft.state],
        "pages": pages(draft.spec),
        "faults": fault_rows(draft.spec),
        "changes": changes(draft.base.spec, draft.spec),
        "general": Spec(draft.spec),
        "title": pair_words(draft.spec["title"]),
        "may_edit": edits and draft.state == "draft",
        "may_discard": edits,
        "may_decide": approves and draft.state == "proposed",
        "old_drafts": drafts,
        "old_cases": cases,
    }


# The preview


@dataclass(frozen=True, slots=True)
class Assumption:
    """An answer of another page that the preview can take as given."""

    label: Bilingual
    url: str
    on: bool


def assumed(spec: Spec, chosen: Sequence[str]) -> Answers:
    """Return the answers that a preview takes as given, from `step.field=value` of the address; others are ignored."""
    answers: dict[str, dict[str, Any]] = {}
    for one in chosen:
        place, _equals, value = one.partition("=")
        step, _dot, name = place.partition(".")
        try:
            field = spec.field(step, name)
        except KeyError:
            continue
        if field.option(value) is not None:
            answers.setdefault(step, {})[name] = value
    return answers


def assumptions(spec: Spec, page: Step, answers: Answers) -> list[Assumption]:
    """Return the answers of other pages on which a question of this page depends."""
    found: dict[str, Assumption] = {}
    for field in page.fields:
        rule = field.raw.get("required_if")
        if rule is None or rule["step"] == page.id:
            continue
        asked = spec.field(rule["step"], rule["field"])
        for option in asked.options:
            code = f"{rule['step']}.{rule['field']}={option['value']}"
            on = answers.get(rule["step"], {}).get(rule["field"]) == option["value"]
            if "refuse" not in option:
                found[code] = Assumption(pair_words(option["label"]), f"?as={code}", on)
    return list(found.values())


def preview(
    spec: Spec, page: Step, data: Any, answers: Answers, urls: Mapping[str, str], at: datetime
) -> tuple[str, dict[str, Any]]:
    """Return the applicant's own template and what it is given, for a page of which nothing is kept."""
    form = StepForm(data, step=page, answers=answers, files={}, initial=initial_of(page, answers))
    before = spec.before(page.id)
    ids = [step.id for step in spec.steps]
    number = ids.index(page.id)
    nobody = Application(answers=answers, started_at=at, saved_at=at, expires_at=at, email_proved_at=at)
    context = {
        "preview": True,
        "spec": spec,
        "step": page,
        "form": form,
        "groups": shown.groups(form),
        "faults": shown.roster_faults(form),
        "number": number + 1,
        "back": urls[before.id] if before else "",
        "steps": [
            shown.Mark(step.title, "current" if step.id == page.id else "", urls[step.id]) for step in spec.steps
        ],
        "assumptions": assumptions(spec, page, answers),
        "charter": in_force(kind="charter", at=at),
    }
    if page.id == rules.PROOFS:
        return "members/apply/attachments.html", {**context, "proofs": shown.proofs(page, nobody)}
    if page.id == rules.LAST:
        more = {
            "application": nobody,
            "sections": [shown.Section(step, [], [], [], "") for step in spec.steps if step.id != rules.LAST],
            "documents": shown.documents(at),
            "privacy": in_force(kind="privacy", at=at),
        }
        return "members/apply/review.html", {**context, **more}
    return "members/apply/step.html", context
