"""Forms of documents: the one tick of the duty, and those by which a text is written, approved and published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.accounts.models import Person
from lianfang.charter import text
from lianfang.kernel.clock import TAIPEI

LARGEST_FILE = 2 * 1024 * 1024


class ConfidentialityForm(forms.Form):
    """Acknowledging the duty; never ticked beforehand."""

    agree = forms.BooleanField(
        label=_("I have read this and will keep to it"),
        error_messages={"required": _("Tick the box once you have read the duty.")},
    )


def _words(label: Any, most: int, rows: str, *, english: bool = False, help_text: Any = "") -> forms.CharField:
    attrs = {"lang": "en" if english else "zh-Hant-TW", "rows": rows}
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs=attrs), help_text=help_text)


def _moment(label: Any, help_text: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=help_text,
    )


def _in_taipei(typed: datetime) -> datetime:
    return typed.replace(tzinfo=TAIPEI) if typed.tzinfo is None else typed


class RevisionForm(forms.Form):
    """What every form of the editor carries: the revision of the draft that was read."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class TitleForm(RevisionForm):
    """The name of the document."""

    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=text.LONGEST_TITLE)
    title_en = forms.CharField(
        label=_("Title in English"), max_length=text.LONGEST_TITLE, widget=forms.TextInput(attrs={"lang": "en"})
    )


class ClauseForm(RevisionForm):
    """One clause in both languages."""

    number = forms.CharField(
        label=_("Number of the clause"),
        max_length=40,
        help_text=_("Such as 2.4; where a clause counts anew below itself, 5.1-1.3. It finds its place by its number."),
        widget=forms.TextInput(attrs={"class": "w-8 num"}),
    )
    zh = _words(_("Text in Chinese, which decides"), text.LONGEST_CLAUSE, "6")
    en = _words(_("Text in English"), text.LONGEST_CLAUSE, "6", english=True)


class TextFileForm(RevisionForm):
    """A whole text as a file, or pasted; looked at before it is kept."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("Markdown or plain text in UTF-8, up to 2 MB: one clause a paragraph, its number first."),
    )
    pasted = forms.CharField(
        label=_("Or paste the text"),
        required=False,
        max_length=LARGEST_FILE,
        widget=forms.Textarea(attrs={"rows": "12", "spellcheck": "false"}),
    )
    language = forms.ChoiceField(
        label=_("Which language is it?"),
        choices=[("zh", _("Chinese, which decides")), ("en", _("English"))],
        widget=forms.RadioSelect,
        initial="zh",
    )

    def clean_file(self) -> Any:
        """Refuse what is larger than a text of this kind can be."""
        given = self.cleaned_data["file"]
        if given is not None and (given.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 2 MB."))
        return given

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        given: dict[str, Any] = super().clean() or {}
        if not given.get("file") and not given.get("pasted", "").strip() and "file" not in self.errors:
            self.add_error("file", _("Choose a file or paste the text."))
        return given


class ProposeForm(forms.Form):
    """What changes and why, as the members read it, and from when on."""

    summary_zh = _words(
        _("What changes, and why, in Chinese"), 2000, "5", help_text=_("Every member reads this in the mail.")
    )
    summary_en = _words(_("What changes, and why, in English"), 2000, "5", english=True)
    effective_at = _moment(
        _("To be in force from"), _("Taipei time; not before the approval. It is later if the publication is later.")
    )

    def clean_effective_at(self) -> datetime:
        """Take what was typed as Taipei time."""
        return _in_taipei(self.cleaned_data["effective_at"])


class WebsiteForm(forms.Form):
    """Where and when the coordinator's own website published the text."""

    url = forms.CharField(
        label=_("Address on the website"), max_length=500, widget=forms.URLInput(attrs={"placeholder": "https://"})
    )
    published_at = _moment(_("Published on the website at"), _("Taipei time."))

    def clean_published_at(self) -> datetime:
        """Take what was typed as Taipei time."""
        return _in_taipei(self.cleaned_data["published_at"])


class AnotherForm(forms.Form):
    """Somebody else of the member, to whom the version is mailed."""

    person = forms.ModelChoiceField(label=_("Mail it to"), queryset=Person.objects.none(), empty_label=None)

    def __init__(self, *args: Any, people: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["person"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Person.objects.filter(pk__in=[one.pk for one in people])
        field.choices = [(one.pk, f"{one.name} {one.email}") for one in people]


class PostForm(forms.Form):
    """A letter by registered post."""

    reference = forms.CharField(label=_("Number of the registered letter"), max_length=60)
    posted_on = forms.DateField(label=_("Posted on"), widget=forms.DateInput(attrs={"type": "date"}))
