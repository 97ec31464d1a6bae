from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "lianfang.vault"
    label = "vault"
