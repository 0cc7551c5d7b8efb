"""What Kafka's two client libraries are told about TLS and passwords, and why a broker that is there is no use."""

import socket
import ssl
from collections.abc import Callable
from typing import Any

from driftline.errors import KafkaRefused, KafkaUnavailable
from driftline.settings import KafkaSettings
from driftline.tls import client_context

LOOK_SECONDS = 3.0
"""How long a look at a broker's port may take."""
ALERT_SECONDS = 0.3
"""How long a broker that misses the client's certificate takes to say so, once hands are shaken."""
NOT_LET_IN = (
    "Kafka does not let this client in; correct KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD or KAFKA_SASL_MECHANISM."
)


def confluent_options(settings: KafkaSettings) -> dict[str, Any]:
    """Give the configuration of a confluent-kafka client: address, TLS, password.

    Raises:
        InvalidInput: a file of TLS cannot be used.
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
    """Give the keywords of a kafka-python client: address, TLS, password.

    Raises:
        InvalidInput: a file of TLS cannot be used.
    """
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol.value,
        "ssl_context": _context(settings),
        "sasl_mechanism": settings.sasl_mechanism and settings.sasl_mechanism.value,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password and settings.sasl_password.get_secret_value(),
    }


def require_listening(settings: KafkaSettings) -> None:
    """Check that one of the brokers takes a connection.

    Raises:
        KafkaUnavailable: none does.
    """
    _look(settings, lambda _connection, _host: None)


def require_trust(settings: KafkaSettings) -> None:
    """Look why a broker gives no answer: whether one takes a connection, its certificate fits, and the client's does.

    Raises:
        KafkaUnavailable: none takes a connection. KafkaRefused: by TLS, one of both does not accept the other.
    """
    context = _context(settings)
    try:
        _look(settings, lambda connection, host: _shake_hands(connection, host, context))
    except KafkaUnavailable as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise KafkaRefused(_reason(error.__cause__)) from error
        raise


def _look(settings: KafkaSettings, look: Callable[[socket.socket, str], None]) -> None:
    """Look at the brokers until one pleases."""
    refused: OSError | None = None
    for address in settings.bootstrap_servers.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), LOOK_SECONDS) as connection:
                look(connection, host.strip("[]"))
        except OSError as error:
            refused = error
        else:
            return
    raise KafkaUnavailable from refused


def _context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not (settings.security_protocol.by_tls and settings.ssl_ca):
        return None
    return client_context(settings.ssl_ca, settings.ssl_cert, settings.ssl_key)


def _shake_hands(connection: socket.socket, host: str, context: ssl.SSLContext | None) -> None:
    """Shake hands, and wait a moment for the alert of a broker that wants another certificate of the client."""
    if context is None:
        return
    with context.wrap_socket(connection, server_hostname=host) as wrapped:
        wrapped.settimeout(ALERT_SECONDS)
        try:
            wrapped.recv(1)
        except TimeoutError:
            return  # a broker that is content says nothing before it is asked


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message
        return (
            f"Kafka shows no certificate of KAFKA_SSL_CA for its name in KAFKA_BOOTSTRAP_SERVERS; OpenSSL says: {said}"
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or error.reason == "WRONG_VERSION_NUMBER":
        return "Kafka does not speak TLS at this port; correct KAFKA_SECURITY_PROTOCOL or KAFKA_BOOTSTRAP_SERVERS."
    return f"The TLS handshake with Kafka failed ({error.reason}); check KAFKA_SSL_CERT and KAFKA_SSL_KEY."
