"""Calls on their way out: dressed with what every call brings along, and failing in typed ways."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import grpc

from laurel_common.rpc.status import broke_while_sending, from_rpc_error

Outfit = Callable[[grpc.aio.ClientCallDetails], grpc.aio.ClientCallDetails]

# How long the other side's last words may take after a message to it could not be sent.
_LAST_WORDS_SECONDS = 0.5


class _End:
    """How a call of many requests ended, by what the other side said.

    Where that side ends the stream while a message is on its way to it, gRPC's client says
    INTERNAL in words of its own, a moment before or after it hears what was answered. An end
    without an error stays a break, as answers that were on their way back are lost with it.
    """

    def __init__(self, call: Any) -> None:
        self._answer: grpc.aio.AioRpcError | None = None
        self._answered = asyncio.Event()
        call.add_done_callback(self._note)

    def _note(self, call: Any) -> None:
        answer = grpc.aio.AioRpcError(
            _at_once(call.code()),
            _at_once(call.initial_metadata()),
            _at_once(call.trailing_metadata()),
            _at_once(call.details()),
        )
        if broke_while_sending(answer):
            return
        if answer.code() is not grpc.StatusCode.OK:
            self._answer = answer
        self._answered.set()

    async def failure(self, error: grpc.aio.AioRpcError) -> Exception:
        """What the call failed with, as RemoteError."""
        if broke_while_sending(error):
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_SECONDS):
                    await self._answered.wait()
            error = self._answer or error
        return from_rpc_error(error)


def _at_once(answer: Coroutine[Any, Any, Any]) -> Any:
    """What a call that has ended knows of its end: there is nothing to wait for."""
    try:
        answer.send(None)
    except StopIteration as known:
        return known.value
    answer.close()
    return None


class _Typed:
    """A call whose awaiting raises RemoteError; everything else is the call's own."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._end = _End(call)

    def __await__(self) -> Any:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        try:
            return await self._call
        except grpc.aio.AioRpcError as error:
            raise await self._end.failure(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


async def _typed_responses(call: Any) -> Any:
    """The call's responses; one that its reader leaves early is cancelled."""
    end = _End(call)
    try:
        async for response in call:
            yield response
    except grpc.aio.AioRpcError as error:
        raise await end.failure(error) from None
    finally:
        if not call.done():
            call.cancel()


class UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    """Adds what `outfit` says, and raises RemoteError."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        call = await continuation(self._outfit(client_call_details), request)
        try:
            await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return call


class StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    """Adds what `outfit` says, and raises RemoteError."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit

    async def intercept_stream_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        # Not awaited here: requests that are written one by one wait for this to return.
        details = self._outfit(client_call_details)
        return _Typed(await continuation(details, request_iterator))


class UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    """Adds what `outfit` says, and raises RemoteError."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit

    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        return _typed_responses(await continuation(self._outfit(client_call_details), request))


class StreamStream(grpc.aio.StreamStreamClientInterceptor):
    """Adds what `outfit` says, and raises RemoteError."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit

    async def intercept_stream_stream(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        details = self._outfit(client_call_details)
        return _typed_responses(await continuation(details, request_iterator))
