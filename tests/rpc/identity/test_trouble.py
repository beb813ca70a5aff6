"""What callers see of trouble."""

from pathlib import Path

import grpc
import psycopg
import pytest
from psycopg import sql

from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    directory_upserts_pb2,
)
from laurel_common.errors import RemoteError
from laurel_common.testing.server import TestKeys
from laurel_identity.bootstrap import bootstrap
from laurel_identity.config import IdentitySettings
from tests.rpc.identity.conftest import running_identity
from tests.support.database import Database


async def test_a_database_that_went_away_is_told_as_such(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    async with running_identity(database, redis_url, tmp_path) as identity:
        await identity.operator.BatchGetUsers(
            directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1])
        )
        with psycopg.connect(database.endpoints.admin_url, autocommit=True) as admin:
            admin.execute(_allow(database, "false"))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [database.name],
            )
            for call in (
                # Clients try again by themselves: time for the last answer on a busy machine.
                identity.operator.BatchGetUsers(
                    directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1]), timeout=60
                ),
                identity.ingest.UpsertEntities(
                    directory_upserts_pb2.UpsertEntitiesRequest(), timeout=60
                ),
            ):
                with pytest.raises(RemoteError) as refused:
                    await call
                assert (refused.value.code, refused.value.reason) == (
                    "UNAVAILABLE",
                    "DATABASE_UNAVAILABLE",
                )
                assert refused.value.retry_after is not None
            admin.execute(_allow(database, "true"))
        await identity.operator.BatchGetUsers(
            directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1])
        )


def _allow(database: Database, allowed: str) -> sql.Composed:
    statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    return statement.format(sql.Identifier(database.name), sql.SQL(allowed))


async def test_the_service_as_it_is_put_together_serves(
    module_database: Database, redis_url: str, tmp_path: Path
) -> None:
    keys = TestKeys(tmp_path)
    settings = IdentitySettings(
        database_url=module_database.url("laurel_identity"),
        redis_url=redis_url,
        listen="localhost:0",
        metrics_listen=None,
        trust_file=keys.trust_file,
        key_file=keys.key_file,
        token_keys="0123456789abcdef" * 4,
    )
    server = await bootstrap(settings)
    await server.start()
    try:
        await server.health.check()
        async with grpc.aio.insecure_channel(f"localhost:{server.port}") as channel:
            stub = directory_pb2_grpc.DirectoryServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.ListOrganizations(directory_lists_pb2.ListOrganizationsRequest())
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    finally:
        await server.stop(drain=0, grace=0)
