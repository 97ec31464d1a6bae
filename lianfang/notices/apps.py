from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "lianfang.notices"
    label = "notices"

    def ready(self) -> None:
        """Become the way out for the mails of the app below, and tell the ledger's pages who is who."""
        from lianfang.accounts import letters
        from lianfang.audit import people
        from lianfang.notices.actions import send
        from lianfang.notices.names import names

        letters.use(send)
        people.use(names)
