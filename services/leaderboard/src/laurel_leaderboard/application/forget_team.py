"""Forgets a team: the boards that cover it, and its places on others."""

from collections.abc import Iterable
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
from laurel_leaderboard.domain.versions import Version


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
        """Raises ConcurrentChange, DatabaseUnavailable."""
        gone, changed = await self._teams.forget(team_id)
        if not gone and not changed:
            return Forgotten(0, 0)
        # Ranks have a gap now: stale, until a run without the team closes it.
        now = self._clock.now()
        for holder, versions in _by_holder(changed).items():
            boards = [BoardAddress(holder, v.preset.preset_id, *v.board) for v in versions]
            await self._marks.mark(holder, boards, Cause.ROSTER, now)
            ids = {version.id for version in versions}
            current = await self._versions.current_of(holder)
            await self._shared.note_pointers([v for v in current if v.id in ids], now)
        await self._shared.forget_pointers(gone)
        for holder in {installation_id, *_by_holder([*gone, *changed])}:
            await self._notices.announce(holder)
        return Forgotten(len(gone), len(changed))


def _by_holder(versions: Iterable[Version]) -> dict[int, list[Version]]:
    """The versions by whose they are: not the caller's installation, where that one has not
    adopted them yet.
    """
    held: dict[int, list[Version]] = {}
    for version in versions:
        held.setdefault(version.preset.installation_id, []).append(version)
    return held
