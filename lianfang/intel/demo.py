"""Bundles for the demonstration: written for it, all invented, addresses from the documentation ranges only.

Ids are derived from names, so that a demo that is loaded twice brings the same objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

Json = dict[str, Any]

_SPACE = UUID("9d0c7b55-0a4e-4f58-8d0c-5a2a3e0f7d11")
_BEGIN = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)


def parcel_messages() -> bytes:
    """Text messages of a false parcel service that lead to a stealer: indicator, malware, addresses, report."""
    site = _indicator(
        "偽冒物流簡訊的下載站",
        "[domain-name:value = 'parcel-notice.example']",
        "簡訊引導到偽冒物流頁，下載檔內含竊密程式。",
    )
    stealer = _thing(
        "malware", "紙鎮", is_family=True, malware_types=["spyware"], description="竊取瀏覽器密碼與簡訊驗證碼。"
    )
    addresses = [_observable("ipv4-addr", address) for address in ("192.0.2.14", "198.51.100.77", "203.0.113.9")]
    links = [_link(site, "indicates", stealer), *[_link(site, "based-on", address) for address in addresses]]
    members = [site, stealer, *addresses]
    return _bundle([*members, *links, _report("物流簡訊釣魚事件", members, "一週內三家會員收到同類簡訊。")])


def tax_season() -> bytes:
    """Mails in tax season with a false refund form: two indicators, a way of attack, a campaign."""
    mail = _indicator(
        "假退稅通知的寄件網域", "[domain-name:value = 'refund-notice.example']", "冒用稅務機關名義，附件為壓縮檔。"
    )
    file = _indicator(
        "假退稅附件", f"[file:hashes.'SHA-256' = '{'5e' * 32}']", "開啟後連到192.0.2.80。", types=["malicious-activity"]
    )
    trick = _thing(
        "attack-pattern",
        "魚叉式釣魚附件",
        external_references=[{"source_name": "mitre-attack", "external_id": "T1566.001"}],
    )
    campaign = _thing("campaign", "報稅季釣魚", first_seen="2026-05-01T00:00:00Z", description="每年五月出現。")
    links = [_link(mail, "indicates", campaign), _link(file, "indicates", campaign), _link(campaign, "uses", trick)]
    return _bundle([mail, file, trick, campaign, *links])


def web_shell() -> bytes:
    """A web shell behind a known vulnerability of a mail gateway, with what to do about it."""
    weakness = _thing(
        "vulnerability",
        "郵件閘道遠端執行弱點",
        external_references=[{"source_name": "cve", "external_id": "CVE-2026-99999"}],
    )
    shell = _thing(
        "malware", "窗花", is_family=False, malware_types=["webshell"], description="以圖片檔名藏在上傳目錄。"
    )
    trace = _indicator("窗花的連線位址", "[ipv4-addr:value = '203.0.113.55']", "每天03:00連線一次。")
    cure = _thing(
        "course-of-action", "更新郵件閘道並清查上傳目錄", description="更新後重設管理員密碼，並檢查上傳目錄的可執行檔。"
    )
    links = [_link(shell, "exploits", weakness), _link(trace, "indicates", shell), _link(cure, "mitigates", weakness)]
    return _bundle([weakness, shell, trace, cure, *links])


def scans(count: int = 40) -> bytes:
    """Plain addresses that scanned, as a machine would send them."""
    return _bundle(
        [
            _indicator(
                f"掃描來源{number:02d}",
                f"[ipv4-addr:value = '198.51.100.{number}']",
                "大量連線嘗試。",
                types=["anomalous-activity"],
            )
            for number in range(1, min(count, 254) + 1)
        ]
    )


BUNDLES: dict[str, Callable[[], bytes]] = {
    "parcel_messages": parcel_messages,
    "scans": scans,
    "tax_season": tax_season,
    "web_shell": web_shell,
}
"""Every bundle by name."""


def _bundle(objects: Sequence[Json]) -> bytes:
    return orjson.dumps(
        {"type": "bundle", "id": f"bundle--{uuid5(_SPACE, str(objects[0]['id']))}", "objects": list(objects)}
    )


def _thing(kind: str, name: str, **properties: Any) -> Json:
    at = _BEGIN + timedelta(minutes=len(name))
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": _id(kind, name),
        "created": _stamp(at),
        "modified": _stamp(at),
        "name": name,
        **properties,
    }


def _indicator(name: str, pattern: str, description: str, types: Sequence[str] = ("malicious-activity",)) -> Json:
    return _thing(
        "indicator",
        name,
        description=description,
        indicator_types=list(types),
        pattern=pattern,
        pattern_type="stix",
        valid_from=_stamp(_BEGIN),
        valid_until=_stamp(_BEGIN + timedelta(days=60)),
        confidence=75,
    )


def _observable(kind: str, value: str) -> Json:
    return {"type": kind, "spec_version": "2.1", "id": _id(kind, value), "value": value}


def _link(source: Json, verb: str, target: Json) -> Json:
    made = _thing("relationship", f"{source['id']} {verb} {target['id']}")
    del made["name"]
    return made | {"relationship_type": verb, "source_ref": source["id"], "target_ref": target["id"]}


def _report(name: str, members: Sequence[Json], description: str) -> Json:
    return _thing(
        "report",
        name,
        description=description,
        report_types=["threat-report"],
        published=_stamp(_BEGIN),
        object_refs=[member["id"] for member in members],
    )


def _id(kind: str, name: str) -> str:
    return f"{kind}--{uuid5(_SPACE, f'{kind} {name}')}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
