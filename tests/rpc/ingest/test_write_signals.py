"""WriteSignals: rows and Arrow, refused signals, standings, writers at once."""

import asyncio
from typing import Any

import pyarrow as pa
import pytest
from psycopg import sql

from laurel.ingest.v1 import (
    signal_entities_pb2,
    signal_pb2_grpc,
    signal_reads_pb2,
    signal_writes_pb2,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_ingest.domain.offers import OFFER
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import (
    INSTALLATION_ID,
    REPOSITORY_ID,
    commit,
    lines_of,
    new_signal,
    push,
    sha,
)

pytestmark = pytest.mark.usefixtures("world")

FIRST = 1_620_036_000


def repeated(word: str, rows: int, length: int) -> pa.Array:
    """A dictionary of one word that every row names."""
    places = pa.array([0] * rows, pa.int8())
    return pa.DictionaryArray.from_arrays(places, pa.array([word * length]))


def nothings(rows: int) -> bytes:
    """Two batches of so many rows of nulls, which no buffer stands behind."""
    column = pa.Array.from_buffers(pa.null(), rows, [None])
    batch = pa.RecordBatch.from_arrays([column] * len(OFFER), names=OFFER.names)
    return stream(batch, batch)


def stream(*batches: pa.RecordBatch, packed: bool = False) -> bytes:
    """Batches as an Arrow IPC stream, perhaps compressed."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd" if packed else None)
    with pa.ipc.new_stream(sink, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def arrow(rows: int = 3, **columns: Any) -> bytes:
    """Comments of user 1, as an Arrow IPC stream; `packed` compresses it."""
    start, packed = columns.pop("start", 0), columns.pop("packed", False)
    values: dict[str, Any] = {
        "user_id": pa.array([1] * rows),
        "repository_id": pa.array([REPOSITORY_ID] * rows),
        "type": pa.array([9] * rows, pa.int8()),
        "event_time": pa.array(
            [(FIRST + each) * 1_000_000 for each in range(rows)], pa.timestamp("us", "UTC")
        ),
        "identity": pa.array([str(start + each + 1) for each in range(rows)]),
        **columns,
    }
    return stream(
        pa.record_batch({name: each for name, each in values.items() if each is not None}),
        packed=packed,
    )


def rows_of(service: Service, columns: str) -> list[tuple[Any, ...]]:
    with service.database.connect() as connection:
        statement = sql.SQL("SELECT {} FROM signals ORDER BY content_hash, user_id").format(
            sql.SQL(columns)
        )
        return connection.execute(statement).fetchall()


async def test_rows_and_arrow_of_the_same_signals_are_the_same_signals(service: Service) -> None:
    rows = [new_signal(str(each + 1)) for each in range(3)]

    first, second = await service.write(rows, arrow(4))

    assert (first.new_count, first.duplicate_count) == (3, 0)
    # The times differ by a second each, and among equals a fixed rule takes the later one.
    assert (second.new_count, second.changed_count, second.duplicate_count) == (1, 2, 1)
    assert (first.sequence, second.sequence) == (1, 2)
    assert service.counts() == {"comment": 4}


async def test_a_batch_sent_again_counts_as_duplicates(service: Service) -> None:
    first, second = await service.write(arrow(50), arrow(50))
    assert (first.new_count, second.new_count, second.changed_count) == (50, 0, 0)
    assert second.duplicate_count == 50


async def test_a_batch_of_nothing_is_answered(service: Service) -> None:
    answers = await service.write([], arrow(0))
    assert [(each.sequence, each.new_count) for each in answers] == [(1, 0), (2, 0)]


async def test_a_signal_twice_in_a_batch_is_one(service: Service) -> None:
    (answer,) = await service.write([new_signal("5"), new_signal("5")])
    assert (answer.new_count, answer.duplicate_count) == (1, 1)
    assert service.counts() == {"comment": 1}


async def test_every_field_comes_through(service: Service) -> None:
    metadata = signal_entities_pb2.SignalMetadata(
        is_bot=True,
        is_in_merged_pr=True,
        additions=5,
        deletions=3,
        number=12,
        title='A "title"\x00 with \\ and é',
        object_id=sha(1),
    )
    signal = new_signal(sha(1).upper(), type=1, user_id=2, value_e4=25_000, metadata=metadata)

    await service.write([signal])
    listed = await service.backend.ListSignals(
        signal_reads_pb2.ListSignalsRequest(installation_id=INSTALLATION_ID)
    )

    (stored,) = listed.signals
    metadata.title = 'A "title"\ufffd with \\ and é'
    assert stored.metadata == metadata
    assert (stored.user_id, stored.type, stored.value_e4) == (2, 1, 25_000)
    assert stored.event_time.seconds == FIRST


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"user_id": 77}, "user_id", id="a user whom nobody knows"),
        pytest.param({"user_id": 0}, "user_id", id="no user"),
        pytest.param({"repository_id": 77}, "repository_id", id="a repository of nobody"),
        pytest.param({"type": 0}, "type", id="no type"),
        pytest.param({"type": 99}, "type", id="an unknown type"),
        pytest.param({"event_time": None}, "event_time", id="no time"),
        pytest.param({"event_time": {"seconds": 1_000_000}}, "event_time", id="before 2005"),
        pytest.param({"event_time": {"seconds": 1_769_947_501}}, "event_time", id="the future"),
        pytest.param({"event_time": {"seconds": 2**60}}, "event_time", id="beyond any calendar"),
        pytest.param({"value_e4": -1}, "value_e4", id="a negative value"),
        pytest.param({"value_e4": 10_000_001}, "value_e4", id="a value over 1,000"),
        pytest.param({"identity": ""}, "identity", id="no identity"),
        pytest.param({"identity": "x'; DROP"}, "identity", id="no number"),
        pytest.param({"identity": "7\n"}, "identity", id="a number and a line end"),
        pytest.param({"type": 1}, "identity", id="no SHA"),
        pytest.param({"type": 10}, "identity", id="spam of no thing"),
        pytest.param({"metadata": {"title": "x" * 4_097}}, "metadata.title", id="a long title"),
        pytest.param({"metadata": {"object_id": "x" * 65}}, "metadata.object_id", id="a long id"),
        pytest.param({"metadata": {"number": -1}}, "metadata.number", id="a negative number"),
        pytest.param({"metadata": {"additions": -1}}, "metadata.additions", id="lines below none"),
        pytest.param({"metadata": {"review_state": 999}}, "metadata.review_state", id="no state"),
    ],
)
async def test_a_bad_signal_is_named_and_the_rest_is_written(
    service: Service, changes: dict[str, Any], field: str
) -> None:
    bad = new_signal(**{"identity": "2", **changes})

    (answer,) = await service.write([new_signal("1"), bad, new_signal("3")])

    assert [(each.index, each.field) for each in answer.refused] == [(1, field)]
    assert (answer.refused_count, answer.new_count) == (1, 2)
    assert service.counts() == {"comment": 2}


async def test_five_minutes_ahead_is_still_taken(service: Service) -> None:
    (answer,) = await service.write([new_signal(event_time={"seconds": 1_769_947_500})])
    assert answer.new_count == 1


async def test_all_or_nothing_writes_nothing_of_the_batch_and_ends_the_call(
    service: Service,
) -> None:
    with pytest.raises(RemoteError) as caught:
        await service.write(
            [new_signal("1")], [new_signal("2"), new_signal("x")], all_or_nothing=True
        )

    assert (caught.value.reason, caught.value.code) == ("SIGNALS_REFUSED", "INVALID_ARGUMENT")
    assert [each.field for each in caught.value.violations] == ["batch.signals[1].identity"]
    assert service.counts() == {"comment": 1}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not arrow", id="no Arrow"),
        pytest.param(arrow()[:200], id="cut off"),
        pytest.param(arrow(identity=None), id="a column is missing"),
        pytest.param(arrow(colour=pa.array(["a"] * 3)), id="a column that means nothing"),
        pytest.param(arrow(user_id=pa.array(["a"] * 3)), id="a column of another type"),
        pytest.param(arrow(100_001), id="too many"),
        pytest.param(arrow(5, identity=repeated("1", 5, 2**24)), id="one long word for every row"),
        pytest.param(arrow(title=pa.array(["a"] * 3, pa.string_view())), id="a view"),
        pytest.param(arrow(1, title=pa.array(["x" * 2**27]), packed=True), id="much in few bytes"),
        pytest.param(nothings(2**31 - 1), id="rows without number that take no bytes"),
    ],
)
async def test_a_batch_that_is_not_what_it_says_is_refused(
    service: Service, content: bytes
) -> None:
    with pytest.raises(RemoteError) as caught:
        await service.write(content)
    assert (caught.value.reason, caught.value.code) == ("MALFORMED_BATCH", "INVALID_ARGUMENT")
    assert service.counts() == {}


async def test_columns_may_come_in_any_order_with_nulls_where_nothing_is_known(
    service: Service,
) -> None:
    columns = {name: pa.nulls(2, OFFER.field(name).type) for name in ("title", "flags", "number")}
    (answer,) = await service.write(arrow(2, **columns))
    assert (answer.new_count, rows_of(service, "metadata")) == (2, [({},), ({},)])
    # Or with each text once, or compressed, as others' tools write them.
    words = {"title": pa.array(["a", "a", "b"]).dictionary_encode()}
    (answer,) = await service.write(arrow(start=7, packed=True, **words))
    titles = [row[0] for row in rows_of(service, "metadata ->> 'title'") if row[0]]
    assert (answer.new_count, sorted(titles)) == (3, ["a", "a", "b"])


@pytest.mark.parametrize("better_first", [True, False], ids=["better first", "lesser first"])
async def test_the_better_source_has_the_say_and_flags_of_both_stay(
    service: Service, *, better_first: bool
) -> None:
    def signal(user_id: int, seconds: int, **flags: bool) -> signal_entities_pb2.NewSignal:
        said = signal_entities_pb2.SignalMetadata(title=f"by {user_id}", **flags)  # type: ignore[arg-type]  # all of them are flags
        return new_signal(user_id=user_id, event_time={"seconds": seconds}, metadata=said)

    lesser = ([signal(1, FIRST, is_bot=True)], signal_entities_pb2.STANDING_ARCHIVE)
    better = (
        [signal(2, FIRST + 86_400 * 40, has_linked_pr=True)],
        signal_entities_pb2.STANDING_BEST,
    )
    for batch, standing in (better, lesser) if better_first else (lesser, better):
        await service.write(batch, standing=standing)

    assert rows_of(service, "user_id, extract(epoch FROM event_timestamp)::bigint, metadata") == [
        (2, FIRST + 86_400 * 40, {"is_bot": True, "has_linked_pr": True, "title": "by 2"})
    ]


@pytest.mark.parametrize("better_first", [True, False], ids=["better first", "lesser first"])
async def test_a_commits_people_are_those_whom_the_better_source_names(
    service: Service, *, better_first: bool
) -> None:
    lesser = ([new_signal(sha(1), type=1, user_id=1)], signal_entities_pb2.STANDING_ARCHIVE)
    better = (
        [new_signal(sha(1), type=1, user_id=user) for user in (2, 3)],
        signal_entities_pb2.STANDING_BEST,
    )
    for batch, standing in (better, lesser) if better_first else (lesser, better):
        await service.write(batch, standing=standing)
    (again,) = await service.write(lesser[0], standing=signal_entities_pb2.STANDING_ARCHIVE)

    assert rows_of(service, "user_id") == [(2,), (3,)]
    assert (again.new_count, again.changed_count) == (0, 0)


async def test_two_streams_that_overlap_end_with_each_signal_once(service: Service) -> None:
    async def stream(offset: int) -> int:
        batches = [arrow(500, start=start) for start in range(offset, offset + 4_000, 500)]
        answers = await service.write(*(batches if offset else reversed(batches)))
        return sum(answer.new_count for answer in answers)

    new = await asyncio.gather(stream(0), stream(2_000))

    assert sum(new) == 6_000
    assert service.counts() == {"comment": 6_000}
    with service.database.connect() as connection:
        keys = connection.execute("SELECT count(*) FROM signal_keys").fetchone()
        state = connection.execute("SELECT signal_count FROM installation_signal_states").fetchone()
    assert (keys, state) == ((6_000,), (6_000,))


async def test_metadata_that_grows_too_long_loses_its_title(service: Service) -> None:
    long = signal_entities_pb2.SignalMetadata(title="é" * 1_500, is_bot=True, number=3)
    await service.write([new_signal(metadata=long)])
    assert rows_of(service, "metadata") == [({"is_bot": True, "number": 3},)]


async def test_a_month_gets_its_partition_with_its_first_signal(service: Service) -> None:
    await service.write([new_signal(event_time={"seconds": 1_200_000_000})])
    assert rows_of(service, "tableoid::regclass::text") == [("signals_2008_01",)]


async def test_a_key_that_does_not_cover_the_installation_is_refused(service: Service) -> None:
    channel = service.server.channel(PrincipalKind.BACKEND, name="other", installations=[1])
    service.backend = signal_pb2_grpc.SignalServiceStub(channel)
    with pytest.raises(RemoteError) as caught:
        await service.write([new_signal()])
    assert (caught.value.reason, caught.value.code) == (
        "INSTALLATION_NOT_COVERED",
        "PERMISSION_DENIED",
    )


async def test_a_batch_before_the_header_is_refused(service: Service) -> None:
    batch = signal_writes_pb2.SignalBatch(rows=signal_writes_pb2.SignalRows(signals=[new_signal()]))
    requests = [signal_writes_pb2.WriteSignalsRequest(batch=batch)]
    with pytest.raises(RemoteError) as caught:
        [answer async for answer in service.operator.WriteSignals(iter(requests))]
    assert (caught.value.reason, caught.value.code) == (
        "STREAM_OUT_OF_ORDER",
        "FAILED_PRECONDITION",
    )


async def test_an_installation_that_nobody_knows_is_not_found(service: Service) -> None:
    service.directory.installations = set()
    with pytest.raises(RemoteError) as caught:
        await service.write([new_signal()])
    assert (caught.value.reason, caught.value.code) == ("INSTALLATION_NOT_FOUND", "NOT_FOUND")


async def test_who_goes_while_signals_are_written_is_missed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enters_nobody(*_: Any) -> None: ...

    async def misses_nobody(*_: Any) -> set[int]:
        return set()

    # What identity has said before is not so any more.
    monkeypatch.setattr(service.directory, "missing_users", misses_nobody)
    monkeypatch.setattr(service.directory, "enter", enters_nobody)
    for writing in (
        service.write([new_signal(user_id=99)]),
        service.import_lines(lines_of([push(commit(1))])),
    ):
        with pytest.raises(RemoteError) as missed:
            await writing
        assert (missed.value.code, missed.value.reason) == (
            "FAILED_PRECONDITION",
            "REFERENCE_MISSING",
        )
