"""WebhookService: taken in, worked off, listed, replayed."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from laurel.ingest.v1 import webhook_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import DependencyUnavailable, RemoteError
from laurel_ingest.application.forget_deliveries import BODIES_FOR, ROWS_FOR
from laurel_ingest.domain.deliveries import MAX_ATTEMPTS
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import INSTALLATION_ID, issue, pull
from tests.support.ingest_webhooks import (
    REAL_INSTALLATION,
    SECRETS,
    delivered,
    hook_commit,
    hook_push,
    payload,
    repository,
)

OPENED = payload(action="opened", issue=issue(updated_at="2021-05-03T10:00:00Z"))
ACCEPTED, DUPLICATE, IGNORED = (
    webhook_pb2.WEBHOOK_RECEIPT_ACCEPTED,
    webhook_pb2.WEBHOOK_RECEIPT_DUPLICATE,
    webhook_pb2.WEBHOOK_RECEIPT_IGNORED,
)
WAITING, DONE, PARKED = (
    webhook_pb2.DELIVERY_STATE_WAITING,
    webhook_pb2.DELIVERY_STATE_DONE,
    webhook_pb2.DELIVERY_STATE_PARKED,
)


async def work(service: Service) -> None:
    await service.inner.webhooks.work(REAL_INSTALLATION)


async def states(service: Service) -> dict[str, int]:
    listed = await service.webhooks().ListDeliveries(webhook_pb2.ListDeliveriesRequest())
    return {each.delivery_id: each.state for each in listed.deliveries}


async def test_a_delivery_is_stored_then_worked_on_then_its_boards_follow(
    service: Service,
) -> None:
    push = hook_push(hook_commit(1), hook_commit(2))
    answer = await service.deliver("push", push, delivery_id="a")
    assert (answer.delivery_id, answer.receipt) == ("a", ACCEPTED)
    kept = await service.delivery("a")
    assert (kept.state, kept.event, kept.installation_id) == (WAITING, "push", REAL_INSTALLATION)
    assert kept.next_attempt_time == kept.receive_time

    service.inner.webhooks.start()
    async with asyncio.timeout(20):
        while not service.recorded.asked:
            await asyncio.sleep(0.01)
    assert service.recorded.asked == [INSTALLATION_ID]
    assert service.counts() == {"commit": 2}
    kept = await service.delivery("a")
    assert (kept.state, kept.attempt_count, kept.last_error) == (DONE, 0, "")


async def test_what_comes_twice_counts_once_and_what_nobody_needs_is_counted(
    service: Service,
) -> None:
    assert (await service.deliver("issues", OPENED, delivery_id="a")).receipt == ACCEPTED
    assert (await service.deliver("issues", OPENED, delivery_id="a")).receipt == DUPLICATE
    assert (await service.deliver("star", payload(action="created"))).receipt == IGNORED
    await work(service)
    assert (await service.deliver("issues", OPENED, delivery_id="a")).receipt == DUPLICATE
    assert (await service.deliver("issues", OPENED)).receipt == ACCEPTED
    await work(service)
    assert service.counts() == {"issue_open": 1}
    ignored = webhook_pb2.ListDeliveriesRequest(states=[webhook_pb2.DELIVERY_STATE_IGNORED])
    (kept,) = (await service.webhooks().ListDeliveries(ignored)).deliveries
    assert (kept.event, kept.action) == ("star", "created")


async def test_while_secrets_are_rotated_both_are_good_and_none_needs_a_restart(
    service: Service, tmp_path: Path
) -> None:
    for secret in SECRETS:
        assert (await service.deliver("issues", OPENED, secret=secret)).receipt == ACCEPTED
    (tmp_path / "secrets").write_text("a-secret-of-the-future")
    async with asyncio.timeout(20):
        taken = False
        while not taken:
            try:
                await service.deliver("issues", OPENED, secret="a-secret-of-the-future")
                taken = True
            except RemoteError:
                await asyncio.sleep(0.05)
    for secret in SECRETS:
        with pytest.raises(RemoteError) as refused:
            await service.deliver("issues", OPENED, secret=secret)
        assert refused.value.reason == "WEBHOOK_REFUSED"


UNSIGNED, INVALID = (
    ("PERMISSION_DENIED", "WEBHOOK_REFUSED"),
    ("INVALID_ARGUMENT", "INVALID_REQUEST"),
)


async def test_what_is_no_delivery_of_githubs_is_refused_and_not_kept(service: Service) -> None:
    cases: list[tuple[dict[str, str], tuple[str, str]]] = [
        ({"secret": "another"}, UNSIGNED),
        ({"X-Hub-Signature-256": ""}, UNSIGNED),
        ({"X-Hub-Signature-256": "sha256=\u00e9"}, UNSIGNED),
        ({"X-GitHub-Delivery": ""}, INVALID),
        ({"X-GitHub-Event": ""}, INVALID),
        ({"X-GitHub-Event": "pu\tsh"}, INVALID),
        ({"X-GitHub-Event": "x" * 129}, INVALID),
    ]
    for changes, expected in cases:
        with pytest.raises(RemoteError) as refused:
            await service.deliver("issues", OPENED, **changes)
        assert (refused.value.code, refused.value.reason) == expected, changes
    assert await states(service) == {}


async def test_without_a_secret_every_delivery_is_refused(service: Service) -> None:
    receive = service.inner.webhooks.servicer[1]._receive
    receive._secrets = list
    with pytest.raises(RemoteError) as refused:
        await service.deliver("issues", OPENED)
    assert (refused.value.code, refused.value.reason) == (
        "FAILED_PRECONDITION",
        "WEBHOOK_SECRET_MISSING",
    )


async def test_a_body_that_cannot_be_read_is_acknowledged_parked_and_in_nobodys_way(
    service: Service,
) -> None:
    bad = {
        "cut": b'{"action": "ope',
        "deep": b"[" * 200_000,
        "bare": b"null",
        "empty": b"",
        "odd": payload(action="opened", issue={"number": "7"}),
    }
    for name, body in bad.items():
        await service.deliver("issues", body, delivery_id=name)
    await service.deliver("issues", OPENED, delivery_id="good")
    for subject in (REAL_INSTALLATION, 0):
        await service.inner.webhooks.work(subject)
    assert await states(service) == dict.fromkeys(bad, PARKED) | {"good": DONE}
    assert (await service.delivery("odd")).last_error == "malformed_payload: number is not an id"
    assert service.counts() == {"issue_open": 1}


async def test_a_whole_large_body_is_taken(service: Service) -> None:
    large = hook_push(*(hook_commit(each, "x" * 10_000) for each in range(2_000)))
    assert (await service.deliver("push", large, delivery_id="a")).receipt == ACCEPTED
    await work(service)
    assert service.counts() == {"commit": 2_000}
    assert (await service.delivery("a")).body_bytes > 20_000_000


async def test_what_is_needed_and_away_is_waited_for_and_costs_no_attempt(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DependencyUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(service.directory, "enter_owners", away)
        await service.deliver("issues", OPENED, delivery_id="a")
        await work(service)
    kept = await service.delivery("a")
    assert (kept.state, kept.attempt_count) == (WAITING, 0)
    assert kept.last_error.startswith("DEPENDENCY_UNAVAILABLE: ")
    await work(service)
    assert service.counts() == {}
    service.clock.advance(timedelta(seconds=3))
    await work(service)
    assert (await service.delivery("a")).state == DONE
    assert service.counts() == {"issue_open": 1}


async def test_what_fails_again_and_again_is_parked_alone_and_can_be_replayed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = payload(action="opened", pull_request=pull(13, updated_at="2021-05-03T10:00:00Z"))
    await service.deliver("pull_request", bad, delivery_id="bad")
    await service.deliver("issues", OPENED, delivery_id="good")
    store = service.inner.webhooks.work._store
    sound = store.store

    async def breaks(told: Any, *rest: Any) -> Any:
        if any(key[2] == "13" for key in told.facts):
            raise ZeroDivisionError("of somebody's private title")
        return await sound(told, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(store, "store", breaks)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            await work(service)
            kept = await service.delivery("bad")
            assert kept.attempt_count == attempt
            assert kept.last_error == "unforeseen: ZeroDivisionError"
            service.clock.advance(timedelta(minutes=11))
    assert kept.state == PARKED
    assert (await service.delivery("good")).state == DONE
    assert service.counts() == {"issue_open": 1}

    request = webhook_pb2.ReplayDeliveryRequest(delivery_id="bad")
    replayed = (await service.webhooks().ReplayDelivery(request)).delivery
    assert (replayed.state, replayed.attempt_count, replayed.last_error) == (WAITING, 0, "")
    await work(service)
    assert (await service.delivery("bad")).state == DONE
    assert service.counts() == {"issue_open": 1, "pr_open": 1}


async def test_bodies_go_a_week_after_success_rows_later_and_parked_ones_stay(
    service: Service,
) -> None:
    await service.deliver("issues", OPENED, delivery_id="done")
    await service.deliver("issues", payload(action="opened"), delivery_id="parked")
    await work(service)
    forget = service.inner.webhooks.forget_deliveries
    service.clock.advance(BODIES_FOR - timedelta(seconds=1))
    await forget()
    await service.webhooks().ReplayDelivery(webhook_pb2.ReplayDeliveryRequest(delivery_id="done"))
    await work(service)

    service.clock.advance(BODIES_FOR + timedelta(seconds=1))
    await forget()
    for delivery_id, reason in (("done", "DELIVERY_BODY_GONE"), ("none", "DELIVERY_NOT_FOUND")):
        with pytest.raises(RemoteError) as refused:
            await service.webhooks().ReplayDelivery(
                webhook_pb2.ReplayDeliveryRequest(delivery_id=delivery_id)
            )
        assert refused.value.reason == reason
    assert await states(service) == {"done": DONE, "parked": PARKED}
    service.clock.advance(ROWS_FOR)
    await forget()
    assert await states(service) == {"parked": PARKED}


async def test_scoring_is_told_once_it_is_back_and_only_of_changes(service: Service) -> None:
    follow = service.inner.webhooks.follow_boards
    service.recorded.away = True
    await service.deliver("issues", OPENED)
    await work(service)
    await follow()
    service.recorded.away = False
    await follow()
    await follow()
    assert service.recorded.asked == [INSTALLATION_ID]
    await service.deliver("issues", OPENED)
    await work(service)
    await follow()
    assert service.recorded.asked == [INSTALLATION_ID]


async def test_what_is_identitys_is_handed_on_byte_for_byte_and_a_repository_is_read_here_too(
    service: Service,
) -> None:
    renamed = payload(action="renamed") | {"repository": repository(full_name="acme/shuttle")}
    installation = payload(action="created")
    await service.deliver("installation", installation, delivery_id="i")
    await service.deliver("repository", renamed, delivery_id="r")
    away = RemoteError("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "away")
    invalid = RemoteError("INVALID_ARGUMENT", "INVALID_REQUEST", "no such event")
    service.identity.refusal = away
    await work(service)
    assert await states(service) == {"i": WAITING, "r": WAITING}

    service.identity.refusal = None
    service.clock.advance(timedelta(seconds=3))
    await work(service)
    assert await states(service) == {"i": DONE, "r": DONE}
    assert service.identity.told == [
        ("installation", orjson.dumps(installation)),
        ("repository", orjson.dumps(renamed)),
    ]
    with service.database.connect() as connection:
        names = connection.execute("SELECT full_name FROM repositories").fetchall()
    assert names == [("acme/shuttle",)]

    service.identity.refusal = invalid
    await service.deliver("team", payload(action="created"), delivery_id="t")
    await work(service)
    kept = await service.delivery("t")
    assert (kept.state, kept.last_error) == (PARKED, "INVALID_REQUEST: no such event")


async def test_deliveries_are_listed_page_by_page_and_by_filter(service: Service) -> None:
    for number in range(5):
        await service.deliver("issues", OPENED, delivery_id=f"d{number}")
        service.clock.advance(timedelta(minutes=1))
    stub, seen, token = service.webhooks(), [], ""
    while True:
        request = webhook_pb2.ListDeliveriesRequest(page_size=2, page_token=token, event="issues")
        page = await stub.ListDeliveries(request)
        seen += [each.delivery_id for each in page.deliveries]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["d4", "d3", "d2", "d1", "d0"]

    one = (await service.delivery("d1")).receive_time
    for filters, expected in (
        ({"event": "push"}, []),
        ({"installation_id": REAL_INSTALLATION + 1}, []),
        ({"states": [DONE, PARKED]}, []),
        ({"end_time": one}, ["d0"]),
        ({"start_time": one, "page_size": 1000}, ["d4", "d3", "d2", "d1"]),
    ):
        found = await stub.ListDeliveries(webhook_pb2.ListDeliveriesRequest(**filters))
        assert [each.delivery_id for each in found.deliveries] == expected
    whole = webhook_pb2.ListDeliveriesRequest(page_size=2, event="issues")
    token = (await stub.ListDeliveries(whole)).next_page_token
    for filters in (
        {"page_token": "x"},
        {"page_token": token, "event": "push"},
        {"page_token": token, "event": "issues", "installation_id": REAL_INSTALLATION},
    ):
        with pytest.raises(RemoteError) as refused:
            await stub.ListDeliveries(webhook_pb2.ListDeliveriesRequest(**filters))
        assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_the_gateway_delivers_and_operators_look(service: Service) -> None:
    allowed = {PrincipalKind.GATEWAY: {"receive"}, PrincipalKind.OPERATOR: {"list", "replay"}}
    for kind in set(PrincipalKind) - {PrincipalKind.USER}:  # users: tests/rpc/common
        stub = service.webhooks(kind)
        calls: dict[str, Awaitable[object]] = {
            "receive": stub.ReceiveWebhook(delivered("star", payload())),
            "list": stub.ListDeliveries(webhook_pb2.ListDeliveriesRequest()),
            "replay": stub.ReplayDelivery(webhook_pb2.ReplayDeliveryRequest(delivery_id="x")),
        }
        refused = set()
        for name, call in calls.items():
            try:
                await call
            except RemoteError as error:
                refused |= {name} if error.reason == "CALLER_NOT_ALLOWED" else set()
        assert refused == calls.keys() - allowed.get(kind, set()), kind
