"""No field that a user fills in is refused in pydantic's words: settings, files and requests."""

import re
from collections.abc import Iterator
from inspect import isabstract
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

import churn_jobs.configuration
import churn_jobs.live.settings
import churn_jobs.spark.settings
import driftline.engine.spec
import driftline.http.authorization.tokens
import driftline.lineage.settings
import driftline.settings
import driftline.traces.settings
import flaskapp.settings
import flaskapp.stream.request
import monitoring.alerts.configuration
import monitoring.api.models.schemas
import monitoring.ingest.settings
import monitoring.ingest.sql_config
import monitoring.pages.queries
import monitoring.settings
import serving.settings
import serving.web.requests
from driftline.errors import InvalidInput
from driftline.validation_faults import validation_faults

MODULES = (
    churn_jobs.configuration,
    churn_jobs.live.settings,
    churn_jobs.spark.settings,
    driftline.engine.spec,
    driftline.http.authorization.tokens,
    driftline.lineage.settings,
    driftline.settings,
    driftline.traces.settings,
    flaskapp.settings,
    flaskapp.stream.request,
    monitoring.alerts.configuration,
    monitoring.api.models.schemas,
    monitoring.ingest.settings,
    monitoring.ingest.sql_config,
    monitoring.pages.queries,
    monitoring.settings,
    serving.settings,
    serving.web.requests,
)
VALUES: tuple[Any, ...] = (
    None,
    "",
    "x",
    "/" * 10_000,
    -1,
    10**30,
    0.5,
    float("nan"),
    True,
    [],
    [None],
    {},
    {"x": {}},
    b"\xff",
)
IN_WORDS_OF_PYDANTIC = re.compile(
    r"Input should|Value error|Field required|after validation|Extra inputs|Unable to|String should|should have|valid "
)


def models_of(module: ModuleType) -> Iterator[type[BaseModel]]:
    """Yield the models and settings that a module defines or imports, without those of pydantic and abstract ones."""
    models = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, BaseModel))
    yield from (model for model in models if not (model.__module__.startswith("pydantic") or isabstract(model)))


MODELS = {f"{model.__module__}.{model.__name__}": model for module in MODULES for model in models_of(module)}


def texts_of(model: type[BaseModel], fields: dict[str, Any]) -> tuple[str, ...]:
    try:
        model(**fields) if issubclass(model, BaseSettings) else model.model_validate(fields)
    except ValidationError as error:
        return tuple(validation_faults(error))
    except InvalidInput as error:
        return error.details or (error.message,)
    return ()


@pytest.mark.parametrize("name", MODELS)
def test_a_faulty_field_is_described_in_words_of_the_project(name: str) -> None:
    model = MODELS[name]
    for field, info in model.model_fields.items():
        key = str(info.validation_alias or info.alias or field)
        for value in VALUES:
            for text in texts_of(model, {key: value}):
                assert not IN_WORDS_OF_PYDANTIC.search(text), f"{key}={value!r:.50}: {text}"
                assert len(text) < 2_000
