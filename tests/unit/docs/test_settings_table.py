"""The reference of settings lists the fields of all settings classes with their defaults."""

import importlib
import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from tests.unit.docs.pages import ROOT, SETTINGS, spans, table, tracked

PACKAGES = {ROOT / "src": "driftline", ROOT: "flaskapp eda monitoring serving stack", ROOT / "pyspark": "churn_jobs"}
NO_DEFAULT = "no default"
FOREIGN = {"DRIFTLINE_MYSQLD", "MLFLOW_DISABLE_TELEMETRY", "DRIFTLINE_USER", "SPARK_CONF_DIR", "SPARK_LOCAL_IP"}
"""Variables of make, of a program that uses the client, of a compose file and of Spark itself."""


def modules_with_settings() -> Iterator[str]:
    """Yield each module that defines a subclass of BaseSettings or EnvironmentSettings."""
    for parent, names in PACKAGES.items():
        for file in (file for name in names.split() for file in sorted((parent / name).rglob("*.py"))):
            if re.search(r"^class \w+\((?:Base|Environment)Settings\)", file.read_text(), re.MULTILINE):
                yield ".".join(file.relative_to(parent).with_suffix("").parts)


def settings_classes() -> list[type[BaseSettings]]:
    return [
        value
        for name in modules_with_settings()
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == name
    ]


def variable(cls: type[BaseSettings], name: str, field: FieldInfo) -> str:
    alias = field.validation_alias or field.alias
    assert alias is None or isinstance(alias, str), f"{cls.__name__}.{name}: use a single name"
    return (alias or f"{cls.model_config.get('env_prefix', '')}{name}").upper()


def text_of(value: Any) -> str:
    """Return a default as a user would type it: paths relative to the checkout, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, Path):
        return str(value.relative_to(ROOT) if value.is_relative_to(ROOT) else value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value.value if isinstance(value, Enum) else value)


@cache
def in_code() -> dict[str, str]:
    return {
        variable(cls, name, field): NO_DEFAULT
        if field.is_required()
        else text_of(field.get_default(call_default_factory=True))
        for cls in settings_classes()
        for name, field in cls.model_fields.items()
    }


def documented() -> dict[str, str]:
    """Read `NAME=default` and `NAME` (no default) from the table's first column."""
    written = [span for names, *_ in table(SETTINGS, "Settings") for span in spans(names)]
    pairs = [span.partition("=") for span in written]
    return {name: default if equals else NO_DEFAULT for name, equals, default in pairs}


def test_every_service_has_settings() -> None:
    assert {name.split(".")[0] for name in modules_with_settings()} >= {
        "driftline",
        "flaskapp",
        "eda",
        "monitoring",
        "serving",
    }


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert documented() == in_code()


def test_every_setting_is_explained() -> None:
    assert [names for names, meaning in table(SETTINGS, "Settings") if not meaning] == []


def test_every_variable_that_a_page_names_exists() -> None:
    for page in (file for file in tracked() if file.suffix == ".md" and file.name != "CHANGELOG.md"):
        named = {
            *re.findall(
                r"\b(?:DB|KAFKA|DRIFTLINE|SIMULATOR|MONITOR|SERVING|MLFLOW|RAW_DATA|SPARK|EDA)_[A-Z_]*[A-Z]\b",
                page.read_text(),
            )
        }
        assert named - in_code().keys() - FOREIGN == set(), page


def test_no_secret_has_a_default() -> None:
    secrets = {name: value for name, value in in_code().items() if re.search("PASSWORD|TOKEN|SECRET$|KEY$", name)}
    assert secrets
    assert [name for name, value in secrets.items() if value not in (NO_DEFAULT, "")] == []
