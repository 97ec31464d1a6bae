"""Compile the translations: `.po` is in the repository, `.mo` is made on each machine (no gettext needed)."""

from __future__ import annotations

import os
from pathlib import Path

import polib

HERE = Path(__file__).resolve().parent

__all__ = ["compile_all"]


def compile_all(root: Path = HERE) -> int:
    """Make each `.mo` below `root` that is missing or older than its `.po`; return how many were made."""
    made = 0
    for source in sorted(root.glob("**/locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        # Another process may be reading the old one.
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(fresh))
        fresh.replace(target)
        made += 1
    return made
