"""Looks for what must never be told: keys, passwords and tokens, in logs, tables and Redis."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql
from redis import Redis

from laurel_cli.stack.layout import Layout

# Tokens by their looks, whoever made them: of callers of ours, and of GitHub's.
_LOOKS = {
    "a JWT": re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"),
    "a token of GitHub's": re.compile(rb"\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{16,}"),
    "a private key": re.compile(rb"-----BEGIN[A-Z ]* PRIVATE KEY-----"),
}
# What is shorter may stand anywhere by accident.
_SHORTEST = 12


def secrets_below(layout: Layout) -> dict[str, str]:
    """What the keys and secrets of a data directory hold, each under the name of its file."""
    found: dict[str, str] = {}
    for path in sorted([*layout.keys.iterdir(), *layout.secrets.iterdir()]):
        for number, secret in enumerate(_secrets_in(path.read_text())):
            found[f"{path.name}[{number}]"] = secret
    return found


def _secrets_in(text: str) -> Iterator[str]:
    for word in text.split():
        if "://" in word:
            # Where a server is may be told, its password may not.
            if password := urlsplit(word).password:
                yield unquote(password)
        elif len(word) >= _SHORTEST:
            yield word


def told(where: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The names of the secrets that stand there, as they are or written otherwise."""
    found = [name for name, look in _LOOKS.items() if look.search(where)]
    for name, secret in secrets.items():
        if any(each in where for each in _written(secret)):
            found.append(name)
    return found


def _written(secret: str) -> Iterable[bytes]:
    """A secret's ways of being written: plain, in hex, in both base64s."""
    raw = secret.encode()
    return (
        raw,
        raw.hex().encode(),
        base64.b64encode(raw).rstrip(b"="),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
    )


def logs_of(layout: Layout) -> dict[str, bytes]:
    """What each service has printed, former files included."""
    return {path.name: path.read_bytes() for path in sorted(layout.logs.iterdir())}


def check_logs(layout: Layout, printed: str = "", **more: str) -> None:
    """Fails where the services' logs, or what was `printed` by their supervisor, tell a secret of
    the data directory, one `more`, or anything that looks like a token.
    """
    secrets = secrets_below(layout) | more
    looked_at = logs_of(layout) | {"printed": printed.encode()}
    found = {name: told(text, secrets) for name, text in looked_at.items()}
    assert not any(found.values()), found


def database_dump(connection: psycopg.Connection[tuple[object, ...]]) -> bytes:
    """Everything in every table of ours, the queues' included; binary columns as they are."""
    tables = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n"
        " ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
    ).fetchall()
    assert len(tables) > 40
    rows: list[bytes] = []
    for schema, name in tables:
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(str(schema), str(name)))
        for row in connection.execute(query):
            rows += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    return b"\n".join(rows)


def redis_dump(url: str) -> bytes:
    """Every key and value."""
    with Redis.from_url(url) as client:
        rows: list[bytes] = []
        for key in client.scan_iter():
            rows += [key, client.dump(key) or b""]
    return b"\n".join(rows)
