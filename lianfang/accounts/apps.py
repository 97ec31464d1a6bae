from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "lianfang.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Listen to what allauth does, so that it stands in the ledger."""
        from lianfang.accounts import adapter

        adapter.connect()
