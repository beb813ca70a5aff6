"""Makes entries of rows: with the names of whom they rank, and where those stood before."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from laurel_common.clock import Clock
from laurel_common.deadline import deadline_in
from laurel_common.errors import LaurelError
from laurel_leaderboard.application.ports import History, Profiles
from laurel_leaderboard.domain.entries import Entry, Profile, ScoreRow
from laurel_leaderboard.domain.history import Standing, previous_day
from laurel_leaderboard.domain.versions import Version

# Entries wait this long for names at most, and for a while after a failure not at all.
PROFILE_SECONDS = 1.0
RETRY = timedelta(seconds=1)

log = structlog.get_logger(__name__)


class EntryBuilder:
    """Identity away costs names, PostgreSQL away is an error."""

    def __init__(self, profiles: Profiles, history: History, clock: Clock) -> None:
        self._profiles = profiles
        self._history = history
        self._clock = clock
        self._nameless_until = datetime.min.replace(tzinfo=UTC)

    async def build(self, version: Version, rows: Sequence[ScoreRow]) -> tuple[list[Entry], bool]:
        """The entries of these rows of a version, and whether identity could be asked for names."""
        ids = [row.entity_id for row in rows]
        day = previous_day(version.board.time_period, version.as_of)
        before = await self._history.standings(version, day, ids)
        profiles = await self.names(version, ids)
        kind, known = version.board.entity_type, profiles or {}
        entries = [
            Entry(row, kind, known.get(row.entity_id), before.get(row.entity_id)) for row in rows
        ]
        return entries, profiles is not None

    async def described(
        self, version: Version, ids: Collection[int]
    ) -> tuple[Mapping[int, Profile], Mapping[int, Standing]]:
        """Profiles by id, none while identity is away; and where they stood one period before."""
        day = previous_day(version.board.time_period, version.as_of)
        before = await self._history.standings(version, day, ids)
        return await self.names(version, ids) or {}, before

    async def names(self, version: Version, ids: Collection[int]) -> Mapping[int, Profile] | None:
        """Profiles by id; None while identity is away."""
        if self._clock.now() < self._nameless_until:
            return None
        try:
            with deadline_in(PROFILE_SECONDS):
                return await self._profiles.profiles(
                    version.preset.installation_id, version.board.entity_type, ids
                )
        except LaurelError as error:
            log.warning("names_unknown", reason=error.reason)
            self._nameless_until = self._clock.now() + RETRY
            return None
