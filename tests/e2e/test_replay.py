"""Run again, nothing changes; killed anywhere, the same tables stand at the end."""

from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Table

from churn.tables import cdr, churn_predictions, processed
from driftline.store import tables
from stack.testing.isolated_stack import IsolatedStack

COMPARED: tuple[Table, ...] = (
    cdr, processed, tables.labels, tables.chunk_revisions, tables.results, tables.verdicts, tables.ledger,
)  # fmt: skip


def contents(isolated: IsolatedStack) -> dict[str, pd.DataFrame]:
    return {table.name: isolated.content(table) for table in (*COMPARED, churn_predictions)}


@pytest.fixture(scope="module")
def before(loop: IsolatedStack) -> dict[str, pd.DataFrame]:
    """What stands after one undisturbed run."""
    loop.call("monitor", "POST", "/run-monitoring").raise_for_status()
    return contents(loop)


def assert_same(actual: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(actual[name], frame, obj=name)


def test_the_demo_run_again_changes_nothing(
    loop: IsolatedStack, before: dict[str, pd.DataFrame], scenario_file: Path
) -> None:
    loop.stack("demo", "--any-port", "--scenario", str(scenario_file))
    after = contents(loop)
    labels_since = {name: after.pop(name) for name in ("Processed_Data", "ledger")}
    assert_same(after, {name: frame for name, frame in before.items() if name in after})
    prepared = labels_since["Processed_Data"].drop(columns="M_Tenure_Churn")
    pd.testing.assert_frame_equal(prepared, before["Processed_Data"].drop(columns="M_Tenure_Churn"))


@pytest.mark.kills
def test_killed_on_the_way_the_same_tables_stand_at_the_end(
    before: dict[str, pd.DataFrame], disturbed: "Future[IsolatedStack]"
) -> None:
    isolated = disturbed.result()
    kills = Counter((isolated.var / "kills.txt").read_text().splitlines())
    print(dict(kills))  # noqa: T201  (`make test-kills` shows it)
    assert set(kills) >= {"simulator", "mariadb", "monitor", "kafka", "pyspark/write_predictions.py"}
    assert_same(contents(isolated), before)
