"""Webhooks that share a commit, and replicas that have the same ones to work on."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from laurel.ingest.v1 import webhook_pb2
from laurel_common.auth.principal import PrincipalKind
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import issue
from tests.support.ingest_webhooks import (
    REAL_INSTALLATION,
    delivered,
    hook_commit,
    hook_push,
    payload,
)
from tests.support.stack_running import until

OPENED = payload(action="opened", issue=issue(updated_at="2021-05-03T10:00:00Z"))
ACCEPTED, DUPLICATE = webhook_pb2.WEBHOOK_RECEIPT_ACCEPTED, webhook_pb2.WEBHOOK_RECEIPT_DUPLICATE
DONE, PARKED = webhook_pb2.DELIVERY_STATE_DONE, webhook_pb2.DELIVERY_STATE_PARKED


async def test_replicas_that_work_on_the_same_deliveries_count_each_once(
    service: Service,
) -> None:
    for number in range(20):
        await service.deliver("push", hook_push(*(hook_commit((number, each)) for each in "ab")))
        await service.deliver("issues", b"{", delivery_id=f"bad-{number}")
    subjects = (REAL_INSTALLATION, 0)
    # As when one is thought to be dead: all of them have every job.
    await asyncio.gather(
        *(service.inner.webhooks.work(subject) for subject in subjects for _ in range(3))
    )
    assert service.counts() == {"commit": 40}
    listed = await service.webhooks().ListDeliveries(webhook_pb2.ListDeliveriesRequest())
    assert sorted(each.state for each in listed.deliveries) == [DONE] * 20 + [PARKED] * 20


@pytest.mark.parametrize("fails", [False, True], ids=["and is done", "and fails"])
async def test_what_is_replayed_while_it_is_worked_off_counts_once_and_is_not_stuck(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    await service.deliver("issues", OPENED, delivery_id="a")
    store, request = service.inner.webhooks.work._store, webhook_pb2.ReplayDeliveryRequest
    sound = store.store

    async def replayed_meanwhile(*told: Any) -> Any:
        answer = await service.webhooks().ReplayDelivery(request(delivery_id="a"))
        assert answer.delivery.state == webhook_pb2.DELIVERY_STATE_WAITING
        if fails:
            raise ZeroDivisionError
        return await sound(*told)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store, "store", replayed_meanwhile)
        await service.inner.webhooks.work(REAL_INSTALLATION)
    service.clock.advance(timedelta(minutes=11))
    await service.inner.webhooks.work(REAL_INSTALLATION)
    assert (await service.delivery("a")).state == DONE
    assert service.counts() == {"issue_open": 1}


async def test_a_caller_that_cancels_takes_nothing_from_those_that_share_its_commit(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = service.inner.webhooks.servicer[1]._receive._inbox._group
    write, begun, go = group._write, asyncio.Event(), asyncio.Event()
    sizes: list[int] = []

    async def held(items: Any) -> Any:
        sizes.append(len(items))
        begun.set()
        await go.wait()
        return await write(items)

    monkeypatch.setattr(group, "_write", held)
    gateway = service.webhooks(PrincipalKind.GATEWAY)
    first = asyncio.ensure_future(
        gateway.ReceiveWebhook(delivered("issues", OPENED, delivery_id="first"))
    )
    await begun.wait()
    calls = [
        asyncio.ensure_future(
            gateway.ReceiveWebhook(delivered("issues", OPENED, delivery_id=f"shared-{number}"))
        )
        for number in range(3)
    ]
    await until(lambda: len(group._waiting) == 3, "all of them wait for the next commit")
    calls[1].cancel()
    waits = [future for _, future in group._waiting]
    await until(lambda: any(each.cancelled() for each in waits), "the server has heard of it")
    go.set()
    answers = await asyncio.gather(first, calls[0], calls[2])
    assert [each.receipt for each in answers] == [ACCEPTED] * 3
    assert sizes == [1, 3]
    # What it told is kept: whoever asks again learns so.
    again = await service.deliver("issues", OPENED, delivery_id="shared-1")
    assert again.receipt == DUPLICATE
