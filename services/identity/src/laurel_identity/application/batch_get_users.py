"""The use case BatchGetUsers: users by id."""

from collections.abc import Collection, Sequence

from laurel_identity.application.ports import DirectoryReader
from laurel_identity.domain.entities import User
from laurel_identity.domain.installations import Visibility


class BatchGetUsers:
    """By id; what nobody has, or the caller may not see, is left out."""

    def __init__(self, directory: DirectoryReader) -> None:
        self._directory = directory

    async def __call__(
        self, ids: Collection[int], visibility: Visibility, *, bots_only: bool = False
    ) -> Sequence[User]:
        shown = {each for each in ids if visibility.shows_user(each)}
        return await self._directory.users(shown, bots_only=bots_only) if shown else ()
