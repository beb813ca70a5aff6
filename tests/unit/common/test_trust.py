"""The directory of public keys, and the files that keys lie in."""

import base64
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from laurel_common.auth import PrincipalKind, TrustDirectory, TrustedKey
from laurel_common.auth.keys import (
    KeyFileError,
    derive_secret,
    generate_private_key,
    load_private_key,
    parse_public_key,
    public_pem,
)
from laurel_common.auth.operator import mint_operator_token
from laurel_common.auth.trust import TrustFileError, format_trust_file, parse_trust_file

KEY = Ed25519PrivateKey.generate()
RAW = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()


def entry(
    name: str = "ingest", methods: tuple[str, ...] = ("a/*",), reach: frozenset[int] | None = None
) -> TrustedKey:
    return TrustedKey(name, PrincipalKind.SERVICE, KEY.public_key(), methods, reach)


def test_a_directory_reads_back_as_it_was_written() -> None:
    keys = [entry(), entry("b", (), frozenset()), entry('quo"te\\', ("x",), frozenset({1, -2}))]
    found = parse_trust_file(format_trust_file(keys))
    assert [(k.name, k.kind, k.methods, k.installations) for k in found] == [
        (k.name, k.kind, k.methods, k.installations) for k in keys
    ]
    assert all(public_pem(k.public_key) == public_pem(KEY) for k in found)


def test_what_an_entry_does_not_say_it_does_not_grant() -> None:
    text = f'[[keys]]\nname = "b"\nkind = "backend"\npublic_key = "{RAW}"\n'
    [key] = parse_trust_file(text)
    assert (key.methods, key.installations) == ((), frozenset())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("[[keys]", "not TOML", id="not-toml"),
        pytest.param('other = 1\n[[keys]]\nname = "x"', "nothing else", id="other-content"),
        pytest.param('[[keys]]\nkind = "service"', "name is missing", id="no-name"),
        pytest.param('[[keys]]\nname = "x"\nkind = "king"', "kind is unknown", id="kind"),
        pytest.param(
            f'[[keys]]\nname = "x"\nkind = "user"\npublic_key = "{RAW}"', "sessions", id="user"
        ),
        pytest.param(
            '[[keys]]\nname = "x"\nkind = "service"\npublic_key = "AAAA"', "public_key", id="key"
        ),
        pytest.param('[[keys]]\nname = "x"\nmethod = []', "unknown method", id="unknown-field"),
        pytest.param(
            f'[[keys]]\nname = "x"\nkind = "service"\npublic_key = "{RAW}"\nmethods = "*"',
            "methods",
            id="methods",
        ),
        pytest.param(
            f'[[keys]]\nname = "x"\nkind = "service"\npublic_key = "{RAW}"\ninstallations = [true]',
            "installations",
            id="installations",
        ),
    ],
)
def test_a_faulty_entry_is_named(text: str, problem: str) -> None:
    with pytest.raises(TrustFileError, match=problem):
        parse_trust_file(text)


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_changed_directory_is_read_again_within_a_second(tmp_path: Path) -> None:
    path, ticks = tmp_path / "trust.toml", Ticks()
    path.write_text(format_trust_file([entry()]))
    trust = TrustDirectory(path, monotonic=ticks)
    path.write_text(format_trust_file([entry(), entry("scoring")]))
    assert trust.keys("scoring") == ()
    ticks.now = 1.0
    assert len(trust.keys("scoring")) == 1
    assert trust.generation == 1


def test_a_directory_that_breaks_leaves_the_last_good_keys(tmp_path: Path) -> None:
    path, ticks = tmp_path / "trust.toml", Ticks()
    path.write_text(format_trust_file([entry()]))
    trust = TrustDirectory(path, monotonic=ticks)
    path.write_text("[[keys]")
    ticks.now = 2.0
    assert len(trust.keys("ingest")) == 1
    path.unlink()
    ticks.now = 4.0
    assert len(trust.keys("ingest")) == 1
    path.write_text("")
    ticks.now = 6.0
    assert trust.keys("ingest") == ()


def test_two_keys_of_one_name_stand_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "trust.toml"
    path.write_text(format_trust_file([entry(), entry()]))
    assert len(TrustDirectory(path).keys("ingest")) == 2


def test_a_start_without_a_directory_fails(tmp_path: Path) -> None:
    with pytest.raises(TrustFileError):
        TrustDirectory(tmp_path / "nowhere.toml")


def test_a_directory_that_everybody_can_write_is_trusted_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "trust.toml"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(TrustFileError, match="everybody can write it"):
        TrustDirectory(path)


def test_a_key_file_is_its_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ingest.key"
    key = generate_private_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_pem(load_private_key(path)) == public_pem(key)
    with pytest.raises(FileExistsError):
        generate_private_key(path)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ingest.key"
    generate_private_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="everybody"):
        load_private_key(path)


@pytest.mark.parametrize("content", ["", "hello", public_pem(KEY)])
def test_what_is_no_private_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "k"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        load_private_key(path)


def test_a_public_key_is_pem_or_base64() -> None:
    assert public_pem(parse_public_key(RAW)) == public_pem(parse_public_key(public_pem(KEY)))


def test_derived_secrets_differ_by_purpose_and_are_the_same_for_replicas() -> None:
    assert derive_secret(KEY, "pages") == derive_secret(KEY, "pages")
    assert derive_secret(KEY, "pages") != derive_secret(KEY, "state")


@pytest.mark.parametrize(
    ("audiences", "minutes"), [((), 5), (("test",), 5), (("ingest",), 61), (("ingest",), 0)]
)
def test_an_operators_token_beyond_its_bounds_is_not_minted(
    audiences: tuple[str, ...], minutes: int
) -> None:
    with pytest.raises(ValueError, match=r"audiences|lives"):
        mint_operator_token(KEY, name="o", audiences=audiences, lifetime=timedelta(minutes=minutes))
