"""Which tables are not under the guard, and why; which are guarded a statement at a time.

The guard of the ledger covers every table of the database that does not stand here. A test compares both lists with
the triggers that the database has.
"""

from __future__ import annotations

EXEMPT: dict[str, str] = {
    "account_emailaddress": "allauth's own table; sign-in events become entries through its signals",
    "account_emailconfirmation": "allauth's own table; nothing of the domain",
    "accounts_tokenuse": "when a token was last seen: written by polls, decides nothing",
    "audit_batchedreceipt": "derived from receipts by the sequencer; its digest stands in an entry",
    "audit_checkpoint": "derived from the tree and signed",
    "audit_due": "the guard's own note of transactions to be checked",
    "audit_entry": "the ledger itself",
    "audit_leaf": "derived from entries by the sequencer",
    "audit_node": "derived from leaves by the sequencer",
    "auth_group": "Django's own table, unused: rights come from the policy",
    "auth_group_permissions": "Django's own table, unused",
    "auth_permission": "Django's own table, written by migrations, unused",
    "django_content_type": "Django's own table, written by migrations",
    "django_migrations": "Django's own table, written by migrations",
    "django_session": "sessions; the events that matter become entries through signals",
    "exchange_reach": "how far a key may have read, renewed by polls: covers a second of receipts, decides nothing",
    "intel_draft": "a file between two steps of a form; it becomes an audited submission or goes within a day",
    "intel_receipt": "a receipt is written with every answer and enters the tree in batches",
    "intel_reference": "derived from versions by a job, for the list of relations",
    "intel_searchrow": "derived from versions by a job, for the search box",
    "mailroom_mailboxstate": "when the mailbox was last asked, renewed each minute; what came has its own entries",
    "mfa_authenticator": "allauth's own table; changes of factors become entries through its signals",
    "policy_epoch": "two counters that say that something moved; what moved is audited where it is written",
    "procrastinate_events": "the queue's own table",
    "procrastinate_jobs": "the queue's own table: jobs are wake-ups, the rows they work on are the truth",
    "procrastinate_periodic_defers": "the queue's own table",
    "procrastinate_workers": "the queue's own table",
    "usersessions_usersession": "allauth's own table: addresses and times of sessions",
    "web_cache": "a cache",
}
"""Table -> reason why it needs no entry."""

BULK: frozenset[str] = frozenset(
    {"intel_binding", "intel_item", "intel_logentry", "intel_relabelling", "intel_version", "members_listrow"}
)
"""Tables whose rows come in thousands: one check a statement instead of one a row."""
