"""Settings of traces, read from the environment on construction."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings

PATH = "/v1/traces"
"""Where a collector takes traces over HTTP (OTLP)."""


class TraceSettings(EnvironmentSettings):
    """Where traces are sent, and how many: without an address there are none.

    `headers` are sent with them, such as `authorization=Bearer abc`, several separated by commas.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_TRACES_")

    address: str = Field(
        "", pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$", description="a collector that takes OTLP over HTTP"
    )
    headers: SecretStr | None = None
    share: float = Field(1.0, ge=0, le=1, description="share of the traces that begin here which are recorded")

    @property
    def url(self) -> str:
        """The address with the path of traces."""
        address = self.address.rstrip("/")
        return address if urlsplit(address).path.endswith(PATH) else f"{address}{PATH}"

    @property
    def header_values(self) -> dict[str, str]:
        """The headers by name."""
        return dict(_pairs(self.headers.get_secret_value())) if self.headers else {}

    @field_validator("headers")
    @classmethod
    def _require_pairs(cls, headers: SecretStr | None) -> SecretStr | None:
        """Refuse headers that have no name or no value, without showing them."""
        if headers and not all(name and value for name, value in _pairs(headers.get_secret_value())):
            raise ValueError("write `name=value`, several separated by commas")
        return headers


def _pairs(headers: str) -> list[tuple[str, str]]:
    """Return the names, in lower case, and the values."""
    return [
        (name.strip().lower(), value.strip()) for name, _, value in (pair.partition("=") for pair in headers.split(","))
    ]
