
import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sealed_reason'),
        ('members', '0005_terminations'),
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FirstApproval',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('recommended_at', models.DateTimeField()),
                ('reasons', models.JSONField()),
                ('text', lianfang.vault.fields.SealedText(blank=True)),
                ('at', models.DateTimeField()),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='first_approvals', to='members.application')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('vault_key', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('application', 'recommended_at'), name='firstapproval_once')],
            },
        ),
        migrations.CreateModel(
            name='ProcedureDraft',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('spec', models.JSONField()),
                ('state', models.CharField(default='draft', max_length=24)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('authors', models.JSONField(default=list)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('began_at', models.DateTimeField()),
                ('saved_at', models.DateTimeField()),
                ('proposed_at', models.DateTimeField(null=True)),
                ('effective_at', models.DateTimeField(null=True)),
                ('first_approved_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('base', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.procedure')),
                ('first_approver', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('proposed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('published', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='draft', to='members.procedure')),
                ('second_approver', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'proposed', 'published', 'discarded'])), name='proceduredraft_state_known'), models.UniqueConstraint(models.Value(1), condition=models.Q(('state__in', ['draft', 'proposed'])), name='proceduredraft_one_open'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'published'), _negated=True), models.Q(('first_approver__isnull', False), ('published__isnull', False), ('second_approver__isnull', False)), _connector='OR'), name='proceduredraft_published_whole'), models.CheckConstraint(condition=models.Q(('second_approver__isnull', True), models.Q(('first_approver', models.F('second_approver')), _negated=True), _connector='OR'), name='proceduredraft_two_approvers')],
            },
        ),
    ]
