"""SignalService on the wire."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

from laurel.ingest.v1 import (
    signal_imports_pb2,
    signal_reads_pb2,
    signal_writes_pb2,
)
from laurel_common.errors import InstallationNotCovered, InvalidRequest
from laurel_common.surroundings import current_access, current_principal
from laurel_ingest.application.errors import StreamOutOfOrder
from laurel_ingest.application.follow_boards import FollowBoards
from laurel_ingest.application.import_events import GitSource, ImportEvents, ImportReport
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.application.list_signals import ListSignals
from laurel_ingest.application.ports import SignalStream
from laurel_ingest.application.write_signals import SignalsSession, WriteSignals
from laurel_ingest.rpc import convert
from laurel_ingest.rpc.corrections import CorrectionCases, CorrectionMethods


class _Import(Protocol):
    async def take(self, batch: RawBatch) -> ImportReport: ...


class SignalServicer(CorrectionMethods):
    """Writes and reads signals, and what people correct about them."""

    def __init__(
        self,
        write: WriteSignals,
        import_events: ImportEvents,
        list_signals: ListSignals,
        stream: SignalStream,
        corrections: CorrectionCases,
        *,
        follow: FollowBoards,
    ) -> None:
        self._write = write
        self._import = import_events
        self._list = list_signals
        self._stream = stream
        self._corrections = corrections
        self._follow = follow

    async def WriteSignals(
        self, request_iterator: AsyncIterator[signal_writes_pb2.WriteSignalsRequest], _context: Any
    ) -> AsyncIterator[signal_writes_pb2.WriteSignalsResponse]:
        """Answers each batch when it is committed."""
        session: SignalsSession | None = None
        with self._follow.bulk_write() as bulk:
            async for request in request_iterator:
                if request.WhichOneof("message") == "header":
                    if session is not None:
                        raise StreamOutOfOrder("a second header")
                    session = await self._begin_write(request.header)
                elif session is None:
                    raise StreamOutOfOrder
                else:
                    bulk.begins()
                    # Beside the event loop: a great batch takes long enough to keep others waiting.
                    offered = await asyncio.to_thread(convert.offered, request.batch)
                    report = await session.take(offered)
                    bulk.wrote([session.installation_id])
                    yield convert.write_response(request.batch, report)

    async def _begin_write(self, header: signal_writes_pb2.WriteSignalsHeader) -> SignalsSession:
        return await self._write.begin(
            header.installation_id, header.standing, all_or_nothing=header.all_or_nothing
        )

    async def ImportEvents(
        self, request_iterator: AsyncIterator[signal_imports_pb2.ImportEventsRequest], _context: Any
    ) -> AsyncIterator[signal_imports_pb2.ImportEventsResponse]:
        """Answers each batch when it is committed."""
        session: _Import | None = None
        with self._follow.bulk_write() as bulk:
            async for request in request_iterator:
                if request.WhichOneof("message") == "header":
                    if session is not None:
                        raise StreamOutOfOrder("a second header")
                    _require_all_installations()
                    session = self._begin_import(request.header)
                elif session is None:
                    raise StreamOutOfOrder
                else:
                    bulk.begins()
                    report = await session.take(convert.raw_batch(request.batch))
                    bulk.wrote(report.installation_ids)
                    yield convert.import_response(request.batch.sequence, report)

    def _begin_import(self, header: signal_imports_pb2.ImportEventsHeader) -> _Import:
        if header.source == signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE:
            return self._import.archive(header.owner_logins)
        owner, _, name = header.repository_full_name.partition("/")
        if not owner or not name or "/" in name:
            raise InvalidRequest.of(("header.repository_full_name", "must be owner/name"))
        return self._import.git(GitSource(header.repository_full_name, header.repository_id))

    async def ListSignals(
        self, request: signal_reads_pb2.ListSignalsRequest, _context: Any
    ) -> signal_reads_pb2.ListSignalsResponse:
        """A page of one installation's signals, newest first."""
        query = convert.signal_query(request, current_access().hidden_repositories)
        return convert.signal_page(await self._list(query, request.page_size, request.page_token))

    async def StreamSignals(
        self, request: signal_reads_pb2.StreamSignalsRequest, _context: Any
    ) -> AsyncIterator[signal_reads_pb2.StreamSignalsResponse]:
        """Every signal of one installation in columns."""
        async with self._stream.open(convert.stream_query(request)) as snapshot:
            yield convert.stream_header(snapshot.state)
            if removed := snapshot.removed():
                yield signal_reads_pb2.StreamSignalsResponse(removed=removed)
            async for content in snapshot.batches():
                yield signal_reads_pb2.StreamSignalsResponse(arrow=content)


def _require_all_installations() -> None:
    """Lines name their owners, and whose a repository is: only who may write to all may import.

    Raises InstallationNotCovered.
    """
    if current_principal().installations is not None:
        raise InstallationNotCovered("an import may reach every installation, and the key does not")
