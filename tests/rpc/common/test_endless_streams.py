"""Streams on which callers wait for news: what ends them, and that it has a reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from laurel_common.errors import RemoteError
from laurel_common.testing.server import TestKeys, default_settings
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import NAME, EchoServicer, pb, pb_grpc
from tests.support.stack_running import until
from tests.support.unread import WINDOW, ended, unread

LARGE = "x" * WINDOW
TOO_SLOW = ("RESOURCE_EXHAUSTED", "READER_TOO_SLOW")
STOPPING = ("UNAVAILABLE", "NOT_SERVING")


class News(EchoServicer):
    """Repeats the request to one who begins to watch, and then tells all of each piece of news,
    also one who was still busy with the piece before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pieces = 0
        self.told = asyncio.Condition()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - the contract's
        seen = self.pieces
        yield pb.EchoResponse(text=request.text)
        while True:
            async with self.told:
                while self.pieces <= seen:
                    await self.told.wait()
            seen += 1
            yield pb.EchoResponse(text=LARGE)

    async def tell(self) -> None:
        async with self.told:
            self.pieces += 1
            self.told.notify_all()


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    return default_settings(TestKeys(tmp_path), watcher_patience_seconds=0.5)


async def test_one_who_takes_nothing_learns_why_it_was_ended_and_nobody_else_notices(
    start: Start, settings: Any
) -> None:
    news = News()
    running = await start(news, settings=settings)
    stub = pb_grpc.EchoServiceStub(running.channel())
    streams = [aiter(stub.Watch(pb.EchoRequest())) for _ in range(20)]
    cut_offs, path, told = running.server.metrics.cut_offs, f"/{NAME}/Watch", 0
    async with unread(running) as caller:
        slow = caller.watch(pb_grpc.EchoServiceStub(caller.channel).Watch, pb.EchoRequest())
        for stream in (*streams, aiter(slow)):
            assert (await anext(stream)).text == ""
        while not cut_offs[path]:
            told += 1
            await news.tell()
            for stream in streams:
                assert (await anext(stream)).text == LARGE
        taken, why = await ended(slow)
    assert why == TOO_SLOW
    assert 0 < len(taken) < told
    assert cut_offs[path] == 1


async def test_one_who_was_ended_holds_its_place_until_it_takes_the_reason_or_goes(
    start: Start, settings: Any
) -> None:
    running = await start(News(), settings=settings.replaced(max_concurrent_streams=2))
    stub = pb_grpc.EchoServiceStub(running.channel())

    held: list[Any] = []

    async def let_in() -> bool:
        stream = stub.Watch(pb.EchoRequest())
        try:
            held.append((stream, await anext(aiter(stream))))
        except RemoteError as refused:
            return refused.reason != "OVERLOADED"
        return True

    async with unread(running) as staying, unread(running) as going:
        # Not even the first message is taken.
        slow = [
            each.watch(pb_grpc.EchoServiceStub(each.channel).Watch, pb.EchoRequest(text=LARGE))
            for each in (staying, going)
        ]
        await until(lambda: running.server.metrics.cut_offs.total() == 2, "both are cut off")
        assert await ended(stub.Watch(pb.EchoRequest())) == (
            [],
            ("RESOURCE_EXHAUSTED", "OVERLOADED"),
        )
        taken, why = await ended(slow[0])
        assert (len(taken), why) == (1, TOO_SLOW)
        await until(let_in, "a place has come back")
        await going.channel.close()
        await until(let_in, "the other one has, too")


async def test_a_stopping_server_tells_all_who_wait_and_takes_no_more_of_them(
    start: Start,
) -> None:
    running = await start(News())
    stub = pb_grpc.EchoServiceStub(running.channel())
    streams = [stub.Watch(pb.EchoRequest()) for _ in range(20)]
    async with unread(running) as caller:
        # One of them has not taken yet what it was sent.
        method = pb_grpc.EchoServiceStub(caller.channel).Watch
        streams.append(caller.watch(method, pb.EchoRequest(text=LARGE)))
        for stream in streams[:-1]:
            await anext(aiter(stream))
        await running.server.drain()
        assert running.server.draining.is_set()
        assert await ended(stub.Watch(pb.EchoRequest())) == ([], STOPPING)
        # Other calls are served for as long as balancers may still send them.
        assert (await stub.Echo(pb.EchoRequest(text="hello"))).text == "hello"
        for stream in streams[:-1]:
            assert await ended(stream) == ([], STOPPING)
        taken, why = await ended(streams[-1])
        assert (len(taken), why) == (1, STOPPING)
    await running.server.stop(drain=0, grace=20)
