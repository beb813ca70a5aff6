"""CreateInstallationToken: one token for everybody while it is fresh, and who gets none."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from laurel.identity.v1 import installation_pb2 as pb
from laurel.identity.v1 import installation_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_common.testing.clock import FakeClock
from laurel_identity.clients.github.http import GitHubHttp
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.acme import Acme
from tests.support.rows import Rows


@dataclass
class Minting:
    """Identity with an App, and GitHub. `ingest` is the stub of the one who may ask."""

    identity: Identity
    github: GitHubSimulator
    acme: Acme
    rows: Rows
    ingest: installation_pb2_grpc.InstallationServiceStub = field(init=False)

    def __post_init__(self) -> None:
        channel = self.identity.server.channel(PrincipalKind.SERVICE, name="ingest")
        self.ingest = self.identity.tenants(channel)

    async def token(self, installation_id: int | None = None) -> Any:
        """The answer for an installation, Acme's unless told."""
        wanted = self.acme.installation.id if installation_id is None else installation_id
        request = pb.CreateInstallationTokenRequest(installation_id=wanted)
        return await self.ingest.CreateInstallationToken(request)

    async def refusal(self, installation_id: int | None = None) -> tuple[str, str]:
        """Code and reason of the error instead of a token."""
        with pytest.raises(RemoteError) as refused:
            await self.token(installation_id)
        return refused.value.code, refused.value.reason

    def minted(self) -> int:
        """How often GitHub was asked for a token of Acme's."""
        path = f"/app/installations/{self.acme.installation.id}/access_tokens"
        return self.github.count("POST", path)


@pytest.fixture
async def minting(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Minting]:
    """Acme's installation as GitHub and identity have it."""
    acme, clock = Acme(), FakeClock()
    with database.connect() as connection:
        rows = Rows(connection)
        rows.installation(installation_id=acme.installation.id, app_id=acme.world.app.id)
        async with (
            running_github(acme.world, clock) as github,
            running_identity(database, redis_url, tmp_path, github=github, clock=clock) as identity,
        ):
            yield Minting(identity, github, acme, rows)


async def test_everybody_gets_the_same_token_until_five_minutes_before_it_ends(
    minting: Minting,
) -> None:
    first = await minting.token()
    minting.identity.clock.advance(timedelta(minutes=54, seconds=59))
    assert (await minting.token()).token == first.token
    minting.identity.clock.advance(timedelta(seconds=1))
    later = await minting.token()
    assert later.token != first.token
    assert later.expire_time.ToDatetime() - first.expire_time.ToDatetime() == timedelta(minutes=55)
    assert minting.minted() == 2


async def test_a_token_that_github_refuses_is_replaced_for_everybody_once(
    minting: Minting,
) -> None:
    first = (await minting.token()).token
    request = pb.CreateInstallationTokenRequest(
        installation_id=minting.acme.installation.id, refused_token=first
    )
    later = (await minting.ingest.CreateInstallationToken(request)).token
    assert later != first
    # Somebody else who still had the first one; and whoever asks as before.
    assert (await minting.ingest.CreateInstallationToken(request)).token == later
    assert (await minting.token()).token == later
    assert minting.minted() == 2


async def test_callers_at_the_same_time_share_one_request(minting: Minting) -> None:
    minting.github.faults.add("access_tokens", delay=0.05)
    answers = await asyncio.gather(*(minting.token() for _ in range(20)))
    assert len({answer.token for answer in answers}) == 1
    assert minting.minted() == 1


async def test_a_caller_who_goes_away_spoils_nothing_for_the_others(minting: Minting) -> None:
    minting.github.faults.add("access_tokens", delay=0.1)
    leaving = asyncio.ensure_future(minting.token())
    staying = asyncio.ensure_future(minting.token())
    while not minting.github.arrived:
        await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).token.startswith("ghs_")
    assert minting.minted() == 1


async def test_github_works_with_the_token(minting: Minting) -> None:
    token = (await minting.token()).token
    http = GitHubHttp(minting.github.api_url)
    found = await http.get(http.with_token(token), "/installation/repositories")
    await http.aclose()
    assert found is not None
    assert found["total_count"] == 2


async def test_the_token_stands_in_no_log(
    minting: Minting, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    token = (await minting.token()).token
    minting.github.faults.add("access_tokens", status=500)
    minting.identity.clock.advance(timedelta(hours=1))
    await minting.refusal()
    written = caplog.text + "".join(capsys.readouterr())
    assert token not in written
    assert "eyJ" not in written  # how every JWT begins


async def test_what_identity_knows_as_suspended_gets_no_token(minting: Minting) -> None:
    suspended = minting.rows.installation(suspended_at=minting.identity.clock.now())
    gone = minting.rows.installation(
        suspended_at=minting.identity.clock.now(), suspended_by="uninstalled"
    )
    imported = minting.rows.installation(app_id=0)
    assert await minting.refusal(suspended) == ("FAILED_PRECONDITION", "INSTALLATION_SUSPENDED")
    assert await minting.refusal(gone) == ("FAILED_PRECONDITION", "APP_NOT_INSTALLED")
    assert await minting.refusal(imported) == ("FAILED_PRECONDITION", "APP_NOT_INSTALLED")
    assert await minting.refusal(12345) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")
    assert minting.minted() == 0


async def test_what_github_has_suspended_or_forgotten_gets_no_token(minting: Minting) -> None:
    minting.acme.installation.suspended_at = minting.identity.clock.now()
    assert await minting.refusal() == ("FAILED_PRECONDITION", "INSTALLATION_SUSPENDED")
    del minting.acme.world.installations[minting.acme.installation.id]
    assert await minting.refusal() == ("FAILED_PRECONDITION", "APP_NOT_INSTALLED")


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        pytest.param({"status": 502}, ("UNAVAILABLE", "GITHUB_UNAVAILABLE"), id="5xx"),
        pytest.param({"cut": True}, ("UNAVAILABLE", "GITHUB_UNAVAILABLE"), id="cut"),
        pytest.param({"status": 401}, ("FAILED_PRECONDITION", "GITHUB_REFUSED"), id="bad key"),
        pytest.param(
            {"reset_seconds": 90}, ("RESOURCE_EXHAUSTED", "GITHUB_RATE_LIMITED"), id="primary limit"
        ),
        pytest.param(
            {"retry_after": 90}, ("RESOURCE_EXHAUSTED", "GITHUB_RATE_LIMITED"), id="secondary limit"
        ),
    ],
)
async def test_trouble_at_github_has_a_reason_and_passes(
    minting: Minting, fault: dict[str, Any], answer: tuple[str, str]
) -> None:
    minting.github.faults.add("access_tokens", **fault)
    with pytest.raises(RemoteError) as failed:
        await minting.token()
    assert (failed.value.code, failed.value.reason) == answer
    if answer[0] == "RESOURCE_EXHAUSTED":
        assert failed.value.retry_after is not None
        assert timedelta(seconds=80) < failed.value.retry_after <= timedelta(seconds=90)
    assert (await minting.token()).token


async def test_without_an_app_the_reason_is_clear_and_the_rest_goes_on(
    database: Database, identity: Identity
) -> None:
    ingest = identity.tenants(identity.server.channel(PrincipalKind.SERVICE, name="ingest"))
    with database.connect() as connection:
        installation_id = Rows(connection).installation()
    request = pb.CreateInstallationTokenRequest(installation_id=installation_id)
    with pytest.raises(RemoteError) as refused:
        await ingest.CreateInstallationToken(request)
    assert refused.value.reason == "GITHUB_NOT_CONFIGURED"
    listed = await identity.installations.ListInstallations(pb.ListInstallationsRequest())
    assert len(listed.installations) == 1
