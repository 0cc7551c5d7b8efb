"""Settings of the serving service, read from the environment on construction."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings


class ServingSettings(EnvironmentSettings):
    """The address, the default model, and where predictions are logged; a host other than loopback requires tokens."""

    model_config = SettingsConfigDict(env_prefix="SERVING_")

    host: str = "127.0.0.1"
    port: int = Field(5002, ge=1, le=65535)
    model: str | None = Field(
        None, min_length=1, description="the model of requests that name none; by default the only registered one"
    )
    refresh_seconds: float = Field(2.0, gt=0, description="pause between two looks for a newer version")
    monitor_url: str = Field("", description="address of the monitor; by default this machine's, at MONITOR_PORT")
    monitor_port: int = Field(5001, ge=1, le=65535, validation_alias="MONITOR_PORT")
    monitor_ca: Path | None = Field(None, description="authority of the monitor's certificate (PEM)")
    token: SecretStr | None = Field(None, validation_alias="DRIFTLINE_TOKEN", description="token for the monitor")

    @property
    def monitor_address(self) -> str:
        """The address to which predictions are sent."""
        return self.monitor_url or f"http://127.0.0.1:{self.monitor_port}"


class StoredRowsSettings(EnvironmentSettings):
    """A table of the schema with features by subject and day; a request may name the subject instead of features.

    `field` is the field of requests that names it, `subject` and `day` are the table's columns of the subject and of
    the day (a DATE); the features have the names that the model has. `days` is how old the newest row may be.
    """

    model_config = SettingsConfigDict(env_prefix="SERVING_ROWS_")

    table: str | None = Field(None, min_length=1, max_length=64, description="default: there are no stored rows")
    field: str = Field("subject", pattern=r"^[a-z][a-z0-9_]{0,39}$")
    subject: str = Field("subject", min_length=1, max_length=64)
    day: str = Field("day", min_length=1, max_length=64)
    days: int = Field(7, ge=1, le=36_600)

    @field_validator("field")
    @classmethod
    def _require_free(cls, field: str) -> str:
        """Refuse the names of the other fields of a request."""
        if field in REQUEST_FIELDS:
            raise ValueError(f"{field!r} is another field of requests; choose a name that is none of {_LISTED}")
        return field


REQUEST_FIELDS = ("model", "log", "rows", "id", "at", "features")
"""The fields of every request for predictions."""
_LISTED = ", ".join(REQUEST_FIELDS)
