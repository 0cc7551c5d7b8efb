"""Channels with a test button, and deliveries."""

import re

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine

from driftline.store.tables import alert_deliveries
from tests.e2e.browser import Visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.monitor_with_channels import Alerted
from tests.e2e.website_controls.steps import MORE_THAN_A_PAGE, NEEDS_BROWSER, copies, press, query_of

pytestmark = NEEDS_BROWSER


def test_without_channels_the_page_says_how_to_have_some(person: Visitor, site: str) -> None:
    person.page.goto(f"{site}/alerts")
    expect(person.page.locator("main")).to_contain_text("There is no channel")
    expect(person.page.locator("main")).to_contain_text("Nothing was sent yet.")


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
