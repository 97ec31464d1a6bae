"""Forms about participation: a fact, its correction, an objection and its answer, a table, a review."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.members.forms import said
from lianfang.members.lifecycle.participation import KIND_WORDS, OUTCOME_WORDS
from lianfang.members.participation import LONGEST


class FactForm(forms.Form):
    """What a member took part in, or did not, with its evidence."""

    kind = forms.ChoiceField(
        label=_("Kind"), widget=forms.RadioSelect, error_messages={"required": _("Choose the kind.")}
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"), widget=forms.RadioSelect, error_messages={"required": _("Choose the outcome.")}
    )
    occurred_on = forms.DateField(
        label=_("Day"),
        help_text=_("Write it as 2026-11-01."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01.")},
    )
    text = forms.CharField(
        label=_("What it was"),
        help_text=_("The member reads this. No identity numbers."),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": "3"}),
        error_messages={"required": _("Write what it was.")},
    )
    evidence = forms.CharField(
        label=_("Evidence"),
        help_text=_("What proves it: number of a letter, list of attendance, case. Or attach a file below."),
        max_length=LONGEST,
        required=False,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, PNG or JPEG, 10 MB. Only the staff opens it."),
        required=False,
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
    )

    outcomes: tuple[str, ...] = ("took_part", "absent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        outcome: Any = self.fields["outcome"]
        kind.choices = [(name, said(words)) for name, words in KIND_WORDS.items()]
        outcome.choices = [(name, said(OUTCOME_WORDS[name])) for name in self.outcomes]


class CorrectionForm(FactForm):
    """The entry that takes the place of an earlier one."""

    outcomes = ("took_part", "absent", "withdrawn")
    why = forms.CharField(
        label=_("What was wrong with the earlier entry"),
        help_text=_("The earlier entry stays and can be read. The member reads this too."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "2"}),
        error_messages={"required": _("Say what was wrong with it.")},
    )


class ObjectionForm(forms.Form):
    """What a member says against a fact."""

    text = forms.CharField(
        label=_("Your objection"),
        help_text=_("What is not so, and what shows it. The centre answers here."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        error_messages={"required": _("Write what you object to.")},
    )


class AnswerForm(forms.Form):
    """What the staff answers."""

    text = forms.CharField(
        label=_("Answer"),
        help_text=_("The member reads this. Where the objection is right, correct the entry besides."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        error_messages={"required": _("Write the answer.")},
    )


class TableForm(forms.Form):
    """A table of facts."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (UTF-8 or Big5) or XLSX, up to 5,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
    )


class ReviewForm(forms.Form):
    """Why a review is opened on the record."""

    facts = forms.CharField(
        label=_("Facts and reasons"),
        help_text=_("What of the record gives cause, and what the member was asked before."),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "6"}),
        error_messages={"required": _("State the facts.")},
    )
