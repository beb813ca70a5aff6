"""Two identities over one database: a token is refreshed once, and what one takes away is gone at
the other.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from laurel.identity.v1 import auth_sessions_pb2, auth_sign_in_pb2, directory_access_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import LaurelError, Unauthenticated
from laurel_identity.domain.errors import SessionNotFound
from laurel_sessions import IdentitySessions
from tests.rpc.identity.conftest import Identity, running_identity
from tests.rpc.identity.signing_in import Auth, Door, door, reason_of
from tests.support.cuttable import cuttable
from tests.support.database import Database
from tests.support.github.oauth import authorize, oauth_of
from tests.support.people import ACME, session_of, settle, token_of
from tests.support.stack_running import until

TOKEN_KEY = "0123456789abcdef" * 4


@pytest.fixture
async def front(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    (tmp_path / "first").mkdir()
    async with door(
        database, redis_url, tmp_path / "first", token_keys=TOKEN_KEY, with_app=True
    ) as opened:
        yield opened


@pytest.fixture
async def other(
    front: Door, database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Identity]:
    """The second one, with connections of its own and the same key."""
    (tmp_path / "second").mkdir()
    shutil.copy(tmp_path / "first" / "identity.key", tmp_path / "second")
    app = front.world.app
    async with running_identity(
        database,
        redis_url,
        tmp_path / "second",
        github=front.github,
        clock=front.clock,
        github_client_id=app.client_id,
        github_client_secret=app.client_secret,
        token_keys=TOKEN_KEY,
    ) as identity:
        yield identity


async def test_a_token_is_refreshed_once_for_all_replicas(front: Door, other: Identity) -> None:
    world, oauth = front.world, oauth_of(front.world)
    acme, ada = world.organization("acme"), world.user("ada")
    world.join(acme, ada, "admin")
    installation_id = front.install(acme)
    session_id = (await front.sign_in(ada)).session.session_id
    request = directory_access_pb2.CheckAccessRequest(
        session_id=session_id, installation_id=installation_id, require_admin=True
    )
    replicas = [
        each.directory(each.server.channel(PrincipalKind.SERVICE, name="scoring"))
        for each in (front.identity, other)
    ]
    # Once while the old one is good for a while, once after it has ended.
    for number, hours in enumerate((timedelta(hours=7, minutes=57), timedelta(hours=9)), start=1):
        front.clock.advance(hours)
        # GitHub takes its time, so that all come while one asks.
        front.github.faults.add("POST /login", answer_delay=0.3)
        for each in (front.identity, other):
            each.forget()
        asked = [stub.CheckAccess(request) for stub in replicas for _ in range(8)]
        assert {answer.is_admin for answer in await asyncio.gather(*asked)} == {True}
        assert oauth.refreshed == number


async def test_a_sign_in_that_one_began_is_completed_once_by_whoever_comes_first(
    front: Door, other: Identity
) -> None:
    begun = await front.begin()
    ada = front.world.user("ada")
    code, state = authorize(front.world, ada, begun.authorize_url, front.clock.now())
    request = auth_sign_in_pb2.CompleteSignInRequest(
        code=code, state=state, csrf_token=begun.csrf_token
    )
    elsewhere = Auth(other.server.channel(PrincipalKind.GATEWAY))
    # The browser sends it twice, and the gateway to any of them.
    doors = (elsewhere, front.gateway) * 4
    reasons = await asyncio.gather(*(reason_of(each.CompleteSignIn(request)) for each in doors))
    assert sorted(reasons) == ["OK", *["SIGN_IN_EXPIRED"] * 7]
    with front.database.connect() as owner:
        sessions = owner.execute("SELECT user_id FROM auth_sessions").fetchall()
    assert sessions == [(ada.id,)]


async def test_a_session_that_is_revoked_while_its_token_is_refreshed_stays_gone(
    front: Door, other: Identity
) -> None:
    done = await front.sign_in(front.world.user("ada"))
    front.clock.advance(timedelta(hours=8))
    revoked = asyncio.Event()
    front.github.faults.add("POST /login", answer_after=revoked)
    refreshing = asyncio.create_task(
        front.identity.built.sessions.user_tokens.token(done.session.session_id)
    )
    await until(lambda: front.github.answering, "GitHub answers")
    operator = Auth(other.server.channel(PrincipalKind.OPERATOR))
    revoking = auth_sessions_pb2.RevokeSessionRequest(session_id=done.session.session_id)
    await operator.RevokeSession(revoking)
    revoked.set()
    with pytest.raises(SessionNotFound):
        await refreshing
    get = auth_sessions_pb2.GetSessionRequest()
    assert await reason_of(front.auth(done.session_token).GetSession(get)) == "UNAUTHENTICATED"
    with front.database.connect() as owner:
        left = owner.execute(
            "SELECT id FROM auth_sessions UNION SELECT session_id FROM session_leases"
        )
        assert left.fetchall() == []


async def test_a_session_that_one_ends_is_forgotten_by_the_other_at_once(
    front: Door, other: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing goes by its age: what is forgotten was told to be.
    for module in ("laurel_identity.application.introspect_token", "laurel_identity.rpc.users"):
        monkeypatch.setattr(f"{module}.KEPT_HERE_SECONDS", 3600.0)
    listener = other.built.sessions.listener
    listening = asyncio.create_task(listener.run())
    await asyncio.wait_for(listener.listening(), 10)
    ada, bob = [await front.sign_in(front.world.user(login)) for login in ("ada", "bob")]
    there = {
        done.session.user.login: Auth(other.server.channel_with(StaticToken(done.session_token)))
        for done in (ada, bob)
    }
    get = auth_sessions_pb2.GetSessionRequest()
    listing = auth_sessions_pb2.ListSessionsRequest()
    for user in there.values():
        await user.GetSession(get)
    with front.database.connect() as owner:
        # Behind everybody's back: the other one goes by what it keeps.
        owner.execute("DELETE FROM auth_sessions WHERE id = %s", [bob.session.session_id])
    assert await reason_of(there["bob"].ListSessions(listing)) == "OK"

    revoking = auth_sessions_pb2.RevokeSessionRequest(session_id=ada.session.session_id)
    await front.auth(ada.session_token).RevokeSession(revoking)

    async def is_gone() -> bool:
        return await reason_of(there["ada"].ListSessions(listing)) == "UNAUTHENTICATED"

    await until(is_gone, "the other one has heard of it")
    assert await reason_of(there["bob"].ListSessions(listing)) == "OK"
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


class Time:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_without_redis_what_was_taken_away_is_gone_everywhere_after_five_seconds(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    time = Time()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    async with (
        cuttable(redis_url) as way,
        running_identity(database, way.url, tmp_path / "first", monotonic=time) as one,
        running_identity(database, way.url, tmp_path / "second", monotonic=time) as two,
    ):
        way.cut()
        with database.connect() as owner:
            settle(owner, now=one.clock.now())
        service = two.server.channel(PrincipalKind.SERVICE, name="leaderboard")
        users = IdentitySessions(service, monotonic=time)
        bob, mona = token_of("bob"), session_of("mona")
        # The other identity knows it for a while already when a service asks: the longest way.
        await two.built.sessions.users.resolve(bob)
        await two.built.sessions.users.access(mona, ACME, require_admin=False)
        time.seconds += 1.9
        await users.resolve(bob)
        await users.access(mona, ACME, require_admin=False)

        operator = Auth(one.server.channel(PrincipalKind.OPERATOR))
        ending = auth_sessions_pb2.RevokeSessionRequest(session_id=session_of("bob"))
        await operator.RevokeSession(ending)
        with database.connect() as owner:
            owner.execute("DELETE FROM organization_memberships")
            owner.execute("DELETE FROM session_installations")
        with pytest.raises(Unauthenticated):
            await one.built.sessions.users.resolve(bob)
        # Within the five seconds it may still count there.
        time.seconds += 3.0
        await users.resolve(bob)
        time.seconds += 0.1
        for asking in (users, two.built.sessions.users):
            with pytest.raises(Unauthenticated):
                await asking.resolve(bob)
            with pytest.raises(LaurelError) as refused:
                await asking.access(mona, ACME, require_admin=False)
            assert refused.value.reason == "INSTALLATION_NOT_FOUND"
