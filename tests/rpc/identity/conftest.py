"""Identity over a real database, behind the whole chain, called through stubs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from laurel.identity.v1 import directory_pb2_grpc, installation_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.db.engine import create_engine
from laurel_common.page_token import PageTokens
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, serving
from laurel_identity.application.github import AppClient
from laurel_identity.bootstrap import build_servicers, health_checks
from laurel_identity.storage.directory import SqlDirectory
from laurel_identity.storage.directory_reads import SqlDirectoryReader
from laurel_identity.storage.tenant_reads import SqlTenantReader
from tests.support.database import Database


@dataclass(frozen=True)
class Identity:
    """A running identity; `ingest` and `operator` are stubs of those callers."""

    server: RunningServer
    ingest: directory_pb2_grpc.DirectoryServiceStub
    operator: directory_pb2_grpc.DirectoryServiceStub
    installations: installation_pb2_grpc.InstallationServiceStub
    clock: FakeClock

    def directory(self, channel: grpc.aio.Channel) -> directory_pb2_grpc.DirectoryServiceStub:
        """The directory as seen through a channel."""
        return directory_pb2_grpc.DirectoryServiceStub(channel)

    def tenants(self, channel: grpc.aio.Channel) -> installation_pb2_grpc.InstallationServiceStub:
        """The installations as seen through a channel."""
        return installation_pb2_grpc.InstallationServiceStub(channel)


@pytest.fixture
async def identity(database: Database, tmp_path: Path) -> AsyncIterator[Identity]:
    """Identity as its own role of a database of the test's own."""
    async with running_identity(database, tmp_path) as identity:
        yield identity


@pytest.fixture
async def shared_identity(module_database: Database, tmp_path: Path) -> AsyncIterator[Identity]:
    """Identity on the module's database, for tests that only read or write the same."""
    async with running_identity(module_database, tmp_path) as identity:
        yield identity


@asynccontextmanager
async def running_identity(
    database: Database,
    directory: Path,
    *,
    app: AppClient | None = None,
    clock: FakeClock | None = None,
) -> AsyncIterator[Identity]:
    """Serves identity over a database; `directory` receives the callers' keys."""
    engine = create_engine(database.url("laurel_identity"), application_name="test", pool_size=4)
    clock = clock or FakeClock()
    servicers = build_servicers(
        SqlDirectory(engine),
        SqlDirectoryReader(engine),
        SqlTenantReader(engine),
        PageTokens(b"k" * 32),
        clock,
        app=app,
    )
    try:
        async with serving(servicers, directory, health_checks=health_checks(engine)) as server:
            service = server.channel(PrincipalKind.SERVICE, name="ingest")
            operator = server.channel(PrincipalKind.OPERATOR)
            yield Identity(
                server,
                directory_pb2_grpc.DirectoryServiceStub(service),
                directory_pb2_grpc.DirectoryServiceStub(operator),
                installation_pb2_grpc.InstallationServiceStub(operator),
                clock,
            )
    finally:
        await engine.dispose()
