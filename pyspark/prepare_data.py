"""Prepare raw records: one row per subscriber and day, with trailing features."""

from churn_jobs.command import RANGES, FirstDay, LastDay, RangeFile, requested_days, run, start
from churn_jobs.configuration import RangeConfig, load
from churn_jobs.prepared.preparing import prepare


def main(first: FirstDay = None, last: LastDay = None, config: RangeFile = RANGES) -> None:
    """Prepare a range of DP_CDR_Data into Processed_Data and Parquet; arguments win over start_date and end_date."""
    run("prepare_data", lambda job: prepare(job, requested_days(first, last).or_else(load(config, RangeConfig).raw)))


if __name__ == "__main__":
    start(main)
