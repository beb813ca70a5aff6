"""How grpc.aio runs a method within the steps: one handler for each call that comes.

grpc.aio looks the handler of a call up with the call's metadata in hand, and converts them once
more for whoever asks the context. A handler of the call's own keeps them instead.
"""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, ClassVar

from laurel_common.rpc.call import Call
from laurel_common.rpc.method import Method


class CallHandler:
    """What grpc.aio asks of a handler. Without serializers bytes come and go as they are: parsing
    and serializing happen inside the steps, where a fault of theirs is answered like any other.
    """

    request_streaming: ClassVar[bool] = False
    response_streaming: ClassVar[bool] = False
    request_deserializer: ClassVar[None] = None
    response_serializer: Any = None

    __slots__ = ("_metadata", "_method")

    def __init__(self, method: Method, metadata: Any) -> None:
        self._method = method
        self._metadata = metadata


class UnaryCall(CallHandler):
    """One request, one response."""

    __slots__ = ()

    async def unary_unary(self, raw: bytes, context: Any) -> bytes:
        """Serves the call."""
        method = self._method
        call = Call(method.rule, context, self._metadata, streaming=False)
        try:
            for enter in method.enters:
                waiting = enter(call)
                if waiting is not None:
                    await waiting
            request = method.accept(call, raw)
            if call.waiting is not None:
                await call.waiting
            response = await method.behaviour(request, context)
            data: bytes = response if type(response) is bytes else method.serialize(response)
        except BaseException as error:  # whatever it is, the steps have to be left
            await method.fail(call, error)
            raise
        method.see_out(call)
        return data


class ClientStreamCall(CallHandler):
    """Many requests, one response."""

    request_streaming = True

    __slots__ = ()

    async def stream_unary(self, raws: Any, context: Any) -> bytes:
        """Serves the call."""
        method = self._method
        call = Call(method.rule, context, self._metadata, streaming=True)
        try:
            await method.enter(call)
            response = await method.behaviour(method.accept_all(call, raws), context)
            data: bytes = response if type(response) is bytes else method.serialize(response)
        except BaseException as error:  # whatever it is, the steps have to be left
            await method.fail(call, error)
            raise
        method.see_out(call)
        return data


class ResponseStreamCall(CallHandler):
    """Many responses."""

    response_streaming = True

    __slots__ = ()

    @property
    def response_serializer(self) -> Any:
        """A behaviour that writes to its context hands it messages, not bytes."""
        return None if self._method.generates else self._method.serialize

    async def _serve(self, given: Any, context: Any) -> None:
        method = self._method
        call = Call(method.rule, context, self._metadata, streaming=True)
        try:
            await method.enter(call)
            if self.request_streaming:
                requests = method.accept_all(call, given)
            else:
                requests = method.accept(call, given)
                if call.waiting is not None:
                    await call.waiting
            if method.rule.endless:
                # By itself: where the first message is not taken, no status could follow it.
                await context.send_initial_metadata(())
            if method.generates:
                # Iterated inside the try: errors come while the responses do.
                async with aclosing(method.behaviour(requests, context)) as responses:
                    async for response in responses:
                        data = response if type(response) is bytes else method.serialize(response)
                        call.untaken = 0
                        await context.write(data)
                        call.untaken = None
            else:
                await method.behaviour(requests, context)
        except BaseException as error:  # whatever it is, the steps have to be left
            await method.fail(call, error)
            raise
        method.see_out(call)


class ServerStreamCall(ResponseStreamCall):
    """One request, many responses."""

    __slots__ = ()

    async def unary_stream(self, raw: bytes, context: Any) -> None:
        """Serves the call."""
        await self._serve(raw, context)


class BidirectionalCall(ResponseStreamCall):
    """Many requests, many responses."""

    request_streaming = True

    __slots__ = ()

    async def stream_stream(self, raws: Any, context: Any) -> None:
        """Serves the call."""
        await self._serve(raws, context)


# By whether requests and responses are streams.
KINDS: Mapping[tuple[bool, bool], type[CallHandler]] = {
    (False, False): UnaryCall,
    (True, False): ClientStreamCall,
    (False, True): ServerStreamCall,
    (True, True): BidirectionalCall,
}
