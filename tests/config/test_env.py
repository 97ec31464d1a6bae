"""A value of the environment that cannot be used stops the start in one sentence that names the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import env
from config.env import BadEnvironment
from tests.database import ROOT

pytestmark = pytest.mark.fast
NAME = "LIANFANG_TEST_VALUE"
calm = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stops(reader: Callable[[], object]) -> str:
    """The sentence with which it stops."""
    with pytest.raises(BadEnvironment) as stopped:
        reader()
    said = str(stopped.value)
    assert said.startswith(NAME)
    assert "\n" not in said
    return said


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.delenv(f"{NAME}_FILE", raising=False)


# Text and files


def test_text_comes_from_the_variable_the_file_or_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.text(NAME, "default") == "default"
    secret = tmp_path / "secret"
    secret.write_text("  from the file\n", encoding="utf-8")
    monkeypatch.setenv(f"{NAME}_FILE", str(secret))
    assert env.text(NAME, "default") == "from the file"
    monkeypatch.setenv(NAME, "from the variable")
    assert env.text(NAME, "default") == "from the variable"


def test_an_empty_variable_is_a_value_and_no_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "")
    assert env.text(NAME, "default") == ""
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "never looked at"))
    assert env.text(NAME) == ""


def test_what_is_needed_and_absent_is_named() -> None:
    assert stops(lambda: env.text(NAME)) == f"{NAME} must be set."


def test_a_file_that_cannot_be_read_is_named_with_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "nothing"))
    assert stops(lambda: env.text(NAME, "default")) == f"{NAME}_FILE cannot be read: No such file or directory."
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path))
    assert "Is a directory" in stops(lambda: env.text(NAME))


def test_a_file_of_bytes_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00secret")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "key"))
    said = stops(lambda: env.text(NAME))
    assert "not text" in said
    assert "secret" not in said


# Flags, numbers, lists


@pytest.mark.parametrize(
    ("typed", "read"),
    [("yes", True), ("TRUE", True), (" 1 ", True), ("On", True), ("no", False), ("False", False), ("0", False),
     ("OFF", False), ("", False), ("   ", False)],
)  # fmt: skip
def test_a_flag_is_read_however_it_is_written(monkeypatch: pytest.MonkeyPatch, typed: str, read: bool) -> None:
    monkeypatch.setenv(NAME, typed)
    assert env.flag(NAME) is read


def test_a_flag_that_is_not_set_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.flag(NAME) is False
    assert env.flag(NAME, True) is True
    monkeypatch.setenv(NAME, "")
    assert env.flag(NAME, True) is True
    monkeypatch.setenv(NAME, "no")
    assert env.flag(NAME, True) is False


@pytest.mark.parametrize("typed", ["yess", "2", "ja", "是", "y", "t", "none", "true false"])
def test_anything_else_is_no_flag(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setenv(NAME, typed)
    assert stops(lambda: env.flag(NAME)) == f"{NAME} must be yes or no, not {typed!r}."


@pytest.mark.parametrize(("typed", "read"), [("7", 7), (" 10485760 ", 10485760), ("-1", -1), ("", 5), (" ", 5)])
def test_a_whole_number(monkeypatch: pytest.MonkeyPatch, typed: str, read: int) -> None:
    monkeypatch.setenv(NAME, typed)
    assert env.integer(NAME, 5) == read


@pytest.mark.parametrize("typed", ["7.0", "ten", "0x10", "1e3", "10 MB", "9" * 5000])
def test_no_whole_number(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setenv(NAME, typed)
    assert "must be a whole number" in stops(lambda: env.integer(NAME, 5))


@pytest.mark.parametrize(
    ("typed", "read"),
    [("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("", []), (",,", []), ("one", ["one"])],
)
def test_a_list_drops_what_is_blank(monkeypatch: pytest.MonkeyPatch, typed: str, read: list[str]) -> None:
    monkeypatch.setenv(NAME, typed)
    assert env.listing(NAME, "default") == read
    monkeypatch.delenv(NAME)
    assert env.listing(NAME, "x, y") == ["x", "y"]


def test_networks_are_addresses_or_ranges_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.networks(NAME) == []
    monkeypatch.setenv(NAME, "127.0.0.1, 10.0.0.0/8,2001:db8::/32")
    assert [str(one) for one in env.networks(NAME)] == ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]
    for wrong in ("proxy.example.org", "10.0.0.1/8", "*", "10.0.0.0/33"):
        monkeypatch.setenv(NAME, wrong)
        assert "networks" in stops(lambda: env.networks(NAME))


# Database


def database(monkeypatch: pytest.MonkeyPatch, url: str) -> dict[str, object]:
    monkeypatch.setenv(NAME, url)
    return env.database(NAME)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_every_part_of_a_database_address(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    found = database(monkeypatch, f"{scheme}://lf_app:p%40ss%3Aw%2Ford@db.example.org:6432/lian%20fang")
    assert {name: found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")} == {
        "USER": "lf_app", "PASSWORD": "p@ss:w/ord", "HOST": "db.example.org", "PORT": "6432", "NAME": "lian fang",
    }  # fmt: skip
    # Actions open their transactions themselves, and a worker keeps one connection that it tests before use.
    assert found["ATOMIC_REQUESTS"] is False
    assert found["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize(
    ("place", "host", "port"),
    [
        ("%2Fvar%2Frun%2FPostgreSQL", "/var/run/PostgreSQL", ""),
        ("%2Ftmp%2Flf:6000", "/tmp/lf", "6000"),
        ("[2001:db8::7]:6000", "2001:db8::7", "6000"),
        ("[::1]", "::1", ""),
        ("127.0.0.1", "127.0.0.1", ""),
        ("", "", ""),
    ],
)
def test_every_way_to_name_the_place(monkeypatch: pytest.MonkeyPatch, place: str, host: str, port: str) -> None:
    found = database(monkeypatch, f"postgresql://lf_app@{place}/lianfang")
    assert (found["HOST"], found["PORT"], found["USER"], found["NAME"]) == (host, port, "lf_app", "lianfang")


@pytest.mark.parametrize(
    "url",
    ["", "lianfang", "mysql://a@b/c", "sqlite:///x", "postgresql://host", "postgresql://host/", "postgresql:///",
     "postgresql://[::1/lianfang", "//host/lianfang", "http://host/lianfang"],
)  # fmt: skip
def test_what_is_no_database_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert "postgresql://user:password@host:port/name" in stops(lambda: database(monkeypatch, url))


@pytest.mark.parametrize(
    ("places", "host", "port"),
    [
        ("db1.example.org,db2.example.org", "db1.example.org,db2.example.org", "5432,5432"),
        ("db1:6432,db2", "db1,db2", "6432,5432"),
        ("%2Frun%2FA,%2Frun%2FB:6000", "/run/A,/run/B", "5432,6000"),
        ("[2001:db8::7]:6000,[2001:db8::8]", "2001:db8::7,2001:db8::8", "6000,5432"),
    ],
)
def test_of_a_primary_and_its_standby_the_one_that_takes_writes_is_used(
    monkeypatch: pytest.MonkeyPatch, places: str, host: str, port: str
) -> None:
    found = database(monkeypatch, f"postgresql://lf_app:p@{places}/lianfang")
    assert (found["HOST"], found["PORT"], found["USER"]) == (host, port, "lf_app")
    options = found["OPTIONS"]
    assert isinstance(options, dict)
    assert options["target_session_attrs"] == "read-write"
    assert options["connect_timeout"] <= 3
    assert found["CONN_HEALTH_CHECKS"] is True
    assert "target_session_attrs" not in database(monkeypatch, "postgresql://lf_app@db/lianfang")["OPTIONS"]  # type: ignore[operator]


def test_what_follows_the_name_is_handed_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    found = database(monkeypatch, "postgresql://lf_app@db/n?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem")
    assert found["OPTIONS"] == {"connect_timeout": 5, "sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}
    assert "sslmod" in stops(lambda: database(monkeypatch, "postgresql://u:hidden@db/n?sslmod=verify-full"))
    assert "hidden" not in stops(lambda: database(monkeypatch, "postgresql://u:hidden@db/n?x=y"))
    for places in ("db1,", ",db2", "db1,,db3"):
        assert "must look like" in stops(lambda places=places: database(monkeypatch, f"postgresql://u@{places}/n"))  # type: ignore[misc]


@pytest.mark.parametrize("port", ["five", "99999", "-1", "5432x"])
def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    assert "port" in stops(lambda: database(monkeypatch, f"postgresql://u:hidden@h:{port}/n"))


def test_no_password_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("mysql://u:hidden@h/n", "postgresql://u:hidden@h:x/n", "postgresql://u:hidden@[h/n"):
        assert "hidden" not in stops(lambda url=url: database(monkeypatch, url))  # type: ignore[misc]


@calm
@given(
    user=st.text("abcXYZ:@/%? é中", min_size=1, max_size=8),
    password=st.text("abcXYZ:@/%? é中", max_size=8),
    name=st.text("abcXYZ_- 中", min_size=1, max_size=8).filter(lambda text: text.strip("/")),
)
def test_whatever_is_percent_encoded_comes_back(
    monkeypatch: pytest.MonkeyPatch, user: str, password: str, name: str
) -> None:
    quoted = [quote(part, safe="") for part in (user, password, name)]
    found = database(monkeypatch, f"postgresql://{quoted[0]}:{quoted[1]}@db:1/{quoted[2]}")
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == (user, password, name)


# Mail


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://localhost:25", ("localhost", 25, "", "", False)),
        ("smtp://mail.example.org", ("mail.example.org", 25, "", "", False)),
        ("smtps://u%40x:p%3Aw@mail.example.org:587", ("mail.example.org", 587, "u@x", "p:w", True)),
        ("smtp://[::1]:1025", ("::1", 1025, "", "", False)),
    ],
)
def test_the_mail_server(monkeypatch: pytest.MonkeyPatch, url: str, read: tuple[object, ...]) -> None:
    monkeypatch.setenv(NAME, url)
    assert env.mail(NAME, "smtp://default:1") == read
    monkeypatch.delenv(NAME)
    assert env.mail(NAME, "smtp://default:1")[:2] == ("default", 1)


@pytest.mark.parametrize("url", ["", "localhost:25", "http://mail", "smtp://", "smtp://:25", "smtp://[x", "mailto:a@b"])
def test_no_mail_server(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(NAME, url)
    assert "smtp://user:password@host:port" in stops(lambda: env.mail(NAME, "smtp://d"))


@pytest.mark.parametrize("port", ["smtp", "70000"])
def test_a_mail_port_that_is_none(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv(NAME, f"smtp://u:hidden@mail:{port}")
    said = stops(lambda: env.mail(NAME, "smtp://d"))
    assert "port" in said
    assert "hidden" not in said


# The address of the site


@pytest.mark.parametrize(
    ("url", "scheme", "place"),
    [
        ("https://lianfang.example.org", "https", "lianfang.example.org"),
        ("https://lianfang.example.org/", "https", "lianfang.example.org"),
        ("http://localhost:8000", "http", "localhost:8000"),
        ("http://[::1]:8000", "http", "[::1]:8000"),
    ],
)
def test_the_address_of_the_site(monkeypatch: pytest.MonkeyPatch, url: str, scheme: str, place: str) -> None:
    monkeypatch.setenv(NAME, url)
    assert env.site(NAME, "http://d")[:2] == (scheme, place)


@pytest.mark.parametrize(
    "url",
    ["", "lianfang.example.org", "//lianfang.example.org", "ftp://x", "https://", "https://x.example/path",
     "https://x.example?x=1", "https://x.example#x", "https://user@x.example", "https://[x", "https://:80"],
)  # fmt: skip
def test_what_is_no_address_of_a_site(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(NAME, url)
    assert "without a path" in stops(lambda: env.site(NAME, "http://d"))


@calm
@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40))
def test_no_text_gets_past_a_reader_unread_or_breaks_it(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setenv(NAME, typed)
    readers: list[Callable[[], object]] = [
        lambda: env.flag(NAME), lambda: env.integer(NAME, 1), lambda: env.listing(NAME), lambda: env.database(NAME),
        lambda: env.mail(NAME, ""), lambda: env.site(NAME, ""),
    ]  # fmt: skip
    for reader in readers:
        try:
            reader()
        except BadEnvironment as stopped:
            assert str(stopped).startswith(NAME)  # noqa: PT017 - most texts are refused, some are not


# The settings as a whole


def started(**changed: str) -> subprocess.CompletedProcess[str]:
    """A process that does nothing but read the settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIANFANG_", "DATABASE_"))}
    plain = {
        "LIANFANG_SECRET_KEY": "x" * 60, "DATABASE_URL": "postgresql://lf_app@%2Fnowhere/lianfang",
        "LIANFANG_BASE_URL": "https://lianfang.example.org", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    given = {name: value for name, value in {**kept, **plain, **changed}.items() if value != "UNSET"}
    words = (
        "from config import settings as s; print(s.BASE_URL, s.SECURE, s.ALLOWED_HOSTS, s.SESSION_COOKIE_NAME, "
        "s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.CSRF_COOKIE_HTTPONLY)"
    )
    command = [sys.executable, "-c", words]
    return subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_secure_site_has_secure_cookies() -> None:
    done = started()
    assert done.stdout.split()[:2] == ["https://lianfang.example.org", "True"]
    assert "__Host-session __Host-csrftoken True" in done.stdout
    assert "'lianfang.example.org'" in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIANFANG_SECRET_KEY", "UNSET"), ("DATABASE_URL", "UNSET"), ("DATABASE_URL", "mysql://x/y"),
        ("LIANFANG_BASE_URL", "lianfang.example.org"), ("EMAIL_URL", "smtp://mail:smtp"),
        ("LIANFANG_MAX_BODY", "10 MB"), ("LIANFANG_DEMO", "maybe"),
    ],
)  # fmt: skip
def test_a_bad_value_stops_the_start_in_one_line(name: str, value: str) -> None:
    done = started(**{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith(name)
    assert len(done.stderr.splitlines()) == 1
