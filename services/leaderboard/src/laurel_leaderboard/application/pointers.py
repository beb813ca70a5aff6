"""Which version of a board is current: known for a second, confirmed by Redis or PostgreSQL."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from laurel_common.clock import Clock
from laurel_common.errors import DeadlineExceeded, RetryableError
from laurel_common.single_flight import SingleFlight
from laurel_leaderboard.application.ports import ResponseCodec, SharedCache, Versions
from laurel_leaderboard.application.scope_coverage import Scope
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.pages import Freshness
from laurel_leaderboard.domain.versions import RetentionState, Version

# How long a pointer counts without a word from Redis or PostgreSQL, and when its renewal begins.
LIFETIME = timedelta(seconds=1)
RENEWAL = timedelta(milliseconds=500)
# How long Redis is believed without a word from PostgreSQL. A publisher that could not tell Redis
# of its version is found out after this.
REDIS_TRUST = timedelta(seconds=5)
# While PostgreSQL is away: tried again in the background, old pointers go on meanwhile.
RETRY = timedelta(seconds=1)
HELD = timedelta(seconds=30)
FLIGHT_SECONDS = 2.0

K = TypeVar("K", bound=Hashable)

# What says that PostgreSQL is away or drowning, not that the question was wrong.
AWAY = (RetryableError, DeadlineExceeded, TimeoutError)


@dataclass(slots=True)
class Pointer:
    """A board's version and what all of its answers begin with; no version: never scored.

    `confirmed` is false while neither Redis nor PostgreSQL can say whether it is still current.
    """

    version: Version | None
    # Whose coverage its answers tell.
    scope: Scope | None
    header: bytes
    fresh_until: datetime | None
    renew_at: datetime
    valid_until: datetime
    confirmed: bool = True
    # How often its installation's boards had been announced when it was made.
    notices: int = 0

    def freshness(self, now: datetime) -> Freshness:
        """Whether answers made of it hold all that is known."""
        if self.confirmed and self.fresh_until is not None and now <= self.fresh_until:
            return Freshness.FRESH
        return Freshness.STALE


class Pointers:
    """The pointers of this process, at most `limit` of boards and as many of versions walked."""

    def __init__(
        self,
        versions: Versions,
        shared: SharedCache,
        codec: ResponseCodec,
        clock: Clock,
        *,
        limit: int,
    ) -> None:
        self._versions = versions
        self._shared = shared
        self._codec = codec
        self._clock = clock
        self._limit = limit
        self._boards: dict[BoardAddress, Pointer] = {}
        self._walked: dict[int, Pointer] = {}
        # By how often the board had been announced, too: what was asked before the last time may
        # be answered with what was current before.
        self._board_flights = SingleFlight[tuple[BoardAddress, int], Pointer](
            seconds=FLIGHT_SECONDS
        )
        self._walk_flights = SingleFlight[int, Pointer](seconds=FLIGHT_SECONDS)
        self._notices: dict[int, int] = {}
        self._notices_to_all = 0

    def peek(self, address: BoardAddress, now: datetime) -> Pointer | None:
        """The pointer if it is known now; one that grows old is renewed in the background."""
        pointer = self._boards.get(address)
        if pointer is None or now >= pointer.valid_until:
            return None
        if pointer.notices != self._noticed(address.installation_id):
            return None
        if now >= pointer.renew_at:
            pointer.renew_at = pointer.valid_until
            notices = pointer.notices
            self._board_flights.start((address, notices), lambda: self._load(address, notices))
        return pointer

    async def find(self, address: BoardAddress) -> Pointer:
        """The pointer, from wherever it is to be had."""
        known = self.peek(address, self._clock.now())
        if known is not None:
            return known
        notices = self._noticed(address.installation_id)
        return await self._board_flights.run(
            (address, notices), lambda: self._load(address, notices)
        )

    async def walked(self, materialization_id: int, address: BoardAddress) -> Pointer:
        """A pointer to a version by its id, whatever its state; `address` is where it was met."""
        pointer = self._walked.get(materialization_id)
        if pointer is not None and self._clock.now() < pointer.valid_until:
            return pointer
        return await self._walk_flights.run(
            materialization_id, lambda: self._load_walked(materialization_id, address)
        )

    def expire(self, installation_id: int | None = None) -> None:
        """Has pointers confirmed before they are used again: an installation's, or all."""
        if installation_id is None:
            self._notices_to_all += 1
        else:
            self._notices[installation_id] = self._notices.get(installation_id, 0) + 1

    def _noticed(self, installation_id: int) -> int:
        return self._notices_to_all + self._notices.get(installation_id, 0)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._board_flights.close()
        await self._walk_flights.close()

    async def _load(self, address: BoardAddress, notices: int) -> Pointer:
        old = self._boards.get(address)
        noted = await self._shared.pointer(address)
        now = self._clock.now()
        if noted is not None and now - noted[1] < REDIS_TRUST:
            pointer = self._pointer(noted[0], now)
        else:
            try:
                pointer = await self._ask(address)
            except AWAY:
                last = old.version if old is not None else None
                if last is None and noted is not None:
                    last = noted[0]
                if last is None:
                    raise
                pointer = self._held(last)
        pointer.notices = notices
        kept = self._boards.get(address)
        if kept is None or kept.notices <= notices:
            _keep(self._boards, address, pointer, self._limit)
        return pointer

    async def _ask(self, address: BoardAddress) -> Pointer:
        asked_at = self._clock.now()
        version = await self._versions.current(address)
        if version is not None:
            await self._shared.note_pointers([version], asked_at)
            if address.preset_id == 0:
                await self._shared.note_served(version.preset, asked_at)
        return self._pointer(version, asked_at)

    async def _load_walked(self, materialization_id: int, address: BoardAddress) -> Pointer:
        now = self._clock.now()
        try:
            version = await self._versions.by_id(materialization_id)
        except AWAY:
            known = (self._walked.get(materialization_id), self._boards.get(address))
            versions = (each.version for each in known if each is not None)
            last = next((v for v in versions if v and v.id == materialization_id), None)
            if last is None:
                raise
            pointer = self._held(last)
        else:
            pointer = self._pointer(version, now)
            if version is not None and version.state is RetentionState.SUPERSEDED:
                pointer.valid_until = version.expires_at or now
        _keep(self._walked, materialization_id, pointer, self._limit)
        return pointer

    def _pointer(self, version: Version | None, now: datetime) -> Pointer:
        return Pointer(
            version=version,
            scope=Scope.of(version.preset, version.board) if version is not None else None,
            header=self._codec.header(version) if version is not None else b"",
            fresh_until=version.fresh_until() if version is not None else None,
            renew_at=now + RENEWAL,
            valid_until=now + LIFETIME,
        )

    def _held(self, version: Version) -> Pointer:
        now = self._clock.now()
        pointer = self._pointer(version, now)
        pointer.renew_at, pointer.valid_until = now + RETRY, now + HELD
        pointer.confirmed = False
        return pointer


def _keep(kept: dict[K, Pointer], key: K, pointer: Pointer, limit: int) -> None:
    """Puts the pointer last in line; those that were not renewed for longest go first."""
    kept.pop(key, None)
    kept[key] = pointer
    while len(kept) > limit:
        del kept[next(iter(kept))]
