"""The App on the account of a tenant that was only imported, told to a running Laurel."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from laurel.identity.v1 import installation_pb2 as pb
from laurel.identity.v1 import installation_pb2_grpc
from laurel_cli.demo.cast import REPOSITORIES
from laurel_common.errors import RemoteError
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.events import Event
from tests.support.github.life import Life
from tests.support.stack_running import Laurel
from tests.support.world_actions import patiently
from tests.support.world_tenants import Tenant


@asynccontextmanager
async def github_of_the_stack() -> AsyncIterator[GitHubSimulator]:
    """A simulated GitHub that the services of a stack, started within, will ask."""
    async with running_github() as github:
        told = {f"LAUREL_{name.upper()}": str(each) for name, each in github.settings().items()}
        os.environ.update(told)
        try:
            yield github
        finally:
            for name in told:
                del os.environ[name]


@dataclass(frozen=True)
class Installed(Tenant):
    """A tenant by the App's own installation."""

    app_installation_id: int = field(default=0)

    @property
    def installation_id(self) -> int:
        return self.app_installation_id


async def install(laurel: Laurel, github: GitHubSimulator, tenant: Tenant) -> Installed:
    """Somebody installs the App on the tenant's account, again where it was before."""
    world, life = github.world, Life(github.world)
    account = world.accounts.get(tenant.account_id)
    if account is None:
        account = world.organization(tenant.login, id=tenant.account_id)
        for each in REPOSITORIES:
            world.repository(account, each.name, id=each.id + tenant.offset)
    life.uninstall(account)
    life.install(account)
    for event in life.events:
        await tell_of(laurel, event)
    installation = world.installation_of(account.id)
    assert installation is not None
    return Installed(tenant.number, installation.id)


async def tell_of(laurel: Laurel, event: Event) -> None:
    """Hands an event to identity as ingest does, again where something was away."""
    request = pb.HandleInstallationEventRequest(
        event=event.name, payload=json.dumps(event.payload).encode()
    )
    async with laurel.service("ingest").channel("identity") as channel:
        stub = installation_pb2_grpc.InstallationServiceStub(channel)
        await patiently(lambda: stub.HandleInstallationEvent(request))


async def is_known(laurel: Laurel, installation_id: int) -> bool:
    """Whether identity has an installation."""
    async with laurel.caller.channel("identity") as channel:
        stub = installation_pb2_grpc.InstallationServiceStub(channel)
        request = pb.GetInstallationRequest(installation_id=installation_id)
        try:
            await patiently(lambda: stub.GetInstallation(request))
        except RemoteError as error:
            if error.reason != "INSTALLATION_NOT_FOUND":
                raise
            return False
    return True
