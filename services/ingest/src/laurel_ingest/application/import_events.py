"""Raw events into signals: one use case per stream, one transaction per batch.

A batch is idempotent, and the order of batches does not matter: what is remembered of a
repository is merged with what the batch tells, and its signals follow from the whole.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC

from laurel_common.clock import Clock
from laurel_common.errors import InvalidRequest
from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.batch_store import BatchStore
from laurel_ingest.application.enrolment import Enrolment
from laurel_ingest.application.line_reading import (
    Complaints,
    LineProblem,
    RawBatch,
    decoded,
    read_archive,
)
from laurel_ingest.application.ports import Directory, Storage, TypeCounts
from laurel_ingest.domain import archive_events, git_records
from laurel_ingest.domain.archive_frames import ArchiveEvent
from laurel_ingest.domain.facts import key_of
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.identities import synthetic_id_of_repository
from laurel_ingest.domain.refusals import MalformedError, Skip
from laurel_ingest.domain.texts import owner_of


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one batch; `by_type` is keyed by the type's name in the database.

    `event_count`: lines that were read, whatever became of them.
    """

    event_count: int
    by_type: dict[str, TypeCounts]
    withdrawn: int
    left_out: Counter[str]
    problems: Sequence[LineProblem]
    installation_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class GitSource:
    """The repository that a stream's commits belong to; id 0 where the caller knows none."""

    full_name: str
    repository_id: int = 0


class ImportEvents:
    """Begins imports; everything that lives as long as a stream lives in the session."""

    def __init__(self, storage: Storage, directory: Directory, clock: Clock) -> None:
        self._storage = storage
        self._directory = directory
        self._clock = clock

    def archive(self, owner_logins: Sequence[str]) -> "ArchiveImport":
        """An import of GH Archive lines, of these owners' repositories or of all."""
        return ArchiveImport(self._session(), owner_logins)

    def git(self, source: GitSource) -> "GitImport":
        """An import of one repository's commits. Raises InvalidRequest for a name that nobody may
        have.
        """
        if owner_of(source.full_name) is None:
            raise InvalidRequest.of(("header.repository_full_name", "must be owner/name"))
        return GitImport(self._session(), source)

    def _session(self) -> "_Session":
        return _Session(
            Enrolment(self._directory, self._storage), BatchStore(self._storage), self._clock
        )


@dataclass(slots=True)
class _Session:
    enrolment: Enrolment
    store: BatchStore
    clock: Clock

    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock.now().astimezone(UTC).timestamp())

    async def finish(self, told: BatchFacts, complaints: Complaints) -> ImportReport:
        """Enters whom the batch names, stores what it tells, and sums up."""
        now = self.now()
        # Nobody can have seen names in the future, however an event is dated; they would stand
        # against all that is heard later.
        told.last_at = min(max(told.last_at, 0), now)
        installations = await self.enrolment.enter(told)
        stored = await self.store.store(told, installations, now)
        return ImportReport(
            sum(1 for line in complaints.batch.lines if line.strip()),
            stored.by_type,
            stored.withdrawn,
            complaints.left_out + stored.left_out,
            sorted(complaints.problems, key=lambda problem: problem.line_number),
            sorted(stored.installation_ids),
        )


class ArchiveImport:
    """One stream of GH Archive lines."""

    def __init__(self, session: _Session, owner_logins: Sequence[str]) -> None:
        self._session = session
        self._owners = {login.lower() for login in owner_logins}

    async def take(self, batch: RawBatch) -> ImportReport:
        """Imports one batch of lines; committed when it returns."""
        complaints = Complaints(batch)
        now = self._session.now()
        events = await asyncio.to_thread(read_archive, complaints, self._owners, now)
        ids = await self._session.enrolment.repository_ids(_ids_by_name(events))
        told = await asyncio.to_thread(_gather, events, ids, complaints)
        return await self._session.finish(told, complaints)


def _ids_by_name(events: Sequence[tuple[int, ArchiveEvent]]) -> dict[str, int | None]:
    """Full name in lower case → id, wherever any event of the batch tells it."""
    ids: dict[str, int | None] = {}
    for _, event in events:
        name = event.full_name.lower()
        ids[name] = event.repository_id or ids.get(name)
    return ids


def _gather(
    events: Sequence[tuple[int, ArchiveEvent]], ids: dict[str, int], complaints: Complaints
) -> BatchFacts:
    told = BatchFacts()
    for index, event in events:
        repository_id = event.repository_id or ids.get(event.full_name.lower())
        if repository_id is None:
            complaints.about(index, Skip.NO_REPOSITORY_ID)
            continue
        try:
            found = archive_events.findings_of(event, repository_id)
        except MalformedError as error:
            complaints.about(index, Skip.MALFORMED_EVENT, f"{event.type}: {error}")
            continue
        if found.left_out.pop(Skip.UNKNOWN_EVENT_TYPE, 0):
            complaints.about(index, Skip.UNKNOWN_EVENT_TYPE)
        complaints.left_out += found.left_out
        told.add(found, repository_id, event.full_name, event.owner)
    return told


@dataclass(slots=True)
class GitImport:
    """One stream of a repository's commits, newest first."""

    _session: _Session
    _source: GitSource
    _walk: git_records.MergeWalk = field(default_factory=git_records.MergeWalk)
    _repository_id: int | None = None

    async def take(self, batch: RawBatch) -> ImportReport:
        """Imports one batch of commits; committed when it returns."""
        if self._repository_id is None:
            self._repository_id = await self._resolve()
        complaints = Complaints(batch)
        told = await asyncio.to_thread(self._gather, complaints, self._repository_id)
        if told.facts:
            now = int(self._session.clock.now().astimezone(UTC).timestamp())
            fact = git_records.cloned(self._repository_id, now)
            told.facts[key_of(fact)] = fact
        return await self._session.finish(told, complaints)

    async def _resolve(self) -> int:
        """The repository's id: as given, as identity knows it, else made of the name."""
        if self._source.repository_id:
            return self._source.repository_id
        name = self._source.full_name
        known = await self._session.enrolment.repository_ids({name.lower(): None})
        return known.get(name.lower()) or synthetic_id_of_repository(name)

    def _gather(self, complaints: Complaints, repository_id: int) -> BatchFacts:
        told = BatchFacts()
        owner = Owner(self._source.full_name.partition("/")[0])
        for index, line in enumerate(complaints.batch.lines):
            try:
                raw = decoded(line)
            except MalformedError as error:
                complaints.about(index, Skip.MALFORMED_JSON, str(error))
                continue
            try:
                found = git_records.findings_of(raw, repository_id, self._walk)
            except MalformedError as error:
                complaints.about(index, Skip.MALFORMED_EVENT, str(error))
                continue
            told.add(found, repository_id, self._source.full_name, owner)
        return told
