"""What the ledger refuses before it asks the database."""

from datetime import UTC, date, datetime

import pytest

from driftline.errors import InvalidInput
from driftline.store import ledger
from flaskapp.history.simulated import SimulatedHistory
from flaskapp.stream import plan as stream_plan

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_simulators_batches_are_known_as_simulated_and_those_of_a_file_are_not() -> None:
    history = SimulatedHistory(days=2, subscribers=10, until=date(2026, 1, 31), seed=1, label_delay=3)
    assert history.span.prefix.startswith(ledger.SIMULATED)
    assert stream_plan.batch_id("a" * 64, 1).startswith(ledger.SIMULATED)
    assert not "file/0123456789abcdef/1".startswith(ledger.SIMULATED)


@pytest.mark.parametrize("name", ["", " a", "ä", "a" * 129, "a\n"])
def test_a_batch_id_that_the_ledger_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="batch id"):
        ledger.Batch(name, ledger.BatchKind.RECORDS, "0" * 64, 1, NOW)


def test_a_batch_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidInput, match="split it"):
        ledger.Batch("a", ledger.BatchKind.RECORDS, "0" * 64, ledger.MAX_ROWS + 1, NOW)
