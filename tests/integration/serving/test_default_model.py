"""The model of requests that name none: that of the setting, or else the only one that is registered."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from driftline.errors import InvalidInput
from serving.models.served_models import ServedModels
from serving.models.served_version import NotServable
from tests.integration.serving.conftest import register_flights


def test_without_a_setting_the_only_model_is_served(engine: Engine, tmp_path: Path) -> None:
    models = ServedModels(engine, None)
    with pytest.raises(NotServable, match="No model is registered"):
        models.get()
    register_flights(engine, tmp_path, 1)
    assert not models.is_loaded()
    assert models.get().name == "flights"
    assert models.is_loaded()

    register_flights(engine, tmp_path, 1, "delays")
    models.refresh()
    assert not models.is_loaded()
    with pytest.raises(InvalidInput, match="several: delays, flights; name one of them as `model`, or set SERVING_MOD"):
        models.get()
    assert models.get("flights").name == "flights"
    assert ServedModels(engine, "delays").get().name == "delays"
