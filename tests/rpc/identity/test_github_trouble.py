"""What identity answers while GitHub, Redis or the other services are in trouble."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from laurel.identity.v1 import auth_pb2_grpc, auth_sign_in_pb2
from laurel.identity.v1 import installation_pb2 as pb
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from tests.rpc.identity.conftest import running_identity
from tests.rpc.identity.signing_in import Door, door, reason_of
from tests.support.cuttable import cuttable
from tests.support.database import Database
from tests.support.github.events import Events
from tests.support.github.oauth import authorize
from tests.support.github.world import Account, Installation, Team

NOWHERE = "127.0.0.1:1"
HOUR = timedelta(hours=1)
NOT_CONFIGURED = "GITHUB_NOT_CONFIGURED"
TOKEN_KEYS = "0123456789abcdef" * 4


@dataclass
class Trouble:
    """Acme with the App and a team; Ada, its admin, who signed in; and calls that ask GitHub."""

    front: Door
    ada: Account
    installation: Installation
    team: Team
    token: str
    # Takes Redis away.
    cut: Callable[[], None]

    async def begin_install(self) -> str:
        return await reason_of(
            self.front.tenants(self.token).BeginInstall(pb.BeginInstallRequest())
        )

    async def link(self, state: str) -> str:
        return await reason_of(
            self.front.tenants(self.token).LinkInstallation(
                pb.LinkInstallationRequest(new_installation_id=self.installation.id, state=state)
            )
        )

    async def state(self) -> str:
        """Where somebody set out to install."""
        begun = await self.front.tenants(self.token).BeginInstall(pb.BeginInstallRequest())
        return begun.state

    def event(self) -> pb.HandleInstallationEventRequest:
        event = Events(self.front.world).installation("created", self.installation)
        return pb.HandleInstallationEventRequest(
            event=event.name, payload=json.dumps(event.payload).encode()
        )

    async def handle(self) -> str:
        channel = self.front.identity.server.channel(PrincipalKind.SERVICE, name="ingest")
        stub = self.front.identity.tenants(channel)
        return await reason_of(stub.HandleInstallationEvent(self.event()))

    async def sync(self) -> str:
        request = pb.SyncInstallationsRequest(installation_id=self.installation.id)
        return await reason_of(self.front.identity.installations.SyncInstallations(request))

    async def complete(self) -> Callable[[], Awaitable[str]]:
        """Somebody comes back from GitHub when this is called."""
        begun = await self.front.begin()
        code, state = authorize(
            self.front.world, self.ada, begun.authorize_url, self.front.clock.now()
        )
        return lambda: reason_of(self.front.complete(code, state, begun.csrf_token))


@pytest.fixture
async def trouble(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Trouble]:
    async with (
        cuttable(redis_url) as way,
        door(
            database,
            way.url,
            tmp_path,
            with_app=True,
            token_keys=TOKEN_KEYS,
            **{f"{each}_target": NOWHERE for each in ("ingest", "scoring", "leaderboard")},
        ) as front,
    ):
        acme, ada = front.world.organization("acme"), front.world.user("ada")
        front.world.join(acme, ada, "admin")
        team = front.world.team(acme, "smiths", members={ada.id: "member"})
        installation = front.world.install(acme)
        token = (await front.sign_in(ada)).session_token
        made = Trouble(front, ada, installation, team, token, way.cut)
        assert await made.handle() == "OK"
        yield made


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 500}, "GITHUB_UNAVAILABLE"),
        ({"reset_seconds": 60}, "GITHUB_RATE_LIMITED"),
        ({"status": 422}, "GITHUB_REFUSED"),
    ],
    ids=["it fails", "its limit is used up", "it refuses"],
)
async def test_what_github_says_reaches_whoever_asked(
    trouble: Trouble, fault: dict[str, Any], reason: str
) -> None:
    state, complete = await trouble.state(), await trouble.complete()
    faults = trouble.front.github.faults
    for call in (trouble.begin_install, lambda: trouble.link(state), trouble.handle, trouble.sync):
        faults.clear()
        faults.add(".", times=100, **fault)
        assert await call() == reason
    faults.clear()
    faults.add("GET .*/user$", times=100, **fault)
    assert await complete() == reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "APP_NOT_INSTALLED"), (403, "INSTALLATION_SUSPENDED")],
    ids=["uninstalled", "suspended"],
)
async def test_an_installation_may_go_while_it_is_read(
    trouble: Trouble, status: int, reason: str
) -> None:
    # The token that is kept is good no more.
    trouble.front.clock.advance(HOUR)
    state = await trouble.state()
    faults = trouble.front.github.faults
    for call in (trouble.handle, trouble.sync, lambda: trouble.link(state)):
        faults.clear()
        faults.add("access_tokens", times=100, status=status)
        assert await call() == reason


async def test_a_session_whose_user_took_its_consent_back_links_nothing(trouble: Trouble) -> None:
    state = await trouble.state()
    trouble.front.github.faults.add("GET .*/user/installations", status=401)
    assert await trouble.link(state) == "SESSION_NOT_FOUND"


async def test_what_is_kept_in_redis_is_not_to_be_had_without_it(trouble: Trouble) -> None:
    state, complete = await trouble.state(), await trouble.complete()
    trouble.cut()
    assert await trouble.begin_install() == "DEPENDENCY_UNAVAILABLE"
    assert await trouble.link(state) == "DEPENDENCY_UNAVAILABLE"
    assert await complete() == "DEPENDENCY_UNAVAILABLE"
    begin = trouble.front.gateway.BeginSignIn(auth_sign_in_pb2.BeginSignInRequest())
    assert await reason_of(begin) == "DEPENDENCY_UNAVAILABLE"


async def test_a_team_stays_for_as_long_as_others_can_not_forget_it(trouble: Trouble) -> None:
    del trouble.front.world.teams[trouble.team.id]
    assert await trouble.sync() == "DEPENDENCY_UNAVAILABLE"
    with trouble.front.database.connect() as owner:
        assert owner.execute("SELECT count(*) FROM teams").fetchone() == (1,)


async def test_an_identity_without_the_app_asks_nothing_of_github(
    trouble: Trouble, redis_url: str, tmp_path: Path
) -> None:
    state = await trouble.state()
    begun = await trouble.front.begin()
    other = tmp_path / "other"
    other.mkdir()
    # A replica whose settings lack it: of one key, so that it knows the states of the other.
    shutil.copy(tmp_path / "identity.key", other)
    async with running_identity(
        trouble.front.database,
        redis_url,
        other,
        clock=trouble.front.clock,
        token_keys=TOKEN_KEYS,
        github_api_url=trouble.front.github.api_url,
        github_web_url=trouble.front.github.web_url,
    ) as identity:
        user = identity.tenants(identity.server.channel_with(StaticToken(trouble.token)))
        linking = user.LinkInstallation(
            pb.LinkInstallationRequest(new_installation_id=trouble.installation.id, state=state)
        )
        assert await reason_of(linking) == NOT_CONFIGURED
        service = identity.tenants(identity.server.channel(PrincipalKind.SERVICE, name="ingest"))
        assert await reason_of(service.HandleInstallationEvent(trouble.event())) == NOT_CONFIGURED
        gateway = auth_pb2_grpc.AuthServiceStub(identity.server.channel(PrincipalKind.GATEWAY))
        completing = gateway.CompleteSignIn(
            auth_sign_in_pb2.CompleteSignInRequest(
                code="c0de", state=begun.state, csrf_token=begun.csrf_token
            )
        )
        assert await reason_of(completing) == NOT_CONFIGURED
