"""A fresh clone, empty caches, Debian's own Python: as root below its home, and as an ordinary user below his."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lianfang import embedded
from tests.database import ROOT
from tests.platform.running import free_port

pytestmark = [pytest.mark.fresh, pytest.mark.timeout(900)]
NOBODY = 65534
# How a machine reaches its package index is its own affair; where it keeps what it has fetched is what must be empty.
CACHES = {"PIP_CACHE_DIR", "UV_CACHE_DIR", "XDG_CACHE_HOME"}


@dataclass
class Clone:
    """A clone and who runs it."""

    folder: Path
    home: Path
    prefix: list[str]

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "REQUESTS_"))
        }
        kept |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        kept = {name: value for name, value in kept.items() if name not in CACHES}
        return kept | {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def start(self, port: int, *words: str) -> tuple[subprocess.Popen[bytes], float]:
        """`./run` until it is ready; how many seconds that took."""
        began, said = time.monotonic(), self.home / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(
                [*self.prefix, "./run", "--port", str(port), *words],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        while b"Ctrl-C stops everything" not in said.read_bytes():
            assert process.poll() is None, said.read_text()
            if time.monotonic() - began > 400:
                process.terminate()
                pytest.fail(said.read_text())
            time.sleep(0.1)
        return process, time.monotonic() - began


@pytest.fixture(params=["root", "user"])
def clone(request: pytest.FixtureRequest) -> Iterator[Clone]:
    if not embedded.is_root() and request.param == "root":
        pytest.skip("only root can be root")
    above = Path.home() if request.param == "root" or not embedded.is_root() else Path("/var/tmp")
    home = Path(tempfile.mkdtemp(prefix="lf-fresh-", dir=above))
    folder = home / "lianfang"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(folder)], check=True, timeout=120)
    prefix: list[str] = []
    if embedded.is_root() and request.param == "user":
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        prefix = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    yield Clone(folder, home, prefix)
    if embedded.is_root():
        shutil.rmtree(embedded.store_for(folder / "var"), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def test_the_story_from_a_fresh_clone(clone: Clone) -> None:
    port = free_port()
    process, cold = clone.start(port)
    try:
        told = {"LIANFANG_STORY_URL": f"http://localhost:{port}", "LIANFANG_STORY_DATA": str(clone.folder / "var")}
        story = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/story"],
            cwd=ROOT,
            env=os.environ | told,
            timeout=600,
            check=False,
        )
        assert story.returncode == 0
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    again, warm = clone.start(port)
    again.send_signal(signal.SIGINT)
    assert again.wait(60) == 0
    print(f"\n{'root' if not clone.prefix else 'user'}: cold {cold:.1f} s, warm {warm:.1f} s")
    changed = subprocess.run(
        ["git", "-c", "safe.directory=*", "status", "--porcelain"],
        cwd=clone.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert changed.stdout == ""
