"""GitHub's tokens in the table: encrypted, bound to their cells, under keys that change."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql

from laurel.identity.v1 import auth_sessions_pb2, directory_access_pb2, directory_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_identity.domain.errors import SessionNotFound
from laurel_identity.storage.token_cipher import parse_token_keys
from tests.rpc.identity.signing_in import Auth, Door, door, reason_of
from tests.support.database import Database
from tests.support.github.oauth import oauth_of

OLD_KEY, NEW_KEY = "0123456789abcdef" * 4, "fedcba9876543210" * 4
GET = auth_sessions_pb2.GetSessionRequest()


@pytest.fixture
async def front(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with door(database, redis_url, tmp_path, token_keys=OLD_KEY) as opened:
        yield opened


async def test_the_database_holds_no_token_and_swapped_cells_open_nothing(front: Door) -> None:
    ada = front.world.user("ada")
    done, other, third = [await front.sign_in(ada) for _ in range(3)]
    tokens = front.identity.built.sessions.user_tokens
    secrets = {done.session_token, other.session_token, OLD_KEY, *front.world.tokens}
    secrets |= set(oauth_of(front.world).refresh_tokens)
    with front.database.connect() as owner:
        names = owner.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        dump = "\n".join(
            str(row)
            for (name,) in names
            for row in owner.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))
        )
        assert done.session.session_id in dump
        assert not [secret for secret in secrets if secret in dump]
        assert await tokens.token(done.session.session_id) in front.world.tokens

        # The refresh token's cells in the access token's place, and another session's cells.
        owner.execute(
            "UPDATE auth_sessions SET github_token_encrypted = github_refresh_token_encrypted,"
            " github_token_iv = github_refresh_token_iv,"
            " github_token_tag = github_refresh_token_tag WHERE id = %s",
            [done.session.session_id],
        )
        owner.execute(
            "UPDATE auth_sessions AS s SET github_token_encrypted = o.github_token_encrypted,"
            " github_token_iv = o.github_token_iv, github_token_tag = o.github_token_tag"
            " FROM auth_sessions AS o WHERE s.id = %s AND o.id = %s",
            [other.session.session_id, third.session.session_id],
        )
    for session in (done, other):
        with pytest.raises(SessionNotFound):
            await tokens.token(session.session.session_id)


async def test_a_session_whose_tokens_may_stand_there_in_the_open_is_not_used(
    front: Door,
) -> None:
    """The reference has a column that says so; every row that is written here says true."""
    ada, acme = front.world.user("ada"), front.world.organization("acme")
    front.world.join(acme, ada, "admin")
    installation_id = front.install(acme)
    in_the_open, kept = [await front.sign_in(ada) for _ in range(2)]
    channel = front.identity.server.channel(PrincipalKind.SERVICE, name="scoring")
    scoring = directory_pb2_grpc.DirectoryServiceStub(channel)
    asking = directory_access_pb2.CheckAccessRequest(
        session_id=in_the_open.session.session_id, installation_id=installation_id
    )
    assert (await scoring.CheckAccess(asking)).is_admin
    with front.database.connect() as owner:
        marked = "UPDATE auth_sessions SET tokens_encrypted = false WHERE id = %s"
        owner.execute(marked, [in_the_open.session.session_id])
    front.identity.forget()
    # At a time at which its token would be refreshed, and it would be read again what it can read.
    front.clock.advance(timedelta(hours=8))
    requests, refreshed = front.github.arrived, oauth_of(front.world).refreshed
    operator = Auth(front.identity.server.channel(PrincipalKind.OPERATOR))
    listed = await operator.ListSessions(auth_sessions_pb2.ListSessionsRequest(user_id=ada.id))
    assert [each.session_id for each in listed.sessions] == [kept.session.session_id]
    rotated = await operator.RotateTokens(auth_sessions_pb2.RotateTokensRequest())
    assert (rotated.rotated_count, rotated.unreadable_count) == (0, 0)
    user = front.auth(in_the_open.session_token)
    assert await reason_of(user.GetSession(GET)) == "UNAUTHENTICATED"
    for require_admin in (False, True):
        asking.require_admin = require_admin
        assert await reason_of(scoring.CheckAccess(asking)) == "SESSION_NOT_FOUND"
    with pytest.raises(SessionNotFound):
        await front.identity.built.sessions.user_tokens.token(in_the_open.session.session_id)
    # Nothing of it went to GitHub, and the other session is as good as before.
    assert (front.github.arrived, oauth_of(front.world).refreshed) == (requests, refreshed)
    assert await reason_of(front.auth(kept.session_token).GetSession(GET)) == "OK"


async def test_tokens_move_to_a_new_key_and_the_old_one_can_go(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    stories = [f"{OLD_KEY}", f"{NEW_KEY}\n{OLD_KEY}\n", f"{NEW_KEY}"]
    sessions = ""
    for number, keys in enumerate(stories):
        directory = tmp_path / str(number)
        directory.mkdir()
        async with door(database, redis_url, directory, token_keys=keys) as front:
            operator = Auth(front.identity.server.channel(PrincipalKind.OPERATOR))
            if not sessions:
                sessions = (await front.sign_in(front.world.user("ada"))).session.session_id
            store = front.identity.built.sessions.user_tokens
            assert (await store.token(sessions)).startswith("ghu_")
            done = await operator.RotateTokens(auth_sessions_pb2.RotateTokensRequest())
            assert (done.rotated_count, done.unreadable_count) == (number == 1, 0)


@pytest.mark.parametrize("keys", ["", "abc", "z" * 64, "00" * 32, "ab" * 31, f"{OLD_KEY} 12"])
def test_what_is_no_key_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        parse_token_keys(keys)
    assert OLD_KEY not in str(refused.value)
