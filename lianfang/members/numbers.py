"""Numbers of cases, one after the other within a year of Taipei."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from lianfang.kernel.clock import taipei
from lianfang.kernel.ids import case_number

_NEXT = """
    INSERT INTO members_casecounter (prefix, year, last) VALUES (%s, %s, 1)
    ON CONFLICT (prefix, year) DO UPDATE SET last = members_casecounter.last + 1
    RETURNING last
"""


def next_number(prefix: str, at: datetime) -> str:
    """Take the next number of a kind of case, such as `A-2026-0187`; a rolled-back transaction gives it back.

    The counter's row is locked until commit: numbers are handed out in the order of commits, without holes.
    """
    year = taipei(at).year
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [prefix, year])
        (last,) = cursor.fetchone()
    return case_number(prefix, year, last)
