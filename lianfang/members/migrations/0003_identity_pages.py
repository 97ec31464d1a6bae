from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0002_first_procedure")]

    operations = [
        migrations.AddField(
            model_name="attachment", name="identity_pages", field=models.JSONField(default=list)
        ),
    ]
