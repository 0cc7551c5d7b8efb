"""The columns that Debezium's messages declare, and an example that goes on without Hudi."""

import json
import random
from contextlib import nullcontext
from pathlib import Path

import pytest

from examples.lakehouse.capture.change_events import declared_columns, merged
from examples.lakehouse.hudi import __main__ as hudi
from examples.lakehouse.hudi import step, writing
from examples.lakehouse.hudi.tables import Instant, Table, earliest_readable
from examples.object_store import StoredObjects
from tests.unit.examples.order_changes import ADDED, FIELDS, random_transactions


def test_messages_declare_columns_and_a_later_schema_appends_one() -> None:
    transactions = random_transactions(random.Random(1), 20, 5)
    first, last = (declared_columns(json.dumps(json.loads(transactions[at][0].value)["schema"])) for at in (0, -1))
    assert list(first) == list(FIELDS)
    assert (first["id"], first["placed_at"], first["express"], first["warehouse"]) == (
        "BIGINT", "TIMESTAMP", "INT", "STRING",
    )  # fmt: skip
    assert list(merged({}, [first, last])) == list(merged(first, [last])) == [*FIELDS, *ADDED]
    assert merged(last, [first]) == last, "an earlier message takes no column away"


def test_an_unknown_or_changed_type_is_refused_with_its_column() -> None:
    schema = {"fields": [{"field": "after", "fields": [{"field": "price", "type": "bytes", "name": "Decimal"}]}]}
    with pytest.raises(ValueError, match="Column 'price' has the unknown type 'Decimal'"):
        declared_columns(json.dumps(schema))
    with pytest.raises(ValueError, match="Column 'items' was INT and is now BIGINT"):
        merged({"items": "INT"}, [{"items": "BIGINT"}])


@pytest.mark.parametrize(
    ("retained_from", "completed"), [("", "11"), ("10", "11"), ("20", "21"), ("25", "31"), ("40", "31")]
)
def test_readers_travel_to_the_earliest_write_that_is_kept(retained_from: str, completed: str) -> None:
    instants = [Instant("10", "11"), Instant("20", "21"), Instant("30", "31")]
    assert earliest_readable(instants, retained_from).completed == completed


@pytest.mark.parametrize("action", ["show", "rows", "compact", "forget"])
def test_a_table_that_was_not_written_yet_is_named(
    action: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hudi, "hudi_session", lambda _: nullcontext())
    monkeypatch.setattr(Table, "instants", lambda *_: [])
    assert hudi.main(["lake", action, "--jars", "jars"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{name}: there is no table in lake/{name} yet; `write` makes it" for name in ("orders_cow", "orders_mor")
    ]


def test_the_example_says_why_it_goes_on_without_hudi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> Path:
        raise SystemExit("Maven is missing")

    monkeypatch.setattr(step, "environment", refuse)
    (line,) = step.fill_tables(StoredObjects("s3://shop"), "127.0.0.1:1", tmp_path)
    assert line == "The Hudi tables are left out, since their environment cannot be made: Maven is missing"


def test_only_a_job_with_a_port_makes_metrics_and_their_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "TopicPositions", lambda *_: pytest.fail("a consumer is made"))
    assert writing.served_metrics(writing.Source("127.0.0.1:1", "orders", 10), None) is None
