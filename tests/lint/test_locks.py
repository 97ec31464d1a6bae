"""What is installed: hash-locked, from wheels, named without any address, under licences that ours can stand beside."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from tests.database import ROOT

REQUIREMENTS = ROOT / "requirements"
LOCKS = [*sorted(REQUIREMENTS.glob("*.lock")), REQUIREMENTS / "uv.lock.txt"]
# A copyleft that reaches into what links it. LGPL libraries are used unmodified, which it allows.
REFUSED = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public)", re.I)


def pins(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(), re.M)
    return {name.lower().replace("_", "-"): version for name, version in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_name_no_address(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_a_hash(lock: Path) -> None:
    text = lock.read_text().replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        assert "==" in line, line
        assert "--hash=sha256:" in line, line


def test_the_test_lock_holds_what_runs_in_production() -> None:
    runtime, test = pins(REQUIREMENTS / "runtime.lock"), pins(REQUIREMENTS / "test.lock")
    assert {name: test.get(name) for name in runtime} == runtime


def test_inputs_and_locks_agree() -> None:
    for kind in ("runtime", "test"):
        locked = pins(REQUIREMENTS / f"{kind}.lock")
        for line in (REQUIREMENTS / f"{kind}.in").read_text().splitlines():
            if found := re.match(r"[A-Za-z0-9._-]+", line):
                assert found[0].lower() in locked or line.startswith("-r"), f"{line} is not in {kind}.lock"


@pytest.mark.parametrize("name", sorted(pins(REQUIREMENTS / "runtime.lock")))
def test_licence(name: str) -> None:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        pytest.skip("for another system")
    said = [about.get("License-Expression") or "", about.get("License") or "", *about.get_all("Classifier", [])]
    # Some put the whole text of a licence into the field; its first line names it.
    names = [text.splitlines()[0] for text in said if text and (text in said[:2] or text.startswith("License ::"))]
    assert names, f"{name} names no licence"
    assert not [text for text in names if REFUSED.search(text)], f"{name}: {names}"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("GPL-3.0-or-later", True),
        ("License :: OSI Approved :: GNU Affero General Public License v3", True),
        ("AGPLv3", True),
        ("LGPL-3.0-only", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT", False),
    ],
)
def test_refused_licences_are_known(text: str, refused: bool) -> None:
    assert bool(REFUSED.search(text)) is refused
