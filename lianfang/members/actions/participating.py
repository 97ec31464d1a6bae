"""Facts about a member's participation: entered, corrected by a later entry, objected to, answered (charter 1.2, 1.4).

Nothing follows from a fact by itself. A review is opened by a person, who has the record attached as it stands.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction

from lianfang.accounts.doors import require
from lianfang.audit.actions import JSON, action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import taipei
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import participation, sheets
from lianfang.members import participation_queries as queries
from lianfang.members.actions.ending import locked_membership
from lianfang.members.actions.revoking import open_revocation
from lianfang.members.actors import person_of
from lianfang.members.lifecycle.participation import KINDS, OUTCOMES
from lianfang.members.models import (
    Membership,
    ParticipationFact,
    ParticipationImport,
    ParticipationObjection,
    ParticipationSnapshot,
    Revocation,
)
from lianfang.members.participation import Supplied
from lianfang.members.uploads import Upload
from lianfang.policy.facts import Case, Right, Subject
from lianfang.vault.actions import shred
from lianfang.vault.files import store

log = logging.getLogger(__name__)

GROUND = "1.4b"
"""Not taking part actively."""
KEPT = timedelta(days=1)
_LOOKED_BACK = timedelta(days=35)
_LONGEST = 4000
_KIND = Bilingual(zh="請選類別。", en="Choose the kind.")
_OUTCOME = Bilingual(zh="請選結果。", en="Choose the outcome.")
_EARLY = Bilingual(zh="這一天還不是會員（{day}起）。", en="It was no member on that day (a member since {day}).")
_WHY = Bilingual(zh="請寫下先前的紀錄哪裡有誤。", en="Say what was wrong with the earlier entry.")
_CORRECTED = Bilingual(
    zh="這筆紀錄已被更正，請更正最新的一筆。", en="This entry was corrected already; correct the newest one."
)
_SAY = Bilingual(zh="請寫下異議。", en="Write what you object to.")
_OBJECTED = Bilingual(
    zh="這筆紀錄已有一則異議等待回覆，或已被更正。", en="An objection waits for its answer, or it was corrected."
)
_ANSWER = Bilingual(zh="請寫下回覆。", en="Write the answer.")
_ANSWERED = Bilingual(zh="這則異議已回覆。", en="This objection was answered already.")
_FAULTS = Bilingual(
    zh="還有{n}列要修正；檔案整份匯入，或都不匯入。",
    en="{n} rows are to be corrected; a file is imported whole or not at all.",
)
_IMPORTED = Bilingual(zh="這個檔案已匯入。", en="This file was imported already.")
_NOTHING = Bilingual(
    zh="這位會員尚無紀錄，不能據以開立審查。",
    en="Nothing is recorded of this member, so nothing can be reviewed on it.",
)


@action(Tag.MEMBERS_PARTICIPATION_ENTER)
def enter_fact(
    *,
    membership: Membership,
    kind: str,
    outcome: str,
    occurred_on: date,
    text: str,
    evidence: str = "",
    file: Upload | None = None,
    by: Subject,
    at: datetime,
) -> ParticipationFact:
    """Enter what a member took part in, or did not. Raises Refusal naming the field, and without any evidence."""
    _require(membership, by, at)
    held = locked_membership(membership)
    made = _entry(held, kind, outcome, occurred_on, text, evidence, file, by, at)
    record(by=by, at=at, about=made, detail=_detail(made), text=made.text)
    return made


@action(Tag.MEMBERS_PARTICIPATION_CORRECT)
def correct_fact(
    *,
    fact: ParticipationFact,
    kind: str,
    outcome: str,
    occurred_on: date,
    text: str,
    why: str,
    evidence: str = "",
    file: Upload | None = None,
    by: Subject,
    at: datetime,
) -> ParticipationFact:
    """Put another entry in the place of an earlier one, which stays; the outcome `withdrawn` takes it back."""
    _require(fact.membership, by, at)
    held = locked_membership(fact.membership)
    if not why.strip():
        raise Refusal(_WHY, rule="participation-why", field="why")
    if ParticipationFact.objects.filter(corrects=fact).exists():
        raise Refusal(_CORRECTED, rule="participation-corrected")
    made = _entry(held, kind, outcome, occurred_on, text, evidence, file, by, at, corrects=fact, why=why.strip())
    record(by=by, at=at, about=made, detail={**_detail(made), "corrects": str(fact.pk)}, text=why)
    return made


def _entry(
    held: Membership, kind: str, outcome: str, occurred_on: date, text: str, evidence: str, file: Upload | None,
    by: Subject, at: datetime, *, corrects: ParticipationFact | None = None, why: str = "",
) -> ParticipationFact:  # fmt: skip
    if kind not in KINDS:
        raise Refusal(_KIND, rule="participation-kind", field="kind")
    if outcome not in OUTCOMES or (outcome == "withdrawn" and corrects is None):
        raise Refusal(_OUTCOME, rule="participation-outcome", field="outcome")
    participation.check_day(occurred_on, at)
    began = taipei(held.began_at).date()
    if occurred_on < began:
        raise Refusal(_EARLY.format(day=began.isoformat()), rule="participation-day", field="occurred_on")
    participation.check_words(text, evidence, why)
    participation.need_evidence(evidence, file=file is not None)
    key = held.application.vault_key
    kept = store(key=key, content=file.content, at=at, name=file.name, media_type=file.media_type) if file else None
    return ParticipationFact.objects.create(
        vault_key=key, membership=held, kind=kind, outcome=outcome, occurred_on=occurred_on, text=text.strip(),
        evidence=evidence.strip()[: participation.LONGEST], file=kept, filename=file.name if file else "",
        file_sha256=file.sha256 if file else None, source="staff", corrects=corrects, why=why[:_LONGEST],
        by_id=person_of(by), at=at,
    )  # fmt: skip


@action(Tag.MEMBERS_ATTACHMENT_READ)
def read_evidence(*, fact: ParticipationFact, by: Subject, at: datetime) -> ParticipationFact | None:
    """Return a fact whose evidence is a file, for somebody of the staff, and keep that it was opened."""
    require(subject=by, right=Right.ENTER_STAFF_PLANE, at=at)
    record(by=by, at=at, about=fact, detail={"found": fact.file_id is not None})
    return fact if fact.file_id is not None else None


# The member


@action(Tag.MEMBERS_PARTICIPATION_OBJECT)
def object_to_fact(*, fact: ParticipationFact, text: str, by: Subject, at: datetime) -> ParticipationObjection:
    """Say what is wrong with a fact of one's own record; the staff answers, and an absence does not count till then."""
    target = Case(kind="participation", organization=fact.membership.organization_id, state=fact.membership.state)
    require(subject=by, right=Right.MANAGE_PEOPLE, target=target, at=at)
    locked_membership(fact.membership)
    if not text.strip() or len(text) > _LONGEST:
        raise Refusal(_SAY, rule="participation-objection", field="text")
    if not queries.may_object(ParticipationFact.objects.prefetch_related("objections").get(pk=fact.pk)):
        raise Refusal(_OBJECTED, rule="participation-objected")
    made = ParticipationObjection.objects.create(
        vault_key=fact.vault_key, fact=fact, text=text.strip(), by_id=person_of(by), at=at
    )
    record(by=by, at=at, about=made, detail={"fact": str(fact.pk)}, text=text)
    return made


@action(Tag.MEMBERS_PARTICIPATION_ANSWER)
def answer_objection(*, objection: ParticipationObjection, text: str, by: Subject, at: datetime) -> None:
    """Answer an objection. Where it is right, the entry is corrected besides."""
    _require(objection.fact.membership, by, at)
    rows = ParticipationObjection.objects.select_for_update(of=("self",)).select_related("vault_key")
    locked = rows.get(pk=objection.pk)
    if locked.answered_at is not None:
        raise Refusal(_ANSWERED, rule="participation-answered")
    if not text.strip() or len(text) > _LONGEST:
        raise Refusal(_ANSWER, rule="participation-answer", field="text")
    locked.answer, locked.answered_by_id, locked.answered_at = text.strip(), person_of(by), at
    locked.save(update_fields=["answer", "answered_by", "answered_at"])
    record(by=by, at=at, about=locked, detail={"fact": str(objection.fact_id)}, text=text)


# Tables


@action(Tag.MEMBERS_PARTICIPATION_READ)
def read_participation(*, name: str, content: bytes, by: Subject, at: datetime) -> ParticipationImport:
    """Read a table of facts and keep it for its preview; nothing is recorded yet. Raises Refusal for what is none."""
    require(subject=by, right=Right.REVIEW, at=at)
    sheet = sheets.read(content, most_rows=5_001)
    rows, faults = participation.read(sheet, queries.members_by_number(), at)
    made = ParticipationImport.objects.create(
        filename=name.replace("\x00", "")[:120], sha256=digest(content), encoding=sheet.encoding,
        rows=participation.kept(rows), faults=[[line, text, why.zh, why.en] for line, text, why in faults[:500]],
        read_by_id=person_of(by), read_at=at, expires_at=at + KEPT,
    )  # fmt: skip
    record(by=by, at=at, about=made, detail={"rows": len(rows), "faults": len(faults)})
    return made


@action(Tag.MEMBERS_PARTICIPATION_IMPORT)
def import_participation(*, read: ParticipationImport, by: Subject, at: datetime) -> int:
    """Record the facts of a table that was looked at, whole; return how many were new. Raises Refusal for faults."""
    require(subject=by, right=Right.REVIEW, at=at)
    rows = ParticipationImport.objects.select_for_update(of=("self",)).select_related("vault_key")
    locked = rows.get(pk=read.pk)
    if locked.imported_at is not None:
        raise Refusal(_IMPORTED, rule="participation-import")
    if locked.faults:
        raise Refusal(_FAULTS.format(n=len(locked.faults)), rule="participation-import")
    known = queries.known_keys("import", [row["key"] for row in locked.rows])
    fresh = [row for row in locked.rows if row["key"] not in known]
    of = {str(one.pk): one for one in queries.in_force_of_groups().values()}
    person = person_of(by)
    made = [_imported(row, of[row["membership"]], locked, person, at) for row in fresh if row["membership"] in of]
    ParticipationFact.objects.bulk_create(made, batch_size=500)
    locked.imported_at = at
    locked.save(update_fields=["imported_at"])
    record(by=by, at=at, about=locked, detail={"new": len(made), "known": len(locked.rows) - len(fresh)})
    return len(made)


def _imported(
    row: dict[str, Any], held: Membership, batch: ParticipationImport, person: Any, at: datetime
) -> ParticipationFact:
    return ParticipationFact(
        vault_key=held.application.vault_key, membership=held, kind=row["kind"], outcome=row["outcome"],
        occurred_on=date.fromisoformat(row["day"]), text=row["text"], evidence=row["evidence"], source="import",
        key=row["key"], batch=batch, by_id=person, at=at,
    )  # fmt: skip


@action(Tag.MEMBERS_PARTICIPATION_FORGET)
def forget_participation(*, read: ParticipationImport, by: Subject, at: datetime) -> None:
    """Erase a table that nobody imported; its key goes with it."""
    rows = ParticipationImport.objects.select_for_update(of=("self",)).select_related("vault_key")
    locked = rows.get(pk=read.pk)
    key = locked.vault_key
    record(by=by, at=at, about=locked)
    if locked.imported_at is None:
        locked.delete()
        shred(key, by=by, at=at)


def forget_old_participation(*, by: Subject, at: datetime) -> int:
    """Erase every table whose time is over; return how many. May be repeated at any time."""
    due = list(ParticipationImport.objects.filter(imported_at__isnull=True, expires_at__lte=at)[:200])
    for one in due:
        forget_participation(read=one, by=by, at=at)
    return len(due)


# What apps supply


def collect_participation(*, by: Subject, at: datetime) -> int:
    """Take in what the apps know; what was taken in is known by its key. Return how many are new."""
    done = 0
    for name, provider in participation.providers().items():
        try:
            supplied = list(provider(at - _LOOKED_BACK, at))
            known = queries.known_keys(name, [one.key for one in supplied])
            fresh = [one for one in supplied if one.key not in known]
            done += take_in(source=name, facts=fresh, by=by, at=at) if fresh else 0
        except DatabaseError:
            raise
        except Exception:
            # One app that fails must not keep the others from being heard.
            log.exception("members: %s supplied nothing; the next run asks again", name)
    return done


@action(Tag.MEMBERS_PARTICIPATION_SUPPLY)
def take_in(*, source: str, facts: Sequence[Supplied], by: Subject, at: datetime) -> int:
    """Record facts of one app about members in force; return how many."""
    held = queries.in_force_of_groups()
    made = 0
    for one in facts:
        member = held.get(one.group)
        if member is None or one.kind not in KINDS or one.outcome not in ("took_part", "absent"):
            continue
        try:
            with transaction.atomic():
                ParticipationFact.objects.create(
                    vault_key=member.application.vault_key, membership=member, kind=one.kind, outcome=one.outcome,
                    occurred_on=taipei(one.occurred_at).date(), text=one.text.zh, text_en=one.text.en,
                    evidence=one.evidence, source=source, key=one.key, at=at,
                )  # fmt: skip
        except IntegrityError:
            continue  # another run was quicker
        made += 1
    detail: dict[str, JSON] = {"source": source, "facts": made}
    record(by=by, at=at, about=("members.participationfact", source), detail=detail)
    return made


# A review


@action(Tag.MEMBERS_PARTICIPATION_REVIEW)
def open_participation_review(*, membership: Membership, facts: str, by: Subject, at: datetime) -> Revocation:
    """Open a review under 1.4 by hand, with the record attached as it stands at this instant.

    Raises Refusal where nothing is recorded: of what nobody wrote down nothing follows.
    """
    rows = [one for one in queries.facts(membership) if queries.is_standing(one)]
    if not rows:
        raise Refusal(_NOTHING, rule="participation-none", clause="1.4")
    case = open_revocation(membership=membership, ground=GROUND, facts=facts, by=by, at=at)
    stands = queries.record_of(membership, at)
    of = stands.terms
    kept = [_attached(one) for one in rows]
    made = ParticipationSnapshot.objects.create(
        vault_key=case.vault_key,
        revocation=case,
        rows=kept,
        terms={
            "months": of.months, "least": of.least, "absences": of.absences, "took_part": stands.counts.took_part,
            "absent": stands.counts.absent, "objected": stands.counts.objected,
        },
        sha256=digest(canonical(kept)),
        at=at,
    )  # fmt: skip
    record(by=by, at=at, about=made, detail={"revocation": case.number, "facts": len(kept)})
    return case


def _attached(one: ParticipationFact) -> dict[str, Any]:
    return {
        "id": str(one.pk), "kind": one.kind, "outcome": one.outcome, "day": one.occurred_on.isoformat(),
        "text": one.text, "evidence": one.evidence or one.filename, "source": one.source,
        "objections": [{"text": each.text, "answer": each.answer} for each in one.objections.all()],
    }  # fmt: skip


def _detail(made: ParticipationFact) -> dict[str, JSON]:
    return {
        "membership": str(made.membership_id), "kind": made.kind, "outcome": made.outcome,
        "day": made.occurred_on.isoformat(),
    }  # fmt: skip


def _require(membership: Membership, by: Subject, at: datetime) -> None:
    target = Case(kind="participation", organization=membership.organization_id, state=membership.state)
    require(subject=by, right=Right.REVIEW, target=target, at=at)
