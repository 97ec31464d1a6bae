from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "lianfang.policy"
    label = "policy"
