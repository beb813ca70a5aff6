"""What moves with an installation, or a repository of one, beside the rows of its signals."""

from typing import Final

from sqlalchemy import TextClause, text

# :from, :into, :repository (0 for all) and :now are told to each.

# Another move that is not over would read, or move on, what this one is about to move.
BUSY: Final = text(
    """
    SELECT EXISTS (
        SELECT FROM signal_moves
        WHERE finished_at IS NULL
            AND (from_installation_id IN (:from, :into) OR into_installation_id = :from)
            AND (from_installation_id, repository_id) <> (:from, :repository)
    )
    """
)

KNOWN: Final = text(
    """
    SELECT into_installation_id, finished_at FROM signal_moves
    WHERE from_installation_id = :from AND repository_id = :repository
    """
)

# Moves that led here lead on; what comes back is redirected no more.
LEAD_ON: Final = (
    text(
        """
        DELETE FROM signal_moves
        WHERE from_installation_id = :into AND repository_id IN (0, :repository)
            OR from_installation_id = :from AND repository_id = :repository
        """
    ),
    text(
        """
        DELETE FROM signal_moves
        WHERE :repository = 0 AND from_installation_id = :into AND into_installation_id = :from
        """
    ),
    text(
        """
        UPDATE signal_moves SET into_installation_id = :into
        WHERE into_installation_id = :from
            AND (:repository = 0 OR repository_id = :repository)
            AND from_installation_id <> :into
        """
    ),
)

BEGIN_WHOLE: Final = text(
    """
    INSERT INTO signal_moves (from_installation_id, repository_id, into_installation_id,
        first_event_timestamp, last_event_timestamp, begun_at)
    SELECT :from, 0, :into, state.first_event_timestamp, state.last_event_timestamp, :now
    FROM (SELECT) AS one
    LEFT JOIN installation_signal_states AS state ON state.installation_id = :from
    """
)
BEGIN_REPOSITORY: Final = text(
    """
    INSERT INTO signal_moves (from_installation_id, repository_id, into_installation_id,
        first_event_timestamp, last_event_timestamp, begun_at)
    SELECT :from, :repository, :into, min(s.event_timestamp), max(s.event_timestamp), :now
    FROM installation_signal_states AS state
    JOIN signals AS s ON s.installation_id = :from AND s.repository_id = :repository
        AND s.event_timestamp
            BETWEEN state.first_event_timestamp AND state.last_event_timestamp
    WHERE state.installation_id = :from
    """
)

# The revision has no row among the changes: whoever knows an earlier one reads everything.
# What is removed takes its log of changes along.
STATES_WHOLE: Final = text(
    """
    WITH gone AS (
        DELETE FROM installation_signal_states WHERE installation_id = :from
        RETURNING signal_count, first_event_timestamp, last_event_timestamp
    )
    INSERT INTO installation_signal_states AS state
        (installation_id, signal_count, first_event_timestamp, last_event_timestamp)
    SELECT :into, signal_count, first_event_timestamp, last_event_timestamp FROM gone
    ON CONFLICT ON CONSTRAINT pk_installation_signal_states DO UPDATE
    SET revision = state.revision + 1,
        signal_count = state.signal_count + excluded.signal_count,
        first_event_timestamp =
            least(state.first_event_timestamp, excluded.first_event_timestamp),
        last_event_timestamp =
            greatest(state.last_event_timestamp, excluded.last_event_timestamp)
    """
)
STATES_REPOSITORY: Final = text(
    """
    INSERT INTO installation_signal_states AS state
        (installation_id, first_event_timestamp, last_event_timestamp)
    SELECT each, m.first_event_timestamp, m.last_event_timestamp
    FROM signal_moves AS m CROSS JOIN unnest(ARRAY[:from, :into]) AS each
    WHERE m.from_installation_id = :from AND m.repository_id = :repository
        AND m.first_event_timestamp IS NOT NULL
    ORDER BY each
    ON CONFLICT ON CONSTRAINT pk_installation_signal_states DO UPDATE
    SET revision = state.revision + 1,
        first_event_timestamp =
            least(state.first_event_timestamp, excluded.first_event_timestamp),
        last_event_timestamp =
            greatest(state.last_event_timestamp, excluded.last_event_timestamp)
    """
)


def _rows_of(table: str) -> TextClause:
    """Rows of what moves become the later installation's."""
    return text(
        f"""
        UPDATE {table} SET installation_id = :into
        WHERE installation_id = :from AND (:repository = 0 OR repository_id = :repository)
        """  # noqa: S608 - put together from constants
    )


AT_ONCE_REPOSITORY: Final = (_rows_of("repository_installations"), _rows_of("repository_histories"))
# Runs that are not over end: they ask GitHub in the name of what is not there any more.
AT_ONCE_WHOLE: Final[tuple[TextClause, ...]] = (
    *AT_ONCE_REPOSITORY,
    text(
        """
        UPDATE ingest_runs SET state = 'cancelled', finished_at = :now, waiting_until = NULL
        WHERE installation_id = :from AND state IN ('queued', 'running')
        """
    ),
    text("UPDATE ingest_runs SET installation_id = :into WHERE installation_id = :from"),
    text(
        """
        UPDATE ingest_run_requests AS r SET installation_id = :into
        WHERE r.installation_id = :from AND NOT EXISTS (
            SELECT FROM ingest_run_requests AS own
            WHERE own.installation_id = :into AND own.request_id = r.request_id
        )
        """
    ),
    text(
        "UPDATE ingest_run_repositories SET installation_id = :into WHERE installation_id = :from"
    ),
    text(
        """
        UPDATE ingest_log AS l SET installation_id = :into
        WHERE l.installation_id = :from AND NOT EXISTS (
            SELECT FROM ingest_log AS own
            WHERE own.installation_id = :into AND own.organization_id = l.organization_id
                AND own.team_id IS NOT DISTINCT FROM l.team_id
                AND own.repository_id IS NOT DISTINCT FROM l.repository_id
        )
        """
    ),
    text(
        """
        WITH gone AS (
            DELETE FROM installation_bots WHERE installation_id = :from
            RETURNING user_id, added_by, created_at
        )
        INSERT INTO installation_bots (installation_id, user_id, added_by, created_at)
        SELECT :into, user_id, added_by, created_at FROM gone
        ON CONFLICT ON CONSTRAINT pk_installation_bots DO NOTHING
        """
    ),
    text(
        """
        UPDATE webhook_deliveries SET installation_id = :into
        WHERE installation_id = :from AND state IN ('waiting', 'parked')
        """
    ),
    text("DELETE FROM scoring_notices WHERE installation_id = :from"),
)

IN_THE_END: Final = (
    _rows_of("signal_withdrawals"),
    _rows_of("signal_corrections"),
    text(
        """
        UPDATE signal_moves SET finished_at = :now
        WHERE from_installation_id = :from AND repository_id = :repository
        """
    ),
)
