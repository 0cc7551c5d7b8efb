"""A short run of the Titanic example on servers of its own: the command that `make example NAME=titanic` runs."""

import csv
from collections.abc import Iterator

import pytest

from tests.examples.runs import PASSENGER, Example, ran, verdicts


@pytest.fixture(scope="module")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after 8 voyages, of which the last 5 have emigrants."""
    yield from ran("titanic", tmp_path_factory.mktemp("titanic"), "--voyages", "8", "--emigrants-from", "3")


def test_emigrants_are_found_and_the_alert_arrives(titanic: Example) -> None:
    output = titanic.output
    assert "4,800 predictions served" in output
    by_day = dict(verdicts(output, "2012"))
    assert len(by_day) == 8
    assert {by_day[f"2012-{day}"] for day in ("04-30", "05-01", "05-02")} == {"ok"}
    assert "alert" in by_day.values()
    assert "passenger_class" in output
    assert "Alert delivered: titanic" in output
    folder = titanic.var / "titanic"
    rows = list(csv.DictReader((folder / "fairness.csv").read_text().splitlines()))
    assert {row["feature"] for row in rows} == {"sex", "passenger_class", "embarked"}
    recall = next(row for row in rows if (row["feature"], row["metric"]) == ("sex", "recall"))
    assert (recall["best"], recall["worst"], recall["certain"]) == ("female", "male", "True")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "survived" in (folder / "exploration.html").read_text()


def test_requests_that_name_no_model_are_for_the_only_one(titanic: Example) -> None:
    request = {"rows": [{"id": "passenger-1", "features": PASSENGER}], "log": False}
    answer = titanic.isolated.call("serving", "POST", "/predict", request)
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "titanic"
