"""TLS where certificates are configured, loopback only where not."""

from pathlib import Path

import grpc
import pytest

from laurel_cli.stack.authority import Authority
from laurel_common.auth import PrincipalKind
from laurel_common.config import ConfigError
from laurel_common.errors import RemoteError
from laurel_common.rpc.client import connect
from laurel_common.rpc.server import build_server
from laurel_common.rpc.transport import channel_credentials, is_loopback, server_credentials
from laurel_common.testing.server import TestKeys, default_settings, serving
from tests.rpc.common.echo import EchoServicer, pb, pb_grpc, registration


def authorities(directory: Path) -> tuple[Authority, Authority]:
    """One's own, and another's."""
    for name in ("own", "other"):
        (directory / name).mkdir()
    return Authority(directory / "own"), Authority(directory / "other")


async def test_a_server_with_certificates_is_called_under_their_authority(tmp_path: Path) -> None:
    authority, stranger = authorities(tmp_path)
    certificate, key = authority.issue("test")
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
        for name, ca_file in (
            ("its", authority.certificate_file),
            ("strange", stranger.certificate_file),
            ("none", None),
        ):
            channel = connect(running.target, audience="test", tokens=tokens, ca_file=ca_file)
            async with channel:
                stub = pb_grpc.EchoServiceStub(channel)
                try:
                    outcomes[name] = (await stub.Echo(pb.EchoRequest(text="safe"))).text
                except RemoteError as error:
                    outcomes[name] = error.code
        assert outcomes == {"its": "safe", "strange": "UNAVAILABLE", "none": "UNAVAILABLE"}


async def test_with_mutual_tls_callers_show_a_certificate_of_the_same_authority(
    tmp_path: Path,
) -> None:
    authority, stranger = authorities(tmp_path)
    certificate, key = authority.issue("test")
    settings = default_settings(
        TestKeys(tmp_path),
        tls_certificate_file=certificate,
        tls_key_file=key,
        tls_client_ca_file=authority.certificate_file,
    )
    (tmp_path / "run").mkdir()
    shown = {"its": authority.issue("ingest"), "strange": stranger.issue("ingest"), "none": None}
    outcomes = {}
    async with serving(
        [registration(EchoServicer())], tmp_path / "run", settings=settings
    ) as running:
        tokens = running.keys.add("ingest", PrincipalKind.SERVICE)
        for name, own in shown.items():
            channel = connect(
                running.target,
                audience="test",
                tokens=tokens,
                ca_file=authority.certificate_file,
                own_certificate=own,
            )
            async with channel:
                stub = pb_grpc.EchoServiceStub(channel)
                try:
                    outcomes[name] = (await stub.Echo(pb.EchoRequest(text="safe"))).text
                except RemoteError as error:
                    outcomes[name] = error.code
    assert outcomes == {"its": "safe", "strange": "UNAVAILABLE", "none": "UNAVAILABLE"}


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    certificate, key = authorities(tmp_path)[0].issue("test")
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    settings = default_settings(
        TestKeys(tmp_path), tls_certificate_file=certificate, tls_key_file=key
    )
    with pytest.raises(ConfigError, match="chmod 600"):
        server_credentials(settings)


@pytest.mark.parametrize(
    ("spoilt", "text", "problem"),
    [
        pytest.param("key", "", "not a private key", id="an empty key"),
        pytest.param("key", "-----BEGIN PRIVATE KEY-----\nMC4C\n", "not a private key", id="half"),
        pytest.param("key", "another's", "not the key of", id="another's key"),
        pytest.param("certificate", "x", "no certificate", id="no certificate"),
        pytest.param("authority", "", "no certificate", id="an empty authority"),
    ],
)
def test_files_that_make_no_tls_are_told_before_grpc_ends_the_process(
    tmp_path: Path, spoilt: str, text: str, problem: str
) -> None:
    authority, stranger = authorities(tmp_path)
    certificate, key = authority.issue("test")
    files = {"key": key, "certificate": certificate, "authority": authority.certificate_file}
    other = stranger.issue("test")[1]
    files[spoilt].write_text(other.read_text() if text == "another's" else text)
    settings = default_settings(
        TestKeys(tmp_path),
        tls_certificate_file=certificate,
        tls_key_file=key,
        tls_client_ca_file=authority.certificate_file,
    )
    with pytest.raises(ConfigError, match=problem):
        server_credentials(settings)
    with pytest.raises(ConfigError, match=problem):
        channel_credentials(
            "localhost:1",
            ca_file=authority.certificate_file,
            allow_insecure=False,
            own=(certificate, key),
        )


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
    certificate, _ = Authority(tmp_path).issue("test")
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
