"""The pages of a model: where drift comes from, what was reported when, data quality, spec and ingest log."""

import re

import pytest
from flask.testing import FlaskClient

DRIFTED = "2026-02-05T00:00:00Z"


def test_a_cell_of_the_heat_map_opens_both_distributions(reader: FlaskClient) -> None:
    cells = re.findall(r'<a href="(/models/flights/drift\?[^"]+)"', reader.get("/models/flights").text)
    assert len(cells) == 6 * 5
    page = reader.get("/models/flights/drift", query_string={"column": "minutes", "chunk": DRIFTED}).text
    for words in ("Drift that lasts.", "What moved most", "By carrier", "Jensen-Shannon distance", "day before"):
        assert words in page
    assert page.count('class="side chunk') == page.count('class="side reference') > 5
    assert page.count("side chunk largest") == 1
    refused = {"column=none&chunk=2026-02-05": 404, "column=minutes&chunk=2020-01-01": 404, "column=minutes": 400}
    for query, status in refused.items():
        assert reader.get(f"/models/flights/drift?{query}").status_code == status


def test_a_segment_has_charts_and_drift_of_its_own(reader: FlaskClient) -> None:
    page = reader.get("/models/flights?segment=carrier%3DAA").text
    assert "rows with <b>carrier=AA</b>" in page
    assert page != reader.get("/models/flights").text
    answer = reader.get("/models/flights?segment=carrier%3DXX")
    assert (answer.status_code, "carrier=AA" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("chunks/2026-02-01", ("what was reported, and when", "100 % of the labels", "All results as JSON")),
        ("chunks/2026-02-01?revision=1", ("Where the numbers of revision 1 come from", "In this day", "All as JSON")),
        ("quality", ("Outside its bounds on", "Data quality by column and day")),
        ("spec", ("label_delay", "Revision 1", "driftline models revise flights")),
        ("compare", ("a comparison needs two", "driftline models add flights")),
        ("ingest", ("No batch has come over HTTP",)),
    ],
)
def test_a_tab_shows_what_it_is_about(reader: FlaskClient, path: str, words: tuple[str, ...]) -> None:
    page = reader.get(f"/models/flights/{path}")
    assert page.status_code == 200
    assert [text for text in words if text not in page.text] == []
    assert "style=" not in page.text
    assert reader.get(f"/models/nobody/{path}").status_code == 404


def test_open_pages_learn_of_changed_verdicts(reader: FlaskClient) -> None:
    answer = reader.get("/changes")
    first = next(answer.iter_encoded()).decode()
    answer.close()
    retry, data = first.split("\n")[:2]
    assert (answer.mimetype, retry) == ("text/event-stream", "retry: 1000")
    assert int(data.removeprefix("data: ")) >= 6
