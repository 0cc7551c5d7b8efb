"""The overview: what it shows of each model, its filters, and the number of its statements."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, event, insert, select

from driftline.engine.results import State
from driftline.store.tables import model_versions, models, spec_revisions
from monitoring.report.overview import PAGE_SIZE, Attention, OverviewFilter, read_overview
from tests.integration.monitoring.world import NAME, NOW

COPIES = PAGE_SIZE + 10


def test_a_model_is_shown_with_its_verdict_labels_and_newest_row(reader: FlaskClient) -> None:
    page = reader.get("/").text
    for words in ("flights", "version 1, binary, by day", "of those due", "last 6 days", "Newest row"):
        assert words in page
    assert page.count('class="cell ') == 6
    assert reader.get("/?q=FLI&state=").text.count('<li class="model') == 1
    assert "No model is selected." in reader.get("/?q=none").text
    assert reader.get("/?state=soon").status_code == 400
    assert reader.get("/?page=999").status_code == 200


def test_the_number_of_statements_does_not_depend_on_that_of_models(reader: FlaskClient, pages_engine: Engine) -> None:
    assert reader.get("/").status_code == 200
    with pages_engine.connect() as connection:
        with _statements(pages_engine) as of_one:
            read_overview(connection, NOW, OverviewFilter(), 1)
        for number in range(COPIES):
            _copy_model(connection, f"copy-{number:03}")
        with _statements(pages_engine) as of_many:
            first = read_overview(connection, NOW, OverviewFilter(), 1)
            last = read_overview(connection, NOW, OverviewFilter("COPY"), 99)
        connection.rollback()
    assert len(of_one) <= 7
    assert len(of_many) <= 2 * len(of_one)
    assert (len(first.models), len(first.page), len(last.page), last.number) == (COPIES + 1, PAGE_SIZE, 10, 2)


def test_a_model_without_predictions_needs_attention(reader: FlaskClient, pages_engine: Engine) -> None:
    assert reader.get("/").status_code == 200
    with pages_engine.connect() as connection:
        _copy_model(connection, "new")
        overview = read_overview(connection, NOW, OverviewFilter(), 1)
        connection.rollback()
    by_name = {model.summary.name: model for model in overview.models}
    assert (by_name["new"].state, by_name["new"].attention) == (State.NO_DATA, Attention.NOT_STARTED)
    assert by_name["new"].attention.is_needed
    assert by_name[NAME].newest_event is not None
    assert sorted(overview.models, key=lambda model: model.attention) == list(overview.models)


@contextmanager
def _statements(engine: Engine) -> Iterator[list[str]]:
    """Yield the list of the statements that are executed meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _copy_model(connection: Connection, name: str) -> None:
    """Register a copy of the first model, in a transaction that the caller rolls back."""
    number = connection.execute(select(models.c.number).where(models.c.name == NAME)).scalar_one()
    created = {"name": name, "created_at": NOW.replace(tzinfo=None)}
    copy = connection.execute(insert(models).values(created)).lastrowid
    for table in (model_versions, spec_revisions):
        rows = connection.execute(select(table).where(table.c.model_number == number)).mappings().all()
        connection.execute(insert(table), [{**row, "model_number": copy} for row in rows])
