"""Specs of the wrong shape and arguments of the wrong type are faults that name them, never a traceback."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.backtesting.request.request import Request, ScoreColumn
from driftline.backtesting.request.resolved import read_request
from driftline.errors import InvalidInput
from tests.unit.backtesting.conftest import UNTIL, Invoke

COLUMNS = ("t", "y", "s", "x", "k")


def faults(**options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_request(Request(**{"timestamp": "t", "label": "y", "scores": (ScoreColumn("s"),), **options}), COLUMNS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"problem": ["binary"]}, "unknown problem ['binary']"),
        ({"period": ["1d"]}, "not ['1d']"),
        ({"period": {"a": 1}}, "not {'a': 1}"),
        ({"columns": 5}, "spec: columns: 5 is not a list; write one such as [a, b]"),
        ({"columns": {"x": 1}}, "spec: columns: a value of type dict is not a list; write one such as [a, b]"),
        ({"columns": [7.5]}, "spec: columns.0: "),
        ({"columns": [{"name": "x", "kind": ["a"]}]}, "spec: columns.0.kind: "),
        ({"columns": [{"name": "x", "bogus": 1}]}, "spec: columns.0.bogus: "),
        ({"columns": ["x", {"name": "k", "watched": "nonsense"}]}, "spec: columns.1.watched: "),
    ],
)
def test_a_spec_of_the_wrong_shape_is_a_fault(spec: dict[str, Any], fault: str) -> None:
    assert fault in faults(spec=spec)


def test_faults_of_several_columns_are_listed_together() -> None:
    listed = faults(spec={"columns": [{"name": "x", "kind": "text"}, {"watched": True}], "problem": 3, "period": 4})
    for fault in ("columns.0.kind", "columns.1.name", "unknown problem 3", "not 4"):
        assert fault in listed


@pytest.mark.parametrize(
    ("yaml", "fault"),
    [
        ("segments: null", "spec: segments: "),
        ("segments: 5", "spec: segments: "),
        ("segments: [[c]]", "spec: segments.0: "),
        ("metrics: [roc_auc, [x]]", "spec: metrics.1: "),
        ("metrics: roc_auc", "spec: metrics: "),
        ("business_value: {true_positive: .inf}", "spec: business_value.true_positive: "),
        ("continuous_methods: [chi2]", "spec: continuous_methods cannot be chi2"),
        ("classes: 5", "spec: classes: "),
        ("classes: [a, b]", "spec: classes belong to a multiclass model"),
        ("{business_value: [1], label_delay: .nan}", "spec: business_value: "),
        ("{threshold_overrides: 5, minimum_rows: [1]}", "spec: minimum_rows: "),
        ("{problem: multiclass, classes: abc}", "spec: classes: a list of all classes"),
    ],
)
def test_a_spec_that_does_not_fit_the_model_is_a_fault(
    yaml: str, fault: str, world: pd.DataFrame, tmp_path: Path, invoke: Invoke
) -> None:
    path, spec = tmp_path / "few.parquet", tmp_path / "spec.yaml"
    world.to_parquet(path)
    spec.write_text(yaml)
    roles = ("--timestamp", "when", "--label", "churned", "--prediction", "churned_too")
    world.assign(churned_too=world["churned"]).to_parquet(path)
    result = invoke(path, *roles, "--reference-until", UNTIL, "--chunk", "1d", "--spec", spec)
    assert isinstance(result.exception, InvalidInput), result.exception
    assert fault in str(result.exception)


@pytest.mark.parametrize("role", ["t", "y", "s"])
def test_a_column_with_another_role_is_not_categorical(role: str) -> None:
    assert f"categorical=... is for features, and {role} has another role" in faults(categorical=(role,))
    assert "not among the features" not in faults(categorical=(role,), features=("x",))


@pytest.mark.parametrize(
    "until",
    [
        date(2026, 1, 13),
        np.datetime64("2026-01-13"),
        np.datetime64("2026-01-13T00:00", "ns"),
        pd.Timestamp("2026-01-13"),
        datetime(2026, 1, 13, tzinfo=UTC),
        "2026-01-13",
    ],
)
def test_the_end_of_the_reference_may_be_any_type_of_date(until: Any) -> None:
    resolved = read_request(Request(timestamp="t", reference_until=until), COLUMNS)
    assert resolved.until == datetime(2026, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "until", [pd.NaT, np.datetime64("NaT", "us"), 20260113, 1.5, ["2026-01-13"], np.datetime64(10**18, "s")]
)
def test_an_end_of_the_reference_must_be_a_date(until: Any) -> None:
    assert "is not a date or instant" in faults(reference_until=until)


@pytest.mark.parametrize("names", [["t", "x", "x"], ["t", 1, "1"]])
def test_repeated_column_names_are_a_fault(names: list[Any]) -> None:
    frame = pd.DataFrame([["2026-01-01", 1, 2]], columns=names)
    with pytest.raises(InvalidInput, match=rf"several columns are called '{names[2]}'; rename them"):
        backtest(frame, timestamp="t", reference_until=UNTIL)


@pytest.mark.parametrize("data", [[{"t": 1}], {"t": [1]}, None, 5])
def test_data_that_is_neither_frame_nor_path_is_a_fault(data: Any) -> None:
    with pytest.raises(InvalidInput, match=r"data must be a frame or the path of a file"):
        backtest(data, timestamp="t")


@pytest.mark.slow
@pytest.mark.parametrize("positive", [1, True, 1.0, np.int64(1), np.True_])
def test_class_1_may_be_a_number_and_one_score_a_list(positive: Any, world: pd.DataFrame) -> None:
    options: dict[str, Any] = {"timestamp": "when", "label": "churned", "reference_until": UNTIL, "features": "usage"}
    listed = backtest(world, **options, score=["score"], positive=positive)
    assert listed.chunks == backtest(world, **options, score="score").chunks


@pytest.mark.parametrize("role", ["features", "label", "categorical"])
def test_a_column_that_holds_lists_is_named(role: str, world: pd.DataFrame) -> None:
    rows = world.assign(basket=pd.Series([[n] for n in range(len(world))], dtype=object))
    options: dict[str, Any] = {"timestamp": "when", "reference_until": UNTIL, "features": ["basket", "usage"]}
    options |= {"label": "basket", "features": ["usage"]} if role == "label" else {role: ["basket", "usage"]}
    with pytest.raises(InvalidInput, match="'basket' holds values that are neither numbers nor text"):
        backtest(rows, **options)


def test_the_options_that_are_fields_of_the_spec_win_over_it() -> None:
    request = replace(Request("t"), label_delay="P3D", alert_budget=4.0, alert_on="harm", spec={"alert_budget": 2.0})
    assert read_request(request, None).fields == {"label_delay": "P3D", "alert_budget": 4.0, "alert_on": "harm"}
    assert read_request(replace(request, alert_budget=None), None).fields["alert_budget"] == 2.0
