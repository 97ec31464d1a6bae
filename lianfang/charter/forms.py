"""The one tick."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ConfidentialityForm(forms.Form):
    """Acknowledging the duty; never ticked beforehand."""

    agree = forms.BooleanField(
        label=_("I have read this and will keep to it"),
        error_messages={"required": _("Tick the box once you have read the duty.")},
    )
