"""CALL GetDailyCDRDataBatch on a million records, compared with one plain GROUP BY of the same sums."""

from functools import partial

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, show, timed, times
from churn.columns import CDR_USAGE, Cdr
from churn.tables import cdr
from driftline.store import bulk
from driftline.store.database import in_transaction

SUBSCRIBERS, DAYS = 10_000, 100
RUNS = 7
AIM = RatioTarget(1.3, Better.LOWER)
COLUMNS = (Cdr.DATE, Cdr.MSISDN, Cdr.RECORD_ID, *CDR_USAGE, Cdr.PSEUDO_CHURNED)
GROUP_BY = """
    SELECT DATE(DP_DATE), SUM(DP_MOC_COUNT), SUM(DP_MOC_DURATION), SUM(DP_DATA_COUNT), SUM(DP_DATA_VOLUME)
    FROM DP_CDR_Data WHERE DP_DATE >= '2026-01-01' GROUP BY DATE(DP_DATE)
"""


def day_of_records(day: int) -> pd.DataFrame:
    """Return one record for each subscriber."""
    rng = np.random.default_rng([7, day])
    stamp = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=day)
    msisdn = [f"9990{number:08}" for number in range(SUBSCRIBERS)]
    usage = {name: rng.integers(0, 5_000_000, SUBSCRIBERS) for name in CDR_USAGE}
    keys = {Cdr.DATE: stamp, Cdr.MSISDN: msisdn, Cdr.RECORD_ID: [f"bench:{day}:{n}" for n in range(SUBSCRIBERS)]}
    return pd.DataFrame({**keys, **usage, Cdr.PSEUDO_CHURNED: 0})


def fill(engine: Engine) -> None:
    """Load the records, ten days at a time."""
    for first in range(0, DAYS, 10):
        frame = pd.concat([day_of_records(day) for day in range(first, first + 10)])
        load = partial(bulk.load, table=cdr, columns=COLUMNS, payload=bulk.encode(frame, COLUMNS))
        in_transaction(engine, partial(load, constants={Cdr.BATCH_NUMBER: 1}))


def run_statement(engine: Engine, statement: str) -> int:
    """Run one statement, fetch its rows and return their number."""
    with engine.connect() as connection:
        return len(connection.exec_driver_sql(statement).fetchall())


def main() -> None:
    """Print the ratio."""
    print(f"The procedure on {SUBSCRIBERS * DAYS:,} records of {DAYS} days ({machine()})")
    with databases() as fresh:
        engine = fresh()
        fill(engine)
        call, group_by = "CALL GetDailyCDRDataBatch", "bare GROUP BY"
        seconds = alternate(
            {
                call: lambda: timed(lambda: run_statement(engine, "CALL GetDailyCDRDataBatch('2026-01-01')")),
                group_by: lambda: timed(lambda: run_statement(engine, GROUP_BY)),
            },
            RUNS,
        )
    show(seconds)
    conclude("the procedure takes times a GROUP BY", times(seconds[call], seconds[group_by]), AIM)


if __name__ == "__main__":
    main()
