"""What GitHub's tokens are encrypted with: 64 hex digits a line, the current key first."""

import secrets
from pathlib import Path

from laurel_cli.errors import CommandError
from laurel_cli.stack.layout import Layout, write_secret
from laurel_common.config import ConfigError, read_secret

_BYTES = 32


def token_keys_file(layout: Layout) -> Path:
    """Where a data directory or a deployment keeps them."""
    return layout.secrets / "token-keys"


def ensure_token_keys(layout: Layout) -> None:
    """Makes a first key where there is none."""
    path = token_keys_file(layout)
    if not path.exists():
        _write(path, [secrets.token_hex(_BYTES)])


def add_token_key(path: Path) -> int:
    """Puts a new key before those that there are; how many there are now."""
    keys = [secrets.token_hex(_BYTES), *(_read(path) if path.exists() else [])]
    _write(path, keys)
    return len(keys)


def retire_token_keys(path: Path) -> int:
    """Leaves the current key alone in the file; how many went."""
    keys = _read(path)
    _write(path, keys[:1])
    return len(keys) - 1


def _read(path: Path) -> list[str]:
    try:
        return read_secret(path).split()
    except ConfigError as error:
        raise CommandError("; ".join(error.problems)) from error


def _write(path: Path, keys: list[str]) -> None:
    write_secret(path, "".join(f"{key}\n" for key in keys))
