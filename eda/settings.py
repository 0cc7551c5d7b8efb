"""Settings of the exploration, read from the environment when they are created."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings

FOLDER = Path(__file__).parent


class ExplorationSettings(EnvironmentSettings):
    """`EDA_OUTPUT`: the folder of the plots and the report; `EDA_QUERY_PARAMS`: the file with the range of days."""

    model_config = SettingsConfigDict(env_prefix="EDA_")

    output: Path = FOLDER / "output"
    query_params: Path = FOLDER / "query_params.json"
