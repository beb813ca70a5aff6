"""The `redis_url` fixture: an empty Valkey of one's own.

Each worker has a server to itself where it can: published messages know no database numbers.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import RUN_DIRECTORY_VARIABLE
from tests.support.sources import REDIS_VARIABLE, Source, choose_sources

_DATABASES = 16


@pytest.fixture(scope="session")
def redis_server_url(worker_number: int) -> Iterator[str]:
    """This worker's server, or its numbered database of a given one."""
    source = choose_sources().redis
    if source is Source.GIVEN:
        base = os.environ[REDIS_VARIABLE].rstrip("/")
        yield f"{base}/{worker_number % _DATABASES}" if base.count("/") == 2 else base
    elif source is Source.CONTAINERS:
        from testcontainers.redis import RedisContainer  # noqa: PLC0415 - only where asked for

        with RedisContainer("valkey/valkey:9") as container:
            host, port = container.get_container_host_ip(), container.get_exposed_port(6379)
            yield f"redis://{host}:{port}/0"
    else:
        # Here, so that runs without a database import neither server's code.
        from laurel_embedded import EmbeddedValkey  # noqa: PLC0415 - only where used

        directory = Path(os.environ[RUN_DIRECTORY_VARIABLE]) / f"valkey-{worker_number}"
        with EmbeddedValkey(directory, max_memory="64mb", die_with_parent=True) as server:
            yield server.url()


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """A redis:// URL of an empty database."""
    return _emptied(redis_server_url)


@pytest.fixture(scope="module")
def module_redis_url(redis_server_url: str) -> str:
    """The same, empty when the module begins."""
    return _emptied(redis_server_url)


def _emptied(url: str) -> str:
    from redis import Redis  # noqa: PLC0415 - likewise

    with Redis.from_url(url) as client:
        client.flushdb()
    return url
