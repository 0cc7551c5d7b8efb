"""Settings of TLS and passwords: what belongs together is set together, or one message says what is missing."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings, KafkaSettings, TlsSettings

DATABASE = {"DB_USER": "u", "DB_PASSWORD": "p"}
SASL = {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "of the relay"}
BY_PASSWORD = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL}


@pytest.mark.parametrize(
    ("cls", "given", "said"),
    [
        (TlsSettings, {"DRIFTLINE_TLS_CERT": "c"}, "Set both DRIFTLINE_TLS_CERT and DRIFTLINE_TLS_KEY, or neither"),
        (DatabaseSettings, {**DATABASE, "DB_SSL_KEY": "k"}, "Set both DB_SSL_CERT and DB_SSL_KEY, or neither"),
        (DatabaseSettings, {**DATABASE, "DB_SSL_CERT": "c", "DB_SSL_KEY": "k"}, "of no use without DB_SSL_CA"),
        (KafkaSettings, {"KAFKA_SECURITY_PROTOCOL": "SSL"}, "=SSL needs KAFKA_SSL_CA; make"),
        (KafkaSettings, {"KAFKA_SSL_CA": "ca"}, "=PLAINTEXT ignores KAFKA_SSL_CA; make"),
        (KafkaSettings, SASL, "ignores KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD; make"),
        (
            KafkaSettings,
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "u"},
            "needs KAFKA_SSL_CA, KAFKA_SASL_MECHANISM, KAFKA_SASL_PASSWORD; make",
        ),
        (
            KafkaSettings,
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_USERNAME": "u"},
            "needs KAFKA_SSL_CA, and ignores KAFKA_SASL_USERNAME; make",
        ),
        (KafkaSettings, {**BY_PASSWORD, "KAFKA_SSL_CERT": "c", "KAFKA_SSL_KEY": "k"}, "ignores KAFKA_SSL_CERT"),
        (
            KafkaSettings,
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA": "ca", "KAFKA_SSL_CERT": "c"},
            "Set both KAFKA_SSL_CERT and KAFKA_SSL_KEY, or neither",
        ),
    ],
)
def test_what_does_not_fit_together_is_one_message(
    monkeypatch: pytest.MonkeyPatch, cls: type[BaseSettings], given: dict[str, str], said: str
) -> None:
    _set(monkeypatch, given)
    with pytest.raises(InvalidInput) as refused:
        cls()
    assert said in str(refused.value)
    assert "of the relay" not in str(refused.value)


def test_what_fits_is_taken_and_a_variable_without_a_value_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {**DATABASE, **BY_PASSWORD, "DB_SSL_CA": "ca.pem", "KAFKA_SSL_CA": "", "DRIFTLINE_TLS_CERT": ""})
    assert DatabaseSettings().ssl_ca == Path("ca.pem")
    assert TlsSettings().cert is None
    assert KafkaSettings().security_protocol.by_password
    assert "of the relay" not in repr(KafkaSettings())


def test_plain_text_is_plain_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA": "ca.pem"})
    plain = KafkaSettings.plain("127.0.0.1:1")
    assert (plain.bootstrap_servers, plain.security_protocol, plain.ssl_ca) == ("127.0.0.1:1", "PLAINTEXT", None)


def _set(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
