"""Every control of every page is used as a person does, with the effect that it has; none is forgotten.

A model of its own is added, changed and alerted on. The files build on one another, in the order of `LAST` in
`tests/e2e/conftest.py`, and share one browser, which is open until the last of them has ended.
"""

from collections.abc import Iterator

import pytest
import requests
from apiflask import APIFlask
from playwright.sync_api import expect
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings
from stack.servers.ports import any_free
from stack.testing.isolated_stack import IsolatedStack
from tests.e2e.browser import Visitor, visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.controls import Inventory
from tests.e2e.website_controls.monitor_with_channels import Alerted, monitor_with_channels
from tests.e2e.website_controls.steps import PATIENCE


@pytest.fixture(scope="session")
def monitor() -> APIFlask:
    """The monitor's routes; it answers nothing."""
    nobody = DatabaseSettings.model_validate({"port": 1, "user": "nobody", "password": "none"})
    return create_app(MonitorSettings(), nobody, polls=False)


@pytest.fixture(scope="session")
def site(loop: IsolatedStack) -> str:
    return f"http://127.0.0.1:{loop.site.ports['monitor']}"


@pytest.fixture(scope="session")
def owner(loop: IsolatedStack) -> Iterator[Engine]:
    """The database, for what has no route."""
    engine = loop.engine()
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def inventory(loop: IsolatedStack, monitor: APIFlask) -> Inventory:
    return Inventory(monitor.url_map, {loop.site.ports[name]: name for name in ("simulator", "serving")})


@pytest.fixture(scope="session")
def visiting(inventory: Inventory) -> Iterator[Visitor]:
    """The browser of all tests of this folder."""
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


@pytest.fixture(scope="session")
def alerted(loop: IsolatedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerted]:
    """A second monitor of the same database, which has channels."""
    with monitor_with_channels(loop, tmp_path_factory.mktemp("alerts"), any_free()) as alerted:
        yield alerted


@pytest.fixture(scope="session")
def rows(site: str) -> None:
    """Days of rows and labels of both versions, with results of segments too; on the last days the labels are wrong."""
    for version in (1, 2):
        change = {"segments": ["plan"]}
        url = f"{site}/api/v1/models/{own.NAME}/specs"
        requests.post(url, params={"version": version}, json=change, timeout=own.SECONDS).raise_for_status()
        own.send(site, own.scored(own.REFERENCE_DAYS, own.DAYS, prefix=f"v{version}/"), version)
