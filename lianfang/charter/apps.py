from django.apps import AppConfig


class CharterConfig(AppConfig):
    name = "lianfang.charter"
    label = "charter"

    def ready(self) -> None:
        """Give the notices the text that must stand in every first mail."""
        from lianfang.charter import queries
        from lianfang.notices.providers import use_privacy_notice

        use_privacy_notice(queries.privacy_notice)
