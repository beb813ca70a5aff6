"""WriteSignals by people who mean harm: rows, columns and tenants that are not theirs."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import pyarrow as pa
import pytest
import pytest_asyncio

from laurel.common.v1 import types_pb2
from laurel.ingest.v1 import signal_entities_pb2, signal_pb2_grpc, signal_writes_pb2
from laurel_cli.demo.cast import PEOPLE
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel
from tests.support.world_actions import list_signals, score
from tests.support.world_integrity import check_integrity
from tests.support.world_story import Story, tell
from tests.support.world_tenants import Tenant

pytestmark = pytest.mark.asyncio(loop_scope="module")

TENANT, OTHER = Tenant(0), Tenant(1)
GEOCODER = 2_000_000_303
NOON = 1_714_564_800
Request = signal_writes_pb2.WriteSignalsRequest


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    told = await tell(laurel, ("geocoder",), length=120, cut=60)
    assert (await told.settled()).number == OTHER.number
    return told


@pytest_asyncio.fixture(loop_scope="module")
async def stub(story: Story) -> AsyncIterator[signal_pb2_grpc.SignalServiceStub]:
    async with story.laurel.caller.channel("ingest") as channel:
        yield signal_pb2_grpc.SignalServiceStub(channel)


def a_header(**fields: Any) -> Request:
    values = {
        "installation_id": TENANT.installation_id,
        "standing": signal_entities_pb2.STANDING_BEST,
    }
    return Request(header=signal_writes_pb2.WriteSignalsHeader(**values | fields))


def a_signal(**fields: Any) -> signal_entities_pb2.NewSignal:
    values: dict[str, Any] = {
        "user_id": PEOPLE[0].account.id,
        "repository_id": GEOCODER,
        "type": types_pb2.SIGNAL_TYPE_COMMENT,
        "identity": "1",
    }
    at = fields.pop("at", NOON)
    signal = signal_entities_pb2.NewSignal(**values | fields)
    signal.event_time.seconds = at
    return signal


def rows(*signals: signal_entities_pb2.NewSignal) -> Request:
    return Request(
        batch=signal_writes_pb2.SignalBatch(
            sequence=1, rows=signal_writes_pb2.SignalRows(signals=signals)
        )
    )


def arrow(data: bytes) -> Request:
    return Request(batch=signal_writes_pb2.SignalBatch(sequence=1, arrow=data))


def columns(size: int = 1, **replaced: pa.Array | None) -> bytes:
    """An Arrow stream of whole signals with some columns replaced, added or taken away."""
    values: dict[str, pa.Array | None] = {
        "user_id": pa.array([PEOPLE[0].account.id] * size, pa.int64()),
        "repository_id": pa.array([GEOCODER] * size, pa.int64()),
        "type": pa.array([types_pb2.SIGNAL_TYPE_COMMENT] * size, pa.int8()),
        "event_time": pa.array([NOON * 1_000_000] * size, pa.timestamp("us", "UTC")),
        "identity": pa.array([f"{7_000 + number}" for number in range(size)], pa.string()),
    }
    values |= replaced
    table = pa.table({name: each for name, each in values.items() if each is not None})
    return ipc(table)


def ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


async def send(
    stub: signal_pb2_grpc.SignalServiceStub, messages: Iterable[Request]
) -> list[signal_writes_pb2.WriteSignalsResponse]:
    return [each async for each in stub.WriteSignals(iter(list(messages)))]


REFUSED_ROWS = {
    "a user of nobody": ({"user_id": 0}, "user_id"),
    "a user whom nobody knows": ({"user_id": 999_999_999_999}, "user_id"),
    "a repository of nobody": ({"repository_id": 0}, "repository_id"),
    "a repository that nobody knows": ({"repository_id": 999_999_999_999}, "repository_id"),
    "another tenant's repository": ({"repository_id": GEOCODER + OTHER.offset}, "repository_id"),
    "no type": ({"type": 0}, "type"),
    "a type that does not exist": ({"type": 99}, "type"),
    "no identity": ({"identity": ""}, "identity"),
    "an identity with NUL": ({"identity": "a\x00b"}, "identity"),
    "an identity as long as a book": ({"identity": "x" * 1_000_000}, "identity"),
    "a value below zero": ({"value_e4": -1}, "value_e4"),
    "a value too great": ({"value_e4": 10_000_001}, "value_e4"),
    "a value beyond all": ({"value_e4": 2**63 - 1}, "value_e4"),
    "before GitHub": ({"at": 0}, "event_time"),
    "in the future": ({"at": 4_102_444_800}, "event_time"),
    "at the end of time": ({"at": 253_402_300_799}, "event_time"),
    "additions below zero": (
        {"metadata": signal_entities_pb2.SignalMetadata(additions=-1)},
        "metadata.additions",
    ),
    "a state that does not exist": (
        {"metadata": signal_entities_pb2.SignalMetadata(review_state=42)},  # type: ignore[arg-type]  # unknown on purpose
        "metadata.review_state",
    ),
}


@pytest.mark.parametrize(("fields", "field"), REFUSED_ROWS.values(), ids=REFUSED_ROWS.keys())
async def test_a_bad_row_is_named_or_its_batch_refused_and_nothing_of_it_written(
    story: Story,
    stub: signal_pb2_grpc.SignalServiceStub,
    fields: dict[str, Any],
    field: str,
) -> None:
    before = len(await list_signals(story.laurel, TENANT.installation_id))
    assert field in await _fields_at_fault(stub, a_signal(**fields))
    assert len(await list_signals(story.laurel, TENANT.installation_id)) == before


async def _fields_at_fault(
    stub: signal_pb2_grpc.SignalServiceStub, signal: signal_entities_pb2.NewSignal
) -> set[str]:
    """The fields of the one signal that its refusal, or its batch's, names."""
    try:
        (answer,) = await send(stub, [a_header(), rows(signal)])
    except RemoteError as error:
        if error.reason != "INVALID_REQUEST":
            raise
        return {each.field.rpartition("signals[0].")[2] for each in error.violations}
    assert answer.refused_count == len(answer.refused) == 1
    return {answer.refused[0].field}


async def test_a_bad_row_does_not_hinder_the_good_ones_around_it(
    story: Story, stub: signal_pb2_grpc.SignalServiceStub
) -> None:
    (answer,) = await send(
        stub,
        [
            a_header(),
            rows(
                a_signal(identity="31"),
                a_signal(user_id=999_999_999_999),
                a_signal(identity="32"),
            ),
        ],
    )
    assert (answer.new_count, answer.refused_count, answer.refused[0].index) == (2, 1, 1)


async def test_all_or_nothing_writes_nothing(
    story: Story, stub: signal_pb2_grpc.SignalServiceStub
) -> None:
    bad = rows(a_signal(identity="41"), a_signal(identity="42", user_id=999_999_999_999))
    with pytest.raises(RemoteError) as refused:
        await send(stub, [a_header(all_or_nothing=True), bad])
    assert refused.value.reason == "SIGNALS_REFUSED"
    (answer,) = await send(stub, [a_header(), rows(a_signal(identity="41"))])
    assert answer.new_count == 1


MALFORMED = {
    "no bytes": b"",
    "garbage": b"\x00\xffgarbage" * 100,
    "a cut stream": columns(size=100)[:-300],
    "a schema that is cut": columns()[:40],
    "no column at all": ipc(pa.table({})),
    "a column missing": columns(identity=None),
    "a column nobody knows": columns(surprise=pa.array([1])),
    "floats for numbers": columns(user_id=pa.array([1.5])),
    "lists for numbers": columns(user_id=pa.array([[1]])),
    "bytes for texts": columns(identity=pa.array([b"\xff\xfe"])),
    "a header length beyond all": b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"x" * 64,
    "more rows than allowed": columns(size=100_001),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
async def test_columns_that_make_no_sense_are_refused(
    stub: signal_pb2_grpc.SignalServiceStub, data: bytes
) -> None:
    with pytest.raises(RemoteError) as refused:
        await send(stub, [a_header(), arrow(data)])
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.reason in {"MALFORMED_BATCH", "INVALID_REQUEST"}


ODD_COLUMNS = {
    "texts for numbers": {"user_id": pa.array(["1"])},
    "numbers for times": {"event_time": pa.array([NOON])},
    "dates for times": {"event_time": pa.array([1], pa.date32())},
    "a null that is required": {"user_id": pa.array([None], pa.int64())},
    "types far outside": {"type": pa.array([-128], pa.int8())},
    "flags beyond all bits": {"flags": pa.array([-1], pa.int32())},
    "a state far outside": {"review_state": pa.array([127], pa.int8())},
    "additions below zero": {"additions": pa.array([-5], pa.int32())},
    "a time before all time": {"event_time": pa.array([-(2**63)], pa.timestamp("us", "UTC"))},
    "a time after all time": {"event_time": pa.array([2**63 - 1], pa.timestamp("us", "UTC"))},
    "a title with NUL": {"title": pa.array(["a\x00b"])},
    "a title as long as a book": {"title": pa.array(["☃" * 1_000_000])},
    "an object id too long": {"object_id": pa.array(["x" * 65])},
    "an identity with NUL": {"identity": pa.array(["a\x00b"])},
    "a dictionary": {"identity": pa.array(["7100"]).dictionary_encode()},
    "a large text": {"identity": pa.array(["7101"], pa.large_string())},
    "times of another zone": {
        "event_time": pa.array([NOON * 1_000_000], pa.timestamp("us", "Asia/Tokyo"))
    },
}


@pytest.mark.parametrize("replaced", ODD_COLUMNS.values(), ids=ODD_COLUMNS.keys())
async def test_odd_columns_are_written_right_or_refused_by_name(
    story: Story, stub: signal_pb2_grpc.SignalServiceStub, replaced: dict[str, pa.Array]
) -> None:
    try:
        (answer,) = await send(stub, [a_header(), arrow(columns(**replaced))])
    except RemoteError as error:
        if error.reason not in {"MALFORMED_BATCH", "INVALID_REQUEST"}:
            raise
    else:
        counted = answer.new_count + answer.changed_count + answer.duplicate_count
        assert counted + answer.refused_count == 1
    check_integrity(story.laurel.connect)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([rows()], "STREAM_OUT_OF_ORDER"),
        ([a_header(), a_header()], "STREAM_OUT_OF_ORDER"),
        ([Request()], "INVALID_REQUEST"),
        ([a_header(), Request()], "INVALID_REQUEST"),
        ([a_header(installation_id=0)], "INVALID_REQUEST"),
        ([a_header(standing=0)], "INVALID_REQUEST"),
        ([a_header(standing=9)], "INVALID_REQUEST"),
        ([a_header(installation_id=424_242), rows(a_signal())], "INSTALLATION_NOT_FOUND"),
        ([a_header(installation_id=-(2**63)), rows(a_signal())], "INSTALLATION_NOT_FOUND"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_stream_out_of_order_is_refused(
    stub: signal_pb2_grpc.SignalServiceStub, messages: list[Request], reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await send(stub, messages)
    assert refused.value.reason == reason


async def test_hashes_that_collide_across_tenants_are_not_stolen(
    story: Story, stub: signal_pb2_grpc.SignalServiceStub
) -> None:
    """A signal names its repository, which belongs to one tenant: nobody rewrites another's."""
    theirs = a_signal(repository_id=GEOCODER + OTHER.offset, identity="51")
    await send(stub, [a_header(installation_id=OTHER.installation_id), rows(theirs)])
    before = await list_signals(story.laurel, OTHER.installation_id)
    (answer,) = await send(stub, [a_header(), rows(theirs)])
    assert (answer.new_count, answer.changed_count, answer.refused_count) == (0, 0, 1)
    assert await list_signals(story.laurel, OTHER.installation_id) == before


async def test_sums_that_would_overflow_stop_at_the_columns_end(
    story: Story, stub: signal_pb2_grpc.SignalServiceStub
) -> None:
    many = [
        a_signal(
            type=types_pb2.SIGNAL_TYPE_COMMIT,
            identity=f"{number:040x}",
            value_e4=10_000_000,
            at=NOON + number,
            metadata=signal_entities_pb2.SignalMetadata(additions=2**31 - 1, deletions=2**31 - 1),
        )
        for number in range(40)
    ]
    (answer,) = await send(stub, [a_header(), rows(*many)])
    assert answer.new_count == len(many)
    run = await score(story.laurel, TENANT.installation_id)
    assert run.boards_published == run.boards_total
    await story.check_boards(TENANT)
