"""Held over the templates of every app: nothing that the content security policy would refuse, nothing untranslated."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[2] / "lianfang"
TEMPLATES = sorted(path for path in ROOT.rglob("templates/**/*.html") if "notices" not in path.relative_to(ROOT).parts)
# Classes of Bootstrap that draw with images in `data:` addresses, which the policy refuses.
FORBIDDEN = re.compile(
    r"\b(form-select|form-check(-input)?|form-switch|btn-close|accordion(-button)?|navbar-toggler(-icon)?|carousel(-\w+)*|was-validated|is-(in)?valid)\b"
)
_COMMENTS = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.S)
SIMPLIFIED = set("们这来时说对会为发开关动样与业区历国际网络务户资质认门问间阅险雾")
MAINLAND = (
    "登錄",
    "賬號",
    "默認",
    "信息",
    "網絡",
    "軟件",
    "服務器",
    "用戶",
    "界面",
    "屏幕",
    "反饋",
    "激活",
    "批量",
    "質量",
    "視頻",
    "打印",
)


def _source(path: Path) -> str:
    return _COMMENTS.sub("", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_inline(path: Path) -> None:
    source = _source(path)
    assert not re.search(r"\sstyle\s*=", source), "style="
    assert not re.search(r"\son[a-z]+\s*=", source), "an event handler"
    assert not re.search(r"<style\b", source), "<style>"
    assert "javascript:" not in source
    for script in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in script or 'type="application/json"' in script, script
    assert not re.search(r"hx-on|hx-confirm|hx-vals=['\"]js:", source)
    assert not re.search(r"(src|href)=['\"](https?:)?//", source), "a third party"


_DEFINED = {
    name for sheet in ROOT.rglob("static/**/*.css") for name in re.findall(r"\.([A-Za-z_][\w-]*)", sheet.read_text())
}
_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}")
_NO_CLASS = re.compile(r"^(b|sw-.*|btn-)$")
"""Beginnings of a class that the template puts together."""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_class_is_drawn_by_a_style_sheet(path: Path) -> None:
    """A class that no sheet defines is a margin or a width that somebody meant and nobody sees."""
    source = _TAG.sub("\0", _source(path))
    used = {name for classes in re.findall(r'\sclass="([^"]*)"', source) for name in classes.split()}
    unknown = {name for name in used if "\0" not in name} - _DEFINED
    assert not {name for name in unknown if not _NO_CLASS.match(name)}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_class_that_draws_with_data_addresses(path: Path) -> None:
    for classes in re.findall(r'class="([^"]*)"', _source(path)):
        assert not FORBIDDEN.search(classes), classes


@pytest.mark.parametrize(
    "bad", ['<p style="x">', "<a onclick='x'>", "<style>p{}</style>", "<script>1</script>", '<div class="form-check">']
)
def test_the_rules_find_what_they_forbid(bad: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(bad, encoding="utf-8")
    check = test_no_class_that_draws_with_data_addresses if "form-check" in bad else test_nothing_inline
    with pytest.raises(AssertionError):
        check(path)


def _catalogue() -> polib.POFile:
    return polib.pofile(str(ROOT / "web/locale/zh_Hant/LC_MESSAGES/django.po"))


def test_the_catalogue_is_complete() -> None:
    unfinished = [entry.msgid for entry in _catalogue() if not entry.translated() or "fuzzy" in entry.flags]
    assert not unfinished


def test_the_catalogue_is_written_as_in_taiwan() -> None:
    for entry in _catalogue():
        text = entry.msgstr or "".join(entry.msgstr_plural.values())
        assert not SIMPLIFIED & set(text), text
        assert not [word for word in MAINLAND if word in text], text
        assert "！" not in text, text
        gap = re.search(r"[\u4e00-\u9fff] (?=[A-Za-z0-9%])|[A-Za-z0-9] (?=[\u4e00-\u9fff])", text)
        # Clause references (規章 2.1), the telephone line and the name of the centre are set with a space.
        assert gap is None or re.search(r"規章 \d|專線 0|期限\d+/\d+ \d", text), text


def test_templates_speak_through_the_catalogue() -> None:
    """No Chinese typed into a template of this app, except names in the style guide and the switch itself."""
    for path in TEMPLATES:
        if ROOT / "web" not in path.parents or path.name in ("styleguide.html", "langswitch.html", "clock.html"):
            continue
        assert not re.search(r"[\u4e00-\u9fff]", _source(path)), path.name
