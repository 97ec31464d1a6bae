"""What a change of a member's data may hold, which class of risk each part is of, what each class asks for (2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import checking, roster
from lianfang.members.procedure import Spec, Step


def _w(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


CONTACT, ADMINISTRATORS, IDENTITY, ROSTER = "contact", "administrators", "identity", "roster"

RISKS: Final = {
    CONTACT: _w("聯絡資料", "Contact details"),
    ADMINISTRATORS: _w("管理員", "Administrators"),
    IDENTITY: _w("組織身分", "Identity of the organisation"),
    ROSTER: _w("內部成員名冊", "Roster of constituents"),
}
"""The classes of risk, the lightest first."""

ASKED: Final = {
    CONTACT: _w("由一位審查人核對後套用。", "One reviewer checks it and applies it."),
    ADMINISTRATORS: _w(
        "原管理員與新管理員的信箱都要用信中連結確認，再由審查人套用。",
        "The old and the new administrator's mailbox both confirm by a mailed link; then a reviewer applies it.",
    ),
    IDENTITY: _w(
        "資格（規章1.1）與陸資（規章1.3）重新審查，須有新的切結，並由審查人以外的核准人決定。",
        "Eligibility (1.1) and mainland capital (1.3) are checked again; it takes a new attestation, and an approver"
        " other than the reviewer decides.",
    ),
    ROSTER: _w(
        "新增與更名的列先做陸資檢核（規章1.3），原切結失效，須重新切結，並由審查人以外的核准人決定。",
        "Added and renamed rows are screened first (1.3); the attestation so far is void and is given anew; an approver"
        " other than the reviewer decides.",
    ),
}
"""What each class asks for before it is applied."""

AGAIN: Final = frozenset({IDENTITY, ROSTER})
"""The classes for which the checks of 1.1 and 1.3 are made again."""

ABOUT_PEOPLE: Final = ("person.", "contact.")
"""How the fields of the history begin that name somebody."""

_IDENTITY_FIELDS = frozenset(
    {"kind", "name_zh", "name_en", "ubn", "ubn_absent_reason", "stock_code", "certificate_number", "authority",
     "merged_with"}
)  # fmt: skip
KIND: Final = _w("組織種類", "Kind of organisation")
MERGED: Final = _w("合併的對象（名稱與統一編號）", "Merged with (name and business number)")
MERGED_HINT: Final = _w(
    "因合併而變更時填寫，其他情形留白。", "Only for a change that follows from a merger; empty otherwise."
)

_NOTHING = _w("沒有任何異動。請修改要更新的資料。", "Nothing is changed. Edit what is to be updated.")
NOBODY = _w("請選要更換的人員。", "Choose the person who is replaced.")
# A number and the reason for having none are one question, which the name takes part in.
_NUMBER = frozenset({"name_zh", "ubn", "ubn_absent_reason"})


def risk_of(field: str) -> str:
    """Return the class of a fact about the organisation."""
    return IDENTITY if field in _IDENTITY_FIELDS else CONTACT


def risks_of(values: Mapping[str, Any]) -> list[str]:
    """Return the classes of what a request changes, the lightest first."""
    found = {risk_of(field) for field in values.get("organization", {})}
    for one in values.get("people", ()):
        found.add(ADMINISTRATORS if one["role"] == "member_admin" else CONTACT)
    if any(values.get("contacts", {}).values()):
        found.add(CONTACT)
    if any(values.get("roster", {}).values()):
        found.add(ROSTER)
    return [risk for risk in RISKS if risk in found]


def checks_again(risks: Iterable[str]) -> bool:
    """Return whether the checks of 1.1 and 1.3 are made again, with two people and a new attestation."""
    return not AGAIN.isdisjoint(risks)


def facts_step(spec: Spec) -> Step:
    """Return the facts about the organisation that can change, as the procedure in force asks for them."""
    kind = {**spec.field("eligibility", "kind").raw, "label": {"zh": KIND.zh, "en": KIND.en}}
    merged = {
        "name": "merged_with", "type": "text", "required": False, "max": 250,
        "label": {"zh": MERGED.zh, "en": MERGED.en}, "hint": {"zh": MERGED_HINT.zh, "en": MERGED_HINT.en},
    }  # fmt: skip
    organization = spec.step("organization").raw
    return Step({**organization, "fields": [kind, *organization["fields"], merged]})


def label_of(spec: Spec, field: str) -> Bilingual:
    """Return the words for a fact, also for one that the procedure in force no longer asks for."""
    if field == "kind":
        return KIND
    if field == "merged_with":
        return MERGED
    try:
        return spec.field("organization", field).label
    except KeyError:
        return Bilingual(zh=field, en=field)


def value_words(spec: Spec, field: str, value: Any) -> Any:
    """Return a fact as people read it; a choice that the procedure no longer offers as it was written."""
    for one in facts_step(spec).fields:
        if one.name == field and one.type in ("radio", "choice"):
            option = one.option(str(value or ""))
            return Bilingual(**option["label"]) if option else value
    return value


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return `{field: [old, new]}` of what differs; an empty answer and none are the same."""
    found = {}
    for field, value in after.items():
        old, new = str(before.get(field) or "").strip(), str(value or "").strip()
        if old != new:
            found[field] = [old, new]
    return found


def faults(spec: Spec, before: Mapping[str, Any], differing: Mapping[str, Sequence[str]]) -> dict[str, Bilingual]:
    """Return what is wrong with the changed facts, by field: the same rules that an application meets.

    A changed kind asks for other proofs, so then everything is looked at; else only what was changed.
    """
    after = {**before, **{field: pair[1] for field, pair in differing.items()}}
    answers = {"eligibility": {"kind": after.get("kind", "")}, "organization": after}
    found = checking.check(facts_step(spec), answers, after, {})
    if "kind" in differing:
        return found
    wanted = {*differing, *(_NUMBER if _NUMBER & differing.keys() else ())}
    return {field: reason for field, reason in found.items() if field in wanted}


def person_faults(spec: Spec, new: Mapping[str, str]) -> dict[str, Bilingual]:
    """Return what is wrong with the data of a new person: the same rules that an application meets."""
    given = {f"contact_{name}": value for name, value in new.items()}
    wanted = [field for field in spec.step("people").raw["fields"] if field["name"].startswith("contact_")]
    step = Step({**spec.step("people").raw, "fields": wanted, "distinct": []})
    return {name.removeprefix("contact_"): why for name, why in checking.check(step, {}, given, {}).items()}


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the roster in force: the id of its row, its words."""

    id: str
    row: roster.Row


def roster_after(rows: Sequence[Listed], ops: Mapping[str, Any]) -> list[roster.Row]:
    """Return the roster as it will be: without what is removed or moved, with what is renamed or added.

    Raises Refusal for a row that is not on the roster any more.
    """
    held = {one.id: one.row for one in rows}
    gone = [one["id"] for one in (*ops.get("remove", ()), *ops.get("transfer", ()))]
    for key in gone:
        if held.pop(key, None) is None:
            raise Refusal(_ROW_GONE, rule="roster-row-gone")
    for one in ops.get("rename", ()):
        if one["id"] not in held:
            raise Refusal(_ROW_GONE, rule="roster-row-gone")
        held[one["id"]] = roster.Row(one["name"], one["ubn"])
    return [*held.values(), *(roster.Row(one["name"], one["ubn"]) for one in ops.get("add", ()))]


_ROW_GONE = _w(
    "名冊在這期間有變動，這一列已經不在名冊上。請重新提出。",
    "The roster changed meanwhile: one of these rows is not on it any more. File it anew.",
)


def new_rows(ops: Mapping[str, Any]) -> list[roster.Row]:
    """Return the rows whose words are new, which are screened before anybody of them gets access."""
    return [roster.Row(one["name"], one["ubn"]) for one in (*ops.get("add", ()), *ops.get("rename", ()))]


def require_something(values: Mapping[str, Any]) -> None:
    """Raise Refusal for a request that changes nothing."""
    if not risks_of(values):
        raise Refusal(_NOTHING, rule="change-nothing")


@dataclass(frozen=True, slots=True)
class Turn:
    """A value of a fact from an instant on."""

    at: datetime
    old: Any
    new: Any


def value_at(steps: Sequence[Turn], now: Any, at: datetime) -> Any:
    """Return a fact as it was at an instant; `steps` are its changes, oldest first, and `now` what it is without any.

    The new value holds from the very instant of its change.
    """
    value = steps[0].old if steps else now
    for step in steps:
        if step.at <= at:
            value = step.new
    return value
