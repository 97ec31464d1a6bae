"""A file of a roster on its way in: kept, mapped, corrected; nothing of the roster itself changes by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lianfang.accounts.doors import require
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import importing, sheets
from lianfang.members.actors import person_of
from lianfang.members.models import Membership, RosterDraft
from lianfang.policy.facts import Case, Right, Subject
from lianfang.vault.actions import shred

KEPT = timedelta(days=1)
_NO_COLUMN = Bilingual(zh="請選哪一欄是名稱；一欄只能用一次。", en="Choose the column of names; no column twice.")


@action(Tag.MEMBERS_ROSTER_KEEP)
def keep_roster(*, membership: Membership, name: str, content: bytes, by: Subject, at: datetime) -> RosterDraft:
    """Read a table and keep its lines for the steps of the import. Raises Refusal for what is no table."""
    _require(membership, by, at)
    sheet = sheets.read(content)
    columns = importing.headings(sheet.lines[0].cells)
    draft = RosterDraft.objects.create(
        membership=membership,
        person_id=person_of(by),
        filename=name.replace("\x00", "")[:120],
        encoding=sheet.encoding,
        lines=[
            {
                "number": line.number,
                "cells": list(line.cells),
                "fault": {"zh": line.fault.zh, "en": line.fault.en} if line.fault else None,
            }
            for line in sheet.lines
        ],
        columns=columns or _first_columns(sheet),
        heading=bool(columns),
        fixes={},
        kept_at=at,
        expires_at=at + KEPT,
    )
    record(by=by, at=at, about=draft, detail={"lines": len(sheet.lines), "encoding": sheet.encoding})
    return draft


def _first_columns(sheet: sheets.Sheet) -> dict[str, int]:
    """Without a heading the first column is proposed as the name and the second as the number; the page asks."""
    return {"name": 0, "ubn": 1} if max(len(line.cells) for line in sheet.lines) > 1 else {"name": 0}


@action(Tag.MEMBERS_ROSTER_MAP)
def map_roster(
    *, draft: RosterDraft, columns: Mapping[str, int], heading: bool, whole: bool, by: Subject, at: datetime
) -> None:
    """Say which column holds what, whether the first line names them, and whether the file is the whole roster."""
    locked = _locked(draft)
    _require(locked.membership, by, at)
    if "name" not in columns or len(set(columns.values())) < len(columns):
        raise Refusal(_NO_COLUMN, rule="roster-columns", field="name")
    if columns != locked.columns or heading != locked.heading:
        locked.fixes = {}
    locked.columns, locked.heading, locked.whole = dict(columns), heading, whole
    locked.save(update_fields=["columns", "heading", "whole", "fixes"])
    record(by=by, at=at, about=locked, detail={"columns": dict(columns), "heading": heading, "whole": whole})


@action(Tag.MEMBERS_ROSTER_FIX)
def fix_roster(*, draft: RosterDraft, fixes: Mapping[str, Mapping[str, Any]], by: Subject, at: datetime) -> None:
    """Keep what was typed in place of a row's words, or that rows are left out; it is judged like any row."""
    locked = _locked(draft)
    _require(locked.membership, by, at)
    known = {str(line["number"]) for line in locked.lines}
    locked.fixes = {**locked.fixes, **{line: dict(fix) for line, fix in fixes.items() if line in known}}
    locked.save(update_fields=["fixes"])
    record(by=by, at=at, about=locked, detail={"rows": len(fixes)})


@action(Tag.MEMBERS_ROSTER_FORGET)
def forget_roster(*, draft: RosterDraft, by: Subject, at: datetime) -> None:
    """Erase a file that became a request, or whose time is over; its key goes with it."""
    locked = _locked(draft)
    key = locked.vault_key
    record(by=by, at=at, about=locked)
    locked.delete()
    shred(key, by=by, at=at)


def forget_old_rosters(*, by: Subject, at: datetime) -> int:
    """Erase every file whose time is over; return how many. May be repeated at any time."""
    due = list(RosterDraft.objects.filter(expires_at__lte=at).order_by("expires_at")[:200])
    for draft in due:
        forget_roster(draft=draft, by=by, at=at)
    return len(due)


def _require(membership: Membership, by: Subject, at: datetime) -> None:
    target = Case(kind="change", organization=membership.organization_id, state=membership.state)
    require(subject=by, right=Right.FILE_CHANGE, target=target, at=at)


def _locked(draft: RosterDraft) -> RosterDraft:
    rows = RosterDraft.objects.select_for_update(of=("self",)).select_related("membership", "vault_key")
    return rows.get(pk=draft.pk)
