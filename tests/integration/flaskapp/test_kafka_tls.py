"""The relay's way to Kafka by TLS and with passwords: both libraries publish, and who is wrong is told what is."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from churn.columns import Topic
from driftline.errors import InvalidInput, KafkaRefused, KafkaUnavailable
from driftline.publishing import confluent_publisher, kafka_python_publisher
from driftline.publishing.publisher import Publication, Route
from driftline.settings import KafkaSettings, SaslMechanism
from stack.servers import kafka
from stack.servers.topics import create_topics
from stack.services.certificates import Certificates, make_certificates
from stack.testing.temporary_servers import TemporaryBroker
from tests.integration.flaskapp.conftest import MakePublisher
from tests.integration.secured_broker import certificate_settings, password_settings, secured_broker

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <(ssl.SSLSocket|socket.socket):pytest.PytestUnraisableExceptionWarning"
)  # kafka-python leaves to the garbage collector the sockets that a broker refuses


@pytest.fixture(scope="module")
def broker(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryBroker]:
    with secured_broker(tmp_path_factory.mktemp("kafka"), certificates) as broker:
        yield broker


@pytest.fixture
def by_certificate(broker: TemporaryBroker, certificates: Certificates) -> KafkaSettings:
    return certificate_settings(broker, certificates)


@pytest.fixture
def by_password(broker: TemporaryBroker, certificates: Certificates) -> KafkaSettings:
    return password_settings(broker, certificates)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The sockets are closed in the test that left them, when its publishers are closed."""
    yield
    gc.collect()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for brokers that do not answer: longer than one that refuses a password takes to say so."""
    for module in (confluent_publisher, kafka_python_publisher):
        monkeypatch.setattr(module, "PROBE_SECONDS", 1.2)


def _route(settings: KafkaSettings, transactional_id: str = "relay") -> Route:
    return Route(settings, Topic.CDR_RECORDS, Topic.CDR_BATCHES, transactional_id, Topic.CDR_DEAD_LETTERS)


def _changed(settings: KafkaSettings, **changed: Any) -> KafkaSettings:
    return settings.model_copy(update=changed)


@pytest.mark.parametrize("authentication", ["certificate", "SCRAM-SHA-256", "PLAIN"])
def test_both_libraries_publish(
    by_certificate: KafkaSettings, by_password: KafkaSettings, make_publisher: MakePublisher, authentication: str
) -> None:
    mechanism = None if authentication == "certificate" else SaslMechanism(authentication)
    settings = _changed(by_password, sasl_mechanism=mechanism) if mechanism else by_certificate
    assert kafka.answers(settings)
    create_topics(settings)
    publisher = make_publisher(_route(settings, f"relay-{authentication}-{make_publisher}"))
    publisher.open()
    batch = f"{authentication} of {type(publisher).__name__}"
    publisher.publish([Publication(batch, "{}", [(b"key", b"value")])])
    assert batch in publisher.markers()


@pytest.mark.usefixtures("hurried")
def test_another_ca_or_host_name_is_rejected(
    by_certificate: KafkaSettings, make_publisher: MakePublisher, tmp_path: Path
) -> None:
    other_ca = make_certificates(tmp_path, datetime.now(UTC))
    elsewhere = by_certificate.bootstrap_servers.replace("127.0.0.1", "localhost")
    for wrong in ({"ssl_ca": other_ca.authority}, {"bootstrap_servers": elsewhere}):
        publisher = make_publisher(_route(_changed(by_certificate, **wrong)))
        with pytest.raises(KafkaRefused, match="presents no certificate signed by KAFKA_SSL_CA for its name"):
            publisher.open()


@pytest.mark.usefixtures("hurried")
def test_a_missing_client_certificate_is_reported(by_certificate: KafkaSettings, make_publisher: MakePublisher) -> None:
    with pytest.raises(KafkaRefused, match="check KAFKA_SSL_CERT"):
        make_publisher(_route(_changed(by_certificate, ssl_cert=None, ssl_key=None))).probe()


@pytest.mark.parametrize("mechanism", [SaslMechanism.SCRAM_SHA_256, SaslMechanism.SCRAM_SHA_512])
@pytest.mark.usefixtures("hurried")
def test_a_wrong_password_or_mechanism_is_reported(
    by_password: KafkaSettings, make_publisher: MakePublisher, mechanism: SaslMechanism
) -> None:
    wrong = _changed(by_password, sasl_mechanism=mechanism, sasl_password=SecretStr("wrong"))
    with pytest.raises(KafkaRefused, match="rejects this client's login; correct KAFKA_SASL_USERNAME"):
        make_publisher(_route(wrong)).probe()


@pytest.mark.usefixtures("hurried")
def test_tls_and_plain_text_do_not_mix(
    broker: TemporaryBroker, by_certificate: KafkaSettings, make_publisher: MakePublisher
) -> None:
    with pytest.raises(KafkaUnavailable, match="KAFKA_SECURITY_PROTOCOL"):
        make_publisher(_route(KafkaSettings.plain(by_certificate.bootstrap_servers))).probe()
    with pytest.raises(KafkaRefused, match="does not speak TLS at this port"):
        make_publisher(_route(_changed(by_certificate, bootstrap_servers=broker.bootstrap_servers))).probe()


def test_an_invalid_certificate_file_is_reported_first(
    by_certificate: KafkaSettings, make_publisher: MakePublisher, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(InvalidInput, match=r"The CA file .*ca.pem cannot be used"):
        make_publisher(_route(_changed(by_certificate, ssl_ca=tmp_path / "ca.pem"))).probe()
