"""Where the exploration reads its range and writes its files, from the environment when asked for."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings

HERE = Path(__file__).parent


class ExplorationSettings(EnvironmentSettings):
    """`EDA_OUTPUT`: the folder of the plots and the report; `EDA_QUERY_PARAMS`: the file with the range of days."""

    model_config = SettingsConfigDict(env_prefix="EDA_")

    output: Path = HERE / "output"
    query_params: Path = HERE / "query_params.json"
