from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "lianfang.members"
    label = "members"
