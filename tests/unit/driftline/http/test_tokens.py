"""A token is accepted until it is revoked or expires, and no other string is; its file never holds it."""

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
from driftline.http import tokens
from driftline.http.scopes import Scope
from driftline.http.tokens import PATTERN, TokenFile

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
READ = frozenset({Scope.READ})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens" / "tokens.json"


def accepted(file: Path, given: str, now: datetime = NOW) -> str | None:
    found = tokens.find(tokens.read(file), given, now)
    return found.name if found else None


def test_a_token_is_accepted_until_it_is_revoked(file: Path) -> None:
    first = tokens.create(file, "first", READ, NOW)
    second = tokens.create(file, "second", frozenset(Scope), NOW)
    assert (accepted(file, first), accepted(file, second)) == ("first", "second")
    tokens.revoke(file, "first")
    assert (accepted(file, first), accepted(file, second)) == (None, "second")
    assert tokens.read(file)[0].scopes == {Scope.READ, Scope.INGEST, Scope.OPERATE}


@given(lasting=st.timedeltas(timedelta(microseconds=1), timedelta(days=4000)), early=st.timedeltas(timedelta(0)))
def test_a_token_is_accepted_until_it_expires(
    tmp_path_factory: pytest.TempPathFactory, lasting: timedelta, early: timedelta
) -> None:
    file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    token = tokens.create(file, "brief", READ, NOW, lasting)
    last = NOW + lasting - timedelta(microseconds=1)
    assert accepted(file, token, max(NOW, last - min(early, lasting))) == accepted(file, token, last) == "brief"
    assert accepted(file, token, NOW + lasting) is None


@given(other=st.text() | st.from_regex(PATTERN, fullmatch=True))
def test_no_other_string_is_accepted(tmp_path_factory: pytest.TempPathFactory, other: str) -> None:
    file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    token = tokens.create(file, "only", READ, NOW)
    (kept,) = tokens.read(file)
    for wrong in (other, kept.sha256, kept.name, token[:-1], f"{token} ", token.swapcase(), "\udcff"):
        assert accepted(file, wrong) is None


def test_the_file_holds_hashes_only_and_is_for_its_owner_alone(file: Path) -> None:
    made = [tokens.create(file, f"n{n}", READ, NOW) for n in range(3)]
    text = file.read_text()
    for token in made:
        assert token not in text
        assert token.removeprefix(tokens.PREFIX) not in text
    assert len({*made}) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {path.name for path in file.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}


def test_a_name_is_taken_once(file: Path) -> None:
    token = tokens.create(file, "mine", READ, NOW)
    with pytest.raises(Conflict, match="'mine'"):
        tokens.create(file, "mine", READ, NOW)
    assert accepted(file, token) == "mine"


def test_whoever_is_not_there_cannot_be_revoked(file: Path) -> None:
    with pytest.raises(InvalidInput, match="driftline token create"):
        tokens.revoke(file, "nobody")
    assert not file.exists()
    tokens.create(file, "somebody", READ, NOW)
    with pytest.raises(NotFound, match="somebody"):
        tokens.revoke(file, "nobody")


@pytest.mark.parametrize(("name", "scopes"), [("two words", READ), ("", READ), ("a" * 65, READ), ("none", frozenset())])
def test_what_does_not_fit_is_refused(file: Path, name: str, scopes: frozenset[Scope]) -> None:
    with pytest.raises(InvalidInput) as raised:
        tokens.create(file, name, scopes, NOW)
    assert raised.value.details
    assert not file.exists()


def test_tokens_made_at_once_are_all_kept(file: Path) -> None:
    made: dict[str, str] = {}

    def make(name: str) -> None:
        made[name] = tokens.create(file, name, READ, NOW)

    threads = [threading.Thread(target=make, args=(f"n{n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {accepted(file, token) for token in made.values()} == {f"n{n}" for n in range(12)}


def test_a_reader_never_sees_half_a_file(file: Path) -> None:
    first = tokens.create(file, "first", READ, NOW)
    done = threading.Event()

    def change() -> None:
        for n in range(60):
            tokens.create(file, f"n{n}", READ, NOW)
        done.set()

    writer = threading.Thread(target=change)
    writer.start()
    while not done.is_set():
        assert accepted(file, first) == "first"
    writer.join()


def test_a_link_to_the_file_stays_one(file: Path, tmp_path: Path) -> None:
    tokens.create(file, "first", READ, NOW)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    token = tokens.create(link, "second", READ, NOW)
    assert link.is_symlink()
    assert accepted(file, token) == "second"


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written"):
        tokens.create(tmp_path / "taken" / "tokens.json", "x", READ, NOW)


GOOD = {"name": "a", "sha256": "0" * 64, "scopes": ["read"], "created_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "Invalid JSON"),
        ("[]", "object"),
        (json.dumps({"tokens": [GOOD, GOOD]}), "same name"),
        (json.dumps({"tokens": [GOOD, {**GOOD, "name": "b"}]}), "same sha256"),
        (json.dumps({"tokens": [{**GOOD, "scopes": []}]}), "tokens.0.scopes"),
        (json.dumps({"tokens": [{**GOOD, "scopes": ["all"]}]}), "'read', 'ingest' or 'operate'"),
        (json.dumps({"tokens": [{**GOOD, "expires_at": "2026-02-01T00:00:00"}]}), "timezone"),
        (json.dumps({"tokens": [{**GOOD, "sha256": "driftline_secret"}]}), "tokens.0.sha256"),
    ],
)
def test_a_broken_file_is_refused_says_why_and_stays_as_it_is(file: Path, content: str, fault: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    for attempt in (
        lambda: tokens.read(file),
        lambda: tokens.create(file, "new", READ, NOW),
        lambda: TokenFile(file, lambda: NOW),
    ):
        with pytest.raises(InvalidInput, match="no file of tokens") as raised:
            attempt()
        assert fault in str(raised.value)
        assert "driftline_secret" not in str(raised.value), "what stands in a file of secrets is not repeated"
    assert file.read_text() == content


def test_a_starting_service_wants_a_token_that_is_valid(file: Path) -> None:
    with pytest.raises(InvalidInput, match="no file"):
        TokenFile(file, lambda: NOW)
    tokens.create(file, "brief", READ, NOW, timedelta(days=1))
    TokenFile(file, lambda: NOW)
    with pytest.raises(InvalidInput, match="No token"):
        TokenFile(file, lambda: NOW + timedelta(days=1))


def found(running: TokenFile, given: str) -> str | None:
    token = running.find(given)
    return token.name if token else None


def test_a_running_service_follows_the_file(file: Path) -> None:
    first = tokens.create(file, "first", READ, NOW)
    running = TokenFile(file, lambda: datetime.now(UTC))
    for n in range(20):
        second = tokens.create(file, "second", READ, NOW)
        assert (n, found(running, first), found(running, second)) == (n, "first", "second")
        tokens.revoke(file, "second")
        assert (n, found(running, first), found(running, second)) == (n, "first", None)


def test_a_file_that_did_not_change_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.create(file, "first", READ, NOW)
    old = datetime.now(UTC).timestamp() - 3600
    os.utime(file, (old, old))
    running = TokenFile(file, lambda: datetime.now(UTC))
    assert found(running, token) == "first"
    read: list[Any] = []
    monkeypatch.setattr(tokens, "read", read.append)
    assert found(running, token) == "first"
    assert read == []


@pytest.mark.parametrize("broken", ["{", None])
def test_a_running_service_keeps_the_last_good_tokens(
    file: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    token = tokens.create(file, "first", READ, NOW)
    good = file.read_text()
    running = TokenFile(file, lambda: datetime.now(UTC))
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    with caplog.at_level(logging.ERROR):
        assert [found(running, token) for _ in range(3)] == ["first"] * 3
    assert len(caplog.records) == 1, "said once, not with each request"
    assert "driftline token create" in caplog.text
    file.write_text(good)
    tokens.revoke(file, "first")
    assert found(running, token) is None
