"""What the log does not say: the secret of a mailed link, which opens a case or an account to whoever reads it.

And what nobody can make it say: an address that was asked for may hold line breaks, and would write lines of its own.
"""

from __future__ import annotations

import logging
import re

# As long as `new_secret` makes them. No id, no number and no name of ours is as long as that in one piece.
_SECRET = re.compile(r"/[A-Za-z0-9_-]{40,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Discreet(logging.Filter):
    """Puts a mark in the place of secrets that stand in addresses, and escapes in the place of line breaks.

    Every message is kept; the traceback below one is no part of it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _SECRET.search(text) or _CONTROL.search(text):
            blanked = _SECRET.sub("/…", text)
            record.msg, record.args = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", blanked), ()
        return True
