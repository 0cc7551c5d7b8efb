"""The README's picture of the dashboard: taken of this world, when the broken unit has been found."""

import os

import pytest

from devtools.documentation import screenshot
from stack.demo.plan import Plan
from stack.testing.isolated_stack import IsolatedStack

LAST_DAY, HEIGHT = 11, 1360
"""The last day that the picture shows, and its height in pixels."""
STYLES = ("/static/monitor.css", "/static/report.css")


@pytest.fixture(scope="session")
def outline(loop: IsolatedStack, plan: Plan) -> str:
    """Take the picture where there is a browser; return the fingerprint of the page."""
    site = f"http://127.0.0.1:{loop.site.ports['monitor']}"
    page = f"{site}/models/churn?to={plan.day(LAST_DAY)}T00:00:00Z"
    outline = screenshot.outline_of(page, tuple(f"{site}{style}" for style in STYLES))
    if screenshot.browser():
        picture = screenshot.SCREENSHOTS / screenshot.PICTURE.name
        screenshot.capture(page, picture, HEIGHT)
        screenshot.record(picture, outline)
        if os.environ.get(screenshot.ALL_PAGES):
            screenshot.capture_pages(site, f"{plan.day(LAST_DAY)}T00:00:00Z", screenshot.SCREENSHOTS)
    return outline


def test_the_committed_picture_shows_the_page_as_it_is(outline: str) -> None:
    recorded = screenshot.recorded()[screenshot.OUTLINE]
    assert outline == recorded, "the dashboard has changed: run `make screenshot`, and look at docs/images"


@pytest.mark.skipif(screenshot.browser() is None, reason="needs a Chromium, for instance the package chromium")
@pytest.mark.usefixtures("outline")
def test_the_picture_of_this_run_has_the_size_of_the_committed_one() -> None:
    screenshots, committed = (
        file.read_bytes() for file in (screenshot.SCREENSHOTS / "dashboard.png", screenshot.PICTURE)
    )
    assert screenshots[16:24] == committed[16:24]
    assert 0.5 < len(screenshots) / len(committed) < 2
