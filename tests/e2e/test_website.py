"""Every page of the demo in a browser: for all to read, at three widths, in both themes, and by keyboard alone."""

import re
from collections.abc import Iterator

import pytest
import requests
from flask import Flask

from devtools.documentation.screenshot import browser
from driftline.settings import DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings
from stack.demo.plan import Plan
from stack.testing.isolated_stack import IsolatedStack
from tests.e2e.browser import Visitor, visitor

pytestmark = pytest.mark.skipif(browser() is None, reason="needs a Chromium, for instance the package chromium")
NOT_VISITED = {"/static/report.css", "/changes", "/register/<key>"}
"""A style sheet, a number, and a page that takes an upload (`test_registration_pages.py`)."""


@pytest.fixture(scope="module")
def site(loop: IsolatedStack) -> str:
    return f"http://127.0.0.1:{loop.site.ports['monitor']}"


@pytest.fixture(scope="module")
def incident(site: str) -> int:
    """An incident that is open."""
    incidents = requests.get(f"{site}/api/v1/incidents", params={"state": "open"}, timeout=60).json()["incidents"]
    return int(incidents[0]["number"])


@pytest.fixture
def person() -> Iterator[Visitor]:
    with visitor() as person:
        yield person


@pytest.fixture(scope="module")
def paths(plan: Plan, incident: int) -> dict[str, str]:
    """The pages by their rules, and some of them in another state."""
    chunk, column = f"{plan.day(9)}T00:00:00Z", "M_Out_Call_Time"
    return {
        "/": "/",
        "/?": "/?state=alert&q=nothing",
        "/models/<name>": f"/models/churn?to={chunk}",
        "/models/<name>/drift": f"/models/churn/drift?column={column}&chunk={chunk}",
        "/models/<name>/chunks/<start>": f"/models/churn/chunks/{chunk}",
        "/models/<name>/quality": "/models/churn/quality",
        "/models/<name>/spec": "/models/churn/spec",
        "/models/<name>/versions": "/models/churn/versions",
        "/models/<name>/spec/edit": "/models/churn/spec/edit",
        "/models/<name>/ingest": "/models/churn/ingest",
        "/models/<name>/connect": "/models/churn/connect",
        "/models/<name>/compare": "/models/churn/compare",
        "/register": "/register",
        "/incidents": "/incidents",
        "/incidents/<int:number>": f"/incidents/{incident}",
        "/alerts": "/alerts",
    }


def test_no_page_is_forgotten(paths: dict[str, str]) -> None:
    nobody = DatabaseSettings.model_validate({"port": 1, "user": "nobody", "password": "none"})
    assert {path for path in paths if "?" not in path} == page_rules(create_app(MonitorSettings(), nobody, polls=False))


def page_rules(app: Flask) -> set[str]:
    rules = (rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pages."))
    return {rule.rule for rule in rules if "GET" in (rule.methods or ())} - NOT_VISITED


def test_pages_are_accessible_and_load_nothing_else(
    person: Visitor, paths: dict[str, str], site: str, loop: IsolatedStack
) -> None:
    simulator = f"http://127.0.0.1:{loop.site.ports['simulator']}/"
    for address in (*(f"{site}{path}" for path in paths.values()), simulator):
        person.look(address)
    assert person.faults == []


def test_a_keyboard_alone_acknowledges_an_incident(person: Visitor, site: str, incident: int) -> None:
    page = person.page
    page.goto(site)
    for words in ("Skip to the content", "Incidents"):
        person.focus_by_tab(words)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/incidents$"))
    person.focus_by_tab(f"Incident {incident}")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/incidents/{incident}$"))
    person.focus_by_tab("Acknowledge")
    page.keyboard.press("Enter")
    page.get_by_text("By local").wait_for()
    assert person.faults == []
