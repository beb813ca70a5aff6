"""How much of a board's scope is known: ingest's word, as of a minute ago at most."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import DeadlineExceeded, LaurelError
from laurel_common.single_flight import SingleFlight
from laurel_leaderboard.domain.boards import BoardKey, Preset, ScopeType

log = structlog.get_logger(__name__)

LIFETIME = timedelta(seconds=60)
RENEWAL = timedelta(seconds=30)
# While ingest is away: what was known goes on, and is asked for again after this, beside the reads.
RETRY = timedelta(seconds=5)
# No read waits for longer; the answer then says nothing of coverage.
PATIENCE_SECONDS = 0.5


class Scope(NamedTuple):
    """What a board covers; `scope_id` is an organization's, team's or repository's."""

    installation_id: int
    scope_type: ScopeType
    scope_id: int

    @classmethod
    def of(cls, preset: Preset, board: BoardKey) -> "Scope":
        """A board's."""
        return cls(preset.installation_id, board.scope_type, board.scope_id)


class CoverageSource(Protocol):
    """Ingest's account of what it knows. Raises RemoteError, DependencyUnavailable."""

    async def part(self, scope: Scope) -> bytes:
        """The part of GetLeaderboard's answer that tells of a scope, serialized."""
        ...


@dataclass(slots=True)
class _Kept:
    part: bytes
    renew_at: datetime
    valid_until: datetime


class ScopeCoverage:
    """Keeps the parts of at most `limit` scopes, and renews those that are read."""

    def __init__(self, source: CoverageSource, clock: Clock, *, limit: int) -> None:
        self._source = source
        self._clock = clock
        self._limit = limit
        self._kept: dict[Scope, _Kept] = {}
        self._flights = SingleFlight[Scope, bytes](seconds=PATIENCE_SECONDS)

    def peek(self, scope: Scope, now: datetime) -> bytes | None:
        """The part if it is known; one that grows old is renewed in the background."""
        kept = self._kept.get(scope)
        if kept is None or now >= kept.valid_until:
            return None
        if now >= kept.renew_at:
            kept.renew_at = now + RETRY
            self._flights.start(scope, lambda: self._load(scope))
        return kept.part

    async def find(self, scope: Scope) -> bytes:
        """The part, asked for where it is not known; empty where ingest does not say."""
        try:
            return await self._flights.run(scope, lambda: self._load(scope))
        except DeadlineExceeded:
            return self._missed(scope, "TIMEOUT")

    async def close(self) -> None:
        """Ends what is under way."""
        await self._flights.close()

    async def _load(self, scope: Scope) -> bytes:
        try:
            part = await self._source.part(scope)
        except LaurelError as error:
            return self._missed(scope, error.reason)
        now = self._clock.now()
        self._keep(scope, _Kept(part, now + RENEWAL, now + LIFETIME))
        return part

    def _missed(self, scope: Scope, reason: str) -> bytes:
        known, now = self._kept.get(scope), self._clock.now()
        part = known.part if known is not None else b""
        self._keep(scope, _Kept(part, now + RETRY, now + LIFETIME))
        log.info("coverage_not_told", installation_id=scope.installation_id, reason=reason)
        return part

    def _keep(self, scope: Scope, kept: _Kept) -> None:
        """Puts it last in line; those that were not renewed for longest go first."""
        self._kept.pop(scope, None)
        self._kept[scope] = kept
        while len(self._kept) > self._limit:
            del self._kept[next(iter(self._kept))]
