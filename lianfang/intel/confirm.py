"""One statement that confirms what an answer was decided on and writes its receipt, for the doors that are asked most.

A page can be made from memory under the epoch that this process last read. Whether that epoch, the head of the log and
the stop still stand is then asked by the very statement that writes the receipt; nothing leaves unless it wrote one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from weakref import WeakSet

import psycopg
from django.db import connection
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus
from pyroaring import BitMap

from lianfang.policy.facts import Request, Subject
from lianfang.policy.store import EpochValue

_NAME = b"lf_confirm"
# The setting holds for the statement's own transaction: the row is on the disk within a second instead of at once.
_STATEMENT = b"""
WITH now AS MATERIALIZED (SELECT clock_timestamp() AS at)
INSERT INTO intel_receipt
       (person, organization, "group", token, channel, view, purpose, lo, hi, positions, mark, at)
SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, $8::int8, $9::int8, $10::bytea, $11::uuid,
       now.at
  FROM policy_epoch e, now
 WHERE e.id = 1 AND e.policy = $12::int8 AND e.head = $13::int8
   AND EXISTS (SELECT FROM intel_stop WHERE ended_at IS NULL AND NOT drill) = $14::bool
   AND set_config('synchronous_commit', 'off', true) = 'off'
RETURNING (extract(epoch FROM at) * 1000000)::int8
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_prepared: WeakSet[psycopg.Connection] = WeakSet()


def confirm(*, by: Subject, request: Request, positions: BitMap, epoch: EpochValue) -> datetime | None:
    """Write the receipt of one answer, made under this epoch and with the stop as the request says; return the instant.

    None, and no receipt, where one of them has moved or the connection broke: then the answer must be made anew. A
    crash of the database may take the receipts of its last second: the caller keeps a durable row that covers them.
    Never inside a transaction. `positions` are not empty.
    """
    connection.ensure_connection()
    server = connection.connection.pgconn
    if connection.connection not in _prepared:
        made = server.prepare(_NAME, _STATEMENT)
        if server.status != ConnStatus.OK:
            connection.close()
            return None
        _expect(made, ExecStatus.COMMAND_OK)
        _prepared.add(connection.connection)
    result = server.exec_prepared(
        _NAME,
        [
            _uuid(by.person),
            _uuid(by.pair.organization if by.pair else None),
            _uuid(by.pair.group if by.pair else None),
            _uuid(by.token),
            request.channel.value.encode(),
            (request.view or "").encode(),
            (request.purpose or (by.caveats.purpose if by.caveats else "")).encode(),
            _number(positions.min()),
            _number(positions.max()),
            positions.serialize(),
            uuid4().bytes,
            _number(epoch.policy),
            _number(epoch.head),
            b"\x01" if request.stop else b"\x00",
        ],
        param_formats=[1] * 14,
        result_format=1,
    )
    if server.status != ConnStatus.OK:
        connection.close()
        return None
    _expect(result, ExecStatus.TUPLES_OK)
    written = result.get_value(0, 0) if result.ntuples else None
    return None if written is None else _EPOCH + timedelta(microseconds=int.from_bytes(written, "big"))


def _expect(result: psycopg.pq.abc.PGresult, status: ExecStatus) -> None:
    if result.status != status:
        raise errors.error_from_result(result)


def _uuid(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")
