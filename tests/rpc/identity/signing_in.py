"""Identity beside a simulated GitHub, and somebody who signs in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laurel.identity.v1 import auth_pb2_grpc, auth_sign_in_pb2, installation_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from laurel_common.testing.clock import FakeClock
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.github.oauth import authorize
from tests.support.github.server import GitHubSimulator, running_github
from tests.support.github.world import Account, World
from tests.support.rows import Rows

Auth = auth_pb2_grpc.AuthServiceStub
Completed = auth_sign_in_pb2.CompleteSignInResponse


@dataclass
class Door:
    """A gateway in front of identity."""

    identity: Identity
    github: GitHubSimulator
    gateway: Auth
    database: Database

    @property
    def clock(self) -> FakeClock:
        """Of both sides."""
        return self.identity.clock

    @property
    def world(self) -> World:
        """What GitHub has."""
        return self.github.world

    async def begin(self, return_to: str = "") -> auth_sign_in_pb2.BeginSignInResponse:
        """Sets out."""
        return await self.gateway.BeginSignIn(
            auth_sign_in_pb2.BeginSignInRequest(return_to=return_to)
        )

    async def sign_in(self, user: Account, return_to: str = "") -> Completed:
        """All of it."""
        begun = await self.begin(return_to)
        code, state = authorize(self.world, user, begun.authorize_url, self.clock.now())
        return await self.complete(code, state, begun.csrf_token)

    async def complete(self, code: str, state: str, csrf_token: str) -> Completed:
        """Comes back."""
        return await self.gateway.CompleteSignIn(
            auth_sign_in_pb2.CompleteSignInRequest(code=code, state=state, csrf_token=csrf_token)
        )

    def auth(self, session_token: str) -> Auth:
        """The auth service as a user calls it."""
        return Auth(self.identity.server.channel_with(StaticToken(session_token)))

    def tenants(self, session_token: str) -> installation_pb2_grpc.InstallationServiceStub:
        """The installations as a user sees them."""
        return self.identity.tenants(self.identity.server.channel_with(StaticToken(session_token)))

    def install(self, account: Account) -> int:
        """Installs the App, and has identity know of it with all repositories."""
        installation = self.world.install(account)
        with self.database.connect() as owner:
            rows = Rows(owner)
            rows.organization(id=account.id, login=account.login)
            rows.installation(
                installation_id=installation.id,
                app_id=self.world.app.id,
                organization_id=account.id,
            )
            for each in self.world.repositories_of(account.id):
                rows.repository(
                    id=each.id,
                    full_name=self.world.full_name(each),
                    name=each.name,
                    owner_login=account.login,
                    organization_id=account.id,
                    is_private=each.private,
                )
                rows.insert(
                    "installation_repositories",
                    installation_id=installation.id,
                    repository_id=each.id,
                )
        return installation.id


@asynccontextmanager
async def door(
    database: Database, redis_url: str, directory: Path, *, with_app: bool = False, **settings: str
) -> AsyncIterator[Door]:
    """Identity with the sign-in of the simulator's App configured; all of it `with_app`."""
    clock = FakeClock()
    async with running_github(World(), clock) as github:
        app = github.world.app
        configured: dict[str, Any] = {
            "github_api_url": github.api_url,
            "github_web_url": github.web_url,
            "github_client_id": app.client_id,
            "github_client_secret": app.client_secret,
        }
        if with_app:
            configured |= github.settings()
        async with running_identity(
            database, redis_url, directory, clock=clock, **(configured | settings)
        ) as identity:
            channel = identity.server.channel(PrincipalKind.GATEWAY)
            yield Door(identity, github, Auth(channel), database)


async def reason_of(call: object) -> str:
    """The reason that a call ends with; "OK" where it does not fail."""
    try:
        await call  # type: ignore[misc]  # any stub's call
    except RemoteError as error:
        return error.reason
    return "OK"
