"""One file that holds everything: the dump of the database, the keys, the uploaded files, and what they should be.

Whoever has a backup has the keys and so the personal data: it is written with mode 0600 and belongs where the master
key may lie. A restore goes into an empty place only, and the ledger is verified afterwards.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import psycopg

from lianfang import embedded, roles
from lianfang.embedded import Unavailable

__all__ = ["Manifest", "read_manifest", "restore_database", "restore_files", "target_is_empty", "write"]

Manifest = dict[str, object]
# Keys that may lie beside the master key and in the data folder; the demo's passwords are kept with them.
BESIDE = ("audit-signing.key",)
IN_DATA = ("secret.key", "demo.json")
_DUMP = "database.dump"
_MANIFEST = "manifest.json"
_HOURS = 6 * 3600


def write(*, target: Path, database: str, data: Path, key_file: Path, demo: bool, at: datetime) -> Path:
    """Write a backup to `target` (a new file, or a folder to put one into) and return its path.

    `database` is the owner's URL: the application's log-in may not read everything. Raises Unavailable.
    """
    if target.is_dir():
        target = target / f"lianfang-{at:%Y%m%dT%H%M%SZ}.tar"
    if target.exists():
        raise Unavailable(f"{target} exists already; a backup is never written over another.")
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    dump = target.with_name(f".{target.name}.{os.getpid()}.dump")
    try:
        keys = _keys(key_file, data)
        _dump(database, dump)
        if keys != _keys(key_file, data):
            raise Unavailable("The master key was being changed; take the backup again when that has ended.")
        _pack(fresh, dump=dump, keys=keys, data=data, about={"demo": demo, "at": at.isoformat()})
        fresh.replace(target)
    except OSError as error:
        raise Unavailable(f"The backup cannot be written to {target}: {error.strerror}.") from None
    finally:
        fresh.unlink(missing_ok=True)
        dump.unlink(missing_ok=True)
    return target


def _keys(key_file: Path, data: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in _places(key_file, data).items() if path.exists()}


def _places(key_file: Path, data: Path) -> dict[str, Path]:
    places = {"master.key": key_file}
    places |= {name: key_file.with_name(name) for name in BESIDE}
    return places | {name: data / name for name in IN_DATA}


def _dump(database: str, target: Path) -> None:
    program = _program("pg_dump", database)
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as output:
        _call([program, "--format=custom", "--no-password", "--dbname", database], stdout=output)


def _pack(target: Path, *, dump: Path, keys: dict[str, bytes], data: Path, about: Manifest) -> None:
    sums: dict[str, str] = {}
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as output, tarfile.open(fileobj=output, mode="w") as archive:
        for name, content in keys.items():
            sums[f"keys/{name}"] = _put(archive, f"keys/{name}", content)
        for path, name in _files(data, dump):
            with path.open("rb") as source:
                sums[name] = hashlib.file_digest(source, "sha256").hexdigest()
            archive.add(path, name, recursive=False, filter=_anonymous)
        # Last, so that a backup that broke off is known by its absence.
        manifest = about | {"format": 1, "sha256": sums}
        _put(archive, _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        archive.close()
        output.flush()
        os.fsync(output.fileno())


def _files(data: Path, dump: Path) -> Iterator[tuple[Path, str]]:
    """After the dump: a row is written after its file, so every row of the dump finds its file here."""
    yield dump, _DUMP
    root = data / "files"
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path, f"files/{path.relative_to(root)}"


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> str:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))
    return hashlib.sha256(content).hexdigest()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def read_manifest(source: Path) -> Manifest:
    """Check every part of the backup against its digest and return what it says of itself. Raises Unavailable."""
    try:
        with tarfile.open(source) as archive:
            found = {entry.name: _digest(archive, entry) for entry in archive if entry.isfile()}
            manifest: Manifest = json.loads(_member(archive, _MANIFEST).read())
    except (OSError, tarfile.TarError, KeyError, ValueError):
        raise Unavailable(f"{source} is no whole backup of Lianfang.") from None
    found.pop(_MANIFEST)
    if not isinstance(manifest, dict):
        raise Unavailable(f"{source} is no whole backup of Lianfang.")
    if manifest.get("format") != 1:
        raise Unavailable(f"{source} is a backup of a newer release.")
    if found != manifest.get("sha256") or _DUMP not in found or "keys/master.key" not in found:
        raise Unavailable(f"{source} is damaged: a part is missing or differs from its digest.")
    return manifest


def _digest(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    whole, source = hashlib.sha256(), _member(archive, entry)
    while block := source.read(1 << 20):
        whole.update(block)
    return whole.hexdigest()


def _member(archive: tarfile.TarFile, entry: str | tarfile.TarInfo) -> IO[bytes]:
    found = archive.extractfile(entry)
    if found is None:
        raise KeyError(entry)
    return found


def target_is_empty(*, database: str) -> bool:
    """Whether the database holds no table of anybody's."""
    try:
        with psycopg.connect(database, connect_timeout=10) as connection:
            row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not answer: {str(error).splitlines()[0]}") from None
    return row is not None and row[0] == 0


def restore_files(*, source: Path, data: Path, key_file: Path) -> None:
    """Put keys and uploaded files into place; nothing that exists is written over. Raises Unavailable."""
    places = {f"keys/{name}": path for name, path in _places(key_file, data).items()}
    with tarfile.open(source) as archive:
        for entry in archive:
            # Names are checked by the manifest's digests; this is the second net against a prepared archive.
            if entry.name.startswith("files/") and re.fullmatch(r"files(/[0-9A-Za-z_-]+)+", entry.name):
                _lay(_member(archive, entry), data / entry.name)
            elif entry.name in places:
                _lay(_member(archive, entry), places[entry.name])


def _lay(source: IO[bytes], target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise Unavailable(f"{target} exists already; a restore writes over nothing.") from None
    with os.fdopen(handle, "wb") as output:
        shutil.copyfileobj(source, output)
        output.flush()
        os.fsync(output.fileno())


def restore_database(*, source: Path, database: str) -> None:
    """Play the dump into the empty database, whole or not at all, as its owner. Raises Unavailable."""
    program = _program("pg_restore", database)
    with psycopg.connect(database, autocommit=True, connect_timeout=10) as connection:
        # Else the application could change what is append-only: a dump does not take away what comes by itself.
        roles.set_defaults(connection, on=False)
        try:
            with tarfile.open(source) as archive:
                command = [program, "--exit-on-error", "--single-transaction", "--no-owner", "--no-password"]
                _call([*command, "--dbname", database], stdin=_member(archive, _DUMP))
        finally:
            roles.set_defaults(connection, on=True)


def _program(name: str, database: str) -> str:
    """`pg_dump` or `pg_restore` of the server's own major version: another one's output may not be taken back."""
    try:
        with psycopg.connect(database, connect_timeout=10) as connection:
            major = connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not answer: {str(error).splitlines()[0]}") from None
    debian = Path(f"/usr/lib/postgresql/{major}/bin/{name}")
    if not os.environ.get("LIANFANG_PG_BIN") and debian.exists():
        return str(debian)
    binaries = embedded.find_binaries()
    if binaries.major != major:
        raise Unavailable(
            f"The server is PostgreSQL {major} and {name} at hand is {binaries.version}: "
            f"name the programs of PostgreSQL {major} in LIANFANG_PG_BIN."
        )
    return binaries / name


def _call(command: list[str], *, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGTZ": "UTC"}
    # A member of an archive is no file of the system's; it is fed through a pipe.
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        if stdin is not None and process.stdin is not None:
            try:
                shutil.copyfileobj(stdin, process.stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass  # its own words say why
            process.stdin = None
        _, said = process.communicate(timeout=_HOURS)
    if process.returncode:
        words = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Unavailable(f"{Path(command[0]).name} failed: {words[-1]}")
