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
from driftline.store.versions import registry

NOWHERE = create_engine("mysql+pymysql://nobody@127.0.0.1:1/none")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (Spec(columns=(ColumnSpec(name="x" * 256),)), "at most 255 characters"),
        (Spec(columns=(ColumnSpec(name="usage"), ColumnSpec(name="usage "))), "differ only in blanks at the end"),
        (
            Spec(problem=Problem.MULTICLASS, classes=("a", "b" * 256), columns=(ColumnSpec(name="usage"),)),
            "classes of at most 255 characters in one line",
        ),
        (
            Spec(problem=Problem.MULTICLASS, classes=("a", "b\nc"), columns=(ColumnSpec(name="usage"),)),
            r"not 'b\\nc'",
        ),
    ],
    ids=["long name", "equal names", "long class", "two lines"],
)
def test_names_that_cannot_be_stored_are_refused(spec: Spec, message: str, tmp_path: Path) -> None:
    candidate = registry.Candidate("prices", spec, "a" * 64, pd.DataFrame(), None, {})
    with pytest.raises(InvalidInput, match=message):
        registry.register(NOWHERE, candidate, open_store(tmp_path), NOW)


@pytest.mark.parametrize("name", ["", " ", "größe", "a/b", "..", "-x", "a" * 65, "a b"])
def test_a_name_of_a_model_is_part_of_addresses_and_files(name: str, tmp_path: Path) -> None:
    spec = Spec(columns=(ColumnSpec(name="region", kind=ColumnKind.CATEGORICAL),), segments=("region",))
    with pytest.raises(InvalidInput, match="1 to 64 letters"):
        registry.register(
            NOWHERE, registry.Candidate(name, spec, "a", pd.DataFrame(), None, {}), open_store(tmp_path), NOW
        )
