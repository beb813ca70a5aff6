"""The secrets of a deployment (docker-compose.yml): one file each."""

import secrets
from urllib.parse import quote

from laurel_cli.stack.layout import SERVICES, Layout, role_of, write_secret

OWNER = "laurel"


def write_deployment(layout: Layout, *, database: str, cache: str) -> None:
    """Makes passwords that are missing, and the URLs that hold them.

    `database` is host:port/database, `cache` host:port. PostgreSQL's own image makes the owner
    `laurel` with the password in `postgres-password`.
    """
    owner = password(layout, "postgres-password")
    _write(layout, "database-url", _postgres_url(OWNER, owner, database))
    for name in SERVICES:
        role = role_of(name)
        url = _postgres_url(role, password(layout, role), database)
        _write(layout, f"{name}-database-url", url)
    cached = password(layout, "valkey-password")
    _write(layout, "redis-url", f"redis://:{quote(cached, safe='')}@{cache}/0")
    # Valkey reads its password from a configuration file alone.
    _write(layout, "valkey.conf", f"requirepass {cached}\n")


def password(layout: Layout, name: str) -> str:
    """The password in that file, made the first time."""
    path = layout.secrets / name
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(24))
    return path.read_text().strip()


def _postgres_url(user: str, word: str, database: str) -> str:
    return f"postgresql://{user}:{quote(word, safe='')}@{database}"


def _write(layout: Layout, name: str, text: str) -> None:
    write_secret(layout.secrets / name, text)
