"""Train the churn model on prepared days and register it with its frozen reference."""

from churn_jobs.command import RANGES, TRAINING, FirstDay, LastDay, RangeFile, TrainingFile, requested_days, run, start
from churn_jobs.configuration import RangeConfig, TrainingConfig, load
from churn_jobs.job import Job
from churn_jobs.training import train


def main(
    first: FirstDay = None, last: LastDay = None, config: RangeFile = RANGES, training: TrainingFile = TRAINING
) -> None:
    """Train as of the last day of a range of Processed_Data; arguments win over processed_start and processed_end."""

    def work(job: Job) -> None:
        days = requested_days(first, last).or_else(load(config, RangeConfig).processed)
        train(job, days, load(training, TrainingConfig))

    run("train_model", work)


if __name__ == "__main__":
    start(main)
