"""Forgets the boards that cover a repository which left an installation."""

from laurel_leaderboard.application.ports import Notices, SharedCache
from laurel_leaderboard.application.tenant_ports import RepositoryForgetting


class ForgetRepository:
    """Doing it again does what is left to do."""

    def __init__(
        self, repositories: RepositoryForgetting, shared: SharedCache, notices: Notices
    ) -> None:
        self._repositories = repositories
        self._shared = shared
        self._notices = notices

    async def __call__(self, installation_id: int, repository_id: int) -> int:
        """How many versions there were. Raises ConcurrentChange, DatabaseUnavailable."""
        gone = await self._repositories.forget(installation_id, repository_id)
        if gone:
            await self._shared.forget_pointers(gone)
            await self._notices.announce(installation_id)
        return len(gone)
