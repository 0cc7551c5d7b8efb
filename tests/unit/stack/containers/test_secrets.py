"""The secrets of the compose files are made once, behind a folder that only its owner enters."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from stack.containers import secrets as container_secrets
from stack.services.accounts import ACCOUNTS

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_existing_secrets_stay(tmp_path: Path) -> None:
    container_secrets.make(tmp_path / "secrets", NOW)
    first = contents(tmp_path / "secrets")
    container_secrets.make(tmp_path / "secrets", NOW + timedelta(days=1))
    assert contents(tmp_path / "secrets") == first
    assert len({value for name, value in first.items() if name.endswith(".password")}) == 1 + len(ACCOUNTS)


def test_the_token_for_curl_is_stored_as_a_hash(tmp_path: Path) -> None:
    container_secrets.make(tmp_path, NOW)
    plain, hashed = (tmp_path / "demo.token").read_text(), container_secrets.token_file(tmp_path)
    token = tokens.find(tokens.read(hashed), plain, NOW)
    assert token is not None
    assert token.scopes == {Scope.READ, Scope.OPERATE}
    assert plain not in hashed.read_text()


@pytest.mark.parametrize("lost", ["demo.token", "tokens/tokens.json"])
def test_a_lost_token_or_hash_is_replaced_with_its_counterpart(tmp_path: Path, lost: str) -> None:
    container_secrets.make(tmp_path, NOW)
    (tmp_path / lost).unlink()
    container_secrets.make(tmp_path, NOW)
    plain = (tmp_path / "demo.token").read_text()
    assert tokens.find(tokens.read(container_secrets.token_file(tmp_path)), plain, NOW)


def test_only_the_owner_can_enter_the_folder_of_readable_files(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    container_secrets.make(folder, NOW)
    tokens.create(container_secrets.token_file(folder), "another", frozenset({Scope.READ}), NOW)
    container_secrets.make(folder, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}
    assert (folder / "tokens").stat().st_mode & 0o777 == 0o755
