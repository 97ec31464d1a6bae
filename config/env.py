"""Readers for the environment. Each fails loudly and names the variable, so that a bad value stops the start."""

import os
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit


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


def loopback_providers(name: str, *, demo: bool) -> bool:
    """Whether identity providers on this machine may be asked over http; outside the demonstration nothing may."""
    allowed = flag(name)
    if allowed and not demo:
        raise BadEnvironment(name, "works in the demonstration alone.")
    return allowed


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


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated addresses and networks."""
    try:
        return [ip_network(part) for part in listing(name)]
    except ValueError:
        raise BadEnvironment(name, "must list addresses or networks, such as 127.0.0.1, 10.0.0.0/8.") from None


_FORM = "must look like postgresql://user:password@host:port/name."
# What may follow the `?` of a database's address; anything else is a slip of the pen.
_PARAMETERS = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "target_session_attrs", "connect_timeout"}
)
# With a standby: only the one that takes writes, and a host that fell silent is given up within seconds.
_SEVERAL: dict[str, object] = {
    "target_session_attrs": "read-write", "connect_timeout": 3, "keepalives_idle": 10, "keepalives_interval": 5,
    "keepalives_count": 3, "tcp_user_timeout": 15_000,
}  # fmt: skip


def database(name: str) -> dict[str, object]:
    """Django's database dictionary from a `postgresql://user:password@host:port/name` URL.

    A unix socket stands percent-encoded in the host place: `postgresql://lf_app@%2Frun%2Fpg/lianfang`. A primary and
    its standby stand there both, with a comma between them: whichever takes writes is used. `?sslmode=verify-full` and
    its like may follow the name.
    """
    parts = _split(name, text(name), _FORM)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise BadEnvironment(name, _FORM)
    places = [_place(name, one) for one in parts.netloc.rpartition("@")[2].split(",")]
    several = len(places) > 1
    if several and not all(host for host, _ in places):
        raise BadEnvironment(name, _FORM)
    ports = [port for _, port in places]
    return {
        "ENGINE": "config.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": ",".join(host for host, _ in places),
        "PORT": ",".join(port or "5432" for port in ports) if several else ports[0],
        # One blocking thread a worker keeps one connection; it is tested before use, so a fail-over costs one retry.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {"connect_timeout": 5} | (_SEVERAL if several else {}) | _parameters(name, parts.query),
    }


def _place(name: str, text_: str) -> tuple[str, str]:
    """(host, port) of one host; not by urllib, which would write the path of a socket in small letters."""
    if text_.startswith("["):
        host, _, rest = text_[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text_.partition(":")
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) <= 65535):
        raise BadEnvironment(name, "has a port that is not a number.")
    return unquote(host), str(int(port)) if port else ""


def _parameters(name: str, query: str) -> dict[str, object]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(given.keys() - _PARAMETERS):
        raise BadEnvironment(name, f"has a parameter that is not known here: {', '.join(unknown)}.")
    return dict(given)


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


def mailbox(name: str, default: str) -> str:
    """An address that takes `local+anything@domain`, in ASCII; the local part leaves room for the number of a case."""
    value = text(name, default).strip()
    local, _, domain = value.rpartition("@")
    if value and not (re.fullmatch(r"[A-Za-z0-9._-]{1,24}", local) and re.fullmatch(r"[A-Za-z0-9.-]{1,200}", domain)):
        raise BadEnvironment(name, "must be one address such as centre@example.org, up to 24 characters before the @.")
    return value


@dataclass(frozen=True)
class Imap:
    """A mailbox on an IMAP server. `security`: tls (from the first byte), starttls, or none (this machine only)."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: str
    folder: str


def imap(name: str) -> Imap | None:
    """The mailbox from `imaps://user:password@host:993/INBOX`; `imap+starttls://…` too; None when it is not set.

    `imap://`, without TLS, is for a server on this machine alone.
    """
    value = text(name, "")
    if not value:
        return None
    form = "must look like imaps://user:password@host:993/INBOX."
    parts = _split(name, value, form)
    security = {"imaps": "tls", "imap+starttls": "starttls", "imap": "none"}.get(parts.scheme)
    if security is None or not parts.hostname or not parts.username:
        raise BadEnvironment(name, form)
    if security == "none" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise BadEnvironment(name, "must use imaps:// or imap+starttls:// for a server on another machine.")
    return Imap(
        parts.hostname,
        _port(name, parts) or (993 if security == "tls" else 143),
        unquote(parts.username),
        unquote(parts.password or ""),
        security,
        unquote(parts.path.strip("/")) or "INBOX",
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
