"""Forms about official lists, the cases that they open, and declared holdings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.members import words_lists
from lianfang.members.forms import said
from lianfang.members.models import LIST_KINDS, ListCase

HOLDING_ROWS = 12


class ListForm(forms.Form):
    """A file, which list it is, and as of when."""

    kind = forms.ChoiceField(label=_("Kind of list"), widget=forms.RadioSelect)
    list_date = forms.DateField(
        label=_("Date of the list"),
        help_text=_("As printed on the list. Write it as 2026-11-01."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num", "placeholder": ""}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-11-01.")},
    )
    source = forms.CharField(
        label=_("Source"), help_text=_("Who published it, and where it was taken from."), max_length=100
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (UTF-8 or Big5) or XLSX, up to 10 MB. Formulas are not calculated."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        kind.choices = [(name, said(words_lists.KINDS[name])) for name in LIST_KINDS]


class ListCaseForm(forms.Form):
    """A written judgement of a case that a list opened."""

    outcome = forms.ChoiceField(
        label=_("Judgement"), widget=forms.RadioSelect, error_messages={"required": _("Choose a judgement.")}
    )
    note = forms.CharField(
        label=_("Reasons"),
        help_text=_("What you compared and what it gave. No identity numbers."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        error_messages={"required": _("Write the reasons.")},
    )

    def __init__(self, *args: Any, case: ListCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outcome: Any = self.fields["outcome"]
        outcome.choices = [(name, said(text)) for name, text in words_lists.outcomes(case)]


class HitForm(forms.Form):
    """A written judgement of a name on a roster that is like one on the list."""

    judged = forms.ChoiceField(
        label=_("Judgement"), widget=forms.RadioSelect, error_messages={"required": _("Choose a judgement.")}
    )
    note = forms.CharField(
        label=_("Reasons"),
        help_text=_("What you compared and what it gave. No identity numbers."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        error_messages={"required": _("Write the reasons.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        judged: Any = self.fields["judged"]
        judged.choices = [(name, said(text)) for name, text in words_lists.JUDGEMENTS.items()]


class HoldingForm(forms.Form):
    """One declared holding."""

    owner = forms.CharField(required=False, max_length=400)
    owned = forms.CharField(required=False, max_length=400)
    share = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    control = forms.BooleanField(required=False)
    mainland = forms.BooleanField(required=False)


class CircleForm(forms.Form):
    """A person's answer where holdings run in a circle."""

    judged = forms.ChoiceField(
        label=_("Only if the holdings run in a circle"), required=False, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=_("Reasons or source"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": "3"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        judged: Any = self.fields["judged"]
        judged.choices = [(name, said(text)) for name, text in words_lists.CIRCLE.items()]
