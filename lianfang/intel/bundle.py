"""The file that a reader downloads: the stored object, untouched, with its terms beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson

from lianfang.accounts.models import Organization
from lianfang.charter.queries import in_force
from lianfang.intel.queries import Seen
from lianfang.kernel.clock import utc

_STATEMENTS = UUID("6d2f3a52-7d0e-4a35-9a53-6a4f2f0f9b1c")


def file(*, seen: Seen, recipient: Organization, at: datetime, mark: UUID, purpose: str) -> bytes:
    """Return a STIX bundle of the object's stored bytes and a statement of the terms.

    Recipient, time, label, purpose and the mark stand in the bundle, never in the object: an indicator means the same
    in every copy. The terms follow FIRST IEP 2.0 (charter 2.1, 2.2).
    """
    charter = in_force(kind="charter", at=at)
    number = str(charter.number) if charter is not None else ""
    terms = {
        "recipient": recipient.name_zh,
        "downloaded_at": utc(at).isoformat(),
        "label": seen.label.tlp.label,
        "purpose": purpose,
        "mark": str(mark),
        "iep": _iep(seen, number),
    }
    head = orjson.dumps({"type": "bundle", "id": f"bundle--{mark}", "x_lianfang_terms": terms})
    return head[:-1] + b',"objects":[' + seen.body + b"," + orjson.dumps(_statement(number)) + b"]}"


def _iep(seen: Seen, charter: str) -> dict[str, Any]:
    return {
        "id": str(uuid5(_STATEMENTS, f"iep/{charter}/{seen.label.tlp.name}")),
        "name": "Lianfang charter terms",
        "iep_version": "2.0",
        "start_date": None,
        "end_date": None,
        "encrypt_in_transit": "must",
        "permitted_actions": "internally-visible-actions",
        "affected_party_notifications": "must-not",
        "tlp": seen.label.tlp.label,
        "attribution": "must",
        "unmodified_resale": "must-not",
        "external_reference": f"charter {charter}",
    }


def _statement(charter: str) -> dict[str, Any]:
    text = (
        "情資限用於研究分析與重大事件預警，不得用於營利；引用須註明出處（規章 2.1、2.2）。"
        " For research and analysis and for warning of major incidents, never for profit; credit the source"
        f" (charter {charter}, 2.1, 2.2)."
    )
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid5(_STATEMENTS, 'statement/' + charter)}",
        "created": "2026-01-01T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": text},
    }
