"""A broker that asks for a certificate at one port and for a password at another, and the settings of its clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from driftline.settings import KafkaSettings
from stack.services.certificates import Certificates
from stack.testing.temporary_servers import TemporaryBroker, kafka_broker

PASSWORD = "of the relay"
CERTIFICATES = """\
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.ssl.ssl.client.auth=required
"""
PASSWORDS = f"""\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_relay="{PASSWORD}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@contextmanager
def secured_broker(folder: Path, certificates: Certificates) -> Iterator[TemporaryBroker]:
    """Run the broker, with the user `relay`, in a folder."""
    keystore = folder / "keystore.pem"
    keystore.write_bytes(certificates.key.read_bytes() + certificates.certificate.read_bytes())
    properties = CERTIFICATES.format(keystore=keystore, authority=certificates.authority)
    with kafka_broker(folder, {"SSL": properties, "SASL_SSL": PASSWORDS}) as broker:
        _let_in(broker)
        yield broker


def _let_in(broker: TemporaryBroker) -> None:
    client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    user = UserScramCredentialUpsertion("relay", scram, PASSWORD.encode())
    for change in client.alter_user_scram_credentials([user]).values():
        change.result(30)


def certificate_settings(broker: TemporaryBroker, certificates: Certificates) -> KafkaSettings:
    """Return the settings of a client that presents a certificate."""
    return KafkaSettings.model_validate(
        {
            "bootstrap_servers": broker.by_protocol["SSL"],
            "security_protocol": "SSL",
            "ssl_ca": certificates.authority,
            "ssl_cert": certificates.certificate,
            "ssl_key": certificates.key,
        }
    )


def password_settings(broker: TemporaryBroker, certificates: Certificates) -> KafkaSettings:
    """Return the settings of a client that logs in by SCRAM-SHA-256."""
    return KafkaSettings.model_validate(
        {
            "bootstrap_servers": broker.by_protocol["SASL_SSL"],
            "security_protocol": "SASL_SSL",
            "ssl_ca": certificates.authority,
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_username": "relay",
            "sasl_password": PASSWORD,
        }
    )
