"""The Titanic example whole, as `make example NAME=titanic` runs it, and again: it adds nothing."""

import time

from examples.titanic.voyages import VoyagePlan
from tests.examples.runs import Example, run_example, verdicts

PLAN = VoyagePlan()
YEAR = "2012"
SECONDS = 60
"""How long serving may take to send what it has predicted last."""


def test_emigrants_are_found_and_nothing_before(titanic: Example) -> None:
    states = [verdict for _, verdict in verdicts(titanic.output, YEAR)]
    assert len(states) == PLAN.sailing
    assert PLAN.emigrants_from is not None
    assert "alert" not in states[: PLAN.emigrants_from]
    assert "alert" in states[PLAN.emigrants_from : PLAN.emigrants_from + 3]
    assert "Alert delivered: titanic" in titanic.output


def test_a_second_run_finds_what_the_first_has_stored(titanic: Example) -> None:
    output = run_example("titanic", titanic.var)
    assert "titanic: version 1 is registered." in output
    assert verdicts(output, YEAR) == verdicts(titanic.output, YEAR)
    rows = PLAN.sailing * PLAN.passengers
    deadline = time.monotonic() + SECONDS
    while (stored := predictions(titanic)) != (rows, 2 * rows) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert stored == (rows, 2 * rows)


def predictions(titanic: Example) -> tuple[int, int]:
    """Return how many predictions were stored anew, and how many serving has sent; it sends them in the background."""
    address = "/api/v1/models/titanic/ingest?kind=predictions&most=1000"
    batches = titanic.isolated.call("monitor", "GET", address).json()["entries"]
    batches = [batch for batch in batches if batch["state"] == "stored"]
    return sum(batch["new"] for batch in batches), sum(batch["rows"] for batch in batches)
