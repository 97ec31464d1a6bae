"""What the members of the demonstration share: invented threats on documentation addresses (RFC 5737, RFC 2606)."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lianfang.demo import cast
from lianfang.exchange.taxii.instants import write as instant
from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.members.actions import start_relay
from lianfang.policy.facts import Audience, Channel, Named, NameSource, Tlp

if TYPE_CHECKING:
    from lianfang.demo.load import Actor, Stage

Json = dict[str, Any]
_SPACE = uuid.UUID("7f6c1a52-2f0e-4f6e-9d0e-3a1f7c5b2e10")


class Writer:
    """Writes STIX objects of one story; the same names give the same ids."""

    def __init__(self, story: str, at: datetime) -> None:
        self.story, self.at = story, at
        self.objects: list[Json] = []

    def add(self, kind: str, name: str, **properties: Any) -> str:
        """Add a domain object and return its id."""
        made = {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{uuid.uuid5(_SPACE, f'{self.story}/{kind}/{name}')}",
            "created": _milli(self.at),
            "modified": _milli(self.at),
            **({"name": name} if kind != "relationship" else {}),
            **properties,
        }
        self.objects.append(made)
        return str(made["id"])

    def indicator(self, name: str, pattern: str, **properties: Any) -> str:
        """Add an indicator that is valid for half a year."""
        return self.add(
            "indicator",
            name,
            indicator_types=["malicious-activity"],
            pattern=pattern,
            pattern_type="stix",
            valid_from=_milli(self.at),
            valid_until=_milli(self.at + timedelta(days=180)),
            confidence=80,
            **properties,
        )

    def relate(self, source: str, verb: str, target: str) -> str:
        """Add a relationship."""
        return self.add(
            "relationship",
            f"{source} {verb} {target}",
            relationship_type=verb,
            source_ref=source,
            target_ref=target,
        )

    def report(self, name: str, description: str) -> str:
        """Add a report over everything written so far."""
        refs = [made["id"] for made in self.objects]
        return self.add(
            "report",
            name,
            description=description,
            report_types=["threat-report"],
            published=_milli(self.at),
            object_refs=refs,
        )

    def bundle(self) -> bytes:
        """Return everything as a STIX bundle."""
        made = {"type": "bundle", "id": f"bundle--{uuid.uuid5(_SPACE, self.story)}", "objects": self.objects}
        return json.dumps(made, ensure_ascii=False).encode()


def share(stage: Stage) -> None:
    """Let the members share over five weeks, under every kind of label."""
    gravity = stage.of(cast.GRAVITY.team.admin)
    start_relay(
        group=gravity.affiliation.organization, tlp=Tlp.AMBER, by=gravity.subject(stage.at), at=stage.tick(hours=2)
    )
    _paperweight(stage)
    _tax_software(stage)
    _gateway(stage)
    _calendar(stage)
    _drill(stage)
    _embargoed(stage)
    _named(stage)


def _milli(at: datetime) -> str:
    return instant(at)[:-4] + "Z"


def _submit(stage: Stage, actor: Actor, written: Writer, form: LabelForm) -> None:
    intake.submit(by=actor.subject(stage.at), at=stage.tick(), body=written.bundle(), form=form, channel=Channel.PAGE)


def _paperweight(stage: Stage) -> None:
    """GREEN to the alliance, source named: a ransomware and how it spreads."""
    written = Writer("paperweight", stage.tick(days=2))
    malware = written.add(
        "malware",
        "勒索軟體「紙鎮」",
        description="以排程工作橫向移動，加密後將副檔名改為.weight。",
        is_family=True,
        malware_types=["ransomware"],
    )
    scheduled = written.add("attack-pattern", "排程工作橫向移動", external_references=[
        {"source_name": "mitre-attack", "external_id": "T1053.005"},
    ])  # fmt: skip
    control = written.indicator("紙鎮的控制站", "[ipv4-addr:value = '198.51.100.23']")
    sample = written.indicator(
        "紙鎮的樣本",
        "[file:hashes.'SHA-256' = '2f6b6d0c4a5e9f7d8c3b1a0e9d8c7b6a5f4e3d2c1b0a99887766554433221100']",
    )
    written.relate(malware, "uses", scheduled)
    written.relate(control, "indicates", malware)
    written.relate(sample, "indicates", malware)
    written.report(
        "勒索軟體「紙鎮」橫向移動手法", "兩家製造業在同一週發現相同的排程工作名稱。請檢查網域控制站的工作排程。"
    )
    form = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
    _submit(stage, stage.of(cast.QUADRANT.team.contact), written, form)


def _tax_software(stage: Stage) -> None:
    """AMBER to the alliance, source hidden: the association's constituents see it by relay."""
    written = Writer("tax", stage.tick(days=5))
    malware = written.add(
        "malware",
        "偽冒報稅軟體",
        description="偽裝成報稅工具，竊取瀏覽器儲存的密碼。",
        is_family=False,
        malware_types=["trojan"],
    )
    for number in range(1, 15):
        found = written.indicator(f"報稅釣魚網域{number}", f"[domain-name:value = 'etax-refund-{number}.example']")
        if number < 5:
            written.relate(found, "indicates", malware)
    form = LabelForm(tlp=Tlp.AMBER, audience=Audience.alliance(), name_source=NameSource.COORDINATOR)
    _submit(stage, stage.of(cast.OBSERVATORY.team.contact), written, form)


def _gateway(stage: Stage) -> None:
    """AMBER+STRICT to the alliance: organisations only, no constituents."""
    written = Writer("gateway", stage.tick(days=6))
    hole = written.add(
        "vulnerability",
        "VPN閘道器未驗證的檔案讀取",
        external_references=[{"source_name": "cve", "external_id": "CVE-2026-99999"}],
    )
    for last in (7, 19, 44, 81):
        written.indicator(f"利用閘道器漏洞的來源{last}", f"[ipv4-addr:value = '203.0.113.{last}']")
    written.add(
        "course-of-action", "關閉管理介面並更新韌體", description="先關閉對外的管理介面，再更新到供應商的修正版。"
    )
    written.report("VPN閘道器漏洞遭利用", f"三個國家的電信業者在同一天看到相同來源。漏洞：{hole}。")
    form = LabelForm(tlp=Tlp.AMBER_STRICT, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
    _submit(stage, stage.of(cast.OBSERVATORY.team.admin), written, form)


def _calendar(stage: Stage) -> None:
    """GREEN from the association: a lure in calendar invitations."""
    written = Writer("calendar", stage.tick(days=7))
    lure = written.add("attack-pattern", "行事曆邀請釣魚", description="以採購單會議邀請夾帶連結，信件本身沒有附件。")
    for name in ("invoice-meeting.example", "purchase-invite.example"):
        written.relate(written.indicator(f"行事曆釣魚：{name}", f"[domain-name:value = '{name}']"), "indicates", lure)
    form = LabelForm(tlp=Tlp.GREEN, audience=Audience.alliance(), name_source=NameSource.EVERYONE)
    _submit(stage, stage.of(cast.GRAVITY.team.contact), written, form)


def _drill(stage: Stage) -> None:
    """For the coordinator alone: a finding that its source is not ready to share."""
    written = Writer("drill", stage.tick(days=4))
    written.indicator("尚待確認的回連位址", "[ipv4-addr:value = '192.0.2.66']")
    form = LabelForm(tlp=Tlp.AMBER_STRICT, audience=Audience.coordinator_only())
    _submit(stage, stage.of(cast.ORIGAMI.team.contact), written, form)


def _embargoed(stage: Stage) -> None:
    """Shared with everybody, but only from two days ahead of the demonstration's present."""
    written = Writer("embargo", stage.tick(days=2))
    written.add("vulnerability", "韌體更新伺服器的憑證檢查缺失", description="供應商將在公布日釋出修正版。")
    form = LabelForm(
        tlp=Tlp.AMBER, audience=Audience.alliance(), name_source=NameSource.EVERYONE,
        not_before=stage.at + timedelta(days=12),
    )  # fmt: skip
    _submit(stage, stage.of(cast.QUADRANT.team.contact), written, form)


def _named(stage: Stage) -> None:
    """RED: for one named person, on the page alone."""
    reader = stage.of(cast.OBSERVATORY.team.admin).affiliation
    written = Writer("named", stage.tick(days=1))
    written.add("campaign", "針對電信維運人員的社交工程", description="請親自通知貴公司值班主管，勿轉寄。")
    form = LabelForm(tlp=Tlp.RED, audience=Audience.persons(Named(reader.person_id, reader.organization_id)))
    _submit(stage, stage.of(cast.QUADRANT.team.admin), written, form)
