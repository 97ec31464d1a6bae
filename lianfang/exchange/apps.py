from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ExchangeConfig(AppConfig):
    name = "lianfang.exchange"
    label = "exchange"

    def ready(self) -> None:
        connection_created.connect(_forget, dispatch_uid="lianfang.exchange.forget")


def _forget(**_: Any) -> None:
    from lianfang.exchange import keys, moment, reach
    from lianfang.exchange.taxii.pages import PAGES

    PAGES.forget()
    keys.forget()
    moment.forget()
    reach.forget()
