from django.apps import AppConfig


class IntelConfig(AppConfig):
    name = "lianfang.intel"
    label = "intel"
