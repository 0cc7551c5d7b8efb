"""One new chunk of 10,000 rows compared with a fitted reference of 1,000,000 and of 10,000: all univariate methods."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from benchmarks.engine.driftline_process import spec_of
from benchmarks.engine.nannyml_process import import_nannyml
from benchmarks.engine.processes import METHODS
from benchmarks.engine.rows import CATEGORICAL, CONTINUOUS, START, scored
from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, show, timed, times
from driftline.engine.computation.fitted_methods import read_values
from driftline.engine.drift.methods import SKETCHES, methods_of
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import EVENT_TIME, SCORE
from driftline.engine.spec import ColumnSpec

ROWS = 10_000
REFERENCES = (1_000_000, 10_000)
RUNS = 15
AIM = RatioTarget(5, Better.LOWER)


def driftline_call(reference: pd.DataFrame, chunk: pd.DataFrame) -> Callable[[], object]:
    """Return a call that computes every univariate drift method of `chunk`, with a stored reference."""
    spec = spec_of([str(name) for name in reference])
    states = fit_reference(reference.rename(columns={"timestamp": EVENT_TIME, "score": SCORE}), spec).methods

    def of(column: ColumnSpec) -> list[object]:
        _, values = read_values(chunk[column.name], column)
        sketches = states.columns[column.name].sketches
        parts = {sketch: SKETCHES[sketch].summarize(state, values) for sketch, state in sketches.items()}
        return [how.finish(sketches[how.sketch], parts[how.sketch]) for how in methods_of(spec, column).values()]

    return lambda: [of(column) for column in spec.columns]


def nannyml_call(nannyml: Any, reference: pd.DataFrame, chunk: pd.DataFrame) -> Callable[[], object]:
    """Return a call that does the same with NannyML."""
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*CONTINUOUS, *CATEGORICAL],
        treat_as_categorical=list(CATEGORICAL),
        chunk_size=ROWS,
        **METHODS,
    )
    calculator.fit(reference)
    return lambda: calculator.calculate(chunk)


def main() -> None:
    """Print milliseconds, and how they depend on the reference's size."""
    print(f"A chunk of {ROWS:,} rows, 10 columns, 4 methods each ({machine()})", flush=True)
    chunk = scored(ROWS, START, 1, 99)
    as_categories = chunk.astype(dict.fromkeys(CATEGORICAL, "category"))
    nannyml, variants = import_nannyml(), {}
    for rows in REFERENCES:
        reference = scored(rows, START, 50, 1)
        variants[f"driftline, reference of {rows:,}"] = driftline_call(reference, as_categories)
        variants[f"driftline, texts, reference of {rows:,}"] = driftline_call(reference, chunk)
        variants[f"NannyML, reference of {rows:,}"] = nannyml_call(nannyml, reference, chunk)
    seconds = alternate({name: partial(timed, work) for name, work in variants.items()}, RUNS, unmeasured=2)
    show(seconds)
    large, small = (seconds[f"driftline, reference of {rows:,}"] for rows in REFERENCES)
    conclude("milliseconds against 1,000,000 rows", 1000 * sorted(large)[RUNS // 2], AIM)
    conclude("times what it takes against 10,000", times(large, small))
    conclude("times faster than NannyML", times(seconds[f"NannyML, reference of {REFERENCES[0]:,}"], large))


if __name__ == "__main__":
    main()
