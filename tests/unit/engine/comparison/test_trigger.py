"""When a challenger is trained: after an alert that lasts, and not too often."""

from datetime import UTC, datetime, timedelta

import pytest

from driftline.engine.comparison.trigger import ClosedChunk, RetrainingLimits, alert_lasts, refusal
from driftline.engine.results import State
from tests.unit.engine.comparison.days import STARTS

LETTERS = {"a": State.ALERT, "w": State.WARN, "o": State.OK, "p": State.PENDING_LABELS, "n": State.NO_DATA}
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("states", "since"),
    [
        ("ooaaa", 2),
        ("ooaa", None),
        ("aaao", None),
        ("oapanap", 1),
        ("aaa", 0),
        ("aawa", None),
        ("ppp", None),
        ("", None),
    ],
)
def test_an_alert_lasts_over_chunks_that_say_nothing(states: str, since: int | None) -> None:
    chunks = [ClosedChunk(start, LETTERS[letter]) for start, letter in zip(STARTS, states, strict=False)]
    assert alert_lasts(reversed(chunks), 3) == (None if since is None else STARTS[since])


def test_trainings_keep_the_cool_down_and_the_budget_of_the_month() -> None:
    limits = RetrainingLimits(cool_down=3 * DAY, per_month=2)
    assert refusal(NOW, [], limits) is None
    assert "the next may begin 2026-05-21 12:00" in str(refusal(NOW, [NOW - 9 * DAY, NOW - 2 * DAY], limits))
    assert refusal(NOW, [NOW - 3 * DAY], limits) is None
    in_may = [NOW - 10 * DAY, NOW - 5 * DAY]
    assert "2 trainings began in May 2026, and the budget is 2" in str(refusal(NOW, in_may, limits))
    assert refusal(NOW + 12 * DAY, in_may, limits) is None
