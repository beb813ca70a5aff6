"""Lets the services that hold something about teams forget one."""

from collections.abc import Awaitable, Callable, Sequence

Forget = Callable[[int, int], Awaitable[object]]


class ForgetTeams:
    """A TeamForgetter: asks one after the other, in their order."""

    def __init__(self, peers: Sequence[Forget] = ()) -> None:
        self._peers = peers

    async def __call__(self, installation_id: int, team_id: int) -> None:
        """Lets everybody forget a team."""
        for forget in self._peers:
            await forget(installation_id, team_id)
