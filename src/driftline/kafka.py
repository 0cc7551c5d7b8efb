"""Options of the Kafka clients of Python and Java, and a diagnosis of why a broker does not answer them."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from driftline.errors import InvalidInput, KafkaRefused, KafkaUnavailable
from driftline.settings import KafkaSettings, SaslMechanism
from driftline.tls import client_context

CONNECT_SECONDS = 3.0
"""How long connecting to a broker may take."""
ALERT_SECONDS = 0.3
"""How long after the handshake to wait for the alert of a broker that rejects the client's certificate."""
PKCS8 = "-----BEGIN PRIVATE KEY-----"
AUTHENTICATION_FAILED = (
    "Kafka rejects this client's login; correct KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD or KAFKA_SASL_MECHANISM."
)


def confluent_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the configuration of a confluent-kafka client: address, TLS, password.

    Raises:
        InvalidInput: a certificate, key or CA file cannot be used.
    """
    _context(settings)
    options = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol.value,
        "ssl.ca.location": settings.ssl_ca and str(settings.ssl_ca),
        "ssl.certificate.location": settings.ssl_cert and str(settings.ssl_cert),
        "ssl.key.location": settings.ssl_key and str(settings.ssl_key),
        "sasl.mechanism": settings.sasl_mechanism and settings.sasl_mechanism.value,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password and settings.sasl_password.get_secret_value(),
    }
    return {name: value for name, value in options.items() if value is not None}


def kafka_python_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the keyword arguments of a kafka-python client: address, TLS, password.

    Raises:
        InvalidInput: a certificate, key or CA file cannot be used.
    """
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol.value,
        "ssl_context": _context(settings),
        "sasl_mechanism": settings.sasl_mechanism and settings.sasl_mechanism.value,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password and settings.sasl_password.get_secret_value(),
    }


def java_options(settings: KafkaSettings) -> dict[str, str]:
    """Return the configuration of a Kafka client in Java, such as Spark's: address, TLS, password.

    Certificates and key are passed as text, so that no other machine needs the files.

    Raises:
        InvalidInput: a certificate, key or CA file cannot be used.
    """
    _context(settings)
    options = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol.value,
    }
    if settings.ssl_ca:
        options |= {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": settings.ssl_ca.read_text()}
    if settings.ssl_cert and settings.ssl_key:
        chain, key = settings.ssl_cert.read_text(), _pkcs8_key(settings.ssl_key)
        options |= {"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": chain, "ssl.keystore.key": key}
    if settings.sasl_mechanism:
        login = _jaas(settings, settings.sasl_mechanism)
        options |= {"sasl.mechanism": settings.sasl_mechanism.value, "sasl.jaas.config": login}
    return options


def _pkcs8_key(file: Path) -> str:
    """Return a key for Java; raises `InvalidInput` unless it is stored as PKCS#8, the only form that Java reads."""
    key = file.read_text()
    if PKCS8 not in key:
        raise InvalidInput(
            f"The key {file} is not in PKCS#8, which Kafka's Java client requires; convert it: "
            f"openssl pkcs8 -topk8 -nocrypt -in {file} -out NEW_FILE."
        )
    return key


def _jaas(settings: KafkaSettings, mechanism: SaslMechanism) -> str:
    """Return the login of a Java client; quotes and backslashes in name and password are escaped."""
    is_plain = mechanism is SaslMechanism.PLAIN
    module = "plain.PlainLoginModule" if is_plain else "scram.ScramLoginModule"
    password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
    user, secret = (
        value.replace("\\", "\\\\").replace('"', '\\"') for value in (settings.sasl_username or "", password)
    )
    return f'org.apache.kafka.common.security.{module} required username="{user}" password="{secret}";'


def require_listening(settings: KafkaSettings) -> None:
    """Check that one of the brokers accepts a connection.

    Raises:
        KafkaUnavailable: no broker does.
    """
    _connect_to_any(settings, lambda _connection, _host: None)


def require_trust(settings: KafkaSettings) -> None:
    """Check that one of the brokers accepts a connection and that it and the client accept each other's certificates.

    Raises:
        KafkaUnavailable: no broker accepts a connection.
        KafkaRefused: the TLS handshake fails.
    """
    context = _context(settings)
    try:
        _connect_to_any(settings, lambda connection, host: _handshake(connection, host, context))
    except KafkaUnavailable as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise KafkaRefused(_reason(error.__cause__)) from error
        raise


def _connect_to_any(settings: KafkaSettings, check: Callable[[socket.socket, str], None]) -> None:
    """Connect to the brokers in turn until one passes the check; raise `KafkaUnavailable` if none does."""
    failure: OSError | None = None
    for address in settings.bootstrap_servers.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as connection:
                check(connection, host.strip("[]"))
        except OSError as error:
            failure = error
        else:
            return
    raise KafkaUnavailable from failure


def _context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not (settings.security_protocol.uses_tls and settings.ssl_ca):
        return None
    return client_context(settings.ssl_ca, settings.ssl_cert, settings.ssl_key)


def _handshake(connection: socket.socket, host: str, context: ssl.SSLContext | None) -> None:
    """Do the TLS handshake, then wait briefly for the alert of a broker that rejects the client's certificate."""
    if context is None:
        return
    with context.wrap_socket(connection, server_hostname=host) as wrapped:
        wrapped.settimeout(ALERT_SECONDS)
        try:
            wrapped.recv(1)
        except TimeoutError:
            return  # a broker that accepts the client sends nothing before the first request


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "Kafka presents no certificate signed by KAFKA_SSL_CA for its name in KAFKA_BOOTSTRAP_SERVERS "
            f"({error.verify_message}); correct one of the two."
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or error.reason == "WRONG_VERSION_NUMBER":
        return "Kafka does not speak TLS at this port; correct KAFKA_SECURITY_PROTOCOL or KAFKA_BOOTSTRAP_SERVERS."
    return f"The TLS handshake with Kafka failed ({error.reason}); check KAFKA_SSL_CERT and KAFKA_SSL_KEY."
