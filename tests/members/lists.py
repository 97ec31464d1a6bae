"""Official lists for tests: files as the authorities publish them, read and imported by the real actions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date

from lianfang.members import actions
from lianfang.members.models import ListEdition
from tests.world import Actor, Clock

SOURCE = "陸資來臺投資事業名錄"
BOARD = ("公司代號", "公司名稱", "營利事業統一編號")
MAINLAND = ("統一編號", "事業名稱")


def table(headings: Iterable[str], rows: Iterable[Iterable[str]], *, encoding: str = "utf-8-sig") -> bytes:
    """A CSV."""
    kept = io.StringIO()
    writer = csv.writer(kept)
    writer.writerow(headings)
    writer.writerows(rows)
    return kept.getvalue().encode(encoding)


def read(
    clock: Clock, by: Actor, content: bytes, *, kind: str = "mainland", on: date = date(2026, 11, 1)
) -> ListEdition:
    """Read a file and keep it for import."""
    at = clock.tick()
    return actions.read_list(
        kind=kind, list_date=on, source=SOURCE, file_name="list.csv", content=content, by=by.subject(at), at=at
    )


def bring(
    clock: Clock, by: Actor, rows: Iterable[Iterable[str]], *, kind: str = "mainland", on: date = date(2026, 11, 1)
) -> ListEdition:
    """Read and import a list of rows: number and name, for a board code, name and number."""
    headings = MAINLAND if kind == "mainland" else ("團體名稱", "統一編號", "類別") if kind == "association" else BOARD
    edition = read(clock, by, table(headings, rows), kind=kind, on=on)
    at = clock.tick()
    return actions.import_list(edition=edition, by=by.subject(at), at=at)
