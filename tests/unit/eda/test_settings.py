"""Settings come from the environment; what is missing is named, what is secret is not shown."""

from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from eda.settings import HERE, ExplorationSettings, database_settings


def test_faults_name_the_variables_and_not_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_USER", raising=False)
    monkeypatch.setenv("DB_PASSWORD", "not to be seen")
    monkeypatch.setenv("DB_PORT", "a lot")
    with pytest.raises(InvalidInput) as raised:
        database_settings()
    assert [detail.split(":")[0] for detail in raised.value.details] == ["DB_PORT", "DB_USER"]
    assert "not to be seen" not in str(raised.value)


def test_the_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ExplorationSettings().output == HERE / "output"
    monkeypatch.setenv("EDA_OUTPUT", str(tmp_path))
    assert ExplorationSettings().output == tmp_path
