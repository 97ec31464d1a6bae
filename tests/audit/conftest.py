"""What the tests of the ledger share: the administrator who could tamper, and a signing key for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.database import CLUSTER


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    """The database's administrator, with every trigger of ours asleep."""
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True, connect_timeout=10) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture(autouse=True)
def _own_signing_key(settings: Any, tmp_path: Path) -> None:
    """Checkpoints of one test are signed by a key of its own, as its ledger is its own."""
    key = Path(settings.KEY_FILE).read_text()
    (tmp_path / "master.key").write_text(key)
    (tmp_path / "master.key").chmod(0o600)
    settings.KEY_FILE = tmp_path / "master.key"
