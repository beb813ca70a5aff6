"""Publishes the boards of one installation from a stream: header, then groups, each a commit."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import structlog

from laurel_common.clock import Clock
from laurel_common.errors import InvalidRequest, LaurelError
from laurel_leaderboard.application.ports import (
    Notices,
    Publications,
    SharedCache,
    StaleMarks,
    Versions,
)
from laurel_leaderboard.domain.boards import ENTITIES_OF_SCOPE, BoardKey, ScopeType
from laurel_leaderboard.domain.errors import MalformedBatch, StreamOutOfOrder
from laurel_leaderboard.domain.rows import GroupRows, check_group, read_rows
from laurel_leaderboard.domain.versions import (
    NewBoard,
    Published,
    PublishHeader,
    Unchanged,
    published_versions,
)

# A group is held in memory until its commit: about 130 bytes a row.
MAX_GROUP_ROWS = 2_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """The boards of the group that begins."""

    boards: tuple[NewBoard, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """An Arrow IPC stream of rows of the open group."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """The open group is whole."""


@dataclass(frozen=True, slots=True)
class StillHold:
    """Boards that are not sent because they are what they were."""

    boards: tuple[Unchanged, ...]


Message = PublishHeader | OpenGroup | Rows | Commit | StillHold


@dataclass(slots=True)
class Outcome:
    """How many boards of the stream have a new version, and the versions that stayed."""

    published: int = 0
    unchanged: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Group:
    boards: tuple[NewBoard, ...]
    batches: list[pa.RecordBatch] = field(default_factory=list)
    expected: int = 0
    arrived: int = 0

    def add(self, batches: list[pa.RecordBatch]) -> None:
        self.batches += batches
        self.arrived += sum(batch.num_rows for batch in batches)
        if self.arrived > self.expected:
            raise MalformedBatch("more rows arrived than the boards have")


class PublishMaterialization:
    """Nothing of a group is written before its commit came, and then all of it."""

    def __init__(
        self,
        *,
        publications: Publications,
        versions: Versions,
        marks: StaleMarks,
        shared: SharedCache,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._publications = publications
        self._versions = versions
        self._marks = marks
        self._shared = shared
        self._notices = notices
        self._clock = clock

    async def __call__(self, messages: AsyncIterator[Message]) -> Outcome:
        """Publishes group by group. Raises StreamOutOfOrder, MalformedBatch, InvalidRequest,
        NewerVersionExists, ConcurrentChange, ReferenceMissing; earlier groups stay.
        """
        header = await anext(messages, None)
        if not isinstance(header, PublishHeader):
            raise StreamOutOfOrder("the stream begins with a header")
        outcome, group = Outcome(), None
        async for message in messages:
            match message:
                case OpenGroup() if group is None:
                    group = _open(header, message.boards)
                case Rows() if group is not None:
                    # Off the loop, as all work on whole columns: readers do not wait for it.
                    group.add(await asyncio.to_thread(read_rows, message.data))
                case Commit() if group is not None:
                    await self._commit(header, group, outcome)
                    group = None
                case StillHold() if group is None:
                    noted = await self._publications.note_unchanged(
                        header, message.boards, self._clock.now()
                    )
                    outcome.unchanged.update(noted)
                case _:
                    raise StreamOutOfOrder
        if group is not None:
            raise StreamOutOfOrder("the stream ended within a group")
        if outcome.unchanged:
            await self._note_unchanged(header, outcome.unchanged)
        if header.serve_preset:
            await self._serve(header)
        return outcome

    async def _commit(self, header: PublishHeader, group: _Group, outcome: Outcome) -> None:
        rows: GroupRows = await asyncio.to_thread(check_group, group.boards, group.batches)
        now = self._clock.now()
        done: Published = await self._publications.publish_group(header, group.boards, rows, now)
        outcome.published += len(done.ids)
        outcome.unchanged.update(done.plan.unchanged)
        # Redis first: whoever is told looks there.
        await self._note(header, group, done, now)
        await self._notices.announce(header.preset.installation_id)

    async def _note(
        self, header: PublishHeader, group: _Group, done: Published, now: datetime
    ) -> None:
        # Read after the commit: whoever marks boards later finds these versions and notes them.
        try:
            marks = await self._marks.on_preset(header.preset)
        except LaurelError as error:
            log.warning("versions_not_noted", reason=error.reason)
            return
        versions = published_versions(header, group.boards, done, now, marks)
        await self._shared.note_pointers(versions, now)

    async def _note_unchanged(self, header: PublishHeader, ids: Collection[int]) -> None:
        """Versions that stayed have been checked, and hold what was marked: Redis would go on
        saying that they are stale.
        """
        now = self._clock.now()
        try:
            current = await self._versions.current_of(header.preset.installation_id)
        except LaurelError as error:
            log.warning("versions_not_noted", reason=error.reason)
            return
        own = [version for version in current if version.id in ids]
        await self._shared.note_pointers(own, now)
        await self._notices.announce(header.preset.installation_id)

    async def _serve(self, header: PublishHeader) -> None:
        await self._publications.serve_preset(header)
        await self._shared.note_served(header.preset, self._clock.now())
        await self._notices.announce(header.preset.installation_id)


def _open(header: PublishHeader, boards: tuple[NewBoard, ...]) -> _Group:
    faults = []
    seen: set[BoardKey] = set()
    for index, board in enumerate(boards):
        key, name = board.key, f"boards.boards[{index}]"
        if key in seen:
            faults.append((name, "stands twice in its group"))
        seen.add(key)
        if key.entity_type not in ENTITIES_OF_SCOPE[key.scope_type]:
            faults.append((f"{name}.entity_type", f"a {key.scope_type} board ranks no such entity"))
        account = header.preset.organization_id
        if key.scope_type is ScopeType.ORGANIZATION and key.scope_id != account:
            faults.append((f"{name}.scope_id", "is not the header's organization"))
    expected = sum(board.row_count for board in boards)
    if expected > MAX_GROUP_ROWS:
        faults.append(("boards.boards", f"more than {MAX_GROUP_ROWS:,} rows in a group"))
    if faults:
        raise InvalidRequest.of(*faults)
    return _Group(boards, expected=expected)
