"""Train a challenger of the churn model after a lasting alert, and promote it only if it is better beyond noise."""

from typing import Annotated

import typer

from churn_jobs import command
from churn_jobs.configuration import RetrainingConfig, TrainingConfig, load
from churn_jobs.retraining import retrain

Reason = Annotated[str | None, typer.Option(help="Train without an alert, for this reason.", show_default=False)]


def main(
    reason: Reason = None,
    config: command.RetrainingFile = command.RETRAINING,
    training: command.TrainingFile = command.TRAINING,
    trainer: command.Trainers = None,
) -> None:
    """Do nothing without a lasting alert or a reason; cool-down and budget of retraining.json hold for both."""
    files = load(training, TrainingConfig).with_trainers(trainer), load(config, RetrainingConfig)
    command.run("retrain", lambda job: retrain(job, reason, *files))


if __name__ == "__main__":
    command.start(main)
