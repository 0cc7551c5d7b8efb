"""When the next batch of a stream is due."""

from datetime import UTC, datetime, timedelta

import pytest

from flaskapp.stream.runs import StreamRun, StreamRunState

START = datetime(2026, 1, 1, tzinfo=UTC)


def run(next_batch: int) -> StreamRun:
    return StreamRun("x", "{}", StreamRunState.RUNNING, 3, next_batch, 0, START, START, None, None)


@pytest.mark.parametrize(
    ("next_batch", "passed", "pause"), [(1, 0, 0), (2, 0, 60), (2, 20, 40), (2, 60, 0), (2, 999, 0)]
)
def test_the_first_batch_is_due_at_once_others_after_interval(next_batch: int, passed: int, pause: float) -> None:
    assert run(next_batch).pause(60.0, START + timedelta(seconds=passed)) == pause
