"""What was reported of a chunk, the data quality, the spec, versions and batches."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import requests
from playwright.sync_api import expect
from sqlalchemy import Engine, select

from driftline.store.tables import ingest_log, models
from driftline.store.version_key import VersionKey
from driftline.store.versions import retrainings
from tests.e2e.browser import Visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.steps import (
    MORE_THAN_A_PAGE,
    NEEDS_BROWSER,
    copies,
    json_of,
    next_page,
    open_cell,
    press,
    query_of,
)

pytestmark = NEEDS_BROWSER


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


def day(number: int) -> date:
    """Return a day after the reference by its number, from 0."""
    return own.FIRST + timedelta(days=own.REFERENCE_DAYS + number)


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


@pytest.mark.usefixtures("rows")
def test_retrainings_are_paged(person: Visitor, site: str, owner: Engine) -> None:
    with owner.connect() as connection:
        number = connection.execute(select(models.c.number).where(models.c.name == own.NAME)).scalar_one()
    for n in range(MORE_THAN_A_PAGE):
        retrainings.begin(owner, VersionKey(number, 1), f"reason {n}", None, datetime.now(UTC))
    person.page.goto(f"{site}/models/{own.NAME}/versions")
    next_page(person.page, "Earlier retrainings")
    expect(person.page.locator("#retrainings tbody")).to_contain_text("reason 0")
