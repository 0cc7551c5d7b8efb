"""`driftline token` prints a token once, alone, and nowhere else; what it is told wrongly it says."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from driftline.cli import app
from driftline.clock import utc_now
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.http import tokens
from driftline.http.scopes import Scope
from driftline.http.tokens import PATTERN


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "new" / "tokens.json"
    monkeypatch.setenv("DRIFTLINE_TOKENS", str(path))
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments])


def test_a_token_is_printed_once_and_alone(file: Path) -> None:
    made = run("create", "dash", "--scope", "read", "--scope", "operate", "--expires-in-days", "3")
    token = made.stdout.strip()
    assert (made.exit_code, bool(re.fullmatch(PATTERN, token))) == (0, True), made.output
    found = tokens.find(tokens.read(file), token, utc_now())
    assert found is not None
    assert (found.name, {*found.scopes}) == ("dash", {Scope.READ, Scope.OPERATE})
    listed = run("list")
    assert re.fullmatch(r"dash  operate,read  made \d{4}-.* UTC  until \d{4}-.* UTC\n", listed.stdout)
    assert token not in made.stderr + listed.output + file.read_text()


def test_a_token_that_is_revoked_is_gone(file: Path) -> None:
    run("create", "one", "--scope", "read")
    run("create", "two", "--scope", "ingest")
    assert run("revoke", "one").exit_code == 0
    assert [token.name for token in tokens.read(file)] == ["two"]
    assert re.fullmatch(r"two  ingest  made .* for ever\n", run("list").stdout)


def test_an_expired_token_is_listed_as_such(file: Path) -> None:
    day = timedelta(days=1)
    tokens.create(file, "old", frozenset({Scope.READ}), utc_now() - 2 * day, day)
    assert "expired (until " in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("create", "dash", "--scope", "read"), Conflict),
        (("revoke", "nobody"), NotFound),
        (("create", "two words", "--scope", "read"), InvalidInput),
    ],
)
def test_what_cannot_be_done_is_an_error_that_says_so(
    file: Path, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    run("create", "dash", "--scope", "read")
    before = file.read_text()
    assert isinstance(run(*arguments).exception, error)
    assert file.read_text() == before


@pytest.mark.parametrize("options", ["", "--scope all", "--scope read --expires-in-days 0"])
def test_a_scope_and_a_span_must_fit(file: Path, options: str) -> None:
    assert run("create", "x", *options.split()).exit_code == 2
    assert not file.exists()


def test_without_a_file_named_it_says_which_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_TOKENS", "")
    error = run("list").exception
    assert isinstance(error, InvalidInput)
    assert "DRIFTLINE_TOKENS" in error.message
