"""What callers see of trouble, and that no input makes identity fail inside."""

import random
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from psycopg import sql

from laurel.identity.v1 import (
    auth_pb2,
    auth_pb2_grpc,
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2,
    directory_pb2_grpc,
    directory_upserts_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_common.testing.server import TestKeys
from laurel_identity.bootstrap import bootstrap
from laurel_identity.config import IdentitySettings
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database

TEXTS = ["", "a", "ada", "ACME", "acme/api", "~1", "a\0b", "🙂", "İ", "'; --", "%s", "x" * 300]
NUMBERS = [0, 1, -1, 2, 10, -10, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63), -(2**63) + 1]


def scramble(message: Message, chance: random.Random, depth: int = 0) -> Message:
    """Fills a message with values from the edges of what its fields can hold."""
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.25:
            continue
        if field.is_repeated:
            for _ in range(chance.randrange(4)):
                _append(getattr(message, field.name), field, chance, depth)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            scramble(getattr(message, field.name), chance, depth + 1)
        else:
            setattr(message, field.name, _value(field, chance))
    return message


def _append(held: Any, field: Any, chance: random.Random, depth: int) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        scramble(held.add(), chance, depth + 1)
    else:
        held.append(_value(field, chance))


def _value(field: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return chance.choice(TEXTS).encode()
    if field.type == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    number = chance.choice(NUMBERS)
    if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM):
        return max(-(2**31), min(number, 2**31 - 1))
    return number


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_makes_identity_fail_inside(shared_identity: Identity, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    service = shared_identity.server.channel(PrincipalKind.SERVICE, name="scoring")
    operator = shared_identity.server.channel(PrincipalKind.OPERATOR)
    stubs: list[tuple[Any, str, Any]] = [
        (auth_pb2, "AuthService", auth_pb2_grpc.AuthServiceStub),
        (directory_pb2, "DirectoryService", directory_pb2_grpc.DirectoryServiceStub),
        (installation_pb2, "InstallationService", installation_pb2_grpc.InstallationServiceStub),
    ]
    codes, failed = set(), []
    for module, name, stub in stubs:
        for method in module.DESCRIPTOR.services_by_name[name].methods:
            channel = service if method.name == "UpsertEntities" else operator
            for _ in range(40):
                request = scramble(GetMessageClass(method.input_type)(), chance)
                try:
                    await getattr(stub(channel), method.name)(request)
                    codes.add("OK")
                except RemoteError as error:
                    codes.add(error.code)
                    if error.code in ("INTERNAL", "UNKNOWN"):
                        failed.append((method.name, request))
    assert failed == []
    assert {"OK", "INVALID_ARGUMENT"} <= codes


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
