"""Forms of this app; the application's own are made from the specification in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changing, pictures, roster, words
from lianfang.members.checking import Files, applicant_row, check, roster_hash
from lianfang.members.procedure import Answers, Field, Spec, Step
from lianfang.members.procedure import words as spec_words
from lianfang.members.purposes import MEANINGS, PURPOSES

_WITH_CLAUSE = Bilingual(zh="{words}（{clause}）", en="{words} ({clause})")


def said(text: Bilingual) -> str:
    """Return a bilingual text in the language of the page."""
    return text.in_language(get_language() or "zh-hant")


class Hinted(str):
    """The label of a choice with a line below it, shown by the product's widget template."""

    __slots__ = ("hint",)

    hint: str

    @classmethod
    def of(cls, option: Mapping[str, Any]) -> Hinted:
        """Make one from an option of a specification."""
        made = cls(said(spec_words(option["label"])))
        made.hint = said(spec_words(option["hint"])) if "hint" in option else ""
        return made


class StepForm(forms.Form):
    """One page of the application, made from the specification; `raw` is what was typed, to be kept as it is.

    Its rules are `checking.check`, the same that are asked at submission.
    """

    # A page is saved as it is, so the browser must not hold back what is not complete yet.
    use_required_attribute = False

    def __init__(
        self,
        *args: Any,
        step: Step,
        answers: Answers,
        files: Files,
        only: Collection[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.step, self.answers, self.file_counts = step, answers, files
        self.questions = [
            field
            for field in step.fields
            if field.type != "file" and field.applies(answers) and (only is None or field.name in only)
        ]
        for field in self.questions:
            self.fields[field.name] = _form_field(field, required=field.required(answers))

    @property
    def raw(self) -> dict[str, Any]:
        """What was typed, kept beside the answers of this step that this form does not ask for."""
        typed = {field.name: self._typed(field) for field in self.questions if field.type != "roster"}
        kept = dict(self.answers.get(self.step.id, {}))
        for field in self.questions:
            if field.type == "roster":
                kept |= self._read_roster(field)
        return {**kept, **typed}

    def changes(self) -> dict[str, Any]:
        """Return the answers to this form's questions alone, for a correction."""
        names = {field.name for field in self.questions}
        if any(field.type == "roster" for field in self.questions):
            names |= {"rows", "typed"}
        return {name: value for name, value in self.raw.items() if name in names}

    def _typed(self, field: Field) -> Any:
        if field.type == "tick":
            return field.name in self.data
        return _text_of(self.data.get(field.name)).strip()

    def _read_roster(self, field: Field) -> dict[str, Any]:
        """A roster is taken over whole or not at all; what could not be read is kept as typed."""
        text = _text_of(self.data.get(field.name))
        reading = self.reading(field, text)
        if reading.faults:
            return {"typed": text}
        return {"typed": "", "rows": [{"name": row.name, "ubn": row.ubn} for row in reading.rows]}

    def reading(self, field: Field, text: str) -> roster.Reading:
        """Return how a typed roster reads, for the page's table of faults."""
        return roster.read(text, applicant=applicant_row(self.answers), most=int(field.raw.get("max_rows", 5000)))

    def clean(self) -> dict[str, Any]:
        """Ask the rules of the step; only faults of this form's own questions are shown."""
        values = {**self.raw, **self._fresh_attestation()}
        for name, reason in check(self.step, self.answers, values, self.file_counts).items():
            if name in self.fields:
                self.add_error(name, said(reason))
        return self.cleaned_data

    def _fresh_attestation(self) -> dict[str, str]:
        """The tick that is being sent covers the roster as it is at this moment."""
        return {"roster_hash": roster_hash(self.answers)} if self.step.id == "attestation" else {}


def initial_of(step: Step, answers: Answers) -> dict[str, Any]:
    """Return what a step's form shows: what was typed last, right or wrong."""
    kept = dict(answers.get(step.id, {}))
    for field in step.fields:
        if field.type == "roster":
            kept[field.name] = kept.get("typed") or roster.text_of(kept.get("rows", []))
    return kept


def _text_of(value: Any) -> str:
    """Return what was typed, with plain line ends, and without NUL, which no column of text can hold."""
    return str(value or "").replace("\r\n", "\n").replace("\x00", "")


class _Lenient(forms.Field):
    """A field that takes what was typed; `checking` judges it."""

    def validate(self, value: Any) -> None:
        """Leave the judgement to `checking`."""


def _form_field(field: Field, *, required: bool) -> forms.Field:
    made = _BUILDERS.get(field.type, _text)(field)
    made.label, made.help_text = said(field.label), said(field.hint) if field.hint else ""
    # The page says which questions may be left out; `checking` says what is missing, and nothing typed is thrown away.
    made.required = required
    return made


def _text(field: Field) -> forms.Field:
    attrs = {name: str(field.raw[name]) for name in ("autocomplete", "lang") if name in field.raw}
    if "width" in field.raw:
        attrs["class"] = str(field.raw["width"])
    if field.type in ("ubn", "stock_code"):
        attrs |= {"inputmode": "numeric", "class": f"{attrs.get('class', '')} num".strip(), "autocomplete": "off"}
    if field.type == "phone":
        attrs["inputmode"] = "tel"
    kind: type[forms.Widget] = forms.EmailInput if field.type == "email" else forms.TextInput
    return _Lenient(widget=kind(attrs=attrs))


def _choice(field: Field) -> forms.Field:
    blank = [("", said(Bilingual(zh="請選擇", en="Choose")))]
    listed = [(option["value"], said(spec_words(option["label"]))) for option in field.options]
    return _Lenient(widget=forms.Select(choices=blank + listed))


def _radio(field: Field) -> forms.Field:
    return _Lenient(widget=forms.RadioSelect(choices=[(o["value"], Hinted.of(o)) for o in field.options]))


def _tick(_: Field) -> forms.Field:
    return _Lenient(widget=forms.CheckboxInput())


def _roster(_: Field) -> forms.Field:
    return _Lenient(widget=forms.Textarea(attrs={"rows": "12", "spellcheck": "false", "class": "mono t14"}))


def _long(_: Field) -> forms.Field:
    return _Lenient(widget=forms.Textarea(attrs={"rows": "5"}))


def _number(_: Field) -> forms.Field:
    return _Lenient(widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-8 num", "autocomplete": "off"}))


def _date(_: Field) -> forms.Field:
    return _Lenient(widget=forms.TextInput(attrs={"class": "w-8 num", "placeholder": "2026-11-01"}))


_BUILDERS = {
    "long": _long,
    "number": _number,
    "date": _date,
    "choice": _choice,
    "radio": _radio,
    "tick": _tick,
    "roster": _roster,
}


# Staff


class ConflictForm(forms.Form):
    """Declaration of a conflict of interest; neither answer is chosen for anybody."""

    conflict = forms.ChoiceField(
        label=_("Do you have a conflict of interest in this case?"),
        choices=[("no", _("No, none")), ("yes", _("Yes; I take no part in this case"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    reason = forms.CharField(
        label=_("What it is"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": "3"})
    )


class AuthorityForm(forms.Form):
    """How the authority to sign was checked."""

    method = forms.ChoiceField(
        label=_("How was it checked?"), widget=forms.RadioSelect, error_messages={"required": _("Choose one.")}
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": "3"}))

    def __init__(self, *args: Any, spec: Spec, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        method: Any = self.fields["method"]
        method.choices = [(option["value"], said(spec_words(option["label"]))) for option in spec.authority_methods]


class ScreeningForm(forms.Form):
    """The list that was used, for all rows that are recorded at once."""

    source = forms.CharField(label=_("List that was used"), max_length=120)
    list_date = forms.DateField(
        label=_("Date of the list"),
        help_text=_("Write it as 2026-11-01."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num", "placeholder": ""}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01.")},
    )
    rest_clear = forms.BooleanField(
        label=_("All rows not chosen below gave nothing: record them as clear"), required=False
    )


class FindingForm(forms.Form):
    """What one row gave."""

    result = forms.ChoiceField(required=False, widget=forms.Select)
    judged = forms.BooleanField(required=False)
    note = forms.CharField(required=False, max_length=4000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        result: Any = self.fields["result"]
        listed = ("clear", "name_hit", "id_hit", "unverifiable")
        result.choices = [("", "–"), *[(name, said(words.SCREENING[name])) for name in listed]]


class ReasonForm(forms.Form):
    """Coded reasons of a recommendation or decision, and a word of explanation."""

    reasons = forms.MultipleChoiceField(
        label=_("Reasons"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose a reason.")}
    )
    text = forms.CharField(
        label=_("Explanation, printed in the letter"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
    )

    def __init__(self, *args: Any, spec: Spec, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons: Any = self.fields["reasons"]
        reasons.choices = [
            (reason["value"], said(_WITH_CLAUSE.format(words=spec_words(reason["label"]), clause=reason["clause"])))
            for reason in spec.reasons(kind)
        ]


def _basis() -> forms.CharField:
    """What a decision rests on beside the clauses, on the form of every decision (charter art. 6)."""
    return forms.CharField(
        label=_("What else it rests on (Charter 6)"),
        help_text=_("Law, custom or good faith beside the clauses. Printed in the letter."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "2"}),
    )


class SignedReasonForm(ReasonForm):
    """Coded reasons, explanation and basis of a decision about an application."""

    basis = _basis()


class NoteForm(forms.Form):
    """A note or a message."""

    text = forms.CharField(
        label=_("Text"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "3"}),
        error_messages={"required": _("Write something.")},
    )


class RevocationForm(forms.Form):
    """Ground and facts of a revocation."""

    ground = forms.ChoiceField(
        label=_("Ground"), widget=forms.RadioSelect, error_messages={"required": _("Choose the ground.")}
    )
    facts = forms.CharField(
        label=_("Facts of the case"),
        help_text=_("What happened, when, and where it is recorded. Printed in the letter."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "8"}),
        error_messages={"required": _("State the facts.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ground: Any = self.fields["ground"]
        ground.choices = [(code, said(text)) for code, text in words.GROUNDS.items()]


class NoticeForm(RevocationForm):
    """A notice of intent: ground, facts, and what the member may say or correct."""

    text = forms.CharField(
        label=_("Facts, and what the member may say or correct"),
        help_text=_("Mailed to the administrators with the limit (N8)."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "8"}),
        error_messages={"required": _("Write something.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["facts"]


class StatementForm(forms.Form):
    """What a member says to a notice of intent."""

    text = forms.CharField(
        label=_("Your statement"),
        help_text=_("What happened from your side, or what you corrected. It is stamped with the time of receipt."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "8"}),
        error_messages={"required": _("Write your statement.")},
    )


class RecommendAppealForm(forms.Form):
    """What the re-review found."""

    what = forms.ChoiceField(
        label=_("Recommendation"), widget=forms.RadioSelect, error_messages={"required": _("Choose one.")}
    )
    findings = forms.CharField(
        label=_("What the re-review found"),
        help_text=_("Facts, what the appeal says, and how both fit. It stays inside."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "6"}),
        error_messages={"required": _("Write what the review found.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what: Any = self.fields["what"]
        what.choices = [(code, said(text)) for code, text in words.APPEAL_RECOMMENDED.items()]


class PostForm(forms.Form):
    """The day on which a letter arrived by registered post."""

    day = forms.DateField(
        label=_("Day of arrival"),
        help_text=_("Write it as 2026-11-01."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num", "placeholder": ""}, format="%Y-%m-%d"),
        error_messages={
            "invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01."),
            "required": _("Give the day of arrival."),
        },
    )
    reference = forms.CharField(
        label=_("Number of the registered post"),
        max_length=40,
        error_messages={"required": _("Give the number of the registered post.")},
    )


class TerminationForm(forms.Form):
    """Why a membership shall end, and what becomes of what was received."""

    reason = forms.CharField(
        label=_("Why your organisation cannot go on"),
        help_text=_("Two people of the coordination centre read it and decide."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "6"}),
        error_messages={"required": _("Say why the membership is to end.")},
    )
    handling = forms.ChoiceField(
        label=_("What becomes of the intelligence that you received"),
        choices=[
            ("destroy", _("We destroy it and confirm that")),
            ("return", _("We return it and confirm that nothing is left")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )


class RecommendTerminationForm(forms.Form):
    """What the review of a request to leave found."""

    what = forms.ChoiceField(
        label=_("Recommendation"), widget=forms.RadioSelect, error_messages={"required": _("Choose one.")}
    )
    findings = forms.CharField(
        label=_("What the review found"),
        help_text=_("Who asked and with what authority, open cases and duties. It stays inside."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "6"}),
        error_messages={"required": _("Write what the review found.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what: Any = self.fields["what"]
        what.choices = [(code, said(text)) for code, text in words.TERMINATION_RECOMMENDED.items()]


class DecisionForm(forms.Form):
    """A word on a decision."""

    text = forms.CharField(
        label=_("Reasons of the decision, printed in the letter"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
    )
    basis = _basis()


class AppealDecisionForm(DecisionForm):
    """A decision on an appeal: a restoration names why (charter 1.4)."""

    because = forms.ChoiceField(
        label=_("If granted: why"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    field_order = ("because", "text", "basis")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        because: Any = self.fields["because"]
        because.choices = [(code, said(text)) for code, text in words.BECAUSE.items()]


class CalendarForm(forms.Form):
    """A new edition of the office calendar; the file itself is read beside it."""

    edition = forms.CharField(label=_("Edition"), max_length=40, help_text=_("Such as tw-office-2027."))
    source = forms.CharField(label=_("Source"), max_length=200, help_text=_("Number and date of the announcement."))
    text = forms.CharField(
        label=_("Calendar as CSV"),
        help_text=_("Columns 西元日期 and 是否放假 as published (2 rest, 0 work), or date and off. Whole years."),
        max_length=400000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": "8", "class": "mono t14", "spellcheck": "false"}),
    )


class HoldForm(forms.Form):
    """A case to be held."""

    case = forms.CharField(label=_("Case no."), max_length=36)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "3"}),
        error_messages={"required": _("Give the reason.")},
    )


class MaskForm(forms.Form):
    """Up to four rectangles on a picture, in percent of its width and height; an empty row is none."""

    SIDES = ("left", "top", "width", "height")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"left": _("Left"), "top": _("Top"), "width": _("Width"), "height": _("Height")}
        for number in range(1, pictures.MOST_BOXES + 1):
            for side in self.SIDES:
                self.fields[f"{side}{number}"] = forms.FloatField(
                    label=labels[side],
                    min_value=0,
                    max_value=100,
                    required=False,
                    widget=forms.NumberInput(
                        attrs={
                            "class": "inp num",
                            "step": "any",
                            "min": 0,
                            "max": 100,
                            "data-mask": f"{side}{number}",
                        }
                    ),
                )

    def rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        """The fields of each rectangle."""
        numbers = range(1, pictures.MOST_BOXES + 1)
        return [(number, [self[f"{side}{number}"] for side in self.SIDES]) for number in numbers]

    def clean(self) -> dict[str, Any]:
        """A row is whole or empty, and covers something."""
        cleaned = super().clean() or {}
        for number in range(1, pictures.MOST_BOXES + 1):
            row = {side: cleaned.get(f"{side}{number}") for side in self.SIDES}
            if all(value is None for value in row.values()):
                continue
            for side, value in row.items():
                if (
                    value is None or (not value and side in ("width", "height"))
                ) and f"{side}{number}" not in self.errors:
                    self.add_error(f"{side}{number}", _("Give all four numbers; width and height are above 0."))
        return cleaned

    def boxes(self) -> tuple[pictures.Box, ...]:
        """Return the rectangles of the whole rows."""
        rows = [[self.cleaned_data.get(field.name) for field in fields] for _number, fields in self.rows()]
        return tuple(pictures.Box(*row) for row in rows if None not in row)  # type: ignore[arg-type]


class MultipleFileInput(forms.ClearableFileInput):
    """A file input for several files at once."""

    allow_multiple_selected = True


class AppealForm(forms.Form):
    """An appeal: its text, and files."""

    text = forms.CharField(
        label=_("Reasons of the appeal"),
        help_text=_("Special circumstances or an explanation. It is stamped with the time at which we receive it."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "10"}),
        error_messages={"required": _("Write the reasons of the appeal.")},
    )


def cleaned_date(value: Any) -> date:
    """Return a cleaned date. Raises Refusal for anything else."""
    if isinstance(value, date):
        return value
    raise Refusal(Bilingual(zh="請寫成2026-11-01。", en="Write 2026-11-01."), field="list_date")


def as_errors(form: forms.Form, refusal: Refusal) -> None:
    """Show a refusal where it belongs: at its field, or above the form."""
    if refusal.field in form.fields:
        form.add_error(refusal.field, said(refusal.reason))
    else:
        form.add_error(None, said(refusal.reason))


# Changes of a member's data


class FactsForm(StepForm):
    """The facts about an organisation as they shall be; only what was changed is judged."""

    def __init__(self, *args: Any, spec: Spec, before: Mapping[str, str], **kwargs: Any) -> None:
        self.spec, self.before = spec, before
        data = args[0] if args else kwargs.get("data")
        kind = str(data.get("kind", "")) if data else before.get("kind", "")
        answers = {"eligibility": {"kind": kind}, "organization": dict(before)}
        super().__init__(
            *args, step=changing.facts_step(spec), answers=answers, files={}, initial=dict(before), **kwargs
        )

    def clean(self) -> dict[str, Any]:
        """Ask the same rules as an application does, of what differs."""
        for name, reason in changing.faults(self.spec, self.before, self.differing()).items():
            if name in self.fields:
                self.add_error(name, said(reason))
        return self.cleaned_data

    def differing(self) -> dict[str, list[str]]:
        """Return what was changed, old and new."""
        return changing.changed(self.before, {name: self.raw.get(name, "") for name in self.fields})


MORE_PEOPLE = (None, "second", "third", "fourth")
"""Prefixes of the forms of one request: so many people can be replaced in it."""


class PersonForm(forms.Form):
    """Somebody takes the place of an administrator or a security contact."""

    use_required_attribute = False

    replace = forms.ChoiceField(label=_("Replace"), required=False)
    new_name = forms.CharField(label=_("Name of the new person"), required=False, max_length=60)
    new_title = forms.CharField(label=_("Title"), required=False, max_length=60)
    new_email = forms.CharField(label=_("E-mail"), required=False, max_length=254, widget=forms.EmailInput)
    new_phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)
    stays = forms.BooleanField(label=_("The former person stays with us as a member"), required=False)

    def __init__(self, *args: Any, people: Collection[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        replace: Any = self.fields["replace"]
        replace.choices = [("", said(Bilingual(zh="不更換人員", en="Nobody"))), *people]

    def clean(self) -> dict[str, Any]:
        """A new person replaces somebody, and whoever is replaced is so by somebody."""
        cleaned = super().clean() or {}
        if any(cleaned.get(f"new_{name}") for name in ("name", "email")) and not cleaned.get("replace"):
            self.add_error("replace", said(changing.NOBODY))
        return cleaned


class ContactForm(forms.Form):
    """Contacts that end, and one person who is named for one purpose or several."""

    use_required_attribute = False

    ends = forms.MultipleChoiceField(
        label=_("No longer"), required=False, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )  # fmt: skip
    purposes = forms.MultipleChoiceField(
        label=_("Name somebody as"), required=False, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )  # fmt: skip
    contact_name = forms.CharField(label=_("Name of the contact"), required=False, max_length=60)
    contact_title = forms.CharField(label=_("Title or unit"), required=False, max_length=60)
    contact_email = forms.CharField(label=_("E-mail"), required=False, max_length=254, widget=forms.EmailInput)
    contact_phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)

    def __init__(self, *args: Any, held: Collection[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ends: Any = self.fields["ends"]
        ends.choices = list(held)
        if not held:
            del self.fields["ends"]
        purposes: Any = self.fields["purposes"]
        purposes.choices = [(one, f"{said(words)}：{said(MEANINGS[one])}") for one, words in PURPOSES.items()]


class WhyForm(forms.Form):
    """What goes with every change."""

    reason = forms.CharField(
        label=_("Occasion of the change"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "3"}),
    )
    own_reference = forms.CharField(label=_("Your own reference"), required=False, max_length=40)


class AcceptForm(forms.Form):
    """Charter and privacy notice are accepted again; nothing is ticked for anybody (charter 5.2)."""

    use_required_attribute = False

    accept_charter = forms.BooleanField(
        label=_("I have read and understood the charter in force and accept it for our organisation (Charter 5.2)."),
        error_messages={"required": _("Tick this; nothing is ticked for you.")},
    )
    accept_privacy = forms.BooleanField(
        label=_("I have read the privacy notice; everybody whose data I enter knows of it."),
        error_messages={"required": _("Tick this; nothing is ticked for you.")},
    )


class LetterForm(forms.Form):
    """How a change came that the staff enters."""

    origin = forms.ChoiceField(
        label=_("How it came"),
        choices=[("mail", _("By mail")), ("paper", _("On paper")), ("stamped", _("Stamped form"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    received_on = forms.DateField(
        label=_("Received on"),
        help_text=_("Write it as 2026-11-01."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num", "placeholder": ""}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01.")},
    )


class ConstituentForm(forms.Form):
    """One constituent to be added."""

    use_required_attribute = False

    name = forms.CharField(label=_("Organisation name"), max_length=200, required=False)
    ubn = forms.CharField(
        label=_("Business number"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "num", "autocomplete": "off"}),
    )


class RemovalForm(forms.Form):
    """From when constituents are off the roster."""

    use_required_attribute = False

    on = forms.DateField(
        label=_("From the beginning of this day (Taipei)"),
        help_text=_("Write it as 2026-11-01. Empty: from the moment of our decision."),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num", "placeholder": ""}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01.")},
    )


class TransferForm(forms.Form):
    """To which group member a constituent goes over."""

    use_required_attribute = False

    to_ubn = forms.CharField(
        label=_("Business number of the receiving group member"),
        help_text=_("It is asked whether it agrees; nothing moves before that."),
        required=False,
        max_length=8,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "num", "autocomplete": "off"}),
    )


class HistoryForm(forms.Form):
    """The day that is asked about."""

    on = forms.DateField(
        label=_("As it was at the end of this day"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num", "placeholder": ""}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01.")},
    )


class ReadOutForm(forms.Form):
    """Why a case is read out."""

    why = forms.CharField(
        label=_("Why it is read out, and for whom"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": "2"}),
        error_messages={"required": _("Say why.")},
    )


class ChangeReasonForm(forms.Form):
    """Reasons of a recommendation on a change."""

    text = forms.CharField(
        label=_("Reasons, printed in the letter"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
    )


class ChangeDecisionForm(ChangeReasonForm):
    """Reasons and basis of a decision on a change."""

    basis = _basis()


class RosterFileForm(forms.Form):
    """A roster as a file, or pasted."""

    use_required_attribute = False

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (UTF-8 or Big5) or XLSX, up to 10 MB. Formulas and merged cells are not taken."),
        required=False,
    )
    pasted = forms.CharField(
        label=_("Or paste rows: name, business number"),
        required=False,
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": "8", "spellcheck": "false", "class": "mono t14"}),
    )
