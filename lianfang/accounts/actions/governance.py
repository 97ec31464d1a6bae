"""What this app writes about how the alliance is run: duties, settings, and the very first two people."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from lianfang.accounts import doors, queries, registry
from lianfang.accounts.actions.people import depart, invite, person_enter, person_of
from lianfang.accounts.lifecycle import DUTY, SETTING
from lianfang.accounts.models import Affiliation, DutyGrant, Organization, Person, SettingDecision
from lianfang.audit.actions import action, record
from lianfang.audit.tags import Tag
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Case, Duty, Right, Role, Subject

# Any constant that no other advisory lock of this database uses.
_BOOTSTRAP_LOCK = 0x6C66_0A01

_NOT_EMPTY = Bilingual(
    zh="這個資料庫已經有職務核派人，不能再次初始化。",
    en="This database already has duty granters; it cannot be initialised again.",
)
_TWO_DIFFERENT = Bilingual(zh="請給兩個不同的電子郵件地址。", en="Give two different e-mail addresses.")
_NOT_STAFF = Bilingual(zh="職務只授予協調中心的人員。", en="Duties are for people of the coordination centre.")
_HELD = Bilingual(zh="這個人已有這項職務，或已有提議。", en="This duty is already held or proposed for this person.")
_REASON = Bilingual(zh="請寫理由。", en="Give a reason.")
_UNCHANGED = Bilingual(zh="這就是目前的值。", en="This is the value now.")
_OPEN = Bilingual(zh="這項設定已有一個提議。", en="There is a proposal for this setting already.")
_PAST = Bilingual(zh="生效時間不能早於現在。", en="It cannot take effect before now.")
_NOT_READ = Bilingual(
    zh="這項設定目前固定為預設值，還不能變更。",
    en="This setting stays at its default for now; it cannot be changed yet.",
)
_UNKNOWN = Bilingual(zh="沒有這項設定。", en="There is no such setting.")


# Duties


@action(Tag.ACCOUNTS_DUTY_PROPOSE)
def propose_duty(*, person: Person, duty: Duty, reason: str, by: Subject, at: datetime) -> DutyGrant:
    """Propose a duty for a person of the coordinator; another duty granter must grant it. Raises Refusal."""
    doors.require(subject=by, right=Right.GRANT_DUTY, target=_case(person), at=at)
    if by.person == person.pk:
        raise Refusal(Bilingual(zh="不能為自己提議職務。", en="Nobody proposes a duty for himself."), rule="S-oneself")
    if not reason.strip():
        raise Refusal(_REASON, field="reason")
    if not any(one.person_id == person.pk for one in queries.staff(at=at)):
        raise Refusal(_NOT_STAFF, rule="duty-staff", field="person")
    Person.objects.select_for_update().get(pk=person.pk)
    if DutyGrant.objects.filter(person=person, duty=duty, state__in=["proposed", "granted"]).exists():
        raise Refusal(_HELD, rule="duty-once", field="duty")
    grant = DutyGrant.objects.create(
        vault_key=person.vault_key,
        person=person,
        duty=Duty(duty).value,
        reason=reason.strip(),
        proposed_by_id=by.person,
        proposed_at=at,
    )
    record(by=by, at=at, about=grant, detail={"duty": grant.duty, "person": str(person.pk)}, text=grant.reason)
    return grant


@action(Tag.ACCOUNTS_DUTY_GRANT)
def grant_duty(*, grant: DutyGrant, by: Subject, at: datetime) -> None:
    """Grant what another proposed, never to oneself. Raises Refusal."""
    locked = _locked_grant(grant)
    proposer = frozenset({locked.proposed_by_id} if locked.proposed_by_id else set())
    doors.require(subject=by, right=Right.GRANT_DUTY, target=_case(locked.person, proposer), at=at)
    DUTY.move(locked, "grant", actor=by.person, proposer=locked.proposed_by_id, beneficiary=locked.person_id)
    locked.granted_by_id, locked.granted_at = by.person, at
    locked.save(update_fields=["state", "granted_by", "granted_at"])
    record(by=by, at=at, about=locked, detail={"duty": locked.duty, "person": str(locked.person_id)})


@action(Tag.ACCOUNTS_DUTY_DECLINE)
def decline_duty(*, grant: DutyGrant, by: Subject, at: datetime) -> None:
    """Close a proposal, also one's own. Raises Refusal."""
    locked = _locked_grant(grant)
    doors.require(subject=by, right=Right.GRANT_DUTY, at=at)
    DUTY.move(locked, "decline")
    locked.ended_by_id, locked.ended_at = by.person, at
    locked.save(update_fields=["state", "ended_by", "ended_at"])
    record(by=by, at=at, about=locked, detail={"duty": locked.duty, "person": str(locked.person_id)})


@action(Tag.ACCOUNTS_DUTY_END)
def end_duty(*, grant: DutyGrant, by: Subject, at: datetime) -> None:
    """End a duty at this instant. One granter suffices, as it takes power away; two granters must remain."""
    # Locked before the grant itself and in one order: two granters who end each other's duty at once take turns.
    others = list(DutyGrant.objects.select_for_update().filter(duty=Duty.DUTY_GRANTER, state="granted").order_by("pk"))
    locked = _locked_grant(grant)
    doors.require(subject=by, right=Right.GRANT_DUTY, at=at)
    left = len(others) - (locked.duty == Duty.DUTY_GRANTER)
    DUTY.move(locked, "end", granters_left=left if locked.duty == Duty.DUTY_GRANTER else 2)
    locked.ended_by_id, locked.ended_at = by.person, at
    locked.save(update_fields=["state", "ended_by", "ended_at"])
    record(by=by, at=at, about=locked, detail={"duty": locked.duty, "person": str(locked.person_id)})


@action(Tag.ACCOUNTS_AFFILIATION_LEAVE)
def let_go(*, affiliation: Affiliation, by: Subject, at: datetime) -> None:
    """Record that a colleague left the centre: duties, sessions and open invitation end; two granters must remain.

    What was proposed for the person is closed. The duty of confidentiality stays without end (charter 3.1, 3.3).
    Raises Refusal.
    """
    doors.require(subject=by, right=Right.GRANT_DUTY, at=at)
    if affiliation.organization.kind != Organization.Kind.COORDINATOR:
        raise Refusal(_NOT_STAFF, rule="duty-staff", field="person")
    grants = DutyGrant.objects.filter(person=affiliation.person_id, state__in=["proposed", "granted"]).order_by("pk")
    # The duty of a granter last: it is by it that somebody lets himself go.
    ended = sorted(grants, key=lambda grant: grant.duty == Duty.DUTY_GRANTER)
    depart(affiliation=affiliation, by=by, at=at)
    for grant in ended:
        (decline_duty if grant.state == "proposed" else end_duty)(grant=grant, by=by, at=at)
    record(by=by, at=at, about=affiliation, detail={"duties_ended": len(ended)})


def _locked_grant(grant: DutyGrant) -> DutyGrant:
    return DutyGrant.objects.select_for_update(of=("self",)).select_related("person").get(pk=grant.pk)


def _case(person: Person, decided_by: frozenset[object] = frozenset()) -> Case:
    return Case(kind="duty", concerns=person.pk, decided_by=decided_by)  # type: ignore[arg-type]


# The first two


@action(Tag.ACCOUNTS_ALLIANCE_BOOTSTRAP)
def bootstrap(*, emails: tuple[str, str], at: datetime) -> tuple[str, str]:
    """Make the first two duty granters, invite both, and return the paths of their invitations.

    Only on a database in which nobody has ever held that duty; refused ever after. The coordinator's organisation is
    entered if it is absent. Raises Refusal.
    """
    by = Subject.system("bootstrap")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BOOTSTRAP_LOCK])
    if DutyGrant.objects.filter(duty=Duty.DUTY_GRANTER).exists():
        raise Refusal(_NOT_EMPTY, rule="bootstrap-once")
    if len({queries.canonical_address(email) for email in emails}) != 2:
        raise Refusal(_TWO_DIFFERENT, rule="bootstrap-two", field="emails")
    centre = queries.coordinator() or Organization.objects.create(
        kind=Organization.Kind.COORDINATOR, name_zh="聯盟協調中心", name_en="Coordination Centre", created_at=at
    )
    paths, persons = [], []
    for email in emails:
        person = person_enter(name=email.partition("@")[0], email=email, by=by, at=at)
        _, path = invite(person=person, organization=centre, group=centre, role=Role.MEMBER, by=by, at=at)
        DutyGrant.objects.create(
            vault_key=person.vault_key,
            person=person,
            duty=Duty.DUTY_GRANTER,
            state="granted",
            proposed_at=at,
            granted_at=at,
        )
        paths.append(path)
        persons.append(str(person.pk))
    record(by=by, at=at, about=centre, detail={"persons": persons})
    return paths[0], paths[1]


# Settings


@action(Tag.ACCOUNTS_SETTING_PROPOSE)
def propose_setting(
    *, name: str, value: registry.JSON, effective_at: datetime, reason: str, by: Subject, at: datetime
) -> SettingDecision:
    """Propose another value of a setting from an instant on; another approver must approve it. Raises Refusal."""
    doors.require(subject=by, right=Right.CHANGE_SETTING, target=Case(kind="setting", id=name), at=at)
    if name not in registry.SETTINGS:
        raise Refusal(_UNKNOWN, rule="setting-name", field="name")
    setting = registry.setting(name)
    if not setting.read:
        raise Refusal(_NOT_READ, rule="setting-read", field="value")
    value = setting.checked(value)
    if not reason.strip():
        raise Refusal(_REASON, field="reason")
    if effective_at < at:
        raise Refusal(_PAST, rule="setting-past", field="effective_at")
    if registry.same(value, registry.value(name, effective_at)):
        raise Refusal(_UNCHANGED, rule="setting-unchanged", field="value")
    if SettingDecision.objects.select_for_update().filter(name=name, state="proposed").exists():
        raise Refusal(_OPEN, rule="setting-open", field="value")
    proposal = SettingDecision.objects.create(
        name=name,
        value=value,
        reason=reason.strip(),
        effective_at=effective_at,
        proposed_by_id=person_of(by),
        proposed_at=at,
    )
    record(by=by, at=at, about=proposal, detail={"setting": name, "value": value}, text=proposal.reason)
    return proposal


@action(Tag.ACCOUNTS_SETTING_APPROVE)
def approve_setting(*, proposal: SettingDecision, by: Subject, at: datetime) -> None:
    """Approve what another approver proposed; it takes effect at its instant, or now if that has passed."""
    locked = SettingDecision.objects.select_for_update().get(pk=proposal.pk)
    case = Case(kind="setting", id=locked.name, decided_by=frozenset({locked.proposed_by_id}))
    doors.require(subject=by, right=Right.CHANGE_SETTING, target=case, at=at)
    SETTING.move(locked, "approve", actor=by.person, proposer=locked.proposed_by_id)
    locked.approved_by_id, locked.decided_at = by.person, at
    # What was decided earlier than this approval cannot have been decided by the new value.
    locked.effective_at = max(locked.effective_at, at)
    locked.save(update_fields=["state", "approved_by", "decided_at", "effective_at"])
    detail = {"setting": locked.name, "value": locked.value, "effective": locked.effective_at.isoformat()}
    record(by=by, at=at, about=locked, detail=detail)


@action(Tag.ACCOUNTS_SETTING_DECLINE)
def decline_setting(*, proposal: SettingDecision, by: Subject, at: datetime) -> None:
    """Close a proposal without changing anything; also one's own."""
    locked = SettingDecision.objects.select_for_update().get(pk=proposal.pk)
    doors.require(subject=by, right=Right.CHANGE_SETTING, at=at)
    SETTING.move(locked, "decline")
    locked.decided_at = at
    locked.save(update_fields=["state", "decided_at"])
    record(by=by, at=at, about=locked, detail={"setting": locked.name})
