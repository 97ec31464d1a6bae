from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "lianfang.notices"
    label = "notices"
