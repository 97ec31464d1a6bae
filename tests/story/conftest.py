"""The site of the story: one that is running already (`LIANFANG_STORY_URL`, `LIANFANG_STORY_DATA`), else `./run`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.story.teller import Site

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, with a browser."""
    url, data = os.environ.get("LIANFANG_STORY_URL", ""), os.environ.get("LIANFANG_STORY_DATA", "")
    process = None
    if not url:
        data = str(tmp_path_factory.mktemp("story"))
        url, process = _start(data)
    try:
        told = json.loads((Path(data) / "demo.json").read_text(encoding="utf-8"))
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            yield Site(url, told, browser)
            browser.close()
    finally:
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _start(data: str) -> tuple[str, subprocess.Popen[bytes]]:
    """Start the demonstration on a free port and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LIANFANG_", "DATABASE"))}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [str(ROOT / "run"), "--port", str(port), "--data", data]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while time.monotonic() < until:
        assert process.poll() is None, "./run ended by itself"
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return f"http://localhost:{port}", process
        except OSError:
            time.sleep(0.5)
    process.kill()
    raise AssertionError("./run did not get ready")
