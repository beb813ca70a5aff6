"""Forgets a team: the boards that cover it, and its places on others."""

from typing import NamedTuple

from laurel_common.clock import Clock
from laurel_leaderboard.application.ports import (
    Notices,
    SharedCache,
    StaleMarks,
    TeamForgetting,
    Versions,
)
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.freshness import Cause


class Forgotten(NamedTuple):
    """Versions that are gone, and versions that lost a place."""

    versions: int
    changed: int


class ForgetTeam:
    """Doing it again does what is left to do."""

    def __init__(
        self,
        *,
        teams: TeamForgetting,
        versions: Versions,
        marks: StaleMarks,
        shared: SharedCache,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._teams = teams
        self._versions = versions
        self._marks = marks
        self._shared = shared
        self._notices = notices
        self._clock = clock

    async def __call__(self, installation_id: int, team_id: int) -> Forgotten:
        """Raises ReferenceMissing, ConcurrentChange, DatabaseUnavailable."""
        gone, changed = await self._teams.forget(team_id)
        if not gone and not changed:
            return Forgotten(0, 0)
        # Ranks have a gap now: stale, until a run without the team closes it.
        ids = {version.id for version in changed}
        boards = [
            BoardAddress(version.preset.installation_id, version.preset.preset_id, *version.board)
            for version in changed
        ]
        if boards:
            now = self._clock.now()
            await self._marks.mark(installation_id, boards, Cause.ROSTER, now)
            current = await self._versions.current_of(installation_id)
            await self._shared.note_pointers([v for v in current if v.id in ids], now)
        await self._shared.forget_pointers(gone)
        await self._notices.announce(installation_id)
        return Forgotten(len(gone), len(changed))
