"""An action answers for its own entry, and an entry holds nothing that storage would change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.audit.actions import Unaudited, action, record, text_matches
from lianfang.audit.leaves import hash_of
from lianfang.audit.models import Entry
from lianfang.audit.tags import Tag
from lianfang.policy.facts import Kind, Pair, Subject
from lianfang.vault.models import SubjectKey
from tests.audit.deeds import AT, BY, deed

pytestmark = pytest.mark.django_db


@action(Tag.VAULT_KEY_SHRED)
def forgetful() -> None:
    SubjectKey.make()


@action(Tag.VAULT_MASTER_ROTATE)
def outer(*, records: bool) -> Entry:
    inner = deed(1)
    if records:
        record(by=BY, at=AT, about=("test.thing", "outer"))
    return inner


def test_an_action_without_an_entry_is_rolled_back() -> None:
    with pytest.raises(Unaudited, match=r"forgetful ended without record\(\) for vault:key:shred"):
        forgetful()
    assert SubjectKey.objects.count() == 0


def test_an_outer_action_does_not_live_on_the_entry_of_an_inner_one() -> None:
    with pytest.raises(Unaudited, match="outer"):
        outer(records=False)
    assert Entry.objects.count() == 0


def test_nested_actions_record_under_their_own_tags() -> None:
    outer(records=True)
    assert list(Entry.objects.order_by("id").values_list("tag", flat=True)) == [
        "vault:key:shred",
        "vault:master:rotate",
    ]


def test_an_exception_takes_the_entry_along() -> None:
    @action(Tag.VAULT_KEY_SHRED)
    def fails() -> None:
        deed(1)
        record(by=BY, at=AT, about=("test.thing", "1"))
        raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert Entry.objects.count() == 0


def test_after_a_failed_action_the_next_one_is_asked_afresh() -> None:
    with pytest.raises(Unaudited):
        forgetful()
    assert deed(2).tag == "vault:key:shred"
    with pytest.raises(Unaudited, match="needs a tag"):
        record(by=BY, at=AT, about=("test.thing", "1"))


def test_an_entry_says_who_for_whom_and_about_what() -> None:
    person, pair = UUID(int=1), Pair(UUID(int=2), UUID(int=3))
    key = SubjectKey(id=UUID(int=4))
    made = record(by=Subject(kind=Kind.PERSON, person=person, pair=pair), at=AT, about=key, tag=Tag.VAULT_KEY_SHRED)
    assert made.actor == f"person:{person}"
    assert made.acting_for == f"{pair.organization}/{pair.group}"
    assert (made.about_type, made.about_id) == ("vault.subjectkey", str(key.id))


def test_outside_an_action_a_tag_is_enough() -> None:
    assert record(by=BY, at=AT, about=("x", "1"), tag=Tag.VAULT_KEY_SHRED).pk


def test_a_text_is_kept_as_a_salted_digest_alone() -> None:
    made, other = deed(1, text="主文：核准。"), deed(2, text="主文：核准。")
    assert text_matches(made, "主文：核准。")
    assert not text_matches(made, "主文：不核准。")
    assert not text_matches(deed(3), "")
    assert made.text_digest != other.text_digest
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_entry::text FROM audit_entry")
        assert "主文" not in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ({"share": 0.5}, "detail.share: a fraction"),
        ({"a": [1, {"b": 1e3}]}, r"detail.a\[1\].b: a fraction"),
        ({"a": "x\x00"}, "detail.a: text holds NUL"),
        ({"a\x00": 1}, "text holds NUL"),
        ({"a": 2**53}, "integer beyond"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"a": "x" * 70_000}, "more than 65536 bytes"),
        ({"a": datetime(2026, 1, 1)}, "not a JSON type"),  # noqa: DTZ001
    ],
)
def test_a_detail_that_storage_would_change_is_refused(detail: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        record(by=BY, at=AT, about=("x", "1"), detail=detail, tag=Tag.VAULT_KEY_SHRED)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        record(by=BY, at=datetime(2026, 1, 1), about=("x", "1"), tag=Tag.VAULT_KEY_SHRED)  # noqa: DTZ001


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(detail=st.dictionaries(TEXT, JSON, max_size=4))
def test_what_is_stored_hashes_like_what_was_written(detail: dict[str, Any]) -> None:
    made = record(by=BY, at=AT, about=("x", "1"), detail=detail, tag=Tag.VAULT_KEY_SHRED)
    made.refresh_from_db()
    first = hash_of(made)
    assert made.detail == detail
    assert hash_of(Entry.objects.get(pk=made.pk)) == first


def test_tags_are_sorted_unique_and_have_words() -> None:
    values = [tag.value for tag in Tag]
    assert values == sorted(values)
    assert len(values) == len(set(values))
    for tag in Tag:
        assert len(tag.value.split(":")) == 3, tag
        assert tag.name == tag.value.upper().replace(":", "_").replace("-", "_"), tag
        assert tag.words.en, tag
        assert tag.words.zh[-1] != "。", tag
