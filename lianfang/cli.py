"""`lianfang COMMAND`: what an operator does from a shell. Django's own commands stay in manage.py.

The database is the one of DATABASE_URL, or the embedded one of `--data DIR`; where that is not running, it is started
for as long as the command takes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lianfang import backup, embedded, roles
from lianfang.datafolder import DataFolder
from lianfang.embedded import Cluster, Unavailable
from lianfang.kernel.clock import utcnow
from lianfang.kernel.refusal import Refusal

if TYPE_CHECKING:
    from lianfang.audit.checkpoints import Head

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one sentence on standard error when refused."""
    chosen = _parser().parse_args(arguments)
    os.umask(0o077)
    try:
        result: int = chosen.run(chosen)
    except (Unavailable, Refusal) as problem:
        print(problem, file=sys.stderr)
        return 1
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lianfang", description="Commands of the operator of Lianfang.")
    parser.add_argument("--data", type=Path, default=ROOT / "var", metavar="DIR", help="folder of all data (./var)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    first = commands.add_parser("bootstrap", help="make the first two people who may grant duties; works once")
    first.add_argument("emails", nargs=2, metavar="EMAIL")
    first.set_defaults(run=_bootstrap)

    audit = commands.add_parser("audit", help="the ledger").add_subparsers(required=True, metavar="COMMAND")
    verify = audit.add_parser("verify", help="recompute the ledger and its tree; names the first bad entry")
    verify.add_argument("--checkpoint", type=Path, metavar="FILE", help="a checkpoint that was kept outside")
    verify.set_defaults(run=_audit_verify)
    audit.add_parser("checkpoint", help="sign the head of the tree and print it").set_defaults(run=_audit_checkpoint)

    kept = commands.add_parser("backup", help="database, keys and files into one file")
    kept.add_argument("target", type=Path, metavar="FILE|DIR")
    kept.set_defaults(run=_backup)
    back = commands.add_parser("restore", help="a backup into an empty place, verified afterwards")
    back.add_argument("source", type=Path, metavar="FILE")
    back.set_defaults(run=_restore)

    drill = commands.add_parser("drill", help="restore a backup into a scratch folder, look at it, and remove it again")
    drill.add_argument("source", type=Path, metavar="FILE")
    drill.add_argument("--checkpoint", type=Path, metavar="FILE", help="a checkpoint that was kept outside")
    drill.add_argument("--into", type=Path, metavar="DIR", help="where the scratch folder may lie (the system's)")
    drill.set_defaults(run=_drill)

    cases = commands.add_parser("case", help="cases read out into signed files").add_subparsers(
        required=True, metavar="COMMAND"
    )
    proved = cases.add_parser(
        "verify", help="whether a signed file is as it was signed; names the first bad file in it"
    )
    proved.add_argument("file", type=Path, metavar="FILE")
    proved.add_argument("--key", metavar="KEY|FILE", help="the verifier key that the centre publishes, or a file of it")
    proved.set_defaults(run=_case_verify)

    check = commands.add_parser("check", help="whether everything works; with --deploy, whether it is fit for use")
    check.add_argument("--deploy", action="store_true")
    check.set_defaults(run=_check)

    documents = commands.add_parser("charter", help="the charter and the privacy notice").add_subparsers(
        required=True, metavar="COMMAND"
    )
    brought = documents.add_parser(
        "import", help="the text that was in force before, clause by clause, before bootstrap"
    )
    brought.add_argument(
        "zh", type=Path, metavar="FILE", help="the Chinese text, which decides: Markdown or plain text"
    )
    brought.add_argument("en", type=Path, metavar="ENGLISH", help="its translation, with the same numbers")
    brought.add_argument("--kind", choices=("charter", "privacy"), default="charter")
    brought.add_argument("--title", nargs=2, metavar=("ZH", "EN"), required=True)
    brought.add_argument("--approved", metavar="TIME", required=True, help="such as 2024-05-01T00:00, Taipei time")
    brought.add_argument("--effective", metavar="TIME", required=True)
    brought.add_argument("--website", nargs=2, metavar=("URL", "TIME"), help="where and when it was published")
    brought.add_argument("--check", action="store_true", help="show what would be kept, and keep nothing")
    brought.set_defaults(run=_charter_import)

    formats = commands.add_parser("stix", help="intelligence as STIX 2.1").add_subparsers(
        required=True, metavar="COMMAND"
    )
    judged = formats.add_parser("check", help="whether it would be taken: 0 yes, 1 not all of it, 2 unreadable")
    judged.add_argument("file", metavar="FILE", help="a bundle, an envelope or one object; - for standard input")
    judged.add_argument("--json", action="store_true", help="for machines")
    judged.set_defaults(run=_stix_check)

    policy = commands.add_parser("policy", help="the rules").add_subparsers(required=True, metavar="COMMAND")
    policy.add_parser("print", help="the policy as Markdown").set_defaults(run=_policy_print)
    sql = commands.add_parser("roles", help="the SQL that makes the two log-ins and the database")
    sql.add_argument("database", nargs="?", default=embedded.DATABASE)
    sql.set_defaults(run=_roles)
    vault = commands.add_parser("vault", help="the master key").add_subparsers(required=True, metavar="COMMAND")
    vault.add_parser("init", help="make LIANFANG_KEY_FILE").set_defaults(run=_vault_init)
    vault.add_parser("rotate", help="a new master key, everything wrapped anew").set_defaults(run=_vault_rotate)

    commands.add_parser("migrate", help="bring the database to this release").set_defaults(run=_migrate)
    commands.add_parser("demo-load", help="fill an empty demo").set_defaults(run=_demo_load)
    return parser


# What a command stands on


@contextlib.contextmanager
def _database(chosen: argparse.Namespace) -> Iterator[None]:
    """Put the addresses into the environment, and have the embedded server running meanwhile."""
    if "DATABASE_URL" in os.environ:
        yield
        return
    noted = chosen.data / "environment"
    try:
        environment: dict[str, str] = json.loads(noted.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Unavailable(
            f"{chosen.data} holds no started Lianfang: start it once with ./run, name its folder with --data, "
            "or set DATABASE_URL."
        ) from None
    folder = DataFolder.opened(chosen.data, demo=environment.get("LIANFANG_DEMO") == "yes")
    folder.check()
    os.environ.update({name: value for name, value in environment.items() if name not in os.environ})
    cluster = Cluster(folder.cluster, binaries=embedded.find_binaries())
    with contextlib.ExitStack() as held:
        if not cluster.answers():
            taken = f"Lianfang is just being started or stopped on {folder.path}; try again."
            held.enter_context(embedded.locked(folder.path / "lock", wait=False, taken=taken))
            held.callback(cluster.stop)
            cluster.start()
        yield


def _django(*, as_owner: bool = False) -> None:
    """Load the settings; with `as_owner` the process works as the role that owns the tables."""
    if as_owner:
        os.environ["DATABASE_URL"] = _owner()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def _owner() -> str:
    try:
        return os.environ["DATABASE_OWNER_URL"]
    except KeyError:
        raise Unavailable("DATABASE_OWNER_URL must be set: only the owner's log-in may do this.") from None


# Commands


def _migrate(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django(as_owner=True)
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    return 0


def _demo_load(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from django.conf import settings
        from django.db import transaction

        from lianfang.accounts.queries import coordinator
        from lianfang.demo.load import load, write_accounts

        accounts = settings.DATA_DIR / "demo.json"
        # Written before the commit under another name: a crash in between loses neither the data nor its passwords.
        fresh = accounts.with_suffix(".json.new")
        if coordinator() is None:
            with transaction.atomic():
                write_accounts(load(at=utcnow()), fresh)
        elif not fresh.exists():
            raise Unavailable(f"The database is not empty and {accounts} is gone: start again with --reset.")
        fresh.replace(accounts)
    return 0


def _bootstrap(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from django.conf import settings
        from django.db import transaction

        from lianfang.accounts.actions import bootstrap
        from lianfang.charter.actions import load_models
        from lianfang.policy.facts import Subject

        at = utcnow()
        with transaction.atomic():
            # The invitations carry the privacy notice, and the invited acknowledge a duty of the charter.
            load_models(by=Subject.system("bootstrap"), at=at)
            paths = bootstrap(emails=tuple(chosen.emails), at=at)
        for email, path in zip(chosen.emails, paths, strict=True):
            print(f"{email}  {settings.BASE_URL}{path}")
    return 0


def _charter_import(chosen: argparse.Namespace) -> int:
    from lianfang.charter import reading, text
    from lianfang.kernel.clock import TAIPEI
    from lianfang.kernel.text import Bilingual

    def moment(written: str) -> datetime:
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            raise Unavailable(f"{written!r} is no time: write it as 2024-05-01T00:00.") from None
        return at if at.tzinfo else at.replace(tzinfo=TAIPEI)

    try:
        zh, en = (reading.read(reading.decode(path.read_bytes())) for path in (chosen.zh, chosen.en))
    except OSError as problem:
        raise Unavailable(f"{problem.filename} cannot be read.") from None
    english = [{"id": one["id"], "zh": "", "en": one["text"]} for one in en.clauses]
    clauses = reading.merged(english, zh, language="zh")
    titles = Bilingual(zh=chosen.title[0], en=chosen.title[1])
    site = chosen.website or ["", ""]
    times = {"approved_at": moment(chosen.approved), "effective_at": moment(chosen.effective)}
    for one in clauses:
        print(f"{one['id']}\t{one['zh']}\n\t{one['en']}")
    left = [f"left out: {line}" for line in (*zh.loose, *en.loose)]
    left += [f"no Chinese for {one['id']}" for one in english if one["id"] not in {each["id"] for each in clauses}]
    faults = [one.reason.en for one in text.faults(titles, clauses)]
    print("\n".join([*left, *faults]), file=sys.stderr, end="\n" if left or faults else "")
    if chosen.check or faults:
        return 1 if faults else 0
    with _database(chosen):
        _django()
        from lianfang.charter.actions import import_document
        from lianfang.policy.facts import Subject

        version = import_document(
            kind=chosen.kind, titles=titles, clauses=clauses, **times, site_url=site[0],
            site_at=moment(site[1]) if site[1] else None, by=Subject.system("charter.import"), at=utcnow(),
        )  # fmt: skip
    print(f"{chosen.kind} 1, sha256 {bytes(version.sha256).hex()}")
    return 0


def _audit_verify(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from lianfang.audit.checkpoints import BadCheckpoint
        from lianfang.audit.signing import SigningKeyUnusable
        from lianfang.audit.verify import verify

        try:
            report = verify(kept=_kept(chosen.checkpoint))
        except (BadCheckpoint, SigningKeyUnusable) as problem:
            raise Unavailable(str(problem)) from None
        for fault in report.problems:
            print(fault.words.in_language("en"))
        if report.ok:
            print(f"{report.summary().in_language('en')} ({report.seconds:.1f} s)")
    return 0 if report.ok else 1


def _kept(path: Path | None) -> Head | None:
    from lianfang.audit.checkpoints import BadCheckpoint, read_checkpoint

    try:
        return read_checkpoint(path.read_text(encoding="utf-8")) if path else None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.") from None
    except (BadCheckpoint, UnicodeDecodeError) as problem:
        raise Unavailable(str(problem)) from None


def _audit_checkpoint(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from lianfang.audit.sequencer import checkpoint

        made = checkpoint(at=utcnow())
        if made is None:
            raise Unavailable("The ledger is empty: there is nothing to sign yet.")
        print(made.note, end="" if made.note.endswith("\n") else "\n")
    return 0


def _stix_check(chosen: argparse.Namespace) -> int:
    from lianfang.intel import checker

    try:
        body = sys.stdin.buffer.read() if chosen.file == "-" else Path(chosen.file).read_bytes()
        report = checker.check(body)
    except OSError as error:
        print(f"{chosen.file} cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    except Refusal as refusal:
        print(f"{refusal} [{refusal.rule}, {refusal.clause}]", file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
    else:
        for line in checker.lines(report):
            print(line)
    return 0 if report.ok else 1


def _case_verify(chosen: argparse.Namespace) -> int:
    """Needs no database and no settings: whoever has the file and the key verifies it anywhere."""
    from lianfang.audit import bundle, signing

    key = None
    if chosen.key:
        try:
            named = Path(chosen.key)
            key = signing.parse_vkey(named.read_text(encoding="utf-8") if named.is_file() else chosen.key)
        except (OSError, ValueError) as problem:
            print(f"--key: {problem}", file=sys.stderr)
            return 2
    try:
        with chosen.file.open("rb") as source:
            seen = bundle.verify(source, key=key)
    except OSError as error:
        print(f"{chosen.file} cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    if seen.fault is not None:
        place = f"{seen.fault.file}: " if seen.fault.file else ""
        print(f"BAD  {place}{seen.fault.words.zh} {seen.fault.words.in_language('en')}", file=sys.stderr)
        return 1
    print(
        f"GOOD  {seen.about.get('case')} as of {seen.about.get('at')}: "
        f"{seen.files} files, {seen.entries} entries of the ledger proved"
    )
    print(f"      signed by {seen.key}" + ("" if key else "  (compare it with the key that the centre publishes)"))
    return 0


def _policy_print(_: argparse.Namespace) -> int:
    from lianfang.policy.print import print_policy

    print(print_policy(), end="")
    return 0


def _roles(chosen: argparse.Namespace) -> int:
    print(roles.script(database=chosen.database), end="")
    return 0


def _vault_init(chosen: argparse.Namespace) -> int:
    named = os.environ.get("LIANFANG_KEY_FILE")
    folder = chosen.data if named is None else Path(named).parent
    name = "master.key" if named is None else Path(named).name
    if (folder / name).exists():
        raise Unavailable(f"{folder / name} exists already; it is left as it is.")
    DataFolder.opened(folder, demo=False).secret(name)
    print(f"{folder / name} made; keep a copy where the database's backups do not lie.")
    return 0


def _vault_rotate(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from lianfang.policy.facts import Subject
        from lianfang.vault.actions import rotate_master

        count = rotate_master(by=Subject.system("operator"), at=utcnow())
        print(f"{count} keys wrapped anew; back the new key file up now.")
    return 0


def _check(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from lianfang import deploy, health

        found = deploy.findings() if chosen.deploy else health.checks()
        for check in found:
            print(f"{'ok ' if check.ok else 'NOT'}  {check.name}: {check.said}")
    return 0 if all(check.ok for check in found) else 1


def _backup(chosen: argparse.Namespace) -> int:
    with _database(chosen):
        _django()
        from django.conf import settings

        made = backup.write(
            target=chosen.target,
            database=_owner(),
            data=settings.DATA_DIR,
            key_file=settings.KEY_FILE,
            demo=settings.DEMO,
            at=utcnow(),
        )
        print(f"{made} ({made.stat().st_size // 1024} KiB); it holds the keys: keep it as secret as they are.")
    return 0


def _restore(chosen: argparse.Namespace) -> int:
    manifest = backup.read_manifest(chosen.source)
    if "DATABASE_URL" in os.environ:
        _restore_outside(chosen.source, chosen.data)
    else:
        _restore_embedded(chosen.source, chosen.data, demo=bool(manifest["demo"]))
    print(f"Restored the state of {manifest['at']}; verifying the ledger")
    chosen.checkpoint = None
    return _audit_verify(chosen)


def _drill(chosen: argparse.Namespace) -> int:
    """Never touches the installation: what its shell says of databases and keys is forgotten first."""
    manifest = backup.read_manifest(chosen.source)
    for name in [*os.environ]:
        if name.startswith(("DATABASE_", "LIANFANG_")) and name != "LIANFANG_PG_BIN":
            del os.environ[name]
    scratch = Path(tempfile.mkdtemp(prefix="lianfang-drill-", dir=chosen.into))
    began = time.monotonic()
    try:
        _restore_embedded(chosen.source, scratch, demo=bool(manifest["demo"]))
        chosen.data = scratch
        with _database(chosen):
            _django()
            from django.db import connections

            from lianfang import drill

            print(f"Restored the state of {manifest['at']} into {scratch}")
            found = drill.findings(at=utcnow(), kept=_kept(chosen.checkpoint))
            connections.close_all()
        for check in found:
            print(f"{'ok ' if check.ok else 'NOT'}  {check.name}: {check.said}")
        print(f"Done in {time.monotonic() - began:.0f} s; the scratch folder is removed.")
    finally:
        DataFolder.opened(scratch, demo=bool(manifest["demo"])).reset()
        shutil.rmtree(scratch, ignore_errors=True)
    return 0 if all(check.ok for check in found) else 1


def _restore_outside(source: Path, data: Path) -> None:
    data = Path(os.environ.get("LIANFANG_DATA", data))
    key_file = Path(os.environ.get("LIANFANG_KEY_FILE", data / "master.key"))
    if not backup.target_is_empty(database=_owner()):
        raise Unavailable("The database holds tables already; a restore goes into an empty one only.")
    DataFolder.opened(data, demo=False)
    backup.restore_files(source=source, data=data, key_file=key_file)
    backup.restore_database(source=source, database=_owner())


def _restore_embedded(source: Path, data: Path, *, demo: bool) -> None:
    folder = DataFolder.opened(data, demo=demo)
    if not folder.empty():
        raise Unavailable(f"{folder.path} holds data already; a restore goes into an empty folder only.")
    cluster = Cluster(folder.cluster, binaries=embedded.find_binaries())
    taken = f"Lianfang is running on {folder.path}."
    with embedded.locked(folder.path / "lock", wait=False, taken=taken):
        try:
            backup.restore_files(source=source, data=folder.path, key_file=folder.master_key)
            cluster.start()
            cluster.provision()
            backup.restore_database(source=source, database=cluster.url(roles.OWNER))
        except BaseException:
            cluster.stop()
            folder.reset()
            raise
        folder.note()
        environment = folder.environment(cluster, base_url="http://localhost:8000")
        folder.write("environment", json.dumps(environment, indent=1) + "\n")
        cluster.stop()
