import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_security_holds'),
        ('members', '0010_feeds_holds'),
        ('outbox', '0001_initial'),
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactCheck',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(default='asked', max_length=24)),
                ('secret', lianfang.vault.fields.SealedText()),
                ('secret_digest', models.BinaryField(max_length=32, unique=True)),
                ('asked_at', models.DateTimeField()),
                ('answer_until', models.DateTimeField()),
                ('reminded_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('how', lianfang.vault.fields.SealedText(blank=True)),
                ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='outbox.delivery')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contact_checks', to='accounts.person')),
                ('reminder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='outbox.delivery')),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('vault_key', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey')),
            ],
            options={
                'indexes': [models.Index(fields=['person', '-asked_at'], name='contactcheck_of_person'), models.Index(fields=['state', 'asked_at'], name='contactcheck_by_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'confirmed', 'change_wanted', 'silent', 'bounced', 'settled'])), name='contactcheck_state_known'), models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('person',), name='contactcheck_one_open'), models.CheckConstraint(condition=models.Q(('state', 'asked'), ('answered_at__isnull', False), _connector='OR'), name='contactcheck_answered_has_time')],
            },
        ),
    ]
