"""The operator's commands that need no server of their own: what they print, and how they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianfang import cli


@pytest.mark.fast
def test_policy_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "print"]) == 0
    assert "## 禁止 Forbids" in capsys.readouterr().out


@pytest.mark.fast
def test_roles(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["roles", "alliance"]) == 0
    assert 'CREATE DATABASE "alliance" OWNER lf_owner' in capsys.readouterr().out


@pytest.mark.fast
@pytest.mark.parametrize("words", [[], ["audit"], ["nonsense"], ["bootstrap", "only-one@example.com"], ["restore"]])
def test_half_a_command_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.fast
def test_migrating_wants_the_owner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    assert cli.main(["migrate"]) == 1
    assert "DATABASE_OWNER_URL must be set" in capsys.readouterr().err


@pytest.mark.fast
def test_vault_init_makes_a_key_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIANFANG_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    assert cli.main(["vault", "init"]) == 0
    key = (tmp_path / "keys" / "master.key").read_text()
    assert len(key.strip()) == 64
    assert cli.main(["vault", "init"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "keys" / "master.key").read_text() == key


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "told"), [("", "not a checkpoint"), ("a\nb\nc\n", "not a checkpoint"), ('{"x": 1}', "note")]
)
def test_verify_refuses_what_is_no_checkpoint(
    tmp_path: Path, content: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").write_text(content)
    assert cli.main(["audit", "verify", "--checkpoint", str(tmp_path / "kept")]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.django_db
def test_verify_names_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", "verify", "--checkpoint", str(tmp_path / "none")]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.django_db
def test_bootstrap_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bootstrap", "a@example.com", "b@example.com"]) == 0
    assert capsys.readouterr().out.count("/invite/") == 2
    assert cli.main(["bootstrap", "c@example.com", "d@example.com"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def charter_files(folder: Path) -> list[str]:
    """A charter of three clauses, and how it is imported."""
    (folder / "zh.md").write_text("規章\n# 第一條　總則\n1.1 會員互相分享。\n1.2 保密。\n")
    (folder / "en.md").write_text("Article 1 General\n1.1 Members share.\n1.2 Kept in confidence.\n")
    times = ["--approved", "2024-05-01T00:00", "--effective", "2024-06-01T00:00"]
    return ["charter", "import", str(folder / "zh.md"), str(folder / "en.md"), "--title", "規章", "Charter", *times]


@pytest.mark.django_db
def test_a_charter_of_before_is_looked_at_imported_once_and_kept_by_bootstrap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lianfang.charter.models import DocumentVersion

    words = charter_files(tmp_path)
    assert cli.main([*words, "--check"]) == 0
    said = capsys.readouterr()
    assert "1.2\t保密。\n\tKept in confidence." in said.out
    assert said.err == "left out: 規章\n"
    assert not DocumentVersion.objects.exists()
    assert cli.main([*words, "--website", "https://www.centre.example/charter", "2024-05-20T09:00"]) == 0
    (version,) = DocumentVersion.objects.all()
    assert (version.origin, version.effective_at.isoformat()) == ("imported", "2024-05-31T16:00:00+00:00")
    assert cli.main(words) == 1
    assert "There is a version already" in capsys.readouterr().err
    assert cli.main(["bootstrap", "a@example.com", "b@example.com"]) == 0
    assert DocumentVersion.objects.filter(document="charter").get().pk == version.pk


@pytest.mark.parametrize(
    ("file", "content", "more", "told"),
    [
        ("en.md", "Article 1 General\n1.1 Members share.\n", [], "1.2 has no English"),
        ("zh.md", "第一條\n1.1 甲\n1.1 乙\n1.2 丙", [], "numbered twice"),
        ("zh.md", "沒有條號", [], "No number of a clause"),
        ("zh.md", b"\xff\xfe", [], "no text in UTF-8"),
        ("", "", ["--approved", "yesterday"], "is no time"),
        ("", "", ["--approved", "2030-01-01"], "approval comes first"),
    ],
)
@pytest.mark.django_db
def test_a_faulty_charter_is_refused_with_the_place(
    tmp_path: Path, file: str, content: str | bytes, more: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = charter_files(tmp_path)
    if file:
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert cli.main([*words, *more]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.django_db
def test_check_tells_each_thing_that_it_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--deploy"]) == 1
    said = capsys.readouterr().out
    assert "NOT  worker" in said
    assert "NOT  demo" in said
    assert "ok   log-in: lf_app has no rights over the server" in said
    assert "ok   audit guard: on every table" in said
    assert "ok   append-only: as listed" in said
