"""What a member decides about what its machines share. Nothing is chosen beforehand."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.intel.forms import Option
from lianfang.policy.facts import AudienceKind, NameSource


class ProfileForm(forms.Form):
    """The write profile: audience, name, warranty."""

    audience = forms.ChoiceField(
        label=_("Who sees what our systems share?"),
        widget=forms.RadioSelect,
        choices=[
            (
                AudienceKind.ALLIANCE.value,
                Option(_("All members"), hint=_("As far as the label of each object lets it go.")),
            ),
            (
                AudienceKind.COORDINATOR_ONLY.value,
                Option(_("The coordinator only"), hint=_("Its analysts read it; no other member does.")),
            ),
        ],
    )
    name_source = forms.ChoiceField(
        label=_("Do readers learn that it comes from us?"),
        widget=forms.RadioSelect,
        choices=[
            (NameSource.EVERYONE.value, Option(_("Yes, everybody who may read it"))),
            (
                NameSource.COORDINATOR.value,
                Option(
                    _("No, only the coordinator"),
                    hint=_(
                        "Others learn only that it is from an Alliance member;"
                        " our name and our own ids are replaced in the content."
                    ),
                ),
            ),
        ],
    )
    warranty = forms.ChoiceField(
        label=_("Does an earlier agreement of confidentiality bind what our systems share?"),
        help_text=_("An earlier agreement is stronger than any label (Charter 2.1)."),
        widget=forms.RadioSelect,
        choices=[
            ("free", Option(_("No: we warrant that none forbids it"))),
            (
                "hold",
                Option(
                    _("Perhaps: its terms are not clear for all of it"),
                    hint=_("Everything that our systems share is kept back and goes to nobody else."),
                ),
            ),
        ],
    )

    @property
    def warranted(self) -> bool:
        """Whether the member warrants that nothing forbids sharing."""
        return bool(self.cleaned_data["warranty"] == "free")
