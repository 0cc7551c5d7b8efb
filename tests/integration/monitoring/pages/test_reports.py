"""The report over HTTP and on the command line: every format, ranges, refusals, and files of a schedule."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from typer.testing import CliRunner
from werkzeug.serving import make_server

from driftline.cli import app as command_line
from driftline.errors import NotFound
from driftline.objects import open_store
from driftline.report.document.content import ReportContent
from driftline.report.document.formats import FORMATS
from monitoring.report.files.scheduled_reports import ScheduledReports
from monitoring.service import MonitorService

PATH = "/models/flights/report"


@contextmanager
def served(site: APIFlask) -> Iterator[str]:
    """Serve an application on loopback."""
    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_every_format_has_all_results(reader: FlaskClient) -> None:
    chunks = reader.get("/api/v1/models/flights/chunks").json["chunks"]  # type: ignore[index]
    report = json.loads(reader.get(f"{PATH}.json").text)
    assert report["chunks"] == chunks
    rows = list(csv.DictReader(reader.get(f"{PATH}.csv").text.splitlines()))
    assert len(rows) == sum(len(chunk["results"]) for chunk in chunks)
    page = reader.get(f"{PATH}.html")
    assert "version 1 of a binary model" in page.text
    assert page.headers["Content-Disposition"] == "inline; filename*=UTF-8''flights-report.html"
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert reader.get(f"{PATH}.xlsx").data.startswith(b"PK")
    for row in FORMATS.values():
        if row.ending != "pdf":
            answer = reader.get(f"{PATH}.{row.ending}")
            assert answer.content_type == row.media_type
            assert len(answer.data) < 1_000_000


def test_a_range_is_compared_with_equally_many_chunks_before_it(reader: FlaskClient) -> None:
    page = reader.get(PATH + ".html?from=2026-02-04&to=2026-02-06").text
    assert "Before: 3 days from 1 February 2026 to 3 February 2026" in page
    assert "Compared with the range before" not in reader.get(PATH + ".html?from=2026-02-01").text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("/models/flights/report.doc", "Formats: html, pdf, xlsx, csv, json"),
        ("/models/flights/report.html?from=2030-01-01", "flights has no chunks in this range"),
        ("/models/none/report.html", "none"),
    ],
)
def test_what_does_not_exist_is_named(reader: FlaskClient, query: str, words: str) -> None:
    answer = reader.get(query)
    assert answer.status_code == 404
    assert words in answer.json["error"]["message"]  # type: ignore[index]


def test_the_command_writes_the_file_that_its_ending_names(site: APIFlask, tmp_path: Path) -> None:
    with served(site) as url:

        def run(*arguments: str) -> tuple[int, str]:
            outcome = CliRunner().invoke(command_line, ["report", "flights", "--monitor", url, *arguments])
            return outcome.exit_code, outcome.output + str(outcome.exception or "")

        assert run("-o", str(tmp_path / "flights.html"))[0] == 0
        assert "<h2>Summary" in (tmp_path / "flights.html").read_text()
        status, words = run("-o", str(tmp_path / "flights.doc"))
        assert status == 1
        assert "Formats: html, pdf, xlsx, csv, json" in words
        assert not (tmp_path / "flights.doc").exists()
        assert "there is no folder" in run("-o", str(tmp_path / "none" / "flights.html"))[1]
    assert "does not answer" in run("-o", str(tmp_path / "flights.html"))[1]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("place", ["tmp_path", "s3_bucket"])
def test_scheduled_reports_are_written_by_day(
    pages_engine: Engine, tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    now = datetime(2026, 2, 7, 6, tzinfo=UTC)
    monitor = MonitorService(pages_engine, open_store(tmp_path / "output"), lambda: now)

    def read(name: str) -> ReportContent:
        if name == "removed":
            raise NotFound("It was removed.")
        return monitor.newest_report(name)

    output = open_store(request.getfixturevalue(place))
    reports = ScheduledReports(output, ["html", "csv"], lambda: ["removed", "flights"], read, lambda: now)
    reports.write()
    assert sorted(output.under("reports").list_keys()) == ["2026-02-07/flights.csv", "2026-02-07/flights.html"]
