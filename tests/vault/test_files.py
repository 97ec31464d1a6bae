"""Files lie sealed on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lianfang.vault import sealing
from lianfang.vault.actions import shred
from lianfang.vault.models import StoredFile
from tests.vault.things import AT, BY, kept

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [0, 40, 300_000])
def test_content_comes_back_and_is_not_on_the_disk(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    file = kept("名冊.pdf", content=content)
    again = StoredFile.objects.get(pk=file.pk)
    assert again.open().read() == content
    assert again.size == size
    path = Path(again.path)
    assert path.is_relative_to(tmp_path / "files")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not size or content[:50] not in path.read_bytes()
    assert [one.name for one in path.parent.iterdir()] == [str(file.pk)]


def test_exchanged_files_do_not_open() -> None:
    key = kept("x").vault_key
    first, second = kept("a", key=key, content=b"one"), kept("b", key=key, content=b"two")
    Path(first.path).write_bytes(Path(second.path).read_bytes())
    with pytest.raises(sealing.NotOurs):
        first.open()


def test_a_truncated_file_does_not_open() -> None:
    file = kept("a", content=b"one")
    Path(file.path).write_bytes(Path(file.path).read_bytes()[:20])
    with pytest.raises(sealing.NotOurs):
        file.open()


def test_a_shredded_person_takes_the_files_along() -> None:
    file = kept("a", content=b"one")
    shred(file.vault_key, by=BY, at=AT)
    shred(file.vault_key, by=BY, at=AT)
    with pytest.raises(sealing.Shredded):
        StoredFile.objects.get(pk=file.pk).open()
