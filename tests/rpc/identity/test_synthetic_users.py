"""Who synthetic users are, over the wire, and users whose login no source told."""

import grpc
import pytest

from laurel.identity.v1 import directory_lookups_pb2, directory_upserts_pb2
from laurel.identity.v1 import entities_pb2 as entities
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from laurel_identity.domain.names import private_address_ids, synthetic_account_id
from tests.rpc.identity.conftest import Identity
from tests.support.database import Database
from tests.support.people import settle, token_of


async def resolved(identity: Identity, *synthetic_ids: int) -> dict[int, int]:
    """Users by synthetic id."""
    request = directory_lookups_pb2.ResolveLoginsRequest(synthetic_user_ids=synthetic_ids)
    answer = await identity.ingest.ResolveLogins(request)
    return {each.synthetic_user_id: each.user_id for each in answer.synthetic_users}


async def test_private_addresses_lead_to_whoever_had_the_login(identity: Identity) -> None:
    for login, seconds in (("Ada", 1_700_000_000), ("countess", 1_600_000_000), ("Ada", 0)):
        request = directory_upserts_pb2.UpsertEntitiesRequest(
            users=[entities.User(id=1, login=login)]
        )
        request.observe_time.seconds = seconds
        await identity.ingest.UpsertEntities(request)
    known = private_address_ids(1, "Ada") | private_address_ids(1, "countess")
    assert len(known) == 6
    strange = private_address_ids(2, "ada") - known
    assert await resolved(identity, *known, *strange) == dict.fromkeys(known, 1)


@pytest.mark.parametrize("ids", [(3, 7), (7, 3)], ids=str)
async def test_of_several_who_had_a_login_the_oldest_is_found(
    identity: Identity, ids: tuple[int, int]
) -> None:
    for user_id in ids:
        user = entities.User(id=user_id, login="shared")
        await identity.ingest.UpsertEntities(
            directory_upserts_pb2.UpsertEntitiesRequest(users=[user])
        )
    by_login = private_address_ids(3, "shared") & private_address_ids(7, "shared")
    own = private_address_ids(7, "shared") - by_login
    assert set((await resolved(identity, *by_login)).values()) == {3}
    assert set((await resolved(identity, *own)).values()) == {7}


async def test_nobody_is_found_by_an_id_that_no_source_named(identity: Identity) -> None:
    synthetic = synthetic_account_id("ghostly")
    users = [entities.User(id=1), entities.User(id=synthetic, login="ghostly")]
    await identity.ingest.UpsertEntities(directory_upserts_pb2.UpsertEntitiesRequest(users=users))
    asked = {
        each
        for user_id, login in ((1, ""), (1, "~1"), (synthetic, "ghostly"))
        for each in private_address_ids(user_id, login)
    }
    assert await resolved(identity, *asked) == {}
    answer = await identity.ingest.BatchGetUsers(
        directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1])
    )
    assert [user.login for user in answer.users] == ["~1"]


@pytest.mark.parametrize("user_id", [1, 0, -1, -(2**62)])
async def test_only_synthetic_ids_are_asked_for_as_such(
    shared_identity: Identity, user_id: int
) -> None:
    with pytest.raises(RemoteError) as refused:
        await resolved(shared_identity, user_id)
    assert refused.value.reason == "INVALID_REQUEST"
    assert [each.field for each in refused.value.violations] == ["synthetic_user_ids[0]"]


def _channel(identity: Identity, caller: str) -> grpc.aio.Channel:
    if caller == "user":
        return identity.server.channel_with(StaticToken(token_of("zoe")))
    if caller == "operator":
        return identity.server.channel(PrincipalKind.OPERATOR)
    covered = [-10] if caller == "backend of one installation" else None
    return identity.server.channel(PrincipalKind.BACKEND, name=caller, installations=covered)


@pytest.mark.parametrize(
    ("caller", "sees"),
    [
        ("user", False),
        ("backend of one installation", False),
        ("backend", True),
        ("operator", True),
    ],
)
async def test_who_is_held_to_tenants_finds_nobody_whom_only_another_ones_signals_name(
    identity: Identity, database: Database, caller: str, sees: bool
) -> None:
    with database.connect() as owner:
        settle(owner, now=identity.clock.now())
    author, login = min(private_address_ids(7, "linus")), "author~00c0ffee"
    users = [entities.User(id=7, login="linus"), entities.User(id=author, login=login, name="L.")]
    await identity.ingest.UpsertEntities(directory_upserts_pb2.UpsertEntitiesRequest(users=users))
    directory = identity.directory(_channel(identity, caller))
    found = await directory.BatchGetUsers(
        directory_lookups_pb2.BatchGetUsersRequest(user_ids=[7, author])
    )
    assert [each.id for each in found.users] == ([author, 7] if sees else [7])
    resolved = await directory.ResolveLogins(
        directory_lookups_pb2.ResolveLoginsRequest(
            user_logins=["linus", login], synthetic_user_ids=[author]
        )
    )
    assert [each.id for each in resolved.users] == ([author, 7] if sees else [7])
    assert [each.user_id for each in resolved.synthetic_users] == ([7] if sees else [])
