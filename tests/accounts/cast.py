"""The few people these tests need: the coordinator's staff, and one group member with an administrator."""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.accounts import actions
from lianfang.accounts.models import Organization
from lianfang.members.models import Application, Membership, MembershipInterval, Procedure
from lianfang.policy.facts import Role, Subject
from tests.world import SYSTEM, Actor, Clock, business_number, join, staff

__all__ = ["Few", "few", "member_organization"]


@dataclass
class Few:
    """Staff by duty, and a group member: two administrators and a member."""

    clock: Clock
    staff: dict[str, Actor]
    organization: Organization
    admin: Actor
    deputy: Actor
    member: Actor

    def subject(self, actor: Actor) -> Subject:
        """The facts of somebody now."""
        return actor.subject(self.clock.at)


def member_organization(clock: Clock, *, place: int, name: str) -> Organization:
    """A group member in force, without the application that the members' own tests play."""
    organization = actions.create_organization(
        kind="twse", name_zh=name, name_en=f"Example {place}", ubn=business_number(place), by=SYSTEM, at=clock.tick()
    )
    procedure, _ = Procedure.objects.get_or_create(
        version=9000, defaults={"spec": {}, "sha256": b"", "effective_at": clock.at, "created_at": clock.at}
    )
    application = Application.objects.create(
        procedure=procedure, email=f"apply@m{place}.example", secret="-", secret_digest=f"{place}".encode(), answers={},
        started_at=clock.at, saved_at=clock.at, expires_at=clock.at,
    )  # fmt: skip
    membership = Membership.objects.create(
        organization=organization, application=application, ubn=organization.ubn, began_at=clock.at
    )
    MembershipInterval.objects.create(membership=membership, began_at=clock.at)
    return organization


def enter(clock: Clock, organization: Organization, *, email: str, name: str, role: Role) -> Actor:
    """Enter, invite and let join."""
    person = actions.person_enter(
        name=name, title="資安經理", email=email, phone="02-0000-0000", by=SYSTEM, at=clock.tick()
    )
    _, path = actions.invite(
        person=person, organization=organization, group=organization, role=role, by=SYSTEM, at=clock.tick()
    )
    return join(clock, path)


def few() -> Few:
    """Make them; inside a test's transaction they are gone after it."""
    clock = Clock()
    crew = staff(clock)
    organization = member_organization(clock, place=1, name="甲示範電子股份有限公司")
    admin, deputy, member = (
        enter(clock, organization, email=f"{who}@m1.example", name=name, role=role)
        for who, name, role in (
            ("admin", "林樣本", Role.MEMBER_ADMIN),
            ("deputy", "陳示範", Role.MEMBER_ADMIN),
            ("member", "張假設", Role.MEMBER),
        )
    )
    return Few(clock, crew, organization, admin, deputy, member)
