"""ListFailedWebhooks and RedeliverWebhook: GitHub's account of the App's webhooks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.identity.v1 import installation_pb2_grpc
from laurel.identity.v1 import webhook_attempts_pb2 as pb
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_common.testing.clock import FakeClock
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github

MINUTE = timedelta(minutes=1)


@dataclass
class Hook:
    """Identity as ingest reaches it, and the GitHub of its App."""

    github: GitHubSimulator
    clock: FakeClock
    ingest: installation_pb2_grpc.InstallationServiceStub

    def attempts(self, *statuses: int) -> list[int]:
        """Attempts a minute apart, the last one now; answers their numbers."""
        world, now = self.github.world, self.clock.now()
        return [
            world.attempt(
                f"guid-{place}", "push", now - (len(statuses) - 1 - place) * MINUTE, each
            ).id
            for place, each in enumerate(statuses)
        ]

    async def failed(self, **request: Any) -> pb.ListFailedWebhooksResponse:
        answer: pb.ListFailedWebhooksResponse = await self.ingest.ListFailedWebhooks(
            pb.ListFailedWebhooksRequest(**request)
        )
        return answer

    async def redeliver(self, attempt_id: int) -> bool:
        request = pb.RedeliverWebhookRequest(attempt_id=attempt_id)
        accepted: bool = (await self.ingest.RedeliverWebhook(request)).accepted
        return accepted


@pytest.fixture
async def hook(module_database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Hook]:
    clock = FakeClock()
    async with (
        running_github(clock=clock) as github,
        running_identity(
            module_database, redis_url, tmp_path, github=github, clock=clock
        ) as identity,
    ):
        channel = identity.server.channel(PrincipalKind.SERVICE, name="ingest")
        yield Hook(github, clock, identity.tenants(channel))


async def test_failed_attempts_come_newest_first_in_pages(hook: Hook) -> None:
    ids = hook.attempts(500, 200, 502, 504, 200)
    first = await hook.failed(page_size=2)
    second = await hook.failed(page_size=2, page_token=first.next_page_token)
    found = [*first.attempts, *second.attempts]
    assert [each.attempt_id for each in found] == [ids[3], ids[2], ids[0]]
    assert (found[0].delivery_id, found[0].event) == ("guid-3", "push")
    assert found[0].attempt_time.ToDatetime() == (hook.clock.now() - MINUTE).replace(
        tzinfo=None, microsecond=0
    )
    assert second.next_page_token == ""
    hook.github.world.attempt(
        "whose", "push", hook.clock.now(), 500, installation_id=7, repository_id=9
    )
    (whose, *others) = (await hook.failed()).attempts
    assert (whose.installation_id, whose.repository_id) == (7, 9)
    assert {(each.installation_id, each.repository_id) for each in others} == {(0, 0)}
    with pytest.raises(RemoteError) as refused:
        await hook.failed(page_size=2, page_token=first.next_page_token + "x")
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


async def test_what_is_older_than_asked_for_ends_the_list(hook: Hook) -> None:
    ids = hook.attempts(500, 500, 500, 500)
    start = Timestamp()
    start.FromDatetime(hook.clock.now().replace(microsecond=0) - MINUTE)
    answer = await hook.failed(page_size=3, start_time=start)
    assert [each.attempt_id for each in answer.attempts] == [ids[3], ids[2]]
    assert answer.next_page_token == ""


async def test_a_webhook_is_delivered_again_while_github_has_it(hook: Hook) -> None:
    (failed,) = hook.attempts(500)
    assert await hook.redeliver(failed)
    again = hook.github.world.attempts[-1]
    assert (again.guid, again.redelivery) == ("guid-0", True)
    assert not await hook.redeliver(999)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        pytest.param({"status": 502}, ("UNAVAILABLE", "GITHUB_UNAVAILABLE"), id="5xx"),
        pytest.param({"status": 401}, ("FAILED_PRECONDITION", "GITHUB_REFUSED"), id="bad key"),
        pytest.param(
            {"retry_after": 90}, ("RESOURCE_EXHAUSTED", "GITHUB_RATE_LIMITED"), id="limit"
        ),
    ],
)
async def test_trouble_at_github_has_a_reason(
    hook: Hook, fault: dict[str, Any], answer: tuple[str, str]
) -> None:
    (failed,) = hook.attempts(500)
    hook.github.faults.add("hook/deliveries", times=2, **fault)
    for call in (hook.failed(), hook.redeliver(failed)):
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.code, refused.value.reason) == answer


async def test_without_an_app_the_reason_is_clear(shared_identity: Identity) -> None:
    channel = shared_identity.server.channel(PrincipalKind.SERVICE, name="ingest")
    ingest = shared_identity.tenants(channel)
    for call in (
        ingest.ListFailedWebhooks(pb.ListFailedWebhooksRequest()),
        ingest.RedeliverWebhook(pb.RedeliverWebhookRequest(attempt_id=1)),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.reason == "GITHUB_NOT_CONFIGURED"
    with pytest.raises(RemoteError) as refused:
        await ingest.RedeliverWebhook(pb.RedeliverWebhookRequest())
    assert refused.value.reason == "INVALID_REQUEST"
