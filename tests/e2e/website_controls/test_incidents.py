"""The list of incidents, and the forms of one."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import expect
from sqlalchemy import Engine

from driftline.store.tables import incidents
from tests.e2e.browser import Visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.steps import NEEDS_BROWSER, copies, next_page, press, query_of

pytestmark = NEEDS_BROWSER


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
def test_an_incident_is_acknowledged_assigned_silenced_and_discussed(person: Visitor, site: str) -> None:
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
