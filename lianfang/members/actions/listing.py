"""Official lists: a file is read and shown, then imported whole or not at all; and cases that editions opened."""

from __future__ import annotations

import unicodedata
from dataclasses import astuple
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from django.db import connection

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import taipei
from lianfang.kernel.ids import digest
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import official, queries, queries_lists, sheets, wake
from lianfang.members.actors import person_of
from lianfang.members.lifecycle import LIST_CASE, LIST_EDITION
from lianfang.members.models import LIST_KINDS, Constituent, ListCase, ListEdition, ListRow
from lianfang.members.official import Listed
from lianfang.policy.facts import Right, Subject
from lianfang.policy.store import bump_policy
from lianfang.vault.files import store
from lianfang.vault.models import SubjectKey

_SHOWN = 200
_LONGEST_NOTE = 4000
_KIND = Bilingual(zh="請選名單種類。", en="Choose the kind of list.")
_SOURCE = Bilingual(zh="請寫名單來源，100字以內。", en="Name the source, up to 100 characters.")
_FUTURE = Bilingual(zh="名單日期不能晚於今天。", en="The date of the list cannot be later than today.")
_OLDER = Bilingual(
    zh="已有{date}的版次；只能匯入同日或更新的版次。",
    en="There is an edition of {date}; only a later one, or one of that day, goes in.",
)
_KNOWN = Bilingual(zh="這個檔案已在{date}匯入。", en="This very file was imported on {date}.")
_OUTCOMES = {"other": "judge_other", "confirmed": "confirm", "settled": "settle"}
_OUTCOME = Bilingual(zh="請選一項判斷。", en="Choose a judgement.")


@action(Tag.MEMBERS_LIST_READ)
def read_list(
    *, kind: str, list_date: date, source: str, file_name: str, content: bytes, by: Subject, at: datetime
) -> ListEdition:
    """Read a file as an official list and keep it with what is wrong in it and what is new: nothing is imported yet.

    Raises Refusal, naming the field, for a file that cannot be such a list at all.
    """
    require(subject=by, right=Right.IMPORT_LIST, at=at)
    if kind not in LIST_KINDS:
        raise Refusal(_KIND, rule="list-kind", field="kind")
    if not source.strip() or len(source.strip()) > 100:
        raise Refusal(_SOURCE, rule="list-source", field="source")
    if list_date > taipei(at).date():
        raise Refusal(_FUTURE, rule="list-date", field="list_date")
    before = queries_lists.newest(kind, at)
    _newer(before, list_date, content)
    sheet = sheets.read(content)
    reading = official.read(sheet, kind=kind, list_date=list_date)
    difference = official.difference(before=queries_lists.listed(before), after=reading.rows)
    key = SubjectKey.make()
    name = _name(file_name)
    edition = ListEdition.objects.create(
        kind=kind,
        list_date=list_date,
        source=source.strip(),
        file_name=name,
        sha256=digest(content),
        size=len(content),
        encoding=sheet.encoding,
        file=store(key=key, content=content, at=at, name=name, media_type="application/octet-stream"),
        row_count=len(reading.rows),
        fault_count=len(reading.faults),
        faults=[[one.line, one.text, one.reason.zh, one.reason.en] for one in reading.faults[:_SHOWN]],
        difference=_kept(difference),
        previous=before,
        read_by_id=person_of(by),
        read_at=at,
    )
    record(by=by, at=at, about=edition, detail=_detail(edition))
    return edition


def _newer(before: ListEdition | None, list_date: date, content: bytes) -> None:
    if before is None:
        return
    if list_date < before.list_date:
        raise Refusal(_OLDER.format(date=before.list_date.isoformat()), rule="list-older", field="list_date")
    if digest(content) == bytes(before.sha256) and list_date == before.list_date:
        day = taipei(before.decided_at or before.read_at).date().isoformat()
        raise Refusal(_KNOWN.format(date=day), rule="list-known", field="file")


def _name(name: str) -> str:
    """Return the last part of a file's name without what could mislead the eye."""
    plain = PurePath(name.replace("\\", "/")).name
    kept = "".join(one for one in plain if unicodedata.category(one)[0] not in "CZ" or one == " ")
    return kept[-120:].strip() or "list"


def _kept(difference: official.Difference) -> dict[str, Any]:
    """Return numbers in full, and of each part the first rows for the page."""
    return {
        "counts": {
            "new": len(difference.new),
            "gone": len(difference.gone),
            "changed": len(difference.changed),
            "same": difference.same,
        },
        "new": [astuple(row) for row in difference.new[:_SHOWN]],
        "gone": [astuple(row) for row in difference.gone[:_SHOWN]],
        "changed": [[astuple(one), astuple(other)] for one, other in difference.changed[:_SHOWN]],
    }


def _detail(edition: ListEdition) -> dict[str, Any]:
    return {
        "kind": edition.kind,
        "list_date": edition.list_date.isoformat(),
        "sha256": bytes(edition.sha256).hex(),
        "rows": edition.row_count,
        "faults": edition.fault_count,
        **edition.difference["counts"],
    }


def locked_edition(edition: ListEdition) -> ListEdition:
    """Lock an edition and return it as it is now."""
    return ListEdition.objects.select_for_update(of=("self",)).select_related("file__vault_key").get(pk=edition.pk)


@action(Tag.MEMBERS_LIST_IMPORT)
def import_list(*, edition: ListEdition, by: Subject, at: datetime) -> ListEdition:
    """Import an edition whole; from then on every check rests on it. Rosters are compared with it in the background.

    Raises Refusal while a row is wrong, and when another edition was imported since the difference was shown.
    """
    require(subject=by, right=Right.IMPORT_LIST, at=at)
    _one_at_a_time(edition.kind)
    locked = locked_edition(edition)
    newest = queries_lists.newest(locked.kind, at)
    LIST_EDITION.move(
        locked, "import", faults=locked.fault_count, compared=locked.previous_id, newest=newest.pk if newest else None
    )
    # The kept file is read anew: what goes in is what its digest names.
    rows = official.read(sheets.read(locked.file.open().read()), kind=locked.kind, list_date=locked.list_date).rows
    ListRow.objects.bulk_create([_row(locked, row) for row in rows], batch_size=5000)
    locked.decided_by_id, locked.decided_at = person_of(by), at
    locked.save(update_fields=["state", "decided_by", "decided_at"])
    record(by=by, at=at, about=locked, detail=_detail(locked))
    wake.screen()
    return locked


def _one_at_a_time(kind: str) -> None:
    """Of two editions of a kind, both compared with the same one before, the second finds what the first imported."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('members.list:' || %s, 0))", [kind])


def _row(edition: ListEdition, row: Listed) -> ListRow:
    return ListRow(edition=edition, line=row.line, ubn=row.ubn, name=row.name, code=row.code, state=row.state)


@action(Tag.MEMBERS_LIST_DISCARD)
def discard_list(*, edition: ListEdition, by: Subject, at: datetime) -> None:
    """Put a list that was read aside. The file stays as evidence of what was looked at."""
    locked = locked_edition(edition)
    require(subject=by, right=Right.IMPORT_LIST, at=at)
    LIST_EDITION.move(locked, "discard")
    locked.decided_by_id, locked.decided_at = person_of(by), at
    locked.save(update_fields=["state", "decided_by", "decided_at"])
    record(by=by, at=at, about=locked)


@action(Tag.MEMBERS_LIST_CASE_CLOSE)
def close_list_case(*, case: ListCase, outcome: str, note: str, by: Subject, at: datetime) -> None:
    """Judge a case in writing: `other`, `confirmed` or `settled`, without a conflict. No membership changes by it.

    A constituent that is judged to be somebody else, or whose hit is no longer so, has access again from this instant.
    """
    require(subject=by, right=Right.REVIEW, at=at)
    locked = ListCase.objects.select_for_update(of=("self",)).select_related("membership", "vault_key").get(pk=case.pk)
    move = _OUTCOMES.get(outcome)
    if move is None:
        raise Refusal(_OUTCOME, rule="list-case-outcome", field="outcome")
    still = queries_lists.still_so(locked, at)
    conflict = queries.conflict_of(locked.number, by.person)
    by_number = locked.result != "name_hit"
    LIST_CASE.move(locked, move, conflict=conflict, note=note, by_number=by_number, still_so=still)
    locked.outcome, locked.note = outcome, note.strip()[:_LONGEST_NOTE]
    locked.closed_by_id, locked.closed_at = person_of(by), at
    locked.save()
    record(by=by, at=at, about=locked, detail={"outcome": outcome, "result": locked.result}, text=note)
    state = {"other": "other_entity", "settled": "pending"}.get(outcome)
    if locked.kind == "mainland" and state:
        _reopen(locked, state)


def _reopen(case: ListCase, state: str) -> None:
    rows = Constituent.objects.filter(
        group=case.membership.organization_id, organization=case.organization_id, removed_at__isnull=True
    )
    if rows.filter(screening__in=["name_hit", "id_hit"]).update(screening=state):
        wake.screen()
        bump_policy()
