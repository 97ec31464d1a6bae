"""What people type; the rules about it stand in the actions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lianfang.accounts import words
from lianfang.accounts.actions import TOKEN_RIGHTS, Scope
from lianfang.accounts.factors import CredentialField
from lianfang.accounts.models import TLPS, Account, Affiliation, Organization
from lianfang.accounts.providers import collections
from lianfang.accounts.registry import Setting
from lianfang.kernel.clock import TAIPEI
from lianfang.kernel.refusal import Refusal
from lianfang.policy.facts import Duty, Right, Role


def refuse(form: forms.Form, refusal: Refusal) -> None:
    """Put a refusal on the form: at the field it names, else above all fields."""
    field = refusal.field if refusal.field in form.fields else None
    reason = refusal.reason.in_language(get_language() or "zh-hant")
    if refusal.clause and field is None:
        reason = f"{reason} [{refusal.rule} · {refusal.clause}]"
    form.add_error(field, reason)


class PasswordForm(forms.Form):
    """The first password; typed once, as it can be shown and managers remember it."""

    password = forms.CharField(
        label=_("New password"),
        help_text=_("12 characters or more. A sentence is easier to remember than signs."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._account = Account(email=email)

    def clean_password(self) -> str:
        """Ask the validators of the settings."""
        password = cast(str, self.cleaned_data["password"])
        validate_password(password, self._account)
        return password


class PasskeyForm(forms.Form):
    """What the browser answers when it made a passkey."""

    credential = CredentialField(widget=forms.HiddenInput)


class AddressForm(forms.Form):
    """One address."""

    email = forms.EmailField(
        label=_("Your sign-in address"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class PersonForm(forms.Form):
    """A person to be invited, for one's own organisation or a constituent."""

    organization = forms.ChoiceField(label=_("For"))
    name = forms.CharField(label=_("Name"), max_length=100)
    title = forms.CharField(label=_("Title"), max_length=100, required=False)
    email = forms.EmailField(label=_("Work e-mail"), help_text=_("The invitation goes there."))
    phone = forms.CharField(label=_("Work phone"), max_length=40, required=False)
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(role.value, label) for role, label in words.ROLES.items()],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, organizations: Iterable[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = list(organizations)
        zh = (get_language() or "zh").startswith("zh")
        names = [(str(one.pk), one.name_zh if zh else one.name_en or one.name_zh) for one in listed]
        organization = cast(forms.ChoiceField, self.fields["organization"])
        organization.choices = names
        if len(names) == 1:
            organization.widget = forms.HiddenInput()
            organization.initial = names[0][0]


class RoleForm(forms.Form):
    """Another role for somebody."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(role.value, label) for role, label in words.ROLES.items()],
        widget=forms.RadioSelect,
    )


class VouchForm(forms.Form):
    """How the identity was checked; nothing is chosen beforehand."""

    how = forms.ChoiceField(label=_("How did you check who it is?"), choices=words.HOW, widget=forms.RadioSelect)


class TokenForm(forms.Form):
    """A connection: what it is called, what it is for, how far it reaches."""

    name = forms.CharField(
        label=_("Name of the connection"), max_length=80, help_text=_("For example: SIEM, main site")
    )
    purpose = forms.CharField(
        label=_("Purpose"), max_length=200, help_text=_("Research, analysis and warning only; never for profit.")
    )
    rights = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(right.value, words.TOKEN_RIGHTS[right]) for right in TOKEN_RIGHTS],
        widget=forms.CheckboxSelectMultiple,
    )
    max_tlp = forms.ChoiceField(
        label=_("Strictest label that it may fetch"),
        choices=[(name, f"TLP:{name}") for name in TLPS if name != "RED"],
        initial="AMBER",
        help_text=_("TLP:RED stays on the page and cannot be chosen."),
    )
    views = forms.MultipleChoiceField(
        label=_("Only these collections"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every collection."),
    )
    networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, for example 203.0.113.0/24. Empty: from anywhere."),
    )
    days = forms.IntegerField(label=_("Works for how many days"), min_value=1, initial=180)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "zh-hant"
        views = cast(forms.MultipleChoiceField, self.fields["views"])
        views.choices = [(one.name, one.title.in_language(language)) for one in collections()]

    def scope(self) -> Scope:
        """Return what was typed, for the action to judge."""
        data = self.cleaned_data
        return Scope(
            name=data["name"],
            purpose=data["purpose"],
            max_tlp=data["max_tlp"],
            rights=frozenset(Right(name) for name in data["rights"]),
            days=data["days"],
            networks=tuple(line for line in data["networks"].splitlines() if line.strip()),
            views=tuple(data["views"]),
        )


class DutyForm(forms.Form):
    """A duty proposed for somebody of the coordinator."""

    person = forms.ChoiceField(label=_("For whom"))
    duty = forms.ChoiceField(label=_("Duty"), choices=[(duty.value, words.DUTIES[duty]) for duty in Duty])
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, staff: Iterable[Affiliation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["person"]).choices = [(str(a.person_id), a.person.name) for a in staff]


class ColleagueForm(forms.Form):
    """A new colleague at the coordinator."""

    name = forms.CharField(label=_("Name"), max_length=100)
    title = forms.CharField(label=_("Title"), max_length=100, required=False)
    email = forms.EmailField(label=_("Work e-mail"), help_text=_("The invitation goes there."))


class SettingForm(forms.Form):
    """Another value of one setting, from an instant on."""

    value = forms.CharField(label=_("New value"), widget=forms.Textarea(attrs={"rows": 2}))
    effective_at = forms.DateTimeField(
        label=_("Takes effect"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Taipei time. Empty: as soon as a second person approves."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, setting: Setting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._setting = setting
        self.fields["value"].help_text = setting.type.hint.in_language(get_language() or "zh-hant")

    def clean_value(self) -> Any:
        """Read the value as the setting's type does."""
        try:
            return self._setting.parse(self.cleaned_data["value"])
        except Refusal as refusal:
            raise ValidationError(refusal.reason.in_language(get_language() or "zh-hant")) from None

    def clean_effective_at(self) -> datetime | None:
        """Take what was typed as Taipei time."""
        typed: datetime | None = self.cleaned_data["effective_at"]
        return typed.replace(tzinfo=TAIPEI) if typed and typed.tzinfo is None else typed


class HoldForm(forms.Form):
    """What is put on hold, why, and by when somebody looks at it again."""

    thing = forms.CharField(
        label=_("Account, key or provider"),
        help_text=_("The e-mail address of the account, or the number of the key or of the identity provider."),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    review_on = forms.DateField(
        label=_("Review by"),
        help_text=_("Somebody looks by then whether it is still needed. Write it as 2026-12-01."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"class": "w-8 num"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("We cannot tell ROC from Gregorian. Write 2026-12-01.")},
    )


class LiftForm(forms.Form):
    """Why a hold is not needed any more."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


def role_of(form: forms.Form) -> Role:
    """Return the role that was chosen."""
    return Role(form.cleaned_data["role"])
