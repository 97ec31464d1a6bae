"""The member is heard before a revocation, its letter is proven to have arrived, calendars have editions."""

import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sealed_reason'),
        ('members', '0007_changes'),
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Arrival',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('how', models.CharField(max_length=8)),
                ('arrived_at', models.DateTimeField()),
                ('reference', models.CharField(blank=True, max_length=40)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='CalendarEdition',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('edition', models.CharField(max_length=40, unique=True)),
                ('source', models.CharField(max_length=200)),
                ('rest_days', models.JSONField()),
                ('workdays', models.JSONField()),
                ('file_sha256', models.BinaryField(max_length=32)),
                ('imported_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=64, unique=True)),
                ('text', lianfang.vault.fields.SealedText()),
                ('filed_at', models.DateTimeField()),
                ('late', models.BooleanField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='StatementFile',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('filename', lianfang.vault.fields.SealedText()),
                ('media_type', models.CharField(max_length=32)),
                ('size', models.PositiveIntegerField()),
                ('sha256', models.BinaryField(max_length=32)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RemoveConstraint(
            model_name='appeal',
            name='appeal_state_known',
        ),
        migrations.AddField(
            model_name='appeal',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='appeal',
            name='findings',
            field=lianfang.vault.fields.SealedText(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='appeal',
            name='recommendation',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='appeal',
            name='recommended_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='appeal',
            name='reviewer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='decision',
            name='basis',
            field=lianfang.vault.fields.SealedText(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='appeal_arrived_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='appeal_event',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='appeal_start',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_days',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_edition',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_ends_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_ground',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_last_day',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_rule',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='revocation',
            name='notice_text',
            field=lianfang.vault.fields.SealedText(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['filed', 'recommended', 'granted', 'denied'])), name='appeal_state_known'),
        ),
        migrations.AddField(
            model_name='arrival',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='arrival',
            name='revocation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='arrivals', to='members.revocation'),
        ),
        migrations.AddField(
            model_name='calendaredition',
            name='imported_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='statement',
            name='filed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='statement',
            name='revocation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='members.revocation'),
        ),
        migrations.AddField(
            model_name='statement',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddField(
            model_name='statementfile',
            name='file',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.storedfile'),
        ),
        migrations.AddField(
            model_name='statementfile',
            name='statement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='members.statement'),
        ),
        migrations.AddField(
            model_name='statementfile',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddConstraint(
            model_name='arrival',
            constraint=models.CheckConstraint(condition=models.Q(('how__in', ['opened', 'post'])), name='arrival_how_known'),
        ),
        migrations.AddIndex(
            model_name='calendaredition',
            index=models.Index(fields=['-imported_at'], name='calendar_latest'),
        ),
    ]
