"""What is known of repositories from the runs before, and what GitHub lets installations ask."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.history.github import Points
from laurel_ingest.application.history.ports import Work
from laurel_ingest.domain.facts import IssueFact, PullFact
from laurel_ingest.domain.history.budget import Budget
from laurel_ingest.domain.history.newest import Etags
from laurel_ingest.domain.history.progress import Known
from laurel_ingest.domain.redelivery import LOST
from laurel_ingest.domain.refusals import Truncation
from laurel_ingest.storage.etags import etags_of, note_etags
from laurel_ingest.storage.fact_counts import COMMITS, ISSUES, KINDS, PULLS

_KNOWN: Final = text(
    f"""
    SELECT h.repository_id, h.head_sha, h.walked_at, h.pulls_until, h.issues_until, h.pulls_total,
        h.issues_total, h.looked_through_at, lost.last_at, rewritten.last_at AS rewritten_at,
        h.etags_given_to, h.etags_at, s.pr_ids_hash,
        s.commits_etag, s.pulls_etag, s.issues_etag, s.comments_etag, s.reviews_etag
    FROM repository_histories AS h
    LEFT JOIN repository_sync_state AS s ON s.repository_id = h.repository_id
    LEFT JOIN coverage_gaps AS lost ON lost.repository_id = h.repository_id
        AND lost.reason = '{LOST}'
    LEFT JOIN coverage_gaps AS rewritten ON rewritten.repository_id = h.repository_id
        AND rewritten.reason = '{Truncation.HISTORY_REWRITTEN}'
    WHERE h.repository_id = ANY (CAST(:ids AS bigint[])) AND h.pulls_total IS NOT NULL
    """  # noqa: S608 - put together from constants
)
_SAVE: Final = text(
    f"""
    INSERT INTO repository_histories AS h (
        repository_id, installation_id, head_sha, walked_at, pulls_until, issues_until,
        commits_total, pulls_total, issues_total, gap, checked_at,
        commits_known, pulls_known, issues_known
    )
    SELECT :repository_id, :installation_id, :head_sha, CAST(:walked_at AS timestamptz),
        CAST(:pulls_until AS timestamptz), CAST(:issues_until AS timestamptz),
        CAST(:commits_total AS bigint), CAST(:pulls_total AS bigint),
        CAST(:issues_total AS bigint), NULL, (
            SELECT least(:now, greatest(r.started_at, CAST(:at AS timestamptz)))
            FROM ingest_runs AS r WHERE r.id = :run_id
        ), {COMMITS}, {PULLS}, {ISSUES}
    FROM repository_facts AS f WHERE f.repository_id = :repository_id AND f.kind IN {KINDS}
    ON CONFLICT ON CONSTRAINT pk_repository_histories DO UPDATE SET
        installation_id = excluded.installation_id, head_sha = excluded.head_sha,
        walked_at = excluded.walked_at, pulls_until = excluded.pulls_until,
        issues_until = excluded.issues_until,
        commits_total = coalesce(excluded.commits_total, h.commits_total),
        pulls_total = excluded.pulls_total, issues_total = excluded.issues_total,
        gap = NULL, checked_at = excluded.checked_at,
        commits_known = excluded.commits_known, pulls_known = excluded.pulls_known,
        issues_known = excluded.issues_known
    WHERE h.walked_at IS NOT DISTINCT FROM CAST(:walked_before AS timestamptz)
        OR h.head_sha IS NOT DISTINCT FROM excluded.head_sha
    RETURNING repository_id
    """  # noqa: S608 - put together from constants
)
_REWRITTEN: Final = text(
    """
    SELECT EXISTS (
        SELECT FROM coverage_gaps
        WHERE repository_id = :repository_id AND reason = 'history_rewritten' AND last_at >= :at
    )
    """
)
# Pull requests that stand, by their numbers; `until` tells those of a reading from later ones.
_PULL: Final = """
    AND f.kind = 'pull_request' AND f.body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
"""
_MADE: Final = "coalesce((f.body -> 'created_at' ->> 2)::bigint, 0)"
_HASH: Final = f"""encode(sha256(convert_to(coalesce(
    string_agg(f.key, ',' ORDER BY f.key::bigint) FILTER (WHERE {_MADE} <= :until), ''
), 'UTF8')), 'hex')"""
_SYNC: Final = text(
    f"""
    INSERT INTO repository_sync_state (
        repository_id, organization_id, repo_updated_at, pr_ids_hash, last_fetched_at
    )
    SELECT :repository_id, r.organization_id, :updated_at, (
        SELECT {_HASH} FROM repository_facts AS f WHERE f.repository_id = :repository_id {_PULL}
    ), :now
    FROM ingest_runs AS r WHERE r.id = :run_id
    ON CONFLICT ON CONSTRAINT uq_repository_sync_state_repository DO UPDATE SET
        organization_id = excluded.organization_id,
        repo_updated_at = excluded.repo_updated_at, pr_ids_hash = excluded.pr_ids_hash,
        last_fetched_at = excluded.last_fetched_at
    """  # noqa: S608 - put together from constants
)
_PULLS_UNTIL: Final = text(
    f"""
    SELECT {_HASH}, count(*) FILTER (WHERE {_MADE} > :until)
    FROM repository_facts AS f WHERE f.repository_id = :repository_id {_PULL}
    """  # noqa: S608 - put together from constants
)
_GAP: Final = text(
    """
    INSERT INTO repository_histories (repository_id, installation_id, gap, checked_at)
    SELECT repository_id, :installation_id, gap, :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:gaps AS text[])) AS told (repository_id, gap)
    ON CONFLICT ON CONSTRAINT pk_repository_histories DO UPDATE
    SET gap = excluded.gap, checked_at = excluded.checked_at
    """
)
_WALKED: Final = text(
    """
    SELECT key, (body -> 'walked' ->> 1)::bigint FROM repository_facts
    WHERE repository_id = :repository_id AND kind = 'commit'
        AND key = ANY (CAST(:shas AS text[])) AND body -> 'walked' -> 2 = 'true'::jsonb
    """
)
_LOST: Final = text(
    """
    SELECT key FROM repository_facts
    WHERE repository_id = :repository_id AND kind = 'commit'
        AND body -> 'walked' -> 2 = 'true'::jsonb
        AND (body -> 'walked' ->> 1)::bigint > :above
        AND (body -> 'walked' ->> 1)::bigint < :below
    UNION ALL
    SELECT key FROM repository_facts
    WHERE repository_id = :repository_id AND kind = 'commit'
        AND NOT body ? 'walked' AND body ? 'on_default_branch'
        AND NOT EXISTS (
            SELECT FROM repository_facts AS r
            WHERE r.repository_id = :repository_id AND r.kind = 'repository' AND r.key = ''
                AND (r.body -> 'cloned_at' ->> 1)::bigint > :below
        )
    LIMIT 500
    """
)
_STANDING: Final = """
    FROM repository_facts
    WHERE repository_id = :repository_id AND kind = :kind
        AND body -> 'is_deleted' -> 2 IS DISTINCT FROM 'true'::jsonb
"""
_NUMBERS: Final = text(
    f"""
    SELECT key::bigint {_STANDING} AND key::bigint > :above
        AND key::bigint <= coalesce(CAST(:upto AS bigint), 9223372036854775807)
    """
)
_COUNTS: Final = text(
    f"""
    SELECT {PULLS}, {ISSUES} FROM repository_facts AS f
    WHERE f.repository_id = :repository_id AND f.kind IN ('pull_request', 'issue')
    """  # noqa: S608 - put together from constants
)
_BUDGET: Final = text(
    """
    SELECT point_limit, remaining, reset_at, blocked_until FROM github_budgets
    WHERE installation_id = :installation_id
    """
)
_TOLD: Final = text(
    """
    INSERT INTO github_budgets AS b (installation_id, point_limit, remaining, reset_at)
    VALUES (:installation_id, :limit, :remaining, :reset_at)
    ON CONFLICT ON CONSTRAINT pk_github_budgets DO UPDATE SET
        point_limit = excluded.point_limit,
        remaining = CASE WHEN b.reset_at = excluded.reset_at
            THEN least(b.remaining, excluded.remaining) ELSE excluded.remaining END,
        reset_at = excluded.reset_at
    """
)
_BLOCKED: Final = text(
    """
    INSERT INTO github_budgets AS b (installation_id, blocked_until)
    VALUES (:installation_id, :until)
    ON CONFLICT ON CONSTRAINT pk_github_budgets DO UPDATE
    SET blocked_until = greatest(b.blocked_until, excluded.blocked_until)
    """
)


class Histories:
    """A HistoryStore."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def known(self, repository_ids: Collection[int]) -> dict[int, Known]:
        """See HistoryStore."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(_KNOWN, {"ids": list(repository_ids)})
            return {
                row[0]: Known(
                    head_sha=row[1],
                    walked_at=_epoch(row[2]),
                    pulls_until=_epoch(row[3]),
                    issues_until=_epoch(row[4]),
                    pulls_total=row[5],
                    issues_total=row[6],
                    looked_through_at=_epoch(row[7]),
                    lost_at=_epoch(row[8]),
                    rewritten_at=_epoch(row.rewritten_at),
                    etags=etags_of(row),
                    etags_at=_epoch(row.etags_at),
                    pr_ids_hash=row.pr_ids_hash,
                )
                for row in rows
            }

    async def save(
        self,
        work: Work,
        values: Mapping[str, Any],
        now: datetime,
        *,
        walked_before: int | None,
        etags: Etags | None,
    ) -> bool:
        """See HistoryStore."""
        until = values["pulls_until"] or 0
        values = dict(values) | {"walked_before": walked_before}
        times = ("at", "walked_at", "walked_before", "pulls_until", "issues_until")
        values |= {each: _moment(values[each]) for each in times}
        key = {"repository_id": work.repository_id, "now": now}
        newest = [each for each in (values["pulls_until"], values["issues_until"]) if each]
        updated = {"updated_at": max(newest, default=None), "run_id": work.run_id}
        async with transaction(self._engine) as connection:
            saved = await connection.execute(
                _SAVE,
                values | key | {"installation_id": work.installation_id, "run_id": work.run_id},
            )
            if saved.one_or_none() is None:
                return False
            await connection.execute(_SYNC, key | updated | {"until": until})
            if etags is not None:
                await note_etags(connection, work.repository_id, etags, now)
            return True

    async def rewritten_since(self, repository_id: int, at: int) -> bool:
        """See HistoryStore."""
        values = {"repository_id": repository_id, "at": _moment(at)}
        async with transaction(self._engine) as connection:
            return bool(await connection.scalar(_REWRITTEN, values))

    async def note_gap(self, installation_id: int, gaps: Mapping[int, str], now: datetime) -> None:
        """See HistoryStore."""
        if not gaps:
            return
        values = {"ids": list(gaps), "gaps": list(gaps.values())}
        async with transaction(self._engine) as connection:
            await connection.execute(
                _GAP, values | {"installation_id": installation_id, "now": now}
            )

    async def walked(self, repository_id: int, shas: Collection[str]) -> dict[str, int]:
        """See HistoryStore."""
        values = {"repository_id": repository_id, "shas": list(shas)}
        async with transaction(self._engine) as connection:
            return {row[0]: row[1] for row in await connection.execute(_WALKED, values)}

    async def lost(self, repository_id: int, above: int, below: int) -> Sequence[str]:
        """See HistoryStore."""
        values = {"repository_id": repository_id, "above": above, "below": below}
        async with transaction(self._engine) as connection:
            return list((await connection.execute(_LOST, values)).scalars())

    async def numbers(
        self, repository_id: int, kind: str, above: int, upto: int | None
    ) -> Sequence[int]:
        """See HistoryStore."""
        values = {"repository_id": repository_id, "kind": kind, "above": above, "upto": upto}
        async with transaction(self._engine) as connection:
            return list((await connection.execute(_NUMBERS, values)).scalars())

    async def pulls_until(self, repository_id: int, until: int | None) -> tuple[str, int]:
        """See HistoryStore."""
        values = {"repository_id": repository_id, "until": until or 0}
        async with transaction(self._engine) as connection:
            row = (await connection.execute(_PULLS_UNTIL, values)).one()
        return row[0], row[1]

    async def counts(self, repository_id: int) -> dict[str, int]:
        """See HistoryStore."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(_COUNTS, {"repository_id": repository_id})).one()
        return {PullFact.kind: row[0], IssueFact.kind: row[1]}


async def note_budget(connection: AsyncConnection, installation_id: int, points: Points) -> None:
    """Notes with the connection's transaction what an answer left."""
    values = {
        "installation_id": installation_id,
        "limit": points.limit,
        "remaining": points.remaining,
        "reset_at": points.reset_at,
    }
    await connection.execute(_TOLD, values)


class Budgets:
    """A BudgetStore."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self, installation_id: int) -> Budget:
        """See BudgetStore."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(_BUDGET, {"installation_id": installation_id})
            row = found.one_or_none()
        return Budget() if row is None else Budget(*row)

    async def told(self, installation_id: int, points: Points) -> None:
        """See BudgetStore."""
        async with transaction(self._engine) as connection:
            await note_budget(connection, installation_id, points)

    async def blocked(self, installation_id: int, until: datetime) -> None:
        """See BudgetStore."""
        async with transaction(self._engine) as connection:
            await connection.execute(_BLOCKED, {"installation_id": installation_id, "until": until})


def _epoch(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _moment(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
