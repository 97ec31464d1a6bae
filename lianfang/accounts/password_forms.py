"""The sign-in library's forms of passwords, in our words: what is asked for, once, without a hint inside the field."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, ResetPasswordKeyForm
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.forms import PasswordForm

_LABELS = {"oldpassword": _("Present password"), "password1": _("New password"), "password2": _("New password again")}


class _Plain:
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = _LABELS.get(name, field.label)
            field.help_text = PasswordForm.base_fields["password"].help_text if name == "password1" else ""
            field.widget.attrs.pop("placeholder", None)


class ChangeForm(_Plain, ChangePasswordForm):  # type: ignore[misc]  # the library carries no types
    """The present password and the new one twice."""


class ResetForm(_Plain, ResetPasswordKeyForm):  # type: ignore[misc]  # the library carries no types
    """The new password twice, behind a mailed link."""
