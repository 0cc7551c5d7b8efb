"""Score records as they arrive in Kafka, with the served version of the churn model."""

from typing import Annotated

import typer

from churn_jobs.command import run, start
from churn_jobs.live.settings import StreamSettings
from churn_jobs.live.stream import NAME, score_stream
from driftline.clock import utc_now
from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.settings import KafkaSettings
from driftline.worker import stop_on_signals

Once = Annotated[bool, typer.Option("--once", help="End when the records that the topic has now are scored.")]


def main(once: Once = False) -> None:
    """Predict each subscriber-day as its record arrives, until SIGTERM or Ctrl-C."""
    settings, kafka, stop = StreamSettings(), KafkaSettings(), stop_on_signals()
    publisher = ConfluentPublisher(settings.route(kafka))
    run(NAME, lambda job: score_stream(job, settings, kafka, publisher, utc_now, stop, once=once), is_stream=True)


if __name__ == "__main__":
    start(main)
