"""`laurel keys`: making keys, changing one for another, and those that encrypt GitHub's tokens."""

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from laurel_cli.__main__ import app
from laurel_common.auth.keys import load_private_key, parse_public_key, public_pem
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import mint
from laurel_common.auth.trust import TrustDirectory, TrustedKey, format_trust_file
from laurel_common.auth.verifier import TokenVerifier
from laurel_common.errors import Unauthenticated
from laurel_common.testing.clock import FakeClock
from laurel_identity.storage.token_cipher import parse_token_keys


def keys(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["keys", *map(str, arguments)])


def entry(public: str, name: str = "shop") -> TrustedKey:
    return TrustedKey(name, PrincipalKind.BACKEND, parse_public_key(public), ("*",), frozenset({7}))


def test_a_key_is_its_owners_alone_and_its_public_half_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "shop.pem"
    done = keys("generate", path)
    assert done.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert done.stdout == public_pem(load_private_key(path))
    before = path.read_bytes()
    again = keys("generate", path)
    assert again.exit_code != 0
    assert str(path) in again.output.replace("\n", "")
    assert path.read_bytes() == before


def test_a_key_is_changed_for_another_without_a_moment_in_which_neither_counts(
    tmp_path: Path,
) -> None:
    public = {name: keys("generate", tmp_path / f"{name}.pem").stdout for name in ("old", "new")}
    trust, clock, ticks = tmp_path / "trust.toml", FakeClock(), [0.0]
    seen: list[list[str]] = []
    for trusted in (["old"], ["new", "old"], ["new"]):
        trust.write_text(format_trust_file([entry(public[each]) for each in trusted]))
        if not seen:
            directory = TrustDirectory(trust, monotonic=lambda: ticks[0])
            verifier = TokenVerifier(
                directory, audience="ingest", clock=clock, monotonic=lambda: ticks[0]
            )
        ticks[0] += 1.0
        seen.append([name for name in public if counts(verifier, tmp_path / f"{name}.pem", clock)])
    assert seen == [["old"], ["old", "new"], ["new"]]


def counts(verifier: TokenVerifier, path: Path, clock: FakeClock) -> bool:
    token = mint(
        load_private_key(path),
        issuer="shop",
        audience="ingest",
        lifetime=timedelta(seconds=60),
        clock=clock,
    )
    try:
        return verifier.verify(token).installations == frozenset({7})
    except Unauthenticated:
        return False


def test_whom_the_services_trust_is_listed_with_how_far(tmp_path: Path) -> None:
    public = keys("generate", tmp_path / "shop.pem").stdout
    (tmp_path / "trust.toml").write_text(format_trust_file([entry(public)]))
    listed = keys("list", "--data", tmp_path)
    assert listed.exit_code == 0
    assert {"shop", "backend", "7", "*"} <= set(listed.stdout.split())
    (tmp_path / "trust.toml").write_text("[[keys]]\nname = 'shop'")
    assert keys("list", "--data", tmp_path).exit_code != 0
    assert keys("list", "--data", tmp_path / "nowhere").exit_code != 0


def test_a_new_token_key_comes_in_front_and_the_former_ones_go_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "token-keys"
    lines = []
    for arguments in (("add",), ("add",), ("retire",)):
        assert keys("token-key", *arguments, path).exit_code == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert parse_token_keys(path.read_text())
        lines.append(path.read_text().split())
    (first,), (second, *former), (last,) = lines
    assert (former, last) == ([first], second)
    assert first != second


@pytest.mark.parametrize("command", ["add", "retire"])
def test_token_keys_that_everybody_can_read_are_not_gone_on_with(
    command: str, tmp_path: Path
) -> None:
    path = tmp_path / "token-keys"
    path.write_text("ab" * 32)
    path.chmod(0o644)
    refused = keys("token-key", command, path)
    assert refused.exit_code != 0
    assert "everybody can read it" in refused.output.replace("\n", " ")
    assert "abab" not in refused.output
    assert path.read_text() == "ab" * 32
