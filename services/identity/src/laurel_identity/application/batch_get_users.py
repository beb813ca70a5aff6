"""The use case BatchGetUsers: users by id."""

from collections.abc import Collection, Sequence

from laurel_identity.application.ports import DirectoryReader
from laurel_identity.domain.entities import User


class BatchGetUsers:
    """Users are public on GitHub: whoever may call sees all of them. By id."""

    def __init__(self, directory: DirectoryReader) -> None:
        self._directory = directory

    async def __call__(self, ids: Collection[int], *, bots_only: bool = False) -> Sequence[User]:
        return await self._directory.users(set(ids), bots_only=bots_only)
