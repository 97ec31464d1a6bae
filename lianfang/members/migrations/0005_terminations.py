"""A request to end a membership is a case of its own, and a decision can be about one (charter 2.5)."""

import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sealed_reason"),
        ("members", "0004_identity_pages"),
        ("vault", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Termination",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=16, unique=True)),
                ("state", models.CharField(default="requested", max_length=24)),
                ("reason", lianfang.vault.fields.SealedText()),
                ("handling", models.CharField(max_length=8)),
                ("filed_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("recommendation", models.CharField(blank=True, max_length=8)),
                ("findings", lianfang.vault.fields.SealedText(blank=True)),
                ("recommended_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "filed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.person"
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terminations",
                        to="members.membership",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.person"
                    ),
                ),
                (
                    "vault_key",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vault.subjectkey",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="decision",
            name="termination",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="members.termination",
            ),
        ),
        migrations.AddConstraint(
            model_name="termination",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["requested", "recommended", "granted", "refused", "withdrawn", "lapsed"])
                ),
                name="termination_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="termination",
            constraint=models.CheckConstraint(
                condition=models.Q(("handling__in", ("destroy", "return"))), name="termination_handling_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="termination",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("state__in", ("requested", "recommended"))),
                    models.Q(
                        models.Q(("state__in", ("requested", "recommended")), _negated=True),
                        ("closed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="termination_closed_has_instant",
            ),
        ),
        migrations.AddConstraint(
            model_name="termination",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("requested", "recommended"))),
                fields=("membership",),
                name="termination_one_open",
            ),
        ),
    ]
