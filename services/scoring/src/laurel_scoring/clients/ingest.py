"""Reads signals from ingest, decoding batches as they arrive."""

from datetime import datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from laurel_scoring.application.ports import OnRead, SignalsRead
from laurel_scoring.clients.arrow_signals import SignalBuffer


class IngestSignals:
    """Implements SignalSource."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = signal_pb2_grpc.SignalServiceStub(channel)

    async def read(
        self, installation_id: int, *, until: datetime, on_read: OnRead | None = None
    ) -> SignalsRead:
        """See SignalSource."""
        end = Timestamp()
        end.FromDatetime(until)
        request = signal_reads_pb2.StreamSignalsRequest(
            installation_id=installation_id, end_time=end
        )
        buffer = SignalBuffer()
        header = signal_reads_pb2.StreamSignalsHeader()
        async for response in self._stub.StreamSignals(request):
            if response.HasField("header"):
                header = response.header
            elif response.arrow:
                buffer.add(response.arrow)
                if on_read is not None:
                    on_read(len(buffer), header.signal_count_estimate)
        return SignalsRead(buffer.signals(), header.input_mark, frozenset(header.bot_user_ids))
