"""How applications, memberships and the cases about them may move; pages, constraints and tests read these tables."""

from lianfang.members.lifecycle.application import APPLICATION, OPEN_APPLICATION, Readiness
from lianfang.members.lifecycle.membership import IN_FORCE, MEMBERSHIP
from lianfang.members.lifecycle.procedure import PROCEDURE
from lianfang.members.lifecycle.revocation import APPEAL, REVOCATION
from lianfang.members.lifecycle.termination import OPEN_TERMINATION, TERMINATION

__all__ = [
    "APPEAL",
    "APPLICATION",
    "IN_FORCE",
    "MEMBERSHIP",
    "OPEN_APPLICATION",
    "OPEN_TERMINATION",
    "PROCEDURE",
    "REVOCATION",
    "TERMINATION",
    "Readiness",
]
