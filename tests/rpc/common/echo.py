"""The echo service of the tests: compiled when first imported, behaving as each test says."""

# ruff: noqa: N802 - the names and signatures of the generated base

import asyncio
import importlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from laurel_common.deadline import remaining
from laurel_common.errors import RemoteError
from laurel_common.surroundings import current_principal, current_trace
from tools.genproto import PROTO, inputs, run, validate_descriptors

HERE = Path(__file__).parent


def _compile() -> tuple[Any, Any]:
    target = Path(tempfile.mkdtemp(prefix="laurel-echo-"))
    # A name of its own: the generated import has to find it at the top of the path.
    source = target / "laurel_test_echo.proto"
    source.write_text((HERE / "echo.proto").read_text())
    found = inputs(validate_descriptors(target))
    run(
        [
            f"-I{target}",
            *found,
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            source.name,
        ]
    )
    assert PROTO.exists()
    sys.path.insert(0, str(target))
    return (
        importlib.import_module("laurel_test_echo_pb2"),
        importlib.import_module("laurel_test_echo_pb2_grpc"),
    )


pb: Any
pb_grpc: Any
pb, pb_grpc = _compile()
SERVICE = pb.DESCRIPTOR.services_by_name["EchoService"]
NAME = SERVICE.full_name

Behaviour = Callable[[Any], Awaitable[Any]]


class EchoServicer(pb_grpc.EchoServiceServicer):  # type: ignore[misc]  # compiled just above
    """Answers what it was sent and what it knew; `behave` replaces the unary answer."""

    def __init__(self, behave: Behaviour | None = None) -> None:
        self.behave = behave
        self.seen: list[Any] = []
        self.cancelled = asyncio.Event()
        self.entered = asyncio.Event()

    async def Echo(self, request: Any, context: Any) -> Any:
        return await self._answer(request)

    async def Change(self, request: Any, context: Any) -> Any:
        return await self._answer(request)

    async def Configure(self, request: Any, context: Any) -> Any:
        return await self._answer(request)

    async def Undeclared(self, request: Any, context: Any) -> Any:
        return await self._answer(request)

    async def Split(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for number in range(request.times):
            yield pb.EchoResponse(text=f"{request.text}{number}")
        if self.behave is not None:
            yield await self._answer(request)

    async def Join(self, request_iterator: Any, context: Any) -> Any:
        texts = [request.text async for request in request_iterator]
        return await self._answer(pb.EchoRequest(text="".join(texts)))

    async def Chat(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        async for request in request_iterator:
            yield await self._answer(request)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield await self._answer(request)

    async def _answer(self, request: Any) -> Any:
        self.seen.append(request)
        self.entered.set()
        try:
            if self.behave is not None:
                return await self.behave(request)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        trace, caller = current_trace(), current_principal()
        assert trace is not None
        return pb.EchoResponse(
            text=request.text,
            seen={
                "request_id": trace.request_id,
                "trace_id": trace.trace_id,
                "caller": f"{caller.kind}:{caller.name}",
                "remaining": repr(remaining()),
            },
        )


def registration(servicer: EchoServicer) -> tuple[Any, EchoServicer, Any]:
    """What build_server wants."""
    return pb_grpc.add_EchoServiceServicer_to_server, servicer, SERVICE


async def read(stream: Any) -> tuple[list[str], RemoteError]:
    """The texts of a stream that ends in an error, and the error."""
    texts = []
    try:
        async for response in stream:
            texts += [response.text]
    except RemoteError as error:
        return texts, error
    raise AssertionError("the stream ended well")
