"""Lines of the exchange log that came under another TLP after they were written, and lines that bring a version back."""

from django.db import migrations, models

from lianfang.audit.actions import record
from lianfang.audit.tags import Tag
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Subject

# A line that was relabelled before there were collections by TLP is where it is: whoever fetches from one of them
# starts at its beginning. Only lines of a version whose later line stands under another TLP have to leave theirs.
_BETWEEN = """
UPDATE intel_logentry e SET moved = true
  FROM intel_version v, policy_label mine, policy_label now
 WHERE v.id = e.version_id AND mine.id = e.label_id AND now.id = v.label_id AND mine.tlp <> now.tlp
"""


def leave(apps, schema_editor):
    if not apps.get_model("intel", "LogEntry").objects.exists():
        return
    record(
        by=Subject.system("migration"), at=utcnow(), about=("intel.logentry", "moved"), detail={},
        tag=Tag.INTEL_LOG_DIVIDE,
    )
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_BETWEEN)
        # The guard looks now; statements that follow could not wait for it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):

    dependencies = [
        ('intel', '0002_telling'),
        ('audit', '0003_acknowledged_reason'),
        ('policy', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='logentry',
            name='moved',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='logentry',
            name='returned',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(leave, migrations.RunPython.noop),
    ]
