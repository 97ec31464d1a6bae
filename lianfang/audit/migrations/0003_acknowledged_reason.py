from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_guard")]

    operations = [
        migrations.AddField(
            model_name="verification",
            name="acknowledged_reason",
            field=models.TextField(blank=True, default="", max_length=2000, verbose_name="reason"),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(
                condition=models.Q(("acknowledged_at", None), ("ok", False)),
                fields=["-id"],
                name="audit_verification_open",
            ),
        ),
    ]
