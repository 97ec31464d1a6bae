"""Changes of a member's data, what was so before, and rosters on their way in."""

import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sealed_reason'),
        ('charter', '0001_initial'),
        ('members', '0006_procedure_drafts'),
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangeConfirmation',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('of', models.CharField(choices=[('old', 'Old'), ('new', 'New'), ('receiver', 'Receiver')], max_length=8)),
                ('email', lianfang.vault.fields.SealedText()),
                ('secret_digest', models.BinaryField(max_length=32, unique=True)),
                ('sent_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
                ('confirmed', models.BooleanField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ChangeFile',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=8)),
                ('filename', lianfang.vault.fields.SealedText()),
                ('media_type', models.CharField(max_length=32)),
                ('size', models.PositiveIntegerField()),
                ('sha256', models.BinaryField(max_length=32)),
                ('identity_numbers', models.PositiveIntegerField(null=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ChangeRequest',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=16, unique=True)),
                ('state', models.CharField(default='submitted', max_length=24)),
                ('origin', models.CharField(choices=[('page', 'Page'), ('mail', 'Mail'), ('paper', 'Paper'), ('stamped', 'Stamped')], default='page', max_length=8)),
                ('received_on', models.DateField(null=True)),
                ('own_reference', models.CharField(blank=True, max_length=40)),
                ('risks', models.JSONField()),
                ('values', lianfang.vault.fields.SealedJSON()),
                ('reason', lianfang.vault.fields.SealedText(blank=True)),
                ('roster_hash', models.CharField(blank=True, max_length=64)),
                ('key', models.CharField(max_length=64, unique=True)),
                ('submitted_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('recommendation', models.CharField(blank=True, max_length=8)),
                ('recommendation_text', lianfang.vault.fields.SealedText(blank=True)),
                ('decided_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FactChange',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('field', models.CharField(max_length=48)),
                ('old', lianfang.vault.fields.SealedJSON(null=True)),
                ('new', lianfang.vault.fields.SealedJSON(null=True)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='RosterDraft',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('filename', lianfang.vault.fields.SealedText(blank=True)),
                ('encoding', models.CharField(max_length=16)),
                ('lines', lianfang.vault.fields.SealedJSON()),
                ('columns', models.JSONField(default=dict)),
                ('heading', models.BooleanField(default=False)),
                ('whole', models.BooleanField(default=False)),
                ('fixes', lianfang.vault.fields.SealedJSON(default=dict)),
                ('kept_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RemoveConstraint(
            model_name='decision',
            name='decision_four_eyes',
        ),
        migrations.AddField(
            model_name='constituent',
            name='listed_name',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='changeconfirmation',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddField(
            model_name='changefile',
            name='file',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.storedfile'),
        ),
        migrations.AddField(
            model_name='changefile',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddField(
            model_name='changerequest',
            name='charter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='charter.documentversion'),
        ),
        migrations.AddField(
            model_name='changerequest',
            name='filed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='changerequest',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='members.membership'),
        ),
        migrations.AddField(
            model_name='changerequest',
            name='privacy_notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='charter.documentversion'),
        ),
        migrations.AddField(
            model_name='changerequest',
            name='reviewer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='changerequest',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddField(
            model_name='changefile',
            name='change',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='members.changerequest'),
        ),
        migrations.AddField(
            model_name='changeconfirmation',
            name='change',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to='members.changerequest'),
        ),
        migrations.AddField(
            model_name='attestation',
            name='change',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attestations', to='members.changerequest'),
        ),
        migrations.AddField(
            model_name='authoritycheck',
            name='change',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='authority_checks', to='members.changerequest'),
        ),
        migrations.AddField(
            model_name='decision',
            name='change',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='members.changerequest'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reviewed_by', models.F('decided_by')), _negated=True), ('kind__in', ['apply_alone', 'reject_alone']), _connector='OR'), name='decision_four_eyes'),
        ),
        migrations.AddField(
            model_name='factchange',
            name='change',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='facts', to='members.changerequest'),
        ),
        migrations.AddField(
            model_name='factchange',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fact_changes', to='members.membership'),
        ),
        migrations.AddField(
            model_name='factchange',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddField(
            model_name='rosterdraft',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.membership'),
        ),
        migrations.AddField(
            model_name='rosterdraft',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person'),
        ),
        migrations.AddField(
            model_name='rosterdraft',
            name='vault_key',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey'),
        ),
        migrations.AddIndex(
            model_name='changerequest',
            index=models.Index(fields=['due_at', 'id'], name='change_queue'),
        ),
        migrations.AddIndex(
            model_name='changerequest',
            index=models.Index(fields=['membership', '-submitted_at'], name='change_of_membership'),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['submitted', 'under_review', 'applied', 'rejected', 'withdrawn'])), name='change_state_known'),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('submitted', 'under_review'))), fields=('membership',), name='change_one_open_per_membership'),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('origin', 'page'), ('received_on__isnull', True)), models.Q(models.Q(('origin', 'page'), _negated=True), ('received_on__isnull', False)), _connector='OR'), name='change_letter_has_its_day'),
        ),
        migrations.AddConstraint(
            model_name='changeconfirmation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('confirmed__isnull', True)), models.Q(('answered_at__isnull', False), ('confirmed__isnull', False)), _connector='OR'), name='changeconfirmation_answer_has_its_instant'),
        ),
        migrations.AddIndex(
            model_name='factchange',
            index=models.Index(fields=['membership', 'field', 'at'], name='factchange_of_membership'),
        ),
    ]
