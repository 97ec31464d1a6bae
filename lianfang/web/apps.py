from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "lianfang.web"
    label = "web"

    def ready(self) -> None:
        from lianfang.web import counts

        counts.register()
