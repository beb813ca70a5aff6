"""The one order of signals: by time, type, hash and user, whatever they come in."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.ordering import FEW, total_order
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, columns

# Together they leave few bits for a time, so that those that lie close share a number.
TIMES = st.one_of(
    st.integers(0, 5),
    st.integers(1_700_000_000_000_000, 1_700_000_000_000_040),
    st.sampled_from([-(2**62), 2**62]),
    st.integers(-(2**62), 2**62),
)


def of(rows: list[tuple[int, int, bytes, int]]) -> Signals:
    """Signals of which nothing but what decides about their order is given."""
    empty = columns([])
    return replace(
        empty,
        event_timestamp=np.array([row[0] for row in rows], dtype=np.int64),
        type=np.array([row[1] for row in rows], dtype=np.uint8),
        content_hash=np.frombuffer(b"".join(row[2] for row in rows), np.uint8).reshape(-1, 32),
        user=np.array([row[3] for row in rows], dtype=np.int32),
    )


@settings(max_examples=300, deadline=None)  # the first call compiles
@given(
    st.lists(
        st.tuples(
            TIMES,
            st.integers(0, 9),
            st.sampled_from([b"\0" * 32, b"\0" * 31 + b"\1", b"\x80" + b"\0" * 31]),
            st.integers(0, 3),
        ),
        unique=True,
    ),
    st.sampled_from([1, 1, FEW]),
)
def test_any_signals_stand_as_python_would_sort_them(
    rows: list[tuple[int, int, bytes, int]], crowd: int
) -> None:
    # A crowd at each moment is sorted otherwise than a few.
    rows = [
        (when, kind, head[:-2] + each.to_bytes(2, "big"), user)
        for when, kind, head, user in rows
        for each in range(crowd)
    ]
    order = total_order(of(rows)).tolist()
    assert sorted(order) == list(range(len(rows)))
    assert [rows[position] for position in order] == sorted(rows)


def test_signals_of_one_instant_stand_by_type_then_hash_then_user() -> None:
    signals = [
        NaiveSignal(2, 1, "commit", AS_OF, "b" * 64),
        NaiveSignal(1, 1, "review", AS_OF, "0" * 64),
        NaiveSignal(1, 1, "commit", AS_OF, "b" * 64),
        NaiveSignal(9, 1, "commit", AS_OF, "a" + "f" * 63),
        NaiveSignal(9, 1, "commit", AS_OF - timedelta(microseconds=1), "f" * 64),
    ]
    assert total_order(columns(signals)).tolist() == [4, 3, 2, 0, 1]


@pytest.mark.parametrize("digit", [0, 20, 40, 63])
def test_a_hash_is_compared_to_its_last_digit(digit: int) -> None:
    high = "5" * digit + "6" + "5" * (63 - digit)
    signals = [NaiveSignal(1, 1, "commit", AS_OF, each) for each in (high, "5" * 64)]
    assert total_order(columns(signals)).tolist() == [1, 0]


@pytest.mark.parametrize("digit", [15, 31, 47])
def test_a_digit_of_a_hash_weighs_more_than_all_after_it(digit: int) -> None:
    same, after = "5" * digit, 63 - digit
    low, high = same + "5" + "f" * after, same + "6" + "0" * after
    signals = [NaiveSignal(1, 1, "commit", AS_OF, each) for each in (high, low)]
    assert total_order(columns(signals)).tolist() == [1, 0]
