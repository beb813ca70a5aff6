"""Streams batches of raw lines to ingest, a few at a time ahead of its answers."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator

from laurel.ingest.v1 import signal_imports_pb2, signal_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import LaurelError, RemoteError

IN_FLIGHT = 4
# A service that is being restarted is back within seconds.
_ATTEMPTS = 8
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 5.0
_SETTLE_SECONDS = 0.1

Answer = Callable[[signal_imports_pb2.ImportEventsResponse], None]


class ImportBrokenError(LaurelError):
    """Ingest ended the stream before it had answered every batch."""

    default_message = "ingest ended the import early; running it again goes on"


class EventImport:
    """One import that goes on after a breakdown of ingest.

    Batches are idempotent. Those that were sent and not answered are sent again, and count as
    duplicates where they had been committed; with `whole`, the order of all batches matters to
    ingest, and everything is sent again from the first one, after `on_restart`.
    """

    def __init__(
        self,
        caller: Caller,
        header: signal_imports_pb2.ImportEventsHeader,
        open_batches: Callable[[], Iterator[signal_imports_pb2.EventBatch]],
        *,
        on_answer: Answer,
        on_restart: Callable[[], None] = lambda: None,
        whole: bool = False,
    ) -> None:
        self._caller = caller
        self._header = header
        self._open_batches = open_batches
        self._feed = Feed(open_batches())
        self._on_answer = on_answer
        self._on_restart = on_restart
        self._whole = whole
        self._pending: deque[signal_imports_pb2.EventBatch] = deque()
        self._sequence = 0
        self._answered = 0
        self._failures = 0
        self._stream_number = 0

    async def run(self) -> None:
        """Returns when everything is committed; raises RemoteError, ImportBrokenError, and what
        reading the source raises.
        """
        answered = 0
        while (broken := await self._try()) is not None:
            self._failures = self._failures + 1 if self._answered == answered else 1
            answered = self._answered
            if self._failures >= _ATTEMPTS:
                raise broken
            await asyncio.sleep(_pause(broken, self._failures))
            if self._whole:
                self._start_over()

    async def _try(self) -> LaurelError | None:
        """Streams until all is answered, or returns what broke it off before."""
        try:
            await self._stream()
        except RemoteError as error:
            if not _is_passing(error):
                raise
            return error
        whole = self._feed.ended and not self._pending
        return None if whole else ImportBrokenError()

    def _start_over(self) -> None:
        self._pending.clear()
        self._sequence = 0
        self._feed = Feed(self._open_batches())
        self._on_restart()

    async def _stream(self) -> None:
        # A refusal that meets a message on its way is not heard. After a failure one batch goes
        # out alone; when it is answered, the others follow.
        window = asyncio.Semaphore(1 if self._failures else IN_FLIGHT)
        held_back = IN_FLIGHT - 1 if self._failures else 0
        try:
            async with self._caller.channel("ingest") as channel:
                stub = signal_pb2_grpc.SignalServiceStub(channel)
                async for answer in stub.ImportEvents(self._requests(window, self._stream_number)):
                    if not self._pending or answer.sequence != self._pending[0].sequence:
                        raise ImportBrokenError
                    self._pending.popleft()
                    self._answered += 1
                    for _ in range(1 + held_back):
                        window.release()
                    held_back = 0
                    self._on_answer(answer)
        finally:
            # gRPC may still be asking the requests of a call that has ended.
            self._stream_number += 1
        if self._feed.error is not None:
            raise self._feed.error

    async def _requests(
        self, window: asyncio.Semaphore, stream_number: int
    ) -> AsyncIterator[signal_imports_pb2.ImportEventsRequest]:
        yield signal_imports_pb2.ImportEventsRequest(header=self._header)
        if self._failures:
            # One that the header itself is answered with comes before the first batch.
            await asyncio.sleep(_SETTLE_SECONDS * self._failures)
        for batch in list(self._pending):
            await window.acquire()
            yield signal_imports_pb2.ImportEventsRequest(batch=batch)
        while True:
            await window.acquire()
            await self._feed.fetch()
            # From here to the yield nothing waits: what is taken is pending.
            if stream_number != self._stream_number:
                return
            found = self._feed.take()
            if found is None:
                return
            self._sequence += 1
            found.sequence = self._sequence
            self._pending.append(found)
            yield signal_imports_pb2.ImportEventsRequest(batch=found)


def _is_passing(error: RemoteError) -> bool:
    """Whether ingest, or what it needs, is away or busy; what can't be taken at all has no time to
    come back after.
    """
    busy = error.code == "RESOURCE_EXHAUSTED" and error.retry_after is not None
    return busy or error.code == "UNAVAILABLE"


def _pause(broken: LaurelError, failures: int) -> float:
    """Seconds before the next try: longer each time, and never less than ingest asked for."""
    own = min(_FIRST_PAUSE * 2.0**failures, _LONGEST_PAUSE)
    asked = broken.retry_after.total_seconds() if broken.retry_after is not None else 0.0
    # Imports that were refused together do not come back together.
    return max(own, asked) * random.uniform(1.0, 1.5)  # noqa: S311 - not for secrets


class Feed:
    """Batches of a source, read in a thread one ahead; none is lost to a reader that goes away.

    What reading raises stands in `error` and ends the batches: gRPC would swallow it. `ended` says
    that the last batch was taken.
    """

    def __init__(self, batches: Iterator[signal_imports_pb2.EventBatch]) -> None:
        self.error: Exception | None = None
        self.ended = False
        self._batches = batches
        self._fetching: asyncio.Task[signal_imports_pb2.EventBatch | None] | None = None

    async def fetch(self) -> None:
        """Waits until `take` has something to give."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(asyncio.to_thread(self._next))
        await asyncio.shield(self._fetching)

    def take(self) -> signal_imports_pb2.EventBatch | None:
        """The batch that was fetched; None at the end."""
        fetched, self._fetching = self._fetching, None
        found = fetched.result() if fetched is not None else None
        self.ended = found is None
        return found

    def _next(self) -> signal_imports_pb2.EventBatch | None:
        try:
            return next(self._batches, None)
        except Exception as error:  # whatever reading raises is raised again by the import
            self.error = error
            return None
