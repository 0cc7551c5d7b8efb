"""The simulator's writer and relay, as its service runs them, with records of distinct subscribers stamped now."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from uuid import uuid4

import pandas as pd

from churn.columns import Topic
from driftline.clock import utc_now
from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.publishing.publisher import Route
from driftline.settings import DatabaseSettings, KafkaSettings
from driftline.store.database import in_transaction, make_engine
from driftline.worker import stop_on_signals
from flaskapp.stream import runs
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.request import StartStream
from flaskapp.stream.service import Streaming
from flaskapp.stream.source import StreamSource, label_frame
from flaskapp.world import World

SEED = 8
RECORDS, INTERVAL = 400, 0.2
"""Records of a batch, and the seconds between two: 2,000 records a second."""
SLOW_BATCHES, SLOW_RECORDS = 150, 40
"""The first batches are small, so that no backlog waits while Spark loads and compiles."""
CATCH_UP = 0.003
"""What a step takes beside its pause, so that the rate is the one above."""


class DistinctSubscribers(StreamSource):
    """One day of the world, cut into batches of consecutive subscribers: each subscriber has one record."""

    @property
    def _today(self) -> pd.DataFrame:
        return day_of(self.world)

    def labels(self, number: int) -> pd.DataFrame:
        """Return no label, as of any undated stream, without computing those of all subscribers."""
        return label_frame(self._today.iloc[:0], pd.Timestamp(self.plan.day(number), tz=UTC))

    def _part_frame(self, number: int, now: datetime) -> pd.DataFrame:
        first = (number - 1) * self.plan.batch_size
        rows = self.plan.batch_size if number > SLOW_BATCHES else SLOW_RECORDS
        part = self._today.iloc[first : first + rows]
        return self._stamped(part, pd.Timestamp(now), str(number))


@lru_cache(maxsize=1)
def day_of(world: World) -> pd.DataFrame:
    """Return the records of the world's first day."""
    return world.records_of_day(world.parameters.start_date)


def plan_of(subscribers: int, batches: int, now: datetime) -> StreamPlan:
    """Plan the undated stream of today's records."""
    request = StartStream(batch_size=RECORDS, num_batches=batches, interval=INTERVAL - CATCH_UP)
    plan = StreamPlan.of(request, (), now, uuid4())
    return replace(plan, world=replace(plan.world, seed=SEED, subscribers=subscribers))


def main() -> None:
    """Write and relay the stream until it is stopped by SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscribers", type=int, required=True)
    parser.add_argument("--batches", type=int, required=True)
    arguments = parser.parse_args()
    stop, kafka, engine = stop_on_signals(), KafkaSettings(), make_engine(DatabaseSettings())
    plan = plan_of(arguments.subscribers, arguments.batches, datetime.now(UTC))
    source = DistinctSubscribers(plan)
    source.records(1, utc_now())
    route = Route(kafka, Topic.CDR_RECORDS, Topic.CDR_BATCHES, "driftline-relay")
    streaming = Streaming(engine, ConfluentPublisher(route), utc_now, lambda _: source)
    in_transaction(engine, lambda connection: runs.begin(connection, plan, utc_now()))
    streaming.start_work()
    stop.wait()
    streaming.close()


if __name__ == "__main__":
    main()
