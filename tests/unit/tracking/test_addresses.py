"""Addresses of MLflow: what names a model, and what is shown of a server's address."""

from pathlib import Path
from typing import Any

import pytest

from driftline.errors import InvalidInput
from driftline.settings import LocalSettings
from driftline.tracking import model_uri
from driftline.tracking.settings import TrackingSettings
from driftline.tracking.training_runs import public_address

USER = "me:word"


@pytest.mark.parametrize("address", ["", "churn", "models:/", "models:/churn", "runs:/1/model", "models:/a@b/1"])
def test_an_address_that_names_no_version_is_refused(address: str, tmp_path: Path) -> None:
    nobody: Any = None
    with pytest.raises(InvalidInput, match="pass models:/NAME@ALIAS or models:/NAME/VERSION"):
        model_uri.fetch(nobody, address, tmp_path)


def test_the_store_is_a_file_unless_an_address_is_set(tmp_path: Path) -> None:
    local = LocalSettings(var=tmp_path)
    assert TrackingSettings(tracking_uri="").address(local) == f"sqlite:///{tmp_path}/mlflow.db"
    assert TrackingSettings(tracking_uri="http://tracking.example").address(local) == "http://tracking.example"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:////var/mlflow.db", "sqlite:////var/mlflow.db"),
        ("https://tracking.example/a@b", "https://tracking.example/a@b"),
        (f"https://{USER}@tracking.example/path", "https://tracking.example/path"),
        (f"mysql+pymysql://{USER}@rd@db:3306/mlflow", "mysql+pymysql://db:3306/mlflow"),
    ],
)
def test_what_is_stored_of_an_address_has_no_password(address: str, shown: str) -> None:
    assert public_address(address) == shown
