"""What people fill in: a file, the label form, a purpose, a reason."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.models import Organization
from lianfang.accounts.queries import pairs_by_email
from lianfang.intel.labelling import LabelForm, hold
from lianfang.kernel.clock import TAIPEI
from lianfang.policy.facts import Audience, AudienceKind, Label, Named, NameSource, Tlp, Upstream, UpstreamKind
from lianfang.vault import blind

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

_MANY = 50
_NOWHERE = UUID(int=0)


class Option:
    """The label of one choice, with a line below it and the chip of a TLP label before it, as the form renderer of
    `lianfang.web` reads them."""

    def __init__(self, label: StrOrPromise, *, hint: StrOrPromise = "", tlp: Tlp | None = None) -> None:
        self.label = label
        self.hint = hint
        self.tlp_text = tlp.label if tlp is not None else ""
        self.tlp = _COLOURS.get(tlp, "") if tlp is not None else ""

    def __str__(self) -> str:
        return str(self.label)


def _not_too_large(file: UploadedFile[Any]) -> UploadedFile[Any]:
    if file.size is None or file.size > settings.MAX_BODY:
        raise forms.ValidationError(_("The file is larger than may be submitted."))
    return file


_COLOURS = {
    Tlp.RED: "tlp-red",
    Tlp.AMBER_STRICT: "tlp-amber",
    Tlp.AMBER: "tlp-amber",
    Tlp.GREEN: "tlp-green",
    Tlp.CLEAR: "tlp-clear",
}


HOW_FAR = [
    (
        "RED",
        Option(_("Named persons only"), hint=_("On the page only; in no export and no connection."), tlp=Tlp.RED),
    ),
    (
        "AMBER_STRICT",
        Option(_("Member organisations themselves"), hint=_("Members may not relay it."), tlp=Tlp.AMBER_STRICT),
    ),
    (
        "AMBER",
        Option(
            _("Member organisations and their constituents"),
            hint=_("Each member's administrator decides whether to relay it."),
            tlp=Tlp.AMBER,
        ),
    ),
    (
        "GREEN",
        Option(_("Within the Alliance"), hint=_("Free within the Alliance, not in public."), tlp=Tlp.GREEN),
    ),
    (
        "CLEAR",
        Option(_("No limit"), hint=_("To publish it still needs your consent and credit."), tlp=Tlp.CLEAR),
    ),
]
"""The labels as choices, the strictest first."""


class FileForm(forms.Form):
    """First step: the file."""

    file = forms.FileField(
        label=_("STIX 2.1 file"), help_text=_("A bundle or envelope in JSON, up to 10 MB and 10,000 objects.")
    )

    def clean_file(self) -> UploadedFile[Any]:
        """Hold the limit that machines are held to."""
        return _not_too_large(self.cleaned_data["file"])


class CheckForm(forms.Form):
    """STIX to look at: pasted, or a file."""

    text = forms.CharField(
        label=_("STIX 2.1 as text"),
        help_text=_("A bundle, an envelope or one object; or choose a file below."),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "mono t14", "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=_("Or a file"), help_text=_("In JSON, up to 10 MB and 10,000 objects."), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Take one of the two; the limit is that of a submission."""
        data = super().clean() or {}
        file, text = data.get("file"), (data.get("text") or "").strip()
        if file is not None and text:
            self.add_error("file", _("Give the text or a file, not both."))
        elif file is None and not text and not self.errors:
            self.add_error("text", _("Paste STIX here, or choose a file below."))
        return data

    def clean_file(self) -> UploadedFile[Any] | None:
        """Hold the limit of a submission."""
        file = self.cleaned_data["file"]
        return _not_too_large(file) if file is not None else None

    def body(self) -> bytes:
        """Return what is to be looked at."""
        file = self.cleaned_data.get("file")
        content: bytes = file.read() if file is not None else self.cleaned_data["text"].encode()
        return content


class WhoForm(forms.Form):
    """Second step: who may see. Nothing is chosen beforehand."""

    tlp = forms.ChoiceField(
        label=_("How far it may go (TLP)"),
        help_text=_("Where nothing is chosen, it is TLP:AMBER+STRICT."),
        required=False,
        widget=forms.RadioSelect,
        choices=HOW_FAR,
    )
    audience = forms.ChoiceField(
        label=_("Audience"),
        widget=forms.RadioSelect,
        choices=[
            ("alliance", Option(_("All members"))),
            ("coordinator_only", Option(_("The coordinator only"))),
            ("persons", Option(_("Named persons"), hint=_("With TLP:RED only."))),
        ],
    )
    persons = forms.CharField(
        label=_("E-mail addresses of the named persons"),
        help_text=_("One a line. We do not say whether an address has an account."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    upstream = forms.ChoiceField(
        label=_("Did you sign an agreement of confidentiality with where this data comes from?"),
        help_text=_("An earlier agreement is stronger than any label (Charter 2.1)."),
        widget=forms.RadioSelect,
        choices=[
            ("none", Option(_("No, this is our own data"))),
            ("permitted", Option(_("Yes, it may go to certain members only"))),
            ("hold", Option(_("Yes, its terms are not clear yet"), hint=_("Kept back; it goes to nobody."))),
        ],
    )
    upstream_members = forms.CharField(
        label=_("Business numbers of the members that the agreement permits"),
        help_text=_("One a line, 8 digits. We do not say who is a member."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    name_source = forms.ChoiceField(
        label=_("Show the name of your organisation?"),
        widget=forms.RadioSelect,
        choices=[
            ("everyone", Option(_("Show our name"))),
            (
                "coordinator",
                Option(
                    _("Do not show it; write only “an Alliance member”"), hint=_("The coordinator's analysts see it.")
                ),
            ),
        ],
    )
    embargo_date = forms.DateField(
        label=_("Not to be seen before"),
        help_text=_("Taipei time, to the minute. Write the date as 2026-11-24."),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"placeholder": "2026-11-24", "class": "w-8 num"}),
    )
    embargo_time = forms.TimeField(
        label=_("Time"),
        required=False,
        input_formats=["%H:%M"],
        widget=forms.TimeInput(attrs={"placeholder": "09:00", "class": "w-4 num"}, format="%H:%M"),
    )

    def clean(self) -> dict[str, Any]:
        """Check what goes together."""
        data = super().clean() or {}
        if data.get("audience") == "persons" and data.get("tlp") != "RED":
            self.add_error("audience", _("Named persons go with TLP:RED only."))
        if data.get("tlp") == "RED" and data.get("audience") in ("alliance", "coordinator_only"):
            self.add_error("audience", _("TLP:RED goes to named persons only."))
        if data.get("embargo_time") and not data.get("embargo_date") and "embargo_date" not in self.errors:
            self.add_error("embargo_date", _("A time needs its date."))
        if data.get("upstream") == "permitted" and not _numbers(data.get("upstream_members", "")):
            self.add_error("upstream_members", _("Write at least one business number."))
        return data

    def label_form(self, *, at: datetime) -> LabelForm:
        """Return what was chosen; of a form that is not whole yet, what has been chosen so far."""
        data: dict[str, Any] = getattr(self, "cleaned_data", {})
        chosen = data.get("tlp") or ""
        return LabelForm(
            tlp=Tlp[chosen] if chosen else None,
            audience=_audience(data, at),
            upstream=_upstream(data),
            name_source=NameSource(data.get("name_source") or NameSource.COORDINATOR),
            not_before=_instant(data.get("embargo_date"), data.get("embargo_time")),
        )


class PurposeForm(forms.Form):
    """Asked once a session before the first file."""

    purpose = forms.ChoiceField(
        label=_("What will you use the file for?"),
        help_text=_("Intelligence is for research and analysis and for warning of major incidents (Charter 2.1)."),
        widget=forms.RadioSelect,
        choices=[
            ("research", Option(_("Research and analysis"))),
            ("protection", Option(_("Protecting our own systems"))),
            ("warning", Option(_("Warning of a major incident"))),
        ],
    )


class ReasonForm(forms.Form):
    """A reason in words."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class StopForm(ReasonForm):
    """Starting the stop of disclosure."""

    drill = forms.BooleanField(
        label=_("This is a drill"), help_text=_("A drill stops nothing; it is played and recorded."), required=False
    )


class TightenForm(forms.Form):
    """A stricter label for what is published: only what nobody gains by can be chosen."""

    tlp = forms.ChoiceField(label=_("Label"), widget=forms.RadioSelect, choices=())
    audience = forms.ChoiceField(label=_("Audience"), widget=forms.RadioSelect, choices=())

    def __init__(self, *args: Any, label: Label, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._label = label
        offered = {name: option for name, option in HOW_FAR if Tlp[name] >= label.tlp}
        # Named persons cannot be chosen here, so nobody but its submitter is left.
        offered["RED"] = Option(_("Nobody but the person who submitted it, on the page only."), tlp=Tlp.RED)
        self.fields["tlp"].choices = list(offered.items())  # type: ignore[attr-defined]
        keep = ("keep", Option(_("As it is")))
        narrower = ("coordinator_only", Option(_("The coordinator only")))
        only = label.audience.kind in (AudienceKind.COORDINATOR_ONLY, AudienceKind.PERSONS)
        self.fields["audience"].choices = [keep] if only else [keep, narrower]  # type: ignore[attr-defined]

    def chosen(self) -> tuple[Tlp, Audience]:
        """Return the label that was chosen."""
        kept = self.cleaned_data["audience"] == "keep"
        return Tlp[self.cleaned_data["tlp"]], self._label.audience if kept else Audience.coordinator_only()


class ReleaseForm(forms.Form):
    """The label of a quarantined item: as it is, or as its submitter sets it."""

    tlp = forms.ChoiceField(
        label=_("Label"),
        choices=[
            ("RED", "TLP:RED"),
            ("AMBER_STRICT", "TLP:AMBER+STRICT"),
            ("AMBER", "TLP:AMBER"),
            ("GREEN", "TLP:GREEN"),
            ("CLEAR", "TLP:CLEAR"),
        ],
    )
    audience = forms.ChoiceField(
        label=_("Audience"),
        choices=[("alliance", _("All members")), ("coordinator_only", _("The coordinator only"))],
    )

    def chosen(self) -> tuple[Tlp, Audience]:
        """Return the label that was chosen."""
        everybody = self.cleaned_data["audience"] == "alliance"
        return Tlp[self.cleaned_data["tlp"]], Audience.alliance() if everybody else Audience.coordinator_only()


def _audience(data: dict[str, Any], at: datetime) -> Audience | None:
    match data.get("audience"):
        case "alliance":
            return Audience.alliance()
        case "coordinator_only":
            return Audience.coordinator_only()
        case "persons":
            return Audience.persons(*_named(data.get("persons", ""), at))
    return None


def _named(text: str, at: datetime) -> set[Named]:
    """The people behind these addresses. One that nobody has stands for nobody, and looks and costs the same."""
    addresses = [address for address in re.split(r"[\s,;，；]+", text)[:_MANY] if "@" in address]
    known = pairs_by_email(emails=addresses, at=at)
    found = {Named(person, organization) for pairs in known.values() for person, organization in pairs}
    return found | {Named(_nobody(address), _NOWHERE) for address, pairs in known.items() if not pairs}


def _nobody(address: str) -> UUID:
    """Who stands in an audience for an address that nobody has: without somebody there, its words would tell."""
    return UUID(bytes=blind.index("intel.nobody", address)[:16], version=4)


def _upstream(data: dict[str, Any]) -> Upstream:
    match data.get("upstream"):
        case "hold":
            return hold()
        case "permitted":
            numbers = _numbers(data.get("upstream_members", ""))
            groups: list[UUID] = list(Organization.objects.filter(ubn__in=numbers).values_list("pk", flat=True))
            return Upstream(UpstreamKind.PERMITTED, groups=frozenset(groups))
    return Upstream()


def _numbers(text: str) -> list[str]:
    return re.findall(r"(?<!\d)\d{8}(?!\d)", text)[:_MANY]


def _instant(day: Any, hour: Any) -> datetime | None:
    return datetime.combine(day, hour or time(0, 0), tzinfo=TAIPEI) if day else None
