"""What the tests of several pages do: press, follow, refuse and page."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from sqlalchemy import Engine, Table, select

from devtools.documentation.screenshot import browser
from tests.e2e.browser import Visitor

NEEDS_BROWSER = pytest.mark.skipif(browser() is None, reason="needs a Chromium, for instance the package chromium")
MORE_THAN_A_PAGE = 51
PATIENCE = 20_000
"""Milliseconds that an action may take: other programs run on the same cores."""


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


def open_cell(page: Page, column: str, place: int) -> None:
    """Open the cell of a column in the heat map that is at a place from the left."""
    cells = page.locator(f".heatmap a[href*='column={column}&']")
    with page.expect_navigation():
        cells.nth(place).click()


def copies(owner: Engine, table: Table, by: timedelta = timedelta(), **other: object) -> list[dict[str, Any]]:
    """Return copies of the newest row of a table, with later numbers, each by some time earlier than the one before."""
    with owner.connect() as connection:
        newest = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).mappings().one()
    rows = [dict(newest) | other | {"number": newest["number"] + n} for n in range(1, MORE_THAN_A_PAGE + 1)]
    if "delivery_id" in newest:
        rows = [row | {"delivery_id": f"copy {row['number']}"} for row in rows]
    times = [name for name in ("first_chunk", "last_chunk", "read_until") if name in newest]
    return [row | {name: row[name] - (1 + n) * by for name in times} for n, row in enumerate(rows)]


def next_page(page: Page, link: str) -> None:
    """Open the next page of a list, which shows other rows."""
    before = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("link", name=link).click()
    page.wait_for_url(re.compile("before="))
    after = page.locator("tbody tr").all_inner_texts()
    assert after
    assert after != before
