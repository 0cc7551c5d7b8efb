"""A short run of the index example on servers of its own: from days in a topic to verdicts on the dashboard."""

import re
from collections.abc import Iterator

import pytest

from tests.examples.runs import Example, ran, verdicts

FIRST_STREAMED, YEARS = "2023-07-02", "2023"
"""The first trading day of the two quarters that are streamed."""


@pytest.fixture(scope="module")
def dse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after a run over the last two quarters."""
    yield from ran("dse", tmp_path_factory.mktemp("dse"), "--calm", "--stream-from", FIRST_STREAMED)


def test_each_day_of_the_topic_is_predicted_and_labelled_once(dse: Example) -> None:
    sent = re.search(r"^(\d+) days sent", dse.output, re.MULTILINE)
    assert sent
    predicted = re.findall(r"^(\d{4}-\d\d-\d\d) close .* up\)$", dse.output, re.MULTILINE)
    assert len(predicted) == len({*predicted}) == int(sent[1])
    assert predicted == sorted(predicted)
    assert predicted[0] == FIRST_STREAMED
    chunks = dse.isolated.call("monitor", "GET", "/api/v1/models/dse/chunks?from=2023-07-01").json()["chunks"]
    assert sum(chunk["rows"] for chunk in chunks) == len(predicted)
    assert sum(chunk["labelled"] for chunk in chunks) == len(predicted) - 1, "the last day is followed by none"


def test_calm_quarters_have_their_verdicts_and_no_alert(dse: Example) -> None:
    """The label of the newest day is unknown until the next trading day."""
    assert [state for _, state in verdicts(dse.output, YEARS)] == ["ok", "pending_labels"]
