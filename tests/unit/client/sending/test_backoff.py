"""Waits grow, with a random share, and end with a success."""

from random import Random

import pytest

from driftline.client.sending.backoff import Backoff


def test_waits_double_up_to_a_minute() -> None:
    backoff, waits = Backoff(Random(7)), []
    for _ in range(30):
        backoff.record_failure(100.0, None)
        waits.append(backoff.not_before - 100.0)
    assert all(
        0.5 * limit <= wait <= limit for wait, limit in zip(waits, [0.5, 1, 2, 4, 8, 16, 32] + [60] * 23, strict=True)
    )
    assert len(set(waits)) == 30


def test_a_success_ends_the_wait() -> None:
    backoff = Backoff()
    backoff.record_failure(100.0, None)
    backoff.record_success()
    assert (backoff.not_before, backoff.failures) == (0.0, 0)


@pytest.mark.parametrize(("requested", "not_before"), [(None, 0.0), (40.0, 140.0)])
def test_only_a_wait_that_the_monitor_asks_for_is_kept(requested: float | None, not_before: float) -> None:
    backoff = Backoff()
    backoff.record_failure(100.0, requested)
    backoff.retry_now()
    assert backoff.not_before == not_before
