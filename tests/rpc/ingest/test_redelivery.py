"""What GitHub could not deliver comes again: hourly, once, from GitHub's list to the signals."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel.common.v1.coverage_pb2 import COVERAGE_GAP_REASON_DELIVERY_LOST as LOST
from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2, webhook_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.db import create_engine
from laurel_common.errors import RemoteError
from laurel_ingest.application import redeliver_webhooks
from laurel_ingest.application.forget_deliveries import ROWS_FOR
from laurel_ingest.application.redeliver_webhooks import RedeliverWebhooks
from laurel_ingest.clients.failed_webhooks import IdentityFailedWebhooks
from laurel_ingest.storage.redelivery_table import RedeliveryTable
from laurel_ingest.telemetry import DeliveryMetrics
from tests.rpc.identity.conftest import running_identity
from tests.rpc.ingest.conftest import Service
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.world import Attempt
from tests.support.ingest_builders import INSTALLATION_ID, REPOSITORY_ID
from tests.support.ingest_webhooks import delivered, hook_commit, hook_push, repository

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DELIVERIES = "/app/hook/deliveries"


@dataclass
class Redelivery:
    """Ingest and identity in earnest, and a GitHub whose webhooks come to this ingest."""

    service: Service
    github: GitHubSimulator
    failed_webhooks: IdentityFailedWebhooks
    redeliver: RedeliverWebhooks
    engine: AsyncEngine

    def replica(self) -> RedeliverWebhooks:
        """The same work in another process."""
        table = RedeliveryTable(self.engine)
        return RedeliverWebhooks(self.failed_webhooks, table, self.service.clock)

    def fail(self, *guids: str, event: str = "push", ago: timedelta = MINUTE, **about: int) -> None:
        """Deliveries that nobody answered some time ago."""
        for guid in guids:
            self.github.world.attempt(guid, event, self.service.clock.now() - ago, 504, **about)

    def asked(self) -> int:
        """How often GitHub was asked to deliver again."""
        return sum(1 for each in self.github.asked if each.path.endswith("/attempts"))

    async def lost(self) -> list[webhook_pb2.Delivery]:
        """What operators find of it."""
        request = webhook_pb2.ListDeliveriesRequest(states=[webhook_pb2.DELIVERY_STATE_LOST])
        return list((await self.service.webhooks().ListDeliveries(request)).deliveries)

    def kept(self) -> list[tuple[str, int]]:
        """What has not come yet, and how often it was asked for."""
        with self.service.database.connect() as connection:
            return connection.execute(
                "SELECT delivery_id, asked_count FROM webhook_redeliveries ORDER BY 1"
            ).fetchall()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url("laurel_ingest"), application_name="test", pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
async def hourly(
    service: Service, engine: AsyncEngine, database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Redelivery]:
    directory = tmp_path / "identity"
    directory.mkdir()
    clock = service.clock
    async with (
        running_github(clock=clock) as github,
        running_identity(database, redis_url, directory, github=github, clock=clock) as identity,
    ):
        channel = identity.server.channel(PrincipalKind.SERVICE, name="ingest")
        failed_webhooks = IdentityFailedWebhooks(channel)

        async def deliver(attempt: Attempt) -> int:
            body = hook_push(hook_commit(attempt.guid))
            gateway = service.webhooks(PrincipalKind.GATEWAY)
            await gateway.ReceiveWebhook(delivered(attempt.event, body, delivery_id=attempt.guid))
            return 200

        github.deliver = deliver
        work = RedeliverWebhooks(failed_webhooks, RedeliveryTable(engine), clock)
        yield Redelivery(service, github, failed_webhooks, work, engine)


async def test_what_could_not_be_delivered_is_asked_for_and_counted_once(
    hourly: Redelivery,
) -> None:
    hourly.fail("lost-1", "lost-2")
    hourly.fail("lost-1", ago=timedelta(0))
    hourly.fail("for-nobody", event="star")
    await hourly.service.deliver("push", hook_push(hook_commit("late")), delivery_id="came-late")
    hourly.fail("came-late")
    await hourly.redeliver()
    assert hourly.asked() == 2
    await hourly.service.inner.webhooks.work(77)
    assert hourly.service.counts() == {"commit": 3}
    # Another turn, also of a process that knows nothing, finds nothing to do.
    await hourly.replica()()
    assert (hourly.asked(), hourly.kept()) == (2, [])


async def test_what_fails_again_is_asked_for_hourly_as_long_as_github_has_it(
    hourly: Redelivery,
) -> None:
    async def fails(_: Attempt) -> int:
        return 503

    hourly.github.deliver = fails
    hourly.fail("down")
    await hourly.redeliver()
    # Too soon: it may be on its way.
    await hourly.redeliver()
    assert hourly.kept() == [("down", 1)]
    for _ in range(2):
        hourly.service.clock.advance(HOUR)
        await hourly.redeliver()
    assert hourly.kept() == [("down", 3)]
    hourly.service.clock.advance(timedelta(days=3))
    await hourly.redeliver()
    assert (hourly.asked(), len(hourly.kept())) == (3, 1)
    first_tried = hourly.service.clock.now() - timedelta(days=3, hours=2, minutes=1)
    hourly.service.clock.advance(4 * HOUR)
    await hourly.redeliver()
    assert (hourly.asked(), hourly.kept()) == (3, [])
    (lost,) = await hourly.lost()
    assert (lost.delivery_id, lost.event, lost.receive_time.ToDatetime(UTC)) == (
        *("down", "push"),
        first_tried,
    )
    assert lost.last_error == "LOST: GitHub could not deliver it; asked for again 3 times"


async def test_what_github_has_no_more_is_not_asked_for_again(hourly: Redelivery) -> None:
    hourly.fail("old")
    hourly.github.faults.add(f"POST {DELIVERIES}", status=404)
    await hourly.redeliver()
    assert hourly.kept() == []
    assert [each.delivery_id for each in await hourly.lost()] == ["old"]
    # It stands in GitHub's list for days, and is not taken for new.
    hourly.service.clock.advance(HOUR)
    await hourly.replica()()
    assert (hourly.asked(), hourly.kept(), len(await hourly.lost())) == (1, [], 1)
    with pytest.raises(RemoteError) as refused:
        await hourly.service.webhooks().ReplayDelivery(
            webhook_pb2.ReplayDeliveryRequest(delivery_id="old")
        )
    assert refused.value.reason == "DELIVERY_BODY_GONE"


async def test_what_was_lost_is_counted_until_it_comes_after_all_or_is_forgotten(
    hourly: Redelivery,
) -> None:
    service, lane = hourly.service, hourly.service.inner.webhooks
    hourly.fail("found", "gone", ago=timedelta(days=1))
    hourly.github.faults.add(f"POST {DELIVERIES}", status=404, times=2)
    await hourly.redeliver()
    await lane.metrics.count()
    assert gauge(lane.metrics) == {"waiting": 0, "parked": 0, "lost": 2}
    answers = [
        (
            await service.deliver("push", hook_push(hook_commit("found")), delivery_id="found")
        ).receipt
        for _ in range(2)
    ]
    assert answers == [
        webhook_pb2.WEBHOOK_RECEIPT_ACCEPTED,
        webhook_pb2.WEBHOOK_RECEIPT_DUPLICATE,
    ]
    await lane.work(77)
    found = await service.delivery("found")
    assert (found.state, found.last_error) == (webhook_pb2.DELIVERY_STATE_DONE, "")
    assert service.counts() == {"commit": 1}
    service.clock.advance(ROWS_FOR)
    await lane.forget_deliveries()
    await lane.metrics.count()
    assert gauge(lane.metrics) == {"waiting": 0, "parked": 0, "lost": 0}


async def test_what_is_lost_is_a_gap_of_what_it_was_about(hourly: Redelivery) -> None:
    service = hourly.service
    second = REPOSITORY_ID + 1
    for number, name in ((REPOSITORY_ID, "rocket"), (second, "shuttle")):
        there = repository(id=number, full_name=f"acme/{name}")
        await service.deliver("push", hook_push(hook_commit(number)) | {"repository": there})
    await service.inner.webhooks.work(77)
    stub = ingest_pb2_grpc.IngestServiceStub(service.server.channel(PrincipalKind.OPERATOR))

    async def gaps() -> list[dict[int, datetime]]:
        request = ingest_runs_pb2.GetCoverageRequest(installation_id=INSTALLATION_ID)
        found = (await stub.GetCoverage(request)).repositories
        assert [each.repository_id for each in found] == [REPOSITORY_ID, second]
        return [
            {gap.reason: gap.last_time.ToDatetime(UTC) for gap in each.gaps if gap.reason == LOST}
            for each in found
        ]

    async def lose(guid: str, **about: Any) -> datetime:
        hourly.fail(guid, **about)
        hourly.github.faults.add(f"POST {DELIVERIES}", status=404)
        await hourly.redeliver()
        return hourly.github.world.attempts[-1].delivered_at

    whose = {"installation_id": INSTALLATION_ID}
    await lose("of-nobody")
    await lose("people", event="membership", **whose)
    await lose("elsewhere", installation_id=4711)
    await lose("unknown", repository_id=4711, **whose)
    assert await gaps() == [{}, {}], "a gap is of what signals depend on, and known"
    one = await lose("known", repository_id=second, **whose)
    assert await gaps() == [{}, {LOST: one}]
    service.clock.advance(timedelta(minutes=5))
    both = await lose("all", event="issues", **whose)
    assert await gaps() == [{LOST: both}, {LOST: both}]
    await lose("older", ago=10 * MINUTE, repository_id=second, **whose)
    assert await gaps() == [{LOST: both}, {LOST: both}]
    asked = ingest_runs_pb2.SummarizeCoverageRequest(installation_id=INSTALLATION_ID)
    assert "2 with lost webhooks" in (await stub.SummarizeCoverage(asked)).summary.line
    listed = {each.delivery_id: each.installation_id for each in await hourly.lost()}
    assert listed == {"of-nobody": 0, "elsewhere": 4711} | dict.fromkeys(
        ("people", "unknown", "known", "all", "older"), INSTALLATION_ID
    )


def gauge(metrics: DeliveryMetrics) -> dict[str, int]:
    """What a scrape shows, by state."""
    (family,) = metrics.collect()
    return {each.labels["state"]: int(each.value) for each in family.samples}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((f"GET {DELIVERIES}", {"status": 502}), id="the list fails"),
        pytest.param((f"POST {DELIVERIES}", {"retry_after": 60}), id="asking is limited"),
        pytest.param((f"POST {DELIVERIES}", {"cut": True}), id="asking is cut off"),
    ],
)
async def test_a_turn_that_breaks_off_is_made_up_for(
    hourly: Redelivery, fault: tuple[str, dict[str, Any]]
) -> None:
    hourly.fail("a", "b")
    hourly.github.faults.add(fault[0], **fault[1])
    await hourly.redeliver()
    hourly.service.clock.advance(HOUR)
    await hourly.redeliver()
    await hourly.service.inner.webhooks.work(77)
    assert hourly.service.counts() == {"commit": 2}
    await hourly.redeliver()
    assert hourly.kept() == []


async def test_a_turn_asks_for_so_many_and_reads_no_further_than_it_must(
    hourly: Redelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redeliver_webhooks, "MOST_ASKED", 3)
    for number in range(105):
        hourly.fail(f"lost-{number:03}", ago=(200 - number) * MINUTE)
    await hourly.redeliver()
    lists = hourly.github.count("GET", DELIVERIES)
    assert (lists, hourly.asked()) == (2, 3)
    oldest = {each.guid for each in hourly.github.world.attempts if each.redelivery}
    assert oldest == {"lost-000", "lost-001", "lost-002"}
    hourly.service.clock.advance(HOUR)
    await hourly.redeliver()
    assert (hourly.github.count("GET", DELIVERIES) - lists, hourly.asked()) == (1, 6)


async def test_the_lane_does_it_hourly(service: Service) -> None:
    tasks = service.inner.webhooks.queue.app.periodic_registry.periodic_tasks.values()
    assert [each.cron for each in tasks] == ["17 * * * *"]


async def test_two_processes_at_once_lose_nothing(hourly: Redelivery) -> None:
    hourly.fail(*(f"lost-{number}" for number in range(5)))
    await asyncio.gather(hourly.redeliver(), hourly.replica()())
    await hourly.service.inner.webhooks.work(77)
    assert hourly.service.counts() == {"commit": 5}
