"""`lianfang drill BACKUP`: whether a restored copy would do, looked at before it is needed.

The copy was restored into a place of its own; here it is asked what an operator would ask on the day: does the ledger
verify, do the keys open what they sealed, is every file there, does the policy answer as it should, and does whoever
lost the membership read nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography.exceptions import InvalidTag

from lianfang import deploy, health
from lianfang.accounts.models import Affiliation, Person
from lianfang.audit.checkpoints import BadCheckpoint, Head
from lianfang.audit.signing import SigningKeyUnusable
from lianfang.audit.verify import verify
from lianfang.health import Check
from lianfang.intel.positions import INDEX
from lianfang.members.subjects import subject_for
from lianfang.policy import sql, store
from lianfang.policy.decide import decide
from lianfang.policy.facts import Channel, Label, Request, Right, Standing, Subject
from lianfang.vault.keys import MasterKeyUnusable
from lianfang.vault.models import StoredFile
from lianfang.vault.sealing import NotOurs, Shredded

__all__ = ["findings"]

MOST = 200
"""How many persons, files and readers are tried: the newest, which a stale part would lack."""
_PAGE = Request(channel=Channel.PAGE)
_ENDED = (Standing.REVOKED, Standing.TERMINATED)


def findings(*, at: datetime, kept: Head | None = None) -> list[Check]:
    """Every check in a fixed order; `kept` is a checkpoint that was kept outside."""
    sql.forget()
    INDEX.clear()
    return [
        *health.checks()[:2],
        *deploy.guards(),
        _ledger(kept),
        _persons(),
        _files(),
        *_readers(at),
    ]


def _ledger(kept: Head | None) -> Check:
    try:
        report = verify(kept=kept)
    except (BadCheckpoint, SigningKeyUnusable) as problem:
        return Check("ledger", ok=False, said=str(problem))
    words = report.summary() if report.ok else report.problems[0].words
    return Check("ledger", ok=report.ok, said=words.in_language("en"))


def _persons() -> Check:
    tried = shut = 0
    fault = ""
    for person in Person.objects.select_related("vault_key").order_by("-created_at")[:MOST]:
        tried += 1
        try:
            shut += not person.name
        except (NotOurs, InvalidTag, MasterKeyUnusable) as problem:
            fault = fault or str(problem)
        except Shredded:
            shut += 1
    return Check("personal data", ok=not fault, said=fault or f"{tried} persons open, {shut} of them erased")


def _files() -> Check:
    tried = 0
    for file in StoredFile.objects.select_related("vault_key").order_by("-stored_at")[:MOST]:
        try:
            whole = len(file.open().read()) == file.size
        except Shredded:
            whole = True
        except (NotOurs, FileNotFoundError, MasterKeyUnusable) as problem:
            return Check("files", ok=False, said=f"{file.pk}: {problem}")
        if not whole:
            return Check("files", ok=False, said=f"{file.pk} has another length than was noted")
        tried += 1
    return Check("files", ok=True, said=f"{tried} open")


def _readers(at: datetime) -> Iterator[Check]:
    """The labels that the database gives to a reader are those that the policy allows; who left gets none."""
    labels = store.all_labels()
    people = [
        subject_for(person=one.person_id, affiliation=one, at=at, mfa=True)
        for one in Affiliation.objects.filter(started_at__lte=at).order_by("-started_at")[:MOST]
    ]
    wrong = [subject for subject in people if not _agrees(subject, labels, at)]
    said = f"{len(people)} readers of {len(labels)} labels" if not wrong else f"{wrong[0].person} is answered otherwise"
    yield Check("policy", ok=not wrong, said=said)
    left = [subject for subject in people if subject.standing in _ENDED]
    reading = [subject for subject in left if _still_reads(subject, labels, at)]
    words = f"{reading[0].person} still reads" if reading else f"{len(left)} people of former members read nothing"
    yield Check("former members", ok=not reading, said=words)


def _agrees(subject: Subject, labels: dict[int, Label], at: datetime) -> bool:
    found = sql.visible(subject=subject, right=Right.READ, at=at, request=_PAGE).ids
    allowed = {
        number
        for number, label in labels.items()
        if decide(subject=subject, right=Right.READ, target=label, at=at, request=_PAGE).allowed
    }
    return set(found) == allowed


def _still_reads(subject: Subject, labels: dict[int, Label], at: datetime) -> bool:
    """Not even its own: what it shared it finds on the exit page (D-former), which asks for another right."""
    return bool(sql.visible(subject=subject, right=Right.READ, at=at, request=_PAGE).ids & labels.keys())
