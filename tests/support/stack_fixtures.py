"""The fixtures that share one running Laurel among a module's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.database import Database
from tests.support.stack_running import Laurel, running_laurel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def laurel(
    module_database: Database,
    module_redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Laurel]:
    """A Laurel of the module's own, on a database of its own."""
    async with running_laurel(
        tmp_path_factory.mktemp("laurel"),
        database=module_database,
        redis_url=module_redis_url,
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def laurel_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Laurel]:
    """A Laurel whose PostgreSQL and Valkey are its own, to be killed."""
    root: Path = tmp_path_factory.mktemp("laurel")
    # PostgreSQL runs as another user where we are root, and pytest's directories are private.
    for directory in (root, *root.parents):
        if directory.stat().st_mode & 0o011 != 0o011 and "pytest" in directory.name:
            directory.chmod(0o755)
    async with running_laurel(root) as running:
        yield running
