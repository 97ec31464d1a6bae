"""`lianfang stix check`: a file is judged on any machine, without a database and without settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lianfang.cli import main
from tests.intel.cast import bundle, indicator

ROOT = Path(__file__).parents[2]
GOOD, BAD = indicator(description="x"), indicator(valid_until="2020-01-01T00:00:00Z", x_a=1)


def run(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    code = main(["stix", "check", str(path), *more])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_what_would_be_taken_is_0_and_what_would_not_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(bundle(GOOD))
    assert run(path, capsys)[0] == 0
    path.write_bytes(bundle(GOOD, BAD, GOOD))
    code, out, err = run(path, capsys)
    assert (code, err) == (1, "")
    assert f"refused  [1] {BAD['id']}" in out
    assert "valid_until: The later of two times lies before the earlier. [stix-order, STIX 2.1 §4.7]" in out
    assert "3 objects: 2 would be taken, 1 refused" in out


def test_for_machines_it_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(json.dumps(BAD).encode())
    code, out, _ = run(path, capsys, "--json")
    told: dict[str, Any] = json.loads(out)
    (one,) = told["objects"]
    assert (code, told["ok"], told["counts"]) == (1, False, {"good": 0, "refused": 1, "duplicate": 0})
    assert (one["place"], one["id"], one["outcome"]) == (0, BAD["id"], "refused")
    assert {key: one["error"][key] for key in ("rule", "property", "section")} == {
        "rule": "stix-order", "property": "valid_until", "section": "STIX 2.1 §4.7",
    }  # fmt: skip
    assert one["error"]["reason"].keys() == {"zh", "en"}


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"a":1}', b'{"objects":[],"objects":[]}'])
def test_what_cannot_be_read_is_2(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    code, out, err = run(path, capsys)
    assert (code, out) == (2, "")
    assert "[json-" in err


def test_a_file_that_is_not_there_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(tmp_path / "nothing.json", capsys)
    assert code == 2
    assert "cannot be read" in err


def test_it_reads_standard_input_and_needs_no_settings() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lianfang", "stix", "check", "-"]
    done = subprocess.run(
        command, input=bundle(GOOD), cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"good     [0] {GOOD['id']}" in done.stdout.decode()
