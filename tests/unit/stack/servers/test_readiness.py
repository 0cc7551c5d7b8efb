"""Waiting ends when the server answers, when it ends, or when it is too late."""

from pathlib import Path

import pytest

from stack.errors import StartFailed
from stack.servers.readiness import wait_until_ready


def test_returns_when_it_answers(tmp_path: Path) -> None:
    answers = iter([False, False, True])
    wait_until_ready("Server", lambda: next(answers), lambda _: False, tmp_path / "log", 10)
    assert next(answers, None) is None


def test_its_last_words_are_passed_on_when_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    with pytest.raises(StartFailed, match="Server ended while starting") as failed:
        wait_until_ready("Server", lambda: False, lambda _: True, log, 10)
    assert "line 99" in str(failed.value)
    assert "line 1\n" not in str(failed.value)


def test_gives_up_in_time(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="did not answer within 0 s"):
        wait_until_ready("Server", lambda: False, lambda _: False, tmp_path / "log", 0)
