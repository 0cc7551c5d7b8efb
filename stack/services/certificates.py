"""Certificates to try TLS with: a new CA signs one certificate, and its key is discarded."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stack.services import private_file

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
DAYS = 90


@dataclass(frozen=True)
class Certificates:
    """The files in a folder: the CA's certificate, a signed certificate for servers and clients, and its key."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the files of a folder, whether they exist or not."""
        return cls(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")

    @property
    def server_flags(self) -> tuple[str, ...]:
        """The flags with which MariaDB and MySQL use the certificate."""
        files = (("ca", self.authority), ("cert", self.certificate), ("key", self.key))
        return ("--ssl", *(f"--ssl-{name}={file}" for name, file in files))


def make_certificates(folder: Path, now: datetime, names: Sequence[str] = LOCAL_NAMES) -> Certificates:
    """Create a CA and a certificate for host names and addresses, valid for 90 days; only the owner can read the files.

    The key of the CA is discarded, so nobody can sign another certificate. After a repetition clients need the new CA.
    """
    files = Certificates.in_folder(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(authority_key, now)
    certificate = _sign(authority, authority_key, key, names, now)
    private_file.write(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private_file.write(files.certificate, certificate.public_bytes(Encoding.PEM))
    private_file.write(files.authority, authority.public_bytes(Encoding.PEM))
    return files


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _common_name("Driftline's own CA")
    return (
        _certificate_builder(name, name, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )


def _sign(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: datetime,
) -> x509.Certificate:
    """Return a certificate for the names, signed by the CA, for servers and clients."""
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _certificate_builder(_common_name(names[0]), authority.subject, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(signer, critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative_name(name) for name in names]), critical=False)
        .sign(authority_key, SHA256())
    )


def _certificate_builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # another machine's clock may be behind
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return the key usage of a CA, or of a server and client."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
