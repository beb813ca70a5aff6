"""Names' epochs, page tokens, points as text, and the memory's bounds."""

from collections import OrderedDict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.leaderboard.v1.leaderboard_pb2 import GetLeaderboardResponse
from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_leaderboard.application.page_cache import OVERHEAD_BYTES, CachedPage, PageCache
from laurel_leaderboard.application.walks import open_walk, seal_walk
from laurel_leaderboard.domain.entries import Position, format_points
from laurel_leaderboard.domain.pages import (
    Freshness,
    PageKey,
    Source,
    names_epoch,
    names_until,
)
from laurel_leaderboard.domain.versions import RetentionState
from laurel_leaderboard.rpc.codec import ProtobufCodec
from tests.support.leaderboard_builders import INSTALLATION, NOON
from tests.unit.leaderboard.test_versions import version

ids = st.integers(1, 2**40)
instants = st.integers(0, 10**15).map(lambda number: NOON + timedelta(microseconds=number))
TOKENS = PageTokens(bytes(range(32)))


@given(ids, instants)
def test_a_page_is_never_given_out_with_names_older_than_a_minute(
    materialization_id: int, now: datetime
) -> None:
    renew_at = names_until(materialization_id, now)
    assert now < renew_at <= now + timedelta(seconds=30)
    assert names_epoch(materialization_id, renew_at) == names_epoch(materialization_id, now) + 1
    until = names_until(materialization_id, renew_at)
    assert until - now <= timedelta(minutes=1)


@given(st.integers(-(10**12) + 1, 10**12 - 1))
def test_points_are_written_with_four_decimals(points_e4: int) -> None:
    text = format_points(points_e4)
    assert Decimal(text) * 10_000 == points_e4
    assert len(text.partition(".")[2]) == 4


@given(ids, st.integers(-(10**12), 10**12), st.integers(-(2**63), 2**63 - 1))
def test_a_walk_goes_on_where_it_was(materialization_id: int, score: int, entity: int) -> None:
    walked = version(RetentionState.CURRENT, id=materialization_id)
    token = seal_walk(TOKENS, walked, Position(score, entity))
    assert open_walk(TOKENS, token, INSTALLATION) == (materialization_id, Position(score, entity))
    with pytest.raises(InvalidPageToken):
        open_walk(TOKENS, token, INSTALLATION + 1)
    with pytest.raises(InvalidPageToken):
        open_walk(PageTokens(bytes(32)), token, INSTALLATION)


@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    token = seal_walk(TOKENS, version(RetentionState.CURRENT), Position(5, 6))
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[place]))
    with pytest.raises(InvalidPageToken):
        open_walk(TOKENS, token[:place] + other + token[place + 1 :], INSTALLATION)


def test_the_parts_of_an_answer_are_one_message() -> None:
    codec = ProtobufCodec()
    parts = [
        codec.entries([]),
        codec.header(version(RetentionState.CURRENT, row_count=9)),
        codec.state(Freshness.STALE, Source.REDIS),
        codec.token("next"),
    ]
    answer = GetLeaderboardResponse.FromString(b"".join(parts))
    assert (answer.total_size, answer.freshness, answer.source, answer.next_page_token) == (
        9,
        2,
        2,
        "next",
    )
    assert codec.token("") == b""


def page(size: int) -> CachedPage:
    return CachedPage(bytes(size), b"", NOON, NOON)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 4000)), max_size=60),
    st.integers(0, 8000),
)
def test_memory_keeps_its_bounds_and_the_most_recently_used(
    steps: list[tuple[bool, int, int]], capacity: int
) -> None:
    cache, model = PageCache(capacity), OrderedDict[int, int]()
    for writes, number, size in steps:
        key = PageKey(number, None, 50)
        if writes:
            cache.put(key, page(size))
            model.pop(number, None)
            if size + OVERHEAD_BYTES <= capacity:
                model[number] = size + OVERHEAD_BYTES
            while sum(model.values()) > capacity:
                model.popitem(last=False)
        else:
            assert (cache.get(key) is not None) == (number in model)
            if number in model:
                model.move_to_end(number)
        assert (cache.size, len(cache)) == (sum(model.values()), len(model))
        assert cache.size <= capacity
