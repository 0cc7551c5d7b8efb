"""The pages of serving and of the simulator."""

import json

from playwright.sync_api import Locator, expect

from stack.testing.isolated_stack import IsolatedStack
from tests.e2e.browser import Visitor
from tests.e2e.website_controls.steps import NEEDS_BROWSER, PATIENCE, press, refused

pytestmark = NEEDS_BROWSER


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
