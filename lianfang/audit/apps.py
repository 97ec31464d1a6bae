from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "lianfang.audit"
    label = "audit"

    def ready(self) -> None:
        """Have the guard installed on every table whenever migrations have run."""
        from lianfang.audit.guard import install

        post_migrate.connect(install, sender=self, dispatch_uid="lianfang.audit.guard")
