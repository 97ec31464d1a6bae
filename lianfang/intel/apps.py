from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from lianfang.intel.models import Receipt


class IntelConfig(AppConfig):
    name = "lianfang.intel"
    label = "intel"

    def ready(self) -> None:
        """Have receipts of disclosure put into the ledger's tree, and supply who shared as a fact of participation."""
        from lianfang.audit import receipts
        from lianfang.intel.models import Receipt
        from lianfang.intel.sharing import shared
        from lianfang.members import participation

        receipts.use(name="intel", model=Receipt, content=_content)
        participation.use("intel", shared)


def _content(receipt: Receipt) -> dict[str, Any]:
    """What of a receipt is hashed. Ids and positions; never a personal value."""
    return {
        "id": receipt.pk,
        "person": str(receipt.person or ""),
        "organization": str(receipt.organization or ""),
        "group": str(receipt.group or ""),
        "token": str(receipt.token or ""),
        "channel": receipt.channel,
        "view": receipt.view,
        "purpose": receipt.purpose,
        "positions": bytes(receipt.positions).hex(),
        "mark": str(receipt.mark),
        "at": receipt.at.isoformat(),
    }
