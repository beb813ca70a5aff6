"""A service does not start with a secret that is missing, short, or everybody's to read: every file
that holds one, of every service, on the way that its process takes.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from laurel_cli.errors import RefusedError
from laurel_cli.rpc.caller import tokens_of
from laurel_cli.rpc.where import Where
from laurel_cli.stack.authority import Authority
from laurel_cli.stack.layout import SERVICES
from laurel_cli.stack.variables import settings_of
from laurel_common.auth import keys
from laurel_common.auth.keys import KeyFileError
from laurel_common.config import ConfigError, SecretField, ServiceSettings, load_settings

# Files that are secret by what they hold, not by how their setting is declared.
KEY_FILES = ("key_file", "tls_key_file")
# A secret that is one, and one that is too short to be.
LONG = {
    "database_url": "postgresql://me:hunter2@127.0.0.1:1/laurel",
    "redis_url": "redis://:hunter2@127.0.0.1:1",
    "token_keys": "0123456789abcdef" * 4,
    "github_client_secret": "0123456789abcdef" * 2,
    "webhook_secrets": "0123456789abcdef",
}
SHORT = {
    "database_url": "hunter2",
    "redis_url": "hunter2",
    "token_keys": "0123456789abcde" * 4,
    "github_client_secret": "0123456789",
    "webhook_secrets": f"{LONG['webhook_secrets']}\n0123456789",
}
# What has to be told beside a secret.
BESIDE = {
    "github_client_secret": {"LAUREL_GITHUB_CLIENT_ID": "Iv1.0"},
    "github_app_private_key": {"LAUREL_GITHUB_APP_ID": "1"},
}


@dataclass(frozen=True)
class Held:
    """The file of a secret: whose, and of which setting."""

    service: str
    setting: str

    @property
    def variable(self) -> str:
        name = f"LAUREL_{self.setting.upper()}"
        return name if self.setting in KEY_FILES else f"{name}_FILE"

    def __str__(self) -> str:
        return f"{self.service}-{self.setting}"


def held() -> Iterator[Held]:
    """All of them: what a settings class declares as secret is here by itself."""
    for service in SERVICES:
        for setting, field in settings_of(service).model_fields.items():
            secret = any(isinstance(each, SecretField) for each in field.metadata)
            if secret or setting in KEY_FILES:
                yield Held(service, setting)


@dataclass
class Deployment:
    """A service with a good file for each of its secrets."""

    directory: Path
    service: str

    def environ(self) -> dict[str, str]:
        """The variables that it starts with."""
        directory = self.directory
        (directory / "trust.toml").write_text("")
        authority = Authority(directory / "certs")
        certificate, key = authority.issue(self.service)
        environ = {
            "LAUREL_TRUST_FILE": str(directory / "trust.toml"),
            "LAUREL_LISTEN": "127.0.0.1:0",
            "LAUREL_TLS_CERTIFICATE_FILE": str(certificate),
            "LAUREL_TLS_CA_FILE": str(authority.certificate_file),
        }
        for each in held():
            if each.service != self.service:
                continue
            path = key if each.setting == "tls_key_file" else directory / each.setting
            if each.setting == "key_file":
                keys.generate_private_key(path)
            elif each.setting != "tls_key_file":
                put(path, LONG.get(each.setting) or rsa_key(2048))
            environ |= {each.variable: str(path)} | BESIDE.get(each.setting, {})
        return environ


def put(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def rsa_key(bits: int) -> str:
    key = generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def problems(service: str, environ: dict[str, str]) -> str:
    """Why a process would end before it listens; empty where it would go on."""
    try:
        settings = load_settings(settings_of(service), environ)
        asyncio.run(_bootstrap(settings))
    except (ConfigError, KeyFileError) as error:
        return str(error)
    return ""


async def _bootstrap(settings: ServiceSettings) -> None:
    module = import_module(f"laurel_{settings.service_name}.bootstrap")
    await (await module.bootstrap(settings)).close()


@pytest.mark.parametrize("service", SERVICES)
def test_with_good_secrets_a_service_would_start(service: str, tmp_path: Path) -> None:
    """Else what follows might fail for another reason."""
    assert problems(service, Deployment(tmp_path, service).environ()) == ""


@pytest.mark.parametrize("secret", list(held()), ids=str)
def test_a_secret_that_is_missing_short_or_everybodys_stops_the_start(
    secret: Held, tmp_path: Path
) -> None:
    environ = Deployment(tmp_path, secret.service).environ()
    path = Path(environ[secret.variable])
    good = path.read_text()
    path.chmod(0o644)
    assert f"{path}: everybody can read it" in problems(secret.service, environ)

    put(path, "")
    assert problems(secret.service, environ)
    short = SHORT.get(secret.setting, good[:100])
    if secret.setting == "github_app_private_key":
        short = rsa_key(1024)
    put(path, short)
    told = problems(secret.service, environ)
    assert secret.variable.removesuffix("_FILE") in told or str(path) in told
    assert not [word for word in short.split() if len(word) > 9 and word in told]

    path.unlink()
    assert f"{path}: No such file" in problems(secret.service, environ)


@pytest.mark.parametrize("setting", ["database_url", "redis_url", "token_keys", "key_file"])
def test_there_is_no_start_without_a_secret_that_is_needed(setting: str, tmp_path: Path) -> None:
    """No fallback is derived from anything."""
    environ = Deployment(tmp_path, "identity").environ()
    del environ[Held("identity", setting).variable]
    assert "missing" in problems("identity", environ)


def test_an_operators_key_that_is_everybodys_or_none_signs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    keys.generate_private_key(path)
    tokens_of(Where(key=path))
    path.chmod(0o644)
    with pytest.raises(RefusedError, match="everybody can read it"):
        tokens_of(Where(key=path))
    put(path, path.read_text()[:60])
    with pytest.raises(RefusedError, match="not a private key"):
        tokens_of(Where(key=path))
    path.unlink()
    with pytest.raises(RefusedError, match="no operator key"):
        tokens_of(Where(key=path))
