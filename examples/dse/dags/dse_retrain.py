"""The daily retrain for Airflow: after the close of each trading day, add the topic's new days, train and register.

Variables of the environment: `DSE_PYTHON`, the Python of the checkout's environment; `DSE_CHECKOUT`, its folder, in
which programs run; `DSE_FOLDER`, the folder with `training.csv`; `DSE_HOLIDAYS`, a holidays file, if there is one; and
what `python -m stack env jobs owner` prints.
"""

import os
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

CLOSED_DAY = '{{ data_interval_end.in_timezone("Asia/Dhaka").date() }}'
HOLIDAYS = '${DSE_HOLIDAYS:+--holidays "$DSE_HOLIDAYS"}'
ADD = (
    '"$DSE_PYTHON" -m driftline models add dse "$DSE_FOLDER/reference.csv" --timestamp at --id id --label up '
    "--score score --prediction prediction --spec examples/dse/spec.yaml --yes"
)

with DAG(
    "dse_retrain",
    description="Trains the model of the index on the days of the topic after each trading day, and registers it.",
    schedule="0 16 * * sun-thu",
    start_date=datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Dhaka")),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "cwd": os.environ.get("DSE_CHECKOUT")},
    tags=["driftline"],
) as dag:
    is_trading_day = BashOperator(
        task_id="is_trading_day",
        bash_command=f'"$DSE_PYTHON" -m examples.dse.trading_calendar {CLOSED_DAY} {HOLIDAYS}',
        skip_on_exit_code=99,
    )
    add_days = BashOperator(task_id="add_days", bash_command='"$DSE_PYTHON" -m examples.dse.topic_days "$DSE_FOLDER"')
    train = BashOperator(
        task_id="train", bash_command=f'"$DSE_PYTHON" -m examples.dse.training "$DSE_FOLDER" {HOLIDAYS}'
    )
    register = BashOperator(task_id="register", bash_command=ADD)
    is_trading_day >> add_days >> train >> register
