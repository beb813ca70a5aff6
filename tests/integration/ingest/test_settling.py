"""The database settles batches as the pure rule settles one signal."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel_common.db import create_engine
from laurel_ingest.domain.columns import SCHEMA
from laurel_ingest.domain.settling import Word, jsonb_text, settle
from laurel_ingest.storage.postgres import PostgresStorage
from tests.support.database import Database

FIRST = 1_620_036_000
_NAMES = ("is_bot", "is_self_review", "is_self_merge", "is_in_merged_pr", "has_linked_issue")
_FLAGS = dict(enumerate((*_NAMES, "has_linked_pr")))

WORDS = st.builds(
    Word,
    standing=st.integers(1, 3),
    user_id=st.integers(1, 3),
    event_time=st.integers(0, 2).map(lambda months: FIRST + months * 31 * 86_400),
    value_e4=st.sampled_from([10_000, 12_500]),
    flags=st.integers(0, 63),
    details=st.fixed_dictionaries(
        {},
        optional={
            "number": st.integers(1, 30),
            "additions": st.integers(0, 30),
            "title": st.sampled_from(["é", "Z", 'a"b', "a\\b", "line\nend", "~"]),
            "object_id": st.sampled_from(["10", "9"]),
        },
    ),
)


def table(words: list[Word]) -> pa.Table:
    rows = [
        {
            "installation_id": -1,
            "user_id": word.user_id,
            "repository_id": 1,
            "type": "comment",
            "identity": "1",
            "event_timestamp": word.event_time,
            "value_e4": word.value_e4,
            "standing": word.standing,
            "flags": word.flags,
            **word.details,
        }
        for word in words
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def metadata_of(word: Word) -> Mapping[str, Any]:
    return dict(word.details) | {
        name: True for bit, name in _FLAGS.items() if word.flags >> bit & 1
    }


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    words=st.lists(WORDS, min_size=1, max_size=4), last_word=st.booleans(), together=st.booleans()
)
def test_the_database_and_the_rule_agree(
    database: Database, words: list[Word], last_word: bool, together: bool
) -> None:
    # Within one batch nobody is last.
    last_word = last_word and not together
    expected = words[0]
    for word in words[1:]:
        expected = settle(expected, word, last_word=last_word)
    asyncio.run(_write(database, words, last_word=last_word, together=together))
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT s.user_id, extract(epoch FROM s.event_timestamp)::bigint,"
            " (s.value * 10000)::bigint, s.metadata, k.standing FROM signals AS s"
            " JOIN signal_keys AS k ON k.signal_id = s.id"
            " AND k.event_timestamp = s.event_timestamp"
        ).fetchall()
    assert rows == [
        (
            expected.user_id,
            expected.event_time,
            expected.value_e4,
            metadata_of(expected),
            expected.standing,
        )
    ]


async def _write(database: Database, words: list[Word], *, last_word: bool, together: bool) -> None:
    with database.connect() as connection:
        connection.execute("TRUNCATE signals, signal_keys")
        connection.execute(
            "INSERT INTO organizations (id, login) VALUES (1, 'o') ON CONFLICT DO NOTHING;"
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (-1, 0, 1) ON CONFLICT DO NOTHING;"
            "INSERT INTO repositories (id, full_name, name, owner_login)"
            " VALUES (1, 'o/r', 'r', 'o') ON CONFLICT DO NOTHING;"
            "INSERT INTO users (id, login, avatar_url)"
            " SELECT g, 'u' || g, '' FROM generate_series(1, 3) AS g ON CONFLICT DO NOTHING"
        )
    engine = create_engine(database.url("laurel_ingest"), application_name="test", pool_size=1)
    storage = PostgresStorage(engine)
    try:
        for batch in [words] if together else [[word] for word in words]:
            async with storage.transaction() as unit:
                await unit.signals.write(table(batch), last_word=last_word)
    finally:
        await engine.dispose()


@given(
    details=st.dictionaries(
        st.sampled_from(["title", "number", "additions", "object_id"]),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    )
)
@settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_jsonb_is_written_as_we_say(database: Database, details: dict[str, int | str]) -> None:
    with database.connect() as connection:
        row = connection.execute("SELECT %s::jsonb::text", [jsonb_text(details)]).fetchone()
    assert row == (jsonb_text(details),)
