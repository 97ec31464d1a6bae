"""A draft whose time is over is a state of its own, and says what was kept until then."""

from django.db import migrations, models

_BEFORE = ["draft", "submitted", "under_review", "correction_requested", "recommended", "approved", "rejected"]
_STATES = [*_BEFORE, "withdrawn", "expired"]


class Migration(migrations.Migration):
    dependencies = [("members", "0002_first_procedure")]

    operations = [
        migrations.AddField("application", "erased_at", models.DateTimeField(null=True)),
        migrations.AddField("application", "erased_files", models.PositiveSmallIntegerField(default=0)),
        migrations.RemoveConstraint("application", "application_state_known"),
        migrations.RemoveConstraint("application", "application_submitted_has_number"),
        migrations.AddConstraint(
            "application",
            models.CheckConstraint(condition=models.Q(state__in=_STATES), name="application_state_known"),
        ),
        migrations.AddConstraint(
            "application",
            models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "expired"]),
                    models.Q(("number__isnull", False), ("submitted_at__isnull", False)),
                    _connector="OR",
                ),
                name="application_submitted_has_number",
            ),
        ),
        migrations.AddConstraint(
            "application",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "expired"), _negated=True),
                    ("erased_at__isnull", False),
                    _connector="OR",
                ),
                name="application_expired_is_erased",
            ),
        ),
    ]
