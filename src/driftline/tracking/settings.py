"""Where training runs are recorded, read from the environment on construction."""

from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings, LocalSettings


class TrackingSettings(EnvironmentSettings):
    """The tracking server or store of MLflow; by default a SQLite file in the folder of local state."""

    model_config = SettingsConfigDict(env_prefix="MLFLOW_")

    tracking_uri: str = ""

    def address(self, local: LocalSettings) -> str:
        """Return the address of the server or store."""
        return self.tracking_uri or f"sqlite:///{local.var.absolute() / 'mlflow.db'}"
