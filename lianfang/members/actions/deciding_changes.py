"""Review of a change, and what applying it does: from its instant the new facts hold, the old stay for evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse

from lianfang.accounts.actions import depart, invite, person_enter
from lianfang.accounts.doors import require
from lianfang.accounts.models import Affiliation, Organization, Person
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.canonical import canonical
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import changes, changing, queries, queries_lists, wake, words
from lianfang.members.actions.applying import log_event
from lianfang.members.actions.filing_changes import locked_change, organization_words
from lianfang.members.actions.naming_contacts import apply_contacts, pass_on
from lianfang.members.actions.reviewing import RESULTS, Finding, add_note, check_finding
from lianfang.members.actions.screening import screen_change
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import CHANGE, IN_FORCE
from lianfang.members.models import (
    AuthorityCheck,
    ChangeFile,
    ChangeRequest,
    Constituent,
    Decision,
    FactChange,
    Membership,
    ScreeningFinding,
)
from lianfang.members.numbers import next_number
from lianfang.members.roster import Row
from lianfang.notices.actions import send
from lianfang.policy.facts import Right, Role, Subject
from lianfang.policy.store import bump_policy

_LONGEST = 4000
_REASON = Bilingual(zh="請寫下理由，會附在信中。", en="Give the reasons; they stand in the letter.")
_METHOD = Bilingual(zh="請選查證方式。", en="Choose how it was checked.")
_TAKEN = Bilingual(
    zh="這個統一編號在平台上已經屬於另一個組織，不能套用。",
    en="This business number belongs to another organisation here; it cannot be applied.",
)
_TWICE = Bilingual(
    zh="「{name}」已經在名冊上，不能再新增一次。", en="“{name}” is on the roster already; it is not added twice."
)
_NO_RECEIVER = Bilingual(
    zh="接收的團體會員還沒有同意，或不是有效會員，不能移轉。",
    en="The receiving group member has not agreed, or is no member in force; nothing is transferred.",
)
_NEXT = Bilingual(zh="請選擇要做的事。", en="Choose what to do.")
_COLUMNS = frozenset(
    {"kind", "name_zh", "name_en", "ubn", "ubn_absent_reason", "stock_code", "certificate_number", "address", "sector",
     "csma_regime", "csma_authority"}
)  # fmt: skip


@action(Tag.MEMBERS_CHANGE_TAKE_UP)
def take_up_change(*, case: ChangeRequest, by: Subject, at: datetime) -> None:
    """Become the reviewer of a change that nobody has taken up."""
    locked = locked_change(case)
    require(subject=by, right=Right.TAKE_UP, target=queries.case_of(locked), at=at)
    CHANGE.move(locked, "take_up", conflict=_conflict(locked, by))
    locked.reviewer_id = person_of(by)
    locked.save(update_fields=["state", "reviewer"])
    record(by=by, at=at, about=locked)
    _event(locked, "taken_up", by, at)
    if changing.checks_again(locked.risks) and queries_lists.newest("mainland", at) is not None:
        # The reviewer begins with what the newest edition says, not with one that was the newest when it was filed.
        screen_change(case=locked, by=Subject.system("members.screen"), at=at)


@action(Tag.MEMBERS_CHANGE_SCREEN)
def record_change_findings(*, case: ChangeRequest, findings: Sequence[Finding], by: Subject, at: datetime) -> None:
    """Keep what screening gave for rows whose words a change makes new; the latest finding of a row counts (1.3)."""
    locked = locked_change(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    _require_review(locked)
    rows = {row.key for row in changes.rows_to_screen(locked, at)}
    for finding in findings:
        check_finding(finding, rows, at)
    findings = list({finding.row_key: finding for finding in findings}.values())
    application = locked.membership.application
    ScreeningFinding.objects.bulk_create(
        [
            ScreeningFinding(
                vault_key=locked.vault_key,
                application=application,
                row_key=finding.row_key,
                result=finding.result,
                other_entity=finding.other_entity and finding.result == "name_hit",
                source=finding.source.strip(),
                list_date=finding.list_date,
                note=finding.note.strip()[:_LONGEST],
                by_id=person_of(by),
                at=at,
            )
            for finding in findings
        ]
    )
    counts = {result: sum(one.result == result for one in findings) for result in RESULTS}
    record(by=by, at=at, about=locked, detail={"rows": len(findings), **counts})
    log_event(case=locked.number, event="screened", by=by.person, at=at, detail={"rows": len(findings), **counts})


@action(Tag.MEMBERS_CHANGE_AUTHORITY)
def check_change_authority(*, case: ChangeRequest, method: str, note: str = "", by: Subject, at: datetime) -> None:
    """Keep how the authority of the person who attested anew was checked."""
    locked = locked_change(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    _require_review(locked)
    if method not in {option["value"] for option in changes.spec_in_force(at).authority_methods}:
        raise Refusal(_METHOD, rule="authority-method", field="method")
    AuthorityCheck.objects.create(
        vault_key=locked.vault_key,
        application=locked.membership.application,
        change=locked,
        method=method,
        note=note.strip()[:_LONGEST],
        by_id=person_of(by),
        at=at,
    )
    record(by=by, at=at, about=locked, detail={"method": method})
    log_event(case=locked.number, event="authority_checked", by=by.person, at=at, detail={"method": method})


@action(Tag.MEMBERS_CHANGE_RECOMMEND)
def recommend_change(*, case: ChangeRequest, what: str, text: str = "", by: Subject, at: datetime) -> None:
    """Recommend `approve` or `reject`; an approver, another person, decides (four eyes)."""
    locked = locked_change(case)
    require(subject=by, right=Right.REVIEW, target=queries.case_of(locked), at=at)
    if what not in ("approve", "reject"):
        raise Refusal(_NEXT, rule="change-recommendation")
    if what == "reject" and not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    move = "recommend_applying" if what == "approve" else "recommend_rejecting"
    CHANGE.move(locked, move, **_context(locked, by, at), explained=bool(text.strip()))
    locked.reviewer_id = person_of(by)
    locked.recommendation, locked.recommendation_text = what, text.strip()[:_LONGEST]
    locked.save()
    record(by=by, at=at, about=locked, detail={"recommendation": what}, text=text)
    _event(locked, f"change_recommended_{what}", by, at)


@action(Tag.MEMBERS_CHANGE_RETURN)
def return_change(*, case: ChangeRequest, text: str = "", by: Subject, at: datetime) -> None:
    """Send a recommended change back to its reviewer."""
    locked = locked_change(case)
    require(subject=by, right=Right.APPROVE, target=queries.case_of(locked), at=at)
    CHANGE.move(locked, "return_to_review", **_context(locked, by, at))
    locked.recommendation = ""
    locked.save(update_fields=["state", "recommendation"])
    record(by=by, at=at, about=locked, text=text)
    _event(locked, "returned", by, at)
    if text.strip():
        add_note(case=locked, text=text, by=by, at=at)


@action(Tag.MEMBERS_CHANGE_REJECT)
def reject_change(*, case: ChangeRequest, text: str, basis: str = "", by: Subject, at: datetime) -> Decision:
    """Reject a change with reasons (N6). One of the light class its reviewer rejects alone."""
    locked = locked_change(case)
    alone = _alone(locked, by, at)
    require(subject=by, right=Right.REVIEW if alone else Right.APPROVE, target=queries.case_of(locked), at=at)
    if not text.strip():
        raise Refusal(_REASON, rule="decision-reason", field="text")
    CHANGE.move(locked, "reject_alone" if alone else "reject", **_context(locked, by, at))
    if alone:
        locked.reviewer_id = person_of(by)
    locked.decided_at = at
    locked.save()
    told = queries.notified(organization_id=locked.membership.organization_id, at=at)
    decision = _decide(locked, "reject_alone" if alone else "reject", text, basis, by, at)
    record(by=by, at=at, about=locked, detail=_detail(decision), text=_signed(decision))
    _event(locked, "change_rejected", by, at)
    _mail(locked, decision, told, by, at)
    return decision


@action(Tag.MEMBERS_CHANGE_APPLY)
def apply_change(*, case: ChangeRequest, text: str = "", basis: str = "", by: Subject, at: datetime) -> Decision:
    """Apply a change, at this very instant (N6): facts, people, rows of the roster; the old ones stay for evidence.

    Of the light class its reviewer applies it alone, else an approver who did not review it. The caller has had the
    decision signed. Raises Refusal with what stands against it; nothing is then applied, and nothing half.
    """
    locked = locked_change(case)
    alone = _alone(locked, by, at)
    require(subject=by, right=Right.REVIEW if alone else Right.APPROVE, target=queries.case_of(locked), at=at)
    _lock_members(locked)
    CHANGE.move(locked, "apply_alone" if alone else "apply", **_context(locked, by, at))
    if alone:
        locked.reviewer_id = person_of(by)
    told = queries.notified(organization_id=locked.membership.organization_id, at=at)
    _organization(locked, at)
    _people(locked, by, at)
    rows = {**apply_contacts(case=locked, by=by, at=at), **_roster(locked, at)}
    locked.decided_at = at
    locked.save()
    decision = _decide(locked, "apply_alone" if alone else "apply", text, basis, by, at)
    record(by=by, at=at, about=locked, detail={**_detail(decision), **rows}, text=_signed(decision))
    _event(locked, "change_applied", by, at)
    _mail(locked, decision, told, by, at)
    bump_policy()
    wake.screen()
    return decision


def preview_change_letter(*, case: ChangeRequest, what: str, text: str, basis: str = "", at: datetime) -> Bilingual:
    """Return the letter as it would be sent; the number is given when it is signed."""
    return _letter(case, what, text, basis, "（簽署時編號）", at)


def _alone(case: ChangeRequest, by: Subject, at: datetime) -> bool:
    """Whether one reviewer acts by himself: the class is light, all mailboxes said yes, and nothing was recommended."""
    ready = changes.readiness(case, at)
    return not (ready.checked_again or ready.unconfirmed or case.recommendation) and "reviewer" in by.duties


def _lock_members(case: ChangeRequest) -> None:
    """Lock the member and, of a transfer, the receiver, in one order: two that exchange rows do not wait for ever."""
    numbers = {one["to_ubn"] for one in case.values.get("roster", {}).get("transfer", ())}
    wanted = Membership.objects.filter(Q(pk=case.membership_id) | Q(ubn__in=numbers, state__in=IN_FORCE))
    list(wanted.select_for_update(of=("self",)).order_by("pk"))


def _organization(case: ChangeRequest, at: datetime) -> None:
    facts: Mapping[str, Sequence[str]] = case.values.get("organization", {})
    if not facts:
        return
    membership = case.membership
    now = changes.facts_at(membership, at)
    # Kept as it is at this instant, which is what was filed unless something else intervened.
    for name, (_old, new) in facts.items():
        _fact(case, name, now.get(name, ""), new, at)
    columns: dict[str, Any] = {name: pair[1] for name, pair in facts.items() if name in _COLUMNS}
    if "ubn" in columns:
        columns["ubn"] = columns["ubn"] or None
    try:
        with transaction.atomic():
            Organization.objects.filter(pk=membership.organization_id).update(**columns)
            if "ubn" in columns:
                Membership.objects.filter(pk=membership.pk).update(ubn=columns["ubn"])
    except IntegrityError:
        raise Refusal(_TAKEN, rule="membership-once", clause="1.3") from None
    membership.organization.refresh_from_db()


def _fact(case: ChangeRequest, name: str, old: Any, new: Any, at: datetime, key: Any = None) -> None:
    FactChange.objects.create(
        vault_key=key or case.vault_key, membership=case.membership, change=case, field=name, old=old, new=new, at=at
    )


def _people(case: ChangeRequest, by: Subject, at: datetime) -> None:
    organization = case.membership.organization
    for one in case.values.get("people", ()):
        affiliation = Affiliation.objects.select_related("person__vault_key").get(pk=one["affiliation"])
        former, role = affiliation.person, Role(one["role"])
        _fact(case, f"person.{role}", one["old"], None, at, former.vault_key)
        if not one["stays"]:
            pass_on(case=case, former=former, new=one["new"], by=by, at=at)
        if one["stays"]:
            _step_down(affiliation, by, at)
        else:
            tokens = depart(affiliation=affiliation, by=by, at=at)
            record(by=by, at=at, about=affiliation, tag=Tag.ACCOUNTS_AFFILIATION_LEAVE, detail={"tokens_ended": tokens})
        new = one["new"]
        person = person_enter(
            name=new["name"], title=new["title"], email=new["email"], phone=new["phone"], by=by, at=at
        )
        _fact(case, f"person.{role}", None, {"name": new["name"], "email": new["email"]}, at, person.vault_key)
        _take_role(person, organization, role, by, at)


def _step_down(affiliation: Affiliation, by: Subject, at: datetime) -> None:
    before, affiliation.role = affiliation.role, Role.MEMBER.value
    affiliation.save(update_fields=["role"])
    record(
        by=by, at=at, about=affiliation, tag=Tag.ACCOUNTS_AFFILIATION_CHANGE_ROLE,
        detail={"from": before, "to": affiliation.role},
    )  # fmt: skip


def _take_role(person: Person, organization: Organization, role: Role, by: Subject, at: datetime) -> None:
    """Somebody of the organisation already gets the role; anybody else is invited to it."""
    there = Affiliation.objects.filter(
        person=person, organization=organization, group=organization, left_at__isnull=True
    ).first()
    if there is None:
        invite(person=person, organization=organization, group=organization, role=role, by=by, at=at)
        return
    before, there.role = there.role, role.value
    there.save(update_fields=["role"])
    record(
        by=by, at=at, about=there, tag=Tag.ACCOUNTS_AFFILIATION_CHANGE_ROLE,
        detail={"from": before, "to": there.role},
    )  # fmt: skip


# The roster


def _roster(case: ChangeRequest, at: datetime) -> dict[str, Any]:
    ops: Mapping[str, Sequence[Mapping[str, str]]] = case.values.get("roster", {})
    if not ops:
        return {}
    group = case.membership.organization
    held = {str(row.pk): row for row in changes.roster_at(group.pk, at).select_for_update(of=("self",))}
    found = changes.findings(case.membership, changing.new_rows(ops))
    removed = [_removal(held[one["id"]], one.get("at", ""), at) for one in ops.get("remove", ())]
    Constituent.objects.bulk_update(removed, ["removed_at"])
    _let_go([row for row in removed if row.removed_at is not None])
    renamed = [_rename(held[one["id"]], one, found, at) for one in ops.get("rename", ())]
    moved = _transfer(case, held, at)
    added = _add(case, ops.get("add", ()), found, held, at)
    return {
        "added": len(added), "removed": len(removed), "renamed": len(renamed), "moved": len(moved),
        "rows": digest(canonical(sorted(str(row.pk) for row in (*added, *removed, *renamed, *moved)))).hex(),
        "roster": case.roster_hash,
    }  # fmt: skip


def _removal(row: Constituent, wanted: str, at: datetime) -> Constituent:
    """A removal holds from the instant that was asked for, or from now if that has passed: never backwards."""
    row.removed_at = max(at, datetime.fromisoformat(wanted)) if wanted else at
    return row


def _let_go(rows: Sequence[Constituent]) -> None:
    """People of a removed constituent stop acting for it within this group, from the same instant."""
    for row in rows:
        there = Affiliation.objects.filter(
            Q(left_at__isnull=True) | Q(left_at__gt=row.removed_at),
            organization=row.organization_id, group=row.group_id,
        )  # fmt: skip
        there.filter(Q(started_at__isnull=True) | Q(started_at__lte=row.removed_at)).update(left_at=row.removed_at)


def _rename(
    row: Constituent, one: Mapping[str, str], found: Mapping[str, ScreeningFinding], at: datetime
) -> Constituent:
    row.removed_at = at
    row.save(update_fields=["removed_at"])
    organization = row.organization
    known = Organization.objects.filter(ubn=one["ubn"]).first() if one["ubn"] else None
    if known is not None and known.pk != organization.pk:
        # The number that was missing so far is that of an organisation which is known here already.
        organization = known
    elif organization.kind == Organization.Kind.CONSTITUENT and not _known_elsewhere(row):
        number = organization.ubn or one["ubn"] or None
        Organization.objects.filter(pk=organization.pk).update(name_zh=one["name"], ubn=number)
    return Constituent.objects.create(**_placed(row.group_id, organization, one, found, at))


def _known_elsewhere(row: Constituent) -> bool:
    others = Constituent.objects.filter(organization=row.organization_id, removed_at__isnull=True)
    return others.exclude(group=row.group_id).exists()


def _add(
    case: ChangeRequest, rows: Sequence[Mapping[str, str]], found: Mapping[str, ScreeningFinding],
    held: Mapping[str, Constituent], at: datetime,
) -> list[Constituent]:  # fmt: skip
    if not rows:
        return []
    group = case.membership.organization
    numbers = [one["ubn"] for one in rows if one["ubn"]]
    known = {one.ubn: one for one in Organization.objects.filter(ubn__in=numbers)}
    listed = {row.organization_id for row in held.values() if row.removed_at is None or row.removed_at > at}
    placed = []
    for one in rows:
        organization = known.get(one["ubn"]) or Organization(
            kind=Organization.Kind.CONSTITUENT, name_zh=one["name"], ubn=one["ubn"] or None, created_at=at
        )
        if organization.pk in listed or organization.pk == group.pk:
            raise Refusal(_TWICE.format(name=one["name"]), rule="roster-once")
        placed.append((one, organization))
    # A roster can hold thousands: two statements, not two a row.
    Organization.objects.bulk_create([one for _, one in placed if one._state.adding])
    return Constituent.objects.bulk_create(
        [Constituent(**_placed(group.pk, organization, one, found, at)) for one, organization in placed]
    )


def _placed(
    group_id: UUID, organization: Organization, one: Mapping[str, str], found: Mapping[str, ScreeningFinding],
    at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """A row as screening left it: without a finding nobody of it gets access (invariant 4)."""
    finding = found.get(Row(one["name"], one["ubn"]).key)
    return {
        "group_id": group_id,
        "organization": organization,
        "listed_name": one["name"],
        "screening": "pending" if finding is None else "other_entity" if finding.other_entity else finding.result,
        "screened_at": finding.at if finding else None,
        "list_source": finding.source if finding else "",
        "list_date": finding.list_date if finding else None,
        "added_at": at,
    }


def _transfer(case: ChangeRequest, held: Mapping[str, Constituent], at: datetime) -> list[Constituent]:
    """Rows go over to another group member that agreed; their people do not: the receiver invites them anew."""
    moved = []
    for one in case.values.get("roster", {}).get("transfer", ()):
        receiver = Membership.objects.filter(ubn=one["to_ubn"], state__in=IN_FORCE).first()
        agreed = case.confirmations.filter(of="receiver", confirmed=True).exists()
        if receiver is None or not agreed or receiver.pk == case.membership_id:
            raise Refusal(_NO_RECEIVER, rule="transfer-receiver")
        row = held[one["id"]]
        row.removed_at = at
        row.save(update_fields=["removed_at"])
        _let_go([row])
        there = changes.roster_at(receiver.organization_id, at).filter(organization=row.organization_id)
        if not there.exists():
            moved.append(
                Constituent.objects.create(
                    group_id=receiver.organization_id,
                    organization=row.organization,
                    listed_name=row.name,
                    screening=row.screening,
                    screened_at=row.screened_at,
                    list_source=row.list_source,
                    list_date=row.list_date,
                    added_at=at,
                )
            )
    return moved


# Decision and letter


def _letter(case: ChangeRequest, what: str, text: str, basis: str, number: str, at: datetime) -> Bilingual:
    organization = case.membership.organization
    letter = words.Letter(
        number=number,
        organization=Bilingual(zh=organization.name_zh, en=organization.name_en),
        clause="2.4",
        reasons=[words.changed([changing.RISKS[risk] for risk in case.risks])],
        text=text,
        decided_at=at,
        basis=basis,
    )
    return words.change_letter(letter, case=case.number, applied=what.startswith("apply"))


def _decide(case: ChangeRequest, kind: str, text: str, basis: str, by: Subject, at: datetime) -> Decision:
    number = next_number("D", at)
    letter = _letter(case, kind, text, basis, number, at)
    return Decision.objects.create(
        vault_key=case.vault_key,
        number=number,
        kind=kind,
        change=case,
        membership=case.membership,
        clause="2.4",
        reasons=list(case.risks),
        reason_text=text.strip(),
        basis=basis.strip(),
        reviewed_by_id=case.reviewer_id or person_of(by),
        decided_by_id=person_of(by),
        decided_at=at,
        effective_at=at,
        letter_zh=letter.zh,
        letter_en=letter.en,
        text_sha256=digest(f"{letter.zh}\n{letter.en}"),
    )


def _mail(case: ChangeRequest, decision: Decision, told: Sequence[Person], by: Subject, at: datetime) -> None:
    for person in told:
        send(
            notice="N6",
            to_person=person,
            context={
                "number": case.number,
                **organization_words(case),
                "letter": Bilingual(zh=decision.letter_zh, en=decision.letter_en),
                "link": settings.BASE_URL + reverse("change", args=[case.number]),
            },
            by=by,
            at=at,
        )


@action(Tag.MEMBERS_ATTACHMENT_READ)
def read_change_file(*, case: ChangeRequest, file_id: UUID, by: Subject, at: datetime) -> ChangeFile | None:
    """Return a file of a change for somebody of the staff, and keep that it was opened."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, target=queries.case_of(case), at=at)
    file = case.files.select_related("file__vault_key", "vault_key").filter(pk=file_id).first()
    record(by=by, at=at, about=case, detail={"file": str(file_id), "found": file is not None})
    return file


# Shared


def _context(case: ChangeRequest, by: Subject, at: datetime) -> dict[str, Any]:
    return {
        "conflict": _conflict(case, by),
        "readiness": changes.readiness(case, at),
        "attested": changes.attested_hash(case),
        "roster": changes.fingerprint_after(case, at),
        "reviewer": queries.reviewer_beside(case, by.person),
        "decider": by.person,
        "recommendation": case.recommendation,
    }


def _conflict(case: ChangeRequest, by: Subject) -> bool | None:
    return queries.conflict_of(case.number, by.person)


def _require_review(case: ChangeRequest) -> None:
    if case.state != "under_review":
        words_ = Bilingual(zh="目前狀態為「{state}」，不能做這件事。", en="Not possible while the state is “{state}”.")
        raise Refusal(words_.format(state=CHANGE.states[case.state]), rule="change-state")


def _detail(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.number,
        "kind": decision.kind,
        "clause": decision.clause,
        "reviewed_by": str(decision.reviewed_by_id),
        "membership": str(decision.membership_id),
        "letter": decision.text_sha256.hex(),
    }


def _signed(decision: Decision) -> str:
    return f"{decision.letter_zh}\n{decision.letter_en}"


def _event(case: ChangeRequest, event: str, by: Subject, at: datetime) -> None:
    log_event(case=case.number, event=event, by=by.person, at=at, detail={})
