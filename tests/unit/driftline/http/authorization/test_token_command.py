"""`driftline token` prints a token once and alone, and reports every error."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from driftline.cli import app
from driftline.clock import utc_now
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.http.authorization.tokens import PATTERN


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "new" / "tokens.json"
    monkeypatch.setenv("DRIFTLINE_TOKENS", str(path))
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments])


def test_a_token_is_printed_once_and_alone(file: Path) -> None:
    created = run("create", "dash", "--scope", "read", "--scope", "operate", "--expires-in-days", "3")
    token = created.stdout.strip()
    assert (created.exit_code, bool(re.fullmatch(PATTERN, token))) == (0, True), created.output
    entry = tokens.find(tokens.read(file), token, utc_now())
    assert entry is not None
    assert (entry.name, {*entry.scopes}) == ("dash", {Scope.READ, Scope.OPERATE})
    listed = run("list")
    assert re.fullmatch(r"dash  operate,read  created \d{4}-.* UTC  expires \d{4}-.* UTC\n", listed.stdout)
    assert token not in created.stderr + listed.output + file.read_text()


def test_a_revoked_token_is_removed(file: Path) -> None:
    run("create", "one", "--scope", "read")
    run("create", "two", "--scope", "ingest")
    assert run("revoke", "one").exit_code == 0
    assert [token.name for token in tokens.read(file)] == ["two"]
    assert re.fullmatch(r"two  ingest  created .* never expires\n", run("list").stdout)


def test_an_expired_token_is_listed_as_such(file: Path) -> None:
    day = timedelta(days=1)
    tokens.create(file, "old", frozenset({Scope.READ}), utc_now() - 2 * day, day)
    assert "expired 2" in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("create", "dash", "--scope", "read"), Conflict),
        (("revoke", "nobody"), NotFound),
        (("create", "two words", "--scope", "read"), InvalidInput),
    ],
)
def test_conflicts_and_invalid_names_are_errors(file: Path, arguments: tuple[str, ...], error: type[Exception]) -> None:
    run("create", "dash", "--scope", "read")
    content = file.read_text()
    assert isinstance(run(*arguments).exception, error)
    assert file.read_text() == content


@pytest.mark.parametrize("options", ["", "--scope all", "--scope read --expires-in-days 0"])
def test_scope_and_lifetime_must_be_valid(file: Path, options: str) -> None:
    assert run("create", "x", *options.split()).exit_code == 2
    assert not file.exists()


def test_an_unset_token_file_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_TOKENS", "")
    error = run("list").exception
    assert isinstance(error, InvalidInput)
    assert "DRIFTLINE_TOKENS" in error.message
