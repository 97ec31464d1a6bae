from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class PolicyConfig(AppConfig):
    """The one place where decisions are made."""

    name = "lianfang.policy"
    label = "policy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(_forget, dispatch_uid="lianfang.policy.forget")


def _forget(**_: Any) -> None:
    from lianfang.policy import sql

    sql.forget()
