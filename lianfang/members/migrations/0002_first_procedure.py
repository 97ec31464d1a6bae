"""The first edition of the procedure comes with the software, so that an application can be begun at once."""

from datetime import UTC, datetime

from django.db import migrations

from lianfang.members.procedure import sha256, shipped

# Before any alliance can have opened its doors: a case needs an edition that was in force when it began.
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def bring_in(apps, schema_editor):
    spec = shipped(1)
    apps.get_model("members", "Procedure").objects.create(
        version=1, spec=spec, sha256=sha256(spec), effective_at=_SINCE, created_at=_SINCE
    )


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [migrations.RunPython(bring_in, migrations.RunPython.noop)]
