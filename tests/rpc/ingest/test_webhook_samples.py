"""Real payloads of every event, and payloads with anything in them: nobody's harm."""

import asyncio
import copy
import json
from collections import Counter
from typing import Any, Final

import orjson
import pytest

from laurel.ingest.v1 import webhook_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_ingest.domain.deliveries import is_worked_on
from laurel_ingest.domain.webhook_events import HANDLERS
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import ALICE, issue, pull, sha
from tests.support.ingest_webhooks import delivered, hook_commit, hook_push, payload, repository
from tests.support.shared import shared_data
from tests.support.spoiling import places

MISSING: Final = object()
DEEP: Final = json.loads("[" * 300 + "]" * 300)
JUNK: Final[tuple[Any, ...]] = (
    *(MISSING, None, -1, 2**70, "\0", [], {}, [[]], DEEP, "x" * 9_000, "x" * 100_000),
)
ACCEPTED, IGNORED = webhook_pb2.WEBHOOK_RECEIPT_ACCEPTED, webhook_pb2.WEBHOOK_RECEIPT_IGNORED


async def deliver_all(service: Service, hooks: list[tuple[str, Any]]) -> list[int]:
    """The receipts, each delivery under its place as id, many at once."""
    gateway, turns = service.webhooks(PrincipalKind.GATEWAY), asyncio.Semaphore(32)

    async def deliver(place: int, event: str, body: Any) -> int:
        async with turns:
            request = delivered(event, body, delivery_id=str(place))
            return (await gateway.ReceiveWebhook(request)).receipt

    return await asyncio.gather(
        *(deliver(place, event, body) for place, (event, body) in enumerate(hooks))
    )


async def work_all(service: Service) -> None:
    with service.database.connect() as connection:
        subjects = connection.execute(
            "SELECT DISTINCT subject_id FROM webhook_deliveries WHERE state = 'waiting'"
        ).fetchall()
    for (subject,) in subjects:
        await service.inner.webhooks.work(subject)


def states(service: Service) -> dict[str, Counter[str]]:
    """By event, how many deliveries are in which state."""
    found: dict[str, Counter[str]] = {}
    with service.database.connect() as connection:
        for event, state in connection.execute("SELECT event, state FROM webhook_deliveries"):
            found.setdefault(event, Counter())[state] += 1
    return found


def signals(service: Service) -> list[tuple[Any, ...]]:
    with service.database.connect() as connection:
        return connection.execute(
            "SELECT type::text, coalesce(metadata ->> 'object_id', metadata ->> 'number'), user_id,"
            " event_timestamp::text FROM signals ORDER BY type, 2, user_id"
        ).fetchall()


async def test_every_sample_is_acknowledged_and_comes_to_its_signals(service: Service) -> None:
    hooks = [(each["name"], body) for each in samples() for body in each["examples"]]
    receipts = await deliver_all(service, hooks)
    assert receipts == [ACCEPTED if is_worked_on(event) else IGNORED for event, _ in hooks]
    await work_all(service)
    for event, counted in states(service).items():
        assert set(counted) == {"done" if is_worked_on(event) else "ignored"}, event
    # The issue, its comment and the line's comment were deleted in the end.
    assert signals(service) == [
        ("commit", "6113728f27ae82c7b1a177c8d03f9e96e0adf246", 21031067, "2019-05-15 15:19:25+00"),
        ("pr_close_no_merge", "2", 21031067, "2019-05-15 15:21:18+00"),
        ("pr_open", "2", 21031067, "2019-05-15 15:20:33+00"),
        ("review", "237895671", 21031067, "2019-05-15 15:20:38+00"),
    ]


async def test_payloads_with_junk_in_them_are_done_or_parked_and_harm_nobody(
    service: Service,
) -> None:
    sound = every_kind()
    assert sound.keys() == HANDLERS.keys()
    hooks: list[tuple[str, Any]] = []
    for event, body in sound.items():
        hooks += [(event, put(body, path, junk)) for path in places(body) for junk in JUNK]
        hooks += [(event, body) for body in (b"", b"null", b"[" * 100_000, b"{}", b'{"a": NaN}')]
    hooks += [
        (
            "issues",
            payload(action="opened", issue=issue(number, updated_at="2021-05-03T10:00:00Z")),
        )
        for number in range(1_001, 1_031)
    ]
    hooks = hooks[::7] + hooks[-30:]
    assert set(await deliver_all(service, hooks)) == {ACCEPTED}
    await work_all(service)
    counted = sum(states(service).values(), Counter[str]())
    assert counted.keys() == {"done", "parked"}
    assert counted["parked"] > 20
    opened = {row[1] for row in signals(service) if row[0] == "issue_open"}
    assert {str(number) for number in range(1_001, 1_031)} <= opened


async def test_a_worker_that_dies_after_a_batch_was_written_loses_and_doubles_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = [("push", hook_push(*(hook_commit((n, each)) for each in range(3)))) for n in range(5)]
    await deliver_all(service, list(hooks))
    work = service.inner.webhooks.work

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    for method in ("finish", "park"):
        with monkeypatch.context() as broken:
            broken.setattr(work._inbox, method, dies)
            with pytest.raises(asyncio.CancelledError):
                await work_all(service)
    assert states(service) == {"push": Counter(waiting=5)}
    await work_all(service)
    assert states(service) == {"push": Counter(done=5)}
    assert service.counts() == {"commit": 15}


def every_kind() -> dict[str, dict[str, Any]]:
    """A sound payload of each event that is read here."""
    at = "2021-05-03T10:00:00Z"
    said = {"id": 900, "user": ALICE, "created_at": at, "updated_at": at, "body": "Why?"}
    review = said | {"state": "approved", "submitted_at": at}
    base = {"repo": repository(), "ref": "main", "sha": sha("base")}
    about = {"pull_request": pull(updated_at=at, base=base)}
    return {
        "issues": payload(action="opened", issue=issue(updated_at=at)),
        "push": hook_push(hook_commit(1)),
        "pull_request": payload(action="opened", **about),
        "pull_request_review": payload(action="submitted", review=review, **about),
        "pull_request_review_comment": payload(action="created", comment=said, **about),
        "issue_comment": payload(action="created", issue=issue(updated_at=at), comment=said),
        "repository": payload(action="edited"),
    }


def samples() -> Any:
    return orjson.loads(shared_data("webhooks/octokit-examples.json").read_bytes())


def put(body: Any, path: tuple[Any, ...], junk: Any) -> bytes:
    """The body as JSON with junk in one place; numbers beyond 64 bits included."""
    whole = copy.deepcopy(body)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    if junk is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = junk
    return json.dumps(whole).encode()
