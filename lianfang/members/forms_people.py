"""Forms about a member's people: new administrators, and what other members may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.members.forms import LetterForm

NEW = ("name", "title", "email", "phone")


class RecoveryForm(forms.Form):
    """Why new administrators are needed, and who they are."""

    use_required_attribute = False

    reason = forms.CharField(
        label=_("Why the present administrators cannot act"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        error_messages={"required": _("Say why new administrators are needed.")},
    )
    admin1_name = forms.CharField(label=_("First new administrator: name"), required=False, max_length=60)
    admin1_title = forms.CharField(label=_("First new administrator: title"), required=False, max_length=60)
    admin1_email = forms.CharField(
        label=_("First new administrator: e-mail"), required=False, max_length=254, widget=forms.EmailInput
    )
    admin1_phone = forms.CharField(label=_("First new administrator: telephone"), required=False, max_length=40)
    admin2_name = forms.CharField(label=_("Second new administrator: name"), required=False, max_length=60)
    admin2_title = forms.CharField(label=_("Second new administrator: title"), required=False, max_length=60)
    admin2_email = forms.CharField(
        label=_("Second new administrator: e-mail"), required=False, max_length=254, widget=forms.EmailInput
    )
    admin2_phone = forms.CharField(label=_("Second new administrator: telephone"), required=False, max_length=40)

    def people(self) -> list[dict[str, str]]:
        """Return the new administrators as they were typed."""
        return [{name: self.cleaned_data[f"{who}_{name}"] for name in NEW} for who in ("admin1", "admin2")]


class RecoveryLetterForm(LetterForm, RecoveryForm):
    """The same, from a letter."""


class RecommendRecoveryForm(forms.Form):
    """What the review of the evidence found."""

    what = forms.ChoiceField(
        label=_("Recommendation"),
        choices=[("grant", _("Recommend to approve")), ("refuse", _("Recommend to refuse"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    findings = forms.CharField(
        label=_("How the authority was verified"),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": "5"}),
        error_messages={"required": _("Write down how the authority was verified.")},
    )


class DecideRecoveryForm(forms.Form):
    """Whose access ends, and the reasons."""

    ends = forms.MultipleChoiceField(
        label=_("Former administrators whose access ends"), required=False, widget=forms.CheckboxSelectMultiple
    )
    text = forms.CharField(
        label=_("Reasons"), required=False, max_length=20000, widget=forms.Textarea(attrs={"rows": "4"})
    )

    def __init__(self, *args: Any, held: Sequence[tuple[str, str]] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if held is None:
            del self.fields["ends"]
        else:
            ends: Any = self.fields["ends"]
            ends.choices, ends.initial = list(held), [key for key, _words in held]


class DirectoryForm(forms.Form):
    """What other members see; nothing is ticked for anybody."""

    listed = forms.BooleanField(label=_("Show our name to members that stand in the directory too"), required=False)
    sector = forms.BooleanField(label=_("Show our sector"), required=False)
    security = forms.BooleanField(
        label=_("Show our 24-hour security contact"),
        help_text=_("Name, title, e-mail and telephone, as on record; tell that person."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Without the name nothing else is shown."""
        cleaned = super().clean() or {}
        if not cleaned.get("listed") and (cleaned.get("sector") or cleaned.get("security")):
            self.add_error("listed", _("Tick the name too; without it nothing is shown."))
        return cleaned


class ObjectionForm(forms.Form):
    """What is wrong about new administrators."""

    text = forms.CharField(
        label=_("What is wrong"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        error_messages={"required": _("Say what is wrong.")},
    )
