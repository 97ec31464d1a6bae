"""What the log does not say: the secret of a mailed link, which opens a case or an account to whoever reads it."""

from __future__ import annotations

import logging
import re

# As long as `new_secret` makes them. No id, no number and no name of ours is as long as that in one piece.
_SECRET = re.compile(r"/[A-Za-z0-9_-]{40,}")


class Discreet(logging.Filter):
    """Puts a mark in the place of secrets that stand in addresses, in whichever message; keeps every message."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _SECRET.search(text):
            record.msg, record.args = _SECRET.sub("/…", text), ()
        return True
