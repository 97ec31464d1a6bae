"""Hostile bundles: each is taken or refused in words, quickly, in little memory, and what is taken is kept to the byte.

Most go through the decoder in process; some go to the web server that `./run` starts. What was ever found here lies in
`corpus/` and is sent again each time: `FILE.json` is the body, `expected.json` says what must come of it.
"""

from __future__ import annotations

import gzip
import http.client
import json
import multiprocessing
import os
import resource
import signal
import socket
import tempfile
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from lianfang.intel import decode, intake
from lianfang.intel.models import Version
from lianfang.kernel.refusal import Refusal
from tests.exchange.stage import ALL, TAXII, Stage, indicator, stage
from tests.faults.fuzz import Mutator
from tests.faults.served import Served, served
from tests.goals import Goal, goal, tell

CORPUS = Path(__file__).parent / "corpus"
OBJECTS = f"/taxii2/alliance/collections/{ALL}/objects/"
SLOWEST = 2.0
TOGETHER = 10
CHUNK = 500
"""Bodies that a worker judges before it reports."""
REPORT = 50_000
LONGEST = 300
"""Seconds after which a worker that came no further with TOGETHER bodies is ended."""
MOST_SPACE = 3 * 2**30
"""Bytes of addresses that a worker may have."""
MOST_MIB = 300.0
ALLOWED = frozenset({202, 400, 413, 415, 422})
SEED = 20261124


# -- in process ------------------------------------------------------------------------------------------------------


@dataclass
class Judged:
    """What became of one body."""

    outcome: str
    seconds: float
    taken: list[bytes] = field(default_factory=list)


def judge(body: bytes) -> Judged:
    """Have the decoder look at one body; whatever it may not do is an AssertionError."""
    began = time.process_time()
    try:
        candidates, refused = intake.examine(body)
    except Refusal as refusal:
        _told(refusal.rule, refusal.field, refusal.reason.zh, refusal.reason.en)
        return Judged(refusal.rule, time.process_time() - began)
    seconds = time.process_time() - began
    for each in candidates:
        assert each.raw in body, "what is kept is not what came"
        assert json.loads(each.raw) == each.value
        _storable([each.id, each.text, intake._title(each.value), each.named, each.binds])
    for row in refused:
        _told(row["rule"], row["field"], row["reason"]["zh"], row["reason"]["en"])
        _storable(row)
    outcome = "taken" if candidates and not refused else "partly" if candidates else "refused" if refused else "empty"
    return Judged(outcome, seconds, [each.raw for each in candidates])


def _told(rule: str, place: str, zh: str, en: str) -> None:
    assert rule.startswith(("json-", "stix-", "pattern-", "marking-")), rule
    assert zh
    assert en
    text = rule + place + zh + en
    assert len(text) < 3_000, "a refusal repeats what came"
    text.encode()  # no lone surrogate


def _storable(row: object) -> None:
    """PostgreSQL's jsonb takes it: no NUL, no lone surrogate (which orjson refuses)."""
    assert b"\\u0000" not in orjson.dumps(row).replace(b"\\\\", b"")


def keep(body: bytes, fault: BaseException | str) -> Path:
    """Put a body that something was wrong with into the corpus, for the case that is to be written."""
    path = CORPUS / f"found-{sha256(body).hexdigest()[:12]}.json"
    path.write_bytes(body)
    print(f"kept as {path}: {fault!r}"[:2000])
    return path


@dataclass
class Found:
    """What came of some of the bodies."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    mib: float = 0.0
    """The most that one of them took."""

    def add(self, other: Found) -> None:
        self.outcomes += other.outcomes
        self.slowest = max(self.slowest, other.slowest)
        self.wrong += other.wrong
        self.mib = max(self.mib, other.mib)

    @property
    def count(self) -> int:
        return sum(self.outcomes.values()) + len(self.wrong)


def run(seed: int, first: int, count: int, standing: Path | None = None) -> Found:
    """Judge so many bodies, in a process whose death says in `standing` where it was.

    Memory is read once for every few bodies, as reading it costs as much as judging one: what they took together is no
    less than what one of them took.
    """
    mutator, found = Mutator(seed), Found()
    for start in range(first, first + count, TOGETHER):
        numbers = range(start, min(start + TOGETHER, first + count))
        if standing is not None:
            (standing / str(os.getpid())).write_text(f"{numbers[0]} to {numbers[-1]}")
            signal.alarm(LONGEST)  # by its default it ends the process, whatever holds that up
        bodies: list[tuple[int, bytes]] = []
        for number in numbers:
            try:
                bodies.append((number, mutator.body(number)))
            except Exception as fault:
                found.wrong.append(f"seed {seed} number {number}: not made, {type(fault).__name__} {fault}"[:500])
        before = _peak_from_now()
        for number, body in bodies:
            try:
                judged = judge(body)
                assert judged.seconds < SLOWEST, f"{judged.seconds:.1f} s"
            except Exception as fault:
                kept = keep(body, fault).name
                found.wrong.append(f"seed {seed} number {number}: {type(fault).__name__} {fault} ({kept})"[:500])
            else:
                found.outcomes[judged.outcome] += 1
                found.slowest = max(found.slowest, judged.seconds)
        found.mib = max(found.mib, _mib("VmHWM") - before)
    signal.alarm(0)
    return found


def _peak_from_now() -> float:
    """Forget what this process held at most, since making a body takes more than judging it; return MiB held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _mib("VmRSS")


def _mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _limited() -> None:
    """Begin a worker: what would take the machine's memory is refused it, and said; an alarm ends it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_SPACE, MOST_SPACE))


def several(
    seed: int, count: int, *, first: int = 0, processes: int, minutes: float, judging: Callable[..., Found] = run
) -> Found:
    """Judge so many bodies in several processes.

    Raises AssertionError, naming the bodies, when a worker is killed, when all together take longer than so many
    minutes, and when twenty of them came to a fault.
    """
    found, deadline = Found(), time.monotonic() + minutes * 60
    with (
        tempfile.TemporaryDirectory() as standing,
        ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), initializer=_limited) as pool,
    ):
        waiting = {
            pool.submit(judging, seed, start, min(CHUNK, count - start), Path(standing))
            for start in range(first, count, CHUNK)
        }
        try:
            while waiting:
                done, waiting = wait(waiting, max(0, deadline - time.monotonic()), FIRST_COMPLETED)
                assert done, (
                    f"{minutes:.0f} minutes are over: {found.count} judged, seed {seed} at {_standing(standing)}"
                )
                before = found.count
                for each in done:
                    found.add(part := each.result())
                    for line in part.wrong:
                        tell(f"found: {line}")
                if found.count // REPORT > before // REPORT:
                    tell(f"{found.count} of {count - first}: slowest {found.slowest:.2f} s, {found.mib:.0f} MiB")
                assert len(found.wrong) < 20, "\n".join(found.wrong[:20])
        except BrokenProcessPool:
            raise AssertionError(f"a worker was killed; seed {seed} stood at {_standing(standing)}") from None
        finally:
            for each in waiting:
                each.cancel()
            if waiting:
                for worker in list((pool._processes or {}).values()):
                    worker.kill()
    return found


def _standing(folder: str) -> str:
    return ", ".join(sorted(path.read_text() for path in Path(folder).iterdir()))


def through_the_decoder(
    seed: int, count: int, counted: Goal, *, first: int = 0, processes: int, minutes: float
) -> None:
    """Judge so many bodies, and count them towards a goal."""
    found = several(seed, count, first=first, processes=processes, minutes=minutes)
    counted.count, counted.failures = found.count, len(found.wrong)
    few = ", ".join(f"{name} {times}" for name, times in found.outcomes.most_common(8))
    counted.also = f"slowest {found.slowest:.2f} s, {found.mib:.0f} MiB; {few}"
    assert not found.wrong, "\n".join(found.wrong)
    assert found.mib < MOST_MIB / 2
    assert found.count == count - first
    # A mutator that spoils everything, or nothing, proves nothing.
    assert found.outcomes["taken"] + found.outcomes["partly"] > found.count / 20
    assert len([name for name in found.outcomes if name.startswith("json-")]) >= 6


def test_ten_thousand_bundles_through_the_decoder() -> None:
    with goal("mutated bundles through the decoder", seed=SEED) as counted:
        through_the_decoder(SEED, 10_000, counted, processes=1, minutes=5)


@pytest.mark.long
@pytest.mark.timeout(7500)
def test_fuzz_a_million_bundles_through_the_decoder() -> None:
    """LIANFANG_FUZZ_PROCESSES: how many at a time; LIANFANG_FUZZ_FIRST: where one goes on that was seen so far."""
    with goal("mutated bundles through the decoder", seed=SEED + 1) as counted:
        processes = int(os.environ.get("LIANFANG_FUZZ_PROCESSES", os.cpu_count() or 1))
        first = int(os.environ.get("LIANFANG_FUZZ_FIRST", "0"))
        through_the_decoder(SEED + 1, 980_000, counted, first=first, processes=processes, minutes=120)


def _is_killed(seed: int, first: int, count: int, standing: Path) -> Found:
    if first >= 2 * CHUNK:
        (standing / str(os.getpid())).write_text(f"{first} to {first + 9}")
        os.kill(os.getpid(), signal.SIGKILL)
    return Found(Counter(taken=count))


def _fills_the_memory(seed: int, first: int, count: int, standing: Path) -> Found:
    try:
        return Found(Counter({str(len(bytearray(2 * MOST_SPACE))): count}))
    except MemoryError:
        return Found(wrong=[f"seed {seed} number {first}: MemoryError"])


def _never_ends(seed: int, first: int, count: int, standing: Path) -> Found:
    threading.Event().wait()
    raise AssertionError


def test_a_worker_that_is_killed_is_named_and_nothing_waits_for_it() -> None:
    with pytest.raises(AssertionError, match=rf"killed; seed 1 stood at {2 * CHUNK} to {2 * CHUNK + 9}"):
        several(1, 50 * CHUNK, processes=1, minutes=1, judging=_is_killed)


def test_a_worker_gets_no_more_memory_than_its_share() -> None:
    found = several(1, CHUNK, processes=1, minutes=1, judging=_fills_the_memory)
    assert found.wrong == ["seed 1 number 0: MemoryError"]


def test_what_never_ends_is_ended() -> None:
    with pytest.raises(AssertionError, match="minutes are over"):
        several(1, 3 * CHUNK, processes=1, minutes=0.01, judging=_never_ends)


# -- what was found --------------------------------------------------------------------------------------------------


def corpus() -> dict[str, str]:
    """File -> what must come of it."""
    expected: dict[str, str] = json.loads((CORPUS / "expected.json").read_text())
    return expected


def test_every_find_has_its_expectation() -> None:
    assert {path.name for path in CORPUS.glob("*.json")} - {"expected.json"} == set(corpus())


@pytest.mark.parametrize("name", sorted(corpus()))
def test_what_was_found_once(name: str) -> None:
    judged = judge((CORPUS / name).read_bytes())
    assert judged.outcome == corpus()[name]
    assert judged.seconds < SLOWEST


# -- poison by name (trust.md F09, F11) ------------------------------------------------------------------------------


def _one(**properties: Any) -> bytes:
    return json.dumps({"objects": [indicator(1, **properties)]}).encode()


def _raw(value: str, name: str = "description") -> bytes:
    return _one(**{name: "@@"}).replace(b'"@@"', value.encode("utf-8", "surrogatepass"))


def _chain(count: int) -> bytes:
    """Notes about notes: each names the one before it, the first the last."""
    ids = [f"note--00000000-0000-4000-8000-{number:012x}" for number in range(count)]
    when = {"spec_version": "2.1", "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z"}
    notes = [
        {"type": "note", "id": one, "content": "x", "object_refs": [ids[number - 1]]} | when
        for number, one in enumerate(ids)
    ]
    return json.dumps({"objects": notes}, separators=(",", ":")).encode()


def _ten(**properties: Any) -> bytes:
    return json.dumps({"objects": [indicator(n, **properties) for n in range(10)]}, separators=(",", ":")).encode()


def _patterns(count: int) -> bytes:
    """Each is one comparison, and a second's work for the parser in every three of them."""
    objects = [indicator(number, pattern=f"[abc:def IN ({number}" + ",1" * 1_000 + ")]") for number in range(count)]
    return json.dumps({"objects": objects}, separators=(",", ":")).encode()


POISON: dict[str, tuple[Callable[[], bytes], str]] = {
    "nested 100,000 deep": (lambda: _raw("[" * 100_000 + "]" * 100_000), "json-depth"),
    "nested 100,000 deep, in the body": (lambda: b'{"x":' + b"[" * 100_000, "json-depth"),
    "objects nested 65 deep": (lambda: _raw('{"a":' * 65 + "1" + "}" * 65), "refused"),
    "10 to the 5000th": (lambda: _raw("1" + "0" * 5000), "refused"),
    "1e5000": (lambda: _raw("1e5000"), "refused"),
    "NaN": (lambda: _raw("NaN"), "json-nan"),
    "2 to the 70th": (lambda: _raw(str(2**70), "confidence"), "refused"),
    "NUL": (lambda: _raw(r'"a\u0000"'), "refused"),
    "a lone surrogate": (lambda: _raw(r'"\ud800"'), "json-surrogate"),
    "an encoded surrogate": (lambda: _raw('"\ud800"'), "refused"),
    "not UTF-8": (lambda: _one().replace(b"h1", b"\xfe"), "refused"),
    "not UTF-8, in the body": (lambda: b'{"x":"\xfe",' + _one()[1:], "json-utf-8"),
    "UTF-16": (lambda: _one().decode().encode("utf-16"), "json-utf-8"),
    "a property twice": (lambda: _one().replace(b'"name":', b'"name":"x","name":'), "refused"),
    "objects twice": (lambda: _one().replace(b'"objects":', b'"objects":[],"objects":'), "json-duplicate-member"),
    "compressed": (lambda: gzip.compress(_one()), "json-utf-8"),
    "a text of 900 kB": (lambda: _raw('"' + "長" * 300_000 + '"'), "taken"),
    "a text of 2 MB": (lambda: _one(description="長" * 700_000), "refused"),
    "10,001 objects": (lambda: b'{"objects":[' + b",".join([b"{}"] * 10_001) + b"]}", "json-too-many"),
    "10,000 empty objects": (lambda: b'{"objects":[' + b",".join([b"{}"] * 10_000) + b"]}", "refused"),
    "60,000 names": (lambda: _raw("{" + ",".join(f'"x_{n}":{n}' for n in range(60_000)) + "}", "x_many"), "taken"),
    "directions and confusables": (lambda: _one(name="\u202eexe.gpj", description="раураl"), "taken"),
    "a type that backtracks": (lambda: _one(type="a" * 30 + "!"), "refused"),
    "a type of 249 that backtracks": (lambda: _one(type="a" * 249 + "!"), "refused"),
    "an extension that backtracks": (lambda: _one(extensions={"a" * 249 + "!": {"a": 1}}), "refused"),
    "a pattern of a backtracking expression": (lambda: _one(pattern="[abc:def MATCHES '(a+)+$']"), "taken"),
    "a pattern of 900 terms": (lambda: _one(pattern="[abc:def = 1" + " OR abc:def = 1" * 900 + "]"), "refused"),
    "a pattern of 900 brackets": (lambda: _one(pattern="(" * 900 + "[abc:def = 1]" + ")" * 900), "refused"),
    "a pattern that does not end": (lambda: _one(pattern="[abc:def = '" + "x" * 9_980), "refused"),
    "a pattern of comments": (lambda: _one(pattern="/*" * 4_900), "refused"),
    "2,000 notes in a circle": (lambda: _chain(2_000), "taken"),
    "4,000 patterns of long lists": (lambda: _patterns(4_000), "partly"),
    "ten times 29,000 wrong labels": (lambda: _ten(labels=[1] * 29_000), "refused"),
    "ten times 29,000 labels, the last one wrong": (lambda: _ten(labels=["a"] * 29_000 + [1]), "refused"),
    "ten times 14,000 references to nothing": (lambda: _ten(external_references=[{"a": 1}] * 14_000), "refused"),
    "ten times 20,000 numbers with fractions": (lambda: _ten(x_many=[1.5] * 20_000), "taken"),
    "ten times 500,000 numbers": (lambda: _ten(x_many=[1] * 500_000), "json-too-many-values"),
    "half a million brackets, sixty deep": (
        lambda: _raw("[" + ",".join(["[" * 60 + "1" + "]" * 60] * 8_500) + "]", "x_many"), "json-too-many-values"),
    "three million brackets beside the objects": (
        lambda: b'{"x":[' + b",".join([b"[]"] * 3_000_000) + b'],"objects":[]}', "json-too-long"),
    "a text of a million commas": (lambda: _one(description=",[{" * 340_000), "taken"),
}  # fmt: skip


@pytest.mark.parametrize("name", POISON)
def test_poison_through_the_decoder(name: str) -> None:
    made, expected = POISON[name]
    body = made()
    before = _peak_from_now()
    judged = judge(body)
    assert judged.outcome == expected
    assert judged.seconds < SLOWEST
    assert _mib("VmHWM") - before < MOST_MIB / 2


@pytest.mark.parametrize(
    "pattern",
    [
        "[abc:def MATCHES '(a+)+$']",
        "[abc:def = 1" + " OR abc:def = 1" * 199 + "]",
        "(" * 32 + "[abc:def = 1]" + ")" * 32,
        "[abc:def = 1" + " OR abc:def = 1" * 900 + "]",
        "(" * 900 + "[abc:def = 1]" + ")" * 900,
        "[abc:def = '" + "x" * 9_980,
        "/*" * 4_900,
        "[abc:def = " + "9" * 9_900 + "]",
        "[abc:" + "bcd." * 4_900 + "cde = 1]",
        '"' * 9_000,
        "\\" * 9_000,
        " " * 9_990,
        "[" + "NOT " * 2_400 + "abc:def = 1]",
        "[abc:def = 1]" + " REPEATS 2 TIMES" * 600,
        "[abc:def IN (" + "1," * 4_900 + "1)]",
        "[abc:def" + "[*]" * 3_000 + " = 1]",
        "[abc:def = 1] AND " * 199 + "[abc:def = 1]",
        "[abc:def='" + "\\'" * 4_900 + "']",
    ],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    judge(_one(pattern="[abc:def = 2]/**/"))  # the grammar is loaded
    spent = min(judge(_one(pattern=pattern + " " * extra)).seconds for extra in (0, 1, 2))
    assert spent < 0.3


# -- at the server ---------------------------------------------------------------------------------------------------


@dataclass
class Target:
    """The server of `./run` with a world behind it."""

    server: Served
    stage: Stage
    sent: dict[str, list[bytes]] = field(default_factory=dict)
    """Id -> the bodies in which an object of this id was taken."""
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    """The longest answer, with whatever else the machine was at."""
    busiest: float = 0.0
    """The most processor time that the server took for one that was sent once more, alone."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Condition = field(default_factory=threading.Condition)
    under_way: int = 0
    alone: bool = False

    def send(self, body: bytes, session: requests.Session) -> requests.Response:
        """Hand in one body as a member's machine does. One that took long is sent once more, with a space at its end
        and nothing beside it: then it is the server's processor time that counts, since other work may keep the machine
        busy as well."""
        with self.turn:
            self.turn.wait_for(lambda: not self.alone)
            self.under_way += 1
        try:
            answer, seconds = self._sent(body, session)
        finally:
            with self.turn:
                self.under_way -= 1
                self.turn.notify_all()
        with self.lock:
            self.slowest = max(self.slowest, seconds)
        if seconds >= SLOWEST:
            self._again(body, session, answer.status_code)
        return answer

    def _again(self, body: bytes, session: requests.Session, status: int) -> None:
        with self.turn:
            self.turn.wait_for(lambda: not self.alone)
            self.alone = True
            self.turn.wait_for(lambda: not self.under_way)
        try:
            before = self.server.busy()
            again, _ = self._sent(body + b" ", session)
            busy = self.server.busy() - before
        finally:
            with self.turn:
                self.alone = False
                self.turn.notify_all()
        assert again.status_code == status
        self.busiest = max(self.busiest, busy)
        if busy >= SLOWEST:
            keep(body, problem := f"{busy:.1f} s of processor time")
            raise AssertionError(problem)

    def _sent(self, body: bytes, session: requests.Session) -> tuple[requests.Response, float]:
        began = time.monotonic()
        answer = session.post(
            self.server.url + OBJECTS,
            data=body,
            headers={"Content-Type": TAXII, "Accept": TAXII},
            auth=self.stage.jia.auth,
            timeout=120,
        )
        seconds = time.monotonic() - began
        with self.lock:
            self.statuses[answer.status_code] += 1
        if answer.status_code not in ALLOWED:
            keep(body, problem := f"{answer.status_code} {answer.text[:300]}")
            raise AssertionError(problem)
        if answer.status_code == 202:
            with self.lock:
                for one in answer.json().get("successes", ()):
                    self.sent.setdefault(one["id"], []).append(body)
        else:
            assert answer.json()["http_status"] == str(answer.status_code)
        return answer, seconds

    def figures(self) -> str:
        """What is said beside the count."""
        return (
            f"slowest {self.slowest:.2f} s, of processor time where sent again {self.busiest:.2f} s,"
            f" {self.server.peak():.0f} MiB, {dict(self.statuses)}"
        )

    def check(self) -> None:
        """Everything taken is kept, and served, to the byte; nothing was said of our inside; little memory was used."""
        kept = 0
        for stix_id, original in Version.objects.values_list("item__stix_id", "original").iterator():
            assert any(bytes(original) in body for body in self.sent[stix_id]), stix_id
            kept += 1
        assert set(self.sent) == set(Version.objects.values_list("item__stix_id", flat=True))
        assert kept
        assert "Traceback" not in self.server.said()
        assert self.server.peak() < MOST_MIB, f"{self.server.peak():.0f} MiB"

    def check_pages(self) -> int:
        """Read everything as another member's machine; return how many objects it was given."""
        given, query = 0, "?limit=500"
        while True:
            page = requests.get(
                f"{self.server.url}{OBJECTS}{query}", headers={"Accept": TAXII}, auth=self.stage.yi.auth, timeout=30
            )
            assert page.status_code == 200
            said = orjson.loads(page.content)
            for raw in decode.split(page.content) if "objects" in said else ():
                stix_id = orjson.loads(raw)["id"]
                if stix_id in self.sent:  # marking definitions come along by themselves
                    assert any(raw in body for body in self.sent[stix_id]), raw[:300]
                    given += 1
            if not said.get("more"):
                return given
            query = f"?limit=500&next={said['next']}"


@pytest.fixture(scope="module")
def target(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One server and one world for this file."""
    with django_db_blocker.unblock(), stage() as found, served(tmp_path_factory.mktemp("web")) as server:
        yield Target(server, found)


def throw(target: Target, seed: int, count: int, *, threads: int) -> None:
    """Send so many bodies, several at a time."""
    mutator = Mutator(seed)
    sessions = threading.local()

    def one(number: int) -> None:
        if not hasattr(sessions, "own"):
            sessions.own = requests.Session()
        target.send(mutator.body(number), sessions.own)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(one, number) for number in range(count)]:
            done.result()


def test_three_hundred_bundles_at_the_server(target: Target) -> None:
    with goal("mutated bundles at the server", seed=SEED) as counted:
        throw(target, SEED + 2, 300, threads=3)
        counted.count = 300
        target.check()
        given = target.check_pages()
        counted.also = target.figures()
    assert given
    assert target.statuses[202] > 30


@pytest.mark.long
@pytest.mark.timeout(7000)
def test_fuzz_twenty_thousand_bundles_at_the_server(target: Target) -> None:
    with goal("mutated bundles at the server", seed=SEED + 3) as counted:
        throw(target, SEED + 3, 20_000, threads=4)
        counted.count = 20_000
        target.check()
        target.check_pages()
        counted.also = target.figures()


def test_poison_at_the_server(target: Target) -> None:
    session = requests.Session()
    for name, (made, expected) in POISON.items():
        answer = target.send(made(), session)
        wanted = 202 if expected in ("taken", "partly", "refused", "empty") else 422 if "-too-" in expected else 400
        assert answer.status_code == wanted, (name, answer.text[:300])
    target.check()


def _headers(target: Target, **more: str) -> dict[str, str]:
    secret = b64encode(":".join(target.stage.jia.auth).encode()).decode()
    return {"Content-Type": TAXII, "Accept": TAXII, "Authorization": f"Basic {secret}"} | more


def test_a_hundred_megabytes_are_refused_before_they_are_read(target: Target) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", target.server.port, timeout=10)
    connection.putrequest("POST", OBJECTS)
    for name, value in _headers(target, **{"Content-Length": str(100 * 2**20)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    began = time.monotonic()
    answer = connection.getresponse()
    assert answer.status == 413
    assert time.monotonic() - began < SLOWEST
    connection.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_compressed_body_is_refused_unopened(target: Target, coding: str) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    answer = requests.post(
        target.server.url + OBJECTS, data=bomb, headers=_headers(target, **{"Content-Encoding": coding}), timeout=10
    )
    assert answer.status_code == 415
    assert target.server.peak() < MOST_MIB


def test_a_body_in_endless_chunks_ends_at_the_limit(target: Target) -> None:
    """It declares no length: past the limit it is cut off, whatever is still to come."""
    with socket.create_connection(("127.0.0.1", target.server.port), timeout=20) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in _headers(target).items())
        connection.sendall(
            f"POST {OBJECTS} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n{head}\r\n".encode()
        )
        chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
        try:
            for _ in range(64):
                connection.sendall(chunk)
        except OSError:
            pass  # it does not listen any more
        try:
            said = connection.recv(64)
        except OSError:
            said = b""
    assert not said or int(said.split()[1]) in (411, 413)
    assert target.server.peak() < MOST_MIB
