"""Streaming lines to an ingest that answers, breaks off, refuses, or answers nonsense."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.ingest.v1 import signal_imports_pb2, signal_pb2_grpc
from laurel_cli.importing import batches as cutting
from laurel_cli.importing.batches import batches_of
from laurel_cli.importing.stream import IN_FLIGHT, EventImport, ImportBrokenError
from laurel_cli.rpc.caller import Caller
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import Overloaded, RemoteError
from laurel_common.rpc.status import to_status, trailing_metadata

HEADER = signal_imports_pb2.ImportEventsHeader(source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE)
Plan = Callable[["Ingest", signal_imports_pb2.EventBatch, Any], Any]


class Ingest(signal_pb2_grpc.SignalServiceServicer):
    """Answers batches; `plan` is asked before each answer, and may abort the call."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.calls = 0
        self.committed: list[bytes] = []
        self.received = 0

    def WriteSignals(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        raise AssertionError("not called")

    def ListSignals(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        raise AssertionError("not called")

    StreamSignals = FlagSpam = UnflagSpam = ListBots = UpdateBots = ListSignals
    ClaimAuthor = ForgetTeam = AdoptInstallation = ForgetInstallation = ListSignals

    async def ImportEvents(  # noqa: N802 - gRPC's name
        self, request_iterator: AsyncIterator[signal_imports_pb2.ImportEventsRequest], context: Any
    ) -> AsyncIterator[signal_imports_pb2.ImportEventsResponse]:
        self.calls += 1
        first = True
        async for request in request_iterator:
            if first:
                assert request.header == HEADER
                first = False
                continue
            self.received += 1
            if self.plan is not None:
                await self.plan(self, request.batch, context)
            self.committed.extend(request.batch.lines)
            yield signal_imports_pb2.ImportEventsResponse(
                sequence=request.batch.sequence, event_count=len(request.batch.lines)
            )


@asynccontextmanager
async def serving(ingest: Ingest) -> AsyncIterator[Caller]:
    server = grpc.aio.server()
    signal_pb2_grpc.add_SignalServiceServicer_to_server(ingest, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Caller({"ingest": f"127.0.0.1:{port}"}, StaticToken("t"))
    finally:
        await server.stop(None)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laurel_cli.importing.stream._FIRST_PAUSE", 0.0)
    monkeypatch.setattr("laurel_cli.importing.stream._SETTLE_SECONDS", 0.02)


def batches(count: int) -> Callable[[], Iterator[signal_imports_pb2.EventBatch]]:
    return lambda: iter(
        [signal_imports_pb2.EventBatch(lines=[f"{number}".encode()]) for number in range(count)]
    )


def breaks_at(*numbers: int) -> Plan:
    """Ends the call with UNAVAILABLE before the answers to these batches, counted over all."""

    async def plan(ingest: Ingest, _batch: signal_imports_pb2.EventBatch, context: Any) -> None:
        if ingest.received in numbers:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone for a moment")

    return plan


async def test_every_batch_is_sent_once_and_answered_in_order() -> None:
    ingest, answers = Ingest(), list[int]()
    async with serving(ingest) as caller:
        work = EventImport(
            caller, HEADER, batches(25), on_answer=lambda a: answers.append(a.sequence)
        )
        await work.run()
    assert ingest.committed == [f"{number}".encode() for number in range(25)]
    assert answers == list(range(1, 26))
    assert ingest.calls == 1


async def test_an_import_of_nothing_is_done_at_once() -> None:
    ingest = Ingest()
    async with serving(ingest) as caller:
        await EventImport(caller, HEADER, batches(0), on_answer=print).run()
    assert ingest.received == 0


async def test_no_more_than_a_few_batches_are_ahead_of_the_answers() -> None:
    handed_out, answered, most = 0, 0, 0

    def source() -> Iterator[signal_imports_pb2.EventBatch]:
        nonlocal handed_out, most
        for each in batches(30)():
            handed_out += 1
            most = max(most, handed_out - answered)
            yield each

    def on_answer(_: object) -> None:
        nonlocal answered
        answered += 1

    async with serving(Ingest()) as caller:
        await EventImport(caller, HEADER, source, on_answer=on_answer).run()
    assert answered == 30
    assert most <= IN_FLIGHT


@pytest.mark.parametrize("broken", [(1,), (7,), (3, 9, 12), (1, 2, 3)])
async def test_after_a_breakdown_only_what_was_not_answered_is_sent_again(
    broken: tuple[int, ...],
) -> None:
    ingest, answers = Ingest(breaks_at(*broken)), list[int]()
    async with serving(ingest) as caller:
        work = EventImport(
            caller, HEADER, batches(20), on_answer=lambda a: answers.append(a.sequence)
        )
        await work.run()
    assert answers == list(range(1, 21))
    assert ingest.committed == [f"{number}".encode() for number in range(20)]
    assert ingest.calls == 1 + len(broken)


async def test_where_the_order_of_all_matters_everything_is_sent_again() -> None:
    ingest, restarts, answers = Ingest(breaks_at(6)), list[bool](), list[int]()

    def on_restart() -> None:
        restarts.append(True)
        answers.clear()

    async with serving(ingest) as caller:
        await EventImport(
            caller,
            HEADER,
            batches(10),
            on_answer=lambda a: answers.append(a.sequence),
            on_restart=on_restart,
            whole=True,
        ).run()
    assert restarts == [True]
    assert answers == list(range(1, 11))
    assert ingest.committed[-10:] == [f"{number}".encode() for number in range(10)]


async def test_a_service_that_stays_away_is_given_up() -> None:
    ingest = Ingest(breaks_at(*range(1, 100)))
    async with serving(ingest) as caller:
        with pytest.raises(RemoteError) as gone:
            await EventImport(caller, HEADER, batches(3), on_answer=print).run()
    assert gone.value.code == "UNAVAILABLE"
    assert ingest.calls == 8


async def test_a_refusal_reaches_the_caller_and_nothing_is_committed() -> None:
    async def plan(_ingest: Ingest, _batch: object, context: Any) -> None:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

    ingest = Ingest(plan)
    async with serving(ingest) as caller:
        with pytest.raises(RemoteError) as refused:
            await EventImport(caller, HEADER, batches(3), on_answer=print).run()
    assert refused.value.code == "PERMISSION_DENIED"
    assert ingest.committed == []


def busy(retry_after: timedelta | None) -> Plan:
    """Refuses the third batch once: RESOURCE_EXHAUSTED, with a RetryInfo where a time is given."""

    async def plan(ingest: Ingest, _batch: signal_imports_pb2.EventBatch, context: Any) -> None:
        # For a while, or for good.
        if ingest.received == 3 or (ingest.received > 3 and retry_after is None):
            status = to_status(Overloaded(retry_after=retry_after or timedelta()), "r")
            if retry_after is None:
                del status.details[1]
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", trailing_metadata(status)
            )

    return plan


async def test_an_ingest_that_is_busy_is_given_the_time_that_it_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr("laurel_cli.importing.stream.asyncio.sleep", sleep)
    ingest = Ingest(busy(timedelta(seconds=40)))
    async with serving(ingest) as caller:
        await EventImport(caller, HEADER, batches(9), on_answer=lambda _: None).run()
    assert set(ingest.committed) == {f"{number}".encode() for number in range(9)}
    assert 40 <= max(pauses) <= 60


async def test_what_ingest_can_never_take_is_not_sent_again() -> None:
    ingest = Ingest(busy(None))
    async with serving(ingest) as caller:
        with pytest.raises(RemoteError) as refused:
            await EventImport(caller, HEADER, batches(9), on_answer=lambda _: None).run()
    assert refused.value.code == "RESOURCE_EXHAUSTED"
    # Twice where the refusal met a message on its way: then one batch goes out alone, to hear it.
    assert ingest.calls <= 2
    assert len(ingest.committed) <= 2


async def test_what_reading_the_source_raises_reaches_the_caller() -> None:
    def source() -> Iterator[signal_imports_pb2.EventBatch]:
        yield from batches(3)()
        raise OSError("the disk is gone")

    ingest = Ingest()
    async with serving(ingest) as caller:
        with pytest.raises(OSError, match="the disk is gone"):
            await EventImport(caller, HEADER, source, on_answer=print).run()
    assert len(ingest.committed) == 3


async def test_an_answer_to_something_else_ends_the_import() -> None:
    class Confused(Ingest):
        async def ImportEvents(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
            async for _ in request_iterator:
                yield signal_imports_pb2.ImportEventsResponse(sequence=77)

    async with serving(Confused()) as caller:
        with pytest.raises(ImportBrokenError):
            await EventImport(caller, HEADER, batches(3), on_answer=print).run()


async def test_a_stream_that_ends_early_is_gone_on_with() -> None:
    answers = list[int]()

    class Lazy(Ingest):
        async def ImportEvents(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
            async for request in request_iterator:
                if request.HasField("batch"):
                    yield signal_imports_pb2.ImportEventsResponse(sequence=request.batch.sequence)
                    return

    async with serving(Lazy()) as caller:
        await EventImport(
            caller, HEADER, batches(5), on_answer=lambda a: answers.append(a.sequence)
        ).run()
    assert answers == [1, 2, 3, 4, 5]


async def test_a_stream_that_always_ends_without_an_answer_is_given_up() -> None:
    class Mute(Ingest):
        async def ImportEvents(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
            async for request in request_iterator:
                if request.HasField("batch"):
                    return
                continue
            yield

    async with serving(Mute()) as caller:
        with pytest.raises(ImportBrokenError):
            await EventImport(caller, HEADER, batches(2), on_answer=print).run()


@given(st.lists(st.binary(max_size=40), max_size=60))
def test_batches_hold_every_line_in_order_with_its_number(lines: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "MAX_LINES", 7)
        patch.setattr(cutting, "MAX_BYTES", 100)
        found = list(batches_of(lines, file_name="f"))
    assert [line for batch in found for line in batch.lines] == lines
    number = 1
    for batch in found:
        assert batch.first_line_number == number
        assert 1 <= len(batch.lines) <= 7
        assert len(batch.lines) == 1 or sum(map(len, batch.lines)) <= 100
        number += len(batch.lines)
