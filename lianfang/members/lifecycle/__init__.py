"""The state machines of membership as data: one module a subject, read by pages, constraints and tests alike."""

from lianfang.members.lifecycle.application import APPLICATION, OPEN_APPLICATION, Readiness
from lianfang.members.lifecycle.change import CHANGE, OPEN_CHANGE, ChangeReadiness
from lianfang.members.lifecycle.contact import CONTACT_CHECK, CONTACT_TASKS
from lianfang.members.lifecycle.lists import LIST_CASE, LIST_EDITION
from lianfang.members.lifecycle.membership import IN_FORCE, MEMBERSHIP
from lianfang.members.lifecycle.procedure import PROCEDURE
from lianfang.members.lifecycle.recovery import OPEN_RECOVERY, RECOVERY
from lianfang.members.lifecycle.revocation import APPEAL, REVOCATION
from lianfang.members.lifecycle.termination import OPEN_TERMINATION, TERMINATION

__all__ = [
    "APPEAL",
    "APPLICATION",
    "CHANGE",
    "CONTACT_CHECK",
    "CONTACT_TASKS",
    "IN_FORCE",
    "LIST_CASE",
    "LIST_EDITION",
    "MEMBERSHIP",
    "OPEN_APPLICATION",
    "OPEN_CHANGE",
    "OPEN_RECOVERY",
    "OPEN_TERMINATION",
    "PROCEDURE",
    "RECOVERY",
    "REVOCATION",
    "TERMINATION",
    "ChangeReadiness",
    "Readiness",
]
