"""What callers learn when a service ends a stream that they are still sending to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from laurel_common.errors import RemoteError
from tests.rpc.common.conftest import Start
from tests.rpc.common.echo import EchoServicer, pb, pb_grpc

# Whether the end comes while a message is on its way is a matter of microseconds: one call in
# fifty meets it, so that hundreds of calls are certain to.
TIMES = 400
REFUSED = [pb.EchoRequest(items=[pb.Item()]), *(pb.EchoRequest(text="x") for _ in range(3))]


async def join(stub: Any) -> None:
    await stub.Join(iter(REFUSED))


async def chat(stub: Any) -> None:
    async for _ in stub.Chat(iter(REFUSED)):
        pass


@pytest.mark.parametrize("call", [join, chat])
async def test_the_reason_reaches_a_caller_who_was_still_sending(
    start: Start, call: Callable[[Any], Awaitable[None]]
) -> None:
    running = await start()
    stub = pb_grpc.EchoServiceStub(running.channel())
    reasons = set()
    for _ in range(TIMES):
        with pytest.raises(RemoteError) as refused:
            await call(stub)
        reasons.add((refused.value.code, refused.value.reason))
    assert reasons == {("INVALID_ARGUMENT", "INVALID_REQUEST")}


class Hasty(EchoServicer):
    """Has heard enough after the first request."""

    async def Chat(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - the contract's
        async for request in request_iterator:
            yield pb.EchoResponse(text=request.text)
            return


async def test_an_end_without_an_error_is_not_told_as_one_that_nobody_knows(start: Start) -> None:
    running = await start(Hasty())
    stub = pb_grpc.EchoServiceStub(running.channel())
    codes = set()
    for _ in range(TIMES):
        try:
            async for _ in stub.Chat(iter(pb.EchoRequest(text="x" * 1000) for _ in range(4))):
                pass
        except RemoteError as broken:
            codes.add((broken.code, broken.reason))
    assert codes <= {("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")}
