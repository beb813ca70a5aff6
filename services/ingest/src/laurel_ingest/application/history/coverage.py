"""What of each repository is known, against what GitHub has."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from laurel_common.auth.access import Access
from laurel_common.errors import InvalidPageToken, RemoteError
from laurel_common.page_token import PageTokens
from laurel_ingest.application.errors import TeamNotFound
from laurel_ingest.application.history.ports import Roster
from laurel_ingest.domain.history.coverage import (
    CoverageSummary,
    GapReason,
    RepositoryState,
    summarize,
)
from laurel_ingest.domain.history.runs import Scope

DEFAULT_PAGE_SIZE: Final = 100
_KIND: Final = "coverage"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many are known, and how many GitHub counted; None where nobody has asked."""

    known: int
    total: int | None


@dataclass(frozen=True, slots=True)
class RepositoryCoverage:
    """What is known of one repository; `gap` is empty where nothing is missing."""

    repository_id: int
    commits: Counted
    pulls: Counted
    issues: Counted
    last_event_at: datetime | None
    checked_at: datetime | None
    gap: str
    gaps: Mapping[GapReason, datetime | None] = field(default_factory=dict)


class CoverageReader(Protocol):
    """Counts what is known of repositories."""

    async def page(
        self, installation_id: int, after: int, limit: int
    ) -> Sequence[RepositoryCoverage]:
        """At most `limit` repositories with greater ids than `after`, by id."""
        ...

    async def states(
        self, installation_id: int, ids: Collection[int] | None
    ) -> tuple[Sequence[RepositoryState], datetime | None]:
        """What is known of the installation's repositories among `ids`, of all where that is None,
        without counting; and when the newest signal of theirs happened.
        """
        ...


@dataclass(frozen=True, slots=True)
class CoveragePage:
    """A page; the token is empty on the last one."""

    repositories: Sequence[RepositoryCoverage]
    next_page_token: str


class GetCoverage:
    """Pages of an installation's coverage."""

    def __init__(self, reader: CoverageReader, tokens: PageTokens) -> None:
        self._reader = reader
        self._tokens = tokens

    async def __call__(
        self, installation_id: int, page_size: int, page_token: str, access: Access
    ) -> CoveragePage:
        """One page, without repositories that the caller may not know of.

        Raises InvalidPageToken.
        """
        binding = str(installation_id)
        after = -(2**63)
        if page_token:
            try:
                after = int(self._tokens.open(_KIND, page_token, binding=binding)["id"])
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidPageToken from error
        size = page_size or DEFAULT_PAGE_SIZE
        found = await self._reader.page(installation_id, after, size + 1)
        page = found[:size]
        token = ""
        if len(found) > size:
            token = self._tokens.seal(_KIND, {"id": page[-1].repository_id}, binding=binding)
        shown = [each for each in page if access.sees_repository(each.repository_id)]
        return CoveragePage(shown, token)


class SummarizeCoverage:
    """A scope's repositories together."""

    def __init__(self, reader: CoverageReader, roster: Roster) -> None:
        self._reader = reader
        self._roster = roster

    async def __call__(self, scope: Scope, access: Access) -> CoverageSummary:
        """Of a scope that is not there, or that the caller may not know of, nothing is known.
        Raises RemoteError, DependencyUnavailable and the typed errors of the database.
        """
        ids = await self._repositories(scope, access)
        return summarize(*await self._reader.states(scope.installation_id, ids))

    async def _repositories(self, scope: Scope, access: Access) -> list[int] | None:
        if scope.repository_id is not None:
            return [scope.repository_id] if access.sees_repository(scope.repository_id) else []
        if scope.team_id is None:
            return None
        if not access.sees_team(scope.team_id):
            return []
        try:
            return [each.repository_id for each in await self._roster.repositories(scope)]
        except (TeamNotFound, RemoteError) as error:
            if error.reason != TeamNotFound.reason:
                raise
            return []
