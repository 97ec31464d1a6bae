"""Why somebody is to hold a duty is text about that person: it is sealed from now on, what stands there too."""

import django.db.models.deletion
from django.db import migrations, models

import lianfang.vault.fields
from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Subject
from lianfang.vault import sealing

_TABLE = "accounts_dutygrant"


def seal(apps, schema_editor):
    grants = apps.get_model("accounts", "DutyGrant").objects.select_related("person__vault_key")
    rows = list(grants)
    if not rows:
        return
    at = utcnow()
    record(
        by=Subject.system("migration"), at=at, about=("accounts.dutygrant", "reason"), detail={"sealed": len(rows)},
        tag=Tag.ACCOUNTS_DUTY_SEAL,
    )
    with schema_editor.connection.cursor() as cursor:
        for row in rows:
            key = row.person.vault_key
            sealed = None
            if key.wrapped is not None:
                opened = sealing.unwrap(subject_key_id=key.pk, master_id=key.master_id, wrapped=bytes(key.wrapped))
                where = sealing.place(table=_TABLE, column="reason", pk=row.pk)
                sealed = sealing.seal(key_id=key.pk, key=opened, content=row.clear.encode(), where=where)
            cursor.execute(
                f"UPDATE {_TABLE} SET reason = %s, vault_key_id = %s WHERE id = %s", [sealed or b"", key.pk, row.pk]
            )
        # The guard looks now; the ALTER statements that follow could not wait for it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("audit", "0002_guard"), ("vault", "0001_initial")]

    operations = [
        migrations.RenameField("dutygrant", "reason", "clear"),
        migrations.AddField(
            "dutygrant",
            "vault_key",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="vault.subjectkey",
            ),
        ),
        migrations.AddField(
            "dutygrant", "reason", lianfang.vault.fields.SealedText(blank=True, max_length=500, null=True)
        ),
        migrations.RunPython(seal, migrations.RunPython.noop),
        migrations.RemoveField("dutygrant", "clear"),
        migrations.SeparateDatabaseAndState(
            # Not by AlterField: it would fill nulls with a default, which nothing but an instance can seal.
            database_operations=[
                migrations.RunSQL(f"ALTER TABLE {_TABLE} ALTER COLUMN reason SET NOT NULL", migrations.RunSQL.noop)
            ],
            state_operations=[
                migrations.AlterField(
                    "dutygrant", "reason", lianfang.vault.fields.SealedText(blank=True, max_length=500)
                )
            ],
        ),
        migrations.AlterField(
            "dutygrant",
            "vault_key",
            models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="vault.subjectkey",
            ),
        ),
    ]
