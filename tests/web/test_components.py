"""Every component renders, escapes what it is given, and ties its parts together for a screen reader."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory
from django.utils import translation
from django_cotton.compiler_regex import CottonCompiler

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.web import guide, icons
from lianfang.web.forms import Option

COTTON = Path(__file__).resolve().parents[2] / "lianfang/web/templates/cotton"
AT = datetime(2026, 11, 23, 6, 32, tzinfo=UTC)


def show(source: str, **context: Any) -> str:
    """Render a piece of template with components in it, as a page would."""
    compiled = CottonCompiler().process("{% load i18n web %}" + source)
    return engines["django"].from_string(compiled).render(context, request=RequestFactory().get("/x"))


@pytest.fixture(autouse=True)
def _chinese() -> Any:
    with translation.override("zh-hant"):
        yield


def test_every_component_says_how_it_is_used_and_stands_in_the_style_guide() -> None:
    guide_page = (COTTON.parent / "web/styleguide.html").read_text(encoding="utf-8")
    bases = "".join(
        (COTTON.parent / f"web/{name}.html").read_text(encoding="utf-8") for name in ("public", "member", "staff")
    )
    inner = "".join(path.read_text(encoding="utf-8") for path in COTTON.glob("*.html"))
    for path in COTTON.glob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert source.startswith("{# "), path.name
        assert re.search(rf"<c-{path.stem}[ >]", guide_page + bases + inner.replace(source, "")), path.name


@pytest.mark.parametrize("label", ["TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR"])
def test_a_label_is_its_word(label: str) -> None:
    html = show('<c-tlp :label="label" />', label=label)
    assert f">{label}</span>" in html
    assert 'lang="en"' in html
    assert "tlp-sm" in show('<c-tlp :label="label" small />', label=label)


HOSTILE = '"><script>alert(1)</script>{{ 7|add:7 }}'


@pytest.mark.parametrize(
    "source",
    [
        '<c-who label="GREEN" :why="x">{{ x }}</c-who>',
        '<c-chip tone="good">{{ x }}</c-chip>',
        '<c-card :title="x" :meta="x" :link="x" :link_label="x">{{ x }}</c-card>',
        '<c-card title="{{ x }}" meta="{{ x }}">{{ x }}</c-card>',
        '<c-casehead :name="x" :number="x" :list_label="x" :list_url="x" :own="x"></c-casehead>',
        '<c-timeline :entries="entries" />',
        '<c-crumbs :trail="trail" :here="x" />',
        '<c-task :title="x" :url="x" :label="x">{{ x }}</c-task>',
        '<c-diff :old="x" :new="x" />',
        '<c-copy :label="x">{{ x }}</c-copy>',
        '<c-facts :rows="trail" />',
        '<c-fact :term="x">{{ x }}</c-fact>',
        '<c-tabs :label="x" :tabs="tabs" />',
        '<c-empty :url="x" :label="x">{{ x }}</c-empty>',
        '<c-mono>{{ x }}</c-mono>',
        '<c-act :href="x" :off="x">{{ x }}</c-act>',
        '<c-bars :rows="rows" />',
        '<c-columns :title="x" :rows="rows" />',
        '<c-stack :title="x" :rows="stacks" :keys="keys" :label_head="x" />',
        '<c-progress :part="1" :whole="2" :label="x">{{ x }}</c-progress>',
        '<c-pager :older="x" :newer="x" :words="x" />',
        '<c-rule :text="x" :clause="x" :rule="x">{{ x }}</c-rule>',
        '<c-refusal :refusal="refusal" :title="x" />',
        '<c-summary :refusal="refusal" />',
        '<c-table :caption="x"><tr><td>{{ x }}</td></tr></c-table>',
        '<c-why label="RED" :title="x" :at="at">{{ x }}</c-why>',
        '<c-sign :error="x" />',
        '<c-note :title="x">{{ x }}</c-note>',
        '<c-steps :steps="tabs" :title="x" :number="x" />',
    ],
)  # fmt: skip
def test_what_is_given_is_escaped_once(source: str) -> None:
    context = {
        "x": HOSTILE,
        "at": AT,
        "trail": [(HOSTILE, HOSTILE)],
        "rows": [(HOSTILE, 3), (HOSTILE, 4)],
        "stacks": [(HOSTILE, [3, 4])],
        "keys": [HOSTILE, HOSTILE],
        "entries": [{"title": HOSTILE, "text": HOSTILE, "by": HOSTILE, "quote": HOSTILE, "when": HOSTILE}],
        "tabs": [{"label": HOSTILE, "url": HOSTILE, "state": "done"}],
        "refusal": Refusal(Bilingual(zh=HOSTILE, en=HOSTILE), rule=HOSTILE, clause=HOSTILE),
    }
    html = show(source, **context)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&amp;lt;" not in html
    assert "{{ 7|add:7 }}" in html


def test_a_forbidden_button_stays_and_says_why() -> None:
    html = show('<c-act kind="primary" off="尚不能按：須先判斷">建議核准…</c-act>')
    assert 'aria-disabled="true"' in html
    assert "尚不能按：須先判斷" in html
    assert "href" not in html
    assert "<button" not in html


def test_a_clock_reads_the_instant_of_the_request() -> None:
    html = show(
        '<c-clock :due="due" :at="at" rule="作業程序第4版" with_time />',
        due=datetime(2026, 11, 20, 9, tzinfo=UTC),
        at=AT,
    )
    assert 'class="clock late"' in html
    assert "逾3天" in html
    assert "11/20（五）17:00，作業程序第4版" in re.sub(r"<[^>]+>", "", html)


def test_a_limit_of_law_shows_the_date_in_full() -> None:
    html = show(
        '<c-clockbox title="可以申訴到" :due="due" :at="at" counted="自次日起算。" />',
        due=datetime(2026, 12, 23, 15, 59, tzinfo=UTC),
        at=AT,
    )
    for words in ("12/23（三）23:59", "中華民國115年12月23日", "自次日起算。", "剩30天"):
        assert words in html


def test_a_chart_has_its_values_in_words_and_a_table() -> None:
    html = show(
        '<c-columns title="每月次數" :rows="rows" label_head="月" value_head="次數" />',
        rows=[("2026-10", 9), ("2026-11", 8)],
    )
    assert 'aria-label="每月次數：2026-10 9、2026-11 8"' in html
    assert "<table" in html
    assert "<th>月</th>" in html


def test_layers_of_a_column_stand_on_each_other_and_in_the_table() -> None:
    html = show(
        '<c-stack title="每週" :rows="rows" :keys="keys" label_head="週" />',
        rows=[("11/16", [1, 0, 1]), ("11/23", [1, 2, 1])], keys=["RED", "AMBER", "GREEN"],
    )  # fmt: skip
    assert 'aria-label="每週：11/16 2、11/23 4"' in html
    heights = re.findall(r'<rect class="b\d" x="11" y="([\d.]+)" width="8" height="([\d.]+)"', html)
    assert heights == [("60.0", "19.0"), ("22.0", "38.0"), ("3.0", "19.0")]
    assert '<th scope="col" class="r">AMBER</th>' in html


def test_the_summary_leads_to_each_control() -> None:
    form = guide.SampleForm({"kind": "", "ubn": "123", "sector": "f"})
    html = show('<c-summary :form="form" />', form=form)
    assert 'href="#id_kind_0"' in html
    assert 'href="#id_ubn"' in html
    assert "有4個地方要修改" in html
    rendered = str(form)
    assert 'id="id_kind_0"' in rendered
    assert 'id="id_ubn"' in rendered
    assert show('<c-summary :form="form" />', form=guide.SampleForm()).strip() == ""


def test_the_summary_takes_forms_and_a_refusal() -> None:
    form = guide.SampleForm({})
    refusal = Refusal(Bilingual(zh="檢核碼不符。", en="Wrong check digit."), field="ubn", rule="U-1", clause="1.1")
    html = show('<c-summary :forms="forms" :refusal="refusal" />', forms=[form, form], refusal=refusal)
    assert 'href="#id_ubn"' in html
    assert "檢核碼不符。" in html


def test_a_field_has_label_hint_error_and_control_in_this_order() -> None:
    form = guide.SampleForm({"ubn": "123"})
    html = show('<c-field :field="field" />', field=form["ubn"])
    order = [html.index(part) for part in ("<label", 'class="hint"', 'class="errmsg"', "<input")]
    assert order == sorted(order)
    assert 'aria-describedby="id_ubn_helptext id_ubn_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'class="inp"' in html
    for part in ("id_ubn_helptext", "id_ubn_error"):
        assert f'id="{part}"' in html


def test_options_show_their_hint_and_chip_and_none_is_chosen() -> None:
    html = str(guide.SampleForm()["tlp"].as_field_group())
    assert '<span class="tlp tlp-amber" lang="en">TLP:AMBER+STRICT</span>' in html
    assert "只能在網頁上看。" in html
    assert "checked" not in html
    assert "（可不填）" in html
    assert "<fieldset" in html


def test_boxes_keep_their_native_look() -> None:
    html = str(guide.SampleForm()["agree"].as_field_group())
    assert 'class="opt"' in html
    assert "inp" not in re.findall(r'<input[^>]*class="([^"]*)"', html)
    assert "checked" not in html


def test_own_classes_of_a_widget_stay() -> None:
    class Small(forms.Form):
        code = forms.CharField(widget=forms.TextInput(attrs={"class": "w-8 num"}))
        when = forms.SplitDateTimeField()
        several = forms.MultipleChoiceField(
            choices=[("a", Option("A")), ("b", "B")], widget=forms.CheckboxSelectMultiple
        )

    html = str(Small())
    assert 'class="inp w-8 num"' in html
    assert html.count('class="inp"') == 2
    assert 'class="inp' not in html[html.index("several") :]


def test_icons_are_hidden_and_an_unknown_one_is_refused() -> None:
    assert 'aria-hidden="true"' in icons.svg("inbox")
    assert "i-lg" in icons.svg("inbox", "lg")
    assert len(icons.names()) >= 32
    with pytest.raises(ValueError, match="no icon"):
        icons.svg("../LICENSE")


def test_the_second_factor_field_is_the_one_that_signing_reads() -> None:
    html = show("<c-sign />")
    assert 'name="second_factor_code"' in html
    assert 'autocomplete="one-time-code"' in html
    assert 'aria-describedby="second_factor_code_helptext"' in html


def test_a_step_counts_its_steps() -> None:
    assert "第2步，共7步" in show('<c-step :number="2" :of="7" title="組織" />')
    assert "第2步，共3步" in show('<c-step :number="2" :steps="steps" title="組織" />', steps=["a", "b", "c"])
