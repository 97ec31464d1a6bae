"""Readers for the environment. Each fails loudly and names the variable, so that a bad value stops the start."""

import os
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit


class BadEnvironment(SystemExit):
    """A variable that is missing or cannot be used; the message is one sentence for an operator."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")


def text(name: str, default: str | None = None) -> str:
    """The variable, the content of the file that NAME_FILE points at, or the default; without any, the start stops."""
    if name in os.environ:
        return os.environ[name]
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadEnvironment(f"{name}_FILE", f"cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise BadEnvironment(f"{name}_FILE", "names a file that is not text.") from None
    if default is None:
        raise BadEnvironment(name, "must be set.")
    return default


def flag(name: str, default: bool = False) -> bool:
    """`yes`, `true`, `1`, `on` or their opposites."""
    value = os.environ.get(name, "").strip().lower()
    if value == "":
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadEnvironment(name, f"must be yes or no, not {value!r}.")


def integer(name: str, default: int) -> int:
    """A whole number."""
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise BadEnvironment(name, f"must be a whole number, not {value!r}.") from None


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated values, blanks dropped."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def database(name: str) -> dict[str, object]:
    """Django's database dictionary from a `postgresql://user:password@host:port/name` URL.

    A unix socket stands percent-encoded in the host place: `postgresql://lf_app@%2Frun%2Fpg/lianfang`.
    """
    form = "must look like postgresql://user:password@host:port/name."
    parts = _split(name, text(name), form)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise BadEnvironment(name, form)
    port = _port(name, parts)
    # Not `parts.hostname`, which would write the path of a socket in small letters.
    place = parts.netloc.rpartition("@")[2]
    host = place[1:].partition("]")[0] if place.startswith("[") else unquote(place.split(":")[0])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        # One blocking thread a worker keeps one connection; it is tested before use, so a fail-over costs one retry.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {"connect_timeout": 5},
    }


def mail(name: str, default: str) -> tuple[str, int, str, str, bool]:
    """(host, port, user, password, starttls) from `smtp://user:password@host:port` or `smtps://…` (STARTTLS)."""
    form = "must look like smtp://user:password@host:port."
    parts = _split(name, text(name, default), form)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise BadEnvironment(name, form)
    return (
        parts.hostname,
        _port(name, parts) or 25,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.scheme == "smtps",
    )


def site(name: str, default: str) -> SplitResult:
    """The address under which people reach this installation: scheme, host, perhaps a port, and nothing more."""
    form = "must look like https://lianfang.example.org, without a path."
    parts = _split(name, text(name, default).rstrip("/"), form)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts[2:] != ("", "", "") or "@" in parts.netloc:
        raise BadEnvironment(name, form)
    _port(name, parts)
    return parts


def _split(name: str, value: str, form: str) -> SplitResult:
    try:
        return urlsplit(value)
    except ValueError:
        raise BadEnvironment(name, form) from None


def _port(name: str, parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise BadEnvironment(name, "has a port that is not a number.") from None
