"""What an administrator types about the organisation's identity provider; the rules about it stand in the actions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.actions import Connection
from lianfang.accounts.federation import saml
from lianfang.accounts.federation.answers import Rejected
from lianfang.accounts.models import Affiliation, IdentityProvider
from lianfang.accounts.sign_on import names_of


class _Words(forms.Form):
    """By which words a provider says that it asked for a second factor."""

    factor_values = forms.CharField(
        label=_("Words for a second factor"),
        help_text=_(
            "Values of acr or amr by which the provider says that it asked for one, between commas, e.g. mfa. Counts "
            "only where the coordination centre allows it; decisions are always signed with the second factor kept "
            "here."
        ),
        max_length=1000,
        required=False,
    )

    def clean_factor_values(self) -> tuple[str, ...]:
        """Read the words. Raises ValidationError for one that is too long."""
        found = names_of(self.cleaned_data["factor_values"].split(","))
        if any(len(one) > 200 for one in found):
            raise ValidationError(_("At most 200 characters for each."))
        return tuple(found)


class SamlForm(_Words):
    """A provider of SAML 2.0, by its metadata."""

    metadata = forms.CharField(
        label=_("Metadata of the provider"),
        help_text=_("The XML as the provider gives it: entity id, address and certificates are read from it."),
        max_length=saml.LARGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
    )
    file = forms.FileField(label=_("Or as a file"), required=False)
    field_order = ("metadata", "file", "factor_values")

    def clean(self) -> dict[str, Any]:
        """Read the metadata. Raises ValidationError."""
        data = super().clean() or {}
        uploaded = data.get("file")
        content = uploaded.read(saml.LARGEST + 1) if uploaded else str(data.get("metadata", "")).strip().encode()
        try:
            data["peer"] = saml.read_metadata(content)
        except Rejected as rejected:
            self.add_error("metadata", rejected.reason.in_language(get_language() or "zh-hant"))
        return data

    def connection(self) -> Connection:
        """Return what the metadata say."""
        peer: saml.Peer = self.cleaned_data["peer"]
        return Connection(
            protocol=IdentityProvider.Protocol.SAML,
            issuer=peer.entity_id,
            sso_url=peer.sso_url,
            certificates=peer.certificates,
            factor_values=self.cleaned_data["factor_values"],
        )


class OidcForm(_Words):
    """A provider of OpenID Connect."""

    issuer = forms.CharField(
        label=_("Issuer"),
        help_text=_("Exactly as the provider writes it, e.g. https://login.example.com/tenant."),
        max_length=500,
        widget=forms.URLInput(attrs={"spellcheck": "false"}),
    )
    client_id = forms.CharField(
        label=_("Client id"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    client_secret = forms.CharField(
        label=_("Client secret"),
        help_text=_("Kept encrypted and never shown again. Left empty, the one that is kept stays."),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("issuer", "client_id", "client_secret", "factor_values")

    def connection(self) -> Connection:
        """Return what was typed."""
        data = self.cleaned_data
        return Connection(
            protocol=IdentityProvider.Protocol.OIDC,
            issuer=data["issuer"],
            client_id=data["client_id"],
            client_secret=data["client_secret"],
            factor_values=data["factor_values"],
        )


class EmergencyForm(forms.Form):
    """Who can always sign in here."""

    affiliations = forms.TypedMultipleChoiceField(
        label=_("Can always sign in here"),
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Name at least two.")},
    )
    only = forms.BooleanField(
        label=_("Everybody else must sign in by the provider"),
        help_text=_("Holds only while at least two of those named can sign in here."),
        required=False,
    )

    def __init__(self, *args: Any, able: list[Affiliation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["affiliations"]
        field.choices = [(str(one.pk), one.person.name) for one in able]  # type: ignore[attr-defined]
