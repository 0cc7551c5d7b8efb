"""The screenshot's manifest describes page and picture, and a missing browser is reported."""

import socket
from pathlib import Path

import pytest

from devtools.documentation import page_outline, screenshot

PAGE = '<h1>churn</h1><section class="card"><h2>8 alerts</h2><p class="chip alert">Alert</p></section>'


def test_a_picture_is_published_with_its_manifest(tmp_path: Path) -> None:
    source, picture = tmp_path / "taken" / "page.png", tmp_path / "page.png"
    source.parent.mkdir()
    source.write_bytes(b"picture")
    assert screenshot.recorded(source) == {}
    screenshot.record(source, "0" * 64)
    screenshot.publish(source.parent, picture)
    assert picture.read_bytes() == b"picture"
    assert screenshot.recorded(picture) == screenshot.recorded(source)
    assert screenshot.recorded(picture)[screenshot.OUTLINE] == "0" * 64


@pytest.mark.parametrize(
    ("page", "styles", "same"),
    [
        (PAGE.replace("8", "31"), ["p {}"], True),
        (PAGE.replace("chip alert", "chip ok").replace("Alert", "OK"), ["p {}"], True),
        (PAGE.replace("alerts", "warnings"), ["p {}"], False),
        (PAGE.replace("card", "box"), ["p {}"], False),
        (PAGE + "<footer>", ["p {}"], False),
        (PAGE, ["p { color: red }"], False),
    ],
)
def test_the_outline_follows_the_page_and_not_its_data(page: str, styles: list[str], same: bool) -> None:
    assert (page_outline.fingerprint(page, styles) == page_outline.fingerprint(PAGE, ["p {}"])) == same


def test_a_missing_browser_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(screenshot, "browser", lambda: None)
    with pytest.raises(screenshot.NotTaken, match="chromium"):
        screenshot.capture("http://127.0.0.1:9/", tmp_path / "page.png")
    assert [*tmp_path.iterdir()] == []


def test_a_page_that_does_not_answer_is_reported() -> None:
    with socket.socket() as unused, pytest.raises(screenshot.NotTaken, match="make demo"):
        unused.bind(("127.0.0.1", 0))
        screenshot.require_page(f"http://127.0.0.1:{unused.getsockname()[1]}/models/churn")
