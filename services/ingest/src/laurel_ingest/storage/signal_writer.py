"""Staged signals into key table and partitions: each once, the best-standing source's word."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_ingest.application.ports import TypeCounts, WriteOutcome
from laurel_ingest.domain.signals import OF_THE_PERSON
from laurel_ingest.storage import staging
from laurel_ingest.storage.change_log import Change, log_changes
from laurel_ingest.storage.scoring_notices import note_change
from laurel_ingest.storage.signal_moves import adopters, redirect_staged
from laurel_ingest.storage.withdrawals import Taken, Withdrawals

_LOCK_CLASS: Final = 0x51670001
_LOCK_BUCKETS: Final = 256

# Both inserts in the order of an index: pages are then filled one after the other.
# A commit whose credits a better source has told gets none from a lesser one.
_INSERT: Final = text(
    """
    WITH fresh AS (
        INSERT INTO signal_keys
            (content_hash, user_id, installation_id, signal_id, event_timestamp, standing)
        SELECT s.content_hash, s.credited_id, s.installation_id, s.signal_id, s.event_timestamp,
            s.standing
        FROM staged_signals AS s
        WHERE s.standing = 3 OR s.type <> 'commit' OR NOT EXISTS (
            SELECT 1 FROM signal_keys AS k
            WHERE k.content_hash = s.content_hash AND k.standing > s.standing
        )
        ORDER BY s.content_hash
        ON CONFLICT ON CONSTRAINT pk_signal_keys DO NOTHING
        RETURNING signal_id
    ), written AS (
        INSERT INTO signals
            (id, installation_id, user_id, repository_id, type, value, event_timestamp,
            content_hash, metadata)
        SELECT s.signal_id, s.installation_id, s.user_id, s.repository_id, s.type::signal_type,
            s.value_e4::numeric / 10000, s.event_timestamp, encode(s.content_hash, 'hex'),
            signal_metadata(s.flags, s.review_state, s.additions, s.deletions, s.number, s.title,
                s.object_id)
        FROM staged_signals AS s
        JOIN fresh AS f ON f.signal_id = s.signal_id
        ORDER BY s.event_timestamp
        RETURNING installation_id, type, id, event_timestamp
    )
    SELECT installation_id, type::text, count(*), min(id), max(id), min(event_timestamp),
        max(event_timestamp)
    FROM written GROUP BY installation_id, type
    """
)

_CONFLICT_SPAN: Final = text(
    """
    SELECT min(k.event_timestamp), max(k.event_timestamp)
    FROM staged_signals AS s
    JOIN signal_keys AS k ON k.content_hash = s.content_hash AND k.user_id = s.credited_id
    WHERE k.signal_id <> s.signal_id
    """
)

# `settle` in domain/settling.py says the same of one signal. The span keeps the statement from
# locking every partition there is.
_SETTLE: Final = text(
    """
    WITH offered AS (
        SELECT DISTINCT ON (s.content_hash, s.credited_id)
            s.installation_id, s.user_id, s.event_timestamp, s.value_e4::numeric / 10000 AS value,
            s.standing,
            signal_metadata(0, s.review_state, s.additions, s.deletions, s.number, s.title,
                s.object_id) AS details,
            bit_or(s.flags) OVER (PARTITION BY s.content_hash, s.credited_id) AS flags,
            k.content_hash, k.user_id AS credited_id, k.signal_id,
            k.event_timestamp AS known_timestamp, k.standing AS known_standing
        FROM staged_signals AS s
        JOIN signal_keys AS k ON k.content_hash = s.content_hash AND k.user_id = s.credited_id
        WHERE k.signal_id <> s.signal_id
        ORDER BY s.content_hash, s.credited_id, s.standing DESC, s.event_timestamp DESC,
            s.user_id DESC, s.value_e4 DESC,
            signal_metadata(0, s.review_state, s.additions, s.deletions, s.number, s.title,
                s.object_id)::text COLLATE "C" DESC
    ), weighed AS (
        SELECT o.content_hash, o.credited_id, o.signal_id, o.known_timestamp, o.known_standing,
            o.standing, o.installation_id, o.user_id, o.value, o.event_timestamp,
            o.details || signal_metadata(
                o.flags | (signal_flags(old.metadata)
                    & CASE WHEN :last_word THEN CAST(:not_of_the_person AS integer) ELSE -1 END),
                NULL, NULL, NULL, NULL, NULL, NULL
            ) AS replaced,
            old.metadata || signal_metadata(o.flags, NULL, NULL, NULL, NULL, NULL, NULL)
                AS enriched,
            old.installation_id AS old_installation_id, old.user_id AS old_user_id,
            old.value AS old_value, old.metadata AS old_metadata,
            o.standing > o.known_standing OR o.standing = o.known_standing AND (
                :last_word OR
                (o.event_timestamp, o.user_id, o.value, o.details::text COLLATE "C") >
                (old.event_timestamp, old.user_id, old.value, (
                    old.metadata - ARRAY['is_bot', 'is_self_review', 'is_self_merge',
                        'is_in_merged_pr', 'has_linked_issue', 'has_linked_pr']
                )::text COLLATE "C")
            ) AS wins
        FROM offered AS o
        JOIN signals AS old
            ON old.id = o.signal_id AND old.event_timestamp = o.known_timestamp
        WHERE old.event_timestamp BETWEEN :first AND :last
    ), changed AS (
        SELECT signal_id, known_timestamp, user_id, installation_id, value, event_timestamp,
            replaced AS metadata, old_installation_id
        FROM weighed
        WHERE wins AND (old_installation_id, old_user_id, old_value, known_timestamp, old_metadata)
            IS DISTINCT FROM (installation_id, user_id, value, event_timestamp, replaced)
        UNION ALL
        SELECT signal_id, known_timestamp, old_user_id, old_installation_id, old_value,
            known_timestamp, enriched, old_installation_id
        FROM weighed
        WHERE NOT wins AND old_metadata <> enriched
    ), keyed AS (
        UPDATE signal_keys AS k
        SET installation_id = w.installation_id, event_timestamp = w.event_timestamp,
            standing = w.standing
        FROM weighed AS w
        WHERE w.wins AND k.content_hash = w.content_hash AND k.user_id = w.credited_id
            AND (k.installation_id, k.event_timestamp, k.standing)
                IS DISTINCT FROM (w.installation_id, w.event_timestamp, w.standing)
    ), rewritten AS (
        UPDATE signals AS s
        SET installation_id = c.installation_id, user_id = c.user_id, value = c.value,
            event_timestamp = c.event_timestamp, metadata = c.metadata
        FROM changed AS c
        WHERE s.id = c.signal_id AND s.event_timestamp = c.known_timestamp
            AND s.event_timestamp BETWEEN :first AND :last
        RETURNING s.installation_id, s.type, c.old_installation_id, s.id, s.event_timestamp,
            decode(s.content_hash, 'hex') AS content_hash,
            CASE s.type WHEN 'commit' THEN s.user_id ELSE 0 END AS credited_id
    )
    SELECT installation_id, type::text, count(*), old_installation_id, array_agg(id),
        min(event_timestamp), max(event_timestamp), array_agg(content_hash),
        array_agg(credited_id)
    FROM rewritten GROUP BY installation_id, type, old_installation_id
    """
)

_NOTE_STATES: Final = text(
    """
    INSERT INTO installation_signal_states AS state
        (installation_id, signal_count, first_event_timestamp, last_event_timestamp)
    SELECT changed.installation_id, greatest(changed.added, 0), span.first, span.last
    FROM unnest(CAST(:installation_ids AS bigint[]), CAST(:added AS bigint[]))
        AS changed (installation_id, added)
    LEFT JOIN (
        SELECT installation_id, min(event_timestamp) AS first, max(event_timestamp) AS last
        FROM staged_signals GROUP BY installation_id
    ) AS span ON span.installation_id = changed.installation_id
    ORDER BY changed.installation_id
    ON CONFLICT ON CONSTRAINT pk_installation_signal_states DO UPDATE SET
        revision = state.revision + 1,
        signal_count = greatest(
            state.signal_count + (CAST(:added AS bigint[]))[
                array_position(CAST(:installation_ids AS bigint[]), state.installation_id)
            ], 0
        ),
        first_event_timestamp =
            least(state.first_event_timestamp, excluded.first_event_timestamp),
        last_event_timestamp =
            greatest(state.last_event_timestamp, excluded.last_event_timestamp)
    RETURNING installation_id, revision
    """
)


@dataclass(slots=True)
class _Tally:
    """What became of the signals of a batch, by type and by installation."""

    by_type: dict[str, TypeCounts] = field(default_factory=dict)
    added: dict[int, int] = field(default_factory=dict)
    changes: defaultdict[int, Change] = field(default_factory=lambda: defaultdict(Change))
    withdrawn: int = 0

    def count_new(self, rows: Iterable[Any]) -> None:
        """Rows of _INSERT."""
        for installation_id, name, count, first_id, last_id, first, last in rows:
            self.by_type[name].new += count
            self.by_type[name].duplicate -= count
            self._touch(installation_id, count)
            self.changes[installation_id].wrote(count, (first_id, last_id), (first, last))

    def count_changed(self, rows: Iterable[Any]) -> None:
        """Rows of _SETTLE; a transferred signal is one less where it was."""
        for installation_id, name, count, former_id, ids, first, last, hashes, users in rows:
            self.by_type[name].changed += count
            self.by_type[name].duplicate -= count
            self._touch(installation_id, count)
            self._touch(former_id, -count)
            self.changes[installation_id].rewrote(ids, (first, last))
            if former_id != installation_id:
                self.changes[former_id].removed(hashes, users)

    def count_withdrawn(self, taken: Taken) -> None:
        """What was taken back, by installation."""
        for installation_id, (hashes, users) in taken.items():
            self.withdrawn += len(hashes)
            self._touch(installation_id, -len(hashes))
            self.changes[installation_id].removed(hashes, users)

    def belong(self, adopters: Mapping[int, int]) -> None:
        """Counts what happened to adopted installations as happened to their adopters."""
        for former_id, installation_id in adopters.items():
            self._touch(installation_id, self.added.pop(former_id))
            self.changes[installation_id].join(self.changes.pop(former_id, Change()))

    def _touch(self, installation_id: int, added: int) -> None:
        self.added[installation_id] = self.added.get(installation_id, 0) + added


async def lock_repositories(connection: AsyncConnection, repository_ids: Iterable[int]) -> None:
    """See SignalWriter.lock."""
    await _lock(connection, {repository_id % _LOCK_BUCKETS for repository_id in repository_ids})


async def lock_all_repositories(connection: AsyncConnection) -> None:
    """Waits until nobody writes signals, and lets nobody begin."""
    await _lock(connection, range(_LOCK_BUCKETS))


async def _lock(connection: AsyncConnection, buckets: Iterable[int]) -> None:
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(:class, b) FROM unnest(CAST(:b AS int[])) AS b"),
        {"class": _LOCK_CLASS, "b": sorted(buckets)},
    )


class SignalWriter:
    """Writes in the transaction that its connection is in."""

    def __init__(self, connection: AsyncConnection, *, boards_follow: bool = False) -> None:
        """`boards_follow`: scoring is to be told of what changes."""
        self._connection = connection
        self._boards_follow = boards_follow

    async def lock(self, repository_ids: Sequence[int]) -> None:
        """Waits until nobody else writes signals of these repositories, and holds them.

        Writers of one repository take turns, so that they see each other's keys and never each
        other's row locks; buckets keep the lock table small and are taken in one order.
        """
        await lock_repositories(self._connection, repository_ids)

    async def write(self, signals: pa.Table, *, last_word: bool) -> WriteOutcome:
        """Writes columns of `staging.COLUMNS` and says what was new, changed, there already.

        `last_word`: among sources of one standing this one, written last, is right; otherwise a
        fixed rule decides that does not ask who came first.
        """
        tally = _Tally()
        if signals.num_rows:
            for counted in signals["type"].value_counts().to_pylist():
                tally.by_type[counted["values"]] = TypeCounts(duplicate=counted["counts"])
            await staging.stage(self._connection, signals)
            await redirect_staged(
                self._connection, pc.unique(signals["installation_id"]).to_pylist()
            )
            fresh = await self._connection.execute(_INSERT)
            tally.count_new(fresh)
            if any(counts.duplicate for counts in tally.by_type.values()):
                await self._settle(tally, last_word=last_word)
            await self._withdraw_lesser_credits(tally)
            await self._note_states(tally)
        return WriteOutcome(tally.by_type, tally.withdrawn)

    async def withdraw(self, scope: pa.Table, *, reason: str) -> int:
        """Takes back every signal of `scope` (repository_id, type, identity, standing) that the
        write before did not name again, unless a better source wrote it.
        """
        if scope.num_rows == 0:
            return 0
        await staging.prepare(self._connection)
        tally = _Tally()
        tally.count_withdrawn(await Withdrawals(self._connection).unnamed(scope, reason))
        await self._note_states(tally)
        return tally.withdrawn

    async def _settle(self, tally: _Tally, *, last_word: bool) -> None:
        first, last = (await self._connection.execute(_CONFLICT_SPAN)).one()
        if first is not None:
            values = {
                "first": first,
                "last": last,
                "last_word": last_word,
                "not_of_the_person": ~int(OF_THE_PERSON),
            }
            changed = await self._connection.execute(_SETTLE, values)
            tally.count_changed(changed)

    async def _withdraw_lesser_credits(self, tally: _Tally) -> None:
        if "commit" in tally.by_type:
            tally.count_withdrawn(await Withdrawals(self._connection).lesser_credits())

    async def _note_states(self, tally: _Tally) -> None:
        if tally.added:
            # Rows that have not followed yet still bear the number of where they were.
            tally.belong(await adopters(self._connection, tally.added))
            installation_ids = sorted(tally.added)
            made = await self._connection.execute(
                _NOTE_STATES,
                {
                    "installation_ids": installation_ids,
                    "added": [tally.added[each] for each in installation_ids],
                },
            )
            revisions = {row[0]: row[1] for row in made}
            await log_changes(self._connection, revisions, tally.changes)
            if self._boards_follow:
                await note_change(self._connection, installation_ids)
