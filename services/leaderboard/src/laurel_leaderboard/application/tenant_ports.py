"""What the use cases need that give an installation's boards away, or delete them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from laurel_leaderboard.domain.versions import Version


class Adoptions(Protocol):
    """Gives boards to other installations."""

    async def adopt(
        self, former: int, later: int, organization_id: int, now: datetime
    ) -> Sequence[int]:
        """Makes the former installation's presets, boards and days those of the later one, which is
        on this account, and serves what was served; the presets' ids. All of its boards are marked
        then. Wholly or not at all.

        Raises ReferenceMissing, ConcurrentChange, DatabaseUnavailable.
        """
        ...


class Erasures(Protocol):
    """Deletes an installation's boards. Raises ConcurrentChange, DatabaseUnavailable."""

    async def presets(self, installation_id: int) -> Sequence[int]:
        """The presets that have boards there."""
        ...

    async def delete_slice(self, installation_id: int) -> int:
        """Deletes some versions and some boards' days; how many. 0 means that none is left."""
        ...

    async def delete_rest(self, installation_id: int) -> None:
        """Deletes what else is known of the installation."""
        ...


class RepositoryForgetting(Protocol):
    """Deletes an installation's boards of a repository. Raises ConcurrentChange,
    DatabaseUnavailable.
    """

    async def forget(self, installation_id: int, repository_id: int) -> Sequence[Version]:
        """Deletes the versions and days of boards that cover it; the versions that are gone."""
        ...
