"""The overview, and what is new."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, func, select

from driftline.clock import naive_utc
from driftline.store.tables import models
from tests.e2e.browser import Visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.steps import (
    MORE_THAN_A_PAGE,
    NEEDS_BROWSER,
    PATIENCE,
    json_of,
    press,
    query_of,
    refused,
)

pytestmark = NEEDS_BROWSER


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
