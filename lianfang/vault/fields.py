"""Model fields whose column is sealed: text or JSON on the instance, bytes in the database.

A value read from the database stays sealed until somebody looks at it, and is written back byte for byte unless it was
set. What was sealed under a destroyed key reads as `ERASED` (text) or None (JSON). Such a column cannot be searched,
ordered or changed by a query: only through an instance, since it is bound to its row.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import FieldError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from lianfang.vault import sealing

T = TypeVar("T")

ERASED = "［已刪除 erased］"
"""What sealed text reads as once its key was destroyed."""


class _Sealed(bytes):
    """Bytes as they stand in the database; never shown."""

    def __repr__(self) -> str:
        return "<sealed>"


class _Attribute(DeferredAttribute):
    """Opens a value when it is looked at, and keeps the opened one."""

    field: SealedField[Any]

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, _Sealed):
            return value
        opened = self.field.open(instance, value)
        # The sealed bytes stay beside it, so that an untouched value is not sealed anew at each save.
        instance.__dict__[_kept(self.field)] = (value, _frozen(opened))
        instance.__dict__[self.field.attname] = opened
        return opened

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


if TYPE_CHECKING:

    class _Field(models.Field[T, T]):
        """Django's own field, which takes type arguments only in its stubs."""

else:

    class _Field(models.Field):
        __class_getitem__ = classmethod(lambda cls, _: cls)


class SealedField(_Field[T]):
    """What text and JSON share; use `SealedText` or `SealedJSON`."""

    descriptor_class = _Attribute
    erased: Any = None

    def encode(self, value: Any) -> bytes:
        """Return the bytes to be sealed."""
        raise NotImplementedError

    def decode(self, content: bytes) -> Any:
        """Return the value from opened bytes."""
        raise NotImplementedError

    def get_internal_type(self) -> str:
        return "BinaryField"

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is sealed: it cannot be searched; use a blind index")

    def from_db_value(self, value: bytes | None, *_: Any) -> bytes | None:
        return None if value is None else _Sealed(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: ARG002
        if value is None or isinstance(value, _Sealed):
            return value if value is None else connection.Database.Binary(bytes(value))
        raise FieldError(f"{self.name} is sealed: write it by saving an instance, not by a query")

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, _Sealed):
            return value
        sealed, opened = model_instance.__dict__.get(_kept(self), (None, None))
        if sealed is not None and not add and opened == _frozen(value):
            return sealed
        key = model_instance.vault_key  # type: ignore[attr-defined]  # the Sealed mixin
        return _Sealed(
            sealing.seal(key_id=key.id, key=key.open(), content=self.encode(value), where=self._where(model_instance))
        )

    def open(self, instance: models.Model, value: bytes) -> Any:
        """Return the value of this row from its sealed bytes; what was erased says so."""
        key = instance.vault_key  # type: ignore[attr-defined]  # the Sealed mixin
        try:
            content = sealing.unseal(key=key.open(), sealed=bytes(value), where=self._where(instance))
        except sealing.Shredded:
            return self.erased
        return self.decode(content)

    def _where(self, instance: models.Model) -> bytes:
        return sealing.place(table=instance._meta.db_table, column=str(self.column), pk=instance.pk)


class SealedText(SealedField[str]):
    """Sealed text; `max_length` counts characters and is checked by `full_clean` and forms."""

    erased = ERASED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def encode(self, value: Any) -> bytes:
        return str(value).encode()

    def decode(self, content: bytes) -> str:
        return content.decode()

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": forms.CharField, "max_length": self.max_length, **kwargs})


class SealedJSON(SealedField[Any]):
    """A sealed JSON value."""

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def decode(self, content: bytes) -> Any:
        return json.loads(content)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": forms.JSONField, **kwargs})


def _kept(field: models.Field[Any, Any]) -> str:
    return f"_sealed_{field.attname}"


def _frozen(value: Any) -> Any:
    """A value to compare with later: JSON can be changed in place."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
