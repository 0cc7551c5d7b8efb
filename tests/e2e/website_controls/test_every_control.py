"""Every page was opened and every control of it used by the files before this one; none is forgotten."""

import pytest
import requests
from apiflask import APIFlask

from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.controls import Inventory
from tests.e2e.website_controls.steps import NEEDS_BROWSER

pytestmark = NEEDS_BROWSER


PLAIN = ("another site",)
"""Where links lead that are not followed: the training in MLflow."""


def test_every_page_was_opened_and_every_control_used(inventory: Inventory, monitor: APIFlask) -> None:
    rules = [rule for rule in monitor.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    pages = {rule.rule for rule in rules if "GET" in (rule.methods or ())} - {"/static/report.css", "/changes"}
    sent = {f"POST {rule.rule}" for rule in rules if "POST" in (rule.methods or ())}
    assert pages - inventory.pages == set()
    assert sent - {control.target for control in inventory.used if control.kind == "button"} == set()
    assert "\n".join(inventory.forgotten(PLAIN)) == ""


@pytest.mark.usefixtures("alerted")
def test_every_link_between_pages_leads_to_one(inventory: Inventory) -> None:
    links = [url for (target, *_), url in inventory.links.items() if target in inventory.pages]
    answers = {url: requests.get(url, timeout=own.SECONDS).status_code for url in links}
    assert {url: status for url, status in answers.items() if status != 200} == {}
