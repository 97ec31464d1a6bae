"""The master key: outside the database, for its owner alone, and rotated without losing anything."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from lianfang.vault import actions, blind, keys
from lianfang.vault.actions import rotate_master, shred
from lianfang.vault.keys import MasterKeyUnusable, keyring
from lianfang.vault.models import StoredFile, SubjectKey
from tests.vault.things import AT, BY, kept, made_key


def test_a_demo_makes_its_key_once(settings: Any, key_file: Path) -> None:
    key_file.unlink()
    first = keyring()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert keyring() == first
    keys.create(key_file)
    assert keyring() == first


def test_elsewhere_a_missing_key_stops_with_one_sentence(settings: Any, key_file: Path) -> None:
    settings.DEMO = False
    key_file.unlink()
    with pytest.raises(MasterKeyUnusable, match=rf"Master key {key_file} is missing: .*vault init"):
        keyring()
    assert not key_file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_can_reach_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(MasterKeyUnusable, match="chmod 600"):
        keyring()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("xyz", "line 1"),
        ("a" * 64 + "\nb", "line 2"),
        ("a" * 64 + "\n" + "b" * 64, "no `blind` line"),
        ("blind " + "a" * 64, "empty"),
        ("é" * 64, "line 1"),
    ],
)
def test_a_damaged_key_file_is_refused(key_file: Path, content: str, said: str) -> None:
    key_file.write_text(content)
    with pytest.raises(MasterKeyUnusable, match=said):
        keyring()


@pytest.mark.django_db
def test_a_lost_key_is_named() -> None:
    made = made_key()
    Path(keys.settings.KEY_FILE).write_text("c" * 64)
    with pytest.raises(MasterKeyUnusable, match=f"holds no master key {made.master_id}"):
        SubjectKey.objects.get(pk=made.pk).open()


@pytest.mark.django_db
def test_rotation_reads_everything_keeps_the_index_and_drops_the_old_key(key_file: Path) -> None:
    files = [kept(f"名{index}", content=b"content") for index in range(7)]
    shredded = made_key()
    shred(shredded, by=BY, at=AT)
    index, before = blind.index("email", "a@b.example"), key_file.read_text()
    assert rotate_master(by=BY, at=AT) == 7
    assert before.strip() not in key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert blind.index("email", "a@b.example") == index
    assert {one.master_id for one in SubjectKey.objects.exclude(pk=shredded.pk)} == {keyring().current}
    for number, file in enumerate(files):
        again = StoredFile.objects.get(pk=file.pk)
        assert again.name == f"名{number}"
        assert again.open().read() == b"content"
    assert rotate_master(by=BY, at=AT) == 7
    assert blind.index("email", "a@b.example") == index


@pytest.mark.django_db
def test_an_interrupted_rotation_reads_everything_and_is_finished_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actions, "_BATCH", 3)
    files = [kept(f"名{index}") for index in range(7)]
    real, calls = actions._rewrap, []

    def dies(*args: Any, **kwargs: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(actions, "_rewrap", dies)
    with pytest.raises(KeyboardInterrupt):
        rotate_master(by=BY, at=AT)
    assert len(keyring().keys) == 2
    for number, file in enumerate(files):
        assert StoredFile.objects.get(pk=file.pk).name == f"名{number}"
    current = keyring().current
    assert rotate_master(by=BY, at=AT) == 4
    assert keyring().current == current
    assert len(keyring().keys) == 1
    assert [StoredFile.objects.get(pk=file.pk).name for file in files] == [f"名{number}" for number in range(7)]


@pytest.mark.django_db(transaction=True)
def test_a_key_made_during_a_rotation_is_not_left_behind() -> None:
    made_key()
    rotated: list[int] = []

    def rotate() -> None:
        rotated.append(rotate_master(by=BY, at=AT))
        connections.close_all()

    thread = threading.Thread(target=rotate)
    with transaction.atomic():
        made = made_key()  # under the key that is about to be dropped, and not committed yet
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(20)
    assert rotated == [2]
    assert len(SubjectKey.objects.get(pk=made.pk).open()) == 32


@pytest.mark.parametrize(
    ("one", "other"),
    [("Lin@Member.Example", " lin@member.example "), ("ＬＩＮ@x.tw", "lin@x.tw"), ("straße", "STRASSE"), ("ﬁn", "fin")],
)
def test_the_blind_index_finds_what_people_call_the_same(one: str, other: str) -> None:
    assert blind.index("email", one) == blind.index("email", other)
    assert len(blind.index("email", one)) == 32


def test_the_blind_index_keeps_columns_and_values_apart(key_file: Path) -> None:
    assert blind.index("email", "a") != blind.index("phone", "a")
    assert blind.index("email", "a") != blind.index("email", "b")
    first = blind.index("email", "a")
    key_file.write_text(os.urandom(32).hex())
    assert blind.index("email", "a") != first
