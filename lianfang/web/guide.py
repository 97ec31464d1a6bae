"""Samples for the style guide. Organisations, people and numbers are invented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.web import icons
from lianfang.web.forms import Option

_AT = datetime(2026, 11, 23, 6, 32, 5, tzinfo=UTC)


class SampleForm(forms.Form):
    """One field of every kind."""

    kind = forms.ChoiceField(
        label=_("Kind of organisation"),
        help_text=_("Emerging-board companies cannot apply now (Charter 1.1)."),
        widget=forms.RadioSelect,
        choices=[
            ("twse", Option(_("Listed company"), hint=_("Taiwan Stock Exchange"))),
            ("tpex", Option(_("OTC company"), hint=_("Taipei Exchange"))),
        ],
    )
    tlp = forms.ChoiceField(
        label=_("How far it may go (TLP)"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            ("red", Option(_("Named people only"), hint=_("On the page only."), tlp="RED")),
            ("amber+strict", Option(_("Member organisations themselves"), tlp="AMBER+STRICT")),
        ],
    )
    ubn = forms.RegexField(r"^\d{8}$", label=_("Business number"), help_text=_("8 digits, no spaces."))
    name = forms.CharField(label=_("Name of the organisation"), max_length=200)
    reason = forms.CharField(label=_("Reason"), required=False, widget=forms.Textarea)
    sector = forms.ChoiceField(label=_("Sector"), choices=[("f", _("Finance")), ("t", _("Telecom"))])
    agree = forms.BooleanField(label=_("I have read it"), help_text=_("Not ticked beforehand."))
    file = forms.FileField(label=_("Attachment"), required=False, help_text=_("PDF, PNG or JPEG up to 10 MB."))


def samples() -> dict[str, Any]:
    """Everything that /styleguide shows."""
    return {
        "at": _AT,
        "form": SampleForm({"kind": "tpex", "ubn": "123", "sector": "f", "name": "逆時鐘精密股份有限公司"}),
        "icons": icons.names(),
        "labels": ("TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR"),
        "late": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        "soon": datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        "hours": datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
        "later": datetime(2026, 12, 23, 15, 59, tzinfo=UTC),
        "refusal": Refusal(
            Bilingual(
                zh="不能匯出：TLP:RED只能在網頁上看。要匯出，須由來源改為較寬的標示。",
                en="Cannot export: TLP:RED stays on the page. The source would have to widen the label.",
            ),
            rule="F-red",
            clause="2.1",
        ),
        "entries": _entries(),
        "steps": [
            {"label": _("Eligibility"), "state": "done", "url": "#steps"},
            {"label": _("Organisation"), "state": "current"},
            {"label": _("Constituents"), "state": ""},
            {"label": _("Review and send"), "state": ""},
        ],
        "tabs": [
            {"label": _("Mine"), "url": "#tabs", "current": True, "count": 7},
            {"label": _("Unassigned"), "url": "#tabs", "current": False, "count": 0},
            {"label": _("All open"), "url": "#tabs", "current": False, "count": None},
        ],
        "ages": [(_("Within 7 days"), 18), (_("8 to 14 days"), 11), (_("15 to 30 days"), 9), (_("Over 30 days"), 3)],
        "weeks": [("11/09", [1, 4, 6]), ("11/16", [2, 3, 9]), ("11/23", [1, 5, 7])],
        "week_keys": ["TLP:RED / TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN / TLP:CLEAR"],
        "months": [("2026-06", 3), ("2026-07", 7), ("2026-08", 8), ("2026-09", 5), ("2026-10", 9), ("2026-11", 8)],
        "tokens": (
            "paper", "surface", "sunken", "ink", "ink-2", "ink-3", "line", "edge", "azurite", "azurite-tint",
            "cinnabar", "cinnabar-tint", "gamboge", "gamboge-tint", "malachite", "malachite-tint", "btn", "focus",
        ),
    }  # fmt: skip


def _entries() -> list[dict[str, Any]]:
    return [
        {"title": _("Waiting for you: one name match"), "when": _("limit 20 Nov 17:00"), "kind": "next"},
        {
            "title": _("Correction answered"), "text": "許擬名", "kind": "key",
            "at": datetime(2026, 11, 18, 8, 40, tzinfo=UTC), "quote": _("The full address and the term were added."),
        },
        {"title": _("Checks"), "text": _("4 checks, 1 to judge"), "at": datetime(2026, 10, 20, 1, 31, tzinfo=UTC)},
    ]  # fmt: skip
