"""How fast the TAXII door is, beside nginx and COPY on the same bytes in the same run.

    python -m bench.taxii [--objects 100000] [--record docs/measurements.md]

Starts a database of its own in a temporary folder, makes an alliance by the product's actions, hands in a seeded corpus
by POST, and measures pages of a reader who sees nearly everything and of one who sees a thousandth. Everything listens
on loopback only and is gone afterwards. Needs nginx and wrk on the PATH.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lianfang.embedded import Cluster
    from tests.world import Actor

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "/taxii2/alliance/collections/all/objects/"
TAXII = "application/taxii+json;version=2.1"
BATCH = 1000
SEED = 7
GOALS = {100: 0.02, 1000: 0.04}
INGEST_GOAL = 0.1
SPARSE_GOAL = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """One measured ratio: what stands beside what, and whether it meets its goal."""

    name: str
    ours: str
    beside: str
    ratio: float
    goal: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of the three machines."""

    writer: str
    dense: str
    sparse: str


# -- what runs beside us ---------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], *, port: int, log: Path, **more: Any) -> Iterator[None]:
    """Run a server until the block ends; it answers on `port` when the block begins."""
    with log.open("ab") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output, cwd=ROOT, **more)
    try:
        for _ in range(300):
            if process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                yield
                return
        raise SystemExit(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def database(folder: Path) -> Iterator[Cluster]:
    """The embedded server, as `./run` starts it, migrated."""
    from lianfang import embedded

    cluster = embedded.Cluster(folder / "postgres", binaries=embedded.find_binaries())
    try:
        cluster.start()
        cluster.provision()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": cluster.url("lf_app"),
            "LIANFANG_SECRET_KEY": "a key of this measurement alone",
            "LIANFANG_DATA": str(folder),
            "LIANFANG_DEMO": "yes",
        }
        (folder / "master.key").write_text("7" * 64 + "\n")
        (folder / "master.key").chmod(0o600)
        owner = os.environ | {"DATABASE_OWNER_URL": cluster.url("lf_owner")}
        subprocess.run([sys.executable, "-m", "lianfang", "migrate"], cwd=ROOT, env=owner, check=True, timeout=300)
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def lianfang(port: int, log: Path) -> Iterator[None]:
    """The product under granian: one worker, one thread."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "1", "--no-ws", "--log-level", "error"]
    with running([*command, "config.wsgi:application"], port=port, log=log):
        try:
            yield
        except SystemExit:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise


@contextmanager
def nginx(port: int, folder: Path) -> Iterator[None]:
    """One nginx worker that serves the files of `folder`."""
    temporary = "".join(
        f"{name}_temp_path {folder}/t-{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = f"""
        {user} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.error;
        events {{ worker_connections 1024; }}
        http {{ access_log off; sendfile on; tcp_nodelay on; open_file_cache max=100; default_type application/json;
                keepalive_requests 1000000000; {temporary}
                server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
    """
    (folder / "nginx.conf").write_text(configuration)
    with running(["nginx", "-c", folder / "nginx.conf"], port=port, log=folder / "nginx.log"):
        yield


# -- the alliance ----------------------------------------------------------------------------------------------------


def alliance() -> Keys:
    """Make the cast by the product's own actions, with a key that writes and two that read."""
    import django

    django.setup()
    from lianfang.exchange.actions import set_profile
    from lianfang.policy.facts import AudienceKind, NameSource
    from tests.world import build

    world = build()
    # The door reads the clock of the database: what follows is done just before.
    world.clock.at = datetime.now(UTC) - timedelta(minutes=5)
    writer, reader = world.jia.admin, world.yi.admin
    set_profile(
        by=writer.subject(), at=world.clock.tick(), audience=AudienceKind.ALLIANCE,
        name_source=NameSource.EVERYONE, warranted=True,
    )  # fmt: skip
    return Keys(key(writer, "AMBER+STRICT"), key(reader, "AMBER"), key(reader, "CLEAR"))


def key(owner: Actor, max_tlp: str) -> str:
    """Make a key up to this label and return its secret: the label is what makes one reader dense, another sparse."""
    from tests.world import token

    return token(owner.clock, owner, max_tlp=max_tlp)[1]


# -- measuring -------------------------------------------------------------------------------------------------------


@dataclass
class Door:
    """The TAXII door as one machine meets it, over one connection."""

    port: int
    secret: str

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", "Accept": TAXII, "Content-Type": TAXII}

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send one request; a refusal ends the run."""
        self.connection.request(method, path, body, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 202):
            raise SystemExit(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

    def walk(self, limit: int) -> list[tuple[str, int]]:
        """Follow `next` to the end and return (path, objects) of each page."""
        self.connection.close()  # the server may have closed it while others were measured; it opens by itself
        pages: list[tuple[str, int]] = []
        path = f"{COLLECTION}?limit={limit}"
        while True:
            page = json.loads(self.ask("GET", path))
            pages.append((path, len(page.get("objects", []))))
            if not page.get("more"):
                return pages
            path = f"{COLLECTION}?limit={limit}&next={page['next']}"


def ingest(door: Door, cluster: Cluster, corpus: list[dict[str, Any]]) -> Row:
    """Hand the corpus in by POST, a thousand objects at a time, in turns with COPY of the same objects into one table
    with six indexes, a commit a thousand: so what else the machine does hits both alike."""
    from hashlib import sha256

    seconds = {"ours": 0.0, "copy": 0.0}
    with cluster.connect(database="lianfang") as connection, connection.cursor() as cursor:
        cursor.execute(_BASELINE)
        for start in range(0, len(corpus), BATCH):
            objects = corpus[start : start + BATCH]
            body = json.dumps({"objects": objects}, separators=(",", ":")).encode()
            rows = []
            for place, one in enumerate(objects, start):
                text = json.dumps(one, separators=(",", ":"))
                digest = sha256(text.encode()).digest()
                rows.append((place, 1, one["id"], one["type"], one.get("modified", ""), "", digest, place % 200, text))
            began = time.perf_counter()
            answer = door.ask("POST", COLLECTION, body)
            seconds["ours"] += time.perf_counter() - began
            status = json.loads(answer)
            if status["failure_count"]:
                raise SystemExit(f"refused: {status['failures'][:3]}")
            began = time.perf_counter()
            with cursor.copy("COPY bench_copy FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            seconds["copy"] += time.perf_counter() - began
        cursor.execute("DROP TABLE bench_copy")
    ours, copied = (len(corpus) / seconds[name] for name in ("ours", "copy"))
    return Row("ingest / COPY", f"{ours:,.0f} objects/s", f"{copied:,.0f}/s", ours / copied, INGEST_GOAL)


_BASELINE = """
    CREATE TABLE bench_copy (seq bigint PRIMARY KEY, coll int, sid text, type text, modified text, producer text,
                             digest bytea, aud int, body text);
    CREATE UNIQUE INDEX ON bench_copy (sid, modified, seq); CREATE INDEX ON bench_copy (coll, type, seq);
    CREATE INDEX ON bench_copy (modified); CREATE INDEX ON bench_copy (producer, seq);
    CREATE INDEX ON bench_copy (digest); CREATE INDEX ON bench_copy (aud, seq);
"""


def wrk(
    url: str, *, seconds: int, connections: int, headers: dict[str, str], paths: Sequence[str], folder: Path
) -> float:
    """Return answers a second over these paths in turn; an answer that is no 200 ends the run."""
    script = folder / "paths.lua"
    listed = ",".join(json.dumps(path) for path in paths)
    given = ";".join(f"wrk.headers[{json.dumps(name)}]={json.dumps(value)}" for name, value in headers.items())
    script.write_text(
        f"local paths={{{listed}}} local n=0 {given}\n"
        "function init(a) for i,p in ipairs(paths) do paths[i]=wrk.format('GET',p) end end\n"
        "function request() n=n%#paths+1 return paths[n] end\n"
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    if "Non-2xx" in said:
        raise SystemExit(said)
    return float(next(line.split()[1] for line in said.splitlines() if line.startswith("Requests/sec")))


def rounds(count: int, *measures: Callable[[], float]) -> list[tuple[float, ...]]:
    """Take the measures in turn, so that what else the machine does hits all alike."""
    return [tuple(measure() for measure in measures) for _ in range(count)]


def page_rows(folder: Path, ports: tuple[int, int], keys: Keys, options: argparse.Namespace) -> Iterator[Row]:
    """Pages of the dense reader beside nginx, at cursors spread over the whole log."""
    ours, theirs = ports
    door = Door(ours, keys.dense)
    for limit in (100, 1000):
        began = time.perf_counter()
        walked = door.walk(limit)
        options.walks[limit] = len(walked) / (time.perf_counter() - began)
        full = [path for path, held in walked if held == limit]
        spread = full[:: max(1, len(full) // 64)]
        page = door.ask("GET", spread[len(spread) // 2])
        (folder / f"page{limit}.json").write_bytes(page)
        common = {"seconds": options.seconds, "connections": 8, "folder": folder}
        taken = rounds(
            options.rounds,
            lambda common=common, spread=spread: wrk(
                f"http://127.0.0.1:{ours}", headers=door.headers, paths=spread, **common
            ),
            lambda common=common, limit=limit: wrk(
                f"http://127.0.0.1:{theirs}", headers={}, paths=[f"/page{limit}.json"], **common
            ),
        )
        medians = [statistics.median(column) for column in zip(*taken, strict=True)]
        ratio = statistics.median(mine / its for mine, its in taken)
        beside = f"{medians[1]:,.0f}/s of {len(page):,} bytes"
        yield Row(f"page of {limit} / nginx", f"{medians[0]:,.0f}/s", beside, ratio, GOALS[limit])


def sparse_row(folder: Path, port: int, keys: Keys, options: argparse.Namespace, total: int) -> Row:
    """Time of one page of 100 for the sparse reader beside the dense one, one machine asking at a time."""
    doors = {name: Door(port, getattr(keys, name)) for name in ("dense", "sparse")}
    seen = {name: sum(held for _, held in door.walk(1000)) for name, door in doors.items()}
    common = {"seconds": options.seconds, "connections": 1, "folder": folder, "paths": [f"{COLLECTION}?limit=100"]}
    taken = rounds(
        options.rounds,
        *(
            lambda door=door: 1000 / wrk(f"http://127.0.0.1:{port}", headers=door.headers, **common)
            for door in doors.values()
        ),
    )
    dense, sparse = (statistics.median(column) for column in zip(*taken, strict=True))
    shares = {name: f"{100 * held / total:.1f} %" for name, held in seen.items()}
    return Row(
        f"page of 100, reader of {shares['sparse']} / of {shares['dense']}",
        f"{sparse:.2f} ms", f"{dense:.2f} ms", sparse / dense, SPARSE_GOAL, at_most=True,
    )  # fmt: skip


def measure(options: argparse.Namespace) -> list[Row]:
    """Run everything and return the ratios."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lf-bench-")))
        folder.chmod(0o711)
        cluster = stack.enter_context(database(folder))
        keys = alliance()
        from bench.corpus import objects

        corpus = list(objects(options.objects, seed=SEED))
        ports = free_port(), free_port()
        stack.enter_context(lianfang(ports[0], folder / "web.log"))
        stack.enter_context(nginx(ports[1], folder))
        copy = ingest(Door(ports[0], keys.writer), cluster, corpus)
        with cluster.connect(database="lianfang") as connection:
            connection.execute("ANALYZE")
        pages = list(page_rows(folder, ports, keys, options))
        return [*pages, sparse_row(folder, ports[0], keys, options, len(corpus)), copy]


# -- telling ---------------------------------------------------------------------------------------------------------


def block(rows: Sequence[Row], options: argparse.Namespace) -> str:
    """Return the dated block of the run."""
    command = f"python -m bench.taxii --objects {options.objects} --seconds {options.seconds} --rounds {options.rounds}"
    lines = [
        f"## {datetime.now(UTC):%Y-%m-%d} TAXII through Django, {options.objects:,} objects",
        "",
        f"`{command}`, seed {SEED}. {os.cpu_count()} shared cores, load {os.getloadavg()[0]:.1f} at the end, CPython"
        f" {platform.python_version()}, granian with one worker and one thread; wrk with 8 connections, for the two"
        " readers with one; medians of the rounds.",
        "",
        "| figure | Lianfang | beside | ratio | goal | met |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        goal = f"{'<=' if row.at_most else '>='} {row.goal:g}"
        lines.append(
            f"| {row.name} | {row.ours} | {row.beside} | {row.ratio:.3f} | {goal} | {'yes' if row.met else 'no'} |"
        )
    first = " and ".join(f"{rate:,.0f}/s of {limit}" for limit, rate in options.walks.items())
    lines += [
        "",
        f"Pages asked for the first time, one after another by one Python client that reads them: {first}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print, and with --record append to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=4, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", type=Path, help="file that the dated block is appended to")
    options = parser.parse_args(namespace=argparse.Namespace(walks={}))
    for program in ("nginx", "wrk"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed.")
    rows = measure(options)
    told = block(rows, options)
    print(told)
    if options.record:
        with options.record.open("a", encoding="utf-8") as file:
            file.write("\n" + told)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
