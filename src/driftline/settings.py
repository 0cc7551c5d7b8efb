"""Settings of the servers that every service may need, read from the environment when asked for."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from driftline.errors import InvalidInput


class SecretsFolder(BaseSettings):
    """Where settings may lie as files, each named as its variable in small letters: `/run/secrets/db_password`."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", frozen=True)

    secrets: Path = Path("/run/secrets")

    def existing(self) -> Path | None:
        """Give the folder; None where there is none and none was asked for.

        Raises:
            InvalidInput: the folder that was asked for is not there.
        """
        if self.secrets.is_dir():
            return self.secrets
        if "secrets" in self.model_fields_set:
            raise InvalidInput(f"DRIFTLINE_SECRETS names {self.secrets}, which is no folder; correct or unset it.")
        return None


class SecretFiles(SecretsSettingsSource):
    """Settings that lie as files in the folder of secrets; white space around a value is not part of it."""

    def __call__(self) -> dict[str, Any]:
        """Read what is there.

        Raises:
            InvalidInput: a file cannot be read, or is not text.
        """
        try:
            return super().__call__()
        except SettingsError as error:
            raise InvalidInput(
                f"A file in {self.secrets_dir} cannot be read ({error}): it must be text, readable by this process."
            ) from error.__cause__


class EnvironmentSettings(BaseSettings):
    """The base of all settings: from the environment, else from files of the folder `DRIFTLINE_SECRETS`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # there are no .env files, on purpose
        file_secret_settings: PydanticBaseSettingsSource,  # has its folder from the class
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given in code first, then the environment, then a file."""
        folder = SecretsFolder().existing()
        files = () if folder is None else (SecretFiles(settings_cls, secrets_dir=folder),)
        return (init_settings, env_settings, *files)


def _require_pair(first_name: str, first: Path | None, second_name: str, second: Path | None) -> None:
    if (first is None) is not (second is None):
        raise InvalidInput(f"Set both {first_name} and {second_name}, or neither.")


class DatabaseSettings(EnvironmentSettings):
    """How to reach MySQL; user and password have no default.

    With `ssl_ca`, a PEM file, only a server is spoken to whose certificate is signed by a CA in it and is for `host`;
    with `ssl_cert` and `ssl_key` the client shows a certificate too.
    """

    model_config = SettingsConfigDict(env_prefix="DB_", env_ignore_empty=True, frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(3307, ge=1, le=65535)
    user: str = Field(min_length=1)
    password: SecretStr
    name: str = Field("RawData", pattern=r"^[A-Za-z][A-Za-z0-9_]{0,57}$")
    ssl_ca: Path | None = None
    ssl_cert: Path | None = None
    ssl_key: Path | None = None

    @model_validator(mode="after")
    def _certificate_fits(self) -> Self:
        _require_pair("DB_SSL_CERT", self.ssl_cert, "DB_SSL_KEY", self.ssl_key)
        if self.ssl_cert and not self.ssl_ca:
            raise InvalidInput("DB_SSL_CERT is of no use without DB_SSL_CA, the CA that MySQL's certificate is from.")
        return self

    @property
    def truth_name(self) -> str:
        """The schema that holds what was injected; the monitor has no rights on it."""
        return f"{self.name}_truth"


class Publisher(StrEnum):
    """The library that publishes to Kafka."""

    CONFLUENT = "confluent"
    KAFKA_PYTHON = "kafka-python"


class KafkaSettings(EnvironmentSettings):
    """How to reach Kafka, and with which library the relay publishes."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True)

    bootstrap_servers: str = "127.0.0.1:9092"
    publisher: Publisher = Publisher.CONFLUENT


class AccessSettings(EnvironmentSettings):
    """Who may use the web services, how often and with how much: the same for all of them.

    `tokens` is the file of hashed tokens that `driftline token create` makes; without, a service keeps to loopback.
    `rate_limit` counts per token or address (`off` for none); `max_body` is in bytes.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", env_ignore_empty=True, frozen=True)

    tokens: Path | None = None
    rate_limit: str = Field("600/minute", pattern=r"^(off|[1-9][0-9]{0,8}/(second|minute|hour))$")
    max_body: int = Field(1_048_576, ge=1)


class LocalSettings(EnvironmentSettings):
    """Where local state lives, and where objects such as references and model artifacts are kept."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", frozen=True)

    var: Path = Path("var")

    @property
    def objects(self) -> Path:
        """The folder of Parquet files, references and model artifacts."""
        return self.var / "objects"


class TlsSettings(EnvironmentSettings):
    """The certificate (PEM, with those between it and its CA) and the key that a service shows; both or neither."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_TLS_", env_ignore_empty=True, frozen=True)

    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        _require_pair("DRIFTLINE_TLS_CERT", self.cert, "DRIFTLINE_TLS_KEY", self.key)
        return self
