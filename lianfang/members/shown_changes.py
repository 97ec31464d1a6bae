"""What the pages of changes show, put together before the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from lianfang.accounts.doors import may
from lianfang.kernel.clock import show
from lianfang.kernel.text import Bilingual
from lianfang.members import (
    changes,
    changing,
    contact_queries,
    queries,
    queries_lists,
    shown,
    shown_lists,
    shown_staff,
    words,
)
from lianfang.members.lifecycle import CHANGE
from lianfang.members.models import CaseEvent, ChangeRequest, FactChange, Membership, ScreeningFinding
from lianfang.members.procedure import Spec
from lianfang.members.purposes import PURPOSES
from lianfang.members.roster import Row
from lianfang.members.shown_staff import Button
from lianfang.policy.facts import Right, Subject

ROWS_SHOWN = 200
ROLES = {
    "member_admin": Bilingual(zh="管理員", en="Administrator"),
    "security_contact": Bilingual(zh="資安聯絡窗口", en="Security contact"),
    "member": Bilingual(zh="成員", en="Member"),
}
ORIGINS = {
    "page": Bilingual(zh="會員在平台上提出", en="Filed here by the member"),
    "mail": Bilingual(zh="電子郵件", en="By mail"),
    "paper": Bilingual(zh="紙本信函", en="On paper"),
    "stamped": Bilingual(zh="用印表單", en="Stamped form"),
}
OF = {
    "old": Bilingual(zh="原管理員的信箱", en="Mailbox of the former administrator"),
    "new": Bilingual(zh="新管理員的信箱", en="Mailbox of the new administrator"),
    "receiver": Bilingual(zh="接收會員的信箱", en="Mailbox of the receiving member"),
}
_OPS = {
    "add": (Bilingual(zh="新增", en="Add"), "good"),
    "rename": (Bilingual(zh="更名", en="Rename"), "warn"),
    "remove": (Bilingual(zh="移除", en="Remove"), "bad"),
    "transfer": (Bilingual(zh="移轉", en="Transfer"), "warn"),
}
_SHOWN_TO_MEMBERS = frozenset(
    {"change_filed", "change_entered", "taken_up", "change_confirmed", "change_disowned", "change_applied",
     "change_rejected", "change_withdrawn"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One changed thing: what, old, new, and its class."""

    label: Bilingual
    old: Any
    new: Any
    risk: Bilingual
    note: Bilingual | None = None


def lines(spec: Spec, values: Mapping[str, Any]) -> list[Line]:
    """Return what a request changes about the organisation and its people, only what differs."""
    found = [
        Line(
            changing.label_of(spec, field),
            changing.value_words(spec, field, old), changing.value_words(spec, field, new),
            changing.RISKS[changing.risk_of(field)],
        )
        for field, (old, new) in values.get("organization", {}).items()
    ]  # fmt: skip
    for one in values.get("people", ()):
        risk = changing.ADMINISTRATORS if one["role"] == "member_admin" else changing.CONTACT
        new = one["new"]
        stays = Bilingual(zh="原人員留任成員", en="The former person stays as a member") if one["stays"] else None
        found.append(
            Line(
                ROLES[one["role"]],
                f"{one['old']['name']} {one['old']['email']}",
                f"{new['name']} {new['title']} {new['email']} {new['phone']}",
                changing.RISKS[risk],
                stays,
            )
        )
    return [*found, *_contact_lines(values)]


def _contact_lines(values: Mapping[str, Any]) -> list[Line]:
    """One line a purpose: who ends beside who is named, where a change does both."""
    given = values.get("contacts", {})
    found = []
    for purpose, label in PURPOSES.items():
        ended = [one for one in given.get("end", ()) if one["purpose"] == purpose]
        added = [one for one in given.get("add", ()) if one["purpose"] == purpose]
        old = "、".join(f"{one['name']} {one['email']}" for one in ended)
        new = "、".join(f"{one['name']} {one['title']} {one['email']} {one['phone']}" for one in added)
        if old or new:
            found.append(Line(label, old, new, changing.RISKS[changing.CONTACT]))
    return found


@dataclass(frozen=True, slots=True)
class RowLine:
    """One row of a roster that a request changes."""

    what: Bilingual
    tone: str
    old: str
    new: str
    ubn: str
    note: Bilingual | None


def row_lines(values: Mapping[str, Any], most: int = ROWS_SHOWN) -> list[RowLine]:
    """Return the rows of the roster that a request changes, the first of them."""
    found: list[RowLine] = []
    for name, (what, tone) in _OPS.items():
        for one in values.get("roster", {}).get(name, ()):
            if len(found) == most:
                return found
            old = one.get("old", "") if name in ("add", "rename") else one["name"]
            new = one["name"] if name in ("add", "rename") else ""
            found.append(RowLine(what, tone, old, new, one["ubn"], _row_note(name, one)))
    return found


def _row_note(name: str, one: Mapping[str, str]) -> Bilingual | None:
    if name == "remove" and one.get("at"):
        at = show(datetime.fromisoformat(one["at"]))
        return Bilingual(zh="自{at}起", en="From {at}").format(at=at)
    if name == "transfer":
        return Bilingual(zh="移轉到統一編號{to}的會員", en="To the member with number {to}").format(to=one["to_ubn"])
    return None


def row_counts(values: Mapping[str, Any]) -> list[tuple[Bilingual, int]]:
    """Return how many rows are added, renamed, removed, transferred."""
    ops = values.get("roster", {})
    return [(what, len(ops[name])) for name, (what, _) in _OPS.items() if ops.get(name)]


def asked_of(risks: Sequence[str]) -> list[tuple[Bilingual, Bilingual]]:
    """Return the classes of a request with what each asks for."""
    return [(changing.RISKS[risk], changing.ASKED[risk]) for risk in risks]


def state_of(case: ChangeRequest) -> tuple[Bilingual, str]:
    """Return the words and the tone of a request's state."""
    if case.state == "under_review" and case.recommendation:
        return _WAITS, words.STATE_TONES["proposed"]
    return CHANGE.states[case.state], words.STATE_TONES[case.state]


_WAITS = Bilingual(zh="等核准", en="Awaiting approval")


def last_list(known: Mapping[str, ScreeningFinding]) -> dict[str, Any]:
    """Return the list that the newest finding was compared with, which is likely to be meant again."""
    newest = max(known.values(), key=lambda one: one.at, default=None)
    return {"source": newest.source, "list_date": newest.list_date} if newest else {}


def alike(rows: Sequence[Row], known: Mapping[str, ScreeningFinding]) -> list[tuple[Row, list[shown_lists.Hit]]]:
    """Return the rows that a list has names or numbers for, each beside what the list says."""
    found = [(row, known[row.key]) for row in rows if row.key in known]
    return [(row, shown_lists.hits(row.name, one.matches)) for row, one in found if one.matches]


def frame(case: ChangeRequest, at: datetime) -> dict[str, Any]:
    """Return what the member's page and the staff's page of a request have in common."""
    spec = changes.spec_in_force(at)
    values = case.values
    return {
        "case": case,
        "state": state_of(case),
        "lines": lines(spec, values),
        "row_lines": row_lines(values),
        "row_counts": row_counts(values),
        "asked_of": asked_of(case.risks),
        "origin": ORIGINS[case.origin],
        "confirmations": [(OF[one.of], one, _answer(one, at)) for one in changes.confirmations(case)],
        "files": changes.files(case),
        "attestation": changes.attestation_of(case),
        "decisions": queries.decisions(change=case),
    }


def _answer(one: Any, at: datetime) -> tuple[Bilingual, str]:
    if one.confirmed is True:
        return Bilingual(zh="已確認", en="Confirmed"), "good"
    if one.confirmed is False:
        return Bilingual(zh="表示不對", en="Said that it is wrong"), "bad"
    if at >= one.expires_at:
        return Bilingual(zh="連結已過期", en="Link is over"), "warn"
    return Bilingual(zh="等待確認", en="Waiting"), "info"


def _receivers(case: ChangeRequest) -> list[tuple[Bilingual, str]]:
    """What is told of the receivers of a transfer: who agreed. Who is a member shows in nothing else (policy §2)."""
    numbers = {one["to_ubn"] for one in case.values.get("roster", {}).get("transfer", ())}
    agreed = sum(one.confirmed is True for one in changes.confirmations(case) if one.of == "receiver")
    yes, waits = Bilingual(zh="已確認", en="Confirmed"), Bilingual(zh="等待確認", en="Waiting")
    return [(yes, "good") if place < agreed else (waits, "info") for place in range(len(numbers))]


def _of_members(event: CaseEvent) -> bool:
    """Whether the member reads this event; that a receiver says no is not told from its silence."""
    return event.event in _SHOWN_TO_MEMBERS and not (
        event.event == "change_disowned" and event.detail.get("of") == "receiver"
    )


def members_case(case: ChangeRequest, at: datetime) -> dict[str, Any]:
    """Return the member's page of its request."""
    own = [one for one in changes.confirmations(case) if one.of != "receiver"]
    return {
        **frame(case, at),
        "confirmations": [(OF[one.of], one, _answer(one, at)) for one in own],
        "receivers": _receivers(case),
        "timeline": shown.timeline(
            [event for event in queries.events(case.number) if _of_members(event)],
            queries.notes(case.number, to_applicant=True),
            names=False,
        ),
        "may_withdraw": case.state in CHANGE["withdraw"].sources,
    }


# Staff


_PAGES = {
    "take_up": ("change_take_up", (), "primary"),
    "recommend_applying": ("change_recommend", ("approve",), "primary"),
    "recommend_rejecting": ("change_recommend", ("reject",), "danger-l"),
    "apply_alone": ("change_decide", ("apply",), "primary"),
    "reject_alone": ("change_decide", ("reject",), "danger-l"),
    "return_to_review": ("change_return", (), "quiet"),
    "apply": ("change_decide", ("apply",), "primary"),
    "reject": ("change_decide", ("reject",), "danger-l"),
}
_ORDER = {"quiet": 0, "danger-l": 1, "primary": 2}


def buttons(case: ChangeRequest, subject: Subject, at: datetime) -> list[Button]:
    """Return the moves that this subject has the duty for, as the table has them; what cannot be done yet says why."""
    ready = changes.readiness(case, at)
    alone = not (ready.checked_again or ready.unconfirmed or case.recommendation)
    context = {
        "conflict": queries.conflict_of(case.number, subject.person),
        "readiness": ready,
        "attested": changes.attested_hash(case),
        "roster": changes.fingerprint_after(case, at),
        "reviewer": queries.reviewer_beside(case, subject.person),
        "decider": subject.person,
        "recommendation": case.recommendation,
        # The reason is typed on the page of the recommendation.
        "explained": True,
    }
    found = []
    for move in CHANGE.available(case.state):
        page = _PAGES.get(move.name)
        if page is None or move.right is None or not may(subject=subject, right=Right(move.right), at=at):
            continue
        # Of the light class one person acts alone; of the others two do. Only the way that is open is shown.
        if move.name in ("apply_alone", "reject_alone") and not alone:
            continue
        if move.name in ("recommend_applying", "recommend_rejecting") and (alone or case.recommendation):
            continue
        if move.name in ("apply", "reject", "return_to_review") and (alone or not case.recommendation):
            continue
        url = reverse(page[0], args=[case.number, *page[1]])
        off = CHANGE.why_not(case, move.name, **context)
        found.append(Button(move.name, move.words, url, off, page[2], move.name == "take_up"))
    return sorted(found, key=lambda button: _ORDER[button.style])


def staffs_case(case: ChangeRequest, subject: Subject, at: datetime) -> dict[str, Any]:
    """Return one request on one screen."""
    conflict = queries.conflict_of(case.number, subject.person)
    made = buttons(case, subject, at)
    ready = changes.readiness(case, at)
    rows = changes.rows_to_screen(case, at) if ready.checked_again else []
    found = changes.findings(case.membership, rows[:ROWS_SHOWN])
    owned = queries_lists.ownerships(case.membership.application) if rows else {}
    return {
        **frame(case, at),
        "conflict": conflict,
        "buttons": made,
        "sentence": shown_staff.sentence_of(case.reviewer_id, subject, made, conflict)
        if case.state not in CHANGE.final
        else words.SENTENCE_CLOSED,
        "readiness": ready,
        "checks": _checks(case, ready, at) if ready.checked_again else [],
        "screened": [
            (
                row,
                found.get(row.key),
                shown_staff.result_words(found.get(row.key)),
                shown_lists.ownership(owned.get(row.key), row.name),
            )
            for row in rows[:ROWS_SHOWN]
        ],
        "authority": _authority(case, at),
        "timeline": shown.timeline(queries.events(case.number), queries.notes(case.number), names=True),
        "may_review": case.state == "under_review" and may(subject=subject, right=Right.REVIEW, at=at),
        "recommended": _RECOMMENDED.get(case.recommendation),
    }


_RECOMMENDED = {
    "approve": Bilingual(zh="審查人建議套用", en="The reviewer recommends to apply it"),
    "reject": Bilingual(zh="審查人建議退回", en="The reviewer recommends rejection"),
}


def _checks(case: ChangeRequest, ready: Any, at: datetime) -> list[shown_staff.Check]:
    # A change that was applied was covered when it was signed; the roster goes on after it.
    covered = case.state == "applied" or changes.attested_hash(case) == changes.fingerprint_after(case, at)
    screening, authority = (reverse(name, args=[case.number]) for name in ("change_screening", "change_authority"))
    found = []
    if changing.IDENTITY in case.risks:
        found.append(
            shown_staff.Check(words.CHECK_ELIGIBILITY, words.AS_STATED, "", _ELIGIBLE, "#files", words.SEE_PROOF)
        )
    rows = Bilingual(zh="本件新增或更名的{n}列（規章1.3）", en="{n} rows that this change adds or renames (1.3)")
    attested = words.ATTESTED if covered else words.NOT_ATTESTED
    checked = words.AUTHORITY_CHECKED if ready.authority_checked else words.AUTHORITY_NOT_CHECKED
    return [
        *found,
        shown_staff.Check(
            words.CHECK_SCREENING, *shown_staff.check_words(ready), rows.format(n=ready.rows), screening,
            words.ACT_SCREEN if ready.rows else None,
        ),
        shown_staff.Check(words.CHECK_ATTESTATION, *attested, "#attestation", words.SEE_ATTESTATION),
        shown_staff.Check(
            words.CHECK_AUTHORITY, *checked, words.BASIS_AUTHORITY, authority, words.ACT_AUTHORITY
        ),
    ]  # fmt: skip


_ELIGIBLE = Bilingual(zh="請核對附件與官方名單（規章1.1）", en="Compare proof and official list (Charter 1.1)")


def _authority(case: ChangeRequest, at: datetime) -> list[tuple[Bilingual, Any]]:
    labels = {one["value"]: Bilingual(**one["label"]) for one in changes.spec_in_force(at).authority_methods}
    rows = case.authority_checks.select_related("by__vault_key", "vault_key").order_by("-at")
    return [(labels.get(row.method, Bilingual(zh=row.method, en=row.method)), row) for row in rows]


def effects(case: ChangeRequest, what: str) -> list[Bilingual]:
    """Return what follows from a decision."""
    if what == "reject":
        return [
            Bilingual(zh="登記的資料維持不變。", en="The data on record stay as they are."),
            Bilingual(
                zh="管理員收到附理由的通知函（N6）。", en="The administrators get a letter with the reasons (N6)."
            ),
        ]
    found = [
        Bilingual(
            zh="新的資料自簽署的那一刻生效，先前的資料保留。",
            en="The new data hold from the signature on; the former are kept.",
        )
    ]
    if case.values.get("people"):
        found.append(
            Bilingual(
                zh="被更換的人員立即失去這個角色，新的人員收到邀請。",
                en="Whoever is replaced loses the role at once; the new person is invited.",
            )
        )
    if case.values.get("contacts"):
        found.append(
            Bilingual(
                zh="聯絡人同時更新；新的聯絡人在第一封信中收到個人資料告知。",
                en="The contacts change at the same instant; a new one gets the privacy notice with the first mail.",
            )
        )
    if case.values.get("roster"):
        found.append(
            Bilingual(
                zh="名冊同時更新；沒有通過檢核的列不能存取。",
                en="The roster changes at the same instant; rows that are not clear get no access.",
            )
        )
    found.append(Bilingual(zh="管理員收到通知函（N6）。", en="The administrators get a letter (N6)."))
    return found


# History


@dataclass(frozen=True, slots=True)
class Past:
    """A change of a fact, for the list below the date."""

    label: Bilingual
    old: Any
    new: Any
    at: datetime
    number: str


def history(membership: Membership, on: datetime, at: datetime, *, people: bool) -> dict[str, Any]:
    """Return a member as it was at an instant: facts, people, size of its roster, and every change so far.

    Without `people` nobody is named, in what changed neither.
    """
    spec = changes.spec_in_force(at)
    facts = changes.facts_at(membership, on)
    asked = [field.name for field in changing.facts_step(spec).fields]
    # In the order of the form; what the procedure in force no longer asks for comes last.
    names = [*(name for name in asked if name in facts), *(name for name in facts if name not in asked)]
    return {
        "facts": [
            (changing.label_of(spec, name), changing.value_words(spec, name, facts[name]))
            for name in names
            if facts[name]
        ],
        "people": [(ROLES[row.role], row) for row in changes.people_at(membership.organization_id, on)]
        if people
        else None,
        "contacts": [(PURPOSES[row.purpose], row) for row in contact_queries.named(membership_id=membership.pk, at=on)]
        if people
        else None,
        "rows": changes.roster_at(membership.organization_id, on).count(),
        "turns": [
            _past(spec, row)
            for row in changes.turns_of(membership)[:ROWS_SHOWN]
            if people or not row.field.startswith(changing.ABOUT_PEOPLE)
        ],
    }


def _past(spec: Spec, row: FactChange) -> Past:
    if row.field.startswith(changing.ABOUT_PEOPLE):
        kind, _, name = row.field.partition(".")
        label = ROLES[name] if kind == "person" else PURPOSES[name]
        old, new = (f"{one['name']} {one['email']}" if one else "" for one in (row.old, row.new))
        return Past(label, old, new, row.at, row.change.number if row.change else "")
    return Past(
        changing.label_of(spec, row.field), changing.value_words(spec, row.field, row.old),
        changing.value_words(spec, row.field, row.new), row.at, row.change.number if row.change else "",
    )  # fmt: skip
