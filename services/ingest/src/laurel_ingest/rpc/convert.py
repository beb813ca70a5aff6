"""Where protobuf meets ingest's own values."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import types_pb2
from laurel.ingest.v1 import (
    signal_entities_pb2,
    signal_imports_pb2,
    signal_reads_pb2,
    signal_writes_pb2,
)
from laurel_common.errors import InvalidRequest, Violation
from laurel_ingest.application.errors import MalformedBatch
from laurel_ingest.application.import_events import ImportReport
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.application.list_signals import SignalPage
from laurel_ingest.application.ports import (
    InstallationState,
    SignalQuery,
    StoredSignal,
    StreamQuery,
)
from laurel_ingest.application.write_signals import WriteReport
from laurel_ingest.domain.offers import OFFER
from laurel_ingest.domain.signals import REVIEW_STATES, Flag, SignalType
from laurel_ingest.rpc import arrow_offers

MAX_BATCH_SIGNALS: Final = 100_000
_SAID_INSIDE: Final = frozenset(signal_entities_pb2.SignalMetadata.DESCRIPTOR.fields_by_name)
_FLAGS: Final = tuple((flag.name or "").lower() for flag in Flag)


def offered(batch: signal_writes_pb2.SignalBatch) -> pa.Table:
    """A batch's signals with the columns of OFFER. Raises MalformedBatch."""
    if batch.WhichOneof("signals") == "arrow":
        try:
            return arrow_offers.read(batch.arrow, MAX_BATCH_SIGNALS)
        except arrow_offers.UnreadableError as error:
            raise _malformed("batch.arrow", str(error)) from error
    if len(batch.rows.signals) > MAX_BATCH_SIGNALS:
        raise _malformed("batch.rows", f"holds more than {MAX_BATCH_SIGNALS} signals")
    return _from_rows(batch.rows.signals)


def _from_rows(rows: Iterable[signal_entities_pb2.NewSignal]) -> pa.Table:
    return pa.Table.from_pylist([_row(row) for row in rows], schema=OFFER)


def _row(row: signal_entities_pb2.NewSignal) -> dict[str, Any]:
    said = row.metadata
    flags = sum(1 << bit for bit, name in enumerate(_FLAGS) if getattr(said, name))
    # Beyond what a time of Arrow can hold, out of any range that is taken.
    seconds = min(max(row.event_time.seconds, -(2**40)), 2**40)
    counts_lines = row.type == types_pb2.SIGNAL_TYPE_COMMIT
    micros = seconds * 1_000_000 + row.event_time.nanos // 1_000
    return {
        "user_id": row.user_id,
        "repository_id": row.repository_id,
        "type": _small(row.type),
        "event_time": pa.scalar(micros, OFFER.field("event_time").type)
        if row.HasField("event_time")
        else None,
        "identity": row.identity,
        "value_e4": row.value_e4,
        "flags": flags,
        "review_state": _small(said.review_state),
        "additions": said.additions if counts_lines or said.additions < 0 else None,
        "deletions": said.deletions if counts_lines or said.deletions < 0 else None,
        "number": said.number,
        "title": said.title,
        "object_id": said.object_id,
    }


def _small(number: int) -> int:
    """A number as a byte holds it; one that no byte holds is none that an enum has either."""
    return number if 0 <= number < 128 else 127


def _malformed(field: str, description: str) -> MalformedBatch:
    return MalformedBatch(f"{field} {description}", violations=[Violation(field, description)])


def write_response(
    batch: signal_writes_pb2.SignalBatch, report: WriteReport
) -> signal_writes_pb2.WriteSignalsResponse:
    """What became of a batch of signals; fields are named as rows have them, or columns."""
    counts = report.outcome.by_type.values()
    inner = _SAID_INSIDE if batch.WhichOneof("signals") == "rows" else frozenset[str]()
    return signal_writes_pb2.WriteSignalsResponse(
        sequence=batch.sequence,
        new_count=sum(each.new for each in counts),
        changed_count=sum(each.changed for each in counts),
        duplicate_count=sum(each.duplicate for each in counts),
        refused=[
            signal_writes_pb2.RefusedSignal(
                index=each.index,
                field=f"metadata.{each.field}" if each.field in inner else each.field,
                description=each.description,
            )
            for each in report.refusals
        ],
        refused_count=report.refused_count,
    )


def raw_batch(batch: signal_imports_pb2.EventBatch) -> RawBatch:
    """Lines with their place in the source."""
    return RawBatch(list(batch.lines), max(batch.first_line_number, 1), batch.file_name)


def import_response(sequence: int, report: ImportReport) -> signal_imports_pb2.ImportEventsResponse:
    """What became of a batch of lines."""
    return signal_imports_pb2.ImportEventsResponse(
        sequence=sequence,
        event_count=report.event_count,
        signals=[
            signal_imports_pb2.SignalTypeCount(
                type=_wire_type(name),
                new_count=counts.new,
                changed_count=counts.changed,
                duplicate_count=counts.duplicate,
            )
            for name, counts in sorted(report.by_type.items(), key=lambda each: _number(each[0]))
        ],
        withdrawn_count=report.withdrawn,
        skipped=[
            signal_imports_pb2.SkippedCount(reason=str(reason), count=count)
            for reason, count in sorted(report.left_out.items())
        ],
        problems=[
            signal_imports_pb2.LineProblem(
                file_name=each.file_name,
                line_number=each.line_number,
                reason=str(each.reason),
                description=each.description,
            )
            for each in report.problems
        ],
        installation_ids=report.installation_ids,
    )


def signal_query(
    request: signal_reads_pb2.ListSignalsRequest, hidden: frozenset[int]
) -> SignalQuery:
    """The filters of a list, for somebody from whom these repositories are hidden."""
    return SignalQuery(
        request.installation_id,
        user_id=request.user_id or None,
        repository_id=request.repository_id or None,
        types=tuple(sorted({SignalType(each).label for each in request.types})),
        start=moment_of(request, "start_time"),
        end=moment_of(request, "end_time"),
        hidden=hidden,
    )


def stream_query(request: signal_reads_pb2.StreamSignalsRequest) -> StreamQuery:
    """The filters of a stream."""
    return StreamQuery(
        request.installation_id,
        start=moment_of(request, "start_time"),
        end=moment_of(request, "end_time"),
        repository_ids=tuple(request.repository_ids),
        user_ids=tuple(request.user_ids),
        references=request.include_references,
        since_mark=request.since_mark,
    )


def stream_header(state: InstallationState) -> signal_reads_pb2.StreamSignalsResponse:
    """What is said before the first batch."""
    return signal_reads_pb2.StreamSignalsResponse(
        header=signal_reads_pb2.StreamSignalsHeader(
            input_mark=state.input_mark,
            bot_user_ids=state.bot_user_ids,
            signal_count_estimate=state.signal_count,
            changes_only=state.changes_only,
        )
    )


def signal_page(page: SignalPage) -> signal_reads_pb2.ListSignalsResponse:
    """A page of signals."""
    return signal_reads_pb2.ListSignalsResponse(
        signals=[_signal(each) for each in page.signals], next_page_token=page.next_page_token
    )


def _signal(stored: StoredSignal) -> signal_entities_pb2.Signal:
    moment = Timestamp()
    moment.FromDatetime(stored.event_timestamp.astimezone(UTC))
    return signal_entities_pb2.Signal(
        id=stored.id,
        installation_id=stored.installation_id,
        user_id=stored.user_id,
        repository_id=stored.repository_id,
        type=_wire_type(stored.type),
        value_e4=stored.value_e4,
        event_time=moment,
        content_hash=stored.content_hash,
        metadata=_metadata(stored.metadata),
    )


def _metadata(said: Mapping[str, Any]) -> signal_entities_pb2.SignalMetadata:
    state = said.get("review_state")
    return signal_entities_pb2.SignalMetadata(
        **{name: said.get(name) is True for name in _FLAGS},
        review_state=types_pb2.ReviewState.ValueType(
            REVIEW_STATES.index(state) + 1 if state in REVIEW_STATES else 0
        ),
        additions=said.get("additions", 0),
        deletions=said.get("deletions", 0),
        number=said.get("number", 0),
        title=said.get("title", ""),
        object_id=said.get("object_id", ""),
    )


def _number(name: str) -> int:
    return SignalType[name.upper()].value


def _wire_type(name: str) -> types_pb2.SignalType.ValueType:
    return types_pb2.SignalType.ValueType(_number(name))


def moment_of(request: Any, name: str) -> datetime | None:
    """The time of a field, None where unset. Raises InvalidRequest for one beyond year 9999."""
    if not request.HasField(name):
        return None
    try:
        moment: datetime = getattr(request, name).ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest.of((name, "is no instant between the years 1 and 9999")) from error
    return moment
