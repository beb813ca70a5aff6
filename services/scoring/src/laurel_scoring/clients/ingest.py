"""Reads signals from ingest, decoding batches as they arrive."""

from collections.abc import Collection, Mapping
from datetime import datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from laurel_scoring.application.change_ports import ChangesRead
from laurel_scoring.application.ports import WHOLE, OnRead, Part, SignalsRead
from laurel_scoring.clients.arrow_references import references_in
from laurel_scoring.clients.arrow_signals import RemovedKeys, SignalBuffer
from laurel_scoring.domain.github_links import Reference
from laurel_scoring.domain.merging import SignalChanges


class IngestSignals:
    """Implements ChangeSource."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = signal_pb2_grpc.SignalServiceStub(channel)

    async def read(
        self,
        installation_id: int,
        *,
        until: datetime,
        part: Part = WHOLE,
        on_read: OnRead | None = None,
    ) -> SignalsRead:
        """See SignalSource."""
        request = _request(installation_id, until, part)
        buffer = SignalBuffer()
        header = await self._stream(request, buffer, RemovedKeys(), on_read)
        return SignalsRead(buffer.signals(), header.input_mark, frozenset(header.bot_user_ids))

    async def read_changes(
        self, installation_id: int, *, since: str, on_read: OnRead | None = None
    ) -> ChangesRead:
        """See ChangeSource."""
        request = signal_reads_pb2.StreamSignalsRequest(
            installation_id=installation_id, since_mark=since
        )
        buffer, removed = SignalBuffer(), RemovedKeys()
        header = await self._stream(request, buffer, removed, on_read)
        signals = buffer.signals()
        changes = None
        if header.changes_only:
            changes = SignalChanges(signals, removed.hashes, removed.users)
        return ChangesRead(changes, signals, header.input_mark, frozenset(header.bot_user_ids))

    async def _stream(
        self,
        request: signal_reads_pb2.StreamSignalsRequest,
        buffer: SignalBuffer,
        removed: RemovedKeys,
        on_read: OnRead | None,
    ) -> signal_reads_pb2.StreamSignalsHeader:
        """Fills `buffer` and `removed`; the header."""
        header = signal_reads_pb2.StreamSignalsHeader()
        async for response in self._stub.StreamSignals(request):
            if response.HasField("header"):
                header = response.header
            elif response.removed:
                removed.add(response.removed)
            elif response.arrow:
                buffer.add(response.arrow)
                if on_read is not None and not header.changes_only:
                    on_read(len(buffer), header.signal_count_estimate)
        return header

    async def references(
        self, installation_id: int, *, until: datetime, part: Part, wanted: Collection[bytes]
    ) -> Mapping[bytes, Reference]:
        """See SignalSource."""
        request = _request(installation_id, until, part)
        request.include_references = True
        hashes, found = frozenset(wanted), dict[bytes, Reference]()
        async for response in self._stub.StreamSignals(request):
            if response.arrow:
                found.update(references_in(response.arrow, hashes))
        return found


def _request(
    installation_id: int, until: datetime, part: Part
) -> signal_reads_pb2.StreamSignalsRequest:
    return signal_reads_pb2.StreamSignalsRequest(
        installation_id=installation_id,
        start_time=_timestamp(part.since) if part.since else None,
        end_time=_timestamp(until),
        user_ids=part.user_ids,
        repository_ids=part.repository_ids,
    )


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message
