"""Settings of the monitor, read from the environment on construction."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings


class MonitorSettings(EnvironmentSettings):
    """The monitor's address, its intervals and report location; a host other than loopback requires tokens."""

    model_config = SettingsConfigDict(env_prefix="MONITOR_")

    host: str = "127.0.0.1"
    port: int = Field(5001, ge=1, le=65535)
    poll_seconds: float = Field(10.0, gt=0, description="pause between two scheduled polls; a poll may take longer")
    archive_minutes: float = Field(60.0, gt=0, description="pause between two runs of the archive")
    run_wait_seconds: float = Field(
        30.0, ge=0, description="how long a request to poll waits for the result before it gets a link to it"
    )
    output: Path | str = Field(Path("monitoring/output"), description="folder, gs:// or s3:// address of the reports")
    metrics_models: int = Field(200, ge=0, le=100_000, description="how many models have series of their own")
    alerts: Path | None = Field(None, description="YAML file of the channels and routes of alerts")
    public_url: str = Field(
        "", pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$", description="address of the monitor in links of alerts"
    )
