"""The recipe for a setting, followed in a copy with the recipe's setting of the monitor."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

pytestmark = pytest.mark.slow
FIELD = TextPlace("monitoring/settings.py", "    report_cron: str | None")
PAGE, TABLE = "docs/reference/settings.md", "stack/services/table.py"
ROW = TextPlace(PAGE, "| `MONITOR_ALERTS=`")
CHECK = "tests/unit/docs/test_settings_table.py"
FOLDERS = ("src", "flaskapp", "eda", "monitoring", "serving", "stack", "pyspark", "docs/reference", "tests/unit/docs")
SCRIPT = """
import json
from pathlib import Path

from monitoring.settings import MonitorSettings
from stack.services.environments import settings_of
from stack.services.site import Site
from stack.services.table import MONITOR

site = Site.at(Path("var"), {"MONITOR_PRUNE_DAYS": "30", "PRUNING_HOUR": "4"})
print(json.dumps([MonitorSettings().prune_days, settings_of(MONITOR, site)]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> TreeCopy:
    """Add the recipe's field to the settings of the monitor."""
    tree = TreeCopy(tmp_path, FOLDERS)
    (field,) = blocks(recipe("A setting"))
    tree.insert(FIELD, field)
    return tree


def test_the_page_is_compared_with_the_code(copy: TreeCopy) -> None:
    section = recipe("A setting")
    assert [name for name in (TABLE, CHECK) if f"`{name}`" not in section] == []
    assert copy.failing(CHECK) == {CHECK}
    copy.insert(ROW, "| `MONITOR_PRUNE_DAYS=90` | How many days the log of what was ingested is kept. |")
    copy.test(CHECK)


def test_the_setting_and_those_of_a_new_prefix_reach_the_service(
    copy: TreeCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_PRUNE_DAYS", "7")
    value, variables = _read(copy)
    assert (value, variables["MONITOR_PRUNE_DAYS"]) == (7, "30")
    assert "PRUNING_HOUR" not in variables
    copy.replace(TABLE, '(SETTINGS_AS_FILES, "MONITOR_", ', '(SETTINGS_AS_FILES, "MONITOR_", "PRUNING_", ')
    assert _read(copy)[1]["PRUNING_HOUR"] == "4"


def _read(copy: TreeCopy) -> tuple[int, dict[str, Any]]:
    value, variables = copy.answer(SCRIPT)
    return value, variables
