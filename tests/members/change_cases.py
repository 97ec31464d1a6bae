"""Changes at each stage, for the tests of this app."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from lianfang.charter.queries import in_force
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions, changes
from lianfang.members.models import ChangeRequest, Decision
from tests import world
from tests.members import cases

ATTESTATION = {
    "attester_name": "許擬名",
    "attester_title": "董事長",
    "attester_ground": "responsible_person",
    "confirmed": True,
}


def file(
    made: world.World,
    member: world.Member,
    *,
    by: world.Actor | None = None,
    organization: Mapping[str, str] | None = None,
    people: Sequence[tuple[world.Actor, Mapping[str, str]]] = (),
    stays: bool = False,
    roster: Mapping[str, Any] | None = None,
    contacts: actions.Naming | None = None,
    attestation: Mapping[str, Any] | None = None,
    key: str = "",
    **more: Any,
) -> ChangeRequest:
    """A change that was filed just now, with what is in force accepted."""
    at = made.clock.tick()
    charter, privacy = in_force(kind="charter", at=at), in_force(kind="privacy", at=at)
    assert charter is not None
    assert privacy is not None
    filing = actions.Filing(
        organization=organization or {},
        people=[actions.Replacement(affiliation=actor.affiliation.pk, new=new, stays=stays) for actor, new in people],
        roster=roster or {},
        contacts=contacts or actions.Naming(),
        attestation=ATTESTATION if attestation is None else attestation,
    )
    made_ = actions.file_change(
        membership=member.membership, filing=filing, charter_id=charter.pk, privacy_id=privacy.pk,
        key=key or f"key-{at.isoformat()}", by=(by or member.admin).subject(at), at=at, **more,
    )  # fmt: skip
    return again(made_)


def again(case: ChangeRequest) -> ChangeRequest:
    """The request as it is now."""
    found = changes.change(case.number)
    assert found is not None
    return found


def taken_up(made: world.World, case: ChangeRequest) -> ChangeRequest:
    """A request under review, in which the reviewer has no conflict."""
    cases.declare(made, case, made.reviewer)
    actions.take_up_change(case=case, by=made.reviewer.subject(), at=made.clock.tick())
    return again(case)


def checked(
    made: world.World, case: ChangeRequest, *, result: str = "clear", note: str = "", other: bool = False,
    authority: bool = True,
) -> ChangeRequest:  # fmt: skip
    """Screen every new row, and say how the authority to attest was checked."""
    findings = [
        actions.Finding(row.key, result, world.LIST, world.LIST_DATE, note, other)
        for row in changes.rows_to_screen(case, made.clock.at)
    ]
    by = made.reviewer.subject()
    actions.record_change_findings(case=case, findings=findings, by=by, at=made.clock.tick())
    if authority:
        actions.check_change_authority(case=case, method="registry", by=by, at=made.clock.tick())
    return again(case)


def decided(made: world.World, case: ChangeRequest) -> Decision:
    """A heavy change brought to its application: checks, recommendation, approval."""
    case = checked(made, taken_up(made, case))
    actions.recommend_change(case=case, what="approve", by=made.reviewer.subject(), at=made.clock.tick())
    cases.declare(made, case, made.approver)
    return apply(made, again(case), by=made.approver)


def apply(made: world.World, case: ChangeRequest, *, by: world.Actor) -> Decision:
    """Apply a request."""
    return actions.apply_change(case=case, by=by.subject(), at=made.clock.tick())


def refused(act: Callable[[], Any]) -> Refusal:
    """What an act that must be refused says."""
    with pytest.raises(Refusal) as found:
        act()
    return found.value
