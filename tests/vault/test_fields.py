"""What is sealed opens only where it stands, for whom it is, and is never in the database in clear."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import connection, models
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.ids import new_id
from lianfang.vault import sealing
from lianfang.vault.actions import shred
from lianfang.vault.fields import ERASED, SealedJSON, SealedText
from lianfang.vault.models import Sealed, StoredFile
from tests.vault.things import AT, BY, kept, made_key

pytestmark = pytest.mark.django_db


def column(file: StoredFile) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM vault_storedfile WHERE id = %s", [file.pk])
        return bytes(cursor.fetchone()[0])


def put(file: StoredFile, value: bytes) -> StoredFile:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_storedfile SET name = %s WHERE id = %s", [value, file.pk])
    return StoredFile.objects.get(pk=file.pk)


@action(Tag.VAULT_KEY_SHRED)
def save(file: StoredFile, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(file, name, value)
    file.save()
    record(by=BY, at=AT, about=file)


def test_text_comes_back_and_is_not_in_the_database() -> None:
    file = kept("林樣本的名冊.pdf")
    assert StoredFile.objects.get(pk=file.pk).name == "林樣本的名冊.pdf"
    assert "林樣本".encode() not in column(file)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_survives(text: str) -> None:
    assert StoredFile.objects.get(pk=kept(text).pk).name == text


@settings(max_examples=200, deadline=None)
@given(
    content=st.binary(max_size=200),
    where=st.binary(max_size=40),
    other=st.binary(max_size=40),
    bit=st.integers(0, 10_000),
)
def test_a_sealed_value_opens_only_unchanged_and_in_its_place(
    content: bytes, where: bytes, other: bytes, bit: int
) -> None:
    key, key_id = b"k" * 32, UUID(int=1)
    sealed = sealing.seal(key_id=key_id, key=key, content=content, where=where)
    assert sealing.unseal(key=key, sealed=sealed, where=where) == content
    assert sealing.key_of(sealed) == key_id
    position = bit % (len(sealed) * 8)
    flipped = bytearray(sealed)
    flipped[position // 8] ^= 1 << (position % 8)
    wrong = [(key, bytes(flipped), where), (b"j" * 32, sealed, where), (key, sealed[:-1], where), (key, b"", where)]
    if other != where:
        wrong.append((key, sealed, other))
    for bad_key, bad, place in wrong:
        with pytest.raises(sealing.NotOurs):
            sealing.unseal(key=bad_key, sealed=bad, where=place)


def test_the_same_text_never_looks_the_same() -> None:
    assert column(kept("甲")) != column(kept("甲"))


def test_swapped_rows_do_not_open() -> None:
    key = kept("甲").vault_key
    first, second = kept("甲", key=key), kept("乙", key=key)
    put(first, column(second))
    with pytest.raises(sealing.NotOurs, match=f"vault_storedfile.name.{first.pk}"):
        _ = StoredFile.objects.get(pk=first.pk).name


def test_a_row_under_another_key_does_not_open() -> None:
    first, second = kept("甲"), kept("乙")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_storedfile SET vault_key_id = %s WHERE id = %s", [second.vault_key_id, first.pk])
    with pytest.raises(sealing.NotOurs):
        _ = StoredFile.objects.get(pk=first.pk).name


def test_an_untouched_value_is_written_back_as_it_was() -> None:
    file = kept("甲")
    before = column(file)
    again = StoredFile.objects.get(pk=file.pk)
    save(again, media_type="x")
    assert column(file) == before
    assert again.name == "甲"
    save(again, media_type="y")
    assert column(file) == before
    save(again, name="乙")
    assert column(file) != before
    assert StoredFile.objects.get(pk=file.pk).name == "乙"


def test_refreshing_and_deferring_read_the_same_value() -> None:
    file = kept("甲")
    save(StoredFile.objects.get(pk=file.pk), name="乙")
    file.refresh_from_db()
    assert file.name == "乙"
    assert StoredFile.objects.defer("name").get(pk=file.pk).name == "乙"
    assert StoredFile.objects.only("size").get(pk=file.pk).name == "乙"


def test_a_sealed_value_shows_nothing_of_itself() -> None:
    file = kept("甲")
    raw = StoredFile.objects.values_list("name", flat=True).get(pk=file.pk)
    assert repr(raw) == "<sealed>"
    assert "甲" not in repr(StoredFile.objects.get(pk=file.pk).__dict__)


@pytest.mark.parametrize("lookup", ["name", "name__contains", "name__in", "name__gt"])
def test_a_sealed_column_cannot_be_searched(lookup: str) -> None:
    with pytest.raises(FieldError, match="sealed"):
        StoredFile.objects.filter(**{lookup: "甲"}).exists()
    assert StoredFile.objects.filter(name__isnull=True).count() == 0


def test_a_query_cannot_write_a_sealed_column() -> None:
    file = kept("甲")
    with pytest.raises(FieldError, match="saving an instance"):
        StoredFile.objects.filter(pk=file.pk).update(name="乙")


def test_what_was_shredded_reads_as_erased_and_cannot_be_written() -> None:
    file = kept("甲")
    shred(file.vault_key, by=BY, at=AT)
    again = StoredFile.objects.get(pk=file.pk)
    assert again.name == ERASED
    with pytest.raises(sealing.Shredded):
        save(again, name="乙")
    with pytest.raises(sealing.Shredded):
        again.open()
    save(StoredFile.objects.get(pk=file.pk), media_type="still")


@isolate_apps("lianfang.vault")
def test_a_model_with_sealed_fields_needs_a_key_known_beforehand() -> None:
    class Numbered(Sealed):
        name = SealedText()

        class Meta:
            app_label = "vault"

    # Alone in its registry the model also misses its foreign key's target, which is no matter here.
    assert "vault.E001" in [error.id for error in Numbered.check()]
    assert "vault.E001" not in [error.id for error in StoredFile.check()]
    assert [field.name for field in StoredFile.sealed_fields()] == ["name"]


@isolate_apps("lianfang.vault")
def test_json_comes_back_and_a_change_in_place_is_noticed() -> None:
    class Answers(Sealed):
        id = models.UUIDField(primary_key=True, default=new_id)
        given = SealedJSON()

        class Meta:
            app_label = "vault"

    key, field = made_key(), Answers._meta.get_field("given")
    first = Answers(vault_key=key, given={"名": ["甲", 1, None]})
    stored = field.pre_save(first, True)
    assert "甲".encode() not in stored
    again = Answers(id=first.id, vault_key=key, given=field.from_db_value(stored))
    assert again.given == {"名": ["甲", 1, None]}
    assert field.pre_save(again, False) == stored
    again.given["名"].append("乙")
    changed = field.pre_save(again, False)
    assert changed != stored
    assert Answers(id=first.id, vault_key=key, given=changed).given["名"][-1] == "乙"


def test_length_is_checked_where_forms_are() -> None:
    field = SealedText(max_length=3)
    field.clean("一二三", None)
    with pytest.raises(ValidationError):
        field.clean("一二三四", None)
    form_field = field.formfield()
    assert form_field is not None
    with pytest.raises(ValidationError):
        form_field.clean("一二三四")
