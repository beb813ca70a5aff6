"""A reading of a repository that stands still at a page until a test lets it go."""

import asyncio
from typing import Any

import pytest

from laurel_ingest.application.history.github import Listing, Page
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.history_lane import HistoryLane


class Held:
    """Holds one reading after its first page of a list, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real = GraphQLHistory.page
        self._listing: Listing | None = None
        self._task: asyncio.Task[None] | None = None
        self._reached, self._go = asyncio.Event(), asyncio.Event()
        held = self

        async def page(self: GraphQLHistory, *args: Any) -> Page:
            found = await held._real(self, *args)
            if asyncio.current_task() is held._task and args[1] is held._listing:
                held._reached.set()
                await held._go.wait()
            return found

        monkeypatch.setattr(GraphQLHistory, "page", page)

    async def reading(self, lane: HistoryLane, work_id: int, listing: Listing) -> None:
        """Begins to read, up to the list."""
        self._listing = listing
        self._task = asyncio.create_task(lane.read_repository(work_id))
        await self._reached.wait()

    async def finish(self) -> None:
        """Lets it go on to its end."""
        self._go.set()
        assert self._task is not None
        await self._task
