"""What the number of a case says by its letter: its kind, its rows, its states, and the staff's page of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from lianfang.kernel.machine import Machine
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle import (
    APPEAL,
    APPLICATION,
    CHANGE,
    LIST_CASE,
    RECOVERY,
    REVOCATION,
    TERMINATION,
)
from lianfang.members.models import (
    Appeal,
    Application,
    ChangeRequest,
    ListCase,
    Recovery,
    Revocation,
    Termination,
)

Case = Application | Appeal | ChangeRequest | ListCase | Recovery | Revocation | Termination


@dataclass(frozen=True, slots=True)
class CaseKind:
    """One kind of case; `page` is the name of the staff's page, which takes the number.

    `about` leads from a row to the organisation that may read the case as its own; empty for what is the staff's alone.
    """

    words: Bilingual
    model: Any
    machine: Machine
    page: str
    about: str = "membership__organization"


KINDS: Final = {
    "A": CaseKind(
        Bilingual(zh="入會申請", en="Application for membership"), Application, APPLICATION, "case", "organization"
    ),
    "C": CaseKind(Bilingual(zh="異動申請", en="Change request"), ChangeRequest, CHANGE, "change_case"),
    "K": CaseKind(Bilingual(zh="新管理員", en="New administrators"), Recovery, RECOVERY, "recovery"),
    "L": CaseKind(Bilingual(zh="名單案件", en="Case opened by a list"), ListCase, LIST_CASE, "list_case", ""),
    "P": CaseKind(Bilingual(zh="申訴", en="Appeal"), Appeal, APPEAL, "appeal", "revocation__membership__organization"),
    "R": CaseKind(Bilingual(zh="取消會籍", en="Revocation"), Revocation, REVOCATION, "revocation"),
    "T": CaseKind(Bilingual(zh="終止會籍", en="Termination"), Termination, TERMINATION, "termination"),
}
_NUMBER = re.compile(r"[A-Z]-\d{4}-\d{4,8}", re.ASCII)


def is_number(typed: str) -> bool:
    """Return whether this looks like the number of a case; anything else is nobody's, whatever bytes it holds."""
    return _NUMBER.fullmatch(typed) is not None


def kind_of(number: str) -> CaseKind | None:
    """Return the kind of case that a number names; None for what is no number of a case."""
    return KINDS.get(number[0]) if is_number(number) else None


def is_own(number: str, *, organization: UUID) -> bool:
    """Return whether this organisation has a case of this number to read; others' cases are never loaded for it."""
    kind = kind_of(number)
    if kind is None or not kind.about:
        return False
    return bool(kind.model.objects.filter(number=number, **{kind.about: organization}).exists())


def staff_page(number: str) -> str:
    """Return the address of the staff's page of a case; empty for what is no number of a case, such as a draft's id."""
    kind = kind_of(number)
    return reverse(kind.page, args=[number]) if kind else ""


def exists(number: str) -> bool:
    """Return whether there is a case of this number."""
    kind = kind_of(number)
    return kind is not None and kind.model.objects.filter(number=number).exists()
