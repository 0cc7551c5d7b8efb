"""Every control of the pages in a browser, as a person uses it: charts, forms, downloads and live updates."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
from playwright.sync_api import Locator, Page, Position, expect

from devtools.screenshot import browser
from stack.demo.plan import Plan
from stack.testing.isolated_stack import IsolatedStack
from tests.e2e.browser import Visitor, visitor

pytestmark = pytest.mark.skipif(browser() is None, reason="needs a Chromium, for instance the package chromium")
DAYS, ROWS_A_DAY = 12, 200
UPLOADED = "deliveries"
expect.set_options(timeout=60_000)
FORMS = """
() => [...document.querySelectorAll("main form")].map((form) => {
  const names = [...form.elements].filter((each) => each.name && each.type !== "hidden").map((each) => each.name);
  const buttons = [...form.querySelectorAll("button")].map((each) => each.textContent.replace(/[0-9]+/g, "N").trim());
  const single = [...new Set(names)].filter((name) => !/^(lower|upper|drift-)/.test(name));
  return `${single.join(" ")}: ${buttons.join(", ")}`;
})
"""
"""The forms of a page by the names of their fields and the words of their buttons."""


@pytest.fixture(scope="module")
def site(loop: IsolatedStack) -> str:
    return f"http://127.0.0.1:{loop.site.ports['monitor']}"


@pytest.fixture(scope="module")
def person() -> Iterator[Visitor]:
    with visitor() as person:
        yield person


@pytest.fixture
def page(person: Visitor) -> Iterator[Page]:
    """The page of a person; afterwards nothing has gone wrong on it."""
    yield person.page
    assert person.faults == []


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files with predictions of some days and their labels, for two versions of a model."""
    folder = tmp_path_factory.mktemp("uploaded")
    files = [folder / f"reference_{version}.csv" for version in (1, 2)]
    for seed, file in enumerate(files):
        scored_days(seed).to_csv(file, index=False)
    return files


def scored_days(seed: int) -> pd.DataFrame:
    draws = np.random.default_rng(seed)
    rows = DAYS * ROWS_A_DAY
    first, score = datetime(2026, 1, 1, tzinfo=UTC), draws.random(rows)
    return pd.DataFrame(
        {
            "at": [first + timedelta(days=number // ROWS_A_DAY, seconds=number % ROWS_A_DAY) for number in range(rows)],
            "distance": draws.gamma(2, 3, rows),
            "score": score,
            "late": (draws.random(rows) < score).astype(int),
        }
    )


def used(seen: set[str], page: Page) -> None:
    """Note the forms of the page that is open."""
    seen.update(page.evaluate(FORMS))


def test_charts_show_numbers_and_zoom(page: Page, site: str, plan: Plan) -> None:
    page.goto(f"{site}/models/churn?from={plan.day(0)}&to={plan.day(9)}")
    assert len(rows_of(page)) == 10
    chart = page.locator("[data-chart] svg").first
    chart.hover(position=at(chart, 0.5))
    expect(page.locator(".tip:visible")).to_contain_text(re.compile(r"\d"))
    page.mouse.down()
    chart.hover(position=at(chart, 0.8))
    page.mouse.up()
    page.wait_for_url(re.compile(f"from={plan.day(4)}|from={plan.day(5)}"))
    assert 2 <= len(rows_of(page)) < 10

    page.goto(f"{site}/models/churn?from={plan.day(0)}&to={plan.day(9)}")
    page.locator("[data-chart]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tip:visible")).to_contain_text(re.compile(r"\d"))


def at(chart: Locator, share: float) -> Position:
    """Return a place in the middle of a chart's height, at a share of its width."""
    box = chart.bounding_box()
    assert box is not None
    return {"x": share * box["width"], "y": box["height"] / 2}


def rows_of(page: Page) -> list[Locator]:
    return page.locator("table tbody tr[id^='c-']").all()


def test_a_range_and_a_cell_lead_to_where_a_number_comes_from(page: Page, site: str, plan: Plan) -> None:
    page.goto(f"{site}/models/churn?from={plan.day(0)}&to={plan.day(9)}")
    page.get_by_label("From").fill(str(plan.day(3)))
    page.get_by_label("To", exact=True).fill(str(plan.day(5)))
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile(f"from={plan.day(3)}"))
    assert len(rows_of(page)) == 3
    page.locator("details summary").last.click()
    page.get_by_role("link", name=re.compile("^History of")).last.click()
    expect(page.get_by_role("heading", name=re.compile("Where the numbers .* come"))).to_be_visible()
    page.go_back()
    page.locator("#drift svg a[href*='column=M_Out_Call_Time']").first.click()
    expect(page.locator("svg.distribution")).to_be_visible()


@pytest.mark.parametrize("ending", ["html", "pdf", "xlsx", "csv"])
def test_reports_are_downloaded(page: Page, site: str, ending: str) -> None:
    page.goto(f"{site}/models/churn")
    address = page.get_by_role("link", name=ending.upper(), exact=True).get_attribute("href")
    answer = page.request.get(f"{site}{address}", timeout=120_000)
    assert answer.ok
    assert len(answer.body()) > 1_000


def test_each_form_is_used(page: Page, site: str, references: list[Path]) -> None:
    """The forms of all pages are exactly those that are used here."""
    seen: set[str] = set()
    overview(page, site, seen)
    on_an_incident(page, site, seen)
    for reference in references:
        upload(page, site, reference, seen)
    revise(page, site, seen)
    tabs(page, site, seen)
    preview = "Show what past verdicts would have been"
    review = "name timestamp label prediction score id problem positive chunk label_delay alert_budget owner"
    spec = "alert_budget alert_on drift_alerts minimum_rows minimum_class_rows label_delay label_coverage"
    assert seen - {": Acknowledge"} == {  # another test may have acknowledged the incident
        "q owner state: Show",
        "model state: Show",
        "to author: Assign",
        "hours reason author: Silence",
        ": End the silence now",
        "text author: Comment",
        "name owner file: Upload and review",
        f"{review}: Review again, Register {UPLOADED}",
        f"{review}: Review again, Register {UPLOADED} as version N",
        f"{spec}: {preview}",
        f"{spec}: {preview}, Save as revision N",
        "from to: Show",
        "first second from to: Show",
        "state: Show",
        "channel state: Show",
    }


def overview(page: Page, site: str, seen: set[str]) -> None:
    page.goto(site)
    used(seen, page)
    page.get_by_label("Name").fill("no such model")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("q=no"))
    expect(page.get_by_role("link", name="churn")).to_have_count(0)


def on_an_incident(page: Page, site: str, seen: set[str]) -> None:
    page.goto(f"{site}/incidents")
    used(seen, page)
    page.get_by_label("State").select_option("open")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("state=open"))
    page.get_by_role("link", name=re.compile(r"^Incident \d+")).first.click()
    used(seen, page)
    acknowledge = page.get_by_role("button", name="Acknowledge")
    if acknowledge.count():
        acknowledge.click()
    expect(page.get_by_text("By local").first).to_be_visible()
    page.get_by_label("Assign to").fill("kim")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("To kim.")).to_be_visible()
    page.get_by_label("Reason").fill("a known change of tariffs")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("a known change of tariffs").first).to_be_visible()
    used(seen, page)
    page.get_by_role("button", name="End the silence now").click()
    expect(page.get_by_role("button", name="Silence", exact=True)).to_be_visible()
    page.get_by_label("Comment").fill("It <b>began</b> with the new tariff.")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_text("It <b>began</b> with the new tariff.").first).to_be_visible()


def upload(page: Page, site: str, reference: Path, seen: set[str]) -> None:
    page.goto(f"{site}/register")
    used(seen, page)
    page.get_by_label("Name of the model").fill(UPLOADED)
    page.get_by_label(re.compile("^File")).set_input_files(reference)
    page.get_by_role("button", name="Upload and review").click()
    used(seen, page)
    page.get_by_label("Time of each prediction").select_option("at")
    page.get_by_label("Label, the true outcome").select_option("late")
    page.get_by_label(re.compile("^Score")).fill("score")
    page.get_by_role("button", name="Review again").click()
    used(seen, page)
    page.get_by_role("button", name=f"Register {UPLOADED}").click()
    page.wait_for_url(re.compile(f"/models/{UPLOADED}"))


def revise(page: Page, site: str, seen: set[str]) -> None:
    page.goto(f"{site}/models/{UPLOADED}/spec/edit")
    used(seen, page)
    page.get_by_label("Labels that a final verdict needs, %").fill("90")
    page.get_by_role("button", name="Show what past verdicts would have been").click()
    used(seen, page)
    page.get_by_role("button", name="Save as revision 2").click()
    page.wait_for_url(re.compile("/spec"))
    expect(page.get_by_text("Revision 2").first).to_be_visible()


def tabs(page: Page, site: str, seen: set[str]) -> None:
    for path in ("", "/quality", "/ingest", "/compare", "/versions", "/spec", "/connect"):
        page.goto(f"{site}/models/churn{path}")
        used(seen, page)
    page.goto(f"{site}/models/churn/ingest")
    page.get_by_label("State").select_option("refused")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("state=refused"))
    page.goto(f"{site}/models/{UPLOADED}/compare")
    used(seen, page)
    page.get_by_label("Compare version").select_option("1")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("first=1"))
    page.goto(f"{site}/alerts")
    used(seen, page)
    page.get_by_label("State").select_option("dead")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("state=dead"))


def test_an_open_page_offers_newer_results(page: Page, site: str) -> None:
    """The model that was uploaded gets a day of rows while another model's page is open."""
    page.goto(f"{site}/models/churn")
    news = page.locator("#news")
    expect(news).to_be_hidden()
    with page.expect_response(re.compile("/changes")):
        page.reload()
    rows = [
        {"id": f"{n}", "at": "2026-02-01T00:00:00Z", "distance": 1.0, "score": n / ROWS_A_DAY, "prediction": 1}
        for n in range(ROWS_A_DAY)
    ]
    sent = requests.post(f"{site}/api/v1/models/{UPLOADED}/predictions", json=rows, timeout=60)
    assert sent.ok, sent.text
    assert requests.post(f"{site}/run-monitoring", timeout=60).ok
    expect(news).to_be_visible()


def test_lines_of_code_are_copied(page: Page, site: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site}/models/churn/connect")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name=re.compile("Copied"))).to_be_visible()
    assert "driftline" in page.evaluate("navigator.clipboard.readText()")


def test_a_stream_is_started_and_stopped(page: Page, loop: IsolatedStack) -> None:
    page.goto(f"http://127.0.0.1:{loop.site.ports['simulator']}/")
    page.locator("input[name=batch_size]").fill("5")
    page.locator("input[name=num_batches]").fill("3")
    page.locator("input[name=interval]").fill("600")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("[data-field=state]")).to_have_text(re.compile("running|waiting"))
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("[data-field=state]")).to_have_text(re.compile("stopp"))
