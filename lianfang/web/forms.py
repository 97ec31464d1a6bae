"""How every form of the product looks: label, hint, error, input, in this order, tied together for screen readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.template.backends.django import DjangoTemplates as Backend
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from lianfang.web.present import tlp_class, tlp_of

if TYPE_CHECKING:
    from django.forms.forms import BaseForm
    from django.utils.functional import _StrOrPromise as StrOrPromise

_OWN = Path(__file__).resolve().parent / "templates"
# Native controls that keep their own look (accent-color): no text-input class on them.
_BARE = ("checkbox", "radio", "hidden", "file", "range", "color")


class Renderer(DjangoTemplates):
    """Django's form renderer with the product's field, form and widget templates before Django's own."""

    form_template_name = "web/forms/form.html"
    formset_template_name = "web/forms/formset.html"
    field_template_name = "web/forms/field.html"

    @cached_property
    def engine(self) -> Backend:
        """The template engine: own widget templates first, then Django's, then those of the apps."""
        import django.forms

        builtin = Path(django.forms.__file__).resolve().parent / "templates"
        directories = [_OWN / "web" / "forms" / "widgets", builtin]
        return Backend({"APP_DIRS": True, "DIRS": directories, "NAME": "forms", "OPTIONS": {}})

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
        """Render a widget, field or form; text-like widgets get the class `inp` beside their own."""
        widget = context.get("widget")
        if widget is not None:
            _dress(widget)
        # The template has escaped every value; only the surrounding white space goes.
        return mark_safe(super().render(template_name, context, request))  # noqa: S308


def _dress(widget: dict[str, Any]) -> None:
    for part in (widget, *widget.get("subwidgets", ())):
        # The options of a set of radio buttons and the parts of a date and time are widgets themselves.
        kind = part.get("type", "")
        if kind in _BARE or "attrs" not in part:
            continue
        classes = str(part["attrs"].get("class", "")).split()
        if "inp" not in classes:
            part["attrs"] = {**part["attrs"], "class": " ".join(["inp", *classes])}


class Option:
    """The label of one choice with a line below it: `("amber", Option(_("Members"), hint=_("They may relay.")))`.

    `tlp` puts the chip of that label before the words, as on the form of submission.
    """

    def __init__(self, label: StrOrPromise, *, hint: StrOrPromise = "", tlp: str = "") -> None:
        self.label = label
        self.hint = hint
        self.tlp_text = tlp_of(tlp).label if tlp else ""
        self.tlp = tlp_class(tlp) if tlp else ""

    def __str__(self) -> str:
        return str(self.label)


def focus_id(form: BaseForm, name: str) -> str:
    """Return the id of the control to which a line of the error summary leads.

    A set of radio buttons or boxes has no element with its own id: its first option is meant.
    """
    field = form[name]
    identity = field.auto_id
    return f"{identity}_0" if field.use_fieldset and identity else identity


class PreferencesForm(forms.Form):
    """Colours and language of one's own pages."""

    theme = forms.ChoiceField(
        label=_("Colours"),
        widget=forms.RadioSelect,
        choices=[("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    language = forms.ChoiceField(
        label=_("Language"), widget=forms.RadioSelect, choices=[("zh-hant", "中文"), ("en", "English")]
    )
