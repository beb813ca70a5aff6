"""What services are told of users: whose session a token opens, what its user may see."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from laurel.identity.v1 import (
    auth_pb2_grpc,
    auth_tokens_pb2,
    directory_access_pb2,
    directory_lists_pb2,
    directory_pb2_grpc,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from laurel_identity.domain.errors import SessionNotFound
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.people import (
    ACME,
    GLOBEX,
    PRIVATE,
    SECRET_TEAM,
    SOLO,
    People,
    session_of,
    settle,
    token_of,
)


@dataclass
class Asked:
    """Identity with people in it, as another service asks it."""

    identity: Identity
    auth: auth_pb2_grpc.AuthServiceStub
    directory: directory_pb2_grpc.DirectoryServiceStub
    people: People
    database: Database

    async def state(self, token: str) -> str:
        request = auth_tokens_pb2.IntrospectTokenRequest(token=token)
        state = (await self.auth.IntrospectToken(request)).state
        return auth_tokens_pb2.TokenState.Name(state).removeprefix("TOKEN_STATE_")

    async def access(self, login: str, installation_id: int) -> Any:
        return await self.directory.CheckAccess(
            directory_access_pb2.CheckAccessRequest(
                session_id=session_of(login), installation_id=installation_id
            )
        )


@pytest.fixture
async def asked(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    async with running_identity(database, redis_url, tmp_path) as identity:
        with database.connect() as owner:
            people = settle(owner, now=identity.clock.now())
        channel = identity.server.channel(PrincipalKind.SERVICE, name="leaderboard")
        yield Asked(
            identity,
            auth_pb2_grpc.AuthServiceStub(channel),
            directory_pb2_grpc.DirectoryServiceStub(channel),
            people,
            database,
        )


async def test_a_token_opens_its_own_session_until_its_time_is_up(asked: Asked) -> None:
    request = auth_tokens_pb2.IntrospectTokenRequest(token=token_of("ada"))
    found = await asked.auth.IntrospectToken(request)
    assert (found.state, found.session_id, found.user_id, found.login) == (
        auth_tokens_pb2.TOKEN_STATE_ACTIVE,
        session_of("ada"),
        asked.people["ada"],
        "ada",
    )
    assert 0 < found.keep_duration.ToTimedelta().total_seconds() <= 5
    asked.identity.clock.advance(timedelta(days=1))
    assert await asked.state(token_of("ada")) == "EXPIRED"
    # Gone on sight.
    assert await asked.state(token_of("ada")) == "UNKNOWN"
    with asked.database.connect() as owner:
        left = owner.execute("SELECT id FROM auth_sessions WHERE id = %s", [session_of("ada")])
        assert left.fetchone() is None


async def test_what_opens_nothing(asked: Asked) -> None:
    assert await asked.state("0" * 64) == "UNKNOWN"
    # What a stolen table holds is no token.
    assert await asked.state(session_of("ada")) == "UNKNOWN"
    assert await asked.state(token_of("late")) == "EXPIRED"
    with asked.database.connect() as owner:
        owner.execute("UPDATE auth_sessions SET tokens_encrypted = false")
    assert await asked.state(token_of("bob")) == "UNKNOWN"
    with pytest.raises(RemoteError) as refused:
        await asked.access("bob", ACME)
    assert refused.value.reason == "SESSION_NOT_FOUND"
    with pytest.raises(SessionNotFound):
        await asked.identity.built.sessions.user_tokens.token(session_of("bob"))
    with pytest.raises(RemoteError) as refused:
        await asked.state("not a token")
    assert refused.value.reason == "INVALID_REQUEST"


async def test_a_stolen_or_unknown_token_lets_nobody_in(asked: Asked) -> None:
    for token, reason in (
        (session_of("ada"), "UNAUTHENTICATED"),
        ("0" * 64, "UNAUTHENTICATED"),
        (token_of("late"), "TOKEN_EXPIRED"),
    ):
        stub = asked.identity.directory(asked.identity.server.channel_with(StaticToken(token)))
        with pytest.raises(RemoteError) as refused:
            await stub.ListOrganizations(directory_lists_pb2.ListOrganizationsRequest())
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("login", "installation_id", "expected"),
    [
        pytest.param("ada", ACME, (True, True, [], [], []), id="an admin"),
        pytest.param("mona", ACME, (False, True, [], [], []), id="a member who reads all"),
        pytest.param(
            "bob", ACME, (False, True, [PRIVATE], [SECRET_TEAM], []), id="a member who does not"
        ),
        pytest.param("otto", ACME, (False, False, [], [], [PRIVATE]), id="a collaborator"),
        pytest.param("solo", SOLO, (True, True, [], [], []), id="the account itself"),
        pytest.param("zoe", ACME, None, id="another tenant's admin"),
        pytest.param("ada", GLOBEX, None, id="the other way round"),
        pytest.param("ada", 999, None, id="no installation at all"),
    ],
)
async def test_what_a_user_may_see(
    asked: Asked, login: str, installation_id: int, expected: Any
) -> None:
    if expected is None:
        with pytest.raises(RemoteError) as refused:
            await asked.access(login, installation_id)
        assert (refused.value.code, refused.value.reason) == (
            "NOT_FOUND",
            "INSTALLATION_NOT_FOUND",
        )
        return
    found = await asked.access(login, installation_id)
    assert (
        found.is_admin,
        found.is_member,
        list(found.hidden_repository_ids),
        list(found.hidden_team_ids),
        list(found.readable_repository_ids),
    ) == expected


async def test_a_private_repository_stays_hidden_where_it_was_transferred_from(
    asked: Asked,
) -> None:
    """Its signals and boards wait there for an installation that they can follow it to."""
    with asked.database.connect() as owner:
        owner.execute("UPDATE repositories SET organization_id = NULL WHERE id = %s", [PRIVATE])
        owner.execute("DELETE FROM installation_repositories WHERE repository_id = %s", [PRIVATE])
        owner.execute(
            "INSERT INTO installation_works (account_id, kind, installation_id, repository_id,"
            " requested_by) VALUES (1, 'transfer', %s, %s, 'tests')",
            [ACME, PRIVATE],
        )
    assert list((await asked.access("bob", ACME)).hidden_repository_ids) == [PRIVATE]
    assert list((await asked.access("mona", ACME)).hidden_repository_ids) == []


async def test_the_session_of_nobody_is_not_found(asked: Asked) -> None:
    for login in ("nobody", "late"):
        with pytest.raises(RemoteError) as refused:
            await asked.access(login, ACME)
        assert refused.value.reason == "SESSION_NOT_FOUND"


async def test_who_leaves_an_organization_loses_what_it_could_read_there(asked: Asked) -> None:
    with asked.database.connect("laurel_identity") as service:
        service.execute(
            "DELETE FROM organization_memberships WHERE user_id = %s", [asked.people["mona"]]
        )
        left = service.execute(
            "SELECT session_id FROM session_installations UNION ALL"
            " SELECT session_id FROM session_repositories"
        )
        assert session_of("mona") not in {row[0] for row in left}
    with pytest.raises(RemoteError) as refused:
        await asked.access("mona", ACME)
    assert refused.value.reason == "INSTALLATION_NOT_FOUND"


async def test_sessions_of_the_last_minute_outlive_postgresqls_absence(asked: Asked) -> None:
    assert await asked.state(token_of("bob")) == "ACTIVE"
    await asked.access("bob", ACME)
    await asked.identity.flush()
    database = asked.database
    with psycopg.connect(database.endpoints.admin_url, autocommit=True) as admin:
        name = sql.Identifier(database.name)
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [database.name],
        )
        try:
            asked.identity.forget()
            assert await asked.state(token_of("bob")) == "ACTIVE"
            assert list((await asked.access("bob", ACME)).hidden_repository_ids) == [PRIVATE]
            for unheard in (asked.state(token_of("ada")), asked.access("ada", ACME)):
                with pytest.raises(RemoteError) as refused:
                    await unheard
                assert refused.value.reason == "DATABASE_UNAVAILABLE"
            # What was revoked stays so, whatever is still kept about it.
            await asked.identity.revoke([session_of("bob")])
            with pytest.raises(RemoteError) as refused:
                await asked.state(token_of("bob"))
            assert refused.value.reason == "DATABASE_UNAVAILABLE"
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
