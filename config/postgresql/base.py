"""The connection that Django uses.

With a synchronous standby a commit waits until the standby has it. Where the wait is broken off (the standby is away,
and somebody cancelled the statement), PostgreSQL says that it committed, with a warning beside it: the change stands on
the primary alone and would be lost with it. Whoever asked must not be told that it is done.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import DatabaseError

__all__ = ["DatabaseWrapper", "NotReplicated"]

# The place in PostgreSQL that warns; its words depend on the language of the server.
_WAITING = "SyncRepWaitForLSN"


class NotReplicated(DatabaseError):
    """Committed on the primary, and perhaps nowhere else. Asking again is safe only where asking twice is.

    No failure that passes by itself: nobody is told to come back and try again.
    """


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, which listens for that warning."""

    _alone = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, and listen."""
        connection: Any = super().get_new_connection(conn_params)
        self._alone = False
        connection.add_notice_handler(self._warned)
        return connection

    def _warned(self, notice: Any) -> None:
        if notice.source_function == _WAITING:
            self._alone = True

    def _commit(self) -> None:
        self._alone = False
        super()._commit()  # type: ignore[misc]  # the stubs do not know it
        if self._alone:
            self._alone = False
            raise NotReplicated("committed on the primary alone: the wait for its standby was broken off")
