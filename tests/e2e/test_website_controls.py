"""Every control of every page, used as a person does, with the effect that it has; none is forgotten.

A model of its own is added, changed and alerted on. The tests build on one another, in the order of this file.
"""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest
import requests
from apiflask import APIFlask
from playwright.sync_api import Download, Locator, Page, expect
from sqlalchemy import Engine, Table, func, select

from devtools.screenshot import browser
from driftline.clock import naive_utc
from driftline.settings import DatabaseSettings
from driftline.store.tables import alert_deliveries, incidents, ingest_log, models
from driftline.store.version_key import VersionKey
from driftline.store.versions import retrainings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings
from stack.demo.plan import Plan
from stack.servers.ports import any_free
from stack.testing.isolated_stack import IsolatedStack
from tests.e2e import controls_model as own
from tests.e2e.browser import Visitor, visitor
from tests.e2e.controls import Inventory
from tests.e2e.monitor_with_channels import Alerted, monitor_with_channels

pytestmark = pytest.mark.skipif(browser() is None, reason="needs a Chromium, for instance the package chromium")
MORE_THAN_A_PAGE = 51
PATIENCE = 20_000
"""Milliseconds that an action may take: other programs run on the same cores."""
PLAIN = ("another site",)
"""Where links lead that are not followed: the training in MLflow."""


@pytest.fixture(scope="module")
def monitor() -> APIFlask:
    """The monitor's routes; it answers nothing."""
    nobody = DatabaseSettings.model_validate({"port": 1, "user": "nobody", "password": "none"})
    return create_app(MonitorSettings(), nobody, polls=False)


@pytest.fixture(scope="module")
def site(loop: IsolatedStack) -> str:
    return f"http://127.0.0.1:{loop.site.ports['monitor']}"


@pytest.fixture(scope="module")
def owner(loop: IsolatedStack) -> Iterator[Engine]:
    """The database, for what has no route."""
    engine = loop.engine()
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def inventory(loop: IsolatedStack, monitor: APIFlask) -> Inventory:
    return Inventory(monitor.url_map, {loop.site.ports[name]: name for name in ("simulator", "serving")})


@pytest.fixture(scope="module")
def visiting(inventory: Inventory) -> Iterator[Visitor]:
    """The browser of all tests of this file."""
    with visitor() as person:
        person.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        person.page.set_default_timeout(PATIENCE)
        expect.set_options(PATIENCE)
        inventory.watch(person.page)
        yield person


@pytest.fixture
def person(visiting: Visitor) -> Iterator[Visitor]:
    """A person with a browser, which complains about nothing and asks no other machine."""
    visiting.faults.clear()
    yield visiting
    assert visiting.faults == []


@contextmanager
def refused(person: Visitor, status: int) -> Iterator[None]:
    """Expect that a form is refused, about which the console complains."""
    before = len(person.faults)
    yield
    faults, person.faults[before:] = person.faults[before:], []
    assert [f"status of {status}" in fault for fault in faults] == [True]


def query_of(page: Page) -> dict[str, str]:
    """Return the filled fields of the address, but for the version."""
    fields = dict(re.findall(r"[?&]([^=&#]+)=([^&#]+)", page.url))
    fields.pop("version", None)
    return fields


def press(page: Page, button: str | re.Pattern[str], within: Locator | None = None) -> None:
    """Press a button that sends a form, and wait for its page."""
    with page.expect_navigation():
        (within or page).get_by_role("button", name=button, exact=isinstance(button, str)).click()


def json_of(page: Page, link: Locator) -> Any:
    """Follow a link to JSON, and return it."""
    with page.expect_response(lambda response: response.request.is_navigation_request()) as answer:
        link.click()
    content = json.loads(answer.value.text())
    page.go_back()
    return content


# Adding a model


def test_a_model_is_added_with_its_form_and_its_lines_are_copied(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(site)
    page.get_by_role("link", name="Add a model").click()
    upload(page, owner="")
    expect(page.get_by_role("heading", name="What was inferred")).to_be_visible()
    page.get_by_label("Time of each prediction").select_option("")
    press(page, "Review again")
    expect(page.get_by_role("alert")).to_contain_text("No column with the time of each prediction")
    chosen = {"timestamp": "timestamp", "label": "label", "prediction": "prediction", "id": "id"}
    for name, value in (chosen | {"problem": "binary", "chunk": "1d"}).items():
        page.locator(f"select[name={name}]").select_option(value)
    texts = {"name": own.NAME, "score": "score", "positive": "1", "label_delay": "PT1H", "alert_budget": "12"}
    for name, value in (texts | {"owner": "zoo"}).items():
        page.locator(f"[name={name}]").fill(value)
    press(page, "Review again")
    press(page, f"Register {own.NAME}")
    page.wait_for_url(f"**/models/{own.NAME}/connect")
    model = own.shown(site)
    spec = model["versions"][0]["specs"][0]["spec"]
    assert (model["owner"], spec["label_delay"], spec["alert_budget"], spec["period"]) == ("zoo", "PT1H", 12, "1d")
    copy_all(page)


def upload(page: Page, owner: str) -> None:
    page.get_by_label("Name of the model").fill(own.NAME)
    page.get_by_label("Owner, a person or a team").fill(owner)
    file = {"name": "reference.csv", "mimeType": "text/csv", "buffer": own.reference()}
    page.get_by_label("File").set_input_files(file)  # type: ignore[arg-type]
    press(page, "Upload and review")


def copy_all(page: Page) -> None:
    """Press each button that copies lines, and compare the clipboard with them."""
    boxes = page.locator("[data-copy]").all()
    assert boxes
    for box in boxes:
        box.get_by_role("button").click()
        expect(box.get_by_role("button")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == box.locator("code").text_content()
        assert own.NAME in copied


def test_one_version_has_nothing_to_be_compared_with(person: Visitor, site: str) -> None:
    person.page.goto(f"{site}/models/{own.NAME}/compare")
    expect(person.page.locator("main")).to_contain_text("a comparison needs two")
    copy_all(person.page)


def test_an_upload_under_the_same_name_is_the_next_version(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/register")
    upload(page, owner="zoo")
    page.get_by_label("False alerts a year at most").fill("6")
    press(page, "Review again")
    press(page, f"Register {own.NAME} as version 2")
    assert [version["version"] for version in own.shown(site)["versions"]] == [1, 2]


# The model's page and its charts


@pytest.fixture(scope="module")
def rows(site: str) -> None:
    """Days of rows and labels of both versions, with results of segments too; on the last days the labels are wrong."""
    for version in (1, 2):
        change = {"segments": ["plan"]}
        url = f"{site}/api/v1/models/{own.NAME}/specs"
        requests.post(url, params={"version": version}, json=change, timeout=own.SECONDS).raise_for_status()
        own.send(site, own.scored(own.REFERENCE_DAYS, own.DAYS, prefix=f"v{version}/"), version)


def day(number: int) -> date:
    """Return a day after the reference by its number, from 0."""
    return own.FIRST + timedelta(days=own.REFERENCE_DAYS + number)


def test_a_chart_is_read_by_pointing_and_by_keys_and_zoomed_by_dragging(person: Visitor, site: str, plan: Plan) -> None:
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


def test_the_model_page_shows_a_range_a_row_and_a_columns_distributions(person: Visitor, site: str, plan: Plan) -> None:
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


def open_cell(page: Page, column: str, place: int) -> None:
    """Open the cell of a column in the heat map that is at a place from the left."""
    cells = page.locator(f".heatmap a[href*='column={column}&']")
    with page.expect_navigation():
        cells.nth(place).click()


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


# What was reported of a chunk, the data quality, the spec, versions and batches


@pytest.mark.usefixtures("rows")
def test_the_history_of_a_day_shows_the_origin_of_each_revision(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}?version=1")
    page.locator("details[open]").get_by_role("link", name=re.compile("History of")).click()
    revisions = json_of(page, page.get_by_role("link", name="All results as JSON"))["revisions"]
    first = revisions[-1]["revision"]
    page.get_by_role("table").first.get_by_role("link", name=str(first), exact=True).click()
    expect(page.locator("#lineage h2")).to_contain_text(f"revision {first} ")
    lineage = json_of(page, page.get_by_role("link", name="All as JSON"))
    assert lineage["revision"] == first
    expect(page.locator("#lineage tbody tr")).to_have_count(len(lineage["batches"]))


@pytest.mark.usefixtures("rows")
def test_each_number_of_the_model_page_leads_to_its_origin(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}?version=1")
    labels = page.locator("tr[id^=c-] th a")
    expect(labels).to_have_count(own.DAYS)
    of_card = page.get_by_role("link", name="Where these numbers come from").first
    for link, start in ((labels.last, day(0)), (of_card, day(own.DAYS - 1))):
        href = str(link.get_attribute("href"))
        assert href.endswith(f"/chunks/{start}T00:00:00Z?version=1#lineage")
        link.click()
        expect(page.locator("#lineage tbody")).to_contain_text("predictions")
        page.go_back()


@pytest.mark.usefixtures("rows")
def test_a_cell_of_the_data_quality_opens_its_column(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}/quality?version=1")
    open_cell(page, "amount", 3)
    expect(page.get_by_role("heading", level=1)).to_contain_text("amount")
    expect(page.get_by_role("table").first).to_be_visible()


@pytest.mark.usefixtures("rows")
def test_a_spec_is_changed_after_its_past_verdicts_were_shown(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}/spec?version=1")
    page.get_by_role("link", name="Change alerts").click()
    for label, value in {"Alert on": "harm", "Lasting drift": "yes"}.items():
        page.get_by_label(label).select_option(value)
    texts = {"False alerts": "2", "Minimum rows of a chunk": "50", "Minimum rows of the rarer": "10"}
    for label, value in (texts | {"Labels come within": "PT2H", "Labels that a final": "90"}).items():
        page.get_by_label(label).fill(value)
    thresholds = page.locator("input[name*='.']").all()
    for field in thresholds:
        field.fill("0.01" if str(field.get_attribute("name")).startswith("lower") else "0.99")
    revision = len(own.shown(site)["versions"][0]["specs"])
    press(page, "Show what past verdicts would have been")
    preview = page.locator("#preview")
    expect(preview.get_by_role("row").first).to_contain_text("Now")
    for words in ("alert_budget", "alert_on", "drift_alerts", "minimum_rows", "label_delay", "label_coverage"):
        expect(preview.locator("ul.reasons").first).to_contain_text(words)
    assert len(own.shown(site)["versions"][0]["specs"]) == revision
    press(page, f"Save as revision {revision + 1}")
    spec = own.shown(site)["versions"][0]["specs"][-1]["spec"]
    assert (spec["alert_on"], spec["drift_alerts"], spec["minimum_rows"], spec["alert_budget"]) == ("harm", True, 50, 2)
    assert len(spec["threshold_overrides"]) == len(thresholds) / 2
    expect(page.get_by_role("heading", name=f"Spec, revision {revision + 1}")).to_be_visible()


@pytest.mark.usefixtures("rows")
def test_two_versions_are_compared_on_chosen_days(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/models/{own.NAME}/compare")
    expect(page.get_by_label("with version")).to_have_value("2")
    page.get_by_label("Compare version").select_option("2")
    page.get_by_label("with version").select_option("1")
    page.get_by_label("From").fill(str(day(0)))
    page.get_by_label("To").fill(str(day(3)))
    press(page, "Compare")
    assert query_of(page) == {"first": "2", "second": "1", "from": str(day(0)), "to": str(day(3))}
    expect(page.get_by_role("group", name="Chunks that both have").locator("tbody tr")).to_have_count(4)
    page.locator("[data-chart]").first.hover()
    expect(page.locator(".tip:visible")).to_contain_text("rows")


@pytest.fixture
def logged(owner: Engine, rows: None) -> Iterator[None]:
    """More entries of the ingest log than the page has."""
    del rows
    with own.stored(owner, ingest_log, copies(owner, ingest_log)):
        yield


def copies(owner: Engine, table: Table, by: timedelta = timedelta(), **other: object) -> list[dict[str, Any]]:
    """Return copies of the newest row of a table, with later numbers, each by some time earlier than the one before."""
    with owner.connect() as connection:
        newest = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).mappings().one()
    rows = [dict(newest) | other | {"number": newest["number"] + n} for n in range(1, MORE_THAN_A_PAGE + 1)]
    if "delivery_id" in newest:
        rows = [row | {"delivery_id": f"copy {row['number']}"} for row in rows]
    times = [name for name in ("first_chunk", "last_chunk", "read_until") if name in newest]
    return [row | {name: row[name] - (1 + n) * by for name in times} for n, row in enumerate(rows)]


@pytest.mark.usefixtures("logged")
def test_batches_are_filtered_and_paged(person: Visitor, site: str) -> None:
    url = f"{site}/api/v1/models/{own.NAME}"
    wrong = requests.post(f"{url}/labels", json=[{"id": "a", "label": "soon"}], timeout=own.SECONDS)
    assert wrong.status_code == 400
    page = person.page
    page.goto(f"{site}/models/{own.NAME}/ingest")
    page.get_by_label("State").select_option("refused")
    press(page, "Show")
    assert query_of(page) == {"state": "refused"}
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("soon")
    page.get_by_label("State").select_option("stored")
    press(page, "Show")
    next_page(page, "Older entries")
    assert query_of(page)["state"] == "stored"
    expect(page.locator("tbody")).to_contain_text("predictions")


def next_page(page: Page, link: str) -> None:
    """Open the next page of a list, which shows other rows."""
    before = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("link", name=link).click()
    page.wait_for_url(re.compile("before="))
    after = page.locator("tbody tr").all_inner_texts()
    assert after
    assert after != before


@pytest.mark.usefixtures("rows")
def test_retrainings_are_paged(person: Visitor, site: str, owner: Engine) -> None:
    with owner.connect() as connection:
        number = connection.execute(select(models.c.number).where(models.c.name == own.NAME)).scalar_one()
    for n in range(MORE_THAN_A_PAGE):
        retrainings.begin(owner, VersionKey(number, 1), f"reason {n}", None, datetime.now(UTC))
    person.page.goto(f"{site}/models/{own.NAME}/versions")
    next_page(person.page, "Earlier retrainings")
    expect(person.page.locator("#retrainings tbody")).to_contain_text("reason 0")


# The overview, and what is new


@pytest.fixture
def many(owner: Engine) -> Iterator[None]:
    """More models than the overview has on a page; no version of them is ready."""
    with owner.connect() as connection:
        first = connection.execute(select(func.max(models.c.number))).scalar_one() + 1000
    created = naive_utc(datetime.now(UTC))
    names = ((first + n, f"waiting_{n:02}") for n in range(MORE_THAN_A_PAGE))
    with own.stored(owner, models, [{"number": n, "name": name, "created_at": created} for n, name in names]):
        yield


@pytest.mark.usefixtures("rows", "many")
def test_the_overview_is_searched_filtered_and_paged(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(site)
    listed = page.locator("ul.models h3")
    page.get_by_label("Name").fill("chur")
    press(page, "Show")
    assert query_of(page) == {"q": "chur"}
    expect(listed).to_have_text(["churn"])
    page.get_by_label("Name").fill("")
    page.get_by_label("Owner").select_option("zoo")
    press(page, "Show")
    assert query_of(page) == {"owner": "zoo"}
    expect(listed).to_have_text([own.NAME])
    state = page.locator("li.model").get_attribute("class")
    assert state is not None
    page.get_by_role("combobox", name="Verdict").select_option(state.removeprefix("model "))
    press(page, "Show")
    assert query_of(page) == {"owner": "zoo", "state": state.removeprefix("model ")}
    expect(listed).to_have_text([own.NAME])
    page.get_by_role("link", name="Show all", exact=True).click()
    page.wait_for_url(f"{site}/")
    first = set(listed.all_inner_texts())
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".paging")).to_contain_text("Page 2 of 2")
    assert not first & set(listed.all_inner_texts())
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".paging")).to_contain_text("Page 1 of 2")
    assert set(listed.all_inner_texts()) == first


@pytest.mark.usefixtures("rows")
def test_an_open_page_offers_newer_results_and_shows_them(person: Visitor, site: str) -> None:
    page = person.page
    with page.expect_response(re.compile("/changes$")):
        page.goto(f"{site}/models/{own.NAME}?version=2")
    days = page.locator("tr[id^=c-]")
    expect(days).to_have_count(own.DAYS)
    page.wait_for_function("seen !== null")
    own.send(site, own.scored(own.REFERENCE_DAYS + own.DAYS, 1, prefix="v2/"), 2)
    page.locator("#news").get_by_role("link").click(timeout=2 * PATIENCE)
    expect(days).to_have_count(own.DAYS + 1)


def test_the_links_below_each_page_lead_to_json(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(site)
    listed = json_of(page, page.get_by_role("link", name="Models as JSON"))
    assert "churn" in {model["name"] for model in listed["models"]}
    assert json_of(page, page.get_by_role("link", name="API description"))["openapi"].startswith("3.")


def test_a_page_that_is_missing_leads_back(person: Visitor, site: str) -> None:
    with refused(person, 404):
        person.page.goto(f"{site}/models/nothing")
    person.page.get_by_role("link", name="All models").click()
    expect(person.page.get_by_role("heading", name="Models")).to_be_visible()


# Incidents and alerts


@pytest.fixture
def past(owner: Engine, rows: None) -> Iterator[None]:
    """More incidents than the list has on a page: withdrawn ones of long ago."""
    del rows
    long_ago = copies(owner, incidents, timedelta(days=100), state="withdrawn")
    with own.stored(owner, incidents, long_ago):
        yield


@pytest.mark.usefixtures("past")
def test_incidents_are_filtered_and_paged(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/incidents")
    page.get_by_label("Model").fill(own.NAME)
    page.get_by_label("State").select_option("open")
    press(page, "Show")
    assert query_of(page) == {"model": own.NAME, "state": "open"}
    listed = page.locator("tbody tr")
    assert listed.count() >= 1
    assert all(own.NAME in words for words in listed.all_inner_texts())
    page.get_by_role("link", name="Show all").click()
    next_page(page, "Older incidents")


@pytest.mark.usefixtures("rows")
def test_an_incident_is_acknowledged_assigned_silenced_and_commented_on(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/incidents?model={own.NAME}&state=open")
    page.locator("tbody th a").first.click()
    page.wait_for_url(re.compile(r"/incidents/\d+$"))
    number = int(page.url.rsplit("/", 1)[1])
    press(page, "Acknowledge")
    assign = page.locator("form[action$=assign]")
    assign.get_by_label("Assign to").fill("kim")
    assign.get_by_label("Your name").fill("pat")
    press(page, "Assign", assign)
    expect(page.locator("main")).to_contain_text("pat assigned it to kim")
    silence = page.locator("form[action$=silence]")
    silence.get_by_label("For").select_option("72")
    silence.get_by_label("Reason").fill("the feed is being repaired")
    silence.get_by_label("Your name").fill("pat")
    press(page, "Silence", silence)
    expect(page.locator("main")).to_contain_text("the feed is being repaired (silenced by pat)")
    stored = incident(site, number)
    left = datetime.fromisoformat(stored["silenced_until"]) - datetime.now(UTC)
    assert timedelta(hours=71) < left <= timedelta(hours=72)
    assert (stored["acknowledged_by"], stored["assigned_to"]) == ("local", "kim")
    press(page, "End the silence now")
    assert datetime.fromisoformat(incident(site, number)["silenced_until"]) <= datetime.now(UTC)
    expect(silence).to_be_visible()
    comment = page.locator("#comments form")
    comment.get_by_label("Comment").fill("Seen <b>twice</b>.")
    comment.get_by_label("Your name").fill("kim")
    press(page, "Comment", comment)
    expect(page.locator("#comments article")).to_contain_text("Seen <b>twice</b>.")
    assert [row["text"] for row in incident(site, number)["comments"]] == ["Seen <b>twice</b>."]


def incident(site: str, number: int) -> dict[str, Any]:
    """Return what the API says about an incident."""
    answer = requests.get(f"{site}/api/v1/incidents/{number}", timeout=own.SECONDS).json()
    stored: dict[str, Any] = answer.get("incident", answer) | answer
    return stored


def test_without_channels_the_page_says_how_to_have_some(person: Visitor, site: str) -> None:
    person.page.goto(f"{site}/alerts")
    expect(person.page.locator("main")).to_contain_text("There is no channel")
    expect(person.page.locator("main")).to_contain_text("Nothing was sent yet.")


@pytest.fixture(scope="module")
def alerted(loop: IsolatedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerted]:
    """A second monitor of the same database, which has channels."""
    with monitor_with_channels(loop, tmp_path_factory.mktemp("alerts"), any_free()) as alerted:
        yield alerted


def test_channels_are_tested_and_dead_letters_sent_again(person: Visitor, alerted: Alerted, owner: Engine) -> None:
    page, table = person.page, person.page.locator("#deliveries tbody tr")
    page.goto(f"{alerted.site}/alerts")
    press(page, "Send a test message on works")
    assert query_of(page) == {"channel": "works"}
    expect(table).to_have_count(1)
    expect(table).to_contain_text("delivered")
    assert len(alerted.works.posts) == 1
    page.get_by_role("link", name="Show all").click()
    press(page, "Send a test message on fails")
    expect(table).to_contain_text("dead letter")
    alerted.fails.status = 200
    press(page, re.compile(r"Send delivery \d+ again"))
    expect(async_reload(page, table.filter(has_text="fails"))).to_contain_text("delivered")
    page.get_by_role("link", name="works").click()
    with own.stored(owner, alert_deliveries, copies(owner, alert_deliveries, channel="works", state="delivered")):
        are_filtered_and_paged(page, table)


def are_filtered_and_paged(page: Page, deliveries: Locator) -> None:
    """Choose the delivered messages of a channel in the form, and look at the second page."""
    page.get_by_role("searchbox", name="Channel").fill("works")
    page.get_by_label("State").select_option("delivered")
    press(page, "Show")
    assert query_of(page) == {"channel": "works", "state": "delivered"}
    expect(deliveries).to_have_count(50)
    page.get_by_role("link", name="Older deliveries").click()
    expect(deliveries).to_have_count(MORE_THAN_A_PAGE + 1 - 50)


def async_reload(page: Page, row: Locator) -> Locator:
    """Reload a page until a row says that it was delivered, for some seconds."""
    for _ in range(50):
        if "delivered" in row.first.inner_text():
            break
        page.wait_for_timeout(200)
        page.reload()
    return row.first


# The other services


def test_serving_predicts_the_row_of_its_form(person: Visitor, loop: IsolatedStack) -> None:
    page = person.page
    page.goto(f"http://127.0.0.1:{loop.site.ports['serving']}/")
    row = page.get_by_label("Row, as JSON")
    text = row.input_value()
    page.get_by_label("Model").fill("churn")
    page.get_by_label("Log it as a prediction").check()
    page.get_by_label("Log it as a prediction").uncheck()
    row.fill("[")
    with refused(person, 400):
        press(page, "Predict")
    expect(page.get_by_role("alert")).to_be_visible()
    row.fill(text)
    press(page, "Predict")
    assert 0 <= json.loads(page.locator("pre").inner_text())["score"] <= 1


def test_the_simulator_starts_and_stops_a_stream(person: Visitor, loop: IsolatedStack) -> None:
    page = person.page
    page.goto(f"http://127.0.0.1:{loop.site.ports['simulator']}/")
    for field in page.locator("form input, form select").all():
        fill_and_empty(field)
    for name, value in {"interval": "0.5", "batch_size": "10"}.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=num_batches]").fill("many")
    with refused(person, 400):
        press(page, "Start")
    expect(page.locator(".refused")).to_contain_text("num_batches")
    page.locator("[name=num_batches]").fill("500")
    press(page, "Start")
    assert loop.call("simulator", "GET", "/stream").json()["num_batches"] == 500
    done = page.locator("[data-field=batches_done]")
    before = done.inner_text()
    expect(done).not_to_have_text(before, timeout=9 * PATIENCE)  # the first batch needs the simulated world
    press(page, "Stop it")
    expect(page.locator("[data-field=state]")).to_have_text("stopped", timeout=3 * PATIENCE)
    stream = loop.call("simulator", "GET", "/stream").json()
    assert 0 < stream["batches_done"] < 500


def fill_and_empty(field: Locator) -> None:
    """Fill a field with something, and make it empty again."""
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(index=1)
        field.select_option(index=0)
    else:
        field.fill("2025-01-01" if field.get_attribute("type") == "date" else "1")
        field.fill("")


# None is forgotten


def test_every_page_was_opened_and_every_control_used(inventory: Inventory, monitor: APIFlask) -> None:
    rules = [rule for rule in monitor.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    pages = {rule.rule for rule in rules if "GET" in (rule.methods or ())} - {"/static/report.css", "/changes"}
    sent = {f"POST {rule.rule}" for rule in rules if "POST" in (rule.methods or ())}
    assert pages - inventory.pages == set()
    assert sent - {control.target for control in inventory.used if control.kind == "button"} == set()
    assert "\n".join(inventory.forgotten(PLAIN)) == ""


def test_every_link_between_pages_leads_to_one(inventory: Inventory) -> None:
    links = [url for (target, *_), url in inventory.links.items() if target in inventory.pages]
    answers = {url: requests.get(url, timeout=own.SECONDS).status_code for url in links}
    assert {url: status for url, status in answers.items() if status != 200} == {}
