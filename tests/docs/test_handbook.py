"""The handbooks name buttons and pages as they are: whoever follows them finds the words on the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "guide"
# Words in quotation marks that are no words on the screen.
NOT_ON_SCREEN = {"zh": frozenset[str](), "en": frozenset[str]()}


def _screen() -> str:
    """Every word that a page could show, without spaces: catalogues, words in code, the procedure, templates."""
    files = [*ROOT.glob("lianfang/**/*.po"), *ROOT.glob("lianfang/**/*.py"), *ROOT.glob("lianfang/**/*.html")]
    files += ROOT.glob("lianfang/members/procedures/*.json")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r"\"\n\"|\s+", "", text)


@pytest.mark.parametrize(("language", "quoted"), [("zh", r"「([^「」]+)」"), ("en", r"“([^“”]+)”")])
def test_every_word_in_quotation_marks_stands_on_a_page(language: str, quoted: str) -> None:
    screen = _screen()
    missing = []
    for guide in ("member.md", "coordinator.md"):
        for words in re.findall(quoted, (GUIDES / language / guide).read_text(encoding="utf-8")):
            plain = re.sub(r"\s+|…", "", words).rstrip(".,")
            if plain not in screen and words not in NOT_ON_SCREEN[language]:
                missing.append(f"{guide}: {words}")
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_picture_is_there_in_its_language(language: str) -> None:
    for guide in sorted((GUIDES / language).glob("*.md")):
        for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", guide.read_text(encoding="utf-8")):
            assert (guide.parent / path).exists(), f"{guide.name}: {path}"
            assert path.endswith(f"-{language}.png"), f"{guide.name}: {path}"
