"""Changes of data in the demonstration: one that was applied, and one of a roster that waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lianfang.charter.queries import in_force
from lianfang.demo import cast
from lianfang.demo.cast import Company
from lianfang.kernel.ids import new_secret
from lianfang.members import actions, changes
from lianfang.members.models import ChangeRequest, Membership

if TYPE_CHECKING:
    from lianfang.demo.load import Stage

_ADDED = ("示範海關通匯股份有限公司", "90000300")


def moved(stage: Stage, company: Company, address: str) -> None:
    """A member moves house and names its legal department: filed by its administrator, applied by one reviewer."""
    domain = company.team.contact.email.partition("@")[2]
    legal = {"name": "法務室", "title": "法務室", "email": f"legal@{domain}", "phone": "02-5550-1234"}
    case = _file(
        stage, company, organization={"address": address}, reason="總公司遷址，並指定法務窗口。",
        contacts=actions.Naming(purposes=("legal", "personal_data", "notice"), new=legal),
    )  # fmt: skip
    reviewer = stage.of(cast.STAFF[0][1])
    actions.declare_conflict(case=case, conflict=False, by=reviewer.subject(stage.at), at=stage.tick(hours=2))
    actions.take_up_change(case=case, by=reviewer.subject(stage.at), at=stage.tick())
    actions.apply_change(case=case, text="已核對登記地址。", by=reviewer.subject(stage.at), at=stage.tick(hours=1))


def roster_waits(stage: Stage, company: Company) -> None:
    """An association's yearly update of its roster: one more, one renamed, one that leaves at the end of the month."""
    membership = _membership(company)
    rows = {one.row.name: one for one in changes.listed(membership.organization_id, stage.at)}
    renamed, leaves = rows[company.constituents[5][0]], rows[company.constituents[9][0]]
    ends = (stage.at + timedelta(days=20)).replace(hour=16, minute=0, second=0, microsecond=0)
    ops = {
        "add": [{"name": _ADDED[0], "ubn": _ADDED[1]}],
        "rename": [
            {"id": renamed.id, "old": renamed.row.name, "name": "新" + renamed.row.name, "ubn": renamed.row.ubn}
        ],
        "remove": [{"id": leaves.id, "name": leaves.row.name, "ubn": leaves.row.ubn, "at": ends.isoformat()}],
    }
    _file(stage, company, roster=ops, reason="年度會員名冊更新。")


def _membership(company: Company) -> Membership:
    found = Membership.objects.filter(organization__ubn=company.ubn).first()
    if found is None:
        raise LookupError(f"{company.name_zh} is no member")
    return found


def _file(
    stage: Stage,
    company: Company,
    *,
    organization: Mapping[str, str] | None = None,
    roster: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    contacts: actions.Naming | None = None,
    reason: str,
) -> ChangeRequest:
    at: datetime = stage.tick()
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    if charter is None or privacy is None:
        raise LookupError("no charter is in force")
    filing = actions.Filing(
        organization=organization or {},
        roster=roster or {},
        contacts=contacts or actions.Naming(),
        attestation={
            "attester_name": company.responsible,
            "attester_title": "理事長",
            "attester_ground": "responsible_person",
            "confirmed": True,
        },
        reason=reason,
    )
    return actions.file_change(
        membership=_membership(company),
        filing=filing,
        charter_id=charter.pk,
        privacy_id=privacy.pk,
        key=new_secret(),
        by=stage.of(company.team.admin).subject(at),
        at=at,
    )
