"""What is sealed is bound to its row, field and person; what was cut, moved or is of another system stays shut."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Person
from lianfang.accounts.queries import person_by_email
from lianfang.audit.actions import action, record
from lianfang.audit.models import Entry
from lianfang.audit.tags import Tag
from lianfang.vault import blind, keys, sealing
from lianfang.vault.actions import rotate_master, shred
from lianfang.vault.fields import ERASED
from lianfang.vault.keys import MasterKeyUnusable, keyring
from lianfang.vault.models import StoredFile, SubjectKey
from tests.vault.things import AT, BY, kept, made_key

calm = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEALED = ["name", "title", "email", "phone"]
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def person(number: int) -> Person:
    """Somebody with every sealed field filled in."""
    return accounts.person_enter(
        name=f"林{number}號", title=f"職{number}", email=f"p{number}@m.example", phone=f"02-{number:04d}", by=BY, at=AT
    )


def column(row: Person, name: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{name}" FROM accounts_person WHERE id = %s', [row.pk])
        return bytes(cursor.fetchone()[0])


def put(row: Person, **values: object) -> Person:
    """Write into the table behind everything's back, as whoever can reach it could."""
    with connection.cursor() as cursor:
        for name, value in values.items():
            cursor.execute(f'UPDATE accounts_person SET "{name}" = %s WHERE id = %s', [value, row.pk])
    return Person.objects.get(pk=row.pk)


# Moved


@pytest.mark.django_db
@pytest.mark.parametrize("target", SEALED)
@pytest.mark.parametrize("source", SEALED)
def test_a_value_opens_in_its_own_field_alone(source: str, target: str) -> None:
    row = person(1)
    moved = put(row, **{target: column(row, source)})
    if source == target:
        assert getattr(moved, target) == getattr(row, target)
        return
    with pytest.raises(sealing.NotOurs, match=f"accounts_person.{target}.{row.pk}"):
        getattr(moved, target)
    for other in set(SEALED) - {target}:
        assert getattr(moved, other) == getattr(row, other), "the others are as they were"


@pytest.mark.django_db
@pytest.mark.parametrize("name", SEALED)
def test_a_value_opens_in_its_own_row_alone_also_with_the_key_taken_along(name: str) -> None:
    first, second = person(1), person(2)
    stolen = column(second, name)
    for with_key in (False, True):
        changed: dict[str, object] = {name: stolen}
        if with_key:
            changed["vault_key_id"] = second.vault_key_id
        with pytest.raises(sealing.NotOurs):
            getattr(put(first, **changed), name)


@pytest.mark.django_db
def test_an_address_put_in_for_another_does_not_find_its_person() -> None:
    first, second = person(1), person(2)
    put(first, email_index=None)
    put(second, email_index=bytes(first.email_index or b""))
    found = person_by_email("p1@m.example")
    assert found == second, "the index is only an index"
    assert found.email == "p2@m.example", "and what is sealed says whose it is"


@pytest.mark.django_db
@pytest.mark.parametrize("damage", ["cut", "longer", "empty", "version", "zeros", "of another key"])
def test_a_damaged_value_is_named_by_its_place_and_never_read(damage: str) -> None:
    row, other = person(1), person(2)
    value = column(row, "name")
    broken = {
        "cut": value[:-1], "longer": value + b"\x00", "empty": b"", "version": b"\x02" + value[1:],
        "zeros": bytes(len(value)), "of another key": value[:1] + other.vault_key_id.bytes + value[17:],
    }[damage]  # fmt: skip
    changed = put(row, name=broken)
    with pytest.raises(sealing.NotOurs) as refused:
        _ = changed.name
    assert "林" not in str(refused.value)


@calm
@given(first=words, second=words, table=words, name=words, pk=words)
def test_two_places_are_never_written_the_same(first: str, second: str, table: str, name: str, pk: str) -> None:
    one, other = (sealing.place(table=f"t{part}", column="c", pk=UUID(int=1)) for part in (first, second))
    assert (one == other) is (first == second)
    key, key_id = os.urandom(32), uuid4()
    where = sealing.place(table=table, column=name, pk=pk)
    sealed = sealing.seal(key_id=key_id, key=key, content=b"x", where=where)
    assert sealing.unseal(key=key, sealed=sealed, where=where) == b"x"


@calm
@given(content=st.binary(max_size=64), cut=st.integers(0, 120))
def test_no_part_of_a_sealed_value_opens(content: bytes, cut: int) -> None:
    key, where = b"k" * 32, b"table|column|row"
    sealed = sealing.seal(key_id=UUID(int=7), key=key, content=content, where=where)
    assert len(sealed) == 1 + 16 + 12 + len(content) + 16
    part = sealed[:cut]
    if part == sealed:
        return
    with pytest.raises(sealing.NotOurs):
        sealing.unseal(key=key, sealed=part, where=where)
    with pytest.raises(sealing.NotOurs):
        sealing.unseal(key=key, sealed=sealed[cut:] if 0 < cut < len(sealed) else b"", where=where)


# Keys of people


@pytest.mark.django_db
@pytest.mark.parametrize("cut", [0, 1, 11, 12, 20, 59])
def test_a_wrapped_key_that_was_cut_does_not_open(cut: int) -> None:
    made = made_key()
    assert len(bytes(made.wrapped or b"")) == 12 + 32 + 16
    made.wrapped = bytes(made.wrapped or b"")[:cut]
    with pytest.raises(sealing.NotOurs, match=f"subject key {made.id} does not open"):
        made.open()


@pytest.mark.django_db
def test_a_wrapped_key_put_in_for_another_does_not_open() -> None:
    first, second = made_key(), made_key()
    assert first.open() != second.open()
    first.wrapped = second.wrapped
    with pytest.raises(sealing.NotOurs):
        first.open()


@pytest.mark.django_db
def test_a_wrong_master_key_names_itself_and_the_file(key_file: Path) -> None:
    row = person(1)
    right = key_file.read_text()
    key_file.write_text(secrets.token_hex(32) + "\n")
    with pytest.raises(MasterKeyUnusable) as refused:
        _ = Person.objects.get(pk=row.pk).name
    said = str(refused.value)
    assert str(key_file) in said
    assert row.vault_key.master_id in said
    assert right.strip() not in said
    key_file.write_text(right)
    key_file.chmod(0o600)
    assert Person.objects.get(pk=row.pk).name == "林1號"


@pytest.mark.django_db
def test_a_key_file_of_another_system_finds_nobody(key_file: Path) -> None:
    person(1)
    right = key_file.read_text()
    key_file.write_text(secrets.token_hex(32) + "\n")
    assert person_by_email("p1@m.example") is None
    key_file.write_text(right)
    assert person_by_email("p1@m.example") is not None


def test_the_name_of_a_key_tells_nothing_of_it() -> None:
    names = {keys.key_id(os.urandom(32)) for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) == 8 and int(name, 16) >= 0 for name in names)
    key = os.urandom(32)
    assert keys.key_id(key) == keys.key_id(key)
    assert keys.key_id(key) not in key.hex()


def test_the_key_of_the_index_is_neither_the_master_key_nor_lost_with_it(key_file: Path) -> None:
    before = keyring()
    assert before.blind != before.keys[before.current]
    added = keys.add(key_file)
    assert keyring().current == added
    assert set(keyring().keys) == {before.current, added}
    keys.drop_old(key_file)
    assert set(keyring().keys) == {added}
    assert keyring().blind == before.blind
    lines = key_file.read_text().split("\n")
    assert [line.split()[0] for line in lines if line][:1] == ["blind"]


@pytest.mark.parametrize(
    "order", [["blind", "key"], ["key", "blind"], ["old", "blind", "key"], ["", "key", "", "blind"]]
)
def test_the_last_key_of_the_file_is_the_current_one_wherever_the_index_stands(
    key_file: Path, order: list[str]
) -> None:
    made = {"key": "b" * 64, "old": "a" * 64, "blind": "blind " + "c" * 64, "": ""}
    key_file.write_text("\n".join(made[part] for part in order))
    ring = keyring()
    assert ring.keys[ring.current] == bytes.fromhex("b" * 64)
    assert ring.blind == bytes.fromhex("c" * 64)


@pytest.mark.parametrize(
    "line", ["A" * 64, "a" * 63, "a" * 65, "blind", "blind " + "A" * 64, "blind  " + "a" * 64, "# x"]
)
def test_a_line_that_is_neither_is_named_by_its_number_and_not_shown(key_file: Path, line: str) -> None:
    key_file.write_text("a" * 64 + f"\n\n{line}\n")
    with pytest.raises(MasterKeyUnusable) as refused:
        keyring()
    assert "line 3" in str(refused.value)
    assert line not in str(refused.value) or line in ("blind",)


# Rotation


@pytest.mark.django_db
def test_a_rotation_touches_nothing_that_is_sealed_and_is_recorded(key_file: Path) -> None:
    rows = [person(number) for number in range(5)]
    before = {row.pk: [column(row, name) for name in SEALED] for row in rows}
    old = keyring().current
    assert rotate_master(by=BY, at=AT) == 5
    assert {row.pk: [column(row, name) for name in SEALED] for row in rows} == before
    for number, row in enumerate(rows):
        again = Person.objects.get(pk=row.pk)
        assert (again.name, again.email, again.vault_key.master_id) == (
            f"林{number}號", f"p{number}@m.example", keyring().current,
        )  # fmt: skip
    entries = Entry.objects.filter(tag="vault:master:rotate").order_by("pk")
    assert [entry.detail["wrapped"] for entry in entries] == [5, 0]
    assert {entry.about_id for entry in entries} == {keyring().current} != {old}
    assert old not in key_file.read_text()


@pytest.mark.django_db
def test_what_was_sealed_before_between_and_after_rotations_all_opens(key_file: Path) -> None:
    rows = []
    for number in range(4):
        rows.append((person(number), kept(f"名{number}", content=b"%d" % number)))
        rotate_master(by=BY, at=AT)
    for number, (row, file) in enumerate(rows):
        assert Person.objects.get(pk=row.pk).name == f"林{number}號"
        assert person_by_email(f"P{number}@m.example") == row
        again = StoredFile.objects.get(pk=file.pk)
        assert (again.name, again.open().read()) == (f"名{number}", b"%d" % number)


@pytest.mark.django_db
def test_a_shredded_person_stays_shredded_through_a_rotation() -> None:
    row, other = person(1), person(2)
    shred(row.vault_key, by=BY, at=AT)
    rotate_master(by=BY, at=AT)
    again = Person.objects.get(pk=row.pk)
    assert {getattr(again, name) for name in SEALED} == {ERASED}
    assert SubjectKey.objects.get(pk=row.vault_key_id).wrapped is None
    assert Person.objects.get(pk=other.pk).name == "林2號"


@pytest.mark.django_db
def test_a_rotation_that_cannot_write_its_file_changes_nothing(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = person(1)
    before = key_file.read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keys, "replace", full)
    with pytest.raises(OSError, match="No space"):
        rotate_master(by=BY, at=AT)
    assert key_file.read_text() == before
    assert Person.objects.get(pk=row.pk).name == "林1號"


# The blind index


@calm
@given(text=words)
def test_an_index_is_the_same_for_what_people_call_the_same(text: str) -> None:
    for other in (f" {text}\n", text.upper().lower() if text.isascii() else text, f"\u3000{text}\t"):
        assert blind.index("email", other) == blind.index("email", text)


@calm
@given(first=words, second=words)
def test_an_index_tells_apart_what_is_not(first: str, second: str) -> None:
    import unicodedata

    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())

    assert (blind.index("k", first) == blind.index("k", second)) is (folded(first) == folded(second))
    # The kind cannot be stretched into the value.
    assert blind.index("k", first) != blind.index("kk", first)
    assert blind.index("a", "b" + first) != blind.index("ab", first) or first == "\x00"


# Files


@pytest.mark.django_db
@pytest.mark.parametrize("cut", [0, 1, 16, 17, 28, 29, 44, 45, 1000])
def test_a_file_cut_anywhere_does_not_open(cut: int) -> None:
    file = kept("a", content=os.urandom(4000))
    path = Path(file.path)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    with pytest.raises(sealing.NotOurs):
        file.open()
    path.write_bytes(whole[:-1])
    with pytest.raises(sealing.NotOurs):
        file.open()
    path.write_bytes(whole + b"\x00")
    with pytest.raises(sealing.NotOurs):
        file.open()
    path.write_bytes(whole)
    assert len(file.open().read()) == 4000


@pytest.mark.django_db
def test_a_file_that_is_gone_says_so() -> None:
    file = kept("a", content=b"x")
    Path(file.path).unlink()
    with pytest.raises(FileNotFoundError):
        file.open()


@pytest.mark.django_db
def test_a_value_of_a_row_is_no_file_and_a_file_no_value() -> None:
    key = made_key()
    file = kept("name", key=key, content=b"content")
    path = Path(file.path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM vault_storedfile WHERE id = %s", [file.pk])
        name = bytes(cursor.fetchone()[0])
        cursor.execute("UPDATE vault_storedfile SET name = %s WHERE id = %s", [path.read_bytes(), file.pk])
    path.write_bytes(name)
    with pytest.raises(sealing.NotOurs):
        file.open()
    with pytest.raises(sealing.NotOurs):
        _ = StoredFile.objects.get(pk=file.pk).name


@pytest.mark.django_db
def test_nothing_is_left_open_when_a_disk_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from lianfang.vault import files

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)

    @action(Tag.VAULT_KEY_SHRED)
    def store() -> None:
        made = files.store(key=SubjectKey.make(), content=b"personal", at=AT, name="x")
        record(by=BY, at=AT, about=made)

    with pytest.raises(OSError, match="No space"), transaction.atomic():
        store()
    assert not StoredFile.objects.exists()
    left = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert all(b"personal" not in path.read_bytes() for path in left)


@pytest.mark.django_db
def test_the_size_that_is_told_is_that_of_the_content_and_the_name_is_sealed(settings: Any) -> None:
    file = kept("林樣本的委託書.pdf", content=b"x" * 123)
    assert file.size == 123
    on_disk = Path(file.path)
    assert on_disk.name == str(file.pk)
    assert "林樣本" not in str(on_disk)
    assert on_disk.parent.stat().st_mode & 0o077 == 0
