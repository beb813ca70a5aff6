"""Addresses and TLS: what may be bound or called without certificates, and with which."""

import ipaddress
import stat
from pathlib import Path

import grpc
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

from laurel_common.config import ConfigError, ServiceSettings

# One's certificate and its key, as files.
OwnCertificate = tuple[Path, Path]


def is_loopback(address: str) -> bool:
    """Whether "host:port" (or "unix:…") is reached from this machine alone."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_credentials(settings: ServiceSettings) -> grpc.ServerCredentials | None:
    """TLS where certificates are configured; None for plain text on loopback.

    Raises ConfigError for half a configuration, unreadable files, and for plain text elsewhere
    unless LAUREL_ALLOW_INSECURE_BIND says so.
    """
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    client_ca = settings.tls_client_ca_file
    if client_ca is not None and certificate is None:
        raise ConfigError(["LAUREL_TLS_CLIENT_CA_FILE needs LAUREL_TLS_CERTIFICATE_FILE"])
    if (certificate is None) != (key is None):
        raise ConfigError(["LAUREL_TLS_CERTIFICATE_FILE and LAUREL_TLS_KEY_FILE go together"])
    if certificate is not None and key is not None:
        return grpc.ssl_server_credentials(
            [_read_pair(certificate, key)],
            root_certificates=None if client_ca is None else _read_authorities(client_ca),
            require_client_auth=client_ca is not None,
        )
    if not is_loopback(settings.listen) and not settings.allow_insecure_bind:
        raise ConfigError(
            [
                f"LAUREL_LISTEN: {settings.listen} is reachable from elsewhere and no certificate "
                "is configured; set LAUREL_ALLOW_INSECURE_BIND=true to do that all the same"
            ]
        )
    return None


def channel_credentials(
    target: str,
    *,
    ca_file: Path | None,
    allow_insecure: bool,
    own: OwnCertificate | None = None,
) -> grpc.ChannelCredentials | None:
    """TLS under `ca_file`, showing one's own certificate where there is one; None for plain text,
    which is for loopback unless allowed elsewhere.

    Raises ConfigError where a token would travel in the open.
    """
    if ca_file is not None:
        authorities = _read_authorities(ca_file)
        if own is None:
            return grpc.ssl_channel_credentials(authorities)
        key, certificate = _read_pair(*own)
        return grpc.ssl_channel_credentials(authorities, key, certificate)
    if not is_loopback(target) and not allow_insecure:
        raise ConfigError([f"{target} is not on this machine: calling it needs LAUREL_TLS_CA_FILE"])
    return None


def _read_pair(certificate_file: Path, key_file: Path) -> tuple[bytes, bytes]:
    """A private key and its certificate, looked at because gRPC ends the process over others.

    Raises ConfigError for a key that everybody can read, and for what is no such pair.
    """
    key, certificate = _read(key_file), _read(certificate_file)
    if key_file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError([f"{key_file}: everybody can read it; chmod 600 makes it private"])
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError([f"{key_file}: not a private key in PEM"]) from None
    (first, *_) = _certificates_in(certificate, certificate_file)
    if private.public_key() != first.public_key():
        raise ConfigError([f"{key_file}: not the key of {certificate_file}"])
    return key, certificate


def _read_authorities(path: Path) -> bytes:
    content = _read(path)
    _certificates_in(content, path)
    return content


def _certificates_in(content: bytes, path: Path) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(content)
    except ValueError:
        raise ConfigError([f"{path}: no certificate in PEM"]) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
