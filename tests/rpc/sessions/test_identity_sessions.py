"""What a service knows of users through identity, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import (
    CallerNotAllowed,
    DependencyUnavailable,
    InstallationNotFound,
    TokenExpired,
    Unauthenticated,
)
from laurel_common.redis import create_redis
from laurel_common.rpc.status import code_of
from laurel_sessions import IdentitySessions, RevocationListener, publish_revoked, revocations
from tests.rpc.identity.conftest import Identity, running_identity
from tests.rpc.identity.signing_in import door
from tests.support.database import Database
from tests.support.people import (
    ACME,
    GLOBEX,
    PRIVATE,
    SECRET_TEAM,
    People,
    session_of,
    settle,
    token_of,
)
from tests.support.stack_running import until


class Time:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Asking:
    """A service's view of identity."""

    identity: Identity
    users: IdentitySessions
    people: People
    database: Database
    time: Time

    def end(self, login: str) -> None:
        """Takes a session away behind everybody's back."""
        with self.database.connect() as owner:
            owner.execute("DELETE FROM auth_sessions WHERE id = %s", [session_of(login)])
        self.identity.forget()


@pytest.fixture
async def asking(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Asking]:
    # One time for both: what is left of an answer's does not depend on how long it took.
    time = Time()
    async with running_identity(database, redis_url, tmp_path, monotonic=time) as identity:
        with database.connect() as owner:
            people = settle(owner, now=identity.clock.now())
        channel = identity.server.channel(PrincipalKind.SERVICE, name="scoring")
        yield Asking(identity, IdentitySessions(channel, monotonic=time), people, database, time)


async def test_users_are_who_identity_says_they_are(asking: Asking) -> None:
    users = asking.users
    bob = await users.resolve(token_of("bob"))
    assert (bob.kind, bob.name, bob.user_id) == (PrincipalKind.USER, "bob", asking.people["bob"])
    assert bob.token_id == session_of("bob")
    for token, refusal in (("0" * 64, Unauthenticated), (token_of("late"), TokenExpired)):
        with pytest.raises(refusal):
            await users.resolve(token)

    seen = await users.access(session_of("bob"), ACME, require_admin=False)
    assert seen == Access(False, frozenset({PRIVATE}), frozenset({SECRET_TEAM}))
    otto = await users.access(session_of("otto"), ACME, require_admin=False)
    assert otto == Access(readable_repositories=frozenset({PRIVATE}))
    for session, installation_id, admin, refusal_ in (
        (session_of("bob"), GLOBEX, False, InstallationNotFound),
        # GitHub is asked for its role, with a token that these sessions do not have.
        (session_of("otto"), ACME, True, Unauthenticated),
        (session_of("nobody"), ACME, False, Unauthenticated),
    ):
        with pytest.raises(refusal_):
            await users.access(session, installation_id, require_admin=admin)


async def test_members_are_turned_away_from_what_is_for_admins(
    database: Database, redis_url: str, tmp_path: Path
) -> None:
    async with door(database, redis_url, tmp_path) as front:
        acme = front.world.organization("acme")
        ada, bob = front.world.user("ada"), front.world.user("bob")
        front.world.join(acme, ada, "admin")
        front.world.join(acme, bob)
        installation_id = front.install(acme)
        admin, member = [(await front.sign_in(each)).session.session_id for each in (ada, bob)]
        time = Time()
        channel = front.identity.server.channel(PrincipalKind.SERVICE, name="scoring")
        users = IdentitySessions(channel, monotonic=time)

        assert (await users.access(admin, installation_id, require_admin=True)).is_admin
        # The second refusal is one that is kept.
        for _ in range(2):
            with pytest.raises(CallerNotAllowed) as refused:
                await users.access(member, installation_id, require_admin=True)
            assert code_of(refused.value) is grpc.StatusCode.PERMISSION_DENIED
        # What is for members does not depend on it.
        seen = await users.access(member, installation_id, require_admin=False)
        assert (seen.is_admin, seen.is_member) == (False, True)
        # GitHub is asked again, and no refusal is kept for longer than an answer.
        front.world.join(acme, bob, "admin")
        front.identity.forget()
        with pytest.raises(CallerNotAllowed):
            await users.access(member, installation_id, require_admin=True)
        time.seconds += 5.0
        assert (await users.access(member, installation_id, require_admin=True)).is_admin


async def test_an_answer_is_not_believed_for_longer_than_five_seconds(asking: Asking) -> None:
    users = asking.users
    await users.resolve(token_of("bob"))
    await users.access(session_of("bob"), ACME, require_admin=False)
    asking.end("bob")
    await users.resolve(token_of("bob"))
    asking.time.seconds += 5.0
    with pytest.raises(Unauthenticated):
        await users.resolve(token_of("bob"))
    with pytest.raises(Unauthenticated):
        await users.access(session_of("bob"), ACME, require_admin=False)


async def test_who_is_busy_never_waits_for_identity_and_is_out_within_five_seconds(
    asking: Asking,
) -> None:
    users, token, session = asking.users, token_of("mona"), session_of("mona")
    await users.resolve(token)
    await users.access(session, ACME, require_admin=False)

    def known() -> bool:
        """Whether a call of hers goes on at once."""
        access = users.known_access(session, ACME, require_admin=False)
        return users.known(token) is not None and access is not None

    asked_at = asking.time.seconds
    asking.time.seconds += 4.6
    asking.identity.forget()
    assert known()
    # Asked for again beside that call, which is heard when what was known before is out of date.
    await until(lambda: not is_asking(users), "identity has answered")
    asking.time.seconds = asked_at + 5.1
    assert known()
    asking.end("mona")
    asking.time.seconds = asked_at + 4.6 + 5.0
    with pytest.raises(Unauthenticated):
        await users.resolve(token)


def is_asking(users: IdentitySessions) -> bool:
    """Whether identity has been asked something that it has not answered."""
    return bool(users._sessions._asked or users._access._asked)


async def test_a_revocation_is_heard_at_once(asking: Asking, redis_url: str) -> None:
    users, redis = asking.users, create_redis(redis_url, timeout=10)
    listener = RevocationListener(redis, users.forget)
    listening = asyncio.create_task(listener.run())
    await asyncio.wait_for(listener.listening(), 10)
    for login in ("bob", "mona"):
        await users.resolve(token_of(login))
    asking.end("bob")
    await asking.identity.revoke([session_of("bob")])

    async def until_heard() -> None:
        with suppress(Unauthenticated):
            while await users.resolve(token_of("bob")):
                await asyncio.sleep(0.01)

    await asyncio.wait_for(until_heard(), 10)
    assert (await users.resolve(token_of("mona"))).name == "mona"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await redis.aclose()


async def test_what_a_broken_connection_may_have_missed_is_forgotten(redis_url: str) -> None:
    heard: list[Collection[str] | None] = []
    redis = create_redis(redis_url, timeout=10)
    listener = RevocationListener(redis, heard.append)
    listening = asyncio.create_task(listener.run())
    await asyncio.wait_for(listener.listening(), 10)
    await redis.client_kill_filter(_type="pubsub")
    await until(lambda: heard == [None, None], "the connection is made anew")
    await publish_revoked(redis, [session_of("bob")])
    await until(lambda: heard[2:] == [{session_of("bob")}], "a revocation is heard on it")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await redis.aclose()


async def test_a_fault_in_what_a_revocation_leads_to_does_not_end_the_listening(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "_RETRY_SECONDS", 0)
    heard: list[Collection[str] | None] = []

    def forget(session_ids: Collection[str] | None) -> None:
        heard.append(session_ids)
        if len(heard) == 1:
            raise LookupError

    redis = create_redis(redis_url, timeout=10)
    listening = asyncio.create_task(RevocationListener(redis, forget).run())
    await until(lambda: heard == [None, None], "it listens again")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await redis.aclose()


async def test_while_identity_is_away_a_user_is_told_to_wait(asking: Asking) -> None:
    await asking.users.resolve(token_of("bob"))
    await asking.identity.server.server.stop(drain=0, grace=0)
    assert (await asking.users.resolve(token_of("bob"))).name == "bob"
    for unanswered in (
        asking.users.resolve(token_of("mona")),
        asking.users.access(session_of("bob"), ACME, require_admin=False),
    ):
        with pytest.raises(DependencyUnavailable):
            await unanswered
