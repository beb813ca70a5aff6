"""Signals that a backend already has, written batch by batch."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from laurel_common.clock import Clock
from laurel_common.errors import Violation
from laurel_ingest.application.errors import SignalsRefused
from laurel_ingest.application.ports import Directory, Storage, WriteOutcome
from laurel_ingest.domain.columns import recredited
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.months import months_of
from laurel_ingest.domain.offers import Judgement, Refusal, judge

NAMED_REFUSALS: Final = 1_000
_NAMED_VIOLATIONS: Final = 100


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What became of one batch; at most `NAMED_REFUSALS` of the refused ones are named."""

    outcome: WriteOutcome
    refusals: Sequence[Refusal]
    refused_count: int


class WriteSignals:
    """Begins streams of signals."""

    def __init__(self, storage: Storage, directory: Directory, clock: Clock) -> None:
        self._storage = storage
        self._directory = directory
        self._clock = clock

    async def begin(
        self, installation_id: int, standing: int, *, all_or_nothing: bool
    ) -> "SignalsSession":
        """A stream for one installation. Raises InstallationNotFound."""
        await self._directory.require_installation(installation_id)
        return SignalsSession(
            self._storage,
            self._directory,
            self._clock,
            installation_id,
            standing,
            all_or_nothing=all_or_nothing,
        )


class SignalsSession:
    """One stream; remembers which users and repositories are known to exist."""

    def __init__(
        self,
        storage: Storage,
        directory: Directory,
        clock: Clock,
        installation_id: int,
        standing: int,
        *,
        all_or_nothing: bool,
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._clock = clock
        self.installation_id = installation_id
        self._standing = standing
        self._all_or_nothing = all_or_nothing
        self._users: set[int] = set()
        self._repositories: set[int] = set()

    async def take(self, offered: pa.Table) -> WriteReport:
        """Writes one batch of OFFER's columns; committed when it returns.

        Raises SignalsRefused, where the stream is all or nothing, having written nothing of the
        batch; and the typed errors of database and directory.
        """
        now = int(self._clock.now().astimezone(UTC).timestamp())
        judgement = await asyncio.to_thread(judge, offered, now)
        await self._refuse_strangers(judgement)
        refusals = judgement.refusals(NAMED_REFUSALS)
        if refusals and self._all_or_nothing:
            raise SignalsRefused(
                violations=[
                    Violation(f"batch.signals[{each.index}].{each.field}", each.description)
                    for each in refusals[:_NAMED_VIOLATIONS]
                ],
                metadata={"refused_count": str(judgement.refused_count)},
            )
        signals = await asyncio.to_thread(judgement.accepted, self.installation_id, self._standing)
        outcome = await self._write(signals, now)
        return WriteReport(outcome, refusals, judgement.refused_count)

    async def _write(self, signals: pa.Table, now: int) -> WriteOutcome:
        months = pc.unique(pc.floor_temporal(signals["event_timestamp"], unit="month"))
        times = (int(month.timestamp()) for month in months.to_pylist())
        await self._storage.ensure_partitions(months_of(times, now))
        async with self._storage.transaction() as unit:
            authors = [
                each for each in pc.unique(signals["user_id"]).to_pylist() if is_synthetic(each)
            ]
            if authors:
                signals = recredited(signals, await unit.facts.standing_claims(authors))
            await unit.signals.lock(pc.unique(signals["repository_id"]).to_pylist())
            return await unit.signals.write(signals, last_word=False)

    async def _refuse_strangers(self, judgement: Judgement) -> None:
        """Refuses signals of users that nobody knows, or of others' repositories."""
        users = set(judgement.ids("user_id")) - self._users
        if users:
            missing = await self._directory.missing_users(users)
            self._users |= users - missing
            judgement.refuse_missing("user_id", "there is no such user", missing)
        repositories = set(judgement.ids("repository_id")) - self._repositories
        if repositories:
            missing = await self._directory.missing_repositories(self.installation_id, repositories)
            self._repositories |= repositories - missing
            judgement.refuse_missing(
                "repository_id", "the installation has no such repository", missing
            )
