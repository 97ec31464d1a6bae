from django.db import migrations, models


def make_epoch(apps, schema_editor):
    apps.get_model("policy", "Epoch").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("facts", models.JSONField()),
                ("tlp", models.SmallIntegerField()),
                ("not_before", models.DateTimeField(db_index=True, null=True)),
                ("until", models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tlp__range", (0, 4))), name="policy_label_tlp_known"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Epoch",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("head", models.BigIntegerField(default=0)),
                ("policy", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="policy_epoch_is_one_row")],
            },
        ),
        migrations.RunPython(make_epoch, migrations.RunPython.noop),
    ]
