"""Settings of TLS and passwords must be consistent; otherwise one message names what is missing or unused."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings, KafkaSettings, TlsSettings

DATABASE = {"DB_USER": "u", "DB_PASSWORD": "p"}
SASL = {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "of the relay"}
SASL_PLAINTEXT = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL}


@pytest.mark.parametrize(
    ("cls", "variables", "message"),
    [
        (TlsSettings, {"DRIFTLINE_TLS_CERT": "c"}, "Set both DRIFTLINE_TLS_CERT and DRIFTLINE_TLS_KEY, or neither"),
        (DatabaseSettings, {**DATABASE, "DB_SSL_KEY": "k"}, "Set both DB_SSL_CERT and DB_SSL_KEY, or neither"),
        (DatabaseSettings, {**DATABASE, "DB_SSL_CERT": "c", "DB_SSL_KEY": "k"}, "has no effect without DB_SSL_CA"),
        (KafkaSettings, {"KAFKA_SECURITY_PROTOCOL": "SSL"}, "=SSL requires KAFKA_SSL_CA; set"),
        (KafkaSettings, {"KAFKA_SSL_CA": "ca"}, "=PLAINTEXT does not use KAFKA_SSL_CA; set"),
        (KafkaSettings, SASL, "does not use KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD; set"),
        (
            KafkaSettings,
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "u"},
            "requires KAFKA_SSL_CA, KAFKA_SASL_MECHANISM, KAFKA_SASL_PASSWORD; set",
        ),
        (
            KafkaSettings,
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_USERNAME": "u"},
            "requires KAFKA_SSL_CA and does not use KAFKA_SASL_USERNAME; set",
        ),
        (KafkaSettings, {**SASL_PLAINTEXT, "KAFKA_SSL_CERT": "c", "KAFKA_SSL_KEY": "k"}, "does not use KAFKA_SSL_CERT"),
        (
            KafkaSettings,
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA": "ca", "KAFKA_SSL_CERT": "c"},
            "Set both KAFKA_SSL_CERT and KAFKA_SSL_KEY, or neither",
        ),
    ],
)
def test_inconsistent_settings_are_one_message(
    monkeypatch: pytest.MonkeyPatch, cls: type[BaseSettings], variables: dict[str, str], message: str
) -> None:
    _set(monkeypatch, variables)
    with pytest.raises(InvalidInput) as refused:
        cls()
    assert message in str(refused.value)
    assert "of the relay" not in str(refused.value)


def test_consistent_settings_and_empty_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(
        monkeypatch, {**DATABASE, **SASL_PLAINTEXT, "DB_SSL_CA": "ca.pem", "KAFKA_SSL_CA": "", "DRIFTLINE_TLS_CERT": ""}
    )
    assert DatabaseSettings().ssl_ca == Path("ca.pem")
    assert TlsSettings().cert is None
    assert KafkaSettings().security_protocol.uses_password
    assert "of the relay" not in repr(KafkaSettings())


def test_plain_settings_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA": "ca.pem"})
    plain = KafkaSettings.plain("127.0.0.1:1")
    assert (plain.bootstrap_servers, plain.security_protocol, plain.ssl_ca) == ("127.0.0.1:1", "PLAINTEXT", None)


def _set(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
