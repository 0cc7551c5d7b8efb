"""Settings of lineage, read from the environment on construction."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from driftline.settings import EnvironmentSettings

PATH = "/api/v1/lineage"
"""Where a receiver takes events of OpenLineage."""


class LineageSettings(EnvironmentSettings):
    """Where events of OpenLineage go: to a receiver over HTTP, to a file, to both; without either there are none.

    `token` is sent to the receiver as a bearer token. `namespace` is that of the jobs, and of the datasets that
    Driftline keeps itself.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_LINEAGE_")

    address: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="a receiver that takes OpenLineage over HTTP, such as Marquez or DataHub",
    )
    token: SecretStr | None = None
    file: Path | None = Field(None, description="a file to which each event is added as a line of JSON")
    namespace: str = Field("driftline", pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")

    @property
    def url(self) -> str:
        """The address with the path of events."""
        address = self.address.rstrip("/")
        return address if urlsplit(address).path.endswith(PATH) else f"{address}{PATH}"

    @property
    def are_set(self) -> bool:
        """Whether events go anywhere."""
        return bool(self.address) or self.file is not None
