"""The colours hold their contrast, computed from the style sheets themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "lianfang/web/static/web"
TOKENS = (STATIC / "tokens.css").read_text(encoding="utf-8")
OWN = (STATIC / "components.css").read_text(encoding="utf-8")


def _variables(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*([^;}]+)", block))


def _block(source: str, selector: str) -> dict[str, str]:
    start = source.index(selector)
    return _variables(source[start : source.index("}", start)])


LIGHT = _block(TOKENS, ":root,[data-bs-theme=light]")
DARK = _block(TOKENS, "[data-bs-theme=dark]{\n")


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2 between two #RRGGBB colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


PIGMENTS = ("azurite", "cinnabar", "gamboge", "malachite")
TEXT = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "surface")),
    ("ink", "sunken"), ("ink-2", "sunken"),
    *((colour, ground) for colour in PIGMENTS for ground in ("paper", "surface", f"{colour}-tint")),
    ("on-azurite", "btn"), ("on-azurite", "btn-hover"), ("bar-ink", "bar"), ("bar-on", "bar-sel"),
]  # fmt: skip


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_reaches_four_and_a_half(theme: dict[str, str], ink: str, ground: str) -> None:
    assert contrast(theme[ink], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_borders_of_inputs_and_focus_reach_three(theme: dict[str, str]) -> None:
    for ground in ("paper", "surface"):
        assert contrast(theme["edge"], theme[ground]) >= 3
        assert contrast(theme["focus"], theme[ground]) >= 3


@pytest.mark.parametrize(
    ("name", "colour"), [("red", "#FF2B2B"), ("amber", "#FFC000"), ("green", "#33FF00"), ("clear", "#FFFFFF")]
)
def test_label_chips_are_those_of_first(name: str, colour: str) -> None:
    found = re.search(rf"\.tlp-{name}\{{color:(#[0-9A-F]+)\}}", TOKENS)
    assert found is not None
    assert found.group(1).ljust(7, "F") == colour
    assert contrast(colour, "#000000") >= 4.5


def test_the_theme_of_the_system_is_the_dark_theme() -> None:
    system = _block(OWN, "[data-bs-theme=system]{\n")
    assert {name: system[name] for name in DARK} == DARK


def test_paper_is_printed_in_the_light_colours() -> None:
    printed = _block(OWN, "[data-bs-theme=dark],[data-bs-theme=system]{\n")
    assert {name: printed[name] for name in LIGHT if name != "shadow"} == {
        name: value for name, value in LIGHT.items() if name != "shadow"
    }


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_style_sheets_ask_nobody_else(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "sourceMappingURL" not in source
    assert "@import" not in source
    assert not re.search(r"url\(['\"]?(https?:)?//", source)
    if not path.name.startswith("bootstrap"):
        assert "url(" not in source


def test_the_licence_lies_beside_what_is_vendored() -> None:
    assert "MIT" in (STATIC / "bootstrap-LICENSE.txt").read_text(encoding="utf-8")
    assert "MIT" in (STATIC.parents[1] / "icons/LICENSE").read_text(encoding="utf-8")
