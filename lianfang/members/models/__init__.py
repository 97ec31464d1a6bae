"""Who applies, who is a member, and every decision about it.

Organisations are public facts and stand in clear; what people typed about people (names, titles, addresses of mail,
free text) is sealed under the key of its application, revocation or appeal.
"""

from lianfang.members.models.applications import (
    Application,
    Attachment,
    Attestation,
    AuthorityCheck,
    CorrectionItem,
    ScreeningFinding,
)
from lianfang.members.models.calendars import CalendarEdition, FeedLink
from lianfang.members.models.cases import CaseEvent, CaseNote, ConflictDeclaration, Decision, FirstApproval
from lianfang.members.models.changes import ChangeConfirmation, ChangeFile, ChangeRequest, FactChange, RosterDraft
from lianfang.members.models.contacts import Contact, ContactCheck
from lianfang.members.models.directory import DirectoryChoice
from lianfang.members.models.holds import LegalHold
from lianfang.members.models.lists import LIST_KINDS, ListCase, ListEdition, ListRow, ScreeningRun
from lianfang.members.models.memberships import Constituent, Membership, MembershipInterval, RelayRule
from lianfang.members.models.ownership import OwnershipStatement
from lianfang.members.models.participation import (
    IMPORT,
    STAFF,
    ParticipationFact,
    ParticipationImport,
    ParticipationObjection,
    ParticipationSnapshot,
)
from lianfang.members.models.procedures import CaseCounter, Procedure, ProcedureDraft
from lianfang.members.models.recoveries import Recovery, RecoveryFile, RecoveryNotice
from lianfang.members.models.revocations import (
    FROM_ARRIVAL,
    Appeal,
    AppealFile,
    Arrival,
    Revocation,
    Statement,
    StatementFile,
    deadline_fields,
)
from lianfang.members.models.terminations import HANDLINGS, Termination

__all__ = [
    "FROM_ARRIVAL",
    "HANDLINGS",
    "IMPORT",
    "LIST_KINDS",
    "STAFF",
    "Appeal",
    "AppealFile",
    "Application",
    "Arrival",
    "Attachment",
    "Attestation",
    "AuthorityCheck",
    "CalendarEdition",
    "CaseCounter",
    "CaseEvent",
    "CaseNote",
    "ChangeConfirmation",
    "ChangeFile",
    "ChangeRequest",
    "ConflictDeclaration",
    "Constituent",
    "Contact",
    "ContactCheck",
    "CorrectionItem",
    "Decision",
    "DirectoryChoice",
    "FactChange",
    "FeedLink",
    "FirstApproval",
    "LegalHold",
    "ListCase",
    "ListEdition",
    "ListRow",
    "Membership",
    "MembershipInterval",
    "OwnershipStatement",
    "ParticipationFact",
    "ParticipationImport",
    "ParticipationObjection",
    "ParticipationSnapshot",
    "Procedure",
    "ProcedureDraft",
    "Recovery",
    "RecoveryFile",
    "RecoveryNotice",
    "RelayRule",
    "Revocation",
    "RosterDraft",
    "ScreeningFinding",
    "ScreeningRun",
    "Statement",
    "StatementFile",
    "Termination",
    "deadline_fields",
]
