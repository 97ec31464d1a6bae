"""Whatever a key's subject is worked out from moves the policy's epoch when it changes, in the same transaction.

The machine doors keep what they read about a key for as long as the epoch stands still (lianfang.exchange.keys). That
holds only if no write can be forgotten, also none of the library that keeps the second factors; so the database does
it, at commit, when the row of the epoch is held for a moment only. Several changes of one transaction move it once.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION lf_facts_moved() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  this text := pg_catalog.pg_current_xact_id()::text;
BEGIN
  IF pg_catalog.current_setting('lianfang.facts_moved', true) IS DISTINCT FROM this THEN
    UPDATE public.policy_epoch SET policy = policy + 1 WHERE id = 1;
    PERFORM pg_catalog.set_config('lianfang.facts_moved', this, true);
  END IF;
  RETURN NULL;
END $$;
"""
_ANY = "OLD.* IS DISTINCT FROM NEW.*"
# Table -> (whether rows that come and go matter, which change of a row matters). A key, an affiliation and an
# organisation are read by their ids: one more of them changes nothing that was read before.
TABLES = {
    "accounts_account": (True, "OLD.is_active IS DISTINCT FROM NEW.is_active"),
    "accounts_affiliation": (False, _ANY),
    "accounts_dutygrant": (True, _ANY),
    "accounts_organization": (False, "OLD.kind IS DISTINCT FROM NEW.kind"),
    "accounts_person": (False, _ANY),
    "accounts_settingdecision": (True, _ANY),
    "accounts_token": (False, _ANY),
    "charter_confidentialityduty": (True, _ANY),
    "charter_documentversion": (True, _ANY),
    "members_constituent": (True, _ANY),
    "members_membership": (True, _ANY),
    "members_membershipinterval": (True, _ANY),
    "members_relayrule": (True, _ANY),
    "mfa_authenticator": (True, "(OLD.type, OLD.user_id) IS DISTINCT FROM (NEW.type, NEW.user_id)"),
}


def _trigger(table: str, name: str, events: str, when: str = "") -> str:
    return (
        f"CREATE CONSTRAINT TRIGGER {name} AFTER {events} ON {table} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW {when} EXECUTE FUNCTION lf_facts_moved();\n"
    )


def triggers(tables: dict[str, tuple[bool, str]]) -> str:
    """Return the statements by which these tables move the epoch."""
    made = []
    for table, (comes_and_goes, change) in tables.items():
        made.append(_trigger(table, "lf_facts_rows", "INSERT OR DELETE" if comes_and_goes else "DELETE"))
        made.append(_trigger(table, "lf_facts_change", "UPDATE", f"WHEN ({change})"))
    return "".join(made)


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0001_initial"),
        ("accounts", "0001_initial"),
        ("charter", "0001_initial"),
        ("members", "0001_initial"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("policy", "0001_initial"),
    ]
    operations = [migrations.RunSQL(FUNCTION + triggers(TABLES), "DROP FUNCTION lf_facts_moved() CASCADE")]
