"""How an application, a membership and a revocation may move; pages, constraints and tests read these tables."""

from lianfang.members.lifecycle.application import APPLICATION, OPEN_APPLICATION, Readiness
from lianfang.members.lifecycle.membership import IN_FORCE, MEMBERSHIP
from lianfang.members.lifecycle.revocation import APPEAL, REVOCATION

__all__ = ["APPEAL", "APPLICATION", "IN_FORCE", "MEMBERSHIP", "OPEN_APPLICATION", "REVOCATION", "Readiness"]
