"""What the ledger refuses before it asks the database."""

from datetime import UTC, datetime

import pytest

from driftline.errors import InvalidInput
from driftline.store import ledger

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", " a", "ä", "a" * 129, "a\n"])
def test_a_batch_id_that_the_ledger_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="batch id"):
        ledger.Batch(name, ledger.BatchKind.LABELS, "0" * 64, 1, NOW)


def test_a_batch_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidInput, match="split it"):
        ledger.Batch("a", ledger.BatchKind.LABELS, "0" * 64, ledger.MAX_ROWS + 1, NOW)
