"""Runs as they stand: one, pages of them, and one as it goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from laurel_common.auth.access import Access
from laurel_common.clock import Clock
from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_ingest.application.history.ports import RunStore
from laurel_ingest.domain.history.runs import Run

DEFAULT_PAGE_SIZE: Final = 50
_KIND: Final = "ingests"
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page; the token is empty on the last one."""

    runs: Sequence[Run]
    next_page_token: str


class ListIngests:
    """Lists runs by keyset, so that what begins meanwhile shifts nothing."""

    def __init__(self, runs: RunStore, tokens: PageTokens) -> None:
        self._runs = runs
        self._tokens = tokens

    async def __call__(self, installation_id: int, page_size: int, page_token: str) -> RunPage:
        """One page. Raises InvalidPageToken."""
        binding = str(installation_id)
        before = None
        if page_token:
            try:
                before = int(self._tokens.open(_KIND, page_token, binding=binding)["id"])
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidPageToken from error
        size = page_size or DEFAULT_PAGE_SIZE
        found = await self._runs.page(installation_id, before, size + 1)
        page = found[:size]
        more = len(found) > size
        token = self._tokens.seal(_KIND, {"id": page[-1].id}, binding=binding) if more else ""
        return RunPage(page, token)


class CancelIngest:
    """Ends a run; what it has read stays."""

    def __init__(self, runs: RunStore, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock

    async def __call__(self, installation_id: int, run_id: int) -> Run:
        """The run, which is over. Raises IngestNotFound."""
        return await self._runs.cancel(installation_id, run_id, self._clock.now())


class WatchIngest:
    """Tells of a run at each change until it is over."""

    def __init__(self, runs: RunStore, poll_seconds: float = _POLL_SECONDS) -> None:
        self._runs = runs
        self._poll_seconds = poll_seconds

    async def __call__(self, installation_id: int, run_id: int) -> AsyncIterator[Run]:
        """The run as it stands, and whenever it does otherwise. Raises IngestNotFound."""
        told: Run | None = None
        while told is None or not told.state.is_over:
            if told is not None:
                await asyncio.sleep(self._poll_seconds)
            run = await self._runs.get(installation_id, run_id)
            if run != told:
                yield run
            told = run


def visible(run: Run, access: Access) -> Run:
    """A run without the troubles of repositories that its reader may not know of."""
    if access.is_full:
        return run
    shown = [each for each in run.troubles if access.sees_repository(each.repository_id)]
    return replace(run, troubles=tuple(shown))
