"""Settings of the serving service, read from the environment on construction."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings


class ServingSettings(EnvironmentSettings):
    """The address, the default model, and where predictions are logged; a host other than loopback requires tokens."""

    model_config = SettingsConfigDict(env_prefix="SERVING_")

    host: str = "127.0.0.1"
    port: int = Field(5002, ge=1, le=65535)
    model: str = Field("churn", min_length=1, description="the model of requests that name none")
    refresh_seconds: float = Field(2.0, gt=0, description="pause between two looks for a newer version")
    monitor_url: str = Field("", description="address of the monitor; by default this machine's, at MONITOR_PORT")
    monitor_port: int = Field(5001, ge=1, le=65535, validation_alias="MONITOR_PORT")
    monitor_ca: Path | None = Field(None, description="authority of the monitor's certificate (PEM)")
    token: SecretStr | None = Field(None, validation_alias="DRIFTLINE_TOKEN", description="token for the monitor")

    @property
    def monitor_address(self) -> str:
        """The address to which predictions are sent."""
        return self.monitor_url or f"http://127.0.0.1:{self.monitor_port}"
