"""TLS where certificates are configured, loopback only where not."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from laurel_common.auth import PrincipalKind
from laurel_common.config import ConfigError
from laurel_common.errors import RemoteError
from laurel_common.rpc.client import connect
from laurel_common.rpc.server import build_server
from laurel_common.rpc.transport import is_loopback
from laurel_common.testing.server import TestKeys, default_settings, serving
from tests.rpc.common.echo import EchoServicer, pb, pb_grpc, registration


class Authority:
    """A certificate authority for one test."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._directory = directory
        self.file = directory / f"{name}.pem"
        certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def issue(self) -> tuple[Path, Path]:
        """A certificate for localhost and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        )
        certificate = (
            self._builder(subject, key.public_key())
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = self._directory / "server.pem", self._directory / "server.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


async def test_a_server_with_certificates_is_called_under_their_authority(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    certificate, key = authority.issue()
    settings = default_settings(
        TestKeys(tmp_path),
        tls_certificate_file=certificate,
        tls_key_file=key,
    )
    (tmp_path / "run").mkdir()
    async with serving(
        [registration(EchoServicer())], tmp_path / "run", settings=settings
    ) as running:
        tokens = running.keys.add("ingest", PrincipalKind.SERVICE)
        outcomes = {}
        for name, ca_file in (("its", authority.file), ("strange", stranger.file), ("none", None)):
            channel = connect(running.target, audience="test", tokens=tokens, ca_file=ca_file)
            async with channel:
                stub = pb_grpc.EchoServiceStub(channel)
                try:
                    outcomes[name] = (await stub.Echo(pb.EchoRequest(text="safe"))).text
                except RemoteError as error:
                    outcomes[name] = error.code
        assert outcomes == {"its": "safe", "strange": "UNAVAILABLE", "none": "UNAVAILABLE"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:7401", True),
        ("127.8.8.8:1", True),
        ("localhost:7401", True),
        ("[::1]:7401", True),
        ("unix:/run/laurel.sock", True),
        ("0.0.0.0:7401", False),
        ("[::]:7401", False),
        ("10.0.0.1:7401", False),
        ("identity:7401", False),
        ("localhost.example.com:7401", False),
        (":7401", False),
    ],
)
def test_loopback_is_told_from_elsewhere(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


async def test_plain_text_beyond_loopback_has_to_be_asked_for(tmp_path: Path) -> None:
    keys = TestKeys(tmp_path)
    servicers = [registration(EchoServicer())]
    with pytest.raises(ConfigError, match="LAUREL_ALLOW_INSECURE_BIND"):
        build_server(default_settings(keys, listen="0.0.0.0:0"), servicers)
    build_server(default_settings(keys, listen="0.0.0.0:0", allow_insecure_bind=True), servicers)


async def test_half_a_certificate_is_a_mistake(tmp_path: Path) -> None:
    keys = TestKeys(tmp_path)
    certificate, _ = Authority(tmp_path).issue()
    settings = default_settings(keys, tls_certificate_file=certificate)
    with pytest.raises(ConfigError, match="go together"):
        build_server(settings, [registration(EchoServicer())])


async def test_a_token_does_not_travel_in_the_open(tmp_path: Path) -> None:
    tokens = TestKeys(tmp_path).add("ingest", PrincipalKind.SERVICE)
    with pytest.raises(ConfigError, match="LAUREL_TLS_CA_FILE"):
        connect("identity:7401", audience="identity", tokens=tokens)
    allowed = connect("identity:7401", audience="identity", tokens=tokens, allow_insecure=True)
    assert isinstance(allowed, grpc.aio.Channel)
    await allowed.close()
