import django.db.models.deletion
import lianfang.kernel.ids
import lianfang.vault.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sealed_reason'),
        ('vault', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='token',
            name='held_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='SecurityHold',
            fields=[
                ('id', models.UUIDField(default=lianfang.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('reason', lianfang.vault.fields.SealedText()),
                ('review_on', models.DateField()),
                ('placed_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_reason', lianfang.vault.fields.SealedText(blank=True)),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='accounts.token')),
                ('vault_key', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.subjectkey')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('account__isnull', True), ('token__isnull', True), _connector='XOR'), name='accounts_hold_one_thing'), models.CheckConstraint(condition=models.Q(('lifted_by__isnull', True), models.Q(('lifted_by', models.F('placed_by')), _negated=True), _connector='OR'), name='accounts_hold_two_persons'), models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('account',), name='accounts_one_hold_of_account'), models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('token',), name='accounts_one_hold_of_token')],
            },
        ),
    ]
