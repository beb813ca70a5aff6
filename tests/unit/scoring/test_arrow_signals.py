"""Arrow batches become the engine's columns, in whatever pieces they come."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel_scoring.clients.arrow_signals import SignalBuffer
from laurel_scoring.domain.columns import HASH_BYTES
from tests.support import scoring_strategies as generated
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, a_signal, columns
from tests.support.scoring_peers import signals_to_arrow


@settings(deadline=None)
@given(signals=generated.signals(AS_OF), size=st.integers(1, 50))
def test_batches_of_any_size_make_the_same_columns(signals: list[NaiveSignal], size: int) -> None:
    buffer = SignalBuffer()
    for first in range(0, len(signals), size):
        buffer.add(signals_to_arrow(signals[first : first + size]))
    read, expected = buffer.signals(), columns(signals)
    for name in expected.__dataclass_fields__:
        got, wanted = getattr(read, name), getattr(expected, name)
        assert np.array_equal(got, wanted), name
        if len(signals):
            assert got.dtype == wanted.dtype, name


def test_no_signals_are_empty_columns() -> None:
    read = SignalBuffer().signals()
    assert (len(read), read.content_hash.shape, len(read.users)) == (0, (0, 32), 0)


def test_ids_are_numbered_in_ascending_order() -> None:
    buffer = SignalBuffer()
    buffer.add(signals_to_arrow([a_signal(user=5, repository=9), a_signal(user=-(2**62) - 5)]))
    buffer.add(signals_to_arrow([a_signal(user=3, repository=4)]))
    read = buffer.signals()
    assert read.users.tolist() == [-(2**62) - 5, 3, 5]
    assert read.user.tolist() == [2, 0, 1]
    assert read.repositories.tolist() == [1, 4, 9]


def test_a_sliced_batch_is_read_from_where_it_begins() -> None:
    signals = [a_signal(user=n, at=AS_OF - timedelta(hours=n)) for n in range(1, 5)]
    table = pa.ipc.open_stream(signals_to_arrow(signals)).read_all()
    batch = table.to_batches()[0].slice(1, 2)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    buffer = SignalBuffer()
    buffer.add(sink.getvalue().to_pybytes())
    hashes = buffer.signals().content_hash
    assert [each.tobytes().hex() for each in hashes] == [s.content_hash for s in signals[1:3]]


def test_flags_that_rules_do_not_know_are_left_out() -> None:
    table = pa.ipc.open_stream(signals_to_arrow([a_signal(is_in_merged_pr=True)])).read_all()
    index = table.schema.get_field_index("flags")
    table = table.set_column(index, "flags", pa.array([0b1000 | 1 << 9], pa.int32()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    buffer = SignalBuffer()
    buffer.add(sink.getvalue().to_pybytes())
    assert buffer.signals().flags.tolist() == [0b1000]


def test_columns_grow_beyond_what_they_began_with() -> None:
    rows = 20_000
    ids = pa.array(np.arange(rows), pa.int64())
    small = pa.array(np.ones(rows), pa.int32())
    batch = pa.record_batch(
        {
            "user_id": ids,
            "repository_id": ids,
            "type": small.cast(pa.int16()),
            "value_e4": small.cast(pa.int64()),
            "event_time": ids.cast(pa.timestamp("us", "UTC")),
            "content_hash": pa.array([bytes(HASH_BYTES)] * rows, pa.binary()),
            "flags": small.cast(pa.int16()),
            "review_state": small.cast(pa.int16()),
            "additions": small,
            "deletions": small,
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    buffer = SignalBuffer()
    for _ in range(20):
        buffer.add(sink.getvalue().to_pybytes())
    signals = buffer.signals()
    for column in (signals.user, signals.repository, signals.event_timestamp):
        assert np.array_equal(column, np.tile(np.arange(rows), 20))
    assert (len(buffer), len(signals.content_hash), signals.value_e4.sum()) == (0, 400_000, 400_000)
