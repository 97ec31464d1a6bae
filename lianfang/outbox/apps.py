from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "lianfang.outbox"
    label = "outbox"
