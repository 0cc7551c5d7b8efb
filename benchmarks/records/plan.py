"""The stream for timing the simulator and the relay: a world without drift, one batch per day."""

from datetime import UTC, date, datetime

from flaskapp.stream.plan import StreamPlan
from flaskapp.world import Parameters

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def plan_of(subscribers: int, days: int) -> StreamPlan:
    """Plan a dated stream; about 95 % of the subscribers have a record on a day."""
    world = Parameters(seed=7, start_date=date(2026, 1, 1), subscribers=subscribers)
    run_id = f"{subscribers:032x}{days:032x}"
    return StreamPlan(run_id, world, dated=True, batch_size=subscribers, num_batches=days, interval=0)
