"""Forms of the procedure's editor: every text in both languages; each form carries the revision of the draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.kernel.clock import TAIPEI
from lianfang.kernel.text import Bilingual
from lianfang.members import procedure_rules as rules
from lianfang.members import procedure_words as words
from lianfang.members.forms import said
from lianfang.members.procedure import words as spec_words
from lianfang.members.procedure_edits import Question

_BLANK_OPTIONS = 3
_NEEDED = "always", "optional", "when"


def _line(label: Any, most: int, *, required: bool = True, english: bool = False) -> forms.CharField:
    attrs = {"lang": "en"} if english else {"lang": "zh-Hant-TW"}
    return forms.CharField(label=label, max_length=most, required=required, widget=forms.TextInput(attrs=attrs))


def _block(
    label: Any, most: int, *, required: bool = True, english: bool = False, help_text: Any = ""
) -> forms.CharField:
    attrs = {"lang": "en" if english else "zh-Hant-TW", "rows": "3"}
    return forms.CharField(
        label=label, max_length=most, required=required, widget=forms.Textarea(attrs=attrs), help_text=help_text
    )


class DraftForm(forms.Form):
    """What every form of the editor carries."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class GeneralForm(DraftForm):
    """What holds for the whole procedure."""

    title_zh = _line(_("Title in Chinese"), rules.LONGEST["title"])
    title_en = _line(_("Title in English"), rules.LONGEST["title"], english=True)
    note_zh = _block(_("Note in Chinese"), rules.LONGEST["note"], required=False)
    note_en = _block(_("Note in English"), rules.LONGEST["note"], required=False, english=True)
    review_days = forms.IntegerField(
        label=_("Days for the review"), min_value=1, max_value=365, widget=forms.NumberInput(attrs={"class": "w-4 num"})
    )
    correction_days = forms.IntegerField(
        label=_("Days for a correction"),
        min_value=5,
        max_value=180,
        widget=forms.NumberInput(attrs={"class": "w-4 num"}),
    )
    approvers = forms.TypedChoiceField(
        label=_("How many approvers does an approval need?"),
        help_text=_("With two, neither of them reviewed the case."),
        coerce=int,
        choices=[(1, _("One")), (2, _("Two"))],
        widget=forms.RadioSelect,
    )

    def values(self) -> dict[str, Any]:
        """Return what `procedure_edits.general` takes."""
        given = self.cleaned_data
        numbers = {name: given[name] for name in ("review_days", "correction_days", "approvers")}
        return {"title": _pair(given, "title"), "note": _pair(given, "note"), **numbers}


class StepHeadForm(DraftForm):
    """The heading of a page, and why it asks."""

    title_zh = _line(_("Title in Chinese"), rules.LONGEST["title"])
    title_en = _line(_("Title in English"), rules.LONGEST["title"], english=True)
    why_zh = _block(
        _("Why we ask, in Chinese"), 2000, help_text=_("One line for each sentence; the same number in both languages.")
    )
    why_en = _block(_("Why we ask, in English"), 2000, english=True)

    def clean(self) -> dict[str, Any]:
        """A sentence has its twin."""
        given = super().clean() or {}
        if len(_lines(given.get("why_zh"))) != len(_lines(given.get("why_en"))) and not self.errors:
            self.add_error("why_en", _("Write as many lines in English as in Chinese."))
        return given

    def values(self) -> dict[str, Any]:
        """Return what `procedure_edits.set_step` takes."""
        given = self.cleaned_data
        pairs = zip(_lines(given["why_zh"]), _lines(given["why_en"]), strict=True)
        return {"title": _pair(given, "title"), "why": [{"zh": zh, "en": en} for zh, en in pairs]}


class QuestionForm(DraftForm):
    """One question: kind, words, help, whether it is needed, options. Of a needed one only its words can be changed."""

    def __init__(self, *args: Any, raw: rules.Raw, step: str, name: str, **kwargs: Any) -> None:
        self.raw, self.step, self.name = raw, step, name
        self.old: Mapping[str, Any] = _field_of(raw, step, name) if name else {}
        self.own = not name or rules.model_field(step, name) is None
        self.droppable = not self.own and (step, name) not in rules.needed()
        kwargs.setdefault("initial", self._initial())
        super().__init__(*args, **kwargs)
        self._add_kind()
        self.fields["label_zh"] = _block(_("Question in Chinese"), rules.LONGEST["label"])
        self.fields["label_en"] = _block(_("Question in English"), rules.LONGEST["label"], english=True)
        self.fields["hint_zh"] = _block(_("Help in Chinese"), rules.LONGEST["hint"], required=False)
        self.fields["hint_en"] = _block(_("Help in English"), rules.LONGEST["hint"], required=False, english=True)
        self._add_need()
        self._add_most()
        self._add_options()

    def _add_kind(self) -> None:
        kinds = rules.kinds_for(self.step)
        if self.own and len(kinds) > 1:
            self.fields["kind"] = forms.ChoiceField(
                label=_("Kind of question"), choices=[(kind, said(words.QUESTION_KINDS[kind])) for kind in kinds]
            )

    def _add_need(self) -> None:
        if not self.own and not (self.droppable and "required_if" not in self.old):
            return
        names = {"always": _("Always"), "optional": _("It may be left empty"), "when": _("Only after these answers")}
        offered = _NEEDED if self.own else _NEEDED[:2]
        self.fields["needed"] = forms.ChoiceField(
            label=_("Must it be answered?"),
            choices=[(one, names[one]) for one in offered],
            widget=forms.RadioSelect,
            initial="always",
        )
        if self.own:
            self.fields["when"] = forms.MultipleChoiceField(
                label=_("Answers after which it is asked"),
                help_text=_("All of one question. Only with “Only after these answers”."),
                choices=conditions(self.raw, self.step, self.name),
                required=False,
                widget=forms.SelectMultiple(attrs={"size": "8"}),
            )

    def _add_most(self) -> None:
        if self.step == rules.PROOFS or self.own:
            label = _("Most files") if self.step == rules.PROOFS else _("Most characters of a text")
            most = rules.MOST_FILES if self.step == rules.PROOFS else 5000
            self.fields["most"] = forms.IntegerField(
                label=label, min_value=1, max_value=most, required=False,
                widget=forms.NumberInput(attrs={"class": "w-4 num"}),
            )  # fmt: skip

    def _add_options(self) -> None:
        options: Sequence[Any] = self.old.get("options", [])
        choosing = self.own and self.step != rules.PROOFS
        if not options and not choosing:
            return
        free = self.own or (self.step, self.name) in rules.FREE_OPTIONS
        self.option_rows = len(options) + (_BLANK_OPTIONS if free else 0)
        for place in range(self.option_rows):
            value = options[place]["value"] if place < len(options) else ""
            self.fields[f"option{place}_value"] = forms.CharField(
                required=False, max_length=32, widget=forms.HiddenInput, initial=value
            )
            most = rules.LONGEST["option"]
            self.fields[f"option{place}_zh"] = _line(_("Option in Chinese"), most, required=not free)
            self.fields[f"option{place}_en"] = _line(_("Option in English"), most, required=not free, english=True)

    option_rows = 0

    @property
    def rows(self) -> list[tuple[int, forms.BoundField, forms.BoundField, forms.BoundField]]:
        """The fields of each option."""
        return [
            (place + 1, self[f"option{place}_value"], self[f"option{place}_zh"], self[f"option{place}_en"])
            for place in range(self.option_rows)
        ]

    @property
    def plain(self) -> list[forms.BoundField]:
        """The fields that are no options."""
        return [field for field in self if not field.name.startswith("option") and not field.is_hidden]

    def _initial(self) -> dict[str, Any]:
        old = self.old
        found: dict[str, Any] = {}
        for key in ("label", "hint"):
            for language in ("zh", "en"):
                found[f"{key}_{language}"] = old.get(key, {}).get(language, "")
        found["kind"] = old.get("type", "text")
        rule = old.get("required_if")
        found["needed"] = "when" if rule else "always" if old.get("required", True) else "optional"
        found["when"] = [f"{rule['step']}.{rule['field']}={value}" for value in rule["in"]] if rule else []
        found["most"] = old.get("max_files") if self.step == rules.PROOFS else old.get("max")
        for place, option in enumerate(old.get("options", [])):
            for language in ("zh", "en"):
                found[f"option{place}_{language}"] = option["label"][language]
        return found

    def clean(self) -> dict[str, Any]:
        """A condition names answers of one question; an option stands in both languages."""
        given = super().clean() or {}
        if given.get("needed") == "when":
            places = {one.partition("=")[0] for one in given.get("when", [])}
            if len(places) != 1:
                self.add_error("when", _("Choose answers of one question."))
        for place in range(self.option_rows):
            zh, en = (str(given.get(f"option{place}_{language}") or "") for language in ("zh", "en"))
            if bool(zh) != bool(en):
                self.add_error(f"option{place}_{'en' if zh else 'zh'}", _("Write it in both languages."))
        if self._kind(given) in rules.CHOOSING and not self._options(given) and not self.errors:
            self.add_error("option0_zh", _("A choice needs an option."))
        return given

    def question(self) -> Question:
        """Return what `procedure_edits` takes."""
        given = self.cleaned_data
        need = given.get("needed", "optional")
        when = None
        if need == "when":
            step, _dot, field = given["when"][0].partition("=")[0].partition(".")
            when = (step, field, tuple(one.partition("=")[2] for one in given["when"]))
        return Question(
            label=_pair(given, "label"),
            hint=_pair(given, "hint") if given.get("hint_zh") or given.get("hint_en") else None,
            kind=self._kind(given),
            required=need == "always",
            when=when,
            options=self._options(given),
            most=given.get("most"),
        )

    def _kind(self, given: Mapping[str, Any]) -> str:
        kinds = rules.kinds_for(self.step)
        return str(given.get("kind") or (kinds[0] if self.own and kinds else self.old.get("type", "text")))

    def _options(self, given: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
        rows = [
            (str(given.get(f"option{place}_value") or ""), _pair(given, f"option{place}"))
            for place in range(self.option_rows)
        ]
        return [(value, pair) for value, pair in rows if pair["zh"] and pair["en"]]


class ProposeForm(DraftForm):
    """What changes and why, and from when on."""

    reason = _block(_("What changes, and why"), 1000)
    effective_at = forms.DateTimeField(
        label=_("Takes effect"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Taipei time. Empty: as soon as the second approver agrees."),
    )

    def clean_effective_at(self) -> datetime | None:
        """Take what was typed as Taipei time."""
        typed: datetime | None = self.cleaned_data["effective_at"]
        return typed.replace(tzinfo=TAIPEI) if typed and typed.tzinfo is None else typed


def conditions(raw: rules.Raw, step: str, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the answers on which a question can depend: those of choices on its page and before it."""
    found = []
    for one in raw["steps"]:
        for field in one["fields"]:
            if field["type"] in rules.CHOOSING and (one["id"], field["name"]) != (step, name):
                options = [
                    (f"{one['id']}.{field['name']}={option['value']}", said(spec_words(option["label"])))
                    for option in field.get("options", [])
                    if "refuse" not in option
                ]
                found.append((said(spec_words(field["label"])), options))
        if one["id"] == step:
            break
    return found


def _field_of(raw: rules.Raw, step: str, name: str) -> Mapping[str, Any]:
    for one in raw["steps"]:
        for field in one["fields"]:
            if (one["id"], field["name"]) == (step, name):
                found: Mapping[str, Any] = field
                return found
    return {}


def _pair(given: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the two halves of a text, as single lines where they were typed as one."""
    return {language: " ".join(str(given.get(f"{name}_{language}") or "").split()) for language in ("zh", "en")}


def _lines(text: Any) -> list[str]:
    return [" ".join(line.split()) for line in str(text or "").splitlines() if line.strip()]


def pair_words(pair: Mapping[str, str]) -> Bilingual:
    """Return two halves as one text, also where nothing is written yet."""
    return Bilingual(zh=pair.get("zh") or "－", en=pair.get("en") or "–")
