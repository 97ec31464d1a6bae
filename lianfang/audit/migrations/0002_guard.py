"""The functions of the guard; its triggers are put on every table after each migrate (lianfang.audit.guard)."""

from django.db import migrations

from lianfang.audit import guard


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(guard.FUNCTIONS + guard.FIXED, guard.REMOVE)]
