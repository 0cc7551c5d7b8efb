"""Settings that several services share, read from the environment or from files when an instance is created."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from driftline.errors import InvalidInput
from driftline.validation_faults import fault_text, raise_contradictions


class SecretsFolder(BaseSettings):
    """The folder with settings as files, each named like its variable in lower case: `/run/secrets/db_password`."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", env_ignore_empty=True, frozen=True)

    secrets: Path = Path("/run/secrets")

    def existing(self) -> Path | None:
        """Return the folder, or None if the default folder does not exist.

        Raises:
            InvalidInput: the folder that DRIFTLINE_SECRETS names does not exist.
        """
        if self.secrets.is_dir():
            return self.secrets
        if "secrets" in self.model_fields_set:
            raise InvalidInput(f"DRIFTLINE_SECRETS names {self.secrets}, which is not a folder; correct or unset it.")
        return None


class SecretFiles(SecretsSettingsSource):
    """The source of settings that are files in the secrets folder; white space around a value is ignored."""

    def __call__(self) -> dict[str, Any]:
        """Read the existing files.

        Raises:
            InvalidInput: a file cannot be read, or is not text.
        """
        try:
            return super().__call__()
        except SettingsError as error:
            raise InvalidInput(
                f"A file in {self.secrets_dir} cannot be read ({error}); it must be text, readable by this process."
            ) from error.__cause__


class EnvironmentSettings(BaseSettings):
    """The base of all settings: read from the environment, else from files in the folder `DRIFTLINE_SECRETS`.

    An empty variable counts as unset, so that `NAME=` in a shell or a compose file leaves the default.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    def __init__(self, **values: Any) -> None:
        """Take the given values and read the others.

        Raises:
            InvalidInput: names every variable that is missing or invalid, and its value unless that is secret.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            faults = tuple(self._fault(fault) for fault in error.errors(include_url=False))
            raise InvalidInput(
                "Some settings are missing or invalid; set or correct these variables.", details=faults
            ) from None

    @classmethod
    def _fault(cls, fault: ErrorDetails) -> str:
        if not fault["loc"]:
            return fault_text(fault)
        name = str(fault["loc"][0])
        return f"{cls._variable(name)}: {fault_text(fault, secret=cls._is_secret(name))}"

    @classmethod
    def _is_secret(cls, name: str) -> bool:
        fields = [field for key, field in cls.model_fields.items() if name in (key, field.validation_alias)]
        return any(SecretStr in (field.annotation, *get_args(field.annotation)) for field in fields)

    @classmethod
    def _variable(cls, name: str) -> str:
        return f"{cls.model_config['env_prefix']}{name}".upper() if name in cls.model_fields else name

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # .env files are deliberately not read
        file_secret_settings: PydanticBaseSettingsSource,  # replaced by `SecretFiles`
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by priority: arguments, environment, files."""
        folder = SecretsFolder().existing()
        files = () if folder is None else (SecretFiles(settings_cls, secrets_dir=folder),)
        return (init_settings, env_settings, *files)


def _pair_faults(first_name: str, first: Path | None, second_name: str, second: Path | None) -> Iterator[str]:
    if (first is None) is not (second is None):
        yield f"Set both {first_name} and {second_name}, or neither."


class DatabaseSettings(EnvironmentSettings):
    """How to connect to MySQL; user and password have no default.

    With `ssl_ca` (a PEM file), the server must present a certificate for `host` that is signed by a CA in it; with
    `ssl_cert` and `ssl_key` the client presents a certificate too.
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
    def _check_certificates(self) -> Self:
        raise_contradictions(type(self).__name__, self._certificate_faults())
        return self

    def _certificate_faults(self) -> Iterator[str]:
        yield from _pair_faults("DB_SSL_CERT", self.ssl_cert, "DB_SSL_KEY", self.ssl_key)
        if self.ssl_cert and not self.ssl_ca:
            yield "DB_SSL_CERT has no effect without DB_SSL_CA; set DB_SSL_CA to the CA of MySQL's certificate."


class KafkaLibrary(StrEnum):
    """The library that publishes to Kafka."""

    CONFLUENT = "confluent"
    KAFKA_PYTHON = "kafka-python"


class SecurityProtocol(StrEnum):
    """How a client connects to Kafka: with or without TLS, with or without a password (SASL)."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_SSL = "SASL_SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"

    @property
    def uses_tls(self) -> bool:
        """Whether connections use TLS."""
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)

    @property
    def uses_password(self) -> bool:
        """Whether the client logs in with a password."""
        return self in (SecurityProtocol.SASL_SSL, SecurityProtocol.SASL_PLAINTEXT)


class SaslMechanism(StrEnum):
    """How a client sends its password to Kafka."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(EnvironmentSettings):
    """How to connect to Kafka, and the library with which the relay publishes.

    With TLS, Kafka's certificate must be signed by a CA in the PEM file `ssl_ca` and be valid for the host name used;
    with `ssl_cert` and `ssl_key` the client presents a certificate too. Settings that `security_protocol` does not use
    must not be set.
    """

    model_config = SettingsConfigDict(env_prefix="KAFKA_")

    bootstrap_servers: str = "127.0.0.1:9092"
    publisher: KafkaLibrary = KafkaLibrary.CONFLUENT
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    ssl_ca: Path | None = None
    ssl_cert: Path | None = None
    ssl_key: Path | None = None
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None

    @classmethod
    def plain(cls, bootstrap_servers: str) -> "KafkaSettings":
        """Return the settings of a broker without TLS and password, independent of the environment."""
        return cls.model_construct(bootstrap_servers=bootstrap_servers)

    @model_validator(mode="after")
    def _check_protocol(self) -> Self:
        raise_contradictions(type(self).__name__, self._protocol_faults())
        return self

    def _protocol_faults(self) -> Iterator[str]:
        """Yield the settings that the protocol uses and that are missing, and those that it does not use."""
        protocol = self.security_protocol
        required = ("ssl_ca",) * protocol.uses_tls + _SASL * protocol.uses_password
        allowed_names = required + ("ssl_cert", "ssl_key") * protocol.uses_tls
        missing = [name for name in required if getattr(self, name) is None]
        unused = [name for name in (*_TLS, *_SASL) if name not in allowed_names and getattr(self, name) is not None]
        problems = (("requires", missing), ("does not use", unused))
        faults = [f"{verb} {', '.join(map(self._variable, names))}" for verb, names in problems if names]
        if faults:
            setting = f"KAFKA_SECURITY_PROTOCOL={protocol}"
            yield f"{setting} {' and '.join(faults)}; set or unset them, or change the protocol."
        yield from _pair_faults("KAFKA_SSL_CERT", self.ssl_cert, "KAFKA_SSL_KEY", self.ssl_key)


_TLS = ("ssl_ca", "ssl_cert", "ssl_key")
_SASL = ("sasl_mechanism", "sasl_username", "sasl_password")


class AccessSettings(EnvironmentSettings):
    """Access to the web services, the same for all: tokens, rate limit and size limit.

    `tokens` is the file of hashed tokens made by `driftline token create`; without it services listen on loopback only.
    `rate_limit` counts per token or client address (`off`: no limit); `max_body` is in bytes, and so is
    `max_ingest_body`, for requests with batches of rows.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_")

    tokens: Path | None = None
    rate_limit: str = Field("6000/minute", pattern=r"^(off|[1-9][0-9]{0,8}/(second|minute|hour))$")
    max_body: int = Field(1_048_576, ge=1, le=16_777_216, description="bytes of a request")
    max_ingest_body: int = Field(
        33_554_432,
        ge=1,
        le=67_108_864,
        description="bytes of a batch; the upper limit is what the server reads",
    )


class LocalSettings(EnvironmentSettings):
    """Where local state and objects (references, model artifacts, Parquet files) are stored.

    `objects` is a folder, `gs://bucket/prefix` or `s3://bucket/prefix`; the default is the folder `objects` in `var`.
    """

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_")

    var: Path = Path("var")
    objects: str = ""

    @property
    def objects_address(self) -> str:
        """The address of the object store, for `driftline.objects.open_store`."""
        return self.objects or str(self.var / "objects")


class TlsSettings(EnvironmentSettings):
    """The certificate of a service (PEM, with its intermediate certificates) and its key; set both or neither."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_TLS_")

    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        faults = _pair_faults("DRIFTLINE_TLS_CERT", self.cert, "DRIFTLINE_TLS_KEY", self.key)
        raise_contradictions(type(self).__name__, faults)
        return self
