"""Marking definitions that everybody may have: those of the TLP, and what the alliance's intelligence may be used for.

They are the same for every reader and for ever: the definitions of FIRST and OASIS byte for byte in content, and one
statement of the charter's purpose. The collections of machines begin with them; a copy that a member hands in is kept
like anything else, but machines are given these instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from lianfang.intel.markings import TLP_1, TLP_2
from lianfang.intel.stix.ids import Json
from lianfang.intel.stix.marks import WELL_KNOWN
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Tlp

STATEMENT_ID = "marking-definition--3692b5b1-44b3-44b8-b132-bc6c016425a3"
PURPOSE = Bilingual(
    zh="依規章使用：供研究分析與重大資安事件預警，不得用於營利（規章2.1、2.2）。",
    en="For research, analysis and warning of major incidents; never for profit (Charter 2.1, 2.2). TLP 2.0 applies.",
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One marking definition as it is served."""

    id: str
    created: datetime
    version: str
    """`created` as it is written."""
    value: Json
    body: bytes


def _definition(value: Json) -> Definition:
    created = value["created"]
    return Definition(value["id"], datetime.fromisoformat(created), created, value, orjson.dumps(value))


_STATEMENT: Json = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": STATEMENT_ID,
    "created": "2026-01-01T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": f"{PURPOSE.zh} {PURPOSE.en}"},
}
# RED is not among them: nothing that leaves by a machine carries it.
_TLPS = [stix_id for dialect in (TLP_2, TLP_1) for stix_id, tlp in dialect.items() if tlp is not Tlp.RED]
DEFINITIONS = tuple(_definition(value) for value in (_STATEMENT, *(WELL_KNOWN[stix_id] for stix_id in _TLPS)))
IDS = frozenset(one.id for one in DEFINITIONS)
