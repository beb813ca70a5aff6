"""What a batch asks of the facts from before it: nothing of repositories that have none yet."""

from collections.abc import Collection
from dataclasses import dataclass

from laurel_ingest.application.ports import FactStore
from laurel_ingest.domain.facts import Fact, FactKey


@dataclass(frozen=True, slots=True)
class Remembered:
    """Reads facts of a batch's repositories as FactStore does.

    Of a repository that nothing is remembered of, everything that bears on its facts is in the
    batch: a first import asks once and not for each thing.
    """

    store: FactStore
    repository_ids: Collection[int]

    @classmethod
    async def of(cls, store: FactStore, repository_ids: Collection[int]) -> "Remembered":
        """Asked when nobody else writes these repositories' facts, and before this batch does."""
        return cls(store, await store.known_repositories(repository_ids))

    async def load(self, keys: Collection[FactKey]) -> dict[FactKey, Fact]:
        """The facts under these keys; unknown ones are absent."""
        return await self.store.load(self._known(keys))

    async def pointing_at(self, keys: Collection[FactKey]) -> set[FactKey]:
        """The facts that link to any of these."""
        return await self.store.pointing_at(self._known(keys))

    async def commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Every commit of these repositories."""
        return await self.store.commits_of(self._ids(repository_ids))

    async def unmet_commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Those of them that the last walk did not meet, or none could."""
        return await self.store.unmet_commits_of(self._ids(repository_ids))

    async def unwalked_commits_of(self, repository_ids: Collection[int]) -> set[FactKey]:
        """Those of them that no walk has spoken of."""
        return await self.store.unwalked_commits_of(self._ids(repository_ids))

    async def comments_on(self, things: Collection[FactKey]) -> set[FactKey]:
        """The comments on these issues and pull requests."""
        return await self.store.comments_on(self._known(things))

    def _known(self, keys: Collection[FactKey]) -> Collection[FactKey]:
        return [key for key in keys if key[0] in self.repository_ids] if self.repository_ids else ()

    def _ids(self, repository_ids: Collection[int]) -> Collection[int]:
        return [each for each in repository_ids if each in self.repository_ids]
