"""Secret links to the calendar of limits, and cases under legal hold."""

import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sealed_reason'),
        ('members', '0009_official_lists'),
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeedLink',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('secret_digest', models.BinaryField(max_length=32, unique=True)),
                ('made_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('person',), name='feedlink_one_a_person')],
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('case', models.CharField(max_length=36)),
                ('reason', lianfang.vault.fields.SealedText()),
                ('placed_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('vault_key', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('case',), name='hold_one_a_case'), models.CheckConstraint(condition=models.Q(('lifted_at__isnull', True), models.Q(('lifted_by', models.F('placed_by')), _negated=True), _connector='OR'), name='hold_lifted_by_another')],
            },
        ),
    ]
