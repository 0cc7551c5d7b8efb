"""A token is accepted until it is revoked or expires, no other string is, and the file never contains it."""

import json
import logging
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.http.authorization.tokens import PATTERN, TokenFile

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
READ = frozenset({Scope.READ})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens" / "tokens.json"


def accepted(file: Path, submitted: str, now: datetime = NOW) -> str | None:
    token = tokens.find(tokens.read(file), submitted, now)
    return token.name if token else None


def test_a_token_is_accepted_until_it_is_revoked(file: Path) -> None:
    first = tokens.create(file, "first", READ, NOW)
    second = tokens.create(file, "second", frozenset(Scope), NOW)
    assert (accepted(file, first), accepted(file, second)) == ("first", "second")
    tokens.revoke(file, "first")
    assert (accepted(file, first), accepted(file, second)) == (None, "second")
    assert tokens.read(file)[0].scopes == frozenset(Scope)


@given(lifetime=st.timedeltas(timedelta(microseconds=1), timedelta(days=4000)), early=st.timedeltas(timedelta(0)))
def test_a_token_is_accepted_until_it_expires(
    tmp_path_factory: pytest.TempPathFactory, lifetime: timedelta, early: timedelta
) -> None:
    file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    token = tokens.create(file, "expiring", READ, NOW, lifetime)
    last = NOW + lifetime - timedelta(microseconds=1)
    assert accepted(file, token, max(NOW, last - min(early, lifetime))) == accepted(file, token, last) == "expiring"
    assert accepted(file, token, NOW + lifetime) is None


@pytest.fixture(scope="module")
def only_token(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a file with one token, and this token."""
    file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    return file, tokens.create(file, "only", READ, NOW)


@pytest.mark.slow
@given(other=st.text() | st.from_regex(PATTERN, fullmatch=True))
def test_no_other_string_is_accepted(only_token: tuple[Path, str], other: str) -> None:
    file, token = only_token
    (stored,) = tokens.read(file)
    for wrong in (other, stored.sha256, stored.name, token[:-1], f"{token} ", token.swapcase(), "\udcff"):
        assert accepted(file, wrong) is None


def test_the_file_has_hashes_only_and_is_private(file: Path) -> None:
    created = [tokens.create(file, f"n{n}", READ, NOW) for n in range(3)]
    text = file.read_text()
    for token in created:
        assert token not in text
        assert token.removeprefix(tokens.PREFIX) not in text
    assert len({*created}) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {path.name for path in file.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}


def test_a_name_is_unique(file: Path) -> None:
    token = tokens.create(file, "taken", READ, NOW)
    with pytest.raises(Conflict, match="'taken'"):
        tokens.create(file, "taken", READ, NOW)
    assert accepted(file, token) == "taken"


def test_an_unknown_token_cannot_be_revoked(file: Path) -> None:
    with pytest.raises(InvalidInput, match="driftline token create"):
        tokens.revoke(file, "nobody")
    assert not file.exists()
    tokens.create(file, "somebody", READ, NOW)
    with pytest.raises(NotFound, match="somebody"):
        tokens.revoke(file, "nobody")


@pytest.mark.parametrize(("name", "scopes"), [("two words", READ), ("", READ), ("a" * 65, READ), ("none", frozenset())])
def test_invalid_names_and_scopes_are_refused(file: Path, name: str, scopes: frozenset[Scope]) -> None:
    with pytest.raises(InvalidInput) as raised:
        tokens.create(file, name, scopes, NOW)
    assert raised.value.details
    assert not file.exists()


def test_the_faults_of_a_file_say_what_to_write_without_what_may_be_a_token(file: Path) -> None:
    tokens.create(file, "first", READ, NOW)
    entry = json.loads(file.read_text())["tokens"][0]
    faulty = entry | {"sha256": "driftline_a", "scopes": ["all"], "created_at": "2026-01-31T12:00", "expires": None}
    file.write_text(json.dumps({"tokens": [faulty, 5]}))
    with pytest.raises(InvalidInput) as raised:
        tokens.read(file)
    choices = " or ".join((", ".join(f"'{scope}'" for scope in [*Scope][:-1]), f"'{[*Scope][-1]}'"))
    assert raised.value.details == (
        "tokens.0.sha256: the value does not match the pattern ^[0-9a-f]{64}$; write text that does",
        f"tokens.0.scopes.0: 'all' is unknown; choose {choices}",
        "tokens.0.created_at: '2026-01-31T12:00' has no time zone; write one such as 2026-01-31T00:00:00Z",
        "tokens.0.expires: unknown field; remove it or correct its name",
        "tokens.1: the value is not a mapping; write one such as {field: value}",
    )


def test_tokens_created_concurrently_are_all_stored(file: Path) -> None:
    created: dict[str, str] = {}

    def create(name: str) -> None:
        created[name] = tokens.create(file, name, READ, NOW)

    threads = [threading.Thread(target=create, args=(f"n{n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {accepted(file, token) for token in created.values()} == {f"n{n}" for n in range(12)}


def test_a_reader_never_sees_a_partial_file(file: Path) -> None:
    first = tokens.create(file, "first", READ, NOW)
    finished = threading.Event()

    def change() -> None:
        for n in range(20):
            tokens.create(file, f"n{n}", READ, NOW)
        finished.set()

    writer = threading.Thread(target=change)
    writer.start()
    while not finished.is_set():
        assert accepted(file, first) == "first"
    writer.join()


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    tokens.create(file, "first", READ, NOW)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    token = tokens.create(link, "second", READ, NOW)
    assert link.is_symlink()
    assert accepted(file, token) == "second"


def test_an_unwritable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written"):
        tokens.create(tmp_path / "blocked" / "tokens.json", "x", READ, NOW)


VALID = {"name": "a", "sha256": "0" * 64, "scopes": ["read"], "created_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "the file: this is not JSON"),
        ("[]", "the file: the value is not a mapping"),
        (json.dumps({"tokens": [VALID, VALID]}), "same name"),
        (json.dumps({"tokens": [VALID, {**VALID, "name": "b"}]}), "same sha256"),
        (json.dumps({"tokens": [{**VALID, "scopes": []}]}), "tokens.0.scopes"),
        (
            json.dumps({"tokens": [{**VALID, "scopes": ["all"]}]}),
            "'read', 'ingest', 'predict', 'operate', 'admin' or 'scrape'",
        ),
        (json.dumps({"tokens": [{**VALID, "expires_at": "2026-02-01T00:00:00"}]}), "has no time zone"),
        (json.dumps({"tokens": [{**VALID, "sha256": "driftline_secret"}]}), "tokens.0.sha256"),
    ],
)
def test_an_invalid_file_is_refused_and_stays_unchanged(file: Path, content: str, fault: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    for attempt in (
        lambda: tokens.read(file),
        lambda: tokens.create(file, "new", READ, NOW),
        lambda: TokenFile(file, lambda: NOW),
    ):
        with pytest.raises(InvalidInput, match="not a valid token file") as raised:
            attempt()
        assert fault in str(raised.value)
        assert "driftline_secret" not in str(raised.value), "no content of a token file is repeated"
    assert file.read_text() == content


def test_a_starting_service_requires_a_valid_token(file: Path) -> None:
    with pytest.raises(InvalidInput, match="is missing"):
        TokenFile(file, lambda: NOW)
    tokens.create(file, "expiring", READ, NOW, timedelta(days=1))
    TokenFile(file, lambda: NOW)
    with pytest.raises(InvalidInput, match="No token"):
        TokenFile(file, lambda: NOW + timedelta(days=1))


def accepted_by(running: TokenFile, submitted: str) -> str | None:
    token = running.find(submitted)
    return token.name if token else None


def test_a_running_service_follows_the_file(file: Path) -> None:
    first = tokens.create(file, "first", READ, NOW)
    running = TokenFile(file, lambda: datetime.now(UTC))
    for n in range(20):
        second = tokens.create(file, "second", READ, NOW)
        assert (n, accepted_by(running, first), accepted_by(running, second)) == (n, "first", "second")
        tokens.revoke(file, "second")
        assert (n, accepted_by(running, first), accepted_by(running, second)) == (n, "first", None)


def test_an_unchanged_file_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.create(file, "first", READ, NOW)
    old = datetime.now(UTC).timestamp() - 3600
    os.utime(file, (old, old))
    running = TokenFile(file, lambda: datetime.now(UTC))
    assert accepted_by(running, token) == "first"
    reads: list[Any] = []
    monkeypatch.setattr(tokens, "read", reads.append)
    assert accepted_by(running, token) == "first"
    assert reads == []


@pytest.mark.parametrize("broken", ["{", None])
def test_a_running_service_keeps_the_last_valid_tokens(
    file: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    token = tokens.create(file, "first", READ, NOW)
    valid_content = file.read_text()
    running = TokenFile(file, lambda: datetime.now(UTC))
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    with caplog.at_level(logging.ERROR):
        assert [accepted_by(running, token) for _ in range(3)] == ["first"] * 3
    assert len(caplog.records) == 1, "logged once, not with each request"
    assert "driftline token create" in caplog.text
    file.write_text(valid_content)
    tokens.revoke(file, "first")
    assert accepted_by(running, token) is None
