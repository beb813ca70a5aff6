"""The cache that replicas share, in Redis: pointers to current versions, and pages as bytes.

While Redis is away it is spared for a second after each failure, and reads go to PostgreSQL.
"""

import json
import struct
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from laurel_common.clock import Clock
from laurel_leaderboard.application.statistics import ReadStatistics
from laurel_leaderboard.domain.boards import (
    BoardAddress,
    BoardKey,
    Preset,
)
from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.pages import EPOCH_SECONDS, Page, PageKey
from laurel_leaderboard.domain.versions import RetentionState, Version
from laurel_leaderboard.storage.cache_keys import (
    mark_key,
    page_key,
    pointer_key,
    preset_key,
    served_key,
)

POINTER_LIFETIME = timedelta(hours=1)
PAGE_LIFETIME = timedelta(seconds=4 * EPOCH_SECONDS)
PAUSE = timedelta(seconds=1)
_BATCH = 500

# A pointer is never replaced by an older version's, nor by the same version's from before a mark:
# publishers, markers and readers write in any order. Many at once: a change marks all boards of an
# installation, and a call costs more than what it does.
_SET_UNLESS_NEWER = """
local function order(value)
    local number, marks = string.match(value, '^(%d+) (%d+) ')
    return tonumber(number), tonumber(marks)
end
local function is_newer(old, new)
    local old_number, old_marks = order(old)
    local number, marks = order(new)
    return old_number > number or (old_number == number and old_marks > marks)
end
for index, key in ipairs(KEYS) do
    local old, new = redis.call('GET', key), ARGV[index + 1]
    if not (old and is_newer(old, new)) then
        redis.call('SET', key, new, 'PX', ARGV[1])
    end
end
"""
# Marks only grow, and are noted in any order.
_SET_UNLESS_HIGHER = """
local old = tonumber(redis.call('GET', KEYS[1]))
if not (old and old > tonumber(ARGV[2])) then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
end
"""
# Before a page's entries: whether more follow, and the last one's place.
_PAGE_HEAD = struct.Struct(">?qq")

T = TypeVar("T")
log = structlog.get_logger(__name__)


class RedisCache:
    """A SharedCache over a client whose answers are bytes."""

    def __init__(self, redis: Redis, clock: Clock, statistics: ReadStatistics) -> None:
        self._redis = redis
        self._clock = clock
        self._statistics = statistics
        self._script = redis.register_script(_SET_UNLESS_NEWER)
        self._mark_script = redis.register_script(_SET_UNLESS_HIGHER)
        self._pause_until = datetime.min.replace(tzinfo=UTC)

    async def pointer(self, address: BoardAddress) -> tuple[Version, datetime] | None:
        """The board's version as last noted, and when PostgreSQL last confirmed it."""
        return await self._ask(lambda: self._pointer(address), None)

    async def note_pointers(self, versions: Collection[Version], confirmed_at: datetime) -> None:
        """Notes current versions; one that is newer already stays."""
        listed = list(versions)
        for start in range(0, len(listed), _BATCH):
            note = partial(self._note, listed[start : start + _BATCH], confirmed_at)
            await self._ask(note, None)

    async def note_mark(self, installation_id: int, mark: int) -> None:
        """Marks all pointers of an installation, those noted already and those to come."""
        lifetime = int(POINTER_LIFETIME.total_seconds() * 1000)
        key = mark_key(installation_id)
        await self._ask(lambda: self._mark_script(keys=[key], args=[lifetime, mark]), None)

    async def forget_pointers(self, versions: Collection[Version]) -> None:
        """Forgets what was noted of these versions' boards."""
        keys = {pointer_key(v.preset.preset_id, v.board) for v in versions}
        if keys:
            await self._ask(lambda: self._redis.delete(*keys), None)

    async def note_served(self, preset: Preset, confirmed_at: datetime) -> None:
        """Notes the preset that its installation serves."""
        await self._ask(
            lambda: self._redis.set(
                served_key(preset.installation_id),
                _dump([*preset], confirmed_at),
                px=POINTER_LIFETIME,
            ),
            None,
        )

    async def forget_presets(
        self, installation_ids: Collection[int], preset_ids: Collection[int]
    ) -> None:
        """Forgets which presets the installations serve, and their marks; and whose these presets
        are.
        """
        keys = [key(each) for each in installation_ids for key in (served_key, mark_key)]
        keys += [preset_key(each) for each in preset_ids]
        await self._ask(lambda: self._redis.delete(*keys), None)

    async def page(self, key: PageKey, epoch: int) -> Page | None:
        """A page with the names of that epoch."""
        raw = await self._ask(lambda: self._get(page_key(key, epoch)), None)
        if raw is None:
            return None
        follows, score_e4, entity_id = _PAGE_HEAD.unpack_from(raw)
        return Page(raw[_PAGE_HEAD.size :], Position(score_e4, entity_id) if follows else None)

    async def note_page(self, key: PageKey, epoch: int, page: Page) -> None:
        """Keeps a page until it expires."""
        head = _PAGE_HEAD.pack(page.last is not None, *(page.last or (0, 0)))
        await self._ask(
            lambda: self._redis.set(page_key(key, epoch), head + page.entries, px=PAGE_LIFETIME),
            None,
        )

    async def _pointer(self, address: BoardAddress) -> tuple[Version, datetime] | None:
        place = (
            preset_key(address.preset_id)
            if address.preset_id
            else served_key(address.installation_id)
        )
        raw = await self._get(place)
        if raw is None:
            return None
        values, preset_confirmed_at = _load(raw)
        preset = Preset(*values)
        key = preset.key_of(address)
        if key is None or preset.installation_id != address.installation_id:
            return None
        place = pointer_key(preset.preset_id, key)
        found = await self._redis.mget(place, mark_key(address.installation_id))
        # The client's answers are bytes; its annotations leave that open.
        raw, mark = cast(list[bytes | None], found)
        if raw is None:
            return None
        values, confirmed_at = _load(raw.split(b" ", 2)[2])
        # Whose the preset is changes only by adoption, which forgets it; that it is served does.
        if address.preset_id == 0:
            confirmed_at = min(confirmed_at, preset_confirmed_at)
        version = _version(preset, key, values)
        if mark is not None and int(mark) > version.stale_mark:
            version = replace(version, stale_mark=int(mark))
        return version, confirmed_at

    async def _get(self, key: str) -> bytes | None:
        # The client's answers are bytes; its annotations leave that open.
        return cast(bytes | None, await self._redis.get(key))

    async def _note(self, versions: list[Version], confirmed_at: datetime) -> None:
        keys, values = [], []
        for version in versions:
            keys.append(pointer_key(version.preset.preset_id, version.board))
            # Both marks only grow.
            marks = version.stale_mark + version.settled_mark
            dumped = _dump(_values(version), confirmed_at)
            values.append(b"%d %d %b" % (version.number, marks, dumped))
        lifetime = int(POINTER_LIFETIME.total_seconds() * 1000)
        async with self._redis.pipeline(transaction=False) as pipe:
            for preset in {version.preset for version in versions}:
                value = _dump([*preset], confirmed_at)
                pipe.set(preset_key(preset.preset_id), value, px=POINTER_LIFETIME)
            await self._script(keys=keys, args=[lifetime, *values], client=pipe)
            await pipe.execute()

    async def _ask(self, call: Callable[[], Awaitable[T]], default: T) -> T:
        """What Redis answers, or `default` while it is away."""
        now = self._clock.now()
        if now < self._pause_until:
            self._statistics.redis_skipped += 1
            return default
        try:
            return await call()
        except (RedisError, OSError, TimeoutError) as error:
            self._statistics.redis_failures += 1
            self._pause_until = self._clock.now() + PAUSE
            log.warning("redis_away", error=type(error).__name__)
            return default


def _dump(values: list[Any], confirmed_at: datetime) -> bytes:
    return json.dumps([confirmed_at.timestamp(), values], separators=(",", ":")).encode()


def _load(raw: bytes) -> tuple[list[Any], datetime]:
    confirmed_at, values = json.loads(raw)
    return values, datetime.fromtimestamp(confirmed_at, UTC)


def _values(version: Version) -> list[Any]:
    return [
        version.id,
        version.number,
        version.row_count,
        version.signal_count,
        version.computed_at.isoformat(),
        version.as_of.isoformat(),
        version.checked_at.isoformat(),
        version.stale_mark,
        version.settled_mark,
    ]


def _version(preset: Preset, key: BoardKey, values: list[Any]) -> Version:
    id_, number, row_count, signal_count, *times, stale_mark, settled_mark = values
    computed_at, as_of, checked_at = map(datetime.fromisoformat, times)
    return Version(
        id=id_,
        preset=preset,
        board=key,
        number=number,
        row_count=row_count,
        signal_count=signal_count,
        state=RetentionState.CURRENT,
        computed_at=computed_at,
        as_of=as_of,
        checked_at=checked_at,
        stale_mark=stale_mark,
        settled_mark=settled_mark,
    )
