from django.urls import URLPattern, URLResolver, path

from lianfang.accounts.doors import door
from lianfang.audit import views
from lianfang.policy.facts import Right

_auditor = door(Right.VIEW_AUDIT)

urlpatterns: list[URLPattern | URLResolver] = [
    path("audit/checkpoint", door.public(views.checkpoint), name="audit_checkpoint"),
    path("audit/consistency", door.public(views.consistency), name="audit_consistency"),
    path("audit/key", door.public(views.key), name="audit_key"),
    path("staff/audit", _auditor(views.entries), name="audit"),
    path("staff/audit/entry/<int:number>", _auditor(views.entry), name="audit_entry"),
    path("staff/audit/entry/<int:number>/proof", _auditor(views.entry_proof), name="audit_entry_proof"),
    path("staff/audit/verification", _auditor(views.run), name="audit_verify"),
    path(
        "staff/audit/verification/<int:verification>/noted",
        _auditor(views.acknowledge),
        name="audit_acknowledge",
    ),
]
