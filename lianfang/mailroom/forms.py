"""Forms of the mailroom."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class PlaceForm(forms.Form):
    """The number of the case that a mail belongs to."""

    case = forms.CharField(
        label=_("Number of the case"),
        max_length=20,
        widget=forms.TextInput(attrs={"class": "w-8 mono", "placeholder": "C-2026-0001", "autocomplete": "off"}),
        error_messages={"required": _("Write the number of the case.")},
    )


class EndForm(forms.Form):
    """Why a mail is rejected, or what was done about it."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "2"}),
        error_messages={"required": _("Give the reason.")},
    )


class WriteForm(forms.Form):
    """A mail to the centre, written in the demonstration."""

    sender = forms.EmailField(label=_("Sender"), max_length=100)
    to = forms.CharField(label=_("Recipient"), max_length=200)
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    text = forms.CharField(
        label=_("Text"), max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": "6"})
    )
