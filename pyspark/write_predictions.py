"""Score prepared days that have no prediction yet, with the champion of the churn model, or its newest version."""

from churn_jobs.command import RANGES, FirstDay, LastDay, RangeFile, requested_days, run, start
from churn_jobs.configuration import RangeConfig, load
from churn_jobs.predicted.predicting import predict


def main(first: FirstDay = None, last: LastDay = None, config: RangeFile = RANGES) -> None:
    """Write the missing predictions of a range; arguments win over processed_start and processed_end."""
    run(
        "write_predictions",
        lambda job: predict(job, requested_days(first, last).or_else(load(config, RangeConfig).processed)),
    )


if __name__ == "__main__":
    start(main)
