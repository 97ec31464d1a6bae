from django.apps import AppConfig


class CharterConfig(AppConfig):
    name = "lianfang.charter"
    label = "charter"
