"""What a user is told of a stream: why it failed, and what a request to start did."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy.exc import DataError

from driftline.errors import BatchConflict
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.request import read_start
from flaskapp.stream.runs import StreamRun, StreamRunState
from flaskapp.stream.service import message, reason

NOW = datetime(2026, 6, 15, tzinfo=UTC)


def test_a_driver_errors_reason_has_no_sql_or_values() -> None:
    error = DataError("INSERT INTO cdr VALUES (%s)", ("a-subscriber",), Exception(1406, "Data too long: a-subscriber"))
    assert reason(error) == "DataError: see the simulator's log"


def test_a_driftline_errors_reason_is_its_message() -> None:
    assert reason(BatchConflict("Batch 3 is another.", details=("a",))) == "Batch 3 is another."


def message_for(state: StreamRunState, num_batches: int) -> str:
    """Return the message for a stream after its tenth day."""
    body = {"start_date": "2026-01-01", "num_batches": num_batches}
    plan = StreamPlan.of(*read_start(body, NOW.date()), NOW, UUID(int=0))
    return message(StreamRun(plan.run_id, plan.to_json(), state, num_batches, 11, 0, NOW, NOW, None, None), plan)


@pytest.mark.parametrize("state", [StreamRunState.STOPPED, StreamRunState.FAILED, StreamRunState.FINISHED])
def test_the_message_of_a_complete_stream(state: StreamRunState) -> None:
    assert message_for(state, 5) == (
        "Nothing was started: this stream already has 10 batches; set num_batches to more than 10 to continue it."
    )


def test_the_message_of_a_resumed_stream() -> None:
    assert message_for(StreamRunState.RUNNING, 15).startswith(
        "Streaming started: from batch 11 on, the days 2026-01-11 to 2026-01-15."
    )
