"""What a spec refuses: values of the wrong shape, and what contradicts itself, every fault at once."""

from typing import Any

import pytest
from pydantic import ValidationError

from driftline.engine.catalogue import COLUMN_METHODS, DEFAULT_METRICS, Problem
from driftline.engine.drift.methods import METHODS
from driftline.engine.spec import Spec

X = {"columns": [{"name": "x"}]}


def faults(fields: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Spec.model_validate(X | fields)
    return [(".".join(map(str, fault["loc"])), fault["msg"]) for fault in caught.value.errors()]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"metrics": 5}, "metrics"),
        ({"metrics": "roc_auc"}, "metrics"),
        ({"metrics": {"roc_auc": 1}}, "metrics"),
        ({"metrics": ["roc_auc", ["x"]]}, "metrics.1"),
        ({"problem": ["binary"]}, "problem"),
        ({"business_value": {"true_positive": float("inf")}}, "business_value.true_positive"),
        ({"segments": None}, "segments"),
        ({"period": {"a": 1}}, "period"),
    ],
)
def test_a_value_of_the_wrong_shape_is_named(fields: dict[str, Any], place: str) -> None:
    assert [where for where, _ in faults(fields)] == [place]


@pytest.mark.parametrize("requested", [None, [], ()])
def test_without_metrics_there_are_the_default_ones(requested: Any) -> None:
    assert Spec.model_validate(X | {"metrics": requested}).metrics == DEFAULT_METRICS[Problem.BINARY]


@pytest.mark.parametrize("kind", ["continuous", "categorical"])
def test_a_method_of_the_other_kind_of_column_is_refused(kind: str) -> None:
    ((_, fault),) = faults({f"{kind}_methods": ["chi2" if kind == "continuous" else "wasserstein", "psi"]})
    assert fault.startswith(
        f"{kind}_methods cannot be {'chi2' if kind == 'continuous' else 'wasserstein'}; available: "
    )


def test_the_methods_of_each_kind_are_those_that_the_engine_has() -> None:
    assert {(kind, method) for kind, methods in COLUMN_METHODS.items() for method in methods} == set(METHODS)


def test_every_contradiction_is_named_at_once() -> None:
    messages = faults(
        {
            "metrics": ["mae"],
            "classes": ["a", "b"],
            "segments": ["x"],
            "threshold_overrides": {"none": {"type": "constant"}},
        }
    )
    assert [msg.split(" ")[0] for _, msg in messages] == ["a", "classes", "segments", "there"]
    assert {place for place, _ in messages} == {""}
