"""The recipe for a drift method, followed in a copy with the total variation distance."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

pytestmark = pytest.mark.slow
ENGINE = "src/driftline/engine"
METHODS, FILE = f"{ENGINE}/drift/methods.py", f"{ENGINE}/drift/total_variation.py"
NAME = TextPlace(f"{ENGINE}/results.py", '    PSI = "psi"')
ENTRIES = TextPlace(METHODS, "    (ColumnKind.CONTINUOUS, Method.PSI)")
ROW = TextPlace(f"{ENGINE}/catalogue.py", "    Measure(\n        name=Method.PSI,", ",\n")
IMPORTS = "l_infinity, psi, wasserstein"
NAMES = "docs/reference/spec.md"
CATALOGUE, SPEC_TABLE = CHECKS = ("tests/unit/engine/test_catalogue.py", "tests/unit/docs/test_spec_table.py")
LAWS = "tests/unit/engine/evaluation/test_laws.py"
SCRIPT = """
import json

from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import Method
from tests.unit.engine.frame_builders import SPEC, scored_rows
from tests.unit.engine.evaluation.test_laws import LOOSE

name = Method.TOTAL_VARIATION
spec = SPEC.model_copy(update={"continuous_methods": (name,), "categorical_methods": (name,)})
reference, chunk = scored_rows(6_000, days=12), scored_rows(1_000, seed=1)
chunk["plan"] = chunk["plan"].where(chunk["plan"] == "basic", "plus")
results = evaluate_chunk(fit_reference(reference, spec), spec, chunk)
print(json.dumps({
    "values": {r.subject: (r.value, r.effect, r.rows, r.state) for r in results if r.method == name},
    "plans": [frame["plan"].value_counts(normalize=True).to_dict() for frame in (reference, chunk)],
    "laws": name in LOOSE.continuous_methods and name in LOOSE.categorical_methods,
}))
"""


@pytest.fixture(scope="module")
def section() -> str:
    """The recipe's text."""
    return recipe("A drift method")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, section: str) -> TreeCopy:
    """Apply the steps in the engine to a copy."""
    tree = TreeCopy(tmp_path_factory.mktemp("recipe"), ("src/driftline", "docs/reference", "tests/unit"))
    name, module, entries, row = blocks(section)
    tree.write(FILE, f"{module}\n")
    tree.replace(METHODS, IMPORTS, "l_infinity, psi, total_variation, wasserstein")
    for place, block in ((NAME, name), (ENTRIES, entries), (ROW, row)):
        assert place.file in section
        tree.insert(place, block)
    return tree


@pytest.fixture(scope="module")
def followed(copy: TreeCopy) -> dict[str, Any]:
    """Return what the script prints in the copy."""
    answer: dict[str, Any] = copy.answer(SCRIPT)
    return answer


def test_the_recipes_tests_fail_until_the_pages_name_the_method(copy: TreeCopy, section: str) -> None:
    assert [name for name in (NAMES, *CHECKS, LAWS) if f"`{name}`" not in section] == []
    assert copy.failing(*CHECKS) == {SPEC_TABLE}
    copy.replace(NAMES, "`hellinger`, `psi`", "`hellinger`, `total_variation`, `psi`")
    copy.replace(NAMES, "`l_infinity`, `psi`", "`l_infinity`, `total_variation`, `psi`")
    copy.test(*CHECKS, LAWS)


def test_a_method_that_is_only_named_is_found(section: str, tmp_path: Path) -> None:
    tree = TreeCopy(tmp_path, ("src/driftline", "tests/unit/engine"))
    tree.insert(NAME, blocks(section)[0])
    assert tree.failing(CATALOGUE) == {CATALOGUE}


def test_a_method_is_computed_for_its_kinds_of_column(followed: dict[str, Any]) -> None:
    reference, chunk = followed["plans"]
    distance = sum(abs(share - chunk.get(plan, 0)) for plan, share in reference.items()) / 2
    value, effect, rows, state = followed["values"]["plan"]
    assert value == effect == pytest.approx(distance, rel=1e-12)
    assert (rows, state) == (1_000, "warn")
    assert 0 < followed["values"]["usage"][0] < 0.1
    assert followed["values"]["usage"][3] == "ok"


def test_the_laws_cover_a_method_that_is_no_default(followed: dict[str, Any]) -> None:
    assert followed["laws"]
