"""The data folder is known again, and a folder that cannot be right is refused in one sentence."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from lianfang import embedded
from lianfang.datafolder import DataFolder
from lianfang.embedded import Unavailable

pytestmark = pytest.mark.fast


@pytest.fixture(params=["root", "user"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A folder after its first start, as root and as an ordinary user see it."""
    monkeypatch.setattr(embedded, "is_root", lambda: request.param == "root")
    monkeypatch.setattr(embedded, "ROOT_STORE", tmp_path / "store")
    made = DataFolder.opened(tmp_path / "data", demo=False)
    made.secret("master.key")
    (made.cluster / "pg").mkdir(parents=True)
    made.note()
    return made


def test_a_folder_in_order_passes(folder: DataFolder) -> None:
    folder.check()
    assert not folder.empty()


def test_secrets_are_made_once_and_private(folder: DataFolder) -> None:
    first = folder.secret("secret.key")
    assert folder.secret("secret.key") == first
    assert len(first) == 64
    assert stat.S_IMODE((folder.path / "secret.key").stat().st_mode) == 0o600


def test_an_interrupted_first_start_may_go_on(folder: DataFolder) -> None:
    (folder.path / "folder.json").unlink()
    folder.check()


def test_keys_gone(folder: DataFolder) -> None:
    (folder.path / "folder.json").unlink()
    folder.master_key.unlink()
    with pytest.raises(Unavailable, match="keys are gone"):
        folder.check()


def test_master_key_gone(folder: DataFolder) -> None:
    folder.master_key.unlink()
    with pytest.raises(Unavailable, match=r"master.key is missing"):
        folder.check()


def test_database_gone(folder: DataFolder) -> None:
    (folder.cluster / "pg").rmdir()
    with pytest.raises(Unavailable, match="is gone from"):
        folder.check()


def test_demo_and_earnest_do_not_mix(folder: DataFolder) -> None:
    with pytest.raises(Unavailable, match="start with --no-demo"):
        DataFolder(folder.path, demo=True).check()


def test_moved(folder: DataFolder, tmp_path: Path) -> None:
    folder.path.rename(tmp_path / "elsewhere")
    moved = DataFolder.opened(tmp_path / "elsewhere", demo=False)
    if embedded.is_root():
        with pytest.raises(Unavailable, match=f"was moved or copied from {folder.path}"):
            moved.check()
    else:
        moved.check()  # the database lies inside and moved along


def test_made_by_another_user(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    was_root = embedded.is_root()
    monkeypatch.setattr(embedded, "is_root", lambda: not was_root)
    with pytest.raises(Unavailable, match="made by another user"):
        folder.check()


@pytest.mark.parametrize("content", ["{", "[]", '"x"'])
def test_unreadable_note(folder: DataFolder, content: str) -> None:
    (folder.path / "folder.json").write_text(content)
    with pytest.raises(Unavailable, match=r"folder.json cannot be read"):
        folder.check()


def test_reset_removes_exactly_the_pair(folder: DataFolder) -> None:
    others = [folder.path / "mine.txt", folder.cluster.parent / "other"]
    for path in others:
        path.write_text("keep")
    folder.reset()
    assert folder.empty()
    assert all(path.exists() for path in others)


def test_reset_of_a_strange_folder_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "ROOT_STORE", tmp_path / "store")
    (tmp_path / "files").mkdir()
    DataFolder.opened(tmp_path, demo=True).reset()
    assert (tmp_path / "files").exists()


@pytest.mark.parametrize(("content", "found"), [('{"a": "b"}', {"a": "b"}), ("x", {}), ("[]", {})])
def test_prepared(folder: DataFolder, content: str, found: dict[str, str]) -> None:
    folder.write("prepared", content)
    assert folder.prepared() == found


def test_environment_names_both_log_ins(folder: DataFolder) -> None:
    from tests.database import CLUSTER

    environment = folder.environment(CLUSTER, base_url="http://localhost:1")
    assert "lf_app@" in environment["DATABASE_URL"]
    assert "lf_owner@" in environment["DATABASE_OWNER_URL"]
    json.dumps(environment)
