"""A stored layout reads rows as the inferred one did."""

import numpy as np
import pandas as pd
import pytest

from driftline.backtesting.input.rows import Rows, normalize, read
from driftline.backtesting.input.sources.sources import FrameSource
from driftline.backtesting.request.inference.layout_inference import infer_layout
from driftline.backtesting.request.request import Request, ScoreColumn
from driftline.backtesting.request.resolved import read_request
from driftline.backtesting.request.stored import layout_of, stored_layout
from driftline.engine.results import EVENT_TIME, ID, LABEL
from driftline.engine.spec import Spec
from driftline.ingest.rows.layouts import flat_layout
from driftline.store.versions.model_layout import ModelLayout

RNG = np.random.default_rng(3)
SCORE = RNG.uniform(size=400)
TIMES = pd.date_range("2026-01-01", periods=400, freq="h", tz="UTC")
WORDS = np.where(RNG.uniform(size=400) < SCORE, "Yes", "no")
FRAMES = {
    "words and percent": (
        pd.DataFrame({"t": TIMES, "y": WORDS, "s": 100 * SCORE, "prediction": SCORE, "a b": ["1,5", "2,25"] * 200}),
        Request("t", label="y", scores=(ScoreColumn("s"),), na_values=("??",)),
    ),
    "no label": (
        pd.DataFrame({"t": TIMES, "s": SCORE, "SELECT": RNG.normal(size=400)}),
        Request("t", scores=(ScoreColumn("s"),)),
    ),
    "classes": (
        pd.DataFrame({"t": TIMES, "y": ["a", "b", "NA", "d"] * 100, "ŷ": ["a", "b", "NA", "NA"] * 100, "x": SCORE}),
        Request("t", label="y", prediction="ŷ", spec={"classes": ["a", "b", "NA", "d"], "problem": "multiclass"}),
    ),
    "numbers": (
        pd.DataFrame({"t": TIMES, "key": [f"k{n}" for n in range(400)], "y": SCORE * 9, "ŷ": SCORE * 8, "x": SCORE}),
        Request("t", label="y", prediction="ŷ", id="key"),
    ),
}


@pytest.mark.parametrize("case", FRAMES)
def test_rows_are_shaped_as_the_inferred_layout_shapes_them(case: str) -> None:
    frame, request = FRAMES[case]
    source = FrameSource(frame)
    resolved = read_request(request, source.columns)
    (rows,) = read(source, resolved, source.columns)
    inferred = infer_layout(resolved, rows, dict(resolved.fields))
    stored = ModelLayout.from_json(stored_layout(inferred, resolved).to_json())
    spec = Spec.model_validate_json(inferred.spec.model_dump_json())
    again = Rows(normalize(frame.copy(), flat_layout(spec, stored)), rows.times, rows.numbers)
    layout = layout_of(spec, stored)
    pd.testing.assert_frame_equal(layout.shape(again), inferred.shape(rows))
    assert layout.absent == inferred.absent == stored.absent(spec)


def test_a_model_with_the_engines_own_names_is_read_by_them() -> None:
    spec = Spec(columns=("usage",))
    frame = pd.DataFrame({EVENT_TIME: TIMES, ID: range(400), "usage": SCORE, "probability_1": SCORE})
    frame = frame.assign(prediction=SCORE > 0.5, label=np.array([0, 1, np.nan, 1] * 100))
    stored = ModelLayout.canonical(spec)
    rows = Rows(
        normalize(frame, flat_layout(spec, stored)), TIMES.to_numpy("datetime64[us]").view(np.int64), np.arange(1, 401)
    )
    shaped = layout_of(spec, stored).shape(rows)
    assert shaped[LABEL].tolist()[:2] == [0, 1]
    assert shaped["prediction"].tolist() == (SCORE > 0.5).astype(float).tolist()
