from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "lianfang.notices"
    label = "notices"

    def ready(self) -> None:
        """Become the way out for the mails of the app below."""
        from lianfang.accounts import letters
        from lianfang.notices.actions import send

        letters.use(send)
