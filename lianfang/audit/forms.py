"""Filters of the ledger's page, and the kept checkpoint that a verification may be held against."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lianfang.audit.checkpoints import BadCheckpoint, Head, read_checkpoint
from lianfang.audit.queries import Filters
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import TAIPEI

_LARGEST_CHECKPOINT = 4096
_NARROW = {"class": "sm w-8"}


def _tags() -> list[tuple[str, Any]]:
    language = get_language() or "zh-hant"
    return [("", _("All deeds")), *((tag.value, tag.words.in_language(language)) for tag in Tag)]


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", **_NARROW})


class FilterForm(forms.Form):
    """What of the ledger to show."""

    tag = forms.ChoiceField(label=_("Deed"), choices=_tags, required=False, widget=forms.Select(attrs=_NARROW))
    actor = forms.CharField(label=_("By whom"), max_length=120, required=False, widget=forms.TextInput(attrs=_NARROW))
    about = forms.CharField(label=_("About"), max_length=300, required=False, widget=forms.TextInput(attrs=_NARROW))
    since = forms.DateField(label=_("From day"), required=False, widget=_day())
    until = forms.DateField(label=_("To day"), required=False, widget=_day())

    def filters(self) -> Filters:
        """Return what was asked for; days are whole days in Taipei."""
        chosen = self.cleaned_data
        since, until = chosen["since"], chosen["until"]
        return Filters(
            tag=chosen["tag"],
            actor=chosen["actor"],
            about=chosen["about"],
            since=datetime.combine(since, time.min, TAIPEI) if since else None,
            # The last day of the calendar has no day after it, and nothing lies there.
            until=datetime.combine(until + timedelta(days=1), time.min, TAIPEI) if until and until < date.max else None,
        )


class VerifyForm(forms.Form):
    """An optional checkpoint that somebody kept outside."""

    checkpoint = forms.FileField(
        label=_("Checkpoint kept outside"),
        help_text=_("A file saved earlier from the checkpoint page. It also finds what a rewritten database hides."),
        required=False,
        error_messages={"other_key": _("This checkpoint was not signed by this system.")},
    )

    def clean_checkpoint(self) -> Head | None:
        """Read the kept checkpoint."""
        file = self.cleaned_data["checkpoint"]
        if file is None:
            return None
        if file.size > _LARGEST_CHECKPOINT:
            raise forms.ValidationError(_("This file is too large to be a checkpoint."))
        try:
            return read_checkpoint(file.read().decode())
        except (BadCheckpoint, UnicodeDecodeError):
            raise forms.ValidationError(
                _("This file is not a checkpoint. Choose the file saved from the checkpoint page.")
            ) from None


class AcknowledgeForm(forms.Form):
    """Why a fault of the ledger may leave the pages of staff."""

    reason = forms.CharField(
        label=_("Reason, and what was done"),
        help_text=_("For example: restored from the backup of that day, incident number. No personal data."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class PlaceForm(forms.Form):
    """From which entry a page goes on, and for a consistency proof the size of the older tree."""

    before = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    after = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    old = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
