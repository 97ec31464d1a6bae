"""The zh-TW catalogues are complete, in the words of Taiwan, and say the same thing everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import polib
import pytest

from tests.database import ROOT
from tests.lint import words

CATALOGUES = sorted((ROOT / "lianfang").glob("*/locale/zh_Hant/LC_MESSAGES/django.po"))
APPS = sorted({path.parent for path in (ROOT / "lianfang").glob("*/apps.py")})


def name(path: Path) -> str:
    return path.relative_to(ROOT / "lianfang").parts[0]


def texts(catalogue: Path) -> set[tuple[str, str | None]]:
    """What the catalogue speaks of; one that does not exist speaks of nothing."""
    if not catalogue.exists():
        return set()
    return {(entry.msgid, entry.msgctxt) for entry in polib.pofile(str(catalogue)) if not entry.obsolete}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=name)
def test_nothing_is_missing_or_fuzzy(catalogue: Path) -> None:
    entries = polib.pofile(str(catalogue))
    assert not [entry.msgid for entry in entries.untranslated_entries()]
    assert not [entry.msgid for entry in entries.fuzzy_entries()]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=name)
def test_words_of_taiwan(catalogue: Path) -> None:
    found = [
        f"{entry.msgid!r} -> {text!r}: {', '.join(faults)}"
        for entry in polib.pofile(str(catalogue))
        if not entry.obsolete
        for text in (entry.msgstr, *entry.msgstr_plural.values())
        if (faults := words.faults(text))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=name)
def test_placeholders_survive(catalogue: Path) -> None:
    pattern = re.compile(r"%\(\w+\)[a-z]|\{\w*\}")
    for entry in polib.pofile(str(catalogue)):
        wanted = set(pattern.findall(entry.msgid)) | set(pattern.findall(entry.msgid_plural or ""))
        for text in (entry.msgstr, *entry.msgstr_plural.values()):
            assert set(pattern.findall(text)) <= wanted, entry.msgid
            if text and not entry.msgid_plural:
                assert set(pattern.findall(text)) == wanted, entry.msgid


def test_one_text_has_one_translation() -> None:
    """The same short English in two apps, in the same context, may not become two different Chinese words."""
    seen: dict[tuple[str, str | None], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for catalogue in CATALOGUES:
        for entry in polib.pofile(str(catalogue)):
            if entry.msgstr and not entry.obsolete:
                seen[entry.msgid, entry.msgctxt][entry.msgstr].add(name(catalogue))
    doubled = [f"{key[0]!r}: {dict(found)}" for key, found in seen.items() if len(found) > 1]
    assert not doubled, "\n".join(doubled)


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="Debian's gettext is not installed")
@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_catalogue_holds_every_text_of_its_app(app: Path, tmp_path: Path) -> None:
    """What makemessages would find is what the catalogue has: nothing missing, nothing left over."""
    copy = tmp_path / app.name
    shutil.copytree(app, copy, ignore=shutil.ignore_patterns("*.mo", "__pycache__", "static", "schemas"))
    (copy / "locale").mkdir(exist_ok=True)
    done = subprocess.run(
        [
            ROOT / ".venv/bin/python",
            "-P",
            "-m",
            "django",
            "makemessages",
            "-l",
            "zh_Hant",
            "--no-wrap",
            "--no-location",
        ],
        cwd=copy,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wanted = texts(copy / "locale/zh_Hant/LC_MESSAGES/django.po")
    have = texts(app / "locale/zh_Hant/LC_MESSAGES/django.po")
    assert sorted(str(text) for text in wanted - have) == [], f"run makemessages in lianfang/{app.name}"
    assert sorted(str(text) for text in have - wanted) == [], f"lianfang/{app.name} uses these no more"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("请登入", "simplified"),
        ("使用者登錄", "登入"),
        ("用戶", "使用者"),
        ("符合 STIX 2.1", "space"),
        ("STIX 物件", "space"),
        ("上限 %(n)s", "space"),
    ],
)
def test_faults_are_found(text: str, fault: str) -> None:
    assert fault in " ".join(words.faults(text))


@pytest.mark.parametrize(
    "text", ["登入", "符合STIX 2.1的物件", "2026-11-23 14:32", "情資共{n}則", "規章 1.1", "TLP:AMBER 與"[:9]]
)
def test_good_chinese_passes(text: str) -> None:
    assert words.faults(text) == []
