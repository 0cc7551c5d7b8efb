"""CONTRIBUTING's recipe for a metric, followed in a copy of the package: nothing else must be edited."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
ENGINE = Path("src/driftline/engine")
STEPS = (
    (ENGINE / "results.py", '    F1 = "f1"\n', ""),
    (ENGINE / "performance/binary/confusion.py", "    @property\n    def precision(", "\n"),
    (ENGINE / "performance/binary/metrics.py", "    Metric.ACCURACY: ", ","),
    (ENGINE / "catalogue.py", "    Measure(\n        name=Metric.ACCURACY,", ","),
)
"""Where each block of the recipe is inserted: the file, the text before which it stands, and what follows it."""
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
def followed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Apply the recipe to a copy of the library, and return what its script prints."""
    folder = tmp_path_factory.mktemp("recipe")
    shutil.copytree(ROOT / "src" / "driftline", folder / "src" / "driftline", ignore=shutil.ignore_patterns("*.pyc"))
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("\n### A metric\n")[2].partition("\n### ")[0]
    blocks = [dedent(block) for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL)]
    for (path, before, end), block in zip(STEPS, blocks, strict=True):
        assert str(path) in section
        text = (folder / path).read_text()
        assert text.count(before) == 1, path
        (folder / path).write_text(text.replace(before, f"{indent(block.strip(), '    ')}{end}\n{before}"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "src"), str(ROOT)])}
    completed = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr
    answer: dict[str, Any] = json.loads(completed.stdout)
    return answer


def test_a_metric_is_listed_titled_and_has_a_worse_side(followed: dict[str, Any]) -> None:
    assert followed["metrics"][:4] == ["roc_auc", "f1", "balanced_accuracy", "accuracy"]
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
