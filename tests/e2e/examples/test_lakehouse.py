"""A short run of the lakehouse example on servers of its own: from rows of the source to verdicts on the dashboard."""

import html
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from examples.lakehouse import lineage
from examples.lakehouse.shop.simulation import SHORT, changes
from tests.examples.runs import Example, ran, verdicts
from tests.unit.driftline.lineage.recorders import checked


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after a run, without the Hudi tables, which need another Spark."""
    yield from ran("lakehouse", tmp_path_factory.mktemp("lakehouse"), "--short", "--without-hudi")


def test_another_unit_of_the_source_is_an_alert_on_the_dashboard(lakehouse: Example) -> None:
    assert lakehouse.output.count("Shop, copy and lake have the same rows.") == 3
    assert "promised_hours. It is added." in lakehouse.output
    by_day = dict(verdicts(lakehouse.output))
    assert len(by_day) == SHORT.monitored
    alerted, reason = re.findall(r"^First alert: (\S+): (.*); ", lakehouse.output, re.MULTILINE)[0]
    assert SHORT.version_2_begin
    assert alerted == f"{SHORT.version_2_begin:%Y-%m-%d}"
    assert {verdict for day, verdict in by_day.items() if day < alerted} == {"ok"}
    page = html.unescape(lakehouse.isolated.call("monitor", "GET", "/models/lakehouse").text)
    assert reason in page
    assert "Alert delivered: lakehouse" in lakehouse.output


def test_the_monitor_has_the_orders_that_the_source_has(lakehouse: Example) -> None:
    begin = SHORT.monitored_begin
    placed: dict[int, str] = {}
    for change in changes(SHORT):
        if change.kind == "removed":
            placed.pop(change.fields["id"], None)
        elif change.kind == "placed" and change.at >= begin:
            placed[change.fields["id"]] = f"{change.at:%Y-%m-%d}"
    erased = sum(map(int, re.findall(r"the monitor erased (\d+) that were removed", lakehouse.output)))
    assert erased, "a customer's data is erased after their orders were scored"
    answer = lakehouse.isolated.call("monitor", "GET", f"/api/v1/models/lakehouse/chunks?from={begin:%Y-%m-%d}")
    chunks = answer.json()["chunks"]
    assert {chunk["start"][:10]: chunk["rows"] for chunk in chunks} == Counter(placed.values())
    deletion = {"ids": [f"{order}" for order in range(1, max(placed) + 1) if order not in placed]}
    answer = lakehouse.isolated.call("monitor", "POST", "/api/v1/models/lakehouse/deletions", deletion)
    assert answer.json()["deleted"] == 0


def test_lineage_leads_from_the_api_to_the_verdicts(lakehouse: Example) -> None:
    events = [checked(line) for line in lakehouse.isolated.lineage.read_bytes().splitlines()]
    ended = [event for event in events if event["eventType"] != "START"]
    failed = [event["job"]["name"] for event in ended if event["eventType"] == "FAIL"]
    assert failed == [lineage.POLLER], "it refuses the field that the table lacks"
    reached, jobs = {"changes"}, set[str]()
    for _ in ended:
        for event in ended:
            if not reached.isdisjoint(dataset["name"] for dataset in event.get("inputs", ())):
                jobs.add(event["job"]["name"])
                reached |= {dataset["name"] for dataset in event.get("outputs", ())}
    steps = {lineage.POLLER, lineage.CONNECT, lineage.STREAM, lineage.TRAINING, lineage.REGISTRATION, lineage.SCORING}
    assert jobs == steps | {"poll.lakehouse"}
    assert "lakehouse.results" in reached
