"""Forgets a team that is about to be deleted."""

from typing import Protocol


class Teams(Protocol):
    """What is kept of teams."""

    async def forget(self, team_id: int) -> int:
        """Deletes what refers to a team; answers how many rows that were."""
        ...


class ForgetTeam:
    """Identity calls it before the team's row goes."""

    def __init__(self, teams: Teams) -> None:
        self._teams = teams

    async def __call__(self, team_id: int) -> int:
        """How many entries of past ingests went."""
        return await self._teams.forget(team_id)
