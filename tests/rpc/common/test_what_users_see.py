"""Users' access to the installation that a request names, resolved before the servicer runs."""

import asyncio
from typing import Any

import pytest

from laurel_common.auth import Access, Principal, PrincipalKind
from laurel_common.auth.access import AccessResolver
from laurel_common.auth.sessions import SessionResolver
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import (
    CallerNotAllowed,
    DependencyUnavailable,
    InstallationNotFound,
    RemoteError,
    Unauthenticated,
)
from laurel_common.surroundings import current_access
from laurel_common.testing.server import RunningServer
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import EchoServicer, pb, pb_grpc, read

TOKEN = "a" * 64
ADA = Principal(PrincipalKind.USER, "ada", token_id="b" * 64, user_id=7)
MASKED = Access(hidden_repositories=frozenset({1}))


class Identity(SessionResolver, AccessResolver):
    """Sessions and access as a test says: 42 is Ada's, 43 hers to administer, the rest unknown."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.masked = MASKED
        self.asked: list[tuple[str, int, bool]] = []

    async def resolve(self, token: str) -> Principal:
        assert token == TOKEN
        if self.failure is not None:
            raise self.failure
        return ADA

    async def access(self, session_id: str, installation_id: int, *, require_admin: bool) -> Access:
        self.asked.append((session_id, installation_id, require_admin))
        if installation_id not in (42, 43):
            raise InstallationNotFound
        if require_admin and installation_id != 43:
            raise CallerNotAllowed
        return self.masked


def stub(server: RunningServer, tokens: Any = None) -> Any:
    channel = server.channel() if tokens is None else server.channel_with(tokens)
    return pb_grpc.EchoServiceStub(channel)


async def sees(_request: Any) -> Any:
    return pb.EchoResponse(text=repr(sorted(current_access().hidden_repositories)))


async def test_a_users_access_is_there_before_the_servicer_runs(start: Start) -> None:
    identity = Identity()
    server = await start(EchoServicer(sees), sessions=identity, access=identity)
    ada = stub(server, StaticToken(TOKEN))
    assert (await ada.Echo(pb.EchoRequest(installation_id=42))).text == "[1]"
    assert [each.text async for each in ada.Split(pb.EchoRequest(installation_id=42))] == ["[1]"]
    assert identity.asked == [(ADA.token_id, 42, False)] * 2
    # What names no installation asks for none, and shows nothing of any.
    await ada.Echo(pb.EchoRequest())
    assert len(identity.asked) == 2


async def test_keys_have_nothing_to_resolve(start: Start) -> None:
    identity = Identity()
    server = await start(EchoServicer(sees), sessions=identity, access=identity)
    assert (await stub(server).Echo(pb.EchoRequest(installation_id=41))).text == "[]"
    assert not identity.asked


@pytest.mark.parametrize(
    ("method", "installation_id", "code", "reason"),
    [
        pytest.param("Echo", 41, "NOT_FOUND", "INSTALLATION_NOT_FOUND", id="another tenant's"),
        pytest.param("Configure", 42, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED", id="no admin"),
        pytest.param("Configure", 0, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED", id="none named"),
        pytest.param("Configure", 43, None, None, id="an admin"),
    ],
)
async def test_what_may_not_be_seen_ends_before_the_servicer(
    start: Start, method: str, installation_id: int, code: str | None, reason: str | None
) -> None:
    identity, servicer = Identity(), EchoServicer()
    server = await start(servicer, sessions=identity, access=identity)
    call = getattr(stub(server, StaticToken(TOKEN)), method)
    request = pb.EchoRequest(installation_id=installation_id)
    if code is None:
        await call(request)
        return
    with pytest.raises(RemoteError) as refused:
        await call(request)
    assert (refused.value.code, refused.value.reason) == (code, reason)
    assert not servicer.seen


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        pytest.param(Unauthenticated(), "UNAUTHENTICATED", id="revoked"),
        pytest.param(DependencyUnavailable(), "UNAVAILABLE", id="identity is away"),
    ],
)
async def test_a_stream_ends_when_its_session_does(
    start: Start, failure: Exception, code: str
) -> None:
    identity = Identity()
    servicer = EchoServicer(lambda _: asyncio.Event().wait())
    server = await start(servicer, sessions=identity, access=identity, recheck_seconds=0.02)
    stream = stub(server, StaticToken(TOKEN)).Split(pb.EchoRequest(installation_id=42, times=1))
    reading = asyncio.create_task(read(stream))
    await servicer.entered.wait()
    identity.failure = failure
    texts, error = await reading
    assert (texts, error.code) == (["0"], code)
    await servicer.cancelled.wait()


async def test_a_stream_hides_what_became_hidden_meanwhile(start: Start) -> None:
    identity = Identity()

    async def hidden(_request: Any) -> Any:
        identity.masked = Access(hidden_repositories=frozenset({1, 2}))
        while len(current_access().hidden_repositories) < 2:
            await asyncio.sleep(0)
        return pb.EchoResponse(text="hidden")

    server = await start(
        EchoServicer(hidden), sessions=identity, access=identity, recheck_seconds=0.02
    )
    stream = stub(server, StaticToken(TOKEN)).Split(pb.EchoRequest(installation_id=42))
    assert [each.text async for each in stream] == ["hidden"]


async def test_operators_streams_are_not_watched(start: Start) -> None:
    identity = Identity()
    identity.failure = Unauthenticated()
    server = await start(sessions=identity, access=identity, recheck_seconds=0)
    assert len([each async for each in stub(server).Split(pb.EchoRequest(times=50))]) == 50
