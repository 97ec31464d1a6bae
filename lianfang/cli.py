"""`lianfang COMMAND`: what an operator does from a shell. Django's own commands stay in manage.py."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one sentence on standard error when refused."""
    parser = argparse.ArgumentParser(prog="lianfang", description="Commands of the operator of Lianfang.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    migrate = commands.add_parser("migrate", help="bring the database to this release (needs DATABASE_OWNER_URL)")
    migrate.set_defaults(run=_migrate)
    chosen = parser.parse_args(arguments)
    result: int = chosen.run(chosen)
    return result


def _django(*, as_owner: bool = False) -> None:
    """Load the settings; with `as_owner` the process works as the role that owns the tables."""
    if as_owner:
        if "DATABASE_OWNER_URL" not in os.environ:
            print("DATABASE_OWNER_URL must be set: only the owner's log-in may migrate.", file=sys.stderr)
            raise SystemExit(1)
        os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def _migrate(_: argparse.Namespace) -> int:
    _django(as_owner=True)
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    return 0
