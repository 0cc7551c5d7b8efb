"""The recipe for a drift kind of the simulator, followed in a copy with a meter that overflows."""

import pytest

from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

pytestmark = pytest.mark.slow
DRIFTS, RECORDING = "flaskapp/world/drifts.py", "flaskapp/world/recording.py"
NEXT_TO, RULES_END = '    UNIT = "unit"\n', "}\n\n\n@dataclass(frozen=True)\nclass Drift:"
FUNCTION = TextPlace(RECORDING, "def _missing(", "\n\n\n")
WORLD = "tests/unit/flaskapp/world/test_world.py"
RECORDED_END = "]\nCHANCE = ["
IN_UNIT = "_in_unit(usage.columns[column], column, active)"
ROW = TextPlace("docs/how-to/run-the-example.md", "\n## Run the Spark jobs,")
CHANGES = f"{WORLD}::test_nothing_changes_before_the_drift_and_something_after[overflow-60-DP_MOC_DURATION]"
PAGE = "tests/unit/docs/test_routes_table.py"
COMPARED = f"{PAGE}::test_every_kind_of_drift_is_named"
STREAMS = "benchmarks/detection/streams.py"
FOLDERS = ("src", "flaskapp", "monitoring", "serving", "benchmarks", "docs", "tests/unit")
SCRIPT = """
import json

from benchmarks.detection.streams import COLUMNS, SIZES
from flaskapp.world.drifts import DriftKind, drift_schema

schema = drift_schema({"type": "string"})["properties"]
kinds, sizes = schema["kind"]["enum"], schema["size"]["description"]
print(json.dumps([kinds, sizes, [*SIZES] == [*DriftKind], COLUMNS["overflow"]]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """Add the recipe's kind, its rule and its example in the tests of the world; the world does not apply it yet."""
    tree = TreeCopy(tmp_path_factory.mktemp("recipe"), FOLDERS)
    kind, rule, function, example = blocks(recipe("A drift kind of the simulator"))
    tree.replace(DRIFTS, NEXT_TO, f"{NEXT_TO}    {kind}\n")
    tree.replace(DRIFTS, RULES_END, f"    {rule}\n{RULES_END}")
    tree.insert(FUNCTION, function)
    tree.replace(WORLD, RECORDED_END, f"    {example},\n{RECORDED_END}")
    return tree


def test_the_recipes_tests_fail_until_the_kind_is_applied(copy: TreeCopy) -> None:
    section = recipe("A drift kind of the simulator")
    assert [name for name in (RECORDING, WORLD, STREAMS, PAGE) if f"`{name}`" not in section] == []
    assert copy.failing(CHANGES) == {WORLD}
    copy.replace(RECORDING, IN_UNIT, f"_at_most({IN_UNIT}, column, active)")
    copy.insert(ROW, "| `overflow` | the highest value that is recorded |")
    copy.test(WORLD, COMPARED)


def test_requests_and_the_benchmark_have_the_kind(copy: TreeCopy) -> None:
    copy.replace(STREAMS, "(0.5, 10.0, 60.0),\n", "(0.5, 10.0, 60.0),\n    DriftKind.OVERFLOW: (900.0, 300.0, 60.0),\n")
    copy.replace(STREAMS, "COLUMNS = {", "COLUMNS = {DriftKind.OVERFLOW: Cdr.MOC_DURATION, ")
    kinds, sizes, is_whole, column = copy.answer(SCRIPT)
    assert kinds[-2:] == ["unit", "overflow"]
    assert sizes.endswith("overflow: highest value that is recorded")
    assert (is_whole, column) == (True, "DP_MOC_DURATION")
