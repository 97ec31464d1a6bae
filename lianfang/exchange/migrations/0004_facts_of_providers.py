"""Whether people are asked for their organisation's identity provider is a fact too: it moves the epoch like the others."""

from importlib import import_module

from django.db import migrations

_EARLIER = import_module("lianfang.exchange.migrations.0002_facts_epoch")
_NEW = "(NEW.organization_id, NEW.only, NEW.on_at, NEW.held_at)"
TABLES = {
    "accounts_identityprovider": (
        True,
        f"(OLD.organization_id, OLD.only, OLD.on_at, OLD.held_at) IS DISTINCT FROM {_NEW}",
    ),
}
_FORWARDS = _EARLIER.triggers(TABLES)
_BACKWARDS = "".join(
    f"DROP TRIGGER {name} ON {table};\n" for table in TABLES for name in ("lf_facts_rows", "lf_facts_change")
)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0003_profile_by_collection"), ("accounts", "0004_identity_providers")]
    operations = [migrations.RunSQL(_FORWARDS, _BACKWARDS)]
