"""The recipe for a metric, followed in a copy: the tests that it names pass, and nothing else is edited."""

from typing import Any

import pytest

from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

pytestmark = pytest.mark.slow
ENGINE = "src/driftline/engine"
PLACES = (
    TextPlace(f"{ENGINE}/results.py", "    TRUE_POSITIVES = "),
    TextPlace(f"{ENGINE}/performance/binary/confusion.py", "    @property\n    def precision(", "\n\n"),
    TextPlace(f"{ENGINE}/performance/binary/metrics.py", "    Metric.TRUE_POSITIVES: ", ",\n"),
    TextPlace(f"{ENGINE}/catalogue.py", "    Measure(\n        name=Metric.TRUE_POSITIVES,", ",\n"),
)
"""Where each block of the recipe is inserted."""
NAMES = "docs/reference/spec.md"
CHECKS = (
    "tests/unit/engine/test_catalogue.py",
    "tests/unit/docs/test_spec_table.py",
    "tests/unit/driftline/report/test_schema.py",
)
"""The tests that the recipe names; they fail where a step is left out."""
SCRIPT = """
import json
from dataclasses import asdict

from driftline.engine.catalogue import METRICS, Problem, measure, title
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import MODEL
from driftline.engine.spec import Spec
from driftline.engine.verdicts.track_record import track_records
from tests.unit.engine.frame_builders import scored_rows

name = "balanced_accuracy"
overrides = {name: {"type": "constant", "lower": 0.99}}
spec = Spec.model_validate({"columns": [{"name": "usage"}], "metrics": [name]})
strict = Spec.model_validate({**spec.model_dump(), "threshold_overrides": overrides})
chunk = scored_rows(1_000, seed=1)
results = []
for each in (spec, strict):
    fitted = fit_reference(scored_rows(6_000, days=12), each)
    results.append([asdict(r) for r in evaluate_chunk(fitted, each, chunk) if r.subject == MODEL])
print(json.dumps({
    "metrics": METRICS[Problem.BINARY],
    "title": title(name),
    "worse": measure(name).worse,
    "records": list(track_records(spec, [])),
    "results": results,
    "rows": chunk[["prediction", "label"]].to_numpy().tolist(),
}))
"""


@pytest.fixture(scope="module")
def section() -> str:
    """The recipe's text."""
    return recipe("A metric")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, section: str) -> TreeCopy:
    """Apply the recipe to a copy of the library, its reference pages and its unit tests."""
    tree = TreeCopy(tmp_path_factory.mktemp("recipe"), ("src/driftline", "docs/reference", "tests/unit"))
    for place, block in zip(PLACES, blocks(section), strict=True):
        assert place.file in section
        tree.insert(place, block)
    return tree


@pytest.fixture(scope="module")
def followed(copy: TreeCopy) -> dict[str, Any]:
    """Return what the script prints in the copy."""
    answer: dict[str, Any] = copy.answer(SCRIPT)
    return answer


def test_the_tests_that_the_recipe_names_pass_in_the_copy(copy: TreeCopy, section: str) -> None:
    assert [name for name in (NAMES, *CHECKS) if f"`{name}`" not in section] == []
    copy.replace(NAMES, "`specificity`, `true_pos", "`specificity`, `balanced_accuracy`, `true_pos")
    copy.write_schema(section)
    copy.test(*CHECKS)


def test_a_metric_is_listed_titled_and_has_a_worse_side(followed: dict[str, Any]) -> None:
    assert followed["metrics"][6:9] == ["specificity", "balanced_accuracy", "true_positives"]
    assert followed["title"] == "Balanced accuracy"
    assert followed["worse"] == "lower"
    assert followed["records"] == ["balanced_accuracy"]


def test_a_metric_is_realized_and_estimated(followed: dict[str, Any]) -> None:
    realized, estimated = followed["results"][0]
    rows = followed["rows"]
    shares = [sum(p == label for p, label in rows if label == c) / sum(label == c for _, label in rows) for c in (0, 1)]
    assert (realized["kind"], realized["method"]) == ("realized", "balanced_accuracy")
    assert realized["value"] == pytest.approx(sum(shares) / 2, rel=1e-12)
    assert estimated["value"] == pytest.approx(realized["value"], abs=0.05)


def test_a_metric_has_bounds_and_takes_a_threshold(followed: dict[str, Any]) -> None:
    by_default, overridden = (results[0] for results in followed["results"])
    assert 0 <= by_default["bounds"]["alert_lower"] <= by_default["bounds"]["lower"] < by_default["bounds"]["expected"]
    assert by_default["bounds"]["upper"] is None
    assert by_default["state"] == "ok"
    assert overridden["bounds"]["lower"] == 0.99
    assert overridden["state"] == "warn"
