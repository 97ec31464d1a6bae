from django.apps import AppConfig


class CharterConfig(AppConfig):
    name = "lianfang.charter"
    label = "charter"

    def ready(self) -> None:
        """Give the notices the text of every first mail, and the people page who has acknowledged."""
        from lianfang.accounts.providers import use_acknowledged
        from lianfang.charter import queries
        from lianfang.notices.providers import use_privacy_notice

        use_privacy_notice(queries.privacy_notice)
        use_acknowledged(queries.acknowledged_among)
