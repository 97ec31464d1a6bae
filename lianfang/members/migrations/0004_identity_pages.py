from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0003_expired_drafts")]

    operations = [
        migrations.AddField(
            model_name="attachment", name="identity_pages", field=models.JSONField(default=list)
        ),
    ]
