from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from lianfang.accounts.providers import Collection


class ExchangeConfig(AppConfig):
    name = "lianfang.exchange"
    label = "exchange"

    def ready(self) -> None:
        """Tell the app below, which cannot ask, which collections a key can be limited to."""
        from lianfang.accounts.providers import use_collections

        connection_created.connect(_forget, dispatch_uid="lianfang.exchange.forget")
        use_collections(_collections)


def _collections() -> list[Collection]:
    from lianfang.accounts.providers import Collection
    from lianfang.exchange.taxii.collections import COLLECTIONS

    return [Collection(one.alias, one.id, one.name, one.description) for one in COLLECTIONS]


def _forget(**_: Any) -> None:
    from lianfang.exchange import keys, moment, reach
    from lianfang.exchange.taxii.pages import PAGES

    PAGES.forget()
    keys.forget()
    moment.forget()
    reach.forget()
