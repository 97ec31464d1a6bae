"""A write profile belongs to one collection. What was decided before held for the two that there were: it still does."""

from django.db import migrations, models

from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import utcnow
from lianfang.kernel.ids import new_id
from lianfang.policy.facts import Subject


def divide(apps, schema_editor):
    profiles = apps.get_model("exchange", "WriteProfile").objects
    rows = list(profiles.all())
    if not rows:
        return
    record(
        by=Subject.system("migration"), at=utcnow(), about=("exchange.writeprofile", "collection"),
        detail={"profiles": len(rows)}, tag=Tag.EXCHANGE_PROFILE_DIVIDE,
    )
    # The column came with "all"; rows are never changed, so the other collection gets rows of its own.
    for row in rows:
        row.pk, row.collection = new_id(), "inbox"
    profiles.bulk_create(rows)
    with schema_editor.connection.cursor() as cursor:
        # The guard looks now; the statements that follow could not wait for it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0002_facts_epoch'),
        ('audit', '0003_acknowledged_reason'),
    ]

    operations = [
        migrations.AddField(
            model_name='writeprofile',
            name='collection',
            field=models.CharField(default='all', max_length=40),
            preserve_default=False,
        ),
        migrations.RunPython(divide, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name='writeprofile', name='exchange_writeprofile_last'),
        migrations.AddIndex(
            model_name='writeprofile',
            index=models.Index(
                fields=['organization', 'group', 'collection', '-set_at'], name='exchange_writeprofile_last'
            ),
        ),
    ]
