"""The tables of a model's predictions follow its spec, and are made once."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store import tables

SPEC = Spec(columns=(ColumnSpec(name="minutes"), ColumnSpec(name="carrier", kind=ColumnKind.CATEGORICAL)))


@pytest.mark.parametrize("make", [tables.predictions, tables.predictions_staging])
def test_the_same_model_has_the_same_table(make: Callable[[int, Spec], Table]) -> None:
    again = Spec.model_validate_json(SPEC.model_dump_json())
    assert again is not SPEC
    assert make(3, again) is make(3, SPEC)


def test_another_model_or_spec_has_another_table_in_a_metadata_of_its_own() -> None:
    other = SPEC.model_copy(update={"columns": SPEC.columns[:1]})
    made = [tables.predictions(3, SPEC), tables.predictions(4, SPEC), tables.predictions(3, other)]
    made.append(tables.predictions_staging(3, SPEC))
    assert len({id(table) for table in made}) == len({id(table.metadata) for table in made}) == 4
    assert [len(table.metadata.tables) for table in made] == [1, 1, 1, 1]
    assert [table.name for table in made] == [
        "predictions_3",
        "predictions_4",
        "predictions_3",
        "predictions_3_staging",
    ]
    assert "carrier" in made[0].c
    assert "carrier" not in made[2].c
    assert not any(table.metadata is tables.metadata for table in made)
