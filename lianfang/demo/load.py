"""Makes the demonstration: the alliance as it stands some months after its first member was admitted.

Everything is done by the actions that the pages use, by the people who would do it, so the ledger reads like a life.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.db import transaction

from lianfang.accounts import actions as accounts
from lianfang.accounts.models import Account, Affiliation, Organization
from lianfang.accounts.queries import coordinator, invitation_by_secret
from lianfang.charter.actions import acknowledge, load_models
from lianfang.charter.queries import in_force
from lianfang.demo import annex, cast, changes, documents, intelligence, letters, participation, people
from lianfang.demo.cast import Company, Player
from lianfang.exchange.actions import set_profile
from lianfang.kernel.ids import new_secret
from lianfang.members import actions, queries
from lianfang.members.models import Application, ListEdition, Membership
from lianfang.members.subjects import subject_for
from lianfang.members.uploads import read as read_upload
from lianfang.policy.facts import AudienceKind, Duty, NameSource, Right, Role, Subject

SYSTEM = Subject.system("demo")
PASSWORD = "Lantern-Harbour-2026"  # noqa: S105 - printed at start and valid in the demonstration alone
LIST = "陸資來臺投資事業名錄"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
FULL = frozenset({Right.READ, Right.READ_SOURCE, Right.EXPORT, Right.SUBMIT, Right.RECALL})
READING = frozenset({Right.READ, Right.READ_SOURCE, Right.EXPORT})


@dataclass(slots=True)
class Actor:
    """A person of the demonstration, acting for one organisation."""

    player: Player
    role: str
    affiliation: Affiliation
    account: Account
    totp_secret: str

    def subject(self, at: datetime) -> Subject:
        """Return the facts of this person at that instant."""
        return subject_for(person=self.affiliation.person_id, affiliation=self.affiliation, at=at, mfa=True)


@dataclass(slots=True)
class Stage:
    """What exists so far, and the time of the story."""

    at: datetime
    actors: dict[str, Actor] = field(default_factory=dict)
    machines: list[dict[str, Any]] = field(default_factory=list)

    def tick(self, **step: float) -> datetime:
        """Let time pass, a minute unless said otherwise, and return the new instant."""
        self.at += timedelta(**(step or {"minutes": 1}))
        return self.at

    def of(self, player: Player) -> Actor:
        """Return the actor that a player has become."""
        return self.actors[player.email]


@transaction.atomic
def load(*, at: datetime) -> Stage:
    """Fill an empty database with the demonstration, its last events minutes before `at`."""
    stage = Stage(at - timedelta(days=150))
    _centre(stage)
    for company in (cast.GRAVITY, cast.QUADRANT, cast.OBSERVATORY, cast.ORIGAMI, cast.MIRROR):
        _admit(stage, company, days=9)
    _constituent(stage)
    _machines(stage)
    _provider(stage, cast.QUADRANT)
    stage.at = max(stage.at, at - timedelta(days=34))
    intelligence.share(stage)
    _revoke(stage, cast.MIRROR)
    stage.at = max(stage.at, at - timedelta(days=20))
    documents.amended(stage)
    stage.at = max(stage.at, at - timedelta(days=5))
    _under_review(stage, cast.DAYDREAM)
    _lists(stage)
    changes.moved(stage, cast.QUADRANT, "示範市晶圓路99號3樓")
    people.see_each_other(stage, cast.QUADRANT, cast.GRAVITY, cast.OBSERVATORY)
    annex.propose(stage)
    documents.amend(stage)
    participation.recorded(stage, cast.QUADRANT, cast.OBSERVATORY)
    stage.at = max(stage.at, at - timedelta(hours=20))
    _send(stage, cast.TEACUP)
    changes.roster_waits(stage, cast.GRAVITY)
    letters.arrive(stage, roster=cast.GRAVITY, changes=cast.QUADRANT)
    people.administrators_gone(stage, cast.ORIGAMI)
    return stage


def write_accounts(stage: Stage, path: Path) -> None:
    """Write who can sign in, and the machines, for whoever shows the demonstration."""
    accounts_ = [
        {
            "role": actor.role,
            "organisation": actor.affiliation.organization.name_zh,
            "email": actor.player.email,
            "password": PASSWORD,
            "totp_secret": actor.totp_secret,
        }
        for actor in stage.actors.values()
    ]
    content = {"url": settings.BASE_URL, "accounts": accounts_, "machines": stage.machines}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)


# -- the coordination centre -----------------------------------------------------------------------------------------


def _centre(stage: Stage) -> None:
    load_models(by=SYSTEM, at=stage.tick())
    accounts.create_organization(
        by=SYSTEM, at=stage.tick(), kind="coordinator", name_zh=cast.CENTRE_ZH, name_en=cast.CENTRE_EN
    )
    first, second = cast.GRANTERS
    for player in (first, second):
        accounts.person_enter(name=player.name, title=player.title, email=player.email, by=SYSTEM, at=stage.tick())
    paths = accounts.bootstrap(emails=(first.email, second.email), at=stage.tick())
    for player, path in zip((first, second), paths, strict=True):
        _join(stage, player, path, role=Duty.DUTY_GRANTER.value)
    for duty, player in cast.STAFF:
        actor = _invite(stage, stage.of(first), player, _coordinator(), Role.MEMBER, role=duty.value)
        grant = accounts.propose_duty(
            person=actor.affiliation.person,
            duty=duty,
            reason="到職",
            by=stage.of(first).subject(stage.at),
            at=stage.tick(),
        )
        accounts.grant_duty(grant=grant, by=stage.of(second).subject(stage.at), at=stage.tick())


def _coordinator() -> Organization:
    found = coordinator()
    if found is None:
        raise LookupError("the coordinator's organisation was not made")
    return found


def _join(stage: Stage, player: Player, path: str, *, role: str) -> Actor:
    """Follow an invitation as its receiver would: password, second factor, recovery codes, duty of confidentiality."""
    invitation = invitation_by_secret(path.rsplit("/", 1)[-1])
    if invitation is None:
        raise LookupError(f"no invitation for {player.email}")
    account = accounts.accept_invitation(invitation=invitation, password=PASSWORD, at=stage.tick())
    secret = generate_totp_secret()
    TOTP.activate(account, secret)
    RecoveryCodes.activate(account)
    affiliation = Affiliation.objects.select_related("person__vault_key", "organization", "group").get(
        pk=invitation.affiliation_id
    )
    actor = Actor(player, role, affiliation, account, secret)
    acknowledge(affiliation=affiliation, by=actor.subject(stage.at), at=stage.tick())
    stage.actors[player.email] = actor
    return actor


def _invite(
    stage: Stage, inviter: Actor, player: Player, organization: Organization, rank: Role, *, role: str
) -> Actor:
    by = inviter.subject(stage.at)
    person = accounts.person_enter(name=player.name, title=player.title, email=player.email, by=by, at=stage.tick())
    _, path = accounts.invite(
        person=person,
        organization=organization,
        group=inviter.affiliation.group,
        role=rank,
        by=by,
        at=stage.tick(),
    )
    return _join(stage, player, path, role=role)


# -- members ---------------------------------------------------------------------------------------------------------


def _answers(company: Company) -> dict[str, dict[str, Any]]:
    people = {"admin1": company.team.admin, "admin2": company.team.deputy, "contact": company.team.contact}
    return {
        "eligibility": {"kind": company.kind, "email": f"apply@{company.domain}"},
        "organization": {
            "name_zh": company.name_zh,
            "name_en": company.name_en,
            "ubn": company.ubn,
            "ubn_absent_reason": "",
            "stock_code": company.stock_code,
            "certificate_number": company.certificate_number,
            "authority": company.authority,
            "address": company.address,
            "responsible": company.responsible,
            "sector": company.sector,
            "csma_regime": "none",
            "csma_authority": "",
        },
        "roster": {"typed": "", "rows": [{"name": name, "ubn": number} for name, number in company.constituents]},
        "people": {
            f"{prefix}_{part}": value
            for prefix, player in people.items()
            for part, value in (
                ("name", player.name), ("title", player.title), ("email", player.email), ("phone", "02-0000-0000#12"),
            )
        },
        "attestation": {
            "willing": True,
            "attester_name": company.responsible,
            "attester_title": "理事長" if company.kind == "association" else "董事長",
            "attester_ground": "responsible_person",
            "confirmed": True,
        },
    }  # fmt: skip


def _send(stage: Stage, company: Company) -> Application:
    """Fill in and send an application, as the applicant does."""
    pages, by = _answers(company), Subject.public()
    application = actions.start(values=pages["eligibility"], language="zh-hant", by=by, at=stage.tick())
    actions.prove_email(application=application, by=by, at=stage.tick())
    for step in ("organization", "roster", "people", "attestation"):
        actions.save_step(application=application, step=step, values=pages[step], by=by, at=stage.tick())
    upload = read_upload(name="登記證明.pdf", content=PDF, field="registration")
    actions.add_attachment(application=application, proof="registration", upload=upload, by=by, at=stage.tick())
    charter, privacy = in_force(kind="charter", at=stage.at), in_force(kind="privacy", at=stage.at)
    if charter is None or privacy is None:
        raise LookupError("no charter is in force")
    return actions.submit(
        application=_reread(application),
        key=new_secret(),
        values={"accept_charter": True, "accept_privacy": True, "electronic": "agree"},
        charter_id=charter.pk,
        privacy_id=privacy.pk,
        by=by,
        at=stage.tick(),
    )


def _reread(application: Application) -> Application:
    found = queries.application_by_id(str(application.pk))
    if found is None:
        raise LookupError("the application is gone")
    return found


def _take_up(stage: Stage, application: Application) -> Application:
    reviewer = stage.of(cast.STAFF[0][1])
    actions.declare_conflict(case=application, conflict=False, by=reviewer.subject(stage.at), at=stage.tick(hours=3))
    actions.take_up(application=application, by=reviewer.subject(stage.at), at=stage.tick())
    return _reread(application)


def _admit(stage: Stage, company: Company, *, days: int) -> Membership:
    """Bring a company from its application to people who work."""
    reviewer, approver = stage.of(cast.STAFF[0][1]), stage.of(cast.STAFF[1][1])
    application = _take_up(stage, _send(stage, company))
    _screen(stage, application)
    actions.check_authority(application=application, method="call_back", by=reviewer.subject(stage.at), at=stage.tick())
    actions.recommend(
        application=application,
        what="approve",
        reasons=["eligible"],
        by=reviewer.subject(stage.at),
        at=stage.tick(days=days),
    )
    application = _reread(application)
    actions.declare_conflict(case=application, conflict=False, by=approver.subject(stage.at), at=stage.tick())
    membership = actions.approve(
        application=application, reasons=["eligible"], by=approver.subject(stage.at), at=stage.tick()
    )
    people = {
        company.team.admin: "member_admin",
        company.team.deputy: "member_admin",
        company.team.contact: "security_contact",
    }
    for player, role in people.items():
        _join_by_mail(stage, membership.organization, player, role)
    return membership


def _join_by_mail(stage: Stage, organization: Organization, player: Player, role: str) -> None:
    affiliation = next(
        one
        for one in Affiliation.objects.filter(organization=organization).select_related("person__vault_key")
        if one.person.email == player.email
    )
    _, path = accounts.resend(invitation=affiliation.invitations.get(), by=SYSTEM, at=stage.tick())
    _join(stage, player, path, role=role)


def _constituent(stage: Stage) -> None:
    """A bank of the association gets somebody who signs in."""
    admin = stage.of(cast.GRAVITY.team.admin)
    bank = Organization.objects.get(ubn=cast.GRAVITY.constituents[0][1])
    _invite(stage, admin, cast.BANKER, bank, Role.MEMBER, role="constituent")


def _provider(stage: Stage, company: Company) -> None:
    """A company has set up its identity provider and named whom it trusts; it is not tried yet, so it is off."""
    admin, deputy = stage.of(company.team.admin), stage.of(company.team.deputy)
    given = accounts.Connection(
        protocol="oidc",
        issuer=f"https://login.{company.domain}",
        client_id="lianfang",
        client_secret=new_secret(),
        factor_values=("mfa",),
    )
    accounts.set_up_provider(given=given, by=admin.subject(stage.at), at=stage.tick())
    accounts.name_emergency(
        affiliations=[admin.affiliation.pk, deputy.affiliation.pk],
        only=False,
        by=admin.subject(stage.at),
        at=stage.tick(),
    )


def _machines(stage: Stage) -> None:
    for company, rights, scopes in (
        (cast.QUADRANT, FULL, ["read", "write", "recall"]),
        (cast.OBSERVATORY, READING, ["read"]),
        (cast.ORIGAMI, READING, ["read"]),
    ):
        admin = stage.of(company.team.admin)
        scope = accounts.Scope(name="SIEM", purpose="偵測與通報", max_tlp="AMBER+STRICT", rights=rights, days=365)
        token, secret = accounts.make_token(
            affiliation=admin.affiliation, scope=scope, by=admin.subject(stage.at), at=stage.tick()
        )
        stage.machines.append(
            {
                "member": company.name_zh,
                "kind": "taxii",
                "url": f"{settings.BASE_URL}/taxii2/",
                "user": str(token.pk),
                "secret": secret,
                "scopes": scopes,
            }
        )
    admin = stage.of(cast.QUADRANT.team.admin)
    for collection in ("all", "inbox"):
        set_profile(
            by=admin.subject(stage.at),
            at=stage.tick(),
            collection=collection,
            audience=AudienceKind.ALLIANCE,
            name_source=NameSource.COORDINATOR,
            warranted=True,
        )


# -- what else happened ----------------------------------------------------------------------------------------------


def _revoke(stage: Stage, company: Company) -> None:
    reviewer, approver = stage.of(cast.STAFF[0][1]), stage.of(cast.STAFF[2][1])
    membership = Membership.objects.get(organization__ubn=company.ubn)
    facts = "自6月起未回覆三次演練通知，也未指派新的資安聯絡窗口。"
    case = actions.open_revocation(
        membership=membership, ground="1.4b", facts=facts, by=reviewer.subject(stage.at), at=stage.tick(hours=1)
    )
    for actor in (reviewer, approver):
        actions.declare_conflict(case=case, conflict=False, by=actor.subject(stage.at), at=stage.tick())
    says = "請於期限前說明未回覆演練通知的原因，並指派資安聯絡窗口。"
    actions.give_notice(
        case=case, ground="1.4b", text=f"{facts}\n{says}", by=reviewer.subject(stage.at), at=stage.tick()
    )
    admin = stage.of(company.team.admin)
    actions.file_statement(
        case=case,
        text="公司改組中，目前沒有人員可以參加演練。",
        files=[],
        key=new_secret(),
        by=admin.subject(stage.at),
        at=stage.tick(hours=1),
    )
    actions.propose(case=case, ground="1.4b", facts=facts, by=reviewer.subject(stage.at), at=stage.tick())
    actions.revoke(case=case, by=approver.subject(stage.at), at=stage.tick(hours=2))


def _under_review(stage: Stage, company: Company) -> None:
    """A case in the middle: one name on the roster resembles an entry of the list, and a person must judge."""
    application = _take_up(stage, _send(stage, company))
    _screen(stage, application, {company.constituents[0][0]: "name_hit"})


def _screen(stage: Stage, application: Application, results: Mapping[str, str] = MappingProxyType({})) -> None:
    """Record what the list of mainland investment gave for each row: clear, unless `results` says otherwise by name."""
    edition = (stage.at - timedelta(days=20)).date()
    findings = [
        actions.Finding(row.key, results.get(row.name, "clear"), LIST, edition) for row in queries.all_rows(application)
    ]
    by = stage.of(cast.STAFF[0][1]).subject(stage.at)
    actions.record_findings(application=application, findings=findings, by=by, at=stage.tick())


def _lists(stage: Stage) -> None:
    """Three lists were read and wait: importing them is for whoever tries it out, and until then any company may apply.

    The mainland list has a row like a name on a roster, and one that cannot be mistaken for any.
    """
    companies = (cast.QUADRANT, cast.OBSERVATORY, cast.ORIGAMI, cast.MIRROR, cast.DAYDREAM, cast.TEACUP)
    for kind in ("twse", "tpex"):
        rows = [f"{one.stock_code},{one.name_zh},{one.ubn}" for one in companies if one.kind == kind]
        _read(stage, kind, ["公司代號,公司名稱,統一編號", *rows], "證券交易所公開資料（示範）")
    alike = cast.GRAVITY.constituents[1][0].replace("股份", "").replace("船", "舟")
    listed = ["統一編號,事業名稱", f",{alike}", ",海市蜃樓投資有限公司"]
    _read(stage, "mainland", listed, LIST)


def _read(stage: Stage, kind: str, lines: list[str], source: str) -> ListEdition:
    by = stage.of(cast.STAFF[0][1]).subject(stage.at)
    return actions.read_list(
        kind=kind,
        list_date=(stage.at - timedelta(days=3)).date(),
        source=source,
        file_name=f"{kind}.csv",
        content="\r\n".join(lines).encode("utf-8-sig"),
        by=by,
        at=stage.tick(),
    )
