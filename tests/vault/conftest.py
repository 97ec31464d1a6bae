"""Each test of the vault has a master key and a data folder of its own."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def key_file(settings: Any, tmp_path: Path) -> Path:
    """The master key of this test."""
    path = tmp_path / "master.key"
    path.write_text(secrets.token_hex(32) + "\n")
    path.chmod(0o600)
    settings.KEY_FILE, settings.DATA_DIR = path, tmp_path
    return path
