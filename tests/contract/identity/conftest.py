"""The implementations of identity's storage ports that the contracts are run over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from laurel_common.db.engine import create_engine
from laurel_identity.application.ports import Directory, DirectoryReader, TenantReader
from laurel_identity.storage.directory import SqlDirectory
from laurel_identity.storage.directory_reads import SqlDirectoryReader
from laurel_identity.storage.tenant_reads import SqlTenantReader
from tests.support.database import Database


@dataclass(frozen=True)
class Storage:
    """One implementation of the three ports over the same data, empty."""

    directory: Directory
    reader: DirectoryReader
    tenants: TenantReader


@pytest.fixture(params=["postgresql"])
async def storage(database: Database) -> AsyncIterator[Storage]:
    """Each implementation in turn."""
    engine = create_engine(database.url("laurel_identity"), application_name="test", pool_size=4)
    yield Storage(SqlDirectory(engine), SqlDirectoryReader(engine), SqlTenantReader(engine))
    await engine.dispose()
