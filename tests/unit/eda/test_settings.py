"""The exploration's settings come from the environment."""

from pathlib import Path

import pytest

from eda.settings import FOLDER, ExplorationSettings


def test_the_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ExplorationSettings().output == FOLDER / "output"
    monkeypatch.setenv("EDA_OUTPUT", str(tmp_path))
    assert ExplorationSettings().output == tmp_path
