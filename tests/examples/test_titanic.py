"""The Titanic example whole, as `make example NAME=titanic` runs it, and again: it adds nothing."""

import re

from examples.titanic.voyages import Plan
from tests.examples.runs import Example, run_example

PLAN = Plan()


def verdicts(output: str) -> list[tuple[str, str]]:
    """Return the day and the verdict of each voyage."""
    return re.findall(r"^(2012-\d\d-\d\d) +\d+  (\w+)", output, re.MULTILINE)


def test_emigrants_are_found_and_nothing_before(titanic: Example) -> None:
    states = [verdict for _, verdict in verdicts(titanic.output)]
    assert len(states) == PLAN.sailing
    assert PLAN.emigrants_from is not None
    assert "alert" not in states[: PLAN.emigrants_from]
    assert "alert" in states[PLAN.emigrants_from : PLAN.emigrants_from + 3]
    assert "Alert delivered: titanic" in titanic.output


def test_a_second_run_finds_what_the_first_has_stored(titanic: Example) -> None:
    output = run_example("titanic", titanic.var)
    assert "titanic: version 1 is registered." in output
    assert verdicts(output) == verdicts(titanic.output)
    entries = titanic.isolated.call("monitor", "GET", "/api/v1/models/titanic/ingest?most=100").json()["entries"]
    batches = [entry for entry in entries if (entry["kind"], entry["state"]) == ("predictions", "stored")]
    rows = PLAN.sailing * PLAN.passengers
    assert (sum(batch["new"] for batch in batches), sum(batch["rows"] for batch in batches)) == (rows, 2 * rows)
