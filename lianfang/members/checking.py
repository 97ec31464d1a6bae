"""Whether an answer is complete and right: the same rules on the page, at submission and for a correction.

Nothing here changes or throws away what was typed; a fault is a sentence that says what to enter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lianfang.kernel import ubn
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import roster
from lianfang.members.identity import holds_identity_number
from lianfang.members.procedure import Answers, Field, Spec, Step, words

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
                    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+\Z")  # fmt: skip
_PHONE = re.compile(r"[+(]?[0-9][0-9 ()-]{5,24}(?:#[0-9]{1,8})?\Z")
_CODE = re.compile(r"[1-9][0-9]{3,5}\Z")
_NUMBER = re.compile(r"[0-9]{1,12}\Z")
_DATE = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_MISSING = Bilingual(zh="請填寫。", en="Fill this in.")
_CHOOSE = Bilingual(zh="請選一項。", en="Choose one.")
_TICK = Bilingual(zh="請勾選；沒有預先勾選。", en="Tick this; nothing is ticked for you.")
_LONG = Bilingual(zh="請縮短到{n}字以內。", en="Shorten this to {n} characters.")
_CONTROL_CHARACTER = Bilingual(zh="含有看不見的控制字元，請重新輸入。", en="It holds an invisible control character.")
_IDENTITY = Bilingual(
    zh="這裡有身分證字號。請刪除，我們不需要它。", en="There is an identity number here. Remove it; we do not need it."
)
_BAD_EMAIL = Bilingual(
    zh="請寫完整的電子郵件，例如name@example.tw。", en="Write a complete address, such as name@example.tw."
)
_BAD_PHONE = Bilingual(
    zh="請寫區碼與號碼，分機寫#，例如02-0000-0000#12。", en="Write it like 02-0000-0000#12 or +886-2-0000-0000."
)
_BAD_CODE = Bilingual(zh="股票代號是4到6個數字。", en="A stock code has 4 to 6 digits.")
_BAD_NUMBER = Bilingual(zh="請寫整數，不含逗號與單位。", en="Write a whole number without commas or units.")
_BAD_DATE = Bilingual(
    zh="看不出是民國還是西元。請寫成2026-11-01。", en="We cannot tell ROC from Gregorian. Write 2026-11-01."
)
_UBN_OR_REASON = Bilingual(
    zh="請填8個數字，或在下一題選沒有統一編號的原因。", en="Enter the 8 digits, or choose below why there is none."
)
_NOT_KY = Bilingual(
    zh="只有名稱含-KY的外國發行人可以沒有統一編號。", en="Only a foreign issuer with -KY in its name may have none."
)
_REASON_BESIDE_NUMBER = Bilingual(
    zh="已填統一編號，請把這一題留白。", en="There is a business number; leave this empty."
)
_SAME = Bilingual(
    zh="須與「{other}」不同，三位不能是同一人。", en="Must differ from “{other}”: three different people."
)
_ROWS = Bilingual(zh="有{n}列要修改。名冊還沒有更動。", en="{n} rows need a change. The roster is unchanged so far.")
_OWN = Bilingual(
    zh="名冊裡有貴組織自己。請刪去那一列。", en="Your own organisation is on the roster. Take that row out."
)
_NO_FILE = Bilingual(zh="請上傳檔案。", en="Upload a file.")
_ATTEST_AGAIN = Bilingual(
    zh="切結之後名冊或組織有變動，請重新確認。", en="The roster or the organisation changed since; confirm again."
)

Files = Mapping[str, int]
"""How many files there are, by kind of proof."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands against sending the form."""

    step: str
    field: str
    label: Bilingual
    reason: Bilingual


def applicant_row(answers: Answers) -> roster.Row:
    """Return the applicant itself as a row of its roster."""
    organization = answers.get("organization", {})
    return roster.Row(str(organization.get("name_zh", "")).strip(), str(organization.get("ubn", "")).strip())


def roster_rows(answers: Answers) -> list[roster.Row]:
    """Return the constituents as last read without a fault."""
    return [roster.Row(row["name"], row["ubn"]) for row in answers.get("roster", {}).get("rows", [])]


def roster_hash(answers: Answers) -> str:
    """Return the fingerprint of applicant and constituents, or nothing while the applicant has no name."""
    applicant = applicant_row(answers)
    return roster.fingerprint(applicant, roster_rows(answers)) if applicant.name else ""


def missing(spec: Spec, answers: Answers, files: Files, *, but: frozenset[str] = frozenset()) -> list[Missing]:
    """Return everything that stands against sending the form, in its order; `but` names steps not to look at."""
    found: list[Missing] = []
    for step in spec.steps:
        if step.id in but:
            continue
        faults = check(step, answers, answers.get(step.id, {}), files)
        # A tick's question is a whole statement; its page is enough to find it.
        labels = {field.name: field.label for field in step.fields if field.type != "tick"}
        found += [Missing(step.id, name, labels.get(name, step.title), reason) for name, reason in faults.items()]
    return found


def check(step: Step, answers: Answers, values: Mapping[str, Any], files: Files) -> dict[str, Bilingual]:
    """Return what is wrong with the answers to one step, by field name; `values` are that step's, as typed."""
    whole = {**answers, step.id: values}
    faults: dict[str, Bilingual] = {}
    for field in step.fields:
        if not field.applies(whole):
            continue
        reason = _check_field(field, values, whole, files)
        if reason is not None:
            faults[field.name] = reason
    _check_together(step, values, faults)
    if step.id == "attestation" and "confirmed" not in faults and values.get("roster_hash") != roster_hash(whole):
        faults["confirmed"] = _ATTEST_AGAIN
    return faults


def _check_field(field: Field, values: Mapping[str, Any], answers: Answers, files: Files) -> Bilingual | None:
    value = values.get(field.name)
    required = field.required(answers)
    if field.type == "file":
        return _NO_FILE if required and not files.get(field.name) else None
    if field.type == "roster":
        faults = _roster_faults(field, values, answers)
        if faults:
            return _ROWS.format(n=len(faults))
        # A roster read before the organisation was named, or a name corrected since, can hold the applicant itself.
        applicant = applicant_row(answers)
        return _OWN if any(roster.names_applicant(row, applicant) for row in roster_rows(answers)) else None
    if field.type == "tick":
        return _TICK if required and value is not True else None
    text = str(value or "").strip()
    if not text:
        return (_CHOOSE if field.type in ("radio", "choice") else _MISSING) if required else None
    return _check_text(field, text)


def _roster_faults(field: Field, values: Mapping[str, Any], answers: Answers) -> tuple[roster.Fault, ...]:
    # `typed` is kept only while it could not be read, or differs from what was read last.
    if not values.get("typed"):
        return ()
    return roster.read(
        values["typed"], applicant=applicant_row(answers), most=int(field.raw.get("max_rows", 5000))
    ).faults


def _check_text(field: Field, text: str) -> Bilingual | None:
    most = int(field.raw.get("max", 2000))
    if len(text) > most:
        return _LONG.format(n=most)
    if _CONTROL.search(text):
        return _CONTROL_CHARACTER
    if holds_identity_number(text):
        return _IDENTITY
    if field.type in ("radio", "choice"):
        option = field.option(text)
        if option is None:
            return _CHOOSE
        return words(option["refuse"]) if "refuse" in option else None
    if field.type == "email":
        return None if _EMAIL.match(text) else _BAD_EMAIL
    if field.type == "phone":
        return None if _PHONE.match(text) else _BAD_PHONE
    if field.type == "number":
        return None if _NUMBER.match(text) else _BAD_NUMBER
    if field.type == "date":
        return None if _is_date(text) else _BAD_DATE
    if field.type == "stock_code":
        return None if _CODE.match(text) else _BAD_CODE
    return _check_ubn(text) if field.type == "ubn" else None


def _is_date(text: str) -> bool:
    """Whether this is a day of the calendar, written in the one way that leaves nothing to guess."""
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_ubn(text: str) -> Bilingual | None:
    try:
        ubn.check(text)
    except Refusal as refusal:
        return refusal.reason
    return None


def _check_together(step: Step, values: Mapping[str, Any], faults: dict[str, Bilingual]) -> None:
    names = {field.name: field.label for field in step.fields}
    if "ubn" in names and "ubn_absent_reason" in names:
        number, reason = (str(values.get(name) or "").strip() for name in ("ubn", "ubn_absent_reason"))
        if not number and not reason:
            faults.setdefault("ubn", _UBN_OR_REASON)
        elif number and reason:
            faults.setdefault("ubn_absent_reason", _REASON_BESIDE_NUMBER)
        elif reason and "-KY" not in str(values.get("name_zh", "")).upper().replace("－", "-"):
            faults.setdefault("ubn_absent_reason", _NOT_KY)
    seen: dict[str, Bilingual] = {}
    for name in step.distinct:
        value = str(values.get(name) or "").strip().casefold()
        group = step.heading_of(name) or names[name]
        if value and value in seen:
            faults.setdefault(name, _SAME.format(other=seen[value]))
        seen.setdefault(value, group)
