"""What a procedure must not lose: what the charter, the law or the machine needs stands, whatever else is changed.

An edition is data, so that the coordinator can follow annex 1 of the charter without a programmer. Pure: nothing here
reads a row. A fault is a sentence that names the field; a specification with a fault cannot be proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lianfang.kernel.text import Bilingual
from lianfang.members.identity import holds_identity_number
from lianfang.members.procedure import shipped

Raw = Mapping[str, Any]

FIRST, LAST, PROOFS = "eligibility", "review", "attachments"
KINDS = ("text", "long", "email", "phone", "number", "date", "choice", "radio", "tick", "file")
"""The closed set of kinds that a question of the coordinator's own may have; ubn, stock_code, roster are the law's."""
CHOOSING = ("choice", "radio")
DROPPABLE = frozenset(
    {
        ("organization", "sector"),
        ("organization", "csma_regime"),
        ("organization", "csma_authority"),
        (PROOFS, "other_file"),
    }
)
"""Questions that come with the software and that nothing but the reader of the form needs."""
FREE_OPTIONS = frozenset({("organization", "sector")})
CLOSED_STEPS: Mapping[str, Bilingual] = {
    FIRST: Bilingual(
        zh="第一頁只問資格與信箱，草稿還不存在（規章1.1）。",
        en="The first page asks for kind and address alone: there is no draft yet (Charter 1.1).",
    ),
    "roster": Bilingual(zh="這一頁只有名冊（規章1.3）。", en="This page is the roster alone (Charter 1.3)."),
    "people": Bilingual(
        zh="關於個人只能問姓名、職稱與聯絡方式（規章5.1）。",
        en="About people nothing is asked but name, title and contact (Charter 5.1).",
    ),
    LAST: Bilingual(
        zh="最後一頁只有規章、告知事項與電子形式的同意（規章5.2）。",
        en="The last page holds only the acceptances of charter, notice and electronic form (Charter 5.2).",
    ),
}
"""Steps that take no question of the coordinator's own, and why."""

MOST_STEPS, MOST_FIELDS, MOST_OPTIONS, MOST_WHY = 20, 60, 60, 6
LONGEST = {"title": 60, "label": 300, "hint": 300, "why": 300, "group": 60, "option": 120, "note": 500}
PERIODS = {"review_days": (1, 365), "correction_days": (5, 180)}
MOST_FILES = 20

_OWN_NAME = re.compile(r"x[1-9][0-9]{0,3}\Z")
_OWN_STEP = re.compile(r"p[1-9][0-9]{0,3}\Z")
_OPTION_VALUE = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
# Of a question that the law or the machine needs only the words, the help and the place are the coordinator's.
_FIXED = ("type", "required", "required_if", "max_rows")


def _b(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


@dataclass(frozen=True, slots=True)
class Need:
    """Why a question cannot be dropped or made another."""

    reason: Bilingual
    clause: str


_SAID = {
    "1.1": _b("資格與其證明（規章1.1）", "eligibility and its proof (Charter 1.1)"),
    "1.2": _b("參與意願（規章1.2）", "willingness to take part (Charter 1.2)"),
    "1.3": _b("陸資確認與名冊（規章1.3）", "the attestation and the roster (Charter 1.3)"),
    "2.4": _b("聯繫管道（規章2.4）", "a way of contact (Charter 2.4)"),
    "5.1": _b("告知義務（規章5.1）", "the duty to inform (Charter 5.1)"),
    "5.2": _b("同意規章（規章5.2）", "acceptance of the charter (Charter 5.2)"),
    "ESA": _b("電子簽章法的同意", "consent under the Electronic Signatures Act"),
}
_CLAUSES = {
    "eligibility.email": "2.4", "roster": "1.3", "people": "2.4", "attestation": "1.3", "attestation.willing": "1.2",
    "review.accept_charter": "5.2", "review.accept_privacy": "5.1", "review.electronic": "ESA",
}  # fmt: skip


@cache
def _model() -> Raw:
    return shipped(1)


@cache
def needed() -> Mapping[tuple[str, str], Need]:
    """Return every question that an edition must keep, with what it is for."""
    found = {}
    for step in _model()["steps"]:
        for field in step["fields"]:
            place = (step["id"], field["name"])
            if place not in DROPPABLE:
                clause = _CLAUSES.get(".".join(place)) or _CLAUSES.get(step["id"], "1.1")
                found[place] = Need(_SAID[clause], clause)
    return found


@cache
def model_field(step: str, name: str) -> Raw | None:
    """Return the question of that place as it comes with the software, or None for one of the coordinator's own."""
    for one in _model()["steps"]:
        if one["id"] == step:
            return next((field for field in one["fields"] if field["name"] == name), None)
    return None


def model_steps() -> tuple[str, ...]:
    """Return the steps that an edition must keep."""
    return tuple(step["id"] for step in _model()["steps"])


def takes_questions(step: str) -> bool:
    """Whether the coordinator may put questions of its own on that page."""
    return step not in CLOSED_STEPS


def kinds_for(step: str) -> tuple[str, ...]:
    """Return the kinds of question that the page takes: files on their own page, nothing else there."""
    if not takes_questions(step):
        return ()
    return ("file",) if step == PROOFS else tuple(kind for kind in KINDS if kind != "file")


@dataclass(frozen=True, slots=True)
class Fault:
    """What stands against proposing a specification: where, and a sentence that names the field."""

    step: str
    field: str
    reason: Bilingual
    clause: str = ""


def faults(raw: Raw) -> list[Fault]:
    """Return everything that stands against this specification, in the order of its pages."""
    found = list(_head(raw))
    found += _order(raw)
    found += _kept(raw)
    for step in raw["steps"]:
        found += _step(step)
        for field in step["fields"]:
            found += _field(step["id"], field)
    found += _conditions(raw)
    return found


def label_of(field: Raw) -> Bilingual:
    """Return a question's words, shortened, in quotation marks."""
    label = field.get("label") or {}
    zh, en = (str(label.get(name) or field.get("name", ""))[:40] for name in ("zh", "en"))
    return Bilingual(zh=f"「{zh}」", en=f"“{en}”")


def _head(raw: Raw) -> Iterator[Fault]:
    yield from _words(raw.get("title"), "title", "", "", _b("程序名稱", "The title of the procedure"))
    for name, (least, most) in PERIODS.items():
        days = raw["periods"].get(name)
        if not isinstance(days, int) or isinstance(days, bool) or not least <= days <= most:
            said = (
                _b("審查期限", "The time for review")
                if name == "review_days"
                else _b("補正期限", "The correction period")
            )
            text = _b("{said}要在{least}到{most}天之間。", "{said} is {least} to {most} days.")
            yield Fault("", name, text.format(said=said, least=least, most=most), "1.3")
    if raw.get("approvers", 1) not in (1, 2):
        yield Fault("", "approvers", _b("核准人是一位或兩位。", "There are one or two approvers."), "1.3")
    if not raw["reasons"]["approve"] or not raw["reasons"]["reject"] or not raw["authority_methods"]:
        yield Fault(
            "", "reasons", _b("核准、退回與查證方式都要有。", "Reasons and ways of checking are needed."), "1.3"
        )


def _order(raw: Raw) -> Iterator[Fault]:
    ids = [step["id"] for step in raw["steps"]]
    if len(ids) > MOST_STEPS or len(set(ids)) != len(ids):
        yield Fault("", "", _b("步驟太多或重複。", "There are too many steps, or one twice."))
    for name in model_steps():
        if name not in ids:
            title = next(step["title"] for step in _model()["steps"] if step["id"] == name)
            text = _b("不能少了「{zh}」這一步。", "The step “{en}” cannot be left out.")
            yield Fault(name, "", text.format(zh=title["zh"], en=title["en"]), "1.3")
    if not ids or ids[0] != FIRST or ids[-1] != LAST:
        yield Fault(
            "", "", _b("資格是第一步，檢查並送出是最後一步。", "Eligibility comes first, check and send last."), "1.3"
        )
    place = {name: number for number, name in enumerate(ids)}
    late = [name for name in ("organization", "roster") if place.get(name, -1) > place.get("attestation", len(ids))]
    if late:
        text = _b(
            "切結涵蓋組織與名冊，要排在它們之後。",
            "The attestation covers organisation and roster: it comes after both.",
        )
        yield Fault("attestation", "", text, "1.3")


def _kept(raw: Raw) -> Iterator[Fault]:
    there = {(step["id"], field["name"]): field for step in raw["steps"] for field in step["fields"]}
    for (step, name), need in needed().items():
        model = model_field(step, name)
        assert model is not None
        if (step, name) not in there:
            yield Fault(step, name, cannot_go(model, need), need.clause)
            continue
        field = there[step, name]
        changed = [key for key in _FIXED if field.get(key) != model.get(key)]
        if changed or ((step, name) not in FREE_OPTIONS and not _same_options(field, model)):
            text = _b("{label}的類型、必填與選項代碼是固定的：{reason}要用到它。",
                      "Kind, need and option codes of {label} are fixed: {reason} rests on it.")  # fmt: skip
            yield Fault(step, name, text.format(label=label_of(field), reason=need.reason), need.clause)
    for step in raw["steps"]:
        model_step = next((one for one in _model()["steps"] if one["id"] == step["id"]), None)
        if model_step is not None and list(step.get("distinct", ())) != list(model_step.get("distinct", ())):
            yield Fault(step["id"], "", _b("三位聯絡人不能是同一人。", "The three contacts are three people."), "2.4")
    for place in DROPPABLE - FREE_OPTIONS:
        model = model_field(*place)
        if (
            place in there
            and model is not None
            and (there[place].get("type") != model.get("type") or not _same_options(there[place], model))
        ):
            text = _b("{label}的類型與選項代碼是固定的，可以整題移除。",
                      "Kind and option codes of {label} are fixed; it may be removed as a whole.")  # fmt: skip
            yield Fault(*place, text.format(label=label_of(there[place])))


def cannot_go(field: Raw, need: Need) -> Bilingual:
    """Return why a needed question cannot be removed."""
    text = _b("不能移除{label}：{reason}要用到它。", "{label} cannot be removed: {reason} rests on it.")
    return text.format(label=label_of(field), reason=need.reason)


def _same_options(field: Raw, model: Raw) -> bool:
    """The codes of a needed choice decide; their words and their order do not. A refused answer stays refused."""
    given, known = field.get("options", []), model.get("options", [])
    return {(one["value"], "refuse" in one) for one in given} == {
        (one["value"], "refuse" in one) for one in known
    } and (len(given) == len(known))


def _step(step: Raw) -> Iterator[Fault]:
    name, title = step["id"], _b("步驟名稱", "The title of the step")
    if name not in model_steps() and not _OWN_STEP.match(name):
        yield Fault(name, "", _b("步驟代碼不對。", "The code of this step is wrong."))
    yield from _words(step.get("title"), "title", name, "", title)
    if not 1 <= len(step["why"]) <= MOST_WHY:
        text = _b(
            "「{title}」要說明為什麼問，1到6行（個資法第8條）。",
            "“{en}” says why it asks, in 1 to 6 lines (PDPA art. 8).",
        )
        yield Fault(name, "why", text.format(title=step["title"].get("zh", ""), en=step["title"].get("en", "")), "5.1")
    for line in step["why"]:
        yield from _words(line, "why", name, "", _b("「為什麼問」", "“Why we ask”"))
    names = [field["name"] for field in step["fields"]]
    if len(set(names)) != len(names):
        yield Fault(name, "", _b("同一頁有兩題代碼相同。", "Two questions of one page have the same code."))
    if not names or len(names) > MOST_FIELDS:
        text = _b("「{title}」要有1到{most}題。", "“{en}” has 1 to {most} questions.")
        said = text.format(title=step["title"].get("zh", ""), en=step["title"].get("en", ""), most=MOST_FIELDS)
        yield Fault(name, "", said)


def _field(step: str, field: Raw) -> Iterator[Fault]:
    name, said = field["name"], label_of(field)
    yield from _words(field.get("label"), "label", step, name, said)
    for key in ("hint", "group", "short"):
        if key in field:
            yield from _words(field[key], "hint" if key == "hint" else "group", step, name, said)
    if model_field(step, name) is None:
        yield from _own_field(step, field, said)
    if field["type"] in CHOOSING:
        yield from _options(step, field, said)
    if field["type"] == "file" and not 1 <= int(field.get("max_files", 5)) <= MOST_FILES:
        text = _b("{label}：檔案數要在1到{n}之間。", "{label}: 1 to {n} files.")
        yield Fault(step, name, text.format(label=said, n=MOST_FILES))
    if field["type"] == "tick" and not field["required"]:
        text = _b("{label}：勾選題一定是必要的，否則請用單選。", "{label}: a tick is always needed; else put a choice.")
        yield Fault(step, name, text.format(label=said))


def _own_field(step: str, field: Raw, said: Bilingual) -> Iterator[Fault]:
    name = field["name"]
    if step in CLOSED_STEPS:
        yield Fault(step, name, _b("{label}：{why}", "{label}: {why}").format(label=said, why=CLOSED_STEPS[step]))
    elif field["type"] not in kinds_for(step):
        text = _b("{label}：這一頁沒有這種題目。", "{label}: this page takes no question of this kind.")
        yield Fault(step, name, text.format(label=said))
    if not _OWN_NAME.match(name):
        yield Fault(step, name, _b("{label}：題目代碼不對。", "{label}: its code is wrong.").format(label=said))


def _options(step: str, field: Raw, said: Bilingual) -> Iterator[Fault]:
    options: Sequence[Raw] = field.get("options", [])
    values = [one["value"] for one in options]
    if not 1 <= len(values) <= MOST_OPTIONS or len(set(values)) != len(values):
        text = _b("{label}：要有1到{n}個不同的選項。", "{label}: 1 to {n} different options.")
        yield Fault(step, field["name"], text.format(label=said, n=MOST_OPTIONS))
    for one in options:
        if not _OPTION_VALUE.match(one["value"]):
            yield Fault(
                step,
                field["name"],
                _b("{label}：選項代碼不對。", "{label}: an option's code is wrong.").format(label=said),
            )
        yield from _words(one.get("label"), "option", step, field["name"], said)


def _conditions(raw: Raw) -> Iterator[Fault]:
    """A question that depends on another is put after it, and only on answers that the other can have."""
    seen: dict[tuple[str, str], Raw] = {}
    for step in raw["steps"]:
        here = {(step["id"], field["name"]): field for field in step["fields"]}
        for field in step["fields"]:
            rule = field.get("required_if")
            if rule is None:
                continue
            asked = {**seen, **here}.get((rule["step"], rule["field"]))
            values = {one["value"] for one in (asked or {}).get("options", [])}
            if asked is None or asked["type"] not in CHOOSING or not rule["in"] or not set(rule["in"]) <= values:
                text = _b(
                    "{label}取決於一題，那一題要排在前面而且有那個選項。",
                    "{label} depends on a question that has to come before it and to have that option.",
                )
                yield Fault(step["id"], field["name"], text.format(label=label_of(field)))
        seen |= here


def _words(pair: Any, kind: str, step: str, field: str, said: Bilingual) -> Iterator[Fault]:
    most = LONGEST[kind]
    texts = [str((pair or {}).get(language, "")) for language in ("zh", "en")]
    if not all(text.strip() for text in texts):
        yield Fault(
            step,
            field or kind,
            _b("{said}：中文與英文都要寫。", "{said}: write it in both languages.").format(said=said),
        )
    elif any(len(text) > most for text in texts):
        yield Fault(
            step, field or kind, _b("{said}：最多{n}字。", "{said}: {n} characters at most.").format(said=said, n=most)
        )
    elif any(_UNSEEN.search(text) for text in texts):
        yield Fault(
            step,
            field or kind,
            _b("{said}：含有看不見的字元。", "{said}: it holds an invisible character.").format(said=said),
        )
    elif any(holds_identity_number(text) for text in texts):
        yield Fault(
            step,
            field or kind,
            _b("{said}：含有身分證字號。", "{said}: it holds an identity number.").format(said=said),
        )
