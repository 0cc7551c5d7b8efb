"""What the example's batches are called."""

from datetime import date

from churn.ledger import SIMULATED
from flaskapp.history.simulated import SimulatedHistory
from flaskapp.stream import plan as stream_plan


def test_ids_of_simulated_batches_differ_from_those_of_a_file() -> None:
    history = SimulatedHistory(days=2, subscribers=10, until=date(2026, 1, 31), seed=1, label_delay=3)
    assert history.span.prefix.startswith(SIMULATED)
    assert stream_plan.batch_id("a" * 64, 1).startswith(SIMULATED)
    assert not "file/0123456789abcdef/1".startswith(SIMULATED)
