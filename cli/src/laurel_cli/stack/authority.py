"""A certificate authority for development: itself, and a certificate for each service."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from laurel_cli.stack.layout import write_secret

LASTS = timedelta(days=365)
# A clock that is a little behind takes a new certificate all the same.
_BEFORE = timedelta(minutes=5)
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Authority:
    """Signs certificates of both sides of a connection; its key is in a file of its owner's."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self.certificate_file = directory / "ca.pem"
        self._key, self._certificate = self._load() or self._make()

    def issue(self, name: str, hosts: Sequence[str] = ()) -> tuple[Path, Path]:
        """A new certificate for a service under its own name, on this machine and at `hosts`, and
        its key: NAME.pem and NAME.key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_host(each) for each in (name, *_LOCAL, *hosts)])
        sides = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _builder(_named(name), self._certificate.subject, key.public_key())
            .add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage(sides), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        files = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        _write(files, certificate, key)
        return files

    def _load(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
        key_file = self._directory / "ca.key"
        if not (key_file.exists() and self.certificate_file.exists()):
            return None
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_file}: not a key of this command's")
        return key, certificate

    def _make(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named("Laurel development")
        certificate = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write((self.certificate_file, self._directory / "ca.key"), certificate, key)
        return key, certificate


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + LASTS)
    )


def _write(
    files: tuple[Path, Path], certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    pem = serialization.Encoding.PEM
    files[0].write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secret(files[1], private.decode())
