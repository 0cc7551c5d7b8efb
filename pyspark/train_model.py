"""Train the churn model on prepared days and register it with its frozen reference."""

from churn_jobs import command
from churn_jobs.configuration import RangeConfig, TrainingConfig, load
from churn_jobs.spark.job import Job
from churn_jobs.training import train


def main(
    first: command.FirstDay = None,
    last: command.LastDay = None,
    config: command.RangeFile = command.RANGES,
    training: command.TrainingFile = command.TRAINING,
    trainer: command.Trainers = None,
) -> None:
    """Train as of the last day of a range of Processed_Data; arguments win over processed_start and processed_end."""

    def work(job: Job) -> None:
        days = command.requested_days(first, last).or_else(load(config, RangeConfig).processed)
        train(job, days, load(training, TrainingConfig).with_trainers(trainer))

    command.run("train_model", work)


if __name__ == "__main__":
    command.start(main)
