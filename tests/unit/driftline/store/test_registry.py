"""What the registry refuses before it asks any database."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import create_engine

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import InvalidInput
from driftline.objects import open_store
from driftline.store import registry

NOWHERE = create_engine("mysql+pymysql://nobody@127.0.0.1:1/none")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = (ColumnSpec(name="usage"),)


@pytest.mark.parametrize(
    "spec",
    [
        Spec(problem=Problem.REGRESSION, columns=COLUMNS),
        Spec(problem=Problem.MULTICLASS, classes=("a", "b", "c"), columns=COLUMNS),
    ],
    ids=lambda spec: spec.problem,
)
def test_the_service_watches_binary_models_only(spec: Spec, tmp_path: Path) -> None:
    candidate = registry.Candidate("prices", spec, "a" * 64, pd.DataFrame(), None, {})
    said = f"watches binary models so far, and this one is {spec.problem}; use the library or `driftline backtest`"
    with pytest.raises(InvalidInput, match=said):
        registry.register(NOWHERE, candidate, open_store(tmp_path), NOW)
    with pytest.raises(InvalidInput, match=said):
        registry.revise_spec(NOWHERE, "prices", 1, spec, NOW)


def test_the_service_stores_no_segments(tmp_path: Path) -> None:
    region = ColumnSpec(name="region", kind=ColumnKind.CATEGORICAL)
    spec = Spec(columns=(*COLUMNS, region), segments=("region",))
    candidate = registry.Candidate("prices", spec, "a" * 64, pd.DataFrame(), None, {})
    said = "does not store results by segment so far, and the spec asks for segments of region; leave segments out"
    with pytest.raises(InvalidInput, match=said):
        registry.register(NOWHERE, candidate, open_store(tmp_path), NOW)
    with pytest.raises(InvalidInput, match=said):
        registry.revise_spec(NOWHERE, "prices", 1, spec, NOW)
