"""The folder given by `--data`: what lies in it, how it is known again, and what `--reset` removes.

DIR/lock          held while Lianfang runs on DIR
DIR/folder.json   where the database of DIR lies, whether it is a demo
DIR/postgres/     the database (for root: /var/lib/lianfang/<hash of DIR's real path>)
DIR/master.key    the master key; without it the personal data of the database is noise
DIR/secret.key    signs sessions
DIR/environment   how the operator's commands find all this
DIR/demo.json     the demo's accounts
DIR/files, mailbox, static, logs
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from lianfang import embedded, roles
from lianfang.embedded import Cluster, Unavailable

__all__ = ["DataFolder"]

_OURS = (
    "folder.json",
    "master.key",
    "audit-signing.key",
    "secret.key",
    "environment",
    "demo.json",
    "demo.json.new",
    "prepared",
    "postgres",
    "files",
    "mailbox",
    "static",
    "logs",
)


@dataclass(frozen=True)
class DataFolder:
    """`path` is the real path; `demo` says what it is to be used for."""

    path: Path
    demo: bool

    @property
    def cluster(self) -> Path:
        """Where the embedded database of this folder lies."""
        return embedded.store_for(self.path)

    @property
    def master_key(self) -> Path:
        return self.path / "master.key"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @classmethod
    def opened(cls, path: Path, *, demo: bool) -> DataFolder:
        """Make the folder if need be. Raises Unavailable when it cannot be used."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            real = path.resolve(strict=True)
            (real / "logs").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"The data folder {path} cannot be used: {error.strerror}.") from None
        if not os.access(real, os.W_OK | os.X_OK):
            raise Unavailable(f"The data folder {path} cannot be used: it belongs to somebody else.")
        return cls(real, demo)

    def reset(self) -> None:
        """Remove what Lianfang put into this folder, and its database; nothing else, nowhere else."""
        note = self._note()
        if note is None and not self.cluster.exists() and not self.master_key.exists():
            return
        if self.cluster != self.path / "postgres":
            shutil.rmtree(self.cluster, ignore_errors=True)
        for name in _OURS:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self.logs.mkdir(mode=0o700)

    def empty(self) -> bool:
        """Whether nothing of Lianfang lies here or in the place of its database."""
        places = (self.cluster, *(self.path / name for name in _OURS if name != "logs"))
        return not any(place.exists() for place in places)

    def environment(self, cluster: Cluster, *, base_url: str) -> dict[str, str]:
        """What web, worker and the operator's commands need to know."""
        return {
            "DATABASE_URL": cluster.url(roles.APP),
            "DATABASE_OWNER_URL": cluster.url(roles.OWNER),
            "LIANFANG_BASE_URL": base_url,
            "LIANFANG_DATA": str(self.path),
            "LIANFANG_DEMO": "yes" if self.demo else "no",
            "LIANFANG_KEY_FILE": str(self.master_key),
            "LIANFANG_SECRET_KEY": self.secret("secret.key"),
        }

    def check(self) -> None:
        """Raises Unavailable, in one sentence, for a folder that was moved, mixed up, or has lost a part."""
        note = self._note()
        begun = (self.cluster / "pg").exists()
        if note is None:
            # With its keys there it is a first start that was interrupted, which may go on.
            if begun and not self.master_key.exists():
                raise Unavailable(
                    f"{self.cluster} holds the database of an earlier {self.path} whose keys are gone; "
                    "put the folder back, or start again with --reset, which removes both."
                )
            return
        self._check_place(note)
        if note.get("demo") is not self.demo:
            kind, other = ("a demo", "without --no-demo") if note.get("demo") else ("no demo", "with --no-demo")
            raise Unavailable(f"{self.path} holds {kind}: start {other}, or name another folder with --data.")
        if not begun:
            raise Unavailable(
                f"The database of {self.path} is gone from {self.cluster}: restore a backup, "
                "or start again with --reset."
            )
        if not self.master_key.exists():
            raise Unavailable(
                f"{self.master_key} is missing, and without it the data cannot be read: put it back from your backup, "
                "or start again with --reset."
            )

    def _check_place(self, note: dict[str, object]) -> None:
        noted = Path(str(note.get("cluster")))
        if noted == self.cluster:
            return
        before = note.get("data")
        if noted == Path(str(before)) / "postgres" and not embedded.is_root():
            return  # the database lies inside and moved along
        if embedded.is_root() and noted.parent == embedded.ROOT_STORE:
            raise Unavailable(
                f"{self.path} was moved or copied from {before}, its database still lies in {noted}: move the folder "
                "back, or move data by lianfang backup and restore, or start again with --reset."
            )
        raise Unavailable(
            f"{self.path} was made by another user (its database lies in {noted}): run as that user, "
            "or name another folder with --data."
        )

    def note(self) -> None:
        """Remember where the database lies; written once the database is there."""
        note = {"data": str(self.path), "cluster": str(self.cluster), "demo": self.demo}
        self.write("folder.json", json.dumps(note, indent=1) + "\n")

    def secret(self, name: str) -> str:
        """The content of the secret file `name`, made on first use; nobody but its owner can ever read it."""
        path = self.path / name
        if not path.exists():
            self.write(name, secrets.token_hex(32) + "\n")
        return path.read_text().strip()

    def write(self, name: str, content: str) -> None:
        """Write the private file `name` whole or not at all."""
        fresh = self.path / f".{name}.{os.getpid()}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / name)

    def prepared(self) -> dict[str, str]:
        """Which steps of a start were done, and on what; nothing when that cannot be known."""
        try:
            found = json.loads((self.path / "prepared").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _note(self) -> dict[str, object] | None:
        path = self.path / "folder.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise Unavailable(f"{path} cannot be read: restore a backup, or start again with --reset.")
        return found
