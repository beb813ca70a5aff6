"""WatchLeaderboard over the wire: each change once, whoever watches and however slowly."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from laurel.leaderboard.v1 import leaderboard_pb2 as pb
from laurel.leaderboard.v1 import leaderboard_pb2_grpc
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.application import board_changes
from laurel_leaderboard.domain.boards import EntityType, TimePeriod
from tests.rpc.leaderboard.conftest import Service, running_service
from tests.support.database import Database
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    BoardOf,
    board_message,
    stream_of,
)
from tests.support.unread import ended, unread

pytestmark = pytest.mark.asyncio(loop_scope="module")
REPOSITORIES = CONTRIBUTORS._replace(entity_type=EntityType.REPOSITORY)


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


async def publish(service: Service, scores: dict[int, int], key: Any = CONTRIBUTORS) -> int:
    """Publishes a version; its id."""
    as_of = service.clock.advance(timedelta(minutes=1))
    await service.publish(*stream_of(BoardOf(scores, key), as_of=as_of))
    request = pb.GetLeaderboardRequest(board=board_message(key))
    return (await service.boards.GetLeaderboard(request)).materialization_id


def watch(stub: Any, since: int = 0, key: Any = CONTRIBUTORS) -> Any:
    request = pb.WatchLeaderboardRequest(board=board_message(key), materialization_id=since)
    return stub.WatchLeaderboard(request)


async def told(stream: Any) -> pb.WatchLeaderboardResponse:
    """The next message."""
    async with asyncio.timeout(30):
        message: pb.WatchLeaderboardResponse = await anext(aiter(stream))
        return message


async def watched_by(service: Service, number: int) -> None:
    while service.inner.metrics.statistics.watchers != number:
        await asyncio.sleep(0.01)


async def test_a_watcher_is_told_of_the_version_and_then_of_each_change(service: Service) -> None:
    first = await publish(service, {1: 30, 2: 20, 3: 10})
    stream = watch(service.boards)
    message = await told(stream)
    assert (message.version.materialization_id, message.base_materialization_id) == (first, 0)
    assert not message.entries
    second = await publish(service, {1: 30, 3: 25, 4: 5})
    message = await told(stream)
    assert (message.version.materialization_id, message.base_materialization_id) == (second, first)
    shown = [(e.rank, e.entity.id, e.entity.login, e.score_e4) for e in message.entries]
    assert shown == [(2, 3, "contributor-3", 25), (3, 4, "contributor-4", 5)]
    assert [entity.login for entity in message.left_entities] == ["contributor-2"]
    assert not message.truncated
    stream.cancel()
    await watched_by(service, 0)


async def test_a_watch_goes_on_from_the_version_that_the_caller_has(service: Service) -> None:
    first = await publish(service, {1: 30, 2: 20})
    await publish(service, {1: 30, 2: 21})
    third = await publish(service, {1: 30, 2: 22})
    stream = watch(service.boards, first)
    message = await told(stream)
    assert (message.version.materialization_id, message.base_materialization_id) == (third, first)
    assert [entry.score_e4 for entry in message.entries] == [22]
    stream.cancel()
    # Whoever has the current version hears nothing until there is another.
    stream = watch(service.boards, third)
    await watched_by(service, 1)
    fourth = await publish(service, {1: 99})
    message = await told(stream)
    assert (message.version.materialization_id, message.base_materialization_id) == (fourth, third)
    stream.cancel()


async def test_what_is_not_kept_any_more_is_read_anew(service: Service) -> None:
    first = await publish(service, {1: 30})
    second = await publish(service, {1: 31})
    service.clock.advance(timedelta(hours=25))
    stream = watch(service.boards, first)
    message = await told(stream)
    assert (message.version.materialization_id, message.base_materialization_id) == (second, 0)
    stream.cancel()


async def test_many_changes_are_told_of_in_part(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_changes, "MAX_CHANGES", 3)
    first = await publish(service, dict.fromkeys(range(1, 9), 5))
    await publish(service, {number: 10 + number for number in range(1, 9)})
    stream = watch(service.boards, first)
    message = await told(stream)
    assert message.truncated
    assert [entry.entity.id for entry in message.entries] == [8, 7, 6]
    stream.cancel()


async def test_what_is_hidden_has_no_name_for_a_watcher(service: Service) -> None:
    first = await publish(service, {901: 30, 902: 20, 903: 10}, REPOSITORIES)
    await publish(service, {901: 31, 903: 11}, REPOSITORIES)
    for hidden, ids, left in (
        ({901}, [0, 903], [902]),
        ({902, 903}, [901, 0], [0]),
        (set(), [901, 903], [902]),
    ):
        stream = watch(
            service.user(Access(hidden_repositories=frozenset(hidden))), first, REPOSITORIES
        )
        message = await told(stream)
        assert [entry.entity.id for entry in message.entries] == ids
        assert [entity.id for entity in message.left_entities] == left
        assert [bool(entry.entity.login) for entry in message.entries] == list(map(bool, ids))
        stream.cancel()
    outside = service.user(Access(readable_repositories=frozenset({901})))
    assert await refused(watch(outside, 0, REPOSITORIES)) == ("NOT_FOUND", "BOARD_NOT_FOUND")


async def test_one_who_may_not_see_the_board_any_more_is_sent_away(service: Service) -> None:
    await publish(service, {901: 30}, REPOSITORIES)
    stub = service.user(Access())
    stream = watch(stub, 0, REPOSITORIES)
    await told(stream)
    for token in service.users.by_token:
        service.users.by_token[token] = Access(readable_repositories=frozenset())

    async def go_on() -> None:
        for score in range(1000):
            await publish(service, {901: score}, REPOSITORIES)
            await told(stream)

    # What has changed is found out while the stream lasts.
    with pytest.raises(RemoteError) as failed:
        await go_on()
    assert (failed.value.code, failed.value.reason) == ("NOT_FOUND", "BOARD_NOT_FOUND")


async def test_a_board_that_goes_ends_its_watches(
    service: Service, module_database: Database
) -> None:
    await publish(service, {1: 30})
    stream = watch(service.boards)
    await told(stream)
    with module_database.connect() as connection:
        connection.execute("DELETE FROM leaderboard_materializations")
    await service.redis_emptied()
    service.inner.pointers.expire()
    service.inner.watch.wake()
    assert await refused(stream) == ("NOT_FOUND", "BOARD_NOT_FOUND")


async def test_a_change_is_computed_once_for_all_who_watch(service: Service) -> None:
    await publish(service, {1: 30, 2: 20})
    streams = [watch(service.boards) for _ in range(300)]
    await asyncio.gather(*map(told, streams))
    before = service.inner.metrics.statistics.changes_computed
    last = 0
    for score in range(5):
        last = await publish(service, {1: 30, 2: 21 + score})

    async def until_last(stream: Any) -> list[int]:
        seen = list[int]()
        while not seen or seen[-1] != last:
            seen.append((await told(stream)).version.materialization_id)
        return seen

    for seen in await asyncio.gather(*map(until_last, streams)):
        assert seen == sorted(set(seen))
    # Those who were slower than a publish skip what lay between: a few ways to the last version.
    assert service.inner.metrics.statistics.changes_computed - before <= 15
    for stream in streams:
        stream.cancel()
    await watched_by(service, 0)


@pytest.fixture
async def impatient(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that waits 2 seconds for a watcher, and lets 60 in, 50 of one installation."""
    async with running_service(
        database,
        redis_url,
        tmp_path,
        watcher_patience_seconds=2,
        watchers_each=50,
        watchers_together=60,
    ) as running:
        yield running


@pytest.mark.asyncio(loop_scope="function")
async def test_one_who_takes_nothing_is_told_so_and_nobody_else_is_held_up(
    impatient: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impatient.profiles, "name_of", lambda id_: f"{id_} " * 200)
    cut_offs = impatient.server.server.metrics.cut_offs
    last = await publish(impatient, dict.fromkeys(range(1, 21), 5))
    fast = [watch(impatient.boards) for _ in range(30)]
    await asyncio.gather(*map(told, fast))
    async with unread(impatient.server) as caller:
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(caller.channel)
        request = pb.WatchLeaderboardRequest(board=board_message())
        slow = [caller.watch(stub.WatchLeaderboard, request) for _ in range(5)]
        await asyncio.gather(*map(told, slow))
        await watched_by(impatient, 35)

        told_of = [list[int]() for _ in fast]
        followers = [asyncio.create_task(follow(*each)) for each in zip(fast, told_of, strict=True)]
        score = 6
        async with asyncio.timeout(60):
            while cut_offs.total() < 5:
                last = await publish(impatient, dict.fromkeys(range(1, 21), score))
                score += 1
            await watched_by(impatient, 30)
            while any(seen[-1] != last for seen in told_of):
                await asyncio.sleep(0.01)
        # The reason lies behind what was not taken: some versions of the many that there were.
        for call in slow:
            taken, why = await ended(call)
            assert why == ("RESOURCE_EXHAUSTED", "READER_TOO_SLOW")
            assert len(taken) < score - 6
        # The server stops: everybody was told all, and why there is no more.
        impatient.server.server.endless.stop()
        await asyncio.gather(*followers)
        assert all(seen == sorted(set(seen)) for seen in told_of)


@pytest.mark.asyncio(loop_scope="function")
async def test_so_many_may_watch(impatient: Service) -> None:
    await publish(impatient, {1: 30})
    streams = [watch(impatient.boards) for _ in range(50)]
    await asyncio.gather(*map(told, streams))
    assert await refused(watch(impatient.boards)) == ("RESOURCE_EXHAUSTED", "INSTALLATION_BUSY")
    for stream in streams:
        stream.cancel()
    await watched_by(impatient, 0)


async def follow(stream: Any, seen: list[int]) -> None:
    """Keeps what it is told of, until the server stops."""

    async def to_its_end() -> None:
        async for message in stream:
            seen.extend([message.version.materialization_id])

    with pytest.raises(RemoteError) as stopped:
        await to_its_end()
    assert (stopped.value.code, stopped.value.reason) == ("UNAVAILABLE", "NOT_SERVING")


@pytest.mark.asyncio(loop_scope="function")
async def test_so_many_watch_altogether(database: Database, redis_url: str, tmp_path: Path) -> None:
    async with running_service(
        database, redis_url, tmp_path, watchers_each=2, watchers_together=1
    ) as service:
        await publish(service, {1: 30})
        stream = watch(service.boards)
        await told(stream)
        assert await refused(watch(service.boards)) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        stream.cancel()


async def refused(stream: Any) -> tuple[str, str]:
    with pytest.raises(RemoteError) as failed:
        await told(stream)
    return failed.value.code, failed.value.reason


async def test_what_is_not_there_is_not_watched(service: Service) -> None:
    assert await refused(watch(service.boards)) == ("NOT_FOUND", "BOARD_NOT_FOUND")
    months = CONTRIBUTORS._replace(time_period=TimePeriod.MONTH)
    other = await publish(service, {1: 1}, months)
    await publish(service, {1: 1})
    for wanted in (other, 10**9):
        assert await refused(watch(service.boards, wanted)) == ("NOT_FOUND", "VERSION_NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"board": None}, "board"), ({"materialization_id": -1}, "materialization_id")],
    ids=str,
)
async def test_a_faulty_request_names_its_fields(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    values: dict[str, Any] = {"board": board_message()} | fields
    with pytest.raises(RemoteError) as failed:
        await told(service.boards.WatchLeaderboard(pb.WatchLeaderboardRequest(**values)))
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        (PrincipalKind.BACKEND, {"installations": [5]}, "INSTALLATION_NOT_COVERED"),
        (PrincipalKind.SERVICE, {}, "CALLER_NOT_ALLOWED"),
        (PrincipalKind.GATEWAY, {}, "CALLER_NOT_ALLOWED"),
    ],
)
async def test_others_watch_nothing(
    service: Service, kind: PrincipalKind, options: dict[str, Any], reason: str
) -> None:
    channel = service.channel(kind, name=f"some-{kind}", **options)
    stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
    assert board_message().installation_id == INSTALLATION
    assert await refused(watch(stub)) == ("PERMISSION_DENIED", reason)
