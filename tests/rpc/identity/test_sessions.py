"""Sessions after signing in: shown, listed, ended, kept fresh, and safe at rest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from laurel.identity.v1 import (
    auth_sessions_pb2,
    directory_access_pb2,
    directory_pb2_grpc,
    installation_pb2,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_identity.domain.errors import SessionNotFound, SignInMisconfigured
from tests.rpc.identity.signing_in import Auth, Door, door, reason_of
from tests.support.database import Database
from tests.support.github.oauth import oauth_of
from tests.support.stack_running import until

OLD_KEY = "0123456789abcdef" * 4
GET = auth_sessions_pb2.GetSessionRequest()


@dataclass
class Asking:
    """A service that asks what a session's user may see."""

    front: Door
    installation_id: int
    session_id: str

    async def access(self, *, require_admin: bool) -> directory_access_pb2.CheckAccessResponse:
        channel = self.front.identity.server.channel(PrincipalKind.SERVICE, name="scoring")
        return await directory_pb2_grpc.DirectoryServiceStub(channel).CheckAccess(
            directory_access_pb2.CheckAccessRequest(
                session_id=self.session_id,
                installation_id=self.installation_id,
                require_admin=require_admin,
            )
        )

    async def hidden(self) -> list[int]:
        self.front.identity.forget()
        return list((await self.access(require_admin=False)).hidden_repository_ids)

    async def is_admin(self, *, require_admin: bool = False) -> bool:
        return (await self.access(require_admin=require_admin)).is_admin


@pytest.fixture
async def front(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with door(database, redis_url, tmp_path, token_keys=OLD_KEY) as opened:
        yield opened


async def test_a_user_lists_and_ends_its_own_sessions_and_nobody_elses(front: Door) -> None:
    ada, bob = front.world.user("ada"), front.world.user("bob")
    first, second, third = [await front.sign_in(ada) for _ in range(3)]
    others = await front.sign_in(bob)
    user = front.auth(second.session_token)
    listed = (await user.ListSessions(auth_sessions_pb2.ListSessionsRequest())).sessions
    ids = sorted(each.session.session_id for each in (first, second, third))
    assert [each.session_id for each in listed] == ids
    assert [each.session_id for each in listed if each.is_current] == [second.session.session_id]
    page = await user.ListSessions(auth_sessions_pb2.ListSessionsRequest(page_size=2))
    rest = await user.ListSessions(
        auth_sessions_pb2.ListSessionsRequest(page_size=2, page_token=page.next_page_token)
    )
    assert [each.session_id for each in (*page.sessions, *rest.sessions)] == ids
    foreign = auth_sessions_pb2.RevokeSessionRequest(session_id=others.session.session_id)
    assert await reason_of(user.RevokeSession(foreign)) == "SESSION_NOT_FOUND"
    theirs = auth_sessions_pb2.ListSessionsRequest(user_id=bob.id)
    assert await reason_of(user.ListSessions(theirs)) == "CALLER_NOT_ALLOWED"
    all_of_theirs = auth_sessions_pb2.RevokeAllSessionsRequest(user_id=bob.id)
    assert await reason_of(user.RevokeAllSessions(all_of_theirs)) == "CALLER_NOT_ALLOWED"

    one = auth_sessions_pb2.RevokeSessionRequest(session_id=first.session.session_id)
    await user.RevokeSession(one)
    assert await reason_of(user.RevokeSession(one)) == "SESSION_NOT_FOUND"
    assert await reason_of(front.auth(first.session_token).GetSession(GET)) == "UNAUTHENTICATED"
    kept = await user.RevokeAllSessions(
        auth_sessions_pb2.RevokeAllSessionsRequest(keep_current=True)
    )
    assert kept.revoked_count == 1
    assert await reason_of(user.GetSession(GET)) == "OK"
    assert await reason_of(front.auth(others.session_token).GetSession(GET)) == "OK"
    gone = await user.RevokeAllSessions(auth_sessions_pb2.RevokeAllSessionsRequest())
    assert gone.revoked_count == 1
    assert await reason_of(user.GetSession(GET)) == "UNAUTHENTICATED"


async def test_operators_end_anybodys_sessions(front: Door) -> None:
    ada = front.world.user("ada")
    done = await front.sign_in(ada)
    operator = Auth(front.identity.server.channel(PrincipalKind.OPERATOR))
    nobody = auth_sessions_pb2.ListSessionsRequest()
    assert await reason_of(operator.ListSessions(nobody)) == "INVALID_REQUEST"
    listed = await operator.ListSessions(auth_sessions_pb2.ListSessionsRequest(user_id=ada.id))
    assert [each.session_id for each in listed.sessions] == [done.session.session_id]
    ended = await operator.RevokeAllSessions(
        auth_sessions_pb2.RevokeAllSessionsRequest(user_id=ada.id)
    )
    assert ended.revoked_count == 1
    assert await reason_of(front.auth(done.session_token).GetSession(GET)) == "UNAUTHENTICATED"


async def test_a_token_is_refreshed_before_it_ends_once_for_all_who_ask(front: Door) -> None:
    done = await front.sign_in(front.world.user("ada"))
    tokens, oauth = front.identity.built.sessions.user_tokens, oauth_of(front.world)
    first = await tokens.token(done.session.session_id)
    front.clock.advance(timedelta(hours=7, minutes=54))
    assert (await tokens.token(done.session.session_id), oauth.refreshed) == (first, 0)
    front.clock.advance(timedelta(minutes=2))
    found = await asyncio.gather(*(tokens.token(done.session.session_id) for _ in range(20)))
    assert oauth.refreshed == 1
    # Who came while somebody refreshed has the old one, which is good for another four minutes.
    second = await tokens.token(done.session.session_id)
    assert set(found) <= {first, second}
    assert (second != first, oauth.refreshed) == (True, 1)
    # GitHub is away: what still holds is used, what does not is waited for.
    front.clock.advance(timedelta(hours=7, minutes=56))
    front.github.faults.add("POST /login", status=502, times=2)
    assert await tokens.token(done.session.session_id) == second
    front.clock.advance(timedelta(minutes=5))
    with pytest.raises(Exception, match="GitHub does not answer"):
        await tokens.token(done.session.session_id)
    assert await tokens.token(done.session.session_id) not in {first, second}
    assert oauth.refreshed == 2


async def test_a_refresh_that_nobody_waits_for_any_more_is_not_lost(front: Door) -> None:
    done = await front.sign_in(front.world.user("ada"))
    tokens, oauth = front.identity.built.sessions.user_tokens, oauth_of(front.world)
    session_id = done.session.session_id
    old = await tokens.token(session_id)
    front.clock.advance(timedelta(hours=8))
    # GitHub has taken the old refresh token back, and its answer is on its way.
    gone = asyncio.Event()
    front.github.faults.add("POST /login", answer_after=gone)
    asking = asyncio.create_task(tokens.token(session_id))
    await until(lambda: front.github.answering, "GitHub answers")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    gone.set()
    assert await tokens.token(session_id) != old
    assert oauth.refreshed == 1
    assert await reason_of(front.auth(done.session_token).GetSession(GET)) == "OK"


async def test_a_refresh_that_fails_for_a_reason_of_ours_is_tried_again_at_once(
    front: Door,
) -> None:
    done = await front.sign_in(front.world.user("ada"))
    tokens = front.identity.built.sessions.user_tokens
    front.clock.advance(timedelta(hours=8))
    secret, front.world.app.client_secret = front.world.app.client_secret, "changed"
    with pytest.raises(SignInMisconfigured):
        await tokens.token(done.session.session_id)
    front.world.app.client_secret = secret
    # Nobody waits for a lease that nobody holds: the clock does not move.
    assert (await asyncio.wait_for(tokens.token(done.session.session_id), 10)).startswith("ghu_")


async def test_a_refused_refresh_ends_the_session(front: Door) -> None:
    done = await front.sign_in(front.world.user("ada"))
    oauth_of(front.world).refresh_tokens.clear()
    front.clock.advance(timedelta(hours=8))
    with pytest.raises(SessionNotFound):
        await front.identity.built.sessions.user_tokens.token(done.session.session_id)
    assert await reason_of(front.auth(done.session_token).GetSession(GET)) == "UNAUTHENTICATED"


async def test_expired_sessions_are_cleared_away(front: Door) -> None:
    done = await front.sign_in(front.world.user("ada"))
    with front.database.connect() as owner:
        owner.execute("UPDATE auth_sessions SET expires_at = now() - interval '1 second'")
    store = front.identity.built.sessions.keep
    assert await store._sessions.clear_away(wait=False) == 1
    assert await reason_of(front.auth(done.session_token).GetSession(GET)) == "UNAUTHENTICATED"


async def test_what_can_be_read_is_asked_again_after_an_hour(front: Door) -> None:
    world = front.world
    acme, bob = world.organization("acme"), world.user("bob")
    world.join(acme, bob)
    vault = world.repository(acme, "vault", private=True, collaborators={bob.id: "read"})
    asking = Asking(front, front.install(acme), (await front.sign_in(bob)).session.session_id)
    vault.collaborators.clear()
    assert await asking.hidden() == []
    front.clock.advance(timedelta(hours=1))
    assert await asking.hidden() == [vault.id]
    vault.collaborators[bob.id] = "read"
    front.clock.advance(timedelta(hours=1))
    assert await asking.hidden() == []
    # While GitHub does not answer, what it said last is believed for another hour at most.
    front.clock.advance(timedelta(hours=1))
    front.github.faults.add("GET /user/installations", status=500, times=9)
    assert await asking.hidden() == []
    front.clock.advance(timedelta(hours=1))
    assert await asking.hidden() == [vault.id]


async def test_who_is_no_member_sees_what_github_lists_to_it_within_the_hour(front: Door) -> None:
    acme, otto = front.world.organization("acme"), front.world.user("otto")
    signed_in = await front.sign_in(otto)
    site = front.world.repository(acme, "site", collaborators={otto.id: "read"})
    asking = Asking(front, front.install(acme), signed_in.session.session_id)
    tenants = front.tenants(signed_in.session_token)

    async def own() -> list[int]:
        front.identity.forget()
        listed = await tenants.ListInstallations(installation_pb2.ListInstallationsRequest())
        return [each.installation_id for each in listed.installations]

    async def is_linked() -> bool:
        return await own() == [asking.installation_id]

    async def is_refused() -> bool:
        return await reason_of(asking.hidden()) == "INSTALLATION_NOT_FOUND"

    assert await own() == []
    front.clock.advance(timedelta(minutes=59))
    assert await own() == []
    assert front.github.count("GET", "/user/installations") == 1
    front.clock.advance(timedelta(minutes=1))
    await until(is_linked, "the session is linked")
    access = await asking.access(require_admin=False)
    assert list(access.readable_repository_ids) == [site.id]

    # GitHub failing takes nothing away, and is asked again a minute later.
    site.collaborators.clear()
    front.github.faults.add("GET /user/installations$", status=502)
    front.clock.advance(timedelta(hours=1))
    assert await is_linked()
    await until(lambda: front.github.count("GET", "/user/installations") == 3, "it was asked")
    front.clock.advance(timedelta(minutes=1))
    await until(is_refused, "the session is unlinked")
    assert front.github.count("GET", "/user/installations") == 4


async def test_whether_somebody_is_an_admin_is_what_github_says_now(front: Door) -> None:
    world = front.world
    acme, bob = world.organization("acme"), world.user("bob")
    world.join(acme, bob)
    asking = Asking(front, front.install(acme), (await front.sign_in(bob)).session.session_id)
    assert not await asking.is_admin(require_admin=True)
    # Within a minute GitHub is not asked again.
    asked = front.github.count("GET", "/user/memberships/orgs/acme")
    world.join(acme, bob, "admin")
    assert not await asking.is_admin(require_admin=True)
    assert front.github.count("GET", "/user/memberships/orgs/acme") == asked == 1
    front.identity.forget()
    assert await asking.is_admin(require_admin=True)
    # It is kept where calls find it that do not insist.
    front.identity.forget()
    assert await asking.is_admin()
    front.identity.forget()
    front.github.faults.add("GET /user/memberships", status=500)
    with pytest.raises(RemoteError) as unanswered:
        await asking.is_admin(require_admin=True)
    assert unanswered.value.reason == "GITHUB_UNAVAILABLE"
