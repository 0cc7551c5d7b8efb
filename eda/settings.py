"""Where the exploration reads its range and writes its files, from the environment when asked for."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings, EnvironmentSettings

HERE = Path(__file__).parent


class ExplorationSettings(EnvironmentSettings):
    """`EDA_OUTPUT`: the folder of the plots and the report; `EDA_QUERY_PARAMS`: the file with the range of days."""

    model_config = SettingsConfigDict(env_prefix="EDA_", frozen=True)

    output: Path = HERE / "output"
    query_params: Path = HERE / "query_params.json"


def database_settings() -> DatabaseSettings:
    """Read how to reach MySQL.

    Raises:
        InvalidInput: with every variable that is missing or wrong, never its value.
    """
    try:
        return DatabaseSettings()
    except ValidationError as error:
        faults = tuple(f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors())
        raise InvalidInput("The database's settings do not fit; set these variables.", details=faults) from None


def _variable(location: tuple[Any, ...]) -> str:
    return "_".join(("DB", *map(str, location))).upper()
