"""The pages of the heartbeat example in a browser: Streamlit's dashboard, and the run in Prefect's pages."""

import re
from collections.abc import Iterator

import pytest

from devtools.documentation.screenshot import browser
from examples.ecg.stream.days import BeatPlan
from tests.e2e.browser import Visitor, visitor
from tests.examples.runs import Example

pytestmark = pytest.mark.skipif(browser() is None, reason="needs a Chromium, for instance the package chromium")
PLAN = BeatPlan()
MILLISECONDS = 60_000


@pytest.fixture
def visited() -> Iterator[Visitor]:
    with visitor() as opened:
        opened.page.set_default_timeout(MILLISECONDS)
        yield opened
        assert [fault for fault in opened.faults if " asks " in fault] == [], "requests to other machines"


def address(example: Example, name: str) -> str:
    """Return the address that the example has printed for a page."""
    return str(re.findall(rf"^{name}: (.*)$", example.output, re.MULTILINE)[0])


def test_the_dashboard_draws_the_newest_beat_and_three_tables(ecg: Example, visited: Visitor) -> None:
    page = visited.page
    page.goto(address(ecg, "Streamlit"))
    for title in ("Beats and predictions", "Models", "Verdicts of the monitor"):
        page.get_by_role("heading", name=title).wait_for()
    page.get_by_text(f"{PLAN.days[-1]}-{PLAN.beats - 1:04d} at ").wait_for()
    page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first.wait_for()
    page.get_by_test_id("stDataFrame").nth(2).locator("canvas").first.wait_for()
    assert page.get_by_test_id("stDataFrame").count() == 3
    assert page.get_by_test_id("stException").count() == 0


def test_prefect_shows_the_completed_run_and_its_schedule(ecg: Example, visited: Visitor) -> None:
    page, deployments = visited.page, address(ecg, "Prefect")
    page.goto(deployments)
    page.get_by_text("nightly").first.wait_for()
    page.get_by_text("At 03:00 AM").first.wait_for()
    page.goto(deployments.replace("/deployments", "/runs"))
    page.get_by_text("Completed").first.wait_for()
