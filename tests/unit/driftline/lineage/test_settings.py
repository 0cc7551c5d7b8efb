"""Where events go, and which settings are refused."""

import sys
from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from driftline.lineage.settings import LineageSettings
from driftline.lineage.start import lineage_recorded


@pytest.mark.parametrize(
    "address", ["http://marquez:5000", "http://marquez:5000/", "http://marquez:5000/api/v1/lineage"]
)
def test_the_address_may_have_the_path_of_events(address: str) -> None:
    assert LineageSettings(address=address).url == "http://marquez:5000/api/v1/lineage"


def test_nothing_is_set_by_default() -> None:
    assert not LineageSettings().are_set
    assert LineageSettings(file=Path("events")).are_set


@pytest.mark.parametrize(
    "values", [{"address": "marquez:5000"}, {"address": "http://" + "user:secret@marquez"}, {"namespace": "a b"}]
)
def test_settings_that_make_no_sense_are_refused_without_showing_them(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="DRIFTLINE_LINEAGE_") as refusal:
        LineageSettings.model_validate(values)
    assert "secret" not in str(refusal.value)


def test_a_missing_library_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "driftline.lineage.openlineage", None)
    with (
        pytest.raises(InvalidInput, match=r"pip install 'driftline\[lineage\]'"),
        lineage_recorded(LineageSettings(address="http://a")),
    ):
        pass
