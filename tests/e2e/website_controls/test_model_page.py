"""The model's page: charts, ranges, segments, columns and reports."""

import io
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
import requests
from playwright.sync_api import Download, expect

from stack.demo.plan import Plan
from tests.e2e.browser import Visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.steps import NEEDS_BROWSER, PATIENCE, open_cell, press, query_of

pytestmark = NEEDS_BROWSER


def test_a_chart_is_read_by_pointer_and_keys_and_zoomed_by_dragging(person: Visitor, site: str, plan: Plan) -> None:
    page = person.page
    page.goto(f"{site}/models/churn")
    chart = page.locator("[data-chart]").first
    tip = page.locator(".tip:visible")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    expect(tip).to_contain_text("Realized")
    expect(tip).to_contain_text("rows")
    pointed_at = tip.locator("b").inner_text()
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(tip.locator("b")).not_to_have_text(pointed_at)
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40, steps=5)
    with page.expect_navigation():
        page.mouse.up()
    assert query_of(page).keys() == {"from", "to"}
    zoomed = page.locator("tr[id^=c-]").count()
    assert 2 < zoomed < plan.scenario.stream_days
    page.get_by_role("link", name="Newest days, all rows").click()
    expect(page.locator("tr[id^=c-]")).to_have_count(plan.scenario.stream_days)


def test_the_model_page_shows_a_range_a_row_and_distributions(person: Visitor, site: str, plan: Plan) -> None:
    page = person.page
    page.goto(f"{site}/models/churn")
    page.get_by_label("From").fill(str(plan.day(8)))
    page.get_by_label("To").fill(str(plan.day(12)))
    press(page, "Show")
    assert query_of(page) == {"from": str(plan.day(8)), "to": str(plan.day(12))}
    expect(page.locator("tr[id^=c-]")).to_have_count(5)
    page.locator("svg[data-columns]:not(.heatmap) a").nth(1).click()
    assert page.url.endswith(f"#c-{plan.day(9)}T00")
    reasons = page.locator(f"[id='c-{plan.day(9)}T00'] ul.reasons")
    expect(reasons).to_be_hidden()
    page.locator(f"[id='c-{plan.day(9)}T00'] summary").click()
    expect(reasons).to_be_visible()
    open_cell(page, "M_Out_Call_Time", 2)
    expect(page.get_by_role("heading", level=1)).to_contain_text("M_Out_Call_Time")
    expect(page.locator("svg.distribution .side")).not_to_have_count(0)
    heading = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="day after").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(heading)
    page.get_by_role("link", name="day before").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


@pytest.mark.usefixtures("rows")
def test_the_charts_of_a_segment_are_of_its_rows(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}?version=1")
    before = page.locator("[data-chart] svg").first.get_attribute("aria-label")
    page.get_by_label("Rows").select_option("plan=family")
    press(page, "Show")
    assert query_of(page)["segment"] == "plan%3Dfamily"
    expect(page.locator("p.note")).to_contain_text("rows with plan=family")
    assert page.locator("[data-chart] svg").first.get_attribute("aria-label") != before


@pytest.mark.usefixtures("rows")
def test_reports_are_of_their_format_and_open(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}?version=1")
    links = page.locator(".downloads")
    with page.expect_download() as workbook:
        links.get_by_role("link", name="XLSX").click()
    assert "xl/workbook.xml" in ZipFile(read(workbook.value)).namelist()
    with page.expect_download() as table:
        links.get_by_role("link", name="CSV").click()
    assert pd.read_csv(read(table.value))["start"].nunique() == own.DAYS
    with page.expect_download(timeout=3 * PATIENCE) as paper:
        links.get_by_role("link", name="PDF").click(modifiers=["Alt"])  # saves it; a click opens the browser's viewer
    pdf = read(paper.value).read()
    assert (pdf[:5], pdf.rstrip()[-5:]) == (b"%PDF-", b"%%EOF")
    links.get_by_role("link", name="HTML").click()
    page.wait_for_url("**/report.html?**")
    expect(page.locator("body")).to_contain_text(own.NAME)
    details = page.locator("details").first
    details.locator("summary").click()
    expect(details).to_have_attribute("open", "")
    answer = requests.get(page.url.replace("report.html", "report.json"), timeout=own.SECONDS)
    assert len(answer.json()["chunks"]) == own.DAYS


def read(download: Download) -> io.BytesIO:
    """Return the content of a downloaded file, whose name is that of the report."""
    assert download.suggested_filename.startswith(f"{own.NAME}-report.")
    return io.BytesIO(Path(download.path()).read_bytes())
