"""Forgets a team in PostgreSQL, so that its row can go."""

from sqlalchemy import bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import BigInteger

from laurel_common.db import run_transaction
from laurel_leaderboard.domain.boards import ScopeType
from laurel_leaderboard.domain.versions import Version
from laurel_leaderboard.storage.tables import computed_scores, leaderboard_materializations
from laurel_leaderboard.storage.versions import read_versions

_m = leaderboard_materializations.c
_s = computed_scores.c

_PRESETS = text(
    "SELECT preset_id FROM published_presets WHERE preset_id IN ("
    "SELECT preset_id FROM leaderboard_materializations WHERE team_id = :team_id"
    " UNION SELECT preset_id FROM leaderboard_boards WHERE team_id = :team_id"
    " UNION SELECT m.preset_id FROM computed_scores s"
    " JOIN leaderboard_materializations m ON m.id = s.materialization_id"
    " WHERE s.scored_team_id = :team_id)"
    " ORDER BY preset_id FOR NO KEY UPDATE"
)
_DELETE_PLACES = text("DELETE FROM computed_scores WHERE scored_team_id = :team_id")
# Their digests name rows that are not there any more: no result is to equal them.
_CORRECT_COUNTS = text(
    "UPDATE leaderboard_materializations SET row_count = row_count - 1 WHERE id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_CORRECT_DIGESTS = text(
    "UPDATE materialization_inputs SET digest = decode(repeat('00', 32), 'hex')"
    " WHERE materialization_id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
# One step along the primary key for each board that ranks teams and each of its days.
_DELETE_DAYS = text(
    "WITH gone AS (DELETE FROM leaderboard_history h"
    " USING leaderboard_boards b, leaderboard_history_days d"
    " WHERE b.preset_id = ANY(:preset_ids) AND b.entity_type = 'team' AND d.board_id = b.id"
    " AND h.board_id = d.board_id AND h.day = d.day AND h.entity_id = :team_id"
    " RETURNING h.board_id, h.day)"
    " UPDATE leaderboard_history_days d SET entry_count = d.entry_count - 1"
    " FROM gone WHERE d.board_id = gone.board_id AND d.day = gone.day"
).bindparams(bindparam("preset_ids", type_=ARRAY(BigInteger)))
_DELETE_BOARDS = tuple(
    text(f"DELETE FROM {table} WHERE {which}")  # noqa: S608 - put together of constants alone
    for table, which in (
        ("leaderboard_materializations", "team_id = :team_id"),
        ("leaderboard_boards", "team_id = :team_id"),
        ("stale_boards", "scope_type = 'team' AND scope_id = :team_id"),
    )
)


class PostgresTeamForgetting:
    """The team's traces that PostgreSQL holds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def forget(self, team_id: int) -> tuple[list[Version], list[Version]]:
        """Deletes the versions and days of boards that cover the team, its places on all other
        versions and days. Returns the versions that are gone, and those that lost a place.
        """

        async def work(connection: AsyncConnection) -> tuple[list[Version], list[Version]]:
            return await _forget(connection, team_id)

        return await run_transaction(self._engine, work)


async def _forget(connection: AsyncConnection, team_id: int) -> tuple[list[Version], list[Version]]:
    values = {"team_id": team_id}
    # Publishers take turns on these rows: none adds to what is being forgotten.
    presets = list((await connection.execute(_PRESETS, values)).scalars())
    if not presets:
        return [], []
    standing = select(_s.materialization_id).where(_s.scored_team_id == team_id)
    found = await read_versions(connection, or_(_m.team_id == team_id, _m.id.in_(standing)))
    # A team's own board ranks no teams.
    gone = [version for version in found if version.board.scope_type is ScopeType.TEAM]
    changed = [version for version in found if version.board.scope_type is not ScopeType.TEAM]
    ids = {"ids": [version.id for version in changed]}
    await connection.execute(_DELETE_PLACES, values)
    await connection.execute(_CORRECT_COUNTS, ids)
    await connection.execute(_CORRECT_DIGESTS, ids)
    await connection.execute(_DELETE_DAYS, values | {"preset_ids": presets})
    for statement in _DELETE_BOARDS:
        await connection.execute(statement, values)
    return gone, changed
