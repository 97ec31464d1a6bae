"""Named places at which a test may kill the process, to see what survives.

`LIANFANG_FAILPOINT=outbox.after-claim` kills the first process that reaches that place, once: a marker file (beside
`LIANFANG_FAILPOINT_DIR`, else the temporary folder) keeps the next process alive. With `LIANFANG_FAILPOINT_SIGNAL=STOP`
the process is held there instead, so that something else can be killed meanwhile, such as the database. Without the
variable a failpoint costs one look into a dictionary.
"""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

NAMES: dict[str, str] = {
    "audit.after-leaves": "the sequencer has numbered entries and not yet committed",
    "audit.receipts.before-commit": "receipts of reads are put into the tree and not yet committed",
    "intel.embargo.before-commit": "the open lines of an ended embargo are written and not yet committed",
    "intel.index.before-commit": "the search rows of a submission are written and not yet committed",
    "intel.submit.after-commit": "a submission of intelligence is committed, the answer has not left",
    "intel.submit.before-commit": "a submission of intelligence is written, with its place in the log, not committed",
    "mailroom.take.after-commit": "a mail is taken in and committed, and still lies in the mailbox on the server",
    "mailroom.take.before-commit": "a mail is written down with its files and not yet committed",
    "members.approve.after-commit": "an application is approved, the answer has not left",
    "members.approve.before-commit": "everything that an approval writes is written and not yet committed",
    "members.erase.before-commit": "an expired draft is erased and its files are gone, which is not yet committed",
    "members.submit.after-commit": "an application is submitted, the applicant has no receipt number yet",
    "members.submit.before-commit": "everything that a submission writes is written and not yet committed",
    "outbox.after-claim": "a mail is marked as being sent, committed, and no byte of it has left",
    "outbox.after-data": "the mail server has taken the mail and the row does not say so yet",
}
"""Every failpoint and what is true when it is reached. Keep sorted."""


def failpoint(name: str) -> None:
    """Kill (or hold) this process here if the environment names this place and nobody died here before.

    Raises KeyError for a name that is not in `NAMES`.
    """
    NAMES[name]
    if os.environ.get("LIANFANG_FAILPOINT") != name:
        return
    marker = Path(os.environ.get("LIANFANG_FAILPOINT_DIR", tempfile.gettempdir())) / f"lianfang-failpoint-{name}"
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.Signals[f"SIG{os.environ.get('LIANFANG_FAILPOINT_SIGNAL', 'KILL')}"])
