"""Settings of the servers that every service may need, read from the environment when asked for."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
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

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", env_ignore_empty=True, frozen=True)

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
    """The base of all settings: from the environment, else from files of the folder `DRIFTLINE_SECRETS`.

    A variable without a value counts as not set, so that `NAME=` in a shell or a compose file takes the default.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    def __init__(self, **given: Any) -> None:
        """Take what is given, and read the rest.

        Raises:
            InvalidInput: with every variable that is missing or wrong, never its value.
        """
        try:
            super().__init__(**given)
        except ValidationError as error:
            faults = tuple(f"{self._variable(str(fault['loc'][0]))}: {fault['msg']}" for fault in error.errors())
            raise InvalidInput("The settings do not fit; set or correct these variables.", details=faults) from None

    @classmethod
    def _variable(cls, name: str) -> str:
        return f"{cls.model_config['env_prefix']}{name}".upper() if name in cls.model_fields else name

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

    model_config = SettingsConfigDict(env_prefix="DB_")

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


class SecurityProtocol(StrEnum):
    """How a client speaks to Kafka: by TLS or not, with a password (SASL) or without."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_SSL = "SASL_SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"

    @property
    def by_tls(self) -> bool:
        """Whether Kafka shows a certificate."""
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)

    @property
    def by_password(self) -> bool:
        """Whether the client shows a password."""
        return self in (SecurityProtocol.SASL_SSL, SecurityProtocol.SASL_PLAINTEXT)


class SaslMechanism(StrEnum):
    """How a client shows its password to Kafka."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(EnvironmentSettings):
    """How to reach Kafka, and with which library the relay publishes.

    By TLS, Kafka's certificate must be signed by a CA of the PEM file `ssl_ca` and be for the name it is reached by;
    with `ssl_cert` and `ssl_key` the client shows one too. What `security_protocol` does not use must not be set.
    """

    model_config = SettingsConfigDict(env_prefix="KAFKA_")

    bootstrap_servers: str = "127.0.0.1:9092"
    publisher: Publisher = Publisher.CONFLUENT
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    ssl_ca: Path | None = None
    ssl_cert: Path | None = None
    ssl_key: Path | None = None
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None

    @classmethod
    def plain(cls, bootstrap_servers: str) -> "KafkaSettings":
        """Give those of a broker that is spoken to in plain text, whatever the environment says."""
        return cls.model_construct(bootstrap_servers=bootstrap_servers)

    @model_validator(mode="after")
    def _protocol_fits(self) -> Self:
        protocol = self.security_protocol
        needed = ("ssl_ca",) * protocol.by_tls + _SASL * protocol.by_password
        used = needed + ("ssl_cert", "ssl_key") * protocol.by_tls
        missing = [name for name in needed if getattr(self, name) is None]
        idle = [name for name in (*_TLS, *_SASL) if name not in used and getattr(self, name) is not None]
        told = (("needs", missing), ("ignores", idle))
        faults = [f"{verb} {', '.join(map(self._variable, names))}" for verb, names in told if names]
        if faults:
            raise InvalidInput(f"KAFKA_SECURITY_PROTOCOL={protocol} {', and '.join(faults)}; make them fit together.")
        _require_pair("KAFKA_SSL_CERT", self.ssl_cert, "KAFKA_SSL_KEY", self.ssl_key)
        return self


_TLS = ("ssl_ca", "ssl_cert", "ssl_key")
_SASL = ("sasl_mechanism", "sasl_username", "sasl_password")


class AccessSettings(EnvironmentSettings):
    """Who may use the web services, how often and with how much: the same for all of them.

    `tokens` is the file of hashed tokens that `driftline token create` makes; without, a service keeps to loopback.
    `rate_limit` counts per token or address (`off` for none); `max_body` is in bytes.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_")

    tokens: Path | None = None
    rate_limit: str = Field("6000/minute", pattern=r"^(off|[1-9][0-9]{0,8}/(second|minute|hour))$")
    max_body: int = Field(1_048_576, ge=1, le=16_777_216, description="the server itself reads no more")


class LocalSettings(EnvironmentSettings):
    """Where local state lives, and where objects such as references and model artifacts are kept.

    `objects` is a folder, `gs://bucket/prefix` or `s3://bucket/prefix`; without, it is a folder of `var`.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_")

    var: Path = Path("var")
    objects: str = ""

    @property
    def objects_address(self) -> str:
        """Where Parquet files, references and model artifacts are: an address for `driftline.objects.open_store`."""
        return self.objects or str(self.var / "objects")


class TlsSettings(EnvironmentSettings):
    """The certificate (PEM, with those between it and its CA) and the key that a service shows; both or neither."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_TLS_")

    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        _require_pair("DRIFTLINE_TLS_CERT", self.cert, "DRIFTLINE_TLS_KEY", self.key)
        return self
