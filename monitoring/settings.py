"""Settings of the monitor, read from the environment on construction."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from driftline.errors import InvalidInput
from driftline.report.document.formats import FORMATS
from driftline.settings import EnvironmentSettings
from driftline.store.polling.schedules import Schedule


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
    alert_secrets: Path | None = Field(
        None, description="folder with the secrets of the channels; default: DRIFTLINE_SECRETS"
    )
    public_url: str = Field(
        "", pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$", description="address of the monitor in links of alerts"
    )
    series_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#@]+/[^\s#]*)?$",
        description="where a time series database takes InfluxDB's line protocol, with its path and query",
    )
    series_token: SecretStr | None = None
    report_cron: str | None = Field(
        None, description="when the report of each model is written, in UTC; default: never"
    )
    report_formats: str = Field("html,pdf", description="formats of these reports: html, pdf, xlsx, csv, json")

    report_channels: str = Field("", description="e-mail channels of `alerts` that these reports are sent on")

    @property
    def report_mail_channels(self) -> list[str]:
        """The channels of scheduled reports by name."""
        return _names(self.report_channels)

    @property
    def report_endings(self) -> list[str]:
        """The formats of scheduled reports by ending."""
        return _names(self.report_formats)

    @field_validator("report_cron")
    @classmethod
    def _require_cron(cls, cron: str | None) -> str | None:
        """Refuse an invalid cron expression."""
        if cron is not None:
            _require_schedule(cron)
        return cron

    @field_validator("report_formats")
    @classmethod
    def _require_formats(cls, formats: str) -> str:
        """Refuse formats that do not exist."""
        endings = _names(formats)
        unknown = [f"{ending!r:.20}" for ending in endings or [""] if ending not in FORMATS]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not a report format; choose from {', '.join(FORMATS)}")
        return formats


def _require_schedule(cron: str) -> None:
    try:
        Schedule(None, cron, "UTC").require_valid()
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _names(text: str) -> list[str]:
    """Return names that are separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
