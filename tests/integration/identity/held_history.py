"""The services that hold history, as far as these tests look at them: where signals are."""

from dataclasses import dataclass, field
from random import Random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.errors import DependencyUnavailable
from laurel_identity.domain.works import Heir


@dataclass
class HeldHistory:
    """Where each repository's signals are; whoever moves them may fail on the way."""

    chance: Random
    places: dict[int, int] = field(default_factory=dict)
    # (installation, repository) whose boards were deleted.
    boardless: set[tuple[int, int]] = field(default_factory=set)

    async def ingest(self, engine: AsyncEngine) -> None:
        """Each repository that is met first leaves signals with the installation that has it."""
        given = "SELECT repository_id, installation_id FROM installation_repositories"
        async with engine.connect() as connection:
            for repository_id, installation_id in await connection.execute(text(given)):
                self.places.setdefault(repository_id, installation_id)

    async def signals(self, former: int, later: int, repository_id: int = 0) -> bool:
        for each, place in self.places.items():
            if place == former and repository_id in (0, each):
                self.places[each] = later
                self._stumble()
        return self.chance.random() < 0.7

    async def boards(self, former: int, heir: Heir) -> None:
        self._stumble()

    async def repository_boards(self, former: int, repository_id: int) -> None:
        self._stumble()
        self.boardless.add((former, repository_id))

    async def presets(self, former: int, later: int) -> None:
        self._stumble()

    async def forget(self, installation_id: int) -> bool:
        raise AssertionError("nothing is erased")

    def _stumble(self) -> None:
        if self.chance.random() < 0.2:
            raise DependencyUnavailable
