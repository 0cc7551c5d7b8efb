"""A headless browser renders a page into a PNG file."""

from pathlib import Path

import pytest

from devtools.documentation import screenshot

pytestmark = pytest.mark.skipif(
    screenshot.browser() is None, reason="needs a Chromium, for instance the package chromium"
)


def test_a_page_becomes_a_picture(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>Page</title><h1>Verdict: alert</h1>")
    screenshot.capture(page.as_uri(), tmp_path / "page.png", height=300)
    content = (tmp_path / "page.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20]) == screenshot.WIDTH
    assert int.from_bytes(content[20:24]) == 300


def test_a_page_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    with pytest.raises(screenshot.NotTaken):
        screenshot.capture((tmp_path / "absent.html").as_uri(), tmp_path / "page.png")
