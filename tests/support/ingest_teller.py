"""Tells ingest of a repository's life, each source through the way that ingest has for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import orjson

from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.follow_boards import BulkWrite
from laurel_ingest.application.history.page_store import PageStore
from laurel_ingest.application.history.ports import Work, WorkStore
from laurel_ingest.application.import_events import GitSource, ImportEvents
from laurel_ingest.application.inbox import Inbox, InstallationEvents
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.application.ports import Directory, Storage
from laurel_ingest.application.work_deliveries import WorkDeliveries
from laurel_ingest.domain.deliveries import Delivery, DeliveryState
from laurel_ingest.domain.facts import IssueFact
from laurel_ingest.domain.history.progress import Phase, Probe, Progress
from tests.support.ingest_chronicle import Chronicle
from tests.support.ingest_tellings import Telling

NOW: Final = datetime(2026, 2, 1, 12, tzinfo=UTC)


class Teller:
    """Tells of one repository, batch by batch, each committed before the next."""

    def __init__(self, storage: Storage, directory: Directory, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        clock = FakeClock(NOW)
        self._imports = ImportEvents(storage, directory, clock)
        self._inbox = _Inbox()
        self._webhooks = WorkDeliveries(
            cast(Inbox, self._inbox),
            storage,
            directory,
            identity=cast(InstallationEvents, self._inbox),
            clock=clock,
            changed=lambda _: None,
            rewritten=lambda: None,
            begin_history=self._inbox.hand_on,
        )
        works = cast(WorkStore, _NoPlace())
        self._pages = PageStore(storage, directory, works, clock, BulkWrite())

    async def tell(self, batch: Sequence[Telling]) -> None:
        """A batch of one source's."""
        contents = [each.content for each in batch]
        match batch[0].source:
            case "webhook":
                self._inbox.waiting = contents
                await self._webhooks(0)
                assert self._inbox.errors == {}
            case "archive":
                lines = [orjson.dumps(each) for each in contents]
                report = await self._imports.archive([]).take(RawBatch(lines))
                assert report.problems == []
            case "git":
                source = GitSource(self._full_name, self._chronicle.repository.id)
                for lines in contents:
                    await self._imports.git(source).take(RawBatch(lines))
            case _:
                for content in contents:
                    await self._page_by_page(content)

    @property
    def _full_name(self) -> str:
        return self._chronicle.world.full_name(self._chronicle.repository)

    async def _page_by_page(self, content: Mapping[str, Any]) -> None:
        """As a run stores what it reads."""
        repository_id = self._chronicle.repository.id
        probe = Probe(repository_id, self._full_name, False, "main", None, None, None, 0, 0)
        # What else a work has, no page asks for.
        work = cast(
            Work,
            SimpleNamespace(
                repository_id=probe.repository_id, installation_id=-7_000, probe=probe, attempts=1
            ),
        )
        place, group = Progress(content["at"]), self._pages.group(work)
        await self._pages.commits(group, content["commits"], place.at, place)
        await group.flush()
        if content["gone"]:
            await self._pages.lost(group, content["gone"], place)
            await group.flush()
        self._pages.repository(group, place.at, place, walked=True)
        await group.flush()
        for phase, name in ((Phase.PULLS, "pulls"), (Phase.ISSUES, "issues")):
            at = Progress(place.at, phase)
            await self._pages.things(group, content[name], at, at, cast(Any, None))
            await group.flush()
        await self._pages.vanished(group, IssueFact.kind, content["vanished"], place)
        await group.flush()


class _NoPlace:
    """A WorkStore for pages of no run."""

    async def advance(self, *_: object) -> None:
        """There is no place to note."""

    async def note_asked(self, *_: object) -> None:
        """Nor any request."""


class _Inbox:
    """An Inbox that holds what a test puts there, and identity, which has no part in this."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[int, str] = {}

    async def due(self, *_: object, **__: object) -> list[Delivery]:
        found, self.waiting = self.waiting, []
        return [
            Delivery(place, "", event, None, 1, DeliveryState.WAITING, NOW, body=orjson.dumps(body))
            for place, (event, body) in enumerate(found)
        ]

    async def hand_on(self, *_: object) -> None:
        """Nothing."""

    async def finish(self, *_: object) -> None:
        """Nothing."""

    async def park(self, errors: Mapping[int, str], *_: object) -> None:
        self.errors |= errors

    async def postpone(self, errors: Mapping[int, str], *_: object, **__: object) -> None:
        self.errors |= errors
