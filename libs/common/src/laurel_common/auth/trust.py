"""The directory of public keys: whose tokens count, for which methods and installations."""

import json
import stat
import time
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from laurel_common.auth.keys import KeyFileError, parse_public_key, public_pem
from laurel_common.auth.principal import PrincipalKind

RECHECK_SECONDS = 1.0
_FIELDS = {"name", "kind", "public_key", "methods", "installations"}

log = structlog.get_logger(__name__)


class TrustFileError(ValueError):
    """A trust directory that can't be used; the text names the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One entry: a key, who holds it, and how far it reaches.

    `methods` are globs over "laurel.ingest.v1.SignalService/WriteSignals"; none means no method.
    `installations` None means all of them.
    """

    name: str
    kind: PrincipalKind
    public_key: Ed25519PublicKey
    methods: tuple[str, ...]
    installations: frozenset[int] | None


class TrustDirectory:
    """The keys of one TOML file, read again when it changes (looked at once a second at most).

    A file that has become unreadable or malformed leaves the last good keys in force and is
    logged. `generation` counts the readings: what was verified under an older one is verified
    again.
    """

    def __init__(
        self,
        path: Path,
        *,
        recheck_seconds: float = RECHECK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.generation = 0
        self.recheck_seconds = recheck_seconds
        self._path = path
        self._monotonic = monotonic
        self._stamp = self._look()
        self._checked_at = monotonic()
        self._keys = _by_name(parse_trust_file(_read(path)))

    def keys(self, name: str) -> tuple[TrustedKey, ...]:
        """The keys under `name`: several while one replaces another."""
        self.refresh()
        return self._keys.get(name, ())

    def refresh(self) -> None:
        """Reads the file again if it changed since it was last looked at."""
        now = self._monotonic()
        if now - self._checked_at < self.recheck_seconds:
            return
        self._checked_at = now
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return
            keys = _by_name(parse_trust_file(_read(self._path)))
        except TrustFileError as error:
            log.error("trust_file_unusable", problem=str(error))
            return
        self._stamp, self._keys = stamp, keys
        self.generation += 1
        log.info("trust_file_read", keys=sum(map(len, keys.values())))

    def _look(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise TrustFileError(f"{self._path}: {error.strerror}") from error
        if found.st_mode & stat.S_IWOTH:
            raise TrustFileError(f"{self._path}: everybody can write it")
        return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrustFileError(f"{path}: can't be read") from error


def _by_name(keys: Iterable[TrustedKey]) -> dict[str, tuple[TrustedKey, ...]]:
    found: dict[str, tuple[TrustedKey, ...]] = {}
    for key in keys:
        found[key.name] = (*found.get(key.name, ()), key)
    return found


def parse_trust_file(text: str) -> list[TrustedKey]:
    """Reads the `[[keys]]` tables of a trust file; raises TrustFileError for a faulty one."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TrustFileError(f"not TOML: {error}") from error
    entries = document.get("keys", [])
    if set(document) - {"keys"} or not isinstance(entries, list):
        raise TrustFileError("a trust file holds [[keys]] tables and nothing else")
    return [_parse_entry(number, entry) for number, entry in enumerate(entries, start=1)]


def _parse_entry(number: int, entry: dict[str, Any]) -> TrustedKey:
    where = f"key {number} ({entry.get('name', 'without a name')})"
    if unknown := sorted(set(entry) - _FIELDS):
        raise TrustFileError(f"{where}: unknown {', '.join(unknown)}")
    name, methods = entry.get("name"), entry.get("methods", [])
    installations = entry.get("installations", [])
    if not isinstance(name, str) or not name:
        raise TrustFileError(f"{where}: name is missing")
    try:
        kind = PrincipalKind(entry.get("kind", ""))
        key = parse_public_key(str(entry.get("public_key", "")))
    except KeyFileError as error:
        raise TrustFileError(f"{where}: public_key is {error}") from error
    except ValueError as error:
        raise TrustFileError(f"{where}: kind is unknown") from error
    if kind is PrincipalKind.USER:
        raise TrustFileError(f"{where}: users have sessions, not keys")
    if not _list_of(methods, str):
        raise TrustFileError(f"{where}: methods is a list of globs")
    if installations != "all" and not _list_of(installations, int):
        raise TrustFileError(f'{where}: installations is "all" or a list of ids')
    reach = None if installations == "all" else frozenset(installations)
    return TrustedKey(name, kind, key, tuple(methods), reach)


def _list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(type(each) is kind for each in value)


def format_trust_file(keys: Iterable[TrustedKey]) -> str:
    """The text that `parse_trust_file` reads back as `keys`."""
    blocks = []
    for key in keys:
        reach = "all" if key.installations is None else sorted(key.installations)
        lines = [
            "[[keys]]",
            f"name = {json.dumps(key.name)}",
            f"kind = {json.dumps(key.kind.value)}",
            f"public_key = {json.dumps(public_pem(key.public_key))}",
            f"methods = {json.dumps(list(key.methods))}",
            f"installations = {json.dumps(reach)}",
        ]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)
