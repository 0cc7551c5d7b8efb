"""The options of Kafka's client in Java: TLS from text, and a login that no character of a password breaks."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from driftline.errors import InvalidInput
from driftline.kafka import java_options
from driftline.settings import KafkaSettings, SaslMechanism, SecurityProtocol
from stack.services.certificates import Certificates, make_certificates

ODD, ESCAPED = 'a"b\\;', 'a\\"b\\\\;'


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), datetime(2026, 1, 1, tzinfo=UTC))


def test_plain_text_has_an_address_only() -> None:
    assert java_options(KafkaSettings.plain("b:1")) == {"bootstrap.servers": "b:1", "security.protocol": "PLAINTEXT"}


def test_certificates_are_passed_as_text(files: Certificates) -> None:
    settings = KafkaSettings(
        bootstrap_servers="b:1",
        security_protocol=SecurityProtocol.SSL,
        ssl_ca=files.authority,
        ssl_cert=files.certificate,
        ssl_key=files.key,
    )
    options = java_options(settings)
    assert options["ssl.truststore.certificates"] == files.authority.read_text()
    assert options["ssl.keystore.certificate.chain"] == files.certificate.read_text()
    assert options["ssl.keystore.key"] == files.key.read_text()
    assert {options["ssl.truststore.type"], options["ssl.keystore.type"]} == {"PEM"}


def test_a_key_in_another_form_is_refused_with_a_converting_command(files: Certificates, tmp_path: Path) -> None:
    key = load_pem_private_key(files.key.read_bytes(), None)
    other = tmp_path / "key.pem"
    other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    settings = KafkaSettings(
        security_protocol=SecurityProtocol.SSL, ssl_ca=files.authority, ssl_cert=files.certificate, ssl_key=other
    )
    with pytest.raises(InvalidInput, match=rf"PKCS#8.*openssl pkcs8 -topk8 -nocrypt -in {other}"):
        java_options(settings)


@pytest.mark.parametrize(
    ("mechanism", "module"),
    [(SaslMechanism.PLAIN, "plain.PlainLoginModule"), (SaslMechanism.SCRAM_SHA_512, "scram.ScramLoginModule")],
)
def test_a_login_escapes_quotes_and_backslashes(files: Certificates, mechanism: SaslMechanism, module: str) -> None:
    settings = KafkaSettings(
        security_protocol=SecurityProtocol.SASL_SSL,
        ssl_ca=files.authority,
        sasl_mechanism=mechanism,
        sasl_username="relay",
        sasl_password=SecretStr(ODD),
    )
    options = java_options(settings)
    assert options["sasl.mechanism"] == mechanism.value
    assert options["sasl.jaas.config"] == (
        f'org.apache.kafka.common.security.{module} required username="relay" password="{ESCAPED}";'
    )
