"""The screenshot's manifest notices changed pages, and a missing browser is reported."""

import socket
from pathlib import Path

import pytest

from devtools import screenshot


def test_the_manifest_describes_the_picture_until_it_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    picture.write_bytes(b"picture")
    monkeypatch.setattr(screenshot, "fingerprint", lambda: "0" * 64)
    assert screenshot.recorded(picture) == {}
    screenshot.record(picture)
    assert screenshot.recorded(picture) == screenshot.described(picture)
    picture.write_bytes(b"another")
    assert screenshot.recorded(picture) != screenshot.described(picture)


def test_the_fingerprint_follows_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshot, "write_report", lambda page: page.write_text("<h1>8 alerts</h1>"))
    usual = screenshot.fingerprint()
    monkeypatch.setattr(screenshot, "write_report", lambda page: page.write_text("<h1>9 alerts</h1>"))
    assert screenshot.fingerprint() == usual
    monkeypatch.setattr(screenshot, "write_report", lambda page: page.write_text("<h1>9 warnings</h1>"))
    assert screenshot.fingerprint() != usual


def test_a_missing_browser_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(screenshot, "browser", lambda: None)
    with pytest.raises(screenshot.NotTaken, match="chromium"):
        screenshot.capture("http://127.0.0.1:9/", tmp_path / "page.png")
    assert [*tmp_path.iterdir()] == []


def test_a_page_that_does_not_answer_is_reported() -> None:
    with socket.socket() as unused, pytest.raises(screenshot.NotTaken, match="make demo"):
        unused.bind(("127.0.0.1", 0))
        screenshot.require_page(f"http://127.0.0.1:{unused.getsockname()[1]}/models/churn")
